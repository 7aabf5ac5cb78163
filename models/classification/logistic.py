# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Binary relevance: one logistic regression a class."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import classifier

keras = tf.keras


@registries.CLASSIFIERS.register("logistic")
@keras.utils.register_keras_serializable(package="yt8m")
class Logistic(classifier.Classifier):
  """Scores every class on its own: `p_c = σ(w_cᵀ x + b_c)`.

  Arguments and shapes: see `Classifier`.

  Reference: YouTube-8M starter code, `LogisticModel`.
  """

  def build(self, input_shape):
    self.logits = self.dense(self.num_classes, input_shape[-1], "logits")
    self.built = True

  def call(self, x):
    return tf.sigmoid(tf.cast(self.logits(x), tf.float32))

  def start_from_prior(self, prior):
    self.logits.bias.assign(classifier.log_odds(prior))
