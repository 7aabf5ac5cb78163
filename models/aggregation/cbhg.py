# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by CBHG: convolution bank, highway network, bidirectional GRU."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import batch_norm
from yt8m.models.layers import masking
from yt8m.models.layers import recurrent

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


@keras.utils.register_keras_serializable(package="yt8m")
class Highway(keras.layers.Layer):
  """Mixes a vector with a transformation of it, value by value.

      g = σ(W_g x + b_g)
      y = g ⊙ ReLU(W x + b) + (1 − g) ⊙ x

  Args:
    gate_bias: b_g at the start; negative, so that deep stacks begin by carrying x.

  Call arguments:
    x: (..., dim).

  Returns:
    The shape of x.

  Reference: Srivastava et al. 2015 (arXiv:1505.00387), equation 3 and section 2.2.
  """

  def __init__(self, gate_bias=-1.0, **kwargs):
    super().__init__(**kwargs)
    self.gate_bias = gate_bias

  def build(self, input_shape):
    dim = input_shape[-1]
    self.transform = keras.layers.Dense(dim, activation="relu", name="transform")
    self.transform.build((None, dim))
    self.gate = keras.layers.Dense(
        dim, activation="sigmoid", name="gate",
        bias_initializer=keras.initializers.Constant(self.gate_bias))
    self.gate.build((None, dim))
    self.built = True

  def call(self, x):
    gate = self.gate(x)
    return gate * self.transform(x) + (1 - gate) * x

  def get_config(self):
    return {**super().get_config(), "gate_bias": self.gate_bias}


@registries.AGGREGATIONS.register("cbhg")
@keras.utils.register_keras_serializable(package="yt8m")
class Cbhg(keras.layers.Layer):
  """Describes frames by local and by long context, and averages them.

      e_t = W x_t + b                                    (units,)
      c_t = [conv_1(e)_t ; … ; conv_K(e)_t]              ReLU, conv_k looks at k frames
      p_t = max(c_t, c_{t+1})
      r_t = e_t + conv_3(ReLU(conv_3(p)))_t              residual connection
      g_t = highway_N(… highway_1(r_t))
      h   = Σ_t m_t [GRU→(g)_t ; GRU←(g)_t] / Σ_t m_t    (2 units,)

  Every convolution is a `FrameConvolution`, batch normalisation included. The first line
  takes the place of the paper's pre-net: it gives frames the size of the residual.

  Args:
    units: size of all frames inside, and of the GRU a direction.
    bank_size: K, the convolutions of the bank, of widths 1 … K.
    num_highways: N.
    batch_norm_decay: of the moving averages, see `NetVlad`.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames are 0 to the convolutions,
      and are neither read by the GRU nor averaged.

  Returns:
    (batch_size, 2 · units).

  Reference: Wang et al. 2017 (arXiv:1703.10135), section 3.1 and the encoder of table 1.
  """

  def __init__(self, units=128, bank_size=16, num_highways=4, batch_norm_decay=0.999,
               **kwargs):
    super().__init__(**kwargs)
    self.units, self.bank_size = units, bank_size
    self.num_highways, self.batch_norm_decay = num_highways, batch_norm_decay

  def build(self, input_shape):
    frames = (None, None, self.units)
    self.embed = keras.layers.Dense(self.units, name="embed")
    self.embed.build((None, input_shape[-1]))
    self.bank = [self._convolution(1 + k, "relu") for k in range(self.bank_size)]
    for convolution in self.bank:
      convolution.build(frames)
    self.projections = [self._convolution(3, "relu"), self._convolution(3, None)]
    self.projections[0].build((None, None, self.bank_size * self.units))
    self.projections[1].build(frames)
    self.highways = [Highway() for _ in range(self.num_highways)]
    for layer in self.highways:
      layer.build(frames)
    self.gru = recurrent.Bidirectional(self.units, cell="gru", name="gru")
    self.gru.build(frames)
    self.built = True

  def _convolution(self, width, activation):
    return FrameConvolution(
        self.units, width, activation, self.batch_norm_decay)

  def call(self, x, frame_mask=None, training=False):
    embedded = masking.zero_padding(self.embed(x), frame_mask)
    x = tf.concat([convolution(embedded, frame_mask=frame_mask, training=training)
                   for convolution in self.bank], axis=-1)
    # After a ReLU, the 0 of a padded frame never is the larger of two.
    x = tf.nn.max_pool1d(x, ksize=2, strides=1, padding="SAME")
    for projection in self.projections:
      x = projection(x, frame_mask=frame_mask, training=training)
    x += embedded
    for layer in self.highways:
      x = layer(x)
    outputs, _ = self.gru(x, frame_mask=frame_mask)
    return masking.masked_mean(outputs, frame_mask)

  def get_config(self):
    return {**super().get_config(), "units": self.units, "bank_size": self.bank_size,
            "num_highways": self.num_highways,
            "batch_norm_decay": self.batch_norm_decay}
