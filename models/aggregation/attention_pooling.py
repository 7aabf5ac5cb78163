# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by multi-head attention pooling."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import attention_scores

keras = tf.keras


@registries.AGGREGATIONS.register("attention_pooling")
@keras.utils.register_keras_serializable(package="yt8m")
class AttentionPooling(keras.layers.Layer):
  """Averages the frames once a head, each head with weights of its own.

      a_ht = softmax_t(w_hᵀ tanh(W x_t + b))
      y_h  = V_h Σ_t a_ht x_t             (units / num_heads,)
      y    = [y_1 ; … ; y_H]              (units,)

  V_h Σ_t a_ht x_t = Σ_t a_ht V_h x_t: the values are taken after the sum, so that they
  are computed once a video instead of once a frame.

  Args:
    num_heads: H.
    units: size of the output, a multiple of `num_heads`.
    hidden: size of the tanh layer.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames have no weight.

  Returns:
    (batch_size, units), and the intermediate `attention`, (batch_size, num_heads,
    num_frames).

  Raises:
    ValueError: `units` is not a multiple of `num_heads`.

  Reference: Lin et al. 2017 (arXiv:1703.03130), equations 6 and 7, for the attention;
  Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.2, for the values of each head.
  """

  def __init__(self, num_heads=8, units=1024, hidden=256, **kwargs):
    super().__init__(**kwargs)
    if units % num_heads:
      raise ValueError(f"attention_pooling has units={units}, which is not a multiple of "
                       f"num_heads={num_heads} (--hparams).")
    self.num_heads, self.units, self.hidden = num_heads, units, hidden

  def build(self, input_shape):
    dim = input_shape[-1]
    self.scores = attention_scores.AttentionScores(
        self.num_heads, self.hidden, name="scores")
    self.scores.build(input_shape)
    self.values = self.add_weight(
        name="values", shape=(self.num_heads, dim, self.units // self.num_heads),
        initializer=keras.initializers.RandomNormal(stddev=dim ** -0.5))
    self.built = True

  def call(self, x, frame_mask=None):
    scores = tf.transpose(self.scores(x), [0, 2, 1])
    mask = None if frame_mask is None else frame_mask[:, tf.newaxis, :]
    attention = attention_scores.masked_softmax(scores, mask)
    pooled = tf.matmul(tf.cast(attention, x.dtype), x)
    heads = tf.einsum("bhd,hdu->bhu", pooled, tf.cast(self.values, x.dtype))
    return tf.reshape(heads, [-1, self.units]), {"attention": attention}

  def get_config(self):
    return {**super().get_config(), "num_heads": self.num_heads, "units": self.units,
            "hidden": self.hidden}
