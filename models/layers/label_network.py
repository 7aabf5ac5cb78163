# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What some labels of a video say about the others, learned from label sets alone."""

from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.models.layers import base

keras = tf.keras

# Standard deviations of the initial weights. An observation has only a few ones, so the
# usual scale of the first kernel, 1 / √num_classes, would make its effect tiny.
_ENCODE_STDDEV, _DECODE_STDDEV = 0.05, 0.02


class LabelNetwork(base.Layer):
  """Evidence of observed labels for every label, in log-odds.

      q(o) = D (φ(E o + b) − φ(b)),   φ = ReLU,   q(0) = 0

  Trained on label sets y (`yt8m.training.label_start`), it completes them.
  With the class prior π,

      P(y_c = 1 | o) ≈ σ(logit π_c + q_c(o))

  so that q is the log-odds ratio that an observation contributes. An observation is a
  part of y whose share is unknown, so a label that is not observed is a little less
  likely.

  Args:
    num_classes: Number of classes, C.
    units: Width of the hidden layer.

  Call arguments:
    observed: o, (batch_size, num_classes) in [0, 1]: 1 for a label that is present, less
      for one that is probably present.

  Returns:
    q, (batch_size, num_classes) float32.
  """

  def __init__(self, num_classes: int, units: int = 384, **kwargs: Any):
    super().__init__(**kwargs)
    self.num_classes, self.units = num_classes, units

  def build(self, input_shape: Any) -> None:
    normal = keras.initializers.RandomNormal(stddev=_ENCODE_STDDEV)
    self.encode = base.built(keras.layers.Dense(
        self.units, kernel_initializer=normal, name="encode"), None, self.num_classes)
    # Zeros, so that an untrained network contributes no evidence.
    self.decode = base.built(keras.layers.Dense(
        self.num_classes, use_bias=False, kernel_initializer="zeros", name="decode"),
                             None, self.units)

  def call(self, observed: tf.Tensor) -> tf.Tensor:
    return self._decode(self.encode(observed))

  def of_labels(self, labels: tf.RaggedTensor, weights: tf.RaggedTensor) -> tf.Tensor:
    """Returns q of a ragged batch. The cost depends on the number of labels present.

    Args:
      labels: Classes of each video, (batch_size, None) ragged int.
      weights: Values o_c of these classes, of the same shape. Those of other classes
        are 0.
    """
    vectors = tf.gather(self.encode.kernel, labels) * tf.expand_dims(weights, -1)
    return self._decode(tf.reduce_sum(vectors, axis=1) + self.encode.bias)

  def _decode(self, encoded: tf.Tensor) -> tf.Tensor:
    unobserved = tf.nn.relu(tf.cast(self.encode.bias, encoded.dtype))
    return tf.cast(self.decode(tf.nn.relu(encoded) - unobserved), tf.float32)

  def is_trained(self) -> bool:
    """Whether the network contributes any evidence."""
    return bool(np.any(self.decode.get_weights()[0]))

  def initialize(self, seed: int) -> None:
    """Sets all weights to random values that depend on the seed alone."""
    rng = np.random.default_rng(seed)
    for dense, stddev in ((self.encode, _ENCODE_STDDEV), (self.decode, _DECODE_STDDEV)):
      dense.kernel.assign(rng.normal(scale=stddev, size=dense.kernel.shape))


def observe_labels(labels: tf.Tensor, empty_share: float, largest_share: Any,
                   seed: Any) -> tf.Tensor:
  """Returns a random part of the labels of every video.

      o_c = y_c [u_c < r],   r = 0 for `empty_share` of the videos, else uniform

  Args:
    labels: y, (batch_size, num_classes), bool, or 0 and 1.
    empty_share: Share of the videos without observed labels.
    largest_share: Upper bound of r, which is uniform in [0, largest_share).
    seed: Two integers that determine the draws.

  Returns:
    o, (batch_size, num_classes) float32, 0 or 1.
  """
  labels = tf.cast(labels, tf.float32)
  rows, classes = tf.unstack(tf.shape(labels))
  shares, seed = draw_shares(rows, empty_share, largest_share, seed)
  draws = tf.random.stateless_uniform([rows, classes], seed)
  return labels * tf.cast(draws < shares[:, tf.newaxis], tf.float32)


def draw_shares(rows: Any, empty_share: float, largest_share: Any, seed: Any
                ) -> tuple[tf.Tensor, tf.Tensor]:
  """Returns r of every video, (rows,), and a seed for other draws."""
  share_seed, seed = tf.unstack(
      tf.random.split(tf.cast(seed, tf.int64)))
  draws = tf.random.stateless_uniform([2, rows], share_seed)
  return tf.where(draws[0] < empty_share, 0.0, largest_share * draws[1]), seed


def weight_shapes(num_classes: int, units: int) -> list[tuple[int, ...]]:
  """Returns the shapes of the weights of a `LabelNetwork`: E, b and D."""
  return [(num_classes, units), (units,), (units, num_classes)]
