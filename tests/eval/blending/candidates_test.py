# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Candidates: their names and sizes, and directories that are not candidates."""

import os
import shutil

import pytest

from tests.helpers import small_job
from yt8m.eval.blending import candidates


@pytest.mark.parametrize("directories, names", [
    (["/m/blstm/1", "/m/netvlad/1"], ["blstm", "netvlad"]),
    (["/m/blstm", "/m/netvlad"], ["blstm", "netvlad"]),
    (["/m/a/1", "/m/a/2", "/m/b/1"], ["a-1", "a-2", "b-1"]),
    (["/m/a", "/m/a/b"], ["a", "a-b"]),
    (["/m/x/a/x", "/m/x"], ["x-a-x", "x"]),
    (["/m/blstm/1"], ["1"]),
])
def test_names_tell_paths_apart(directories, names):
  assert candidates.names(directories) == names


def test_candidates_by_name(tmp_path):
  for seed, name in enumerate(("b", "a")):
    small_job.export(tmp_path / "members" / name / "1", seed=seed)
  (tmp_path / "members" / "c" / "1").mkdir(parents=True)  # no SavedModel
  found = candidates.find([str(tmp_path / "members" / "*" / "1")])
  assert [candidate.name for candidate in found] == ["a", "b"]
  for candidate in found:
    assert candidate.bytes == sum(
        os.path.getsize(os.path.join(folder, name))
        for folder, _, names in os.walk(candidate.directory) for name in names)
  assert candidates.find(
      [str(tmp_path / "members" / name / "1") for name in "bab"]) == found


def test_the_same_model_twice_is_refused(tmp_path):
  small_job.export(tmp_path / "a")
  shutil.copytree(tmp_path / "a", tmp_path / "b")
  with pytest.raises(ValueError, match="b and .*a are the same model.*--members"):
    candidates.find([str(tmp_path / "*")])


def test_a_pattern_without_a_model_is_refused(tmp_path):
  with pytest.raises(FileNotFoundError, match="matches no SavedModel"):
    candidates.find([str(tmp_path / "*")])


@pytest.mark.parametrize("text, number", [
    ("1GiB", 2 ** 30), ("512 MiB", 2 ** 29), ("1.5kib", 1536), ("1073741824", 2 ** 30)])
def test_bytes(text, number):
  assert candidates.parse_bytes(text) == number


def test_a_text_that_is_not_a_number_of_bytes():
  for text in ("much", "1 GB", "", "-1", "1.2.3"):
    with pytest.raises(ValueError, match="--budget_bytes="):
      candidates.parse_bytes(text)
