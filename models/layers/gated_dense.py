# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A dense layer with optional batch normalisation, activation and gating."""

from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.models.layers import base
from yt8m.models.layers import batch_norm
from yt8m.models.layers import gating as gatings

keras = tf.keras

GATINGS = ("none", "context", "squeeze")


class GatedDense(base.Layer):
  """Transforms a vector, then gates it.

      h = gate(φ(W dropout(x) + b))
      with batch normalisation: h = gate(φ(BN(W dropout(x))))

  Args:
    units: Width of the output.
    activation: Keras activation φ; None for the identity.
    input_dropout: Share of the input values dropped in training.
    use_batch_norm: Whether W x is normalised instead of having a bias.
    gating: Gate, "none", "context" (`ContextGating`) or "squeeze" (`SqueezeGating`).
    gating_reduction: Reduction of the "squeeze" gate.
    batch_norm_decay: Decay of the moving averages.
    remove_diagonal: Whether the context gate of a value ignores the value itself.

  Call arguments:
    x: (batch_size, dim).

  Returns:
    (batch_size, units).

  Raises:
    ValueError: `gating` is unknown, or `remove_diagonal` is given without context
      gating.
  """

  def __init__(self, units: int, activation: str | None = None,
               input_dropout: float = 0.0, *, use_batch_norm: bool = False,
               gating: str = "none", gating_reduction: int = 8,
               batch_norm_decay: float = 0.999, remove_diagonal: bool = False,
               **kwargs: Any):
    super().__init__(**kwargs)
    if gating not in GATINGS:
      raise registry.unknown("gating", gating, GATINGS, "Set it with --hparams.")
    if remove_diagonal and gating != "context":
      raise ValueError("remove_diagonal=True needs context gating: no other gate has a "
                       "diagonal to remove (--hparams).")
    self.units, self.activation, self.input_dropout = units, activation, input_dropout
    self.use_batch_norm, self.gating = use_batch_norm, gating
    self.gating_reduction, self.batch_norm_decay = gating_reduction, batch_norm_decay
    self.remove_diagonal = remove_diagonal
    self.gate = None
    if gating == "context":
      self.gate = gatings.ContextGating(
          remove_diagonal=remove_diagonal, batch_norm_decay=batch_norm_decay, name="gate")
    elif gating == "squeeze":
      self.gate = gatings.SqueezeGating(gating_reduction, batch_norm_decay, name="gate")

  def build(self, input_shape: Any) -> None:
    self._phi = keras.activations.get(self.activation)
    self.drop_input = keras.layers.Dropout(self.input_dropout)
    self.dense = base.built(keras.layers.Dense(
        self.units, use_bias=not self.use_batch_norm, name="dense"), *input_shape)
    if self.use_batch_norm:
      self.norm = base.built(batch_norm.BatchNorm(
          decay=self.batch_norm_decay, name="norm"), None, self.units)
    if self.gate is not None:
      self.gate.build((None, self.units))

  def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
    h = self.dense(self.drop_input(x, training=training))
    if self.use_batch_norm:
      h = self.norm(h, training=training)
    h = self._phi(h)
    return h if self.gate is None else self.gate(h, training=training)
