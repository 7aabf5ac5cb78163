# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Parts: read back as written, and never used for another job."""

import json
import os
import pathlib
import pickle

import numpy as np
import pytest

from tests.helpers import small_job
from yt8m.core import temporaries
from yt8m.export.prediction import parts as prediction_parts

PART = {"ids": np.array([b"a", "ü:5".encode()]),
        "classes": np.array([[1, 0], [2, 3]], np.int32),
        "scores": np.array([[.5, .25], [1, 0]], np.float32)}


@pytest.fixture(scope="module")
def job(tmp_path_factory):
  return small_job.job(small_job.write_model(tmp_path_factory.mktemp("model")))


@pytest.fixture
def records(tmp_path):
  path = tmp_path / "a.tfrecord"
  path.write_bytes(b"12345")
  return str(path)


@pytest.fixture
def parts(job, tmp_path):
  return prediction_parts.Parts.open(str(tmp_path / "out.csv"), job)


def test_round_trip(parts, records, job, tmp_path):
  assert not parts.is_finished(records)
  pickle.loads(pickle.dumps(parts)).write(records, PART)
  again = prediction_parts.Parts.open(str(tmp_path / "out.csv"), job)
  assert again == parts and again.is_finished(records)
  found = again.read(records)
  assert found.keys() == PART.keys()
  for name, expected in PART.items():
    np.testing.assert_array_equal(found[name], expected)
    assert found[name].dtype == expected.dtype


def test_remote_parts(job, records):
  parts = prediction_parts.Parts.open("ram://folder/out.csv", job)
  parts.write(records, PART)
  assert parts.is_finished(records)
  parts.remove()
  assert not parts.is_finished(records)


def test_a_file_of_another_size_is_another_file(parts, records):
  parts.write(records, PART)
  with open(records, "ab") as file:
    file.write(b"6")
  assert not parts.is_finished(records)


@pytest.mark.parametrize("damage", [
    lambda content: content[:-9], lambda content: b"", lambda content: b"PK" * 99,
    lambda content: content.replace(PART["scores"].tobytes(), b"\0" * 16)])
def test_a_damaged_part_is_predicted_again(parts, records, damage):
  parts.write(records, PART)
  with open(parts.path(records), "rb") as file:
    content = file.read()
  with open(parts.path(records), "wb") as file:
    file.write(damage(content))
  assert not parts.is_finished(records)
  with pytest.raises(ValueError, match=r"a.tfrecord-.*npz is damaged .*: delete it"):
    parts.read(records)


def test_parts_of_other_settings_are_refused(parts, records, job, tmp_path):
  parts.write(records, PART)
  output = str(tmp_path / "out.csv")
  other = small_job.job(job.source.train_dir, top_k=2)
  with pytest.raises(ValueError, match=r"out.csv.parts holds parts of another run "
                     r"\(top_k 3, now 2\).*--overwrite"):
    prediction_parts.Parts.open(output, other)
  assert parts.is_finished(records)
  prediction_parts.Parts.open(output, other, overwrite=True)
  assert not parts.is_finished(records)
  assert json.loads((tmp_path / "out.csv.parts/job.json").read_text())["top_k"] == 2


@pytest.mark.parametrize("skip", ["skip_bad_records", "skip_corrupt_records"])
def test_parts_of_good_files_stay_when_bad_records_are_skipped(
    parts, records, job, tmp_path, skip):
  parts.write(records, PART)
  output = str(tmp_path / "out.csv")
  skipping = small_job.job(job.source.train_dir, **{skip: True})
  assert prediction_parts.Parts.open(output, skipping).is_finished(records)
  # Records may be missing in the parts now.
  with pytest.raises(ValueError, match=rf"another run \({skip} True, now False\)"):
    prediction_parts.Parts.open(output, job)


def test_parts_of_another_model_are_refused(parts, tmp_path):
  model = small_job.write_model(tmp_path / "other", seed=1)
  with pytest.raises(ValueError, match=r"another run \(model '.{64}', now '.{64}'\)"):
    prediction_parts.Parts.open(str(tmp_path / "out.csv"), small_job.job(model))


def test_a_job_that_is_none(parts, job, tmp_path):
  (tmp_path / "out.csv.parts/job.json").write_text("{")
  with pytest.raises(ValueError, match="job.json is not a job that yt8m-inference or"):
    prediction_parts.Parts.open(str(tmp_path / "out.csv"), job)


def test_an_empty_directory_is_removed_and_no_other(parts, records):
  parts.write(records, PART)
  parts.remove_if_empty()
  assert parts.is_finished(records)
  os.remove(parts.path(records))
  parts.remove_if_empty()
  assert not os.path.exists(parts.directory)
  parts.remove_if_empty()


def test_a_directory_of_someone_else_is_refused(job, parts, tmp_path):
  other = tmp_path / "other.csv.parts"
  other.mkdir()
  (other / "notes.txt").touch()
  with pytest.raises(FileExistsError, match="other.csv.parts .*it has no job.json"):
    prediction_parts.Parts.open(str(tmp_path / "other.csv"), job, overwrite=True)
  prediction_parts.remove(str(tmp_path / "other.csv"))
  (tmp_path / "out.csv.parts" / "notes.txt").touch()
  with pytest.raises(FileExistsError, match="it also holds notes.txt"):
    prediction_parts.Parts.open(str(tmp_path / "out.csv"), job)
  assert (other / "notes.txt").exists()


def test_what_a_run_left_that_was_killed_here_is_removed(parts, job, records, tmp_path):
  parts.write(records, PART)
  # In the middle of removing parts, and before their first file was complete.
  parts_path = tmp_path / "out.csv.parts"
  parts_path.rename(temporaries.name(str(parts_path)))
  parts_path.mkdir()
  pathlib.Path(temporaries.name(str(parts_path / "job.json"))).touch()
  again = prediction_parts.Parts.open(str(tmp_path / "out.csv"), job)
  assert not again.is_finished(records)
  assert os.listdir(parts_path) == ["job.json"]
  assert sorted(os.listdir(tmp_path)) == ["a.tfrecord", "out.csv.parts"]
  parts_path.rename(temporaries.name(str(parts_path)))
  prediction_parts.remove(str(tmp_path / "out.csv"))
  assert os.listdir(tmp_path) == ["a.tfrecord"]


def test_a_file_of_someone_else_among_the_parts_stays(parts, records, tmp_path):
  parts.write(records, PART)
  (tmp_path / "out.csv.parts" / "notes.txt").write_text("precious")
  parts.remove()
  prediction_parts.remove(str(tmp_path / "out.csv"))
  assert (tmp_path / "out.csv.parts" / "notes.txt").read_text() == "precious"
