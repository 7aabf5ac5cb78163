# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Convolution over the frames of a video, followed by batch normalisation."""

import tensorflow as tf

from yt8m.models.layers import batch_norm
from yt8m.models.layers import masking

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class FrameConvolution(keras.layers.Layer):
  """Looks at the frames around each frame.

      y_t = φ(BN(Σ_{i=1}^k W_i x_{t + i − ⌈k/2⌉})),   x_t = 0 outside the video

  Args:
    filters: size of y_t.
    width: k, the frames that are looked at.
    activation: φ, a Keras name; None is the identity.
    batch_norm_decay: of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames are 0 to their neighbours
      and contribute to no statistic.

  Returns:
    (batch_size, num_frames, filters), 0 at padded frames.

  Reference: Ioffe & Szegedy 2015 (arXiv:1502.03167), section 3.2, for BN before φ.
  """

  def __init__(self, filters, width, activation=None, batch_norm_decay=0.999, **kwargs):
    super().__init__(**kwargs)
    self.filters, self.width, self.activation = filters, width, activation
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape):
    self.convolve = keras.layers.Conv1D(
        self.filters, self.width, padding="same", use_bias=False, name="convolve")
    self.convolve.build((None, None, input_shape[-1]))
    self.norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm")
    self.norm.build((None, None, self.filters))
    self.activate = keras.activations.get(self.activation)
    self.built = True

  def call(self, x, frame_mask=None, training=False):
    y = self.convolve(masking.zero_padding(x, frame_mask))
    y = self.norm(y, frame_mask=frame_mask, training=training)
    return masking.zero_padding(self.activate(y), frame_mask)

  def get_config(self):
    return {**super().get_config(), "filters": self.filters, "width": self.width,
            "activation": self.activation, "batch_norm_decay": self.batch_norm_decay}
