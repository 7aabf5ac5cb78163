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
from yt8m.core import registry
from yt8m.data import records
from yt8m.eval.predictions import by_length
from yt8m.export.prediction import checkpoint
from yt8m.export.prediction import jobs


@pytest.fixture(scope="module")
def train_dir(tmp_path_factory):
  return small_job.write_model(tmp_path_factory.mktemp("model"))


def all_scores(job, path):
  """Returns ids and scores of all classes, from the reader's dataset in one batch."""
  [batch] = job.source.reader().dataset(path, 1000)
  return batch["id"].numpy(), job.source.predictor()(batch).numpy()


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_equals_the_model(train_dir, tmp_path, count):
  [path] = small_job.write_record_files(tmp_path, [count])
  job, counted = small_job.job(train_dir), []
  found = jobs.predict(job, path, counted.append)
  assert len(found["ids"]) == sum(counted) == count
  assert found["classes"].shape == found["scores"].shape == (count, 3)
  assert found["classes"].dtype == np.int32 and found["scores"].dtype == np.float32
  if count:
    ids, scores = all_scores(job, path)
    np.testing.assert_array_equal(found["ids"], ids.astype(bytes))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    np.testing.assert_array_equal(found["classes"], order)
    np.testing.assert_allclose(
        found["scores"], np.take_along_axis(scores, order, 1), atol=1e-6)


def test_segments(tmp_path):
  train_dir = small_job.write_model(tmp_path / "model", level=feature_spec.FRAME)
  [path] = small_job.write_record_files(tmp_path, [5], feature_spec.FRAME)
  counted = []
  job = small_job.job(train_dir, segments=True, class_ids=(1, 4))
  found = jobs.predict(job, path, counted.append)
  [batch] = job.source.reader().dataset(path, 1000)
  assert sum(counted) == 5 and found["classes"].shape[1] == 2
  assert set(found["classes"].ravel()) == {1, 4}
  assert found["ids"].tolist() == [
      b"%s:%d" % (video, start) for video, length in
      zip(batch["id"].numpy(), batch["num_frames"].numpy(), strict=True)
      for start in range(0, length, 5)]


def test_the_order_of_lengths_changes_no_row(tmp_path, monkeypatch):
  """With the last window and its last batch not full."""
  monkeypatch.setattr(by_length, "STEP", 4)
  train_dir = small_job.write_model(tmp_path / "model", level=feature_spec.FRAME)
  [path] = small_job.write_record_files(tmp_path, [21], feature_spec.FRAME)
  job, shapes = small_job.job(train_dir), []
  score = jobs._scores

  def scores(model, batch):
    shapes.append(batch["features"]["x"].shape[:2])
    return score(model, batch)

  monkeypatch.setattr(jobs, "_scores", scores)
  counted = []
  assert jobs.orders_by_length(job)
  found = jobs.predict(job, path, counted.append)
  assert counted == [rows for rows, _ in shapes] == [4, 4, 4, 4, 1, 4]
  assert shapes[0][1] < shapes[3][1] < 300
  monkeypatch.setattr(jobs, "orders_by_length", lambda job: False)
  plain = jobs.predict(job, path)
  np.testing.assert_array_equal(found["ids"], plain["ids"])
  assert found["ids"].tolist() == [b"f0v%d" % video for video in range(21)]
  np.testing.assert_allclose(found["scores"], plain["scores"], atol=1e-6)
  np.testing.assert_array_equal(found["classes"], plain["classes"])


def test_what_is_not_ordered_by_length(tmp_path):
  frames = small_job.write_model(tmp_path / "frames", level=feature_spec.FRAME)
  vectors = small_job.write_model(tmp_path / "vectors")
  assert not jobs.orders_by_length(small_job.job(vectors))
  assert not jobs.orders_by_length(small_job.job(frames, segments=True))
  with registry.allow_code(["a.module"]):
    assert not jobs.orders_by_length(small_job.job(frames))


def test_a_lone_video_has_the_bits_of_a_pair(train_dir, tmp_path):
  """TensorFlow sums a single row in an order that depends on the number of threads."""
  [path] = small_job.write_record_files(tmp_path, [1])
  [twice] = small_job.write_record_files(tmp_path / "twice", [1])
  record = next(iter(tf.data.TFRecordDataset(path)))
  with tf.io.TFRecordWriter(twice) as writer:
    writer.write(record.numpy())
    writer.write(record.numpy())
  job = small_job.job(train_dir)
  alone, pair = (jobs.predict(job, x)["scores"] for x in (path, twice))
  assert alone[0].tobytes() == pair[0].tobytes()


def test_a_bad_file_is_a_record_error(train_dir, tmp_path):
  [path] = small_job.write_record_files(tmp_path, [5])
  small_job.break_file(path)
  job = small_job.job(train_dir)
  with pytest.raises(records.RecordError, match="file00.tfrecord, record 4 is cut off"):
    jobs.predict(job, path)
  found = jobs.predict(
      small_job.job(train_dir, skip_corrupt_records=True), path)
  assert len(found["ids"]) == 4
  os.remove(path)
  with pytest.raises(records.RecordError, match="file00.tfrecord cannot be read"):
    jobs.predict(job, path)


def test_names_with_the_characters_of_globs(train_dir, tmp_path):
  [path] = small_job.write_record_files(tmp_path, [2])
  odd = f"{tmp_path}/a[1],*.tfrecord"
  os.rename(path, odd)
  assert len(jobs.predict(small_job.job(train_dir), odd)["ids"]) == 2


