# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Similarities to landmarks: features in whose span a Gaussian kernel is exact there."""

from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.models.layers import base

# Coordinate of landmarks that are not set: too far from all videos to be similar.
_FAR = 1e6
# Added to the kernel of a landmark with itself: landmarks may be equal.
_JITTER = 1e-3


class LandmarkFeatures(base.Layer):
  """Maps x to its similarities to R landmarks u.

      φ_j(x) = exp(−‖x − u_j‖² / (2 s²))
      Vᵀ φ(x),  ‖V‖² = Vᵀ K V,  K_ij = φ_j(u_i)

  With all videos as landmarks, a ridge regression on these features with this norm is the
  exact regression with the Gaussian kernel. With a part of them, it is the best one in
  their span (Nyström). Nothing is trained: landmarks are videos, which `set_landmarks`
  stores, and weights, so that checkpoints and SavedModels hold them.

  The layer computes in float32 under every policy: small distances are differences of
  large numbers.

  Args:
    num_features: Number of landmarks, R.
    bandwidth: Bandwidth of the kernel, s.

  Call arguments:
    x: (batch_size, dim).

  Returns:
    φ, (batch_size, num_features) float32.

  Reference: Williams & Seeger 2001 (Using the Nyström Method to Speed Up Kernel
  Machines); Rasmussen & Williams 2006, section 8.3.1, the subset of regressors.
  """

  def __init__(self, num_features: int, bandwidth: float = 1.0, **kwargs: Any):
    super().__init__(autocast=False, **{**kwargs, "dtype": "float32"})
    self.num_features, self.bandwidth = num_features, bandwidth

  def build(self, input_shape: Any) -> None:
    self.landmarks = self.add_weight(
        name="landmarks", shape=(self.num_features, input_shape[-1]), trainable=False,
        initializer=lambda shape, **_: tf.fill(shape, tf.constant(_FAR)))
    self.inverse_bandwidth = self.add_weight(
        name="inverse_bandwidth", shape=(), trainable=False,
        initializer=lambda *_, **__: tf.constant(1 / self.bandwidth, tf.float32))

  def set_landmarks(self, landmarks: np.ndarray) -> None:
    """Stores up to R landmarks, (n, dim). Earlier weights of the features do not fit."""
    missing = self.num_features - len(landmarks)
    self.landmarks.assign(np.pad(landmarks, ((0, missing), (0, 0)),
                                 constant_values=_FAR))

  def set_bandwidth(self, bandwidth: float) -> None:
    """Replaces s. What was learned from the features does not fit any more."""
    self.inverse_bandwidth.assign(1 / bandwidth)

  def call(self, x: tf.Tensor) -> tf.Tensor:
    landmarks = tf.convert_to_tensor(self.landmarks)
    # Relative to a video: an offset of all videos would take the digits of distances.
    x = (tf.cast(x, tf.float32) - landmarks[:1]) * self.inverse_bandwidth
    landmarks = (landmarks - landmarks[:1]) * self.inverse_bandwidth
    squares = (tf.reduce_sum(tf.square(x), axis=1, keepdims=True)
               + tf.reduce_sum(tf.square(landmarks), axis=1)
               - 2 * tf.matmul(x, landmarks, transpose_b=True))
    return tf.exp(-tf.maximum(squares, 0.0) / 2)

  def norm(self) -> np.ndarray:
    """Returns K, (R, R) float64, with `_JITTER` added to its diagonal."""
    kernel = self(tf.convert_to_tensor(self.landmarks)).numpy().astype(np.float64)
    return kernel + _JITTER * np.eye(self.num_features)
