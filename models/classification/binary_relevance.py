# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Classifiers that decide each class separately: logistic regression, experts."""

from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import classifier


@registries.CLASSIFIERS.register("logistic")
class Logistic(classifier.Classifier):
  """Scores every class by a logistic regression: `p_c = σ(w_cᵀ x + b_c)`.

  Arguments and shapes: see `Classifier`.

  Reference: YouTube-8M starter code, `LogisticModel`.
  """

  def build(self, input_shape: Any) -> None:
    self.logits = self.dense(self.num_classes, input_shape[-1], "logits")

  def call(self, x: tf.Tensor) -> tf.Tensor:
    return tf.sigmoid(tf.cast(self.logits(x), tf.float32))

  def start_from_prior(self, prior: np.ndarray) -> None:
    self.logits.bias.assign(classifier.prior_log_odds(prior))


@registries.CLASSIFIERS.register("moe")
class MixtureOfExperts(classifier.Classifier):
  """Scores every class by several logistic regressions, weighted by a softmax gate.

      g_c = softmax(G_c x)                 k + 1 values, no bias
      p_c = Σ_{m=1..k} g_cm σ(e_cmᵀ x + b_cm)

  The last of the k + 1 gates belongs to an expert whose score is always 0. With it, the
  gate can rule a class out.

  The columns of the matrices are ordered by class, then by mixture: c·(k + 1) + m in the
  gate matrix, c·k + m in the expert matrix.

  Low-rank gates are a product, G = H₂ H₁: all classes share the few values of H₁ x.

  Args:
    num_classes: Number of classes, C.
    num_mixtures: Number of experts, k (`--moe_num_mixtures`).
    low_rank_gates: Number of rows of H₁; 0 for one full matrix G.
    l2_penalty: Factor of the L2 penalty, see `Classifier`, as for the shapes.

  Raises:
    ValueError: `num_mixtures` is less than 1.

  Reference: Jordan & Jacobs 1994 (Hierarchical Mixtures of Experts and the EM
  Algorithm); YouTube-8M starter code, `MoeModel`; WILLOW code of Miech et al. 2017
  (arXiv:1706.06905), `moe_low_rank_gating`.
  """

  def __init__(self, num_classes: int, num_mixtures: int = 2, low_rank_gates: int = 0,
               l2_penalty: float = 1e-8, **kwargs: Any):
    super().__init__(num_classes, l2_penalty, **kwargs)
    if num_mixtures < 1:
      raise ValueError(f"num_mixtures is {num_mixtures}, must be at least 1 "
                       "(--moe_num_mixtures).")
    self.num_mixtures, self.low_rank_gates = num_mixtures, low_rank_gates

  def build(self, input_shape: Any) -> None:
    classes, mixtures = self.num_classes, self.num_mixtures
    gates_dim = input_shape[-1]
    if self.low_rank_gates:
      self.shared_gates = self.dense(
          self.low_rank_gates, gates_dim, "shared_gates", use_bias=False)
      gates_dim = self.low_rank_gates
    self.gates = self.dense(classes * (mixtures + 1), gates_dim, "gates",
                            use_bias=False)
    self.experts = self.dense(classes * mixtures, input_shape[-1], "experts")

  def call(self, x: tf.Tensor) -> tf.Tensor:
    classes, mixtures = self.num_classes, self.num_mixtures
    gates = self.gates(self.shared_gates(x) if self.low_rank_gates else x)
    gates = tf.reshape(gates, [-1, classes, mixtures + 1])
    experts = tf.reshape(self.experts(x), [-1, classes, mixtures])
    weights = tf.nn.softmax(tf.cast(gates, tf.float32))[:, :, :mixtures]
    return tf.reduce_sum(weights * tf.sigmoid(tf.cast(experts, tf.float32)), axis=-1)

  def start_from_prior(self, prior: np.ndarray) -> None:
    # The gates start near uniform, so the experts share k / (k + 1) of the weight.
    share = self.num_mixtures / (self.num_mixtures + 1)
    biases = classifier.prior_log_odds(np.asarray(prior) / share)
    self.experts.bias.assign(np.repeat(biases, self.num_mixtures))
