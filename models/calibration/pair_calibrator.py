# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A small network that weighs the evidence for each of the best classes of a video."""

from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.models.layers import base

keras = tf.keras

# Keeps features that do not vary finite.
_SMALLEST_SCALE = 1e-3


class PairCalibrator(base.Layer):
  """Scores pairs of a video and a class, with weights that all classes share.

      x = (f − μ) / σ,   h₁ = φ(W₁ x + b₁),   h₂ = φ(W₂ h₁ + b₂),   φ = ReLU
      z = wᵀ h₂ + vᵀ x + c

  Args:
    num_features: Number of features of a pair.
    units: Width of the hidden layers.

  Call arguments:
    features: f, (…, num_features).

  Returns:
    z, (…), log-odds, float32.

  Reference: Ma et al. 2019 (arXiv:1911.08548), cross-class relevance learning, score
  pairs of a video and a class in the same way.
  """

  def __init__(self, num_features: int, units: int = 64, **kwargs: Any):
    super().__init__(**{**kwargs, "dtype": "float32"})
    self.num_features, self.units = num_features, units

  def build(self, input_shape: Any) -> None:
    self.mean = self.add_weight(
        name="mean", shape=(self.num_features,), initializer="zeros", trainable=False)
    self.scale = self.add_weight(
        name="scale", shape=(self.num_features,), initializer="ones", trainable=False)
    self.hidden = [
        base.built(keras.layers.Dense(
            self.units, activation="relu", dtype="float32", name=f"hidden_{number}"),
                   None, size)
        for number, size in enumerate((self.num_features, self.units))]
    self.linear = base.built(keras.layers.Dense(1, dtype="float32", name="linear"),
                             None, self.num_features)
    # Zeros: the network starts as a linear function.
    self.output_weights = base.built(keras.layers.Dense(
        1, use_bias=False, kernel_initializer="zeros", dtype="float32", name="output"),
                                     None, self.units)

  def call(self, features: tf.Tensor) -> tf.Tensor:
    x = (features - self.mean) / self.scale
    h = x
    for layer in self.hidden:
      h = layer(h)
    return tf.squeeze(self.linear(x) + self.output_weights(h), axis=-1)

  def start_from(self, features: np.ndarray, feature: int, seed: int = 0) -> None:
    """Sets μ and σ to those of `features`, and z to one of the features.

    Args:
      features: Features of pairs, (num_pairs, num_features).
      feature: Index of the feature that z starts as.
      seed: Seed of the hidden layers.
    """
    rng = np.random.default_rng(seed)
    for layer in self.hidden:
      size, _ = shape = layer.kernel.shape
      layer.kernel.assign(rng.normal(scale=(2 / size) ** 0.5, size=shape))
      layer.bias.assign(np.zeros(self.units))
    self.output_weights.kernel.assign(np.zeros((self.units, 1)))
    mean = features.mean(axis=0)
    scale = np.maximum(features.std(axis=0), _SMALLEST_SCALE)
    self.mean.assign(mean)
    self.scale.assign(scale)
    weights = np.zeros((self.num_features, 1), np.float32)
    weights[feature] = scale[feature]
    self.linear.kernel.assign(weights)
    self.linear.bias.assign(mean[feature:feature + 1])
