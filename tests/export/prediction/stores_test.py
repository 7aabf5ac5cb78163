# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""SavedModels to stores: the scores of the model, however often the run is stopped."""

import functools
import os
import pathlib
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import small_job
from yt8m.artifacts import saved_model
from yt8m.configs import experiment
from yt8m.core import checksum
from yt8m.eval.predictions import store as prediction_store
from yt8m.export.prediction import jobs
from yt8m.export.prediction import runners
from yt8m.export.prediction import stores
from yt8m.export.saved_models import writer as saved_model_writer
from yt8m.models import prediction


def write(model, pattern, store_dir, **options):
  return stores.write(
      saved_model.SavedModel(str(model)), str(pattern), str(store_dir), **options)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
  """A model and its SavedModel, at video level, which no test changes."""
  directory = tmp_path_factory.mktemp("exported") / "model"
  return small_job.export(directory), directory


@pytest.fixture
def model(exported):
  return exported[1]


@pytest.mark.parametrize("level", ["video", "frame"])
def test_a_store_has_the_scores_of_the_model(tmp_path, level, exported):
  model, directory = exported
  if level == "frame":
    directory = tmp_path / "model"
    model = small_job.export(directory, level)
  pattern, batches = small_job.write_labelled_records(tmp_path / "records", level)
  store = write(directory, pattern, tmp_path / "store", top_k=None, batch_size=2)
  assert store.ids.tolist() == [batch["id"] for batch in batches]
  scores = [model(prediction.model_inputs(
      tf.nest.map_structure(tf.constant, batch)))["predictions"][0] for batch in batches]
  np.testing.assert_allclose(store.scores, scores, rtol=1e-3)
  assert np.std(scores) > 0.01
  assert store.labels.classes.tolist() == sum((b["labels"] for b in batches), [])
  assert store.model == saved_model.SavedModel(str(directory)).fingerprint
  assert store.record_files == [
      f"{name} ({os.path.getsize(tmp_path / 'records' / name):,} bytes, "
      f"{checksum.of_ends(str(tmp_path / 'records' / name))})"
      for name in small_job.LABELLED_FILES]
  assert not os.path.exists(tmp_path / "store.parts")

  best = write(directory, pattern, tmp_path / "best", top_k=2)
  assert best.top_k == 2
  np.testing.assert_array_equal(
      best.scores, -np.sort(-store.scores, axis=1)[:, :2])


@pytest.mark.long
def test_processes_and_threads_write_the_same_bytes(tmp_path, model):
  pattern, _ = small_job.write_labelled_records(tmp_path / "records")
  contents = []
  for name, runner in (
      ("plain", runners.in_threads),
      ("threads", functools.partial(runners.in_threads, num_threads=3)),
      ("processes", functools.partial(runners.in_processes, num_processes=2))):
    store = write(model, pattern, tmp_path / name, runner=runner)
    contents.append({path.name: path.read_bytes()
                     for path in pathlib.Path(store.directory).iterdir()})
  assert contents[0] == contents[1] == contents[2]


def test_records_without_labels(tmp_path, model):
  pattern, _ = small_job.write_labelled_records(tmp_path / "records", labels=False)
  store = write(model, pattern, tmp_path / "store")
  assert store.labels is None and store.top_k == descriptors.NUM_CLASSES


def test_a_run_that_was_stopped_continues(tmp_path, monkeypatch, model):
  pattern, batches = small_job.write_labelled_records(tmp_path / "records")
  arguments = model, pattern, tmp_path / "store"
  bad = tmp_path / "records" / "validate2.tfrecord"
  good = bad.read_bytes()
  bad.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
  with pytest.raises(ValueError, match=r"validate2\.tfrecord, record 0 is corrupt"):
    write(*arguments)
  assert not (tmp_path / "store").exists()

  bad.write_bytes(good)
  predicted = []
  predict = jobs.predict
  monkeypatch.setattr(jobs, "predict", lambda job, file, *args: (
      predicted.append(os.path.basename(file)) or predict(job, file, *args)))
  assert write(*arguments).num_videos == len(batches)
  assert predicted == ["validate2.tfrecord"]


@pytest.mark.long
def test_parts_of_other_settings_are_made_again(tmp_path, model):
  pattern, batches = small_job.write_labelled_records(tmp_path / "records")
  content = small_job.break_file(tmp_path / "records" / "validate1.tfrecord")
  with pytest.raises(ValueError, match="cut off or corrupt"):
    write(model, pattern, tmp_path / "store", top_k=2)
  (tmp_path / "records" / "validate1.tfrecord").write_bytes(content)
  store = write(model, pattern, tmp_path / "store", top_k=3)
  assert store.scores.shape == (len(batches), 3)


