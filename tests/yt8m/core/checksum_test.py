# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of files and of directories."""

import hashlib

import pytest

from yt8m.core import checksum


def test_a_file_larger_than_a_block(tmp_path):
  content = bytes(range(256)) * 9000
  (tmp_path / "file").write_bytes(content)
  assert checksum.of_file(str(tmp_path / "file")) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [0, 10, 2**14, 2**14 + 5, 2**16])
def test_the_ends_of_a_file(tmp_path, size):
  path = tmp_path / "file"
  path.write_bytes(bytes(size))
  before = checksum.of_ends(str(path))
  assert checksum.of_ends(str(path)) == before
  for place in {0, size - 1} if size else ():
    content = bytearray(size)
    content[place] = 1
    path.write_bytes(content)
    assert checksum.of_ends(str(path)) != before
  path.write_bytes(bytes(size + 1))
  assert checksum.of_ends(str(path)) != before


def make_tree(root):
  (root / "variables").mkdir(parents=True)
  (root / "graph.pb").write_bytes(b"graph")
  (root / "variables" / "data").write_bytes(b"weights")
  (root / "notes").write_bytes(b"other")
  return str(root)


def of(root):
  return checksum.of_tree(root, ("graph.pb", "variables", "assets"))


def test_a_tree_is_its_names_and_contents_not_its_place(tmp_path):
  first, second = make_tree(tmp_path / "a"), make_tree(tmp_path / "b" / "c")
  assert of(first) == of(second)
  assert of(first) == checksum.of_tree(first, ("variables", "graph.pb"))
  (tmp_path / "a" / "notes").write_bytes(b"not asked for")
  assert of(first) == of(second)


@pytest.mark.parametrize("change", [
    lambda root: (root / "graph.pb").write_bytes(b"grapg"),
    lambda root: (root / "variables" / "data").rename(root / "variables" / "date"),
    lambda root: (root / "variables" / "more").write_bytes(b""),
    lambda root: (root / "variables" / "data").unlink()])
def test_any_change_in_the_tree_shows(tmp_path, change):
  before = of(make_tree(tmp_path / "a"))
  change(tmp_path / "a")
  assert of(str(tmp_path / "a")) != before
