# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fusions frame by frame: concatenation, sum, differences between neighbours."""

from typing import Any

import tensorflow as tf

from yt8m.core import types
from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import masking

keras = tf.keras


@registries.FUSIONS.register("concat")
class Concat(base.Layer):
  """Concatenates the modalities: `x_t = [v_t ; a_t]`.

  Call arguments:
    features: List of (batch_size, num_frames, dim_m), or of (batch_size, dim_m) for
      video-level features.
    frame_mask: Unused. Padded frames are 0 and remain 0.

  Returns:
    (batch_size, num_frames, Σ_m dim_m), or (batch_size, Σ_m dim_m).
  """

  keeps_values_apart = True  # Each output is one input: it can come after a mean.

  def call(self, features: list[tf.Tensor],
           frame_mask: tf.Tensor | None = None) -> tf.Tensor:
    return features[0] if len(features) == 1 else tf.concat(features, axis=-1)


@registries.FUSIONS.register("sum")
class Sum(base.Layer):
  """Projects every modality to one space and adds them: `x_t = Σ_m W_m x_tm + b_m`.

  Args:
    units: Size of the common space.

  Call arguments:
    features: List of (batch_size, num_frames, dim_m), or of (batch_size, dim_m) for
      video-level features.
    frame_mask: (batch_size, num_frames), bool. Padded frames are 0 and remain 0, without
      the biases. A modality that a video lacks adds nothing, not even its bias.

  Returns:
    (batch_size, num_frames, units), or (batch_size, units).
  """

  def __init__(self, units: int = 512, **kwargs: Any):
    super().__init__(**kwargs)
    self.units = units

  def build(self, input_shape: Any) -> None:
    self.projections = [keras.layers.Dense(self.units) for _ in input_shape]
    for projection, shape in zip(self.projections, input_shape, strict=True):
      projection.build(shape)

  def call(self, features: list[tf.Tensor],
           frame_mask: tf.Tensor | None = None) -> tf.Tensor:
    valid = tf.expand_dims(tf.ones(tf.shape(features[0])[:-1], tf.bool)
                           if frame_mask is None else frame_mask, -1)
    # Without its bias, 0 remains 0. So only the biases need masks, and one product adds
    # everything: Σ_m W_m x_m + b_m = [W_1 ; b_1 ; W_2 ; b_2 …]ᵀ [x_1 ; 1 ; x_2 ; 1 …].
    xs, weights = [], []
    for projection, x in zip(self.projections, features, strict=True):
      xs += [x, tf.cast(masking.is_there(x) & valid, x.dtype)]
      weights += [projection.kernel, projection.bias[tf.newaxis]]
    return tf.tensordot(tf.concat(xs, axis=-1), tf.concat(
        [tf.cast(weight, xs[0].dtype) for weight in weights], axis=0), 1)


@registries.FUSIONS.register("differential")
class Differential(base.Layer):
  """Appends to every fused frame its difference from the previous frame.

      y = fusion(x),   z_t = [y_t ; y_t − y_{t−1}],   y_0 := y_1

  The first difference is 0. The second half shows motion whatever the scene.

  Args:
    fusion: Config of the wrapped fusion, a name or `{"name": …, **hparams}`.

  Call arguments:
    features: List of (batch_size, num_frames, dim_m), as the wrapped fusion takes them.
    frame_mask: (batch_size, num_frames), bool. Padded frames remain 0, and no
      difference involves them.

  Returns:
    (batch_size, num_frames, 2 · dim) for a fusion that returns (batch_size, num_frames,
    dim), and the intermediates of that fusion.

  Raises:
    ValueError: The features have no frames.
  """

  def __init__(self, fusion: types.OptionConfig = "concat", **kwargs: Any):
    super().__init__(**kwargs)
    self.fusion = registries.build_option(registries.FUSIONS, fusion)

  def check_input(self, num_modalities: int, frames: bool) -> None:
    """Raises a ValueError unless there are frames, which the wrapped fusion can fuse."""
    if not frames:
      raise ValueError("Fusion 'differential' compares frames, but the features are "
                       "video-level: train with --frame_features, or choose another "
                       "--fusion.")
    registries.check_fusion(self.fusion, num_modalities, frames)

  def build(self, input_shape: Any) -> None:
    self.check_input(len(input_shape), len(input_shape[0]) == 3)
    with tf.name_scope(self.fusion.name):  # Part of the names of variables in Keras 2.
      self.fusion.build(input_shape)

  def call(self, features: list[tf.Tensor],
           frame_mask: tf.Tensor | None = None) -> types.Outputs:
    x, intermediates = registries.split_intermediates(
        registries.call_on_frames(self.fusion, features, frame_mask))
    previous = tf.concat([x[:, :1], x[:, :-1]], axis=1)
    x = tf.concat([x, x - previous], axis=-1)
    return masking.zero_padding(x, frame_mask), intermediates