def test_a_finished_store_is_left_alone(tmp_path, monkeypatch, model):
  pattern, _ = small_job.write_labelled_records(tmp_path / "records")
  directory = tmp_path / "store"
  write(model, pattern, directory)
  parts = tmp_path / "store.parts"
  parts.mkdir()
  (parts / "job.json").write_text("{}")  # Killed before it was removed.
  shutil.move(tmp_path / "records", tmp_path / "moved")
  before = {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}
  monkeypatch.setattr(tf.saved_model, "load", None)  # not called
  store = write(model, tmp_path / "moved" / "*", directory)
  assert store.num_videos == sum(small_job.LABELLED_FILES.values())
  assert {path.name: path.stat().st_mtime_ns for path in directory.iterdir()} == before
  assert not parts.exists()


def test_other_predictions_are_refused(tmp_path, model):
  small_job.export(tmp_path / "other", seed=1)
  pattern, _ = small_job.write_labelled_records(tmp_path / "records")
  directory = tmp_path / "store"
  write(model, pattern, directory)
  for arguments, options, message in (
      ((tmp_path / "other", pattern), {}, "another model than .*other"),
      ((model, pattern.replace("*", "validate0")), {}, "other records"),
      ((model, pattern), {"top_k": 2}, "another number of classes a video"),
      ((model, pattern), {"top_k": None}, "another number of classes a video")):
    with pytest.raises(ValueError, match=f"store holds predictions of {message}: delete"):
      write(*arguments, directory, **options)
  (tmp_path / "store" / "scores.npy").unlink()
  with pytest.raises(ValueError, match="scores.npy is missing: delete"):
    write(model, pattern, directory)


def test_other_records_of_the_same_size_are_noticed(tmp_path, model):
  pattern, _ = small_job.write_labelled_records(tmp_path / "records")
  store = write(model, pattern, tmp_path / "store")
  # A store of an earlier version, which knows names and sizes alone, is accepted.
  old = [re.sub(", [0-9a-f]+[)]", ")", name) for name in store.record_files]
  shutil.copytree(tmp_path / "store", tmp_path / "old")
  prediction_store.describe(
      str(tmp_path / "old"), num_classes=store.num_classes, top_k=store.top_k,
      model=store.model, record_files=old)
  assert write(model, pattern, tmp_path / "old").record_files == old
  path = tmp_path / "records" / "validate0.tfrecord"
  records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
  with tf.io.TFRecordWriter(str(path)) as file:
    for record in records[::-1]:
      file.write(record)
  with pytest.raises(ValueError, match="holds predictions of other records"):
    write(model, pattern, tmp_path / "store")


def test_a_model_that_has_diverged_is_named(tmp_path):
  model = small_job.export(tmp_path / "good")
  for weight in model.weights:
    weight.assign(np.nan * weight)
  saved_model_writer.save(experiment.Experiment(model.get_config()), model,
                          str(tmp_path / "nan"), top_k=3)
  pattern, _ = small_job.write_labelled_records(tmp_path / "records")
  with pytest.raises(ValueError, match=r"validate.\.tfrecord: The score of video '.-0' "
                     r"for class 0 is nan, not a probability.* The model is .*/nan\."):
    write(tmp_path / "nan", pattern, tmp_path / "predictions" / "nan")
  assert not list((tmp_path / "predictions").iterdir())


def test_a_video_in_two_files_is_named_with_them(tmp_path, model):
  pattern, _ = small_job.write_labelled_records(tmp_path / "records")
  shutil.copy(tmp_path / "records" / "validate1.tfrecord",
              tmp_path / "records" / "copy.tfrecord")
  with pytest.raises(ValueError, match=r"'1-0' is .* twice .in copy.* and in validate1"):
    write(model, pattern, tmp_path / "store")
  assert not (tmp_path / "store").exists()


def test_where_a_store_may_be_written(tmp_path, model):
  pattern, _ = small_job.write_labelled_records(tmp_path / "records")
  (tmp_path / "empty").mkdir()
  assert write(model, pattern, f"{tmp_path}/empty/").num_videos == 9
  (tmp_path / "full").mkdir()
  (tmp_path / "full" / "notes.txt").touch()
  with pytest.raises(FileExistsError, match="full exists .* delete it or name another"):
    write(model, pattern, tmp_path / "full")
  with pytest.raises(ValueError, match="must be local"):
    write(model, pattern, "gs://bucket/store")


def test_what_is_not_a_model_of_ours_is_named(tmp_path, model):
  with pytest.raises(FileNotFoundError, match="holds no SavedModel"):
    write(tmp_path, "x", tmp_path / "store")
  tf.saved_model.save(tf.Module(), str(tmp_path / "module"))
  with pytest.raises(FileNotFoundError, match="a SavedModel that yt8m-export wrote"):
    write(tmp_path / "module", "x", tmp_path / "store")
  with pytest.raises(ValueError, match="No file matches .*--eval_data_pattern"):
    write(model, tmp_path / "none*", tmp_path / "store")
  assert not (tmp_path / "store").exists()
