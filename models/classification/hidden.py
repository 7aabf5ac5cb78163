# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A hidden layer in front of any other classifier."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import wrapper
from yt8m.models.layers import gated_dense

keras = tf.keras


@registries.CLASSIFIERS.register("hidden")
@keras.utils.register_keras_serializable(package="yt8m")
class Hidden(wrapper.Wrapper):
  """Puts a non-linear layer with dropout before another head.

      h = dropout(gate(φ(W dropout(x) + b))),   p = head(h)
      with batch normalisation BN(W dropout(x)) in place of W dropout(x) + b

  Classes then share what they learn about the input, which helps most where many
  classes have few videos. After a late fusion of pooled modalities it is the dense
  part of the published NetVLAD and NeXtVLAD models.

  Args:
    units: width of the hidden layer.
    head: the classifier behind it, a name or `{"name": …, **hparams}`.
    activation: φ, any Keras activation; `"linear"` for none.
    input_dropout: share of the input values dropped in training.
    dropout: share of the hidden values dropped in training.
    use_batch_norm, gating, gating_reduction, batch_norm_decay, remove_diagonal: see
      `GatedDense`.
    Others, and shapes: see `Classifier`; `l2_penalty` is the head's.
  """

  def __init__(self, num_classes, units=2048, head="logistic", activation="relu",
               input_dropout=0.0, dropout=0.5, use_batch_norm=False, gating="none",
               gating_reduction=8, batch_norm_decay=0.999, l2_penalty=1e-8,
               remove_diagonal=False, **kwargs):
    super().__init__(num_classes, head, l2_penalty, **kwargs)
    self.dropout = dropout
    self.hidden_config = {
        "units": units, "activation": activation, "input_dropout": input_dropout,
        "use_batch_norm": use_batch_norm, "gating": gating,
        "gating_reduction": gating_reduction, "batch_norm_decay": batch_norm_decay,
        "remove_diagonal": remove_diagonal}
    self.hidden = gated_dense.GatedDense(**self.hidden_config, name="hidden")

  def build(self, input_shape):
    self.hidden.build((None, input_shape[-1]))
    self.drop_hidden = keras.layers.Dropout(self.dropout)
    self.head.build((None, self.hidden.units))
    self.built = True

  def call(self, x, labels=None, training=False):
    x = self.hidden(x, training=training)
    return self.score(self.drop_hidden(x, training=training), labels)

  def get_config(self):
    return {**super().get_config(), **self.hidden_config, "dropout": self.dropout}
