# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What some labels of a video say about the others, learned from label sets alone."""

import functools

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import progress

keras = tf.keras

_LEARNING_RATE = 3e-3
# Of the weights at the start. An observation has a few ones: the usual scale of the
# first kernel, 1 / √num_classes, would leave next to nothing of them.
_ENCODE_STDDEV, _DECODE_STDDEV = 0.05, 0.02
# Share of the videos of which nothing is observed, so that q(0) = 0 stays the prior.
_EMPTY_SHARE = 0.2


@keras.utils.register_keras_serializable(package="yt8m")
class LabelNetwork(keras.layers.Layer):
  """Evidence of observed labels for every label, in log-odds.

      q(o) = D (φ(E o + b) − φ(b)),   φ = ReLU,   q(0) = 0

  Trained on label sets y by `pretrain` it completes them: with π the class prior,

      P(y_c = 1 | o) ≈ σ(logit π_c + q_c(o))

  so that q is the log-odds ratio which an observation contributes: some labels of y, by
  a share that is not known. What is not observed is a little less likely for it.

  Args:
    num_classes: C.
    units: width of the hidden layer.

  Call arguments:
    observed: o, (batch_size, num_classes) in [0, 1]: 1 for a label that is there, less
      for one that probably is.

  Returns:
    q, (batch_size, num_classes) float32.
  """

  def __init__(self, num_classes, units=384, **kwargs):
    super().__init__(**kwargs)
    self.num_classes, self.units = num_classes, units

  def build(self, input_shape):
    self.encode = keras.layers.Dense(
        self.units, name="encode",
        kernel_initializer=keras.initializers.RandomNormal(stddev=_ENCODE_STDDEV))
    self.encode.build((None, self.num_classes))
    # Zeros: what has learned nothing says nothing.
    self.decode = keras.layers.Dense(
        self.num_classes, use_bias=False, name="decode", kernel_initializer="zeros")
    self.decode.build((None, self.units))
    self.built = True

  def call(self, observed):
    return self._decode(self.encode(observed))

  def of_labels(self, labels, weights):
    """The same of a ragged batch, at the cost of the labels that are there.

    Args:
      labels: (batch_size, None) ragged int, classes of each video.
      weights: the same shape, their o_c; the o_c of all other classes is 0.
    """
    vectors = tf.gather(self.encode.kernel, labels) * weights[..., tf.newaxis]
    return self._decode(tf.reduce_sum(vectors, axis=1) + self.encode.bias)

  def _decode(self, encoded):
    unobserved = tf.nn.relu(tf.cast(self.encode.bias, encoded.dtype))
    return tf.cast(self.decode(tf.nn.relu(encoded) - unobserved), tf.float32)

  def get_config(self):
    return {**super().get_config(), "num_classes": self.num_classes,
            "units": self.units}


def observe_labels(labels, empty_share, most, seed):
  """A random part of the labels of every video.

      o_c = y_c [u_c < r],   r = 0 for `empty_share` of the videos, else uniform

  Args:
    labels: y, (batch_size, num_classes), bool, or 0 and 1.
    empty_share: share of the videos of which nothing is observed.
    most: a, r is uniform in [0, a).
    seed: two integers; the draws are a function of them.

  Returns:
    o, (batch_size, num_classes) float32, 0 or 1.
  """
  labels = tf.cast(labels, tf.float32)
  rows, classes = tf.unstack(tf.shape(labels))
  shares, seed = _draw_shares(rows, empty_share, most, seed)
  draws = tf.random.stateless_uniform([rows, classes], seed)
  return labels * tf.cast(draws < shares[:, tf.newaxis], tf.float32)


def _draw_shares(rows, empty_share, most, seed):
  """r of every video, (rows,), and a seed for the rest."""
  share_seed, seed = tf.unstack(
      tf.random.experimental.stateless_split(tf.cast(seed, tf.int64)))
  draws = tf.random.stateless_uniform([2, rows], share_seed)
  return tf.where(draws[0] < empty_share, 0.0, most * draws[1]), seed


