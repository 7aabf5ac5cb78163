# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Losses of multi-label classification, exactly as the starter code counts them.

Every loss is a Keras loss, `loss(labels, predictions)`, and its `call` takes
`label_weights` besides. Shapes throughout:

    labels:        (batch_size, num_classes), bool, integer or, of a loss that says
                   `soft_labels`, probabilities
    predictions:   (batch_size, num_classes), float, scores as the model returns them
    label_weights: (batch_size, num_classes), or (batch_size, 1); weighs each term of
                   a sum over classes, and leaves the denominator the batch size
    returns:       (batch_size,), the loss of each video
"""

import tensorflow as tf

from yt8m.core import registry

keras = tf.keras

LOSSES = registry.Registry("label loss", keras.losses.Loss)


def _weighted_sum(terms, label_weights):
  if label_weights is not None:
    terms *= tf.cast(label_weights, terms.dtype)
  return tf.reduce_sum(terms, axis=-1)


@LOSSES.register("CrossEntropyLoss")
@keras.utils.register_keras_serializable(package="yt8m")
class CrossEntropyLoss(keras.losses.Loss):
  """Binary cross entropy of every class, summed over classes.

      L = −2 Σ_c w_c [α y_c ln(p_c + ε) + (1 − α) (1 − y_c) ln(1 − p_c + ε)]

  Args:
    epsilon: ε, bounds the loss of a confident mistake. 1e-5 in the starter code;
      the NeXtVLAD code uses 1e-8.
    alpha: α, weight of the positives against the negatives; ½ weighs them alike.
      (Miech et al. 2017, the WILLOW code, `CrossEntropyLoss` with alpha.)

  Reference: YouTube-8M starter code, `losses.CrossEntropyLoss`.
  """
  soft_labels = True

  def __init__(self, epsilon=1e-5, alpha=0.5, name="cross_entropy", **kwargs):
    super().__init__(name=name, **kwargs)
    self.epsilon, self.alpha = epsilon, alpha

  def call(self, labels, predictions, label_weights=None):
    p = tf.cast(predictions, tf.float32)
    y = tf.cast(labels, tf.float32)
    positives = y * tf.math.log(p + self.epsilon)
    negatives = (1 - y) * tf.math.log(1 - p + self.epsilon)
    terms = 2 * (self.alpha * positives + (1 - self.alpha) * negatives)
    return _weighted_sum(-terms, label_weights)

  def get_config(self):
    return {**super().get_config(), "epsilon": self.epsilon, "alpha": self.alpha}


@LOSSES.register("HingeLoss")
@keras.utils.register_keras_serializable(package="yt8m")
class HingeLoss(keras.losses.Loss):
  """Hinge loss of every class, summed over classes.

      L = Σ_c w_c max(0, b − (2 y_c − 1) p_c)

  Args:
    margin: b.

  Reference: YouTube-8M starter code, `losses.HingeLoss`.
  """
  soft_labels = False  # of a label of ½ the loss would be b, whatever the score

  def __init__(self, margin=1.0, name="hinge", **kwargs):
    super().__init__(name=name, **kwargs)
    self.margin = margin

  def call(self, labels, predictions, label_weights=None):
    p = tf.cast(predictions, tf.float32)
    sign = 2 * tf.cast(labels, tf.float32) - 1
    return _weighted_sum(tf.maximum(0.0, self.margin - sign * p), label_weights)

  def get_config(self):
    return {**super().get_config(), "margin": self.margin}


@LOSSES.register("SoftmaxLoss")
@keras.utils.register_keras_serializable(package="yt8m")
class SoftmaxLoss(keras.losses.Loss):
  """Cross entropy of a softmax over classes against the normalised labels.

      ŷ_c = y_c / max(Σ_c' y_c', 1e-7),   L = −Σ_c w_c ŷ_c ln softmax_c(p)

  Reference: YouTube-8M starter code, `losses.SoftmaxLoss`.
  """
  soft_labels = True

  def __init__(self, name="softmax", **kwargs):
    super().__init__(name=name, **kwargs)

  def call(self, labels, predictions, label_weights=None):
    p = tf.cast(predictions, tf.float32)
    y = tf.cast(labels, tf.float32)
    y /= tf.maximum(tf.reduce_sum(y, axis=-1, keepdims=True), 1e-7)
    return _weighted_sum(-y * tf.nn.log_softmax(p), label_weights)
