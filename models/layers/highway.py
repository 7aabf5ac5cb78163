# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A highway layer: each value is transformed, or carried through."""

import tensorflow as tf

keras = tf.keras


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
