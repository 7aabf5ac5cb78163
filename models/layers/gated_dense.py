# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A dense layer with batch normalisation, activation and gating, each by choice."""

import tensorflow as tf

from yt8m.models.layers import batch_norm
from yt8m.models.layers import gating as gatings

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class GatedDense(keras.layers.Layer):
  """Transforms a vector, then gates it.

      h = gate(φ(W dropout(x) + b))
      with batch normalisation: h = gate(φ(BN(W dropout(x))))

  Args:
    units: width of the output.
    activation: φ, any Keras activation; None for the identity.
    input_dropout: share of the input values dropped in training.
    use_batch_norm: normalise W x instead of giving it a bias.
    gating: `"none"`, `"context"` (`ContextGating`) or `"squeeze"` (`SqueezeGating`).
    gating_reduction: reduction of the `"squeeze"` gate.
    batch_norm_decay: of the moving averages.
    remove_diagonal: whether the context gate of a value ignores the value itself.

  Call arguments:
    x: (batch_size, dim).

  Returns:
    (batch_size, units).

  Raises:
    ValueError: unknown `gating`, or `remove_diagonal` without context gating.
  """

  def __init__(self, units, activation=None, input_dropout=0.0, use_batch_norm=False,
               gating="none", gating_reduction=8, batch_norm_decay=0.999,
               remove_diagonal=False, **kwargs):
    super().__init__(**kwargs)
    self.units, self.activation, self.input_dropout = units, activation, input_dropout
    self.use_batch_norm, self.gating = use_batch_norm, gating
    self.gating_reduction, self.batch_norm_decay = gating_reduction, batch_norm_decay
    self.remove_diagonal = remove_diagonal
    self.gate = gatings.make_gating(
        gating, gating_reduction, batch_norm_decay, remove_diagonal)

  def build(self, input_shape):
    self._phi = keras.activations.get(self.activation)
    self.drop_input = keras.layers.Dropout(self.input_dropout)
    self.dense = keras.layers.Dense(
        self.units, use_bias=not self.use_batch_norm, name="dense")
    self.dense.build((None, input_shape[-1]))
    if self.use_batch_norm:
      self.norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm")
      self.norm.build((None, self.units))
    if self.gate is not None:
      self.gate.build((None, self.units))
    self.built = True

  def call(self, x, training=False):
    h = self.dense(self.drop_input(x, training=training))
    if self.use_batch_norm:
      h = self.norm(h, training=training)
    h = self._phi(h)
    return h if self.gate is None else self.gate(h, training=training)

  def get_config(self):
    return {**super().get_config(), "units": self.units, "activation": self.activation,
            "input_dropout": self.input_dropout,
            "use_batch_norm": self.use_batch_norm, "gating": self.gating,
            "gating_reduction": self.gating_reduction,
            "batch_norm_decay": self.batch_norm_decay,
            "remove_diagonal": self.remove_diagonal}

