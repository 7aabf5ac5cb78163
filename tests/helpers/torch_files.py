# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes `.pth` files as PyTorch before 1.6 does, without PyTorch."""

import collections
import io
import pickle
import sys
import types

import numpy as np

_STORAGES = {np.dtype(np.float32): "FloatStorage", np.dtype(np.int64): "LongStorage"}


class _Storage:
  def __init__(self, kind, key, size):
    self.description = "storage", kind, key, "cpu", size, None


class _Tensor:
  def __init__(self, storage, offset, shape, strides):
    self.arguments = storage, offset, shape, strides, False, collections.OrderedDict()

  def __reduce__(self):
    return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class _Pickler(pickle.Pickler):
  def persistent_id(self, obj):
    return obj.description if isinstance(obj, _Storage) else None


def _modules():
  """Empty modules with the names of those of PyTorch, for the time of the pickling."""
  torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
  for name in _STORAGES.values():
    setattr(torch, name, type(name, (), {"__module__": "torch", "__qualname__": name}))

  def _rebuild_tensor_v2():
    pass

  _rebuild_tensor_v2.__module__ = "torch._utils"
  _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
  utils._rebuild_tensor_v2 = _rebuild_tensor_v2
  return {"torch": torch, "torch._utils": utils}


def _strides(array):
  return tuple(stride // array.itemsize for stride in array.strides)


def pickles(arrays, views=None):
  """The five pickles of a file.

  Args:
    arrays: Arrays by name. Each has a storage of its own.
    views: `{name: (name of an array, offset, shape, strides)}` of further arrays.
  """
  before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
  sys.modules.update(modules := _modules())
  try:
    storages = {
        name: _Storage(getattr(modules["torch"], _STORAGES[array.dtype]), name,
                       array.size) for name, array in arrays.items()}
    tensors = collections.OrderedDict(
        (name, _Tensor(storages[name], 0, array.shape, _strides(array)))
        for name, array in arrays.items())
    for name, (of, *place) in (views or {}).items():
      tensors[name] = _Tensor(storages[of], *place)
    file = io.BytesIO()
    _Pickler(file, 2).dump(tensors)
  finally:
    for name, module in before.items():
      if module is None:
        del sys.modules[name]
      else:
        sys.modules[name] = module
  return [pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2),
          pickle.dumps({"protocol_version": 1001, "little_endian": True}, 2),
          file.getvalue(), pickle.dumps(sorted(arrays), 2)]


def storages(arrays):
  """The storages of a file, which follow its pickles."""
  return b"".join(
      np.int64(arrays[name].size).tobytes() + np.ascontiguousarray(arrays[name]).tobytes()
      for name in sorted(arrays))


def content(arrays, views=None):
  """The bytes of a file with arrays."""
  return b"".join(pickles(arrays, views)) + storages(arrays)
