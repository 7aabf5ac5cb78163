# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fusion by compact bilinear pooling."""

import numpy as np
import tensorflow as tf

from yt8m.models import registries

keras = tf.keras


@registries.FUSIONS.register("bilinear")
@keras.utils.register_keras_serializable(package="yt8m")
class CompactBilinear(keras.layers.Layer):
  """Multiplies every value of one modality with every value of the other, sketched.

      x̂_m = [x_m / ‖x_m‖₂ ; 1]
      ψ_m(x̂)_j = Σ_{i: h_m(i) = j} s_m(i) x̂_i            count sketch, (units,)
      y = IFFT(FFT(ψ_1(v̂)) ⊙ FFT(ψ_2(â)))                = sketch of v̂ ⊗ â
      z = sign(y) sqrt(|y|),   z ← z / ‖z‖₂

  h and s are random and fixed: ⟨y(v, a), y(v', a')⟩ is an unbiased estimate of
  ⟨v̂, v̂'⟩⟨â, â'⟩, its variance falling as 1 / units. Three modalities and more multiply
  all their transforms; a single one is multiplied with itself, by two sketches.

  With the constant 1, y sketches v ⊗ a, v and a at once, at equal weight; without it
  (`homogeneous`) there are no first-order terms.

  Args:
    units: size of the sketch.
    homogeneous: append the constant.
    seed: of h and s, kept in the config so that a reloaded model has the same.

  Call arguments:
    features: list of (batch_size, num_frames, dim_m), or (batch_size, dim_m).
    frame_mask: (batch_size, num_frames), bool. Padded frames are set to 0.

  Returns:
    (batch_size, num_frames, units), or (batch_size, units).

  Reference: Pham & Pagh 2013 (tensor sketch); Gao et al. 2016 (arXiv:1511.06062),
  algorithm 2; Fukui et al. 2016 (arXiv:1606.01847) for two modalities.
  """

  def __init__(self, units=1024, homogeneous=True, seed=0, **kwargs):
    super().__init__(**kwargs)
    self.units, self.homogeneous, self.seed = units, homogeneous, seed

  def build(self, features_shape, *other_shapes):
    dims = [shape[-1] + self.homogeneous for shape in features_shape]
    if len(dims) == 1:
      dims *= 2
    # RandomState: the stream of its generator is fixed for good.
    draws = np.random.RandomState(self.seed)
    self._buckets = [draws.randint(0, self.units, dim) for dim in dims]
    self._signs = [draws.choice([-1.0, 1.0], dim) for dim in dims]
    self.built = True

  def call(self, features, frame_mask=None):
    features = [tf.math.l2_normalize(tf.cast(x, tf.float32), axis=-1) for x in features]
    if self.homogeneous:
      features = [tf.concat([x, tf.ones_like(x[..., :1])], axis=-1) for x in features]
    if len(features) == 1:
      features *= 2
    spectrum = 1.0
    for x, buckets, signs in zip(features, self._buckets, self._signs, strict=True):
      spectrum *= tf.signal.rfft(self._sketch(x, buckets, signs))
    y = tf.signal.irfft(spectrum, fft_length=[self.units])
    # The plain square root has an infinite slope at 0.
    y *= tf.math.rsqrt(tf.abs(y) + 1e-6)
    y = tf.nn.l2_normalize(y, axis=-1)
    if frame_mask is not None:
      y = tf.where(frame_mask[..., tf.newaxis], y, 0.0)
    return tf.cast(y, self.compute_dtype)

  def _sketch(self, x, buckets, signs):
    """ψ(x) along the last axis, all frames of all videos at once."""
    shape = tf.concat([tf.shape(x)[:-1], [self.units]], axis=0)
    flat = tf.transpose(tf.reshape(x * tf.constant(signs, x.dtype), [-1, len(signs)]))
    sketched = tf.math.unsorted_segment_sum(flat, buckets, self.units)
    sketched = tf.reshape(tf.transpose(sketched), shape)
    sketched.set_shape([*x.shape[:-1], self.units])
    return sketched

  def get_config(self):
    return {**super().get_config(), "units": self.units,
            "homogeneous": self.homogeneous, "seed": self.seed}
