# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Records as datasets of Keras."""

import numpy as np
import pytest
import tensorflow as tf

import yt8m
from tests.helpers import descriptors
from tests.helpers import small_job
from yt8m.data import records
from yt8m.data import tfrecords

FEATURES = {"rgb": 8, "audio": 4}


@pytest.mark.parametrize("level", ["video", "frame"])
def test_every_video_comes_once_an_epoch_in_another_order(tmp_path, level):
  pattern, videos = small_job.write_labelled_records(tmp_path, level)
  read = getattr(yt8m.datasets, f"{level}_level")
  dataset = read(pattern, FEATURES, descriptors.NUM_CLASSES, 2, shuffle=True,
                 with_ids=True)
  epochs = [[i for inputs, _ in dataset for i in inputs["id"].numpy()] for _ in range(3)]
  assert len({tuple(epoch) for epoch in epochs}) == 3
  for epoch in epochs:
    assert sorted(epoch) == sorted(video["id"] for video in videos)
  again = read(pattern, FEATURES, descriptors.NUM_CLASSES, 2, shuffle=True, with_ids=True)
  assert [i for inputs, _ in again for i in inputs["id"].numpy()] == epochs[0]
  assert len(dataset) == -(-len(videos) // 2)


def test_inputs_and_labels_are_those_of_the_records(tmp_path):
  pattern, videos = small_job.write_labelled_records(tmp_path, "frame")
  [(inputs, labels)] = yt8m.datasets.frame_level(
      pattern, FEATURES, descriptors.NUM_CLASSES, max_frames=descriptors.MAX_FRAMES)
  assert set(inputs) == {"features", "num_frames"}
  for row, video in enumerate(videos):
    frames = video["num_frames"][0]
    assert inputs["num_frames"][row] == frames
    assert np.flatnonzero(labels[row]).tolist() == video["labels"]
    for name, x in video["features"].items():
      np.testing.assert_array_equal(inputs["features"][name][row, :frames], x[0, :frames])


def test_a_type_may_stand_beside_the_size(tmp_path):
  clip = np.arange(6, dtype=np.float16).reshape(2, 3) / 8
  with tf.io.TFRecordWriter(str(tmp_path / "x")) as writer:
    writer.write(tfrecords.frame_example(
        "v", [1], {"clip": clip, "rgb": np.ones((2, 4), np.uint8)}).SerializeToString())
  [(inputs, _)] = yt8m.datasets.frame_level(
      str(tmp_path / "x"), {"clip": (3, "float16"), "rgb": 4}, 2, max_frames=2)
  np.testing.assert_array_equal(inputs["features"]["clip"][0], clip)
  assert inputs["features"]["clip"].dtype == tf.float16
  model = yt8m.models.from_recipe("small-mean", {"clip": (3, "float16"), "rgb": 4}, 2)
  assert model.feature_spec.dtypes == ("float16", "uint8")
  assert model(inputs)["predictions"].shape == (1, 2)


def test_wrong_arguments():
  for features, message in (
      ({"rgb": 8.0}, "'rgb' is 8.0.*size and type"), ({"rgb": (8,)}, "'rgb' is .8,."),
      (["rgb"], "dictionary of sizes")):
    with pytest.raises(ValueError, match=message):
      yt8m.datasets.frame_level("x", features, 2)
  with pytest.raises(ValueError, match="one text: separate several globs by commas"):
    yt8m.datasets.frame_level(["x", "y"], {"rgb": 8}, 2)


def test_both_forms_of_a_batch_become_one():
  batch = descriptors.batch("video")
  inputs = {"features": batch["features"]}
  weights = tf.ones_like(batch["labels"], tf.float32)
  assert yt8m.datasets.as_batch((inputs, batch["labels"], weights)) == {
      **inputs, "labels": batch["labels"], "label_weights": weights}
  assert yt8m.datasets.as_batch(batch) == batch


def test_a_feature_that_no_record_has_is_named(tmp_path):
  pattern, _ = small_job.write_labelled_records(tmp_path, "frame")
  with pytest.raises(ValueError, match="depth"):
    yt8m.datasets.frame_level(pattern, {"rgb": 8, "depth": 3}, descriptors.NUM_CLASSES)
  with pytest.raises(ValueError, match="nothing"):
    yt8m.datasets.video_level(f"{tmp_path}/nothing*", FEATURES, 6)


def test_fit_names_a_bad_record(tmp_path):
  pattern, _ = small_job.write_labelled_records(tmp_path, "video")
  bad = tfrecords.video_example("odd", [0], {"rgb": np.zeros(8), "audio": np.zeros(3)})
  with tf.io.TFRecordWriter(str(tmp_path / "validate3.tfrecord")) as writer:
    writer.write(bad.SerializeToString())
  model = yt8m.models.from_recipe("LogisticModel", FEATURES, descriptors.NUM_CLASSES)
  model.compile("sgd")
  dataset = yt8m.datasets.video_level(pattern, FEATURES, descriptors.NUM_CLASSES)
  for run in (model.fit, model.evaluate, model.predict):
    with pytest.raises(records.RecordError, match="validate3.tfrecord, record 0 .*audio"):
      run(dataset, verbose=0)
