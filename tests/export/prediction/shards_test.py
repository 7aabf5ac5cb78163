# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One file: its predictions are those of the model, and every error is named."""

import os
import pickle

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import small_job
from yt8m.core import feature_spec
from yt8m.data import records
from yt8m.export.prediction import shards


@pytest.fixture(scope="module")
def train_dir(tmp_path_factory):
  return small_job.write_model(tmp_path_factory.mktemp("model"))


def all_scores(job, path):
  """Returns ids and scores of all classes, from the reader's dataset in one batch."""
  model, reader = job.source.load()
  [batch] = reader.dataset(path, 1000)
  return batch["id"].numpy(), model(batch).numpy()


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_equals_the_model(train_dir, tmp_path, count):
  [path] = small_job.write_shards(tmp_path, [count])
  job, counted = small_job.job(train_dir), []
  found = shards.predict(job, path, counted.append)
  assert found.num_videos == len(found.ids) == sum(counted) == count
  assert found.classes.shape == found.scores.shape == (count, 3)
  assert found.classes.dtype == np.int32 and found.scores.dtype == np.float32
  if count:
    ids, scores = all_scores(job, path)
    np.testing.assert_array_equal(found.ids, ids.astype(bytes))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    np.testing.assert_array_equal(found.classes, order)
    np.testing.assert_allclose(
        found.scores, np.take_along_axis(scores, order, 1), atol=1e-6)


def test_segments(tmp_path):
  train_dir = small_job.write_model(tmp_path / "model", level=feature_spec.FRAME)
  [path] = small_job.write_shards(tmp_path, [5], feature_spec.FRAME)
  found = shards.predict(
      small_job.job(train_dir, segments=True, class_ids=(1, 4)), path)
  _, reader = small_job.job(train_dir).source.load()
  [batch] = reader.dataset(path, 1000)
  assert found.num_videos == 5 and found.classes.shape[1] == 2
  assert set(found.classes.ravel()) == {1, 4}
  assert found.ids.tolist() == [
      b"%s:%d" % (video, start) for video, length in
      zip(batch["id"].numpy(), batch["num_frames"].numpy(), strict=True)
      for start in range(0, length, 5)]


def test_a_lone_video_has_the_bits_of_a_pair(train_dir, tmp_path):
  """TensorFlow sums a single row in an order that depends on the number of threads."""
  [path] = small_job.write_shards(tmp_path, [1])
  [twice] = small_job.write_shards(tmp_path / "twice", [1])
  record = next(iter(tf.data.TFRecordDataset(path)))
  with tf.io.TFRecordWriter(twice) as writer:
    writer.write(record.numpy())
    writer.write(record.numpy())
  job = small_job.job(train_dir)
  alone, pair = (shards.predict(job, x).scores for x in (path, twice))
  assert alone[0].tobytes() == pair[0].tobytes()


def test_a_bad_shard_is_a_record_error(train_dir, tmp_path):
  [path] = small_job.write_shards(tmp_path, [5])
  small_job.break_shard(path)
  job = small_job.job(train_dir)
  with pytest.raises(records.RecordError, match="shard00.tfrecord, record 4 is cut off"):
    shards.predict(job, path)
  found = shards.predict(
      small_job.job(train_dir, skip_corrupt_records=True), path)
  assert found.num_videos == 4
  os.remove(path)
  with pytest.raises(records.RecordError, match="shard00.tfrecord cannot be read"):
    shards.predict(job, path)


def test_names_with_the_characters_of_globs(train_dir, tmp_path):
  [path] = small_job.write_shards(tmp_path, [2])
  odd = f"{tmp_path}/a[1],*.tfrecord"
  os.rename(path, odd)
  assert shards.predict(small_job.job(train_dir), odd).num_videos == 2


def test_a_job_can_be_sent_and_is_checked(train_dir):
  job = small_job.job(train_dir, class_ids=(1, 2))
  assert pickle.loads(pickle.dumps(job)) == job
  job.check()
  with pytest.raises(ValueError, match="--top_k=7 must be between 1 and .* 6"):
    small_job.job(train_dir, top_k=7).check()


def test_a_model_that_has_diverged(tmp_path):
  train_dir = small_job.write_model(tmp_path / "model")
  [path] = small_job.write_shards(tmp_path, [3])
  record = next(iter(tf.data.TFRecordDataset(path))).numpy()
  example = tf.train.Example.FromString(record)
  example.features.feature["x"].float_list.value[0] = float("nan")
  with tf.io.TFRecordWriter(path) as writer:
    writer.write(example.SerializeToString())
  with pytest.raises(ValueError, match="shard00.tfrecord: .* are not numbers"
                     ) as error:
    shards.predict(small_job.job(train_dir), path)
  assert not isinstance(error.value, records.RecordError)
