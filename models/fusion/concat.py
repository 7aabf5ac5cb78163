# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fusion by concatenation."""

import tensorflow as tf

from yt8m.models import registries

keras = tf.keras


@registries.FUSIONS.register("concat")
@keras.utils.register_keras_serializable(package="yt8m")
class Concat(keras.layers.Layer):
  """Concatenates the modalities: `x_t = [v_t ; a_t]`.

  Call arguments:
    features: list of (batch_size, num_frames, dim_m), or (batch_size, dim_m) at
      video level.
    frame_mask: unused; padded frames stay 0.

  Returns:
    (batch_size, num_frames, Σ_m dim_m), or (batch_size, Σ_m dim_m).
  """

  def call(self, features, frame_mask=None):
    return features[0] if len(features) == 1 else tf.concat(features, axis=-1)
