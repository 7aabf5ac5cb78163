# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Inputs and labels of another shape or type are refused instead of broadcast."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models


def make(level="frame", **options):
  model = models.VideoModel(
      descriptors.NUM_CLASSES, descriptors.SPECS[level], **options)
  model.compile("sgd")
  return model


def inputs(level="frame", rows=4):
  batch = descriptors.batch(level, rows=rows)
  return {"features": dict(batch["features"]),
          **({"num_frames": batch["num_frames"]} if level == "frame" else {})}


def changed(name, change):
  batch = inputs()
  batch["features"][name] = change(batch["features"][name])
  return batch


@pytest.mark.parametrize("batch, message", [
    (lambda: inputs()["features"], r"takes \{'features'.*was given \['audio', 'rgb'\]"),
    (lambda: {"features": inputs()["features"]}, r"num_frames.*was given \['features'\]"),
    (lambda: changed("rgb", lambda x: x[..., :7]), "'rgb' has 7 values.*reads 8"),
    (lambda: changed("audio", lambda x: x[:, :2]), "'audio' has the shape.*same number"),
    (lambda: changed("audio", lambda x: x[:2]), "'audio' has the shape.*same videos"),
    (lambda: changed("rgb", lambda x: tf.cast(x, tf.int64)),
     "'rgb' is int64: give uint8 for 8-bit"),
    (lambda: {**inputs(), "num_frames": tf.ones([1], tf.int32)}, "num_frames or another"),
    (lambda: {**inputs(), "num_frames": tf.ones([4, 1], tf.int32)}, r"num_frames.*4, 1"),
], ids=["features alone", "no num_frames", "width", "frames", "videos", "integers",
        "one number of frames", "rank of num_frames"])
def test_inputs(batch, message):
  with pytest.raises(ValueError, match=message):
    make(aggregation="mean")(batch())


def test_swapped_features_do_not_pass_because_their_sum_is_right():
  batch = inputs("video")["features"]
  with pytest.raises(ValueError, match="'rgb' has 4 values.*reads 8"):
    make("video")({"features": {"rgb": batch["audio"], "audio": batch["rgb"]}})


def test_a_batch_of_another_rank_after_a_good_one():
  model = make("video")
  features = {name: x.numpy() for name, x in inputs("video")["features"].items()}
  model.predict({"features": features}, verbose=0)
  with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="rgb|shape"):
    model.predict({"features": {name: x[:, None] for name, x in features.items()}},
                  verbose=0)


@pytest.mark.parametrize("shape", [(4, 1), (4,), (4, 5)])
@pytest.mark.parametrize("loss", [None, "mse"])
def test_labels_of_another_shape_are_not_broadcast(shape, loss):
  model = make("video")
  model.compile("sgd", loss)
  for method in (model.train_on_batch, model.test_on_batch):
    with pytest.raises(ValueError, match=r"labels have the shape.*\(batch_size, 6\)"):
      method(inputs("video"), np.ones(shape, np.float32))


def test_labels_are_in_0_and_1():
  model, labels = make("video"), np.zeros((4, 6), np.float32)
  for value in (2, -1, np.nan):
    labels[1, 2] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"labels must be in \[0, 1"):
      model.train_on_batch(inputs("video"), labels)
  labels[1, 2] = 0.5
  model.train_on_batch(inputs("video"), labels)


def test_weights_of_another_shape():
  with pytest.raises(ValueError, match=r"sample_weight has the shape.*\(batch_size, 6\)"):
    make("video").train_on_batch(inputs("video"), np.ones((4, 6)), np.ones((4, 5)))


def test_an_unknown_loss():
  with pytest.raises(ValueError, match="Unknown loss 'crossentropyloss'. Valid: Cross"):
    make("video").compile("sgd", "crossentropyloss")
