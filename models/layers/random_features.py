# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Random Fourier features: a fixed map whose inner products are a Gaussian kernel."""

from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.models.layers import base

keras = tf.keras


class RandomFeatures(base.Layer):
  """Maps x to random features of the Gaussian kernel.

      φ(x) = √(2/R) cos(W x / s + b),   W ~ N(0, 1),   b ~ U(0, 2π)
      φ(x)ᵀ φ(y) ≈ exp(−‖x − y‖² / (2 s²))

  The rows of W are orthogonal in blocks of `dim`, with the lengths of normal vectors:
  the same kernel on average, with less variance (Yu et al. 2016, Orthogonal Random
  Features). Nothing is trained. W and b are weights, so that checkpoints and SavedModels
  hold them; they depend on the seed alone. So is 1 / s, which `set_bandwidth` sets.

  The layer computes in float32 under every policy: the argument of the cosine has no
  bounds, and half precision would lose its phase.

  Args:
    num_features: Number of features, R.
    bandwidth: Bandwidth of the kernel, s.
    seed: Seed of W and b.

  Call arguments:
    x: (batch_size, dim).

  Returns:
    φ, (batch_size, num_features) float32.

  Reference: Rahimi & Recht 2007 (Random Features for Large-Scale Kernel Machines),
  algorithm 1.
  """

  def __init__(self, num_features: int, bandwidth: float = 1.0, seed: int = 0,
               **kwargs: Any):
    super().__init__(autocast=False, **{**kwargs, "dtype": "float32"})
    self.num_features, self.bandwidth, self.seed = num_features, bandwidth, seed

  def build(self, input_shape: Any) -> None:
    rng, dim = np.random.default_rng(self.seed), input_shape[-1]
    directions, phases = draw(dim, self.num_features, rng)
    self.directions = self._fixed("directions", directions)
    self.phases = self._fixed("phases", phases)
    self.inverse_bandwidth = self._fixed(
        "inverse_bandwidth", np.array(1 / self.bandwidth))

  def _fixed(self, name: str, value: np.ndarray) -> Any:
    return self.add_weight(
        name=name, shape=value.shape, trainable=False,
        initializer=lambda *_, **__: tf.constant(value, tf.float32))

  def set_bandwidth(self, bandwidth: float) -> None:
    """Replaces s. What was learned from the features does not fit any more."""
    self.inverse_bandwidth.assign(1 / bandwidth)

  def call(self, x: tf.Tensor) -> tf.Tensor:
    x = tf.cast(x, tf.float32) * self.inverse_bandwidth
    angles = tf.matmul(x, self.directions) + self.phases
    return (2.0 / self.num_features) ** 0.5 * tf.cos(angles)


def draw(dim: int, num_features: int, rng: np.random.Generator
         ) -> tuple[np.ndarray, np.ndarray]:
  """Returns Wᵀ, (dim, num_features), and b, (num_features,), of `RandomFeatures`."""
  blocks = []
  for start in range(0, num_features, dim):
    orthogonal, _ = np.linalg.qr(rng.normal(size=(dim, dim)))
    lengths = np.sqrt(rng.chisquare(dim, size=dim))
    blocks.append((orthogonal * lengths)[:, :num_features - start])
  return np.concatenate(blocks, axis=1), rng.uniform(0, 2 * np.pi, num_features)


def median_distance(x: np.ndarray) -> float:
  """Returns the median distance of two different rows, a usual bandwidth; 1 if it is 0.

  >>> import numpy as np
  >>> from yt8m.models.layers import random_features
  >>> random_features.median_distance(np.array([[0.0], [3.0], [4.0]]))
  3.0

  Args:
    x: Vectors, (rows, dim).
  """
  x = np.asarray(x, np.float64)
  lengths = np.sum(x * x, axis=1)
  squares = lengths[:, np.newaxis] + lengths - 2 * x @ x.T
  squares = squares[np.triu_indices(len(x), 1)]
  return float(np.sqrt(max(np.median(squares), 0.0))) or 1.0 if len(squares) else 1.0
