# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a transformer encoder and pooling by learned queries."""

from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import registry
from yt8m.models import registries
from yt8m.models.layers import attention_scores
from yt8m.models.layers import base
from yt8m.models.layers import masking

keras = tf.keras

POSITIONS = ("sinusoidal", "none")


class MultiHeadAttention(base.Layer):
  """Lets every query read the valid frames, with separate weights for each head.

      a_hqt = softmax_t(W_Qh z_q · W_Kh x_t / √d),   d = units / num_heads
      y_q   = W_O [Σ_t a_1qt W_V1 x_t ; … ; Σ_t a_Hqt W_VH x_t]

  `keras.layers.MultiHeadAttention` reads the padding of a video without valid frames: in
  Keras 2, and in Keras 3 unless it returns the weights. With the weights, its softmax is
  of half precision under a mixed policy. Its `build` takes other arguments in Keras 2.

  Args:
    num_heads: Number of heads, H.
    units: Size of the queries, the frames and the output, a multiple of `num_heads`.

  Call arguments:
    queries: z, (batch_size, num_queries, units), or (1, num_queries, units) for queries
      that all videos share.
    x: (batch_size, num_frames, units).
    frame_mask: (batch_size, num_frames), bool. Padded frames have weight 0.

  Returns:
    (batch_size, num_queries, units), 0 for a video without valid frames; and the weights
    a, (batch_size, num_heads, num_queries, num_frames) float32.

  Reference: Vaswani et al. 2017 (arXiv:1706.03762), equation 1 and section 3.2.2. As
  there, the projections have no biases.
  """

  def __init__(self, num_heads: int, units: int, **kwargs: Any):
    super().__init__(**kwargs)
    self.num_heads, self.units = num_heads, units

  def build(self, input_shape: Any) -> None:
    self.query, self.key, self.value, self.output_projection = (
        base.built(keras.layers.Dense(self.units, use_bias=False, name=name),
                   None, None, self.units)
        for name in ("query", "key", "value", "output_projection"))

  def call(self, queries: tf.Tensor, x: tf.Tensor, frame_mask: tf.Tensor | None = None
           ) -> tuple[tf.Tensor, tf.Tensor]:
    # Scaled before the product, which could otherwise overflow float16.
    z = self._split(self.query(queries)) * (self.units // self.num_heads) ** -0.5
    scores = tf.matmul(z, self._split(self.key(x)), transpose_b=True)
    mask = None if frame_mask is None else frame_mask[:, tf.newaxis, tf.newaxis, :]
    weights = attention_scores.masked_softmax(scores, mask)
    heads = tf.matmul(tf.cast(weights, x.dtype), self._split(self.value(x)))
    joined = tf.reshape(tf.transpose(heads, [0, 2, 1, 3]),
                        [-1, tf.shape(queries)[1], self.units])
    return self.output_projection(joined), weights

  def _split(self, x: tf.Tensor) -> tf.Tensor:
    """(batch_size, length, units) to (batch_size, num_heads, length, d)."""
    heads = tf.reshape(x, [-1, tf.shape(x)[1], self.num_heads,
                           self.units // self.num_heads])
    return tf.transpose(heads, [0, 2, 1, 3])


class EncoderLayer(base.Layer):
  """Relates the frames of a video to each other, then transforms each of them.

      u_t = x_t + dropout(attention(LN(x), LN(x))_t)         `MultiHeadAttention`
      y_t = u_t + dropout(W₂ max(0, W₁ LN(u_t) + b₁) + b₂)

  Each LN stands before its sublayer (pre-norm). The sum x_t → u_t → y_t is not
  normalised, so gradients reach the first layer without a long warm-up.

  Args:
    num_heads: Number of heads.
    units: Size of x_t and y_t.
    mlp_ratio: Size of W₁ x divided by `units`.
    dropout: Share of the values that are dropped in training.

  Call arguments:
    x: (batch_size, num_frames, units).
    frame_mask: (batch_size, num_frames), bool. No frame reads padded frames.

  Returns:
    (batch_size, num_frames, units), with arbitrary values at padded frames.

  Reference: Xiong et al. 2020 (arXiv:2002.04745), table 1, pre-LN; the sublayers and the
  places of the dropout are those of Vaswani et al. 2017 (arXiv:1706.03762), sections 3.3
  and 5.4.
  """

  def __init__(self, num_heads: int, units: int, mlp_ratio: int, dropout: float = 0.0,
               **kwargs: Any):
    super().__init__(**kwargs)
    self.num_heads, self.units = num_heads, units
    self.mlp_ratio, self.dropout = mlp_ratio, dropout

  def build(self, input_shape: Any) -> None:
    hidden = self.mlp_ratio * self.units
    self.attention_norm = layer_norm(self.units, "attention_norm")
    self.attention = base.built(
        MultiHeadAttention(self.num_heads, self.units, name="attention"),
        None, None, self.units)
    self.mlp_norm = layer_norm(self.units, "mlp_norm")
    self.hide = base.built(
        keras.layers.Dense(hidden, activation="relu", name="hide"),
        None, None, self.units)
    self.project = base.built(
        keras.layers.Dense(self.units, name="project"), None, None, hidden)
    self.drop_attention = keras.layers.Dropout(self.dropout, name="drop_attention")
    self.drop_mlp = keras.layers.Dropout(self.dropout, name="drop_mlp")

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tf.Tensor:
    normalized = self.attention_norm(x)
    read, _ = self.attention(normalized, normalized, frame_mask=frame_mask)
    x += self.drop_attention(read, training=training)
    y = self.project(self.hide(self.mlp_norm(x)))
    return x + self.drop_mlp(y, training=training)


@registries.AGGREGATIONS.register("transformer")
class Transformer(base.Layer):
  """Relates all frames to each other, and pools them by learned queries.

      z_t^0 = dropout(W x_t + b + p_t)                    (units,)
      z^n   = EncoderLayer(z^{n−1}),   n = 1, …, N
      y_q   = attention(s_q, LN(z^N))                     `MultiHeadAttention`
      y     = [y_1 ; … ; y_Q]                             (num_queries · units,)

  p_t are the `sinusoids`, and s_q are learned. Time and memory of the attention grow with
  num_frames²: one tensor of weights takes 4 · num_heads · num_frames² bytes for each
  video and layer, 3 MB for 300 frames and 8 heads, and training keeps two or three.

  The default size needs a lower learning rate than other aggregations, about 0.0003
  (`--base_learning_rate`). With 0.01, the default of `yt8m-train`, the loss rises.

  Args:
    units: Size of the frames inside, a multiple of `num_heads`.
    num_layers: Number of encoder layers, N; one to four in practice.
    num_heads: Number of heads of each attention.
    mlp_ratio: Size of the hidden layers of the encoder divided by `units`.
    num_queries: Number of learned queries, Q.
    position: `"sinusoidal"`, or `"none"`, p_t = 0, for which the order of the frames does
      not matter.
    dropout: Share of the values that are dropped in training; 0.1 in the paper.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames are neither read by other
      frames nor pooled.

  Returns:
    (batch_size, num_queries · units), 0 for a video without valid frames, and the
    intermediate `attention` of the queries, (batch_size, num_heads, num_queries,
    num_frames).

  Raises:
    ValueError: `units` is not a multiple of `num_heads`, a number is less than 1, or
      `position` is unknown.

  Reference: Vaswani et al. 2017 (arXiv:1706.03762) and Xiong et al. 2020
  (arXiv:2002.04745) for the encoder; Lee et al. 2019 (arXiv:1810.00825), section 3.2, for
  the learned queries, here without the layers that follow them there.
  """

  def __init__(self, units: int = 512, num_layers: int = 2, num_heads: int = 8,
               mlp_ratio: int = 4, num_queries: int = 1, position: str = "sinusoidal",
               dropout: float = 0.0, **kwargs: Any):
    super().__init__(**kwargs)
    for name, value in (("units", units), ("num_layers", num_layers),
                        ("num_heads", num_heads), ("mlp_ratio", mlp_ratio),
                        ("num_queries", num_queries)):
      if value < 1:
        raise ValueError(f"transformer has {name}={value}, which is less than 1 "
                         "(--hparams).")
    if units % num_heads:
      raise ValueError(f"transformer has units={units}, which is not a multiple of "
                       f"num_heads={num_heads} (--hparams).")
    if position not in POSITIONS:
      raise registry.unknown("position", position, POSITIONS, "Set it with --hparams.")
    self.units, self.num_layers, self.num_heads = units, num_layers, num_heads
    self.mlp_ratio, self.num_queries = mlp_ratio, num_queries
    self.position, self.dropout = position, dropout

  def build(self, input_shape: Any) -> None:
    units = self.units
    self.project = base.built(
        keras.layers.Dense(units, name="project"), None, None, input_shape[-1])
    self.drop = keras.layers.Dropout(self.dropout, name="drop")
    self.encoder = [
        base.built(EncoderLayer(self.num_heads, units, self.mlp_ratio, self.dropout,
                                name=f"layer_{n}"), None, None, units)
        for n in range(self.num_layers)]
    self.norm = layer_norm(units, "norm")
    # Small, so that the first attention is close to the mean of the frames.
    self.queries = self.add_weight(
        name="queries", shape=(self.num_queries, units),
        initializer=keras.initializers.RandomNormal(stddev=units ** -0.5))
    self.pool = base.built(
        MultiHeadAttention(self.num_heads, units, name="pool"), None, None, units)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    # Weight 0 does not suffice: 0 times a value that is not finite is not 0.
    x = self.project(masking.zero_padding(x, frame_mask))
    if self.position == "sinusoidal":
      x += tf.cast(sinusoids(tf.shape(x)[1], self.units), x.dtype)
    x = self.drop(x, training=training)
    for layer in self.encoder:
      x = layer(x, frame_mask=frame_mask, training=training)
    queries = tf.cast(self.queries, x.dtype)[tf.newaxis]
    pooled, attention = self.pool(queries, self.norm(x), frame_mask=frame_mask)
    return (tf.reshape(pooled, [-1, self.num_queries * self.units]),
            {"attention": attention})


def sinusoids(num_frames: int | tf.Tensor, units: int) -> tf.Tensor:
  """Returns the position encoding: (num_frames, units) float32.

      p_{t, 2i} = sin(t / c^{2i / units}),   p_{t, 2i+1} = cos(t / c^{2i / units}),
      c = 10000

  Reference: Vaswani et al. 2017 (arXiv:1706.03762), section 3.5.
  """
  column = np.arange(units)
  rates = 10000.0 ** (-2.0 * (column // 2) / units)
  phases = np.pi / 2 * (column % 2)  # sin(x + π/2) = cos(x)
  frames = tf.range(num_frames, dtype=tf.float32)[:, tf.newaxis]
  return tf.sin(frames * rates.astype(np.float32) + phases.astype(np.float32))


def layer_norm(units: int, name: str) -> Any:
  """Returns a built layer normalisation of vectors of `units` values."""
  return base.built(keras.layers.LayerNormalization(epsilon=1e-6, name=name),
                    None, None, units)
