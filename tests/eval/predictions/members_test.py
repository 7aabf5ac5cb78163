# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Stores of SavedModels have the scores of the model, after any interruption."""

import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m.configs import experiment
from yt8m.data import tfrecords
from yt8m.data import video_reader
from yt8m.eval.predictions import members
from yt8m.eval.predictions import store as prediction_store
from yt8m.export.saved_models import writer as saved_model
from yt8m.models import prediction

FILES = {"validate0.tfrecord": 5, "validate1.tfrecord": 3, "validate2.tfrecord": 1}
CASES = {"video": "classifier-moe", "frame": "aggregation-lstm"}
SIZES = {"rgb": 8, "audio": 4}


def export(directory, level="video", seed=0):
  """Writes a SavedModel; returns the model."""
  model = descriptors.build(CASES[level])
  descriptors.randomize(model)
  for weight in model.weights:
    weight.assign(weight + 0.01 * seed)
  saved_model.save(experiment.Experiment(model.get_config(), descriptors.MAX_FRAMES),
                   model, str(directory), top_k=3)
  return model


def write_records(folder, level="video", labels=True):
  """Writes `FILES`; returns their pattern, and batches of them in order."""
  rng = np.random.default_rng(0)
  folder.mkdir(exist_ok=True)
  batches = []
  for name, count in FILES.items():
    with tf.io.TFRecordWriter(str(folder / name)) as writer:
      for row in range(count):
        frames = int(rng.integers(1, descriptors.MAX_FRAMES + 3))
        video_id = f"{name[8]}-{row}"
        row_labels = [row % descriptors.NUM_CLASSES, 2] if labels else []
        if level == "video":
          features = {key: rng.normal(size=size).astype(np.float32)
                      for key, size in SIZES.items()}
          record = tfrecords.video_example(video_id, row_labels, features)
        else:
          features = {key: rng.integers(256, size=(frames, size), dtype=np.uint8)
                      for key, size in SIZES.items()}
          record = tfrecords.frame_example(video_id, row_labels, features)
        writer.write(record.SerializeToString())
        batches.append({
            "id": video_id.encode(), "labels": sorted(set(row_labels)),
            "features": {key: (x if level == "video" else x[:descriptors.MAX_FRAMES])[
                np.newaxis] for key, x in features.items()},
            "num_frames": np.array([
                1 if level == "video" else min(frames, descriptors.MAX_FRAMES)],
                np.int32)})
  return str(folder / "*.tfrecord"), batches


@pytest.mark.parametrize("level", ["video", "frame"])
def test_a_store_has_the_scores_of_the_model(tmp_path, level):
  model = export(tmp_path / "model", level)
  pattern, batches = write_records(tmp_path / "records", level)
  store = members.write(
      str(tmp_path / "model"), pattern, str(tmp_path / "store"), dense=True, batch_size=2)
  assert store.ids.tolist() == [batch["id"] for batch in batches]
  scores = [model(prediction.model_inputs(
      tf.nest.map_structure(tf.constant, batch)))["predictions"][0] for batch in batches]
  np.testing.assert_allclose(store.scores, scores, rtol=1e-3)
  assert np.std(scores) > 0.01
  assert store.labels.classes.tolist() == sum((b["labels"] for b in batches), [])
  assert store.model == members.fingerprint(str(tmp_path / "model"))
  assert store.parts == [
      f"{name} ({os.path.getsize(tmp_path / 'records' / name):,} bytes)"
      for name in FILES]

  best = members.write(
      str(tmp_path / "model"), pattern, str(tmp_path / "best"), top_k=2)
  assert best.top_k == 2
  np.testing.assert_array_equal(
      best.scores, -np.sort(-store.scores, axis=1)[:, :2])


def test_records_without_labels(tmp_path):
  export(tmp_path / "model")
  pattern, _ = write_records(tmp_path / "records", labels=False)
  store = members.write(
      str(tmp_path / "model"), pattern, str(tmp_path / "store"))
  assert store.labels is None and store.top_k == descriptors.NUM_CLASSES


def test_a_run_that_was_stopped_goes_on(tmp_path, monkeypatch):
  export(tmp_path / "model")
  pattern, batches = write_records(tmp_path / "records")
  arguments = str(tmp_path / "model"), pattern, str(tmp_path / "store")
  bad = tmp_path / "records" / "validate2.tfrecord"
  good = bad.read_bytes()
  bad.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
  with pytest.raises(ValueError, match=r"validate2\.tfrecord, record 0 is corrupt"):
    members.write(*arguments)
  assert not (tmp_path / "store").exists()

  bad.write_bytes(good)
  read = []
  reader = video_reader.VideoLevelReader
  dataset = reader.dataset
  monkeypatch.setattr(reader, "dataset", lambda self, path, *args, **kwargs: (
      read.append(os.path.basename(path)) or dataset(self, path, *args, **kwargs)))
  store = members.write(*arguments)
  assert read == ["validate2.tfrecord"]
  assert store.num_videos == len(batches)