@functools.lru_cache(maxsize=1)  # the branches of a mixture learn the same
def pretrain(num_classes, units, label_sets, num_epochs, batch_size=None, seed=0):
  """Trains a `LabelNetwork` to complete label sets.

      L = −Σ_c y_c ln P_c + (1 − y_c) ln(1 − P_c),   P = σ(z),  z = logit π + q(o)
        = Σ_c softplus(z_c) − Σ_{c ∈ y} z_c

  by Adam with a cosine schedule, where o holds every label of y with probability r,
  r = 0 for a fifth of the videos and uniform for the others.

  Args:
    num_classes, units: see `LabelNetwork`.
    label_sets: `LabelSets`.
    num_epochs: passes over them.
    batch_size: label sets a step; by default 1,024, or fewer where a pass would have
      less than a hundred steps.
    seed: of weights, order and draws.

  Returns:
    The weights of the network, a list of arrays.

  Raises:
    ValueError: there are no label sets.
  """
  num_sets = len(label_sets)
  if not num_sets:
    raise ValueError("There are no label sets to learn from: check --train_data_pattern "
                     "or --label_sets.")
  batch_size = batch_size or min(1024, max(1, num_sets // 100))
  prior = label_sets.prior()
  offset = tf.constant(np.log(prior) - np.log1p(-prior), tf.float32)
  network = _start(num_classes, units, seed)
  optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(
      _LEARNING_RATE, -(-num_sets // batch_size) * num_epochs))
  optimizer.build(network.trainable_variables)
  sets = tf.RaggedTensor.from_row_lengths(label_sets.classes, label_sets.sizes)

  @tf.function(reduce_retracing=True)
  def step(rows, number):
    labels = tf.gather(sets, rows)
    shares, draw_seed = _draw_shares(
        labels.nrows(), _EMPTY_SHARE, 1.0, tf.stack([seed, number]))
    draws = tf.random.stateless_uniform(tf.shape(labels.values), draw_seed)
    observed = labels.with_values(tf.cast(
        draws < tf.gather(shares, labels.value_rowids()), tf.float32))
    with tf.GradientTape() as tape:
      logits = offset + network.of_labels(labels, observed)
      positives = tf.gather_nd(
          logits, tf.stack([labels.value_rowids(), labels.values], axis=1))
      loss = (tf.reduce_sum(tf.nn.softplus(logits)) - tf.reduce_sum(positives)) / (
          tf.cast(tf.size(rows), tf.float32))
    gradients = tape.gradient(loss, network.trainable_variables)
    optimizer.apply_gradients(zip(
        map(tf.convert_to_tensor, gradients), network.trainable_variables, strict=True))
    return loss

  report = progress.Periodic(10.0, progress.Progress(num_epochs * num_sets, "label sets"))
  rng, done, number = np.random.default_rng(seed), 0, 0
  for _ in range(num_epochs):
    order = rng.permutation(num_sets)
    for start in range(0, num_sets, batch_size):
      rows = order[start:start + batch_size]
      loss = step(tf.constant(rows), tf.constant(number))
      done, number = done + len(rows), number + 1
      for line in report(done):
        logging.info("Learning label sets: loss %.3f | %s", float(loss), line)
  return network.get_weights()


def _start(num_classes, units, seed):
  """A network whose weights are a function of the seed alone.

  In float32 whatever the policy is, and apart from the variables of any strategy.
  """
  network = LabelNetwork(num_classes, units, dtype="float32")
  network.build((None, num_classes))
  rng = np.random.default_rng(seed)
  for dense, stddev in ((network.encode, _ENCODE_STDDEV),
                        (network.decode, _DECODE_STDDEV)):
    dense.kernel.assign(rng.normal(scale=stddev, size=dense.kernel.shape))
  return network
