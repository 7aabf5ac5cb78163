# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Arrays of a `.pth` file, and what such a file may not do."""

import os
import pickle

import numpy as np
import pytest

from tests.helpers import torch_files
from yt8m.extractors import efficientnet
from yt8m.extractors import torch_file

ARRAYS = {"a.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
          "b": np.array(7, np.int64), "c": np.array([0.5], np.float32)}


def write(path, content):
  path.write_bytes(content)
  return str(path)


def test_arrays_come_back(tmp_path):
  found = torch_file.read_arrays(
      write(tmp_path / "a.pth", torch_files.content(ARRAYS)))
  assert list(found) == list(ARRAYS)
  for name, array in ARRAYS.items():
    np.testing.assert_array_equal(found[name], array)
    assert found[name].dtype == array.dtype


def test_transposed_arrays_and_parts_of_a_storage(tmp_path):
  values = np.arange(10, dtype=np.float32)
  path = write(tmp_path / "a.pth", torch_files.content(
      {"a": values}, views={"b": ("a", 1, (3, 2), (1, 4))}))
  np.testing.assert_array_equal(
      torch_file.read_arrays(path)["b"], [[1, 5], [2, 6], [3, 7]])


@pytest.mark.parametrize("view", [
    ("a", 1, (10,), (1,)), ("a", 0, (3, 4), (4, 1)), ("a", 0, (2**40,), (0,)),
    ("a", -1, (2,), (1,)), ("a", 0, (2,), (-1,)), ("a", 0, (True,), (1,))])
def test_arrays_outside_their_storage(tmp_path, view):
  path = write(tmp_path / "a.pth", torch_files.content(
      {"a": np.zeros(10, np.float32)}, views={"b": view}))
  with pytest.raises(ValueError, match="a.pth is not a file of weights"):
    torch_file.read_arrays(path)


class Hostile:
  def __init__(self, function, *arguments):
    self.call = function, arguments

  def __reduce__(self):
    return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
@pytest.mark.parametrize("place", range(5))
def test_nothing_is_called(tmp_path, place, protocol):
  """In none of the five pickles, and by no function that the file names."""
  owned = tmp_path / "owned"
  for hostile in (Hostile(os.mkdir, str(owned)),
                  Hostile(eval, f"__import__('os').mkdir({str(owned)!r})"),
                  Hostile(dict.fromkeys, [1])):
    parts = torch_files.pickles(ARRAYS)
    parts[place] = pickle.dumps(hostile, protocol)
    path = write(tmp_path / "a.pth", b"".join(parts) + torch_files.storages(ARRAYS))
    with pytest.raises(ValueError, match="a.pth is not a file of weights"):
      torch_file.read_arrays(path)
    assert not owned.exists()


def test_tuples_that_double(tmp_path):
  """The hash or the text of the last one would take for ever."""
  doubling = b"\x80\x02)" + b"q\x00h\x00\x86" * 60
  for end in (b"}h\x00K\x01s.", b"h\x00R.", b"Q.", b"]h\x00a."):
    for place in range(5):
      parts = torch_files.pickles(ARRAYS)
      parts[place] = doubling + end
      path = write(tmp_path / "a.pth", b"".join(parts) + torch_files.storages(ARRAYS))
      with pytest.raises(ValueError, match="a.pth is not a file of weights"):
        torch_file.read_arrays(path)


@pytest.mark.parametrize("content", [
    b"", b"PK\x03\x04", b"\x80\x02.", torch_files.content(ARRAYS)[:-3],
    torch_files.content(ARRAYS) + b"x", torch_files.content(ARRAYS)[:200]])
def test_damaged_files(tmp_path, content):
  with pytest.raises(ValueError, match="a.pth is not a file of weights"):
    torch_file.read_arrays(write(tmp_path / "a.pth", content))


def test_the_weights_of_the_package():
  arrays = torch_file.read_arrays(efficientnet.weights_path())
  weights = {name: array for name, array in arrays.items()
             if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))}
  # The number of parameters that the authors of EfficientNet-Lite publish: 4.7 million.
  assert sum(array.size for array in weights.values()) == 4_652_008
