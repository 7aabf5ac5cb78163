# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A hidden layer in front of any other classifier."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import classifier

keras = tf.keras


@registries.CLASSIFIERS.register("hidden")
@keras.utils.register_keras_serializable(package="yt8m")
class Hidden(classifier.Classifier):
  """Puts a non-linear layer with dropout before another head.

      h = dropout(φ(W dropout(x) + b)),   p = head(h)

  Classes then share what they learn about the input, which helps most where many
  classes have few videos.

  Args:
    units: width of the hidden layer.
    head: the classifier behind it, a name or `{"name": …, **hparams}`.
    activation: φ.
    input_dropout: share of the input values dropped in training.
    dropout: share of the hidden values dropped in training.
    Others, and shapes: see `Classifier`; `l2_penalty` is the head's.
  """

  def __init__(self, num_classes, units=2048, head="logistic", activation="relu",
               input_dropout=0.0, dropout=0.5, l2_penalty=1e-8, **kwargs):
    super().__init__(num_classes, l2_penalty, **kwargs)
    self.units, self.activation = units, activation
    self.input_dropout, self.dropout = input_dropout, dropout
    self.head_config = registries.resolve(
        registries.CLASSIFIERS,
        {"l2_penalty": l2_penalty, **registries.normalise_config(head)})
    self.head = registries.build_option(
        registries.CLASSIFIERS, self.head_config, num_classes=num_classes)

  def build(self, input_shape):
    self.drop_input = keras.layers.Dropout(self.input_dropout)
    self.hidden = keras.layers.Dense(self.units, activation=self.activation)
    self.hidden.build((None, input_shape[-1]))
    self.drop_hidden = keras.layers.Dropout(self.dropout)
    self.head.build((None, self.units))
    self.built = True

  def call(self, x, training=False):
    x = self.hidden(self.drop_input(x, training=training))
    return self.head(self.drop_hidden(x, training=training))

  def start_from_prior(self, prior):
    self.head.start_from_prior(prior)

  def get_config(self):
    return {**super().get_config(), "units": self.units, "head": self.head_config,
            "activation": self.activation, "input_dropout": self.input_dropout,
            "dropout": self.dropout}
