# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Adam and AdamW of Keras, with one operation for the update of a variable."""

from typing import Any

import tensorflow as tf

from yt8m.models.layers import variables

keras = tf.keras


class _OneOperation:
  """Mixin that updates a variable and both of its slots in one pass over memory.

      m ← m + (1 − β₁) (g − m),   v ← v + (1 − β₂) (g² − v)
      w ← w − η · sqrt(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (sqrt(v) + ε)

  Keras 3 computes the same with about twelve operations, each of which reads and writes
  arrays as large as the variable. What the operation cannot do (sparse gradients,
  `amsgrad`, other types than float32, and all of Keras 2) is left to Keras.

  Reference: Kingma and Ba 2014 (arXiv:1412.6980), end of section 2.
  """

  def update_step(self, gradient: Any, variable: Any, *learning_rate: Any) -> None:
    optimizer: Any = self
    if not (learning_rate and isinstance(gradient, tf.Tensor) and not optimizer.amsgrad
            and variable.dtype == tf.float32):
      parent: Any = super()
      parent.update_step(gradient, variable, *learning_rate)
      return
    index = optimizer._get_variable_index(variable)
    step = tf.cast(tf.convert_to_tensor(optimizer.iterations) + 1, tf.float32)
    tf.raw_ops.ResourceApplyAdam(
        var=variables.tf_variable(variable).handle,
        m=variables.tf_variable(optimizer._momentums[index]).handle,
        v=variables.tf_variable(optimizer._velocities[index]).handle,
        beta1_power=tf.pow(optimizer.beta_1, step),
        beta2_power=tf.pow(optimizer.beta_2, step),
        lr=tf.cast(learning_rate[0], tf.float32), beta1=optimizer.beta_1,
        beta2=optimizer.beta_2, epsilon=optimizer.epsilon,
        grad=tf.cast(gradient, tf.float32))


class Adam(_OneOperation, keras.optimizers.Adam):
  """Adam, see `_OneOperation` and `keras.optimizers.Adam`."""


class AdamW(_OneOperation, keras.optimizers.AdamW):
  """Adam with decoupled weight decay, see `keras.optimizers.AdamW`."""
