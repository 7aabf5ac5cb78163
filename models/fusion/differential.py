# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Differential features: every frame beside its change."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import masking

keras = tf.keras


@registries.FUSIONS.register("differential")
@keras.utils.register_keras_serializable(package="yt8m")
class Differential(keras.layers.Layer):
  """Appends to every fused frame its difference from the frame before.

      y = fusion(x),   z_t = [y_t ; y_t − y_{t−1}],   y_0 := y_1

  The first difference is 0. Motion shows in the second half whatever the scene.

  Args:
    fusion: the fusion that it wraps, a name or `{"name": …, **hparams}`.

  Call arguments:
    features: list of (batch_size, num_frames, dim_m), as the wrapped fusion takes them.
    frame_mask: (batch_size, num_frames), bool. Padded frames stay 0, and no difference
      reaches into them.

  Returns:
    (batch_size, num_frames, 2 · dim) for a fusion to (batch_size, num_frames, dim),
    with the intermediates of that fusion.

  Raises:
    ValueError: features without frames.
  """

  def __init__(self, fusion="concat", **kwargs):
    super().__init__(**kwargs)
    self.fusion_config = registries.resolve(registries.FUSIONS, fusion)
    self.fusion = registries.build_option(registries.FUSIONS, self.fusion_config)

  def build(self, input_shape):
    if len(input_shape[0]) != 3:
      raise ValueError("Fusion 'differential' compares frames, and the features are "
                       "video-level: add --frame_features, or choose another --fusion.")
    self.built = True

  def call(self, features, frame_mask=None):
    x, intermediates = registries.split_intermediates(
        self.fusion(features, frame_mask=frame_mask))
    before = tf.concat([x[:, :1], x[:, :-1]], axis=1)
    x = tf.concat([x, x - before], axis=-1)
    return masking.zero_padding(x, frame_mask), intermediates

  def get_config(self):
    return {**super().get_config(), "fusion": self.fusion_config}
