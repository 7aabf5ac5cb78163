# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Small models, as training directories and as SavedModels, and records for them."""

import os

import numpy as np
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.data import tfrecords
from yt8m.export.prediction import checkpoint
from yt8m.export.prediction import jobs
from yt8m.export.saved_models import writer as saved_model_writer
from yt8m.export.submissions import videos
from yt8m.models.layers import variables

NUM_CLASSES, SIZE = 6, 4

# Of `export` and of `write_labelled_records`: names of record files, and their videos.
LABELLED_FILES = {"validate0.tfrecord": 5, "validate1.tfrecord": 3,
                  "validate2.tfrecord": 1}
_CASES = {"video": "classifier-moe", "frame": "aggregation-lstm"}
SIZES = {"rgb": 8, "audio": 4}


def write_model(train_dir, seed=0, level=feature_spec.VIDEO):
  """Writes an untrained model as a training directory."""
  tf.keras.utils.set_random_seed(seed)
  spec = feature_spec.FeatureSpec(("x",), (SIZE,), level)
  options = {} if level == feature_spec.VIDEO else {"aggregation": "mean"}
  model = models.VideoModel(NUM_CLASSES, spec, **options).build_variables()
  tf.io.gfile.makedirs(str(train_dir))
  experiment.Experiment(model.get_config(), 300, {}).save(str(train_dir))
  weights = tf.train.Checkpoint(**variables.checkpoint_parts(model))
  tf.train.CheckpointManager(
      weights, str(train_dir), max_to_keep=1,
      checkpoint_name=checkpoints.PREFIX).save(checkpoint_number=7)
  return str(train_dir)


def write_record_files(folder, counts, level=feature_spec.VIDEO):
  """Writes one record file for each number of videos and returns the paths."""
  tf.io.gfile.makedirs(str(folder))
  rng = np.random.default_rng(0)
  paths = []
  for number, count in enumerate(counts):
    paths.append(f"{folder}/file{number:02}.tfrecord")
    with tf.io.TFRecordWriter(paths[-1]) as writer:
      for video in range(count):
        name = f"f{number}v{video}"
        if level == feature_spec.VIDEO:
          example = tfrecords.video_example(name, [0], {"x": rng.normal(size=SIZE)})
        else:
          frames = rng.integers(256, size=(rng.integers(1, 14), SIZE), dtype=np.uint8)
          example = tfrecords.frame_example(name, [0], {"x": frames})
        writer.write(example.SerializeToString())
  return paths


def job(train_dir, **options):
  return jobs.Job(checkpoint.Checkpoint.of_directory(str(train_dir)),
                  **{"top_k": 3, "batch_size": 4, **options})


def add_bad_record(path, labels=None):
  """Adds a video-level record that can be read but not used to a file.

  Its labels are wrong if they are given, and else its feature.
  """
  alone = f"{path}.alone"
  with tf.io.TFRecordWriter(alone) as writer:
    writer.write(tfrecords.video_example(
        "bad", labels or [0], {"x": SIZE * [1.0 if labels else np.nan]}
    ).SerializeToString())
  with open(path, "ab") as file, open(alone, "rb") as record:
    file.write(record.read())
  os.remove(alone)


def break_file(path):
  """Truncates a file in the middle of its last record and returns its old contents."""
  with open(path, "rb") as file:
    content = file.read()
  with open(path, "wb") as file:
    file.write(content[:-5])
  return content


def plain_csv(path, job, record_files):
  """Writes the files of a job one after the other, without a runner."""
  with videos.SubmissionWriter(str(path)) as writer:
    for file in record_files:
      part = jobs.predict(job, file)
      writer.write(part["ids"], part["classes"], part["scores"])
  return path.read_bytes()


def export(directory, level="video", seed=0):
  """Writes a SavedModel and returns the model."""
  model = descriptors.build(_CASES[level])
  descriptors.randomize(model, seed)
  saved_model_writer.save(
      experiment.Experiment(model.get_config(), descriptors.MAX_FRAMES), model,
      str(directory), top_k=3)
  return model


def write_labelled_records(folder, level="video", labels=True):
  """Writes `LABELLED_FILES` for `export`.

  Returns:
    Their pattern, and a batch of each video, in their order.
  """
  rng = np.random.default_rng(0)
  folder.mkdir(exist_ok=True)
  batches = []
  for name, count in LABELLED_FILES.items():
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
