# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A file is recognised by the job that wrote it, as long as nobody changes it."""

import os
import shutil

import pytest

from yt8m.core import files
from yt8m.core import finished

JOB = {"top_k": 3, "records": [["a.tfrecord", 5]]}


def write(path, job=JOB, content="content"):
  with files.atomic_write(path, before_rename=finished.marker(path, job)) as file:
    file.write(content)


@pytest.fixture(params=["attribute", "file beside"])
def output(request, tmp_path, monkeypatch):
  if request.param == "file beside":
    def no_attributes(*_):
      raise OSError("Operation not supported")
    monkeypatch.setattr(os, "setxattr", no_attributes)
    monkeypatch.setattr(os, "getxattr", no_attributes)
  return tmp_path / "out.csv"


def test_the_job_is_recognised(output):
  assert not finished.is_by(output, JOB)
  write(output)
  assert finished.is_by(output, {**JOB, "records": [("a.tfrecord", 5)]})
  assert not finished.is_by(output, {**JOB, "top_k": 4})
  write(output, {**JOB, "top_k": 4})
  assert finished.is_by(output, {**JOB, "top_k": 4}) and not finished.is_by(output, JOB)


def test_what_somebody_changed_is_not_recognised(output):
  write(output)
  with open(output, "a") as file:
    file.write("more")
  assert not finished.is_by(output, JOB)
  write(output)
  output.unlink()
  assert not finished.is_by(output, JOB)
  output.write_text("other")
  assert not finished.is_by(output, JOB)
  assert not finished.is_by(output.parent, JOB)


def test_a_link_beside_the_output_is_not_followed(output, monkeypatch):
  def unknown(*arguments):
    raise OSError("no attributes here")

  monkeypatch.setattr(os, "setxattr", unknown, raising=False)
  monkeypatch.setattr(os, "getxattr", unknown, raising=False)
  theirs = output.parent / "theirs"
  theirs.write_text("precious")
  (output.parent / f".{output.name}.job").symlink_to(theirs)
  write(output)
  assert theirs.read_text() == "precious" and finished.is_by(output, JOB)


def test_a_link_is_followed(output):
  (output.parent / "folder").mkdir()
  output.symlink_to("folder/file")
  write(output)
  assert output.is_symlink() and finished.is_by(output, JOB)
  assert finished.is_by(output.parent / "folder" / "file", JOB)


def test_nothing_is_marked_that_did_not_get_its_name(output):
  output.write_text("content")
  with pytest.raises(KeyboardInterrupt), files.atomic_write(
      output, before_rename=finished.marker(output, JOB)) as file:
    file.write("content")
    raise KeyboardInterrupt
  assert not finished.is_by(output, JOB)


def test_remote_files_are_recognised_too():
  path = "ram://finished_test/out.csv"
  write(path)
  assert finished.is_by(path, JOB) and not finished.is_by(path, {})


def test_a_plain_copy_is_not_recognised(tmp_path):
  write(tmp_path / "out.csv")
  shutil.copyfile(tmp_path / "out.csv", tmp_path / "copy.csv")
  assert not finished.is_by(tmp_path / "copy.csv", JOB)
  assert sorted(os.listdir(tmp_path)) == ["copy.csv", "out.csv"]
