# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""From the bytes of records to the input of a model: dequantise, mask, normalise."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from yt8m.core import compat
from yt8m.core import numerics
from yt8m.core import registry
from yt8m.core import types
from yt8m.models.layers import base
from yt8m.models.layers import masking
from yt8m.models.layers import xla

NORMALIZATIONS = ("l2", "rms", "none")


class InputFeatures(base.Layer):
  """Turns the features of a batch into normalised float vectors, one for each modality.

      x = low + q (high − low)/255   for 8-bit input; float input remains as it is
      x_t = 0                     for padded frames t, and for all frames if the bytes
                                  of all valid frames are 0: the video lacks x, as it
                                  does if all its floats are 0
      l2:   x_t / sqrt(max(Σ_m Σ_i x_tmi², 1e-12))
      rms:  the same, times sqrt(D), so that every value is of order 1
      none: x_t

  The norm is over all modalities together, D being their total size, as in the starter
  code, which normalises the concatenated vector.

  The layer computes in float32 under every policy and returns the compute dtype of the
  policy.

  Args:
    names: Feature names, in the order of concatenation.
    normalization: Normalisation, "l2" (as in the starter code), "rms" or "none".
    ranges: Values that the bytes 0 and 255 of features stand for, by name. Default: those
      of YouTube-8M, -1.9921875 and 2.0078125.

  Call arguments:
    features: `{name: (batch_size, num_frames, size) uint8 or float}`, or
      `{name: (batch_size, size)}` for video-level features.
    frame_mask: (batch_size, num_frames), bool; None for video-level features. Padded
      frames become 0.

  Returns:
    List of tensors of the same shapes, in the order of `names`.

  Raises:
    ValueError: `normalization` is unknown, or a feature is missing.

  Reference: YouTube-8M starter code, `utils.Dequantize` and `train.build_graph`.
  """

  def __init__(self, names: Sequence[str], normalization: str = "l2",
               ranges: Mapping[str, numerics.Range] | None = None, **kwargs: Any):
    super().__init__(autocast=False, **kwargs)
    if normalization not in NORMALIZATIONS:
      raise registry.unknown("normalization", normalization, NORMALIZATIONS)
    self.names, self.normalization = list(names), normalization
    self.ranges = dict(ranges or {})

  def build(self, features_shape: dict[str, Any], *other_shapes: Any) -> None:
    """Creates nothing, but Keras records the shapes for `summary`."""

  def call(self, features: types.Features,
           frame_mask: tf.Tensor | None = None, training: bool = False
           ) -> list[tf.Tensor]:
    missing = [name for name in self.names if name not in features]
    if missing:
      raise ValueError(f"The batch has no feature {missing[0]!r}; it has "
                       f"{sorted(features)} (--feature_names).")
    bounds = tuple(self.ranges.get(name, numerics.YOUTUBE_8M) for name in self.names)
    return _normalize([features[name] for name in self.names], frame_mask, bounds,
                      self.normalization, self.compute_dtype, training=training)

  def compute_output_shape(self, features_shape: dict[str, Any], *other_shapes: Any
                           ) -> list[tuple[int | None, ...]]:
    """Returns the shapes of the vectors, for `summary`."""
    return [(*(None for _ in features_shape[name][:-1]), features_shape[name][-1])
            for name in self.names]


@xla.compiled_in_training
def _normalize(xs: list[Any], frame_mask: tf.Tensor | None,
               bounds: tuple[numerics.Range, ...], normalization: str, dtype: str
               ) -> list[tf.Tensor]:
  """Returns `xs` as masked and normalised vectors of type `dtype`."""
  xs = [_masked_floats(x, frame_mask, b) for x, b in zip(xs, bounds, strict=True)]
  if normalization != "none":
    squares = tf.add_n([_squared_length(x) for x in xs])
    scale = tf.math.rsqrt(tf.maximum(squares, 1e-12))
    if normalization == "rms":
      scale *= float(sum(x.shape[-1] for x in xs)) ** 0.5
    xs = [x * scale for x in xs]
  return [tf.cast(x, dtype) for x in xs]


def _masked_floats(x: tf.Tensor, frame_mask: tf.Tensor | None, bounds: numerics.Range
                   ) -> tf.Tensor:
  if x.dtype != tf.uint8:
    return masking.zero_padding(tf.cast(x, tf.float32), frame_mask)
  valid = masking.is_there(x, frame_mask)
  if frame_mask is not None:
    valid &= frame_mask[:, :, tf.newaxis]
  # Dequantised, and 0 where it is not valid. Bytes are finite: no selection is needed,
  # which would write another array of this size.
  valid, (low, high) = tf.cast(valid, tf.float32), bounds
  return tf.cast(x, tf.float32) * ((high - low) / 255 * valid) + low * valid


def _squared_length(x: tf.Tensor) -> tf.Tensor:
  """Returns `Σ_i x_i²` along the last axis, which stays as one of size 1."""
  if compat.is_compiled_by_xla():  # It computes x and sums in one pass.
    return tf.reduce_sum(tf.square(x), axis=-1, keepdims=True)
  return tf.squeeze(tf.matmul(tf.expand_dims(x, -2), tf.expand_dims(x, -1)), -1)
