# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A model with six classes and a few small record files, for tests of prediction."""

import numpy as np
import tensorflow as tf

from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.data import tfrecords
from yt8m.export.prediction import model_source
from yt8m.export.prediction import shards as shard_predictions
from yt8m.export.submissions import videos
from yt8m.models.layers import variables

NUM_CLASSES, SIZE = 6, 4


def write_model(train_dir, seed=0, level=feature_spec.VIDEO):
  """Writes an untrained model as a training directory."""
  tf.keras.utils.set_random_seed(seed)
  spec = feature_spec.FeatureSpec(("x",), (SIZE,), level)
  options = {} if level == feature_spec.VIDEO else {"aggregation": "mean"}
  model = models.VideoModel(NUM_CLASSES, spec, **options).build_variables()
  tf.io.gfile.makedirs(str(train_dir))
  experiment.Experiment(model.get_config(), 300, {}).save(str(train_dir))
  checkpoint = tf.train.Checkpoint(**variables.checkpoint_parts(model))
  tf.train.CheckpointManager(
      checkpoint, str(train_dir), max_to_keep=1,
      checkpoint_name=checkpoints.PREFIX).save(checkpoint_number=7)
  return str(train_dir)


def write_shards(folder, counts, level=feature_spec.VIDEO):
  """Writes one record file for each number of videos and returns the paths."""
  tf.io.gfile.makedirs(str(folder))
  rng = np.random.default_rng(0)
  paths = []
  for shard, count in enumerate(counts):
    paths.append(f"{folder}/shard{shard:02}.tfrecord")
    with tf.io.TFRecordWriter(paths[-1]) as writer:
      for video in range(count):
        name = f"s{shard}v{video}"
        if level == feature_spec.VIDEO:
          example = tfrecords.video_example(name, [0], {"x": rng.normal(size=SIZE)})
        else:
          frames = rng.integers(256, size=(rng.integers(1, 14), SIZE), dtype=np.uint8)
          example = tfrecords.frame_example(name, [0], {"x": frames})
        writer.write(example.SerializeToString())
  return paths


def job(train_dir, **options):
  return shard_predictions.Job(model_source.Checkpoint.newest(str(train_dir)),
                               **{"top_k": 3, "batch_size": 4, **options})


def break_shard(path):
  """Truncates a file in the middle of its last record."""
  with open(path, "rb") as file:
    content = file.read()
  with open(path, "wb") as file:
    file.write(content[:-5])
  return content


def plain_csv(path, job, shards):
  """Writes the files of a job one after the other, without a runner."""
  with videos.SubmissionWriter(str(path)) as writer:
    for shard in shards:
      writer.write(*shard_predictions.predict(job, shard)[:3])
  return path.read_bytes()
