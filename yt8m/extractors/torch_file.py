# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Reads the arrays of a `.pth` file of PyTorch, without PyTorch and without its pickles.

A `.pth` file (before PyTorch 1.6, and later on request) is five pickles and the bytes of
the storages. A pickle is a program, which may call any function. Here it is only looked
at: `pickletools` splits it into instructions, and those that a dictionary of arrays needs
build plain data. The only functions that it may name are the three below, and none of
them is imported or called.
"""

import math
import pickletools
from collections.abc import Callable
from typing import Any
from typing import BinaryIO
from typing import NamedTuple

import numpy as np

from yt8m.core import fields
from yt8m.core import files

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_DICTIONARY = "collections OrderedDict"
_ARRAY = "torch._utils _rebuild_tensor_v2"
_TYPES = {"torch FloatStorage": "<f4", "torch DoubleStorage": "<f8",
          "torch HalfStorage": "<f2", "torch LongStorage": "<i8",
          "torch IntStorage": "<i4", "torch ByteStorage": "|u1"}
# Bytes of a file that is read; the weights of a network are smaller.
_LARGEST = 2**31


class _Name(NamedTuple):
  """A function or class that the file names."""
  name: str


class _Storage(NamedTuple):
  key: str
  dtype: str
  size: int


class _Array(NamedTuple):
  storage: _Storage
  offset: int
  shape: tuple[int, ...]
  strides: tuple[int, ...]


def read_arrays(path: str) -> dict[str, np.ndarray]:
  """Returns the arrays of a `.pth` file that holds a dictionary of them, by name.

  Args:
    path: Path of the file, in the format of PyTorch before 1.6.

  Raises:
    FileNotFoundError: There is no such file.
    ValueError: The file holds anything else, or is damaged.
  """
  with files.open_to_read(path, "rb") as file:
    if file.size() > _LARGEST:
      raise ValueError(f"{path} has {file.size():,} bytes; weights have at most "
                       f"{_LARGEST:,}.")
  with open(path, "rb") as file:
    try:
      return _read(file)
    except (*fields.UNFIT, MemoryError) as error:
      raise ValueError(
          f"{path} is not a file of weights of PyTorch before 1.6 "
          f"({fields.reason(error)}): install or copy it again.") from error


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
  if _plain(file) != _MAGIC or _plain(file) != _PROTOCOL:
    raise ValueError("it does not begin as one")
  if _plain(file).get("little_endian") is not True:
    raise ValueError("its bytes are in another order")
  described = _plain(file)
  if not all(isinstance(name, str) and isinstance(array, _Array)
             for name, array in described.items()):
    raise TypeError("it holds other things than arrays")
  storages = {array.storage.key: array.storage for array in described.values()}
  values = {}
  for key in _plain(file):
    if type(key) is not str:
      raise TypeError("a key is no text")
    storage = storages[key]
    size = int.from_bytes(file.read(8), "little")
    content = file.read(storage.size * np.dtype(storage.dtype).itemsize)
    values[key] = np.frombuffer(content, storage.dtype)
    if not size == storage.size == len(values[key]):
      raise ValueError(f"storage {key!r} does not have {storage.size} values")
  if file.read(1):
    raise ValueError("it goes on after its end")
  return {name: _view(values[array.storage.key], array)
          for name, array in described.items()}


def _view(values: np.ndarray, array: _Array) -> np.ndarray:
  """Returns a copy of what an array shows of its storage."""
  last = array.offset + sum(
      (size - 1) * stride
      for size, stride in zip(array.shape, array.strides, strict=True))
  # With strides of 0, a small file would describe large arrays.
  if last >= len(values) or math.prod(array.shape) > len(values):
    raise ValueError("an array does not fit into its storage")
  return np.lib.stride_tricks.as_strided(
      values[array.offset:], array.shape,
      [stride * values.itemsize for stride in array.strides]).copy()


class _Machine:
  """What a pickle builds, of plain data and the tuples above."""

  def __init__(self):
    self.stack, self.marks, self.memory = [], [], {}

  def popped(self) -> list[Any]:
    """Takes what stands above the last mark from the stack."""
    at = self.marks.pop()
    taken = self.stack[at:]
    del self.stack[at:]
    return taken

  def items(self, values: list[Any]) -> None:
    # The hash or text of a tuple that holds another one twice, and so on, takes for ever.
    if not all(type(key) is str for key in values[::2]):
      raise TypeError("a key is no text")
    self.stack[-1].update(zip(values[::2], values[1::2], strict=True))

  def extend(self, values: list[Any]) -> None:
    self.stack[-1].extend(values)

  def reduce(self, _: Any) -> None:
    """Instead of a call, what it would return."""
    arguments, function = self.stack.pop(), self.stack.pop()
    if function == _Name(_DICTIONARY) and arguments == ():
      self.stack.append({})
    elif function == _Name(_ARRAY):
      storage, offset, shape, strides, _, _ = arguments
      if not isinstance(storage, _Storage) or not all(
          type(number) is int and number >= 0 for number in (offset, *shape, *strides)):
        raise TypeError("an array is described in another way")
      self.stack.append(_Array(storage, offset, shape, strides))
    else:
      raise ValueError("it calls a function in another way")

  def storage(self, _: Any) -> None:
    kind, name, key, _, size, view = self.stack.pop()
    if (kind != "storage" or view is not None or type(key) is not str
        or type(size) is not int or size < 0):
      raise ValueError("a storage is described in another way")
    self.stack.append(_Storage(key, _TYPES[name.name], size))

  def build(self, _: Any) -> None:
    """Takes the attributes that PyTorch adds to the dictionary, of which none counts."""
    self.stack.pop()

  def tuple_of(self, number: int) -> None:
    taken = self.stack[len(self.stack) - number:]
    del self.stack[len(self.stack) - number:]
    self.stack.append(tuple(taken))

  def named(self, name: str) -> None:
    if name not in (_DICTIONARY, _ARRAY, *_TYPES):
      raise ValueError(f"it names {name[:100]!r}")
    self.stack.append(_Name(name))


_INSTRUCTIONS: dict[str, Callable[[_Machine, Any], Any]] = {
    "PROTO": lambda m, _: None,
    "MARK": lambda m, _: m.marks.append(len(m.stack)),
    "NONE": lambda m, _: m.stack.append(None),
    "NEWTRUE": lambda m, _: m.stack.append(True),
    "NEWFALSE": lambda m, _: m.stack.append(False),
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "EMPTY_TUPLE": lambda m, _: m.stack.append(()),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.popped())),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "SETITEM": lambda m, _: m.items([m.stack.pop(-2), m.stack.pop()]),
    "SETITEMS": lambda m, _: m.items(m.popped()),
    "APPEND": lambda m, _: m.stack[-2].append(m.stack.pop()),
    "APPENDS": lambda m, _: m.extend(m.popped()),
    "GLOBAL": _Machine.named,
    "REDUCE": _Machine.reduce,
    "BINPERSID": _Machine.storage,
    "BUILD": _Machine.build,
    **{name: lambda m, value: m.stack.append(value)
       for name in ("BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1")},
    **{name: lambda m, at: m.memory.__setitem__(at, m.stack[-1])
       for name in ("BINPUT", "LONG_BINPUT")},
    **{name: lambda m, at: m.stack.append(m.memory[at])
       for name in ("BINGET", "LONG_BINGET")},
}


def _plain(file: BinaryIO) -> Any:
  """Returns what the next pickle of a file describes."""
  machine = _Machine()
  for instruction, argument, _ in pickletools.genops(file):
    if instruction.name == "STOP":
      [result] = machine.stack
      return result
    if instruction.name not in _INSTRUCTIONS:
      raise ValueError(f"it has the instruction {instruction.name}")
    _INSTRUCTIONS[instruction.name](machine, argument)
  raise ValueError("it ends early")
