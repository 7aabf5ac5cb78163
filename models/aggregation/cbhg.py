# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by CBHG: convolution bank, highway network, bidirectional GRU."""

from typing import Any

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import batch_norm
from yt8m.models.layers import masking
from yt8m.models.layers import recurrent

keras = tf.keras


class FrameConvolution(base.Layer):
  """Convolves the frames of a video, normalises and activates the result.

      y_t = φ(BN(Σ_{i=1}^k W_i x_{t + i − ⌈k/2⌉})),   x_t = 0 outside the video

  Args:
    filters: Size of y_t.
    width: Number of frames that the convolution spans, k.
    activation: Keras name of the activation φ. None is the identity.
    batch_norm_decay: Decay of the moving averages.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames count as 0 for their
      neighbours and do not contribute to the statistics.

  Returns:
    (batch_size, num_frames, filters), 0 at padded frames.

  Reference: Ioffe & Szegedy 2015 (arXiv:1502.03167), section 3.2, for BN before φ.
  """

  def __init__(self, filters: int, width: int, activation: str | None = None,
               batch_norm_decay: float = 0.999, **kwargs: Any):
    super().__init__(**kwargs)
    self.filters, self.width, self.activation = filters, width, activation
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape: Any) -> None:
    self.convolve = base.built(
        keras.layers.Conv1D(self.filters, self.width, padding="same", use_bias=False,
                            name="convolve"), None, None, input_shape[-1])
    self.norm = base.built(batch_norm.BatchNorm(self.batch_norm_decay, name="norm"),
                           None, None, self.filters)
    self.activate = keras.activations.get(self.activation)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tf.Tensor:
    y = self.convolve(masking.zero_padding(x, frame_mask))
    y = self.norm(y, frame_mask=frame_mask, training=training)
    return masking.zero_padding(self.activate(y), frame_mask)


class Highway(base.Layer):
  """Mixes a vector with a transformation of it, value by value.

      g = σ(W_g x + b_g)
      y = g ⊙ ReLU(W x + b) + (1 − g) ⊙ x

  Args:
    gate_bias: Initial value of b_g. A negative value lets deep stacks start as the
      identity.

  Call arguments:
    x: (..., dim).

  Returns:
    A tensor of the shape of x.

  Reference: Srivastava et al. 2015 (arXiv:1505.00387), equation 3 and section 2.2.
  """

  def __init__(self, gate_bias: float = -1.0, **kwargs: Any):
    super().__init__(**kwargs)
    self.gate_bias = gate_bias

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    self.transform = base.built(
        keras.layers.Dense(dim, activation="relu", name="transform"), None, dim)
    self.gate = base.built(
        keras.layers.Dense(
            dim, activation="sigmoid", name="gate",
            bias_initializer=keras.initializers.Constant(self.gate_bias)), None, dim)

  def call(self, x: tf.Tensor) -> tf.Tensor:
    gate = self.gate(x)
    return gate * self.transform(x) + (1 - gate) * x


@registries.AGGREGATIONS.register("cbhg")
class Cbhg(base.Layer):
  """Describes frames by their local and long-range context, and averages them.

      e_t = W x_t + b                                    (units,)
      c_t = [conv_1(e)_t ; … ; conv_K(e)_t]              ReLU; conv_k spans k frames
      p_t = max(c_t, c_{t+1})
      r_t = e_t + conv_3(ReLU(conv_3(p)))_t              residual connection
      g_t = highway_N(… highway_1(r_t))
      h   = Σ_t m_t [GRU→(g)_t ; GRU←(g)_t] / Σ_t m_t    (2 units,)

  Every convolution is a `FrameConvolution` with batch normalisation. The first line
  replaces the pre-net of the paper and gives frames the size of the residual.

  Args:
    units: Size of the frames inside, and of the GRU state of each direction.
    bank_size: Number of convolutions in the bank, of widths 1 to K.
    num_highways: Number of highway layers, N.
    batch_norm_decay: Decay of the moving averages, as in `ClusterPooling`.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames count as 0 in the
      convolutions. The GRU does not read them, and they are not averaged.

  Returns:
    (batch_size, 2 · units).

  Reference: Wang et al. 2017 (arXiv:1703.10135), section 3.1 and the encoder of table 1.
  """

  def __init__(self, units: int = 128, bank_size: int = 16, num_highways: int = 4,
               batch_norm_decay: float = 0.999, **kwargs: Any):
    super().__init__(**kwargs)
    self.units, self.bank_size = units, bank_size
    self.num_highways, self.batch_norm_decay = num_highways, batch_norm_decay

  def build(self, input_shape: Any) -> None:
    units = self.units
    self.embed = base.built(
        keras.layers.Dense(units, name="embed"), None, input_shape[-1])
    self.bank = [self._convolution(1 + k, "relu", units) for k in range(self.bank_size)]
    self.projections = [self._convolution(3, "relu", self.bank_size * units),
                        self._convolution(3, None, units)]
    self.highways = [base.built(Highway(), None, None, units)
                     for _ in range(self.num_highways)]
    self.gru = base.built(
        recurrent.Bidirectional(units, cell="gru", name="gru"), None, None, units)

  def _convolution(self, width: int, activation: str | None, dim: int
                   ) -> FrameConvolution:
    return base.built(
        FrameConvolution(self.units, width, activation, self.batch_norm_decay),
        None, None, dim)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tf.Tensor:
    embedded = masking.zero_padding(self.embed(x), frame_mask)
    x = tf.concat([convolution(embedded, frame_mask=frame_mask, training=training)
                   for convolution in self.bank], axis=-1)
    # After a ReLU, the 0 of a padded frame is never the larger of two values.
    x = tf.nn.max_pool1d(x, ksize=2, strides=1, padding="SAME")
    for projection in self.projections:
      x = projection(x, frame_mask=frame_mask, training=training)
    x += embedded
    for layer in self.highways:
      x = layer(x)
    outputs, _ = self.gru(x, frame_mask=frame_mask)
    return masking.masked_mean(outputs, frame_mask)