def test_a_job_can_be_sent_and_is_checked(train_dir):
  job = small_job.job(train_dir, class_ids=(1, 2))
  assert pickle.loads(pickle.dumps(job)) == job
  job.reducer()
  with pytest.raises(ValueError, match="--top_k=7 must be between 1 and .* 6"):
    small_job.job(train_dir, top_k=7).reducer()


def test_a_model_that_has_diverged(tmp_path, monkeypatch):
  train_dir = small_job.write_model(tmp_path / "model")
  [path] = small_job.write_record_files(tmp_path, [3])
  monkeypatch.setattr(
      checkpoint.Checkpoint, "predictor", lambda source, rows: lambda batch: tf.fill(
          [len(batch["num_frames"]), small_job.NUM_CLASSES], float("nan")))
  with pytest.raises(ValueError, match="file00.tfrecord: .* are not numbers.* at step 7"
                     ) as error:
    jobs.predict(small_job.job(train_dir), path)
  assert not isinstance(error.value, records.RecordError)


def test_a_record_with_nan(tmp_path):
  train_dir = small_job.write_model(tmp_path / "model")
  [path] = small_job.write_record_files(tmp_path, [3])
  contents = [record.numpy() for record in tf.data.TFRecordDataset(path)]
  example = tf.train.Example.FromString(contents[1])
  example.features.feature["x"].float_list.value[0] = float("nan")
  with tf.io.TFRecordWriter(path) as writer:
    for content in (contents[0], example.SerializeToString(), contents[2]):
      writer.write(content)
  with pytest.raises(records.RecordError, match=r"file00.tfrecord, record 1 \(id f0v1\) "
                     "has nan as value 0 of feature x"):
    jobs.predict(small_job.job(train_dir), path)
  job = small_job.job(train_dir, skip_bad_records=True)
  assert list(jobs.predict(job, path)["ids"]) == [b"f0v0", b"f0v2"]
  kind = "bad records left out, with values that are not finite"
  assert jobs.incidents(job) == {kind: 1}
  assert not jobs.incidents(job)


def batch(lengths, max_frames):
  rng = np.random.default_rng(sum(lengths))
  x = rng.integers(1, 256, (len(lengths), max_frames, 3), dtype=np.uint8)
  x[np.arange(max_frames) >= np.array(lengths)[:, None]] = 0
  return {"id": tf.constant([f"v{i}" for i in range(len(lengths))]),
          "features": {"x": tf.constant(x)}, "num_frames": tf.constant(lengths),
          "labels": tf.zeros([len(lengths), 2], tf.bool)}


class Model:
  """Returns sums of the frames and their number; records its batch sizes."""

  def __init__(self):
    self.sizes = []

  def __call__(self, inputs):
    assert set(inputs) == {"features", "num_frames"}
    self.sizes.append(len(inputs["num_frames"]))
    sums = tf.reduce_sum(tf.cast(inputs["features"]["x"], tf.float32), [1, 2])
    return tf.stack([sums, tf.cast(inputs["num_frames"], tf.float32)], 1)


def test_a_lone_video_is_predicted_with_a_copy_of_itself():
  model = Model()
  for one, size in ((batch([3, 5], 5), 2), (batch([4], 4), 2)):
    scores = jobs._scores(model, one)
    assert model.sizes.pop() == size
    np.testing.assert_array_equal(
        scores[:, 0], one["features"]["x"].numpy().astype(float).sum((1, 2)))


def test_segments_of_five_frames():
  model, videos = Model(), batch([12, 3, 5], 12)
  found = list(jobs._segments([videos], 2))
  assert [count for _, count in found] == [3, 0, 0]
  assert [len(one["id"]) for one, _ in found] == [2, 2, 1]
  ids = np.concatenate([one["id"] for one, _ in found]).astype(str).tolist()
  assert ids == ["v0:0", "v0:5", "v0:10", "v1:0", "v2:0"]
  sums, lengths = np.concatenate([jobs._scores(model, one) for one, _ in found]).T
  assert lengths.tolist() == [5, 5, 2, 3, 5]
  x = videos["features"]["x"].numpy().astype(float).sum(2)
  assert sums.tolist() == [x[0, :5].sum(), x[0, 5:10].sum(), x[0, 10:].sum(), x[1].sum(),
                           x[2].sum()]


@pytest.mark.parametrize("class_ids", [None, [0, 2, 3, 7, 9]])
@pytest.mark.parametrize("top_k", [1, 4, 10])
def test_equals_a_stable_sort(class_ids, top_k):
  rng = np.random.default_rng(0)
  predictions = rng.integers(0, 5, (30, 10)).astype(np.float32) / 4  # many ties
  classes, scores = jobs.TopClasses(10, top_k, class_ids)(predictions)
  allowed = np.arange(10) if class_ids is None else np.array(class_ids)
  order = np.argsort(-predictions[:, allowed], axis=1, kind="stable")[:, :top_k]
  np.testing.assert_array_equal(classes, allowed[order])
  np.testing.assert_array_equal(scores, np.take_along_axis(predictions, classes, 1))
  assert classes.dtype == np.int32 and scores.dtype == np.float32


@pytest.mark.parametrize("top_k", [0, -1, 4])
def test_top_k_beyond_the_classes_is_an_error(top_k):
  with pytest.raises(
      ValueError, match=f"--top_k={top_k} must be between 1 and the number of .*, 3"):
    jobs.TopClasses(3, top_k)


def test_predictions_that_are_not_numbers_are_an_error():
  best = jobs.TopClasses(2, 1)
  with pytest.raises(ValueError, match="1 of 2 rows, the first of them row 1, are not n"):
    best([[0., 1.], [np.nan, 0.]])
