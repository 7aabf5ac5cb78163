# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Mixture of experts: several logistic regressions a class, and a gate among them."""

import numpy as np
import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import classifier

keras = tf.keras


@registries.CLASSIFIERS.register("moe")
@keras.utils.register_keras_serializable(package="yt8m")
class MixtureOfExperts(classifier.Classifier):
  """Scores a class by experts which a softmax gate weighs, input by input.

      g_c = softmax(G_c x)                 k + 1 values, no bias
      p_c = Σ_{m=1..k} g_cm σ(e_cmᵀ x + b_cm)

  The last of the k + 1 gates belongs to an expert that always says 0, which lets a
  class be ruled out.

  Columns are ordered class by class, mixtures within a class: c·(k + 1) + m in the
  gate matrix, c·k + m in the expert matrix.

  With low-rank gates G = H₂ H₁: all classes share the few values of H₁ x.

  Args:
    num_mixtures: k (`--moe_num_mixtures`).
    low_rank_gates: rows of H₁; 0 for one full matrix G.
    Others, and shapes: see `Classifier`.

  Reference: Jordan & Jacobs 1994; YouTube-8M starter code, `MoeModel`; WILLOW code of
  Miech et al. 2017 (arXiv:1706.06905), `moe_low_rank_gating`.
  """

  def __init__(self, num_classes, num_mixtures=2, low_rank_gates=0,
               l2_penalty=1e-8, **kwargs):
    super().__init__(num_classes, l2_penalty, **kwargs)
    if num_mixtures < 1:
      raise ValueError(f"num_mixtures is {num_mixtures}, must be at least 1 "
                       "(--moe_num_mixtures).")
    self.num_mixtures, self.low_rank_gates = num_mixtures, low_rank_gates

  def build(self, input_shape):
    classes, mixtures = self.num_classes, self.num_mixtures
    gates_dim = input_shape[-1]
    if self.low_rank_gates:
      self.shared_gates = self.dense(
          self.low_rank_gates, gates_dim, "shared_gates", use_bias=False)
      gates_dim = self.low_rank_gates
    self.gates = self.dense(classes * (mixtures + 1), gates_dim, "gates",
                            use_bias=False)
    self.experts = self.dense(classes * mixtures, input_shape[-1], "experts")
    self.built = True

  def call(self, x):
    classes, mixtures = self.num_classes, self.num_mixtures
    gates = self.gates(self.shared_gates(x) if self.low_rank_gates else x)
    gates = tf.reshape(gates, [-1, classes, mixtures + 1])
    experts = tf.reshape(self.experts(x), [-1, classes, mixtures])
    weights = tf.nn.softmax(tf.cast(gates, tf.float32))[..., :mixtures]
    return tf.reduce_sum(weights * tf.sigmoid(tf.cast(experts, tf.float32)), axis=-1)

  def start_from_prior(self, prior):
    # Gates start near uniform, so the experts share k / (k + 1) of the weight.
    share = self.num_mixtures / (self.num_mixtures + 1)
    biases = classifier.log_odds(np.asarray(prior) / share)
    self.experts.bias.assign(np.repeat(biases, self.num_mixtures))

  def get_config(self):
    return {**super().get_config(), "num_mixtures": self.num_mixtures,
            "low_rank_gates": self.low_rank_gates}
