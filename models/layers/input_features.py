# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""From record bytes to model input: dequantise, mask, normalise."""

import tensorflow as tf

from yt8m.models.layers import masking

keras = tf.keras

# YouTube-8M stores each value of the range [-2, 2] in 8 bits, at the centre of its
# bucket: 0 -> -1.9921875, 255 -> 2.0078125.
_SCALE = 4.0 / 255.0
_OFFSET = 4.0 / 512.0 - 2.0

NORMALIZATIONS = ("l2", "rms", "none")


def dequantize(q):
  """`x = q·4/255 + 4/512 − 2`: uint8 to float32."""
  return tf.cast(q, tf.float32) * _SCALE + _OFFSET


@keras.utils.register_keras_serializable(package="yt8m")
class InputFeatures(keras.layers.Layer):
  """Turns the features of a batch into normalised float vectors, one a modality.

      x = dequantize(q)           (8-bit input; float input is taken as it is)
      x_t = 0                     for padded frames t
      l2:   x_t / sqrt(max(Σ_m Σ_i x_tmi², 1e-12))
      rms:  the same, times sqrt(D): every value is then of order 1

  The norm runs over all modalities together, D being their total size, as the
  starter code does on the concatenated vector.

  Computes in float32 whatever the policy, and returns the compute dtype of the
  policy.

  Args:
    names: feature names, in the order of concatenation.
    normalization: `"l2"` (the starter code), `"rms"` or `"none"`.

  Call arguments:
    features: `{name: (batch_size, num_frames, size) uint8 or float}`, or
      `{name: (batch_size, size)}` at video level.
    frame_mask: (batch_size, num_frames), bool; None at video level. Padded frames
      become 0.

  Returns:
    A list of tensors of the same shapes, in the order of `names`.

  Reference: YouTube-8M starter code, `utils.Dequantize` and `train.build_graph`.
  """

  def __init__(self, names, normalization="l2", **kwargs):
    super().__init__(autocast=False, **kwargs)
    if normalization not in NORMALIZATIONS:
      raise ValueError(f"Unknown normalization {normalization!r}. "
                       f"Valid: {', '.join(NORMALIZATIONS)}.")
    self.names = list(names)
    self.normalization = normalization

  def call(self, features, frame_mask=None):
    missing = [name for name in self.names if name not in features]
    if missing:
      raise ValueError(f"The batch has no feature {missing[0]!r}; it has "
                       f"{sorted(features)} (--feature_names).")
    xs = [features[name] for name in self.names]
    xs = [dequantize(x) if x.dtype == tf.uint8 else tf.cast(x, tf.float32) for x in xs]
    xs = [masking.zero_padding(x, frame_mask) for x in xs]
    if self.normalization != "none":
      squares = tf.add_n([tf.reduce_sum(x * x, axis=-1, keepdims=True) for x in xs])
      scale = tf.math.rsqrt(tf.maximum(squares, 1e-12))
      if self.normalization == "rms":
        scale *= float(sum(x.shape[-1] for x in xs)) ** 0.5
      xs = [x * scale for x in xs]
    return [tf.cast(x, self.compute_dtype) for x in xs]

  def get_config(self):
    return {**super().get_config(), "names": self.names,
            "normalization": self.normalization}
