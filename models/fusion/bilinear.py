# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fusion by compact bilinear pooling."""

from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import masking


@registries.FUSIONS.register("bilinear")
class CompactBilinear(base.Layer):
  """Sketches the products of every value of one modality with every value of the other.

      x̂_m = [x_m / ‖x_m‖₂ ; 1]
      ψ_m(x̂)_j = Σ_{i: h_m(i) = j} s_m(i) x̂_i            count sketch, (units,)
      y = IFFT(FFT(ψ_1(v̂)) ⊙ FFT(ψ_2(â)))                = sketch of v̂ ⊗ â
      z = sign(y) sqrt(|y|),   z ← z / ‖z‖₂

  h and s are random and fixed: ⟨y(v, a), y(v', a')⟩ is an unbiased estimate of
  ⟨v̂, v̂'⟩⟨â, â'⟩ whose variance falls as 1 / units. With three modalities or more, all
  their transforms are multiplied; a single modality is multiplied by itself, using two
  sketches.

  The constant 1 makes y a sketch of v ⊗ a, v and a at once, with equal weights. Without
  it (`homogeneous=False`) there are no first-order terms.

  Args:
    units: Size of the sketch.
    homogeneous: Whether the constant is appended.
    seed: Seed of h and s. It is part of the config: a loaded model has the same h and s.

  Call arguments:
    features: List of (batch_size, num_frames, dim_m), or of (batch_size, dim_m).
    frame_mask: (batch_size, num_frames), bool. Padded frames are set to 0.

  Returns:
    (batch_size, num_frames, units), or (batch_size, units).

  Reference: Pham & Pagh 2013 (Fast and Scalable Polynomial Kernels via Explicit Feature
  Maps, KDD), the tensor sketch; Gao et al. 2016 (arXiv:1511.06062), algorithm 2; Fukui
  et al. 2016 (arXiv:1606.01847) for two modalities.
  """

  def __init__(self, units: int = 1024, homogeneous: bool = True, seed: int = 0,
               **kwargs: Any):
    super().__init__(**kwargs)
    self.units, self.homogeneous, self.seed = units, homogeneous, seed

  def build(self, features_shape: Any, *other_shapes: Any) -> None:
    dims = [shape[-1] + self.homogeneous for shape in features_shape]
    if len(dims) == 1:
      dims *= 2
    # The random stream of RandomState never changes between versions of numpy.
    draws = np.random.RandomState(self.seed)
    self._buckets = [draws.randint(0, self.units, dim) for dim in dims]
    self._signs = [draws.choice([-1.0, 1.0], dim) for dim in dims]

  def call(self, features: list[tf.Tensor],
           frame_mask: tf.Tensor | None = None) -> tf.Tensor:
    features = [tf.math.l2_normalize(tf.cast(x, tf.float32), axis=-1) for x in features]
    if self.homogeneous:
      features = [tf.pad(x, [[0, 0]] * (len(x.shape) - 1) + [[0, 1]], constant_values=1.0)
                  for x in features]
    if len(features) == 1:
      features *= 2
    spectrum = 1.0
    for x, buckets, signs in zip(features, self._buckets, self._signs, strict=True):
      spectrum *= tf.signal.rfft(self._sketch(x, buckets, signs))
    y = tf.signal.irfft(spectrum, fft_length=[self.units])
    # 1e-6, because the square root has an infinite slope at 0.
    y *= tf.math.rsqrt(tf.abs(y) + 1e-6)
    y = tf.nn.l2_normalize(y, axis=-1)
    return tf.cast(masking.zero_padding(y, frame_mask), self.compute_dtype)

  def _sketch(self, x: tf.Tensor, buckets: np.ndarray, signs: np.ndarray) -> tf.Tensor:
    """Returns ψ(x) along the last axis, for all frames of all videos at once."""
    shape = tf.concat([tf.shape(x)[:-1], [self.units]], axis=0)
    flat = tf.transpose(tf.reshape(x * tf.constant(signs, x.dtype), [-1, len(signs)]))
    sketched = tf.math.unsorted_segment_sum(flat, buckets, self.units)
    sketched = tf.reshape(tf.transpose(sketched), shape)
    sketched.set_shape([*x.shape[:-1], self.units])
    return sketched
