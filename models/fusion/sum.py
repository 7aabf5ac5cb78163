# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fusion by element-wise summation after a linear transformation."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import masking

keras = tf.keras


@registries.FUSIONS.register("sum")
@keras.utils.register_keras_serializable(package="yt8m")
class Sum(keras.layers.Layer):
  """Projects every modality to one space and adds: `x_t = Σ_m W_m x_tm + b_m`.

  Args:
    units: size of the common space.

  Call arguments:
    features: list of (batch_size, num_frames, dim_m), or (batch_size, dim_m) at
      video level.
    frame_mask: (batch_size, num_frames), bool. Padded frames are set back to 0 after the
      biases.

  Returns:
    (batch_size, num_frames, units), or (batch_size, units).
  """

  def __init__(self, units=512, **kwargs):
    super().__init__(**kwargs)
    self.units = units

  def build(self, input_shape):
    self.projections = [keras.layers.Dense(self.units)
                        for _ in input_shape]
    for projection, shape in zip(self.projections, input_shape, strict=True):
      projection.build(shape)
    self.built = True

  def call(self, features, frame_mask=None):
    projected = [project(x) for project, x in
                 zip(self.projections, features, strict=True)]
    return masking.zero_padding(tf.add_n(projected), frame_mask)

  def get_config(self):
    return {**super().get_config(), "units": self.units}
