# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by multi-head attention pooling."""

from typing import Any

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import attention_scores
from yt8m.models.layers import base

keras = tf.keras


@registries.AGGREGATIONS.register("attention_pooling")
class AttentionPooling(base.Layer):
  """Averages the frames with separate weights for each head.

      a_ht = softmax_t(w_hᵀ tanh(W x_t + b))
      y_h  = V_h Σ_t a_ht x_t             (units / num_heads,)
      y    = [y_1 ; … ; y_H]              (units,)

  Since V_h Σ_t a_ht x_t = Σ_t a_ht V_h x_t, the values are computed after the sum, once
  for each video instead of once for each frame.

  Args:
    num_heads: Number of heads, H.
    units: Size of the output, a multiple of `num_heads`.
    hidden: Size of the tanh layer.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames have weight 0.

  Returns:
    (batch_size, units), and the intermediate `attention`, (batch_size, num_heads,
    num_frames).

  Raises:
    ValueError: `units` is not a multiple of `num_heads`.

  Reference: Lin et al. 2017 (arXiv:1703.03130), equations 6 and 7, for the attention;
  Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.2, for the values of each head.
  """

  def __init__(self, num_heads: int = 8, units: int = 1024, hidden: int = 256,
               **kwargs: Any):
    super().__init__(**kwargs)
    if units % num_heads:
      raise ValueError(f"attention_pooling has units={units}, which is not a multiple of "
                       f"num_heads={num_heads} (--hparams).")
    self.num_heads, self.units, self.hidden = num_heads, units, hidden

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    self.scores = base.built(
        attention_scores.AttentionScores(self.num_heads, self.hidden, name="scores"),
        None, None, dim)
    self.values = self.add_weight(
        name="values", shape=(self.num_heads, dim, self.units // self.num_heads),
        initializer=keras.initializers.RandomNormal(stddev=dim ** -0.5))

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None
           ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    scores = tf.transpose(self.scores(x), [0, 2, 1])
    mask = None if frame_mask is None else frame_mask[:, tf.newaxis, :]
    attention = attention_scores.masked_softmax(scores, mask)
    pooled = tf.matmul(tf.cast(attention, x.dtype), x)
    heads = tf.einsum("bhd,hdu->bhu", pooled, tf.cast(self.values, x.dtype))
    return tf.reshape(heads, [-1, self.units]), {"attention": attention}
