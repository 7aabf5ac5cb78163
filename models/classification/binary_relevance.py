# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Classifiers that decide each class separately: logistic regression, experts."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import classifier
from yt8m.models.layers import xla


@tf.custom_gradient
def mix(gates: tf.Tensor, experts: tf.Tensor) -> Any:
  """Mixes experts by a softmax gate.

      g = softmax(γ),   s_m = σ(ε_m),   p = Σ_{m=1..k} g_m s_m
      ∂p/∂γ_m = g_m (s_m − p), with s_{k+1} = 0;   ∂p/∂ε_m = g_m s_m (1 − s_m)

  All operations are on arrays (batch_size, num_classes) of one gate or expert. A softmax
  over a last axis of a few values, and its gradient, take longer than the product with
  a matrix of the experts.

  Args:
    gates: Logits γ, (batch_size, num_classes, k + 1), float32.
    experts: Logits ε, (batch_size, num_classes, k), float32.

  Returns:
    Scores p, (batch_size, num_classes).
  """
  gate_logits = tf.unstack(gates, axis=-1)
  scores = [tf.sigmoid(logits) for logits in tf.unstack(experts, axis=-1)]
  largest = functools.reduce(tf.maximum, gate_logits)
  powers = [tf.exp(logits - largest) for logits in gate_logits]
  inverse = 1 / tf.add_n(powers)
  mixed = inverse * tf.add_n(
      [power * score for power, score in zip(powers[:-1], scores, strict=True)])

  def gradient(upstream):
    upstream *= inverse
    weights = [upstream * power for power in powers]
    by_gate = [weight * (score - mixed)
               for weight, score in zip(weights[:-1], scores, strict=True)]
    by_expert = [weight * score * (1 - score)
                 for weight, score in zip(weights[:-1], scores, strict=True)]
    return (tf.stack([*by_gate, -weights[-1] * mixed], axis=-1),
            tf.stack(by_expert, axis=-1))

  return mixed, gradient


_mix = xla.compiled_in_training(mix)


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

  def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
    classes, mixtures = self.num_classes, self.num_mixtures
    gates = self.gates(self.shared_gates(x) if self.low_rank_gates else x)
    gates = tf.reshape(tf.cast(gates, tf.float32), [-1, classes, mixtures + 1])
    experts = tf.reshape(tf.cast(self.experts(x), tf.float32), [-1, classes, mixtures])
    return _mix(gates, experts, training=training)

  def start_from_prior(self, prior: np.ndarray) -> None:
    # The gates start near uniform, so the experts share k / (k + 1) of the weight.
    share = self.num_mixtures / (self.num_mixtures + 1)
    biases = classifier.prior_log_odds(np.asarray(prior) / share)
    self.experts.bias.assign(np.repeat(biases, self.num_mixtures))
