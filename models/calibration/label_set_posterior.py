# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Exact inference over the label sets that are known to occur."""

from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.models.layers import base

keras = tf.keras

# Videos that are scored at a time. A video takes 4 bytes for each set, several times.
_ROWS = 32


class LabelSetPosterior(base.Layer):
  """Probability of each class, if the labels of a video are one of the known sets.

      s(S | z) = a Σ_{c ∈ S} z_c + b ln n_S − κ Σ_{c ∈ S} logit π_c
      P(S | z) = softmax_S s(S | z) / τ
      q_c = Σ_{S ∋ c} P(S | z)

  z are the log-odds of a model, n_S is the number of videos with the set S, and π is the
  share of videos with each class. With a = b = κ = 1, this is the posterior of a model
  whose evidence z_c − logit π_c is independent given the set. It is not: a, b and κ,
  which `yt8m-calibrate` chooses, say how much each part counts.

  `set_label_sets` stores the sets. Before, there are none, and q is 0.

  Args:
    num_classes: Number of classes, C.
    num_sets: Number of label sets.
    num_labels: Number of labels of all sets together, L.

  Call arguments:
    logits: z, (batch_size, num_classes).

  Returns:
    q for each temperature τ of `TEMPERATURES`, (batch_size, num_classes); and the
    largest P(S | z) at τ = 1, (batch_size,).

  Reference: Gweon, Schonlau, Steiner 2019, "Nearest labelset using double distances for
  multi-label classification", is related.
  """

  TEMPERATURES = (1.0, 2.0)

  def __init__(self, num_classes: int, num_sets: int, num_labels: int, **kwargs: Any):
    super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
    self.num_classes, self.num_sets = num_classes, num_sets
    self.num_labels = num_labels

  def build(self, input_shape: Any) -> None:
    # Set and class of each label. int64, because TensorFlow places int32 variables on the
    # CPU, where XLA on a GPU does not find them.
    self.members = self.add_weight(
        name="members", shape=(self.num_labels, 2), dtype="int64", initializer="zeros",
        trainable=False)
    # 1 for each label, and 0 before there are sets.
    self.present = self.add_weight(
        name="present", shape=(self.num_labels,), initializer="zeros", trainable=False)
    self.log_counts = self.add_weight(
        name="log_counts", shape=(self.num_sets,), initializer="zeros", trainable=False)
    self.prior_logits = self.add_weight(
        name="prior_logits", shape=(self.num_classes,), initializer="zeros",
        trainable=False)
    self.factors = self.add_weight(
        name="factors", shape=(3,), trainable=False,
        initializer=lambda *_, **__: tf.constant([1.0, 0.5, 0.6]))

  def set_label_sets(self, label_sets: Any, counts: np.ndarray, prior_logits: np.ndarray
                     ) -> None:
    """Stores the known sets.

    Args:
      label_sets: `LabelSets`, distinct and not empty.
      counts: Number of videos with each set, n.
      prior_logits: logit π, (num_classes,).
    """
    self.members.assign(np.stack([label_sets.rows, label_sets.classes], axis=1))
    self.present.assign(np.ones(self.num_labels, np.float32))
    self.log_counts.assign(np.log(counts).astype(np.float32))
    self.prior_logits.assign(prior_logits)

  def call(self, logits: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
    rows = tf.shape(logits)[0]
    # Blocks of rows bound the memory. A request of one video is one row.
    block_rows = tf.clip_by_value(rows, 1, _ROWS)
    # One block at least: a loop without steps has outputs of unknown shape.
    missing = tf.maximum(1, -(-rows // block_rows)) * block_rows - rows
    padded = tf.pad(logits, tf.stack([[0, missing], [0, 0]]))
    blocks = tf.reshape(padded, tf.stack([-1, block_rows, self.num_classes]))
    *marginals, best = tf.map_fn(
        self._score, blocks,
        fn_output_signature=(*(tf.float32 for _ in self.TEMPERATURES), tf.float32))
    return ([tf.reshape(q, [-1, self.num_classes])[:rows] for q in marginals],
            tf.reshape(best, [-1])[:rows])

  def _score(self, logits: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Returns the outputs for a block of videos."""
    a, b, kappa = tf.unstack(tf.convert_to_tensor(self.factors))
    # Gathers and sums instead of products of sparse matrices, which XLA does not have.
    sets, classes = tf.unstack(tf.convert_to_tensor(self.members), axis=1)
    present = tf.convert_to_tensor(self.present)[:, tf.newaxis]
    evidence = tf.transpose(
        a * logits - kappa * tf.convert_to_tensor(self.prior_logits))
    scores = tf.math.unsorted_segment_sum(
        present * tf.gather(evidence, classes), sets, self.num_sets)
    scores += b * tf.convert_to_tensor(self.log_counts)[:, tf.newaxis]
    outputs = []
    for temperature in self.TEMPERATURES:
      posterior = tf.nn.softmax(scores / temperature, axis=0)
      marginals = tf.math.unsorted_segment_sum(
          present * tf.gather(posterior, sets), classes, self.num_classes)
      # Rounding may exceed 1.
      outputs.append(tf.minimum(tf.transpose(marginals), 1.0))
      if temperature == 1.0:
        best = tf.reduce_max(posterior, axis=0)
    return (*outputs, best)