def test_a_finished_store_is_left_alone(tmp_path, monkeypatch):
  export(tmp_path / "model")
  pattern, _ = write_records(tmp_path / "records")
  directory = tmp_path / "store"
  members.write(str(tmp_path / "model"), pattern, str(directory))
  os.makedirs(f"{directory}.parts/left-over")
  shutil.move(tmp_path / "records", tmp_path / "moved")
  before = {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}
  monkeypatch.setattr(tf.saved_model, "load", None)  # not called
  store = members.write(
      str(tmp_path / "model"), str(tmp_path / "moved" / "*"), str(directory))
  assert store.num_videos == sum(FILES.values())
  assert {path.name: path.stat().st_mtime_ns for path in directory.iterdir()} == before
  assert not os.path.exists(f"{directory}.parts")


def test_other_predictions_are_refused(tmp_path):
  export(tmp_path / "model")
  export(tmp_path / "other", seed=1)
  pattern, _ = write_records(tmp_path / "records")
  model, directory = str(tmp_path / "model"), str(tmp_path / "store")
  members.write(model, pattern, directory)
  for arguments, options, message in (
      ((str(tmp_path / "other"), pattern), {}, "another model than .*other"),
      ((model, pattern.replace("*", "validate0")), {}, "other records"),
      ((model, pattern), {"top_k": 2}, "another number of classes a video"),
      ((model, pattern), {"dense": True}, "another number of classes a video")):
    with pytest.raises(ValueError, match=f"store holds predictions of {message}: delete"):
      members.write(*arguments, directory, **options)
  (tmp_path / "store" / "scores.npy").unlink()
  with pytest.raises(ValueError, match="scores.npy is missing: delete"):
    members.write(model, pattern, directory)


def test_a_model_that_has_diverged_is_named(tmp_path):
  model = export(tmp_path / "good")
  for weight in model.weights:
    weight.assign(np.nan * weight)
  saved_model.save(experiment.Experiment(model.get_config()), model,
                   str(tmp_path / "nan"), top_k=3)
  pattern, _ = write_records(tmp_path / "records")
  with pytest.raises(ValueError, match=r"predictions/nan: .*b'0-0' for class 0 is nan"):
    members.write(
        str(tmp_path / "nan"), pattern, str(tmp_path / "predictions" / "nan"))


def test_fingerprint_is_of_what_the_model_computes(tmp_path):
  export(tmp_path / "model")
  fingerprint = members.fingerprint(str(tmp_path / "model"))
  shutil.copytree(tmp_path / "model", tmp_path / "copy")
  shutil.rmtree(tmp_path / "copy" / "assets.extra")
  assert members.fingerprint(str(tmp_path / "copy")) == fingerprint
  [weights] = (tmp_path / "copy" / "variables").glob("*.data*")
  content = bytearray(weights.read_bytes())
  content[len(content) // 2] ^= 1
  weights.write_bytes(content)
  assert members.fingerprint(str(tmp_path / "copy")) != fingerprint
  with pytest.raises(FileNotFoundError, match="holds no SavedModel"):
    members.fingerprint(str(tmp_path))


def test_what_is_no_model_of_ours_is_named(tmp_path):
  with pytest.raises(FileNotFoundError, match="holds no SavedModel"):
    members.write(str(tmp_path), "x", str(tmp_path / "store"))
  tf.saved_model.save(tf.Module(), str(tmp_path / "module"))
  with pytest.raises(FileNotFoundError, match="no SavedModel that yt8m-export wrote"):
    members.write(str(tmp_path / "module"), "x", str(tmp_path / "store"))
  export(tmp_path / "model")
  with pytest.raises(ValueError, match="No file matches .*--eval_data_pattern"):
    members.write(
        str(tmp_path / "model"), str(tmp_path / "none*"), str(tmp_path / "store"))
  path = tmp_path / "model" / "assets" / "feature_spec.json"
  path.write_text(json.dumps({"names": ["rgb"], "sizes": [8], "level": "video"}))
  with pytest.raises(ValueError, match="is not a file that yt8m-export wrote"):
    members.write(str(tmp_path / "model"), "x", str(tmp_path / "store"))
  assert not os.path.exists(os.path.join(tmp_path, "store", prediction_store.DESCRIPTION))
