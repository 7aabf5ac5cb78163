# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Losses of multi-label classification: those of the starter code, and one more.

Every loss is a Keras loss, `loss(labels, predictions, sample_weight)`, and its `call`,
which gives the loss of each video, also takes `label_weights`. The training step and
`compile(loss=…)`, by object or by name, use the same `call`.
"""

import abc
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.models.layers import base

keras = tf.keras

LOSSES = registry.Registry("label loss", keras.losses.Loss, functions=True)
DEFAULT = "CrossEntropyLoss"


class LabelLoss(base.Configured, keras.losses.Loss):
  """Base of the losses: a weighted sum of one term for each class.

  >>> from yt8m.models import losses
  >>> loss = losses.HingeLoss()
  >>> labels, scores = [[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]]
  >>> loss.call(labels, scores).numpy()  # of each video: 1/2 + 3/2
  array([2., 2.], dtype=float32)
  >>> float(loss(labels, scores, sample_weight=[1, 0]))  # the mean, one video is padding
  1.0
  >>> float(loss(labels, scores, sample_weight=[[1, 0], [1, 1]]))  # weights of labels
  1.25

  `loss(labels, predictions, sample_weight)` is the mean over the batch. `sample_weight`
  has a weight for each video, (batch_size,), or for each label, (batch_size,
  num_classes); weights do not change the denominator.

  Call arguments:
    labels: (batch_size, num_classes), bool or integer. A loss with `soft_labels` also
      takes probabilities. Or the pair of labels and label weights.
    predictions: (batch_size, num_classes), float, the scores that the model returns.
    label_weights: (batch_size, num_classes) or (batch_size, 1), weights of the terms.
      They do not change the denominator of the mean, which is the batch size.

  Returns:
    (batch_size,), the loss of each video.
  """

  soft_labels = True

  def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tf.Tensor:
    if sample_weight is not None:
      weights = tf.convert_to_tensor(sample_weight, tf.float32)
      if weights.shape.rank is None or weights.shape.rank == 2 and weights.shape[1] != 1:
        # Keras weights the result of `call`, which has no classes any more.
        y_true = y_true, tf.reshape(weights, [tf.shape(weights)[0], -1])
        sample_weight = None
    return super().__call__(y_true, y_pred, sample_weight)

  def call(self, labels: Any, predictions: tf.Tensor,
           label_weights: tf.Tensor | None = None) -> tf.Tensor:
    if isinstance(labels, tuple):
      labels, label_weights = labels
    terms = self.terms(tf.cast(labels, tf.float32), tf.cast(predictions, tf.float32))
    if label_weights is not None:
      terms *= tf.cast(label_weights, terms.dtype)
    return tf.reduce_sum(terms, axis=-1)

  @abc.abstractmethod
  def terms(self, labels: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    """Returns the terms, (batch_size, num_classes), from arguments in float32."""


def per_video(loss: Callable[..., tf.Tensor], outputs: dict[str, tf.Tensor],
              labels: tf.Tensor, *label_weights: tf.Tensor | None) -> tf.Tensor:
  """Returns the loss of each video in training, (batch_size,).

  It is the label loss, or the training loss of the classifier in its place. If several
  classifiers have training losses, because their predictions are combined, the label loss
  of the combination is added to these.

  Args:
    loss: Function of labels and predictions, and of label weights if given: `call` of a
      `LabelLoss`.
    outputs: Outputs of a `VideoModel`.
    labels: Labels, (batch_size, num_classes).
    *label_weights: Weights of the labels, for a `LabelLoss`.
  """
  own = {name: value for name, value in outputs.items()
         if name.startswith("training_loss")}
  if set(own) == {"training_loss"}:
    return own["training_loss"]
  return tf.add_n([loss(labels, outputs["predictions"], *label_weights), *own.values()])


@LOSSES.register(DEFAULT)
class CrossEntropyLoss(LabelLoss):
  """Binary cross entropy of every class, summed over classes.

      L = −2 Σ_c w_c [α y_c ln(p_c + ε) + (1 − α) (1 − y_c) ln(1 − p_c + ε)]

  Args:
    epsilon: Constant that bounds the loss of a confident mistake, ε. It is 1e-5 in the
      starter code and 1e-8 in the NeXtVLAD code.
    alpha: Weight of the positives, α; the negatives have 1 − α. At ½ both count alike.

  Reference: YouTube-8M starter code, `losses.CrossEntropyLoss`; Miech et al. 2017, the
  WILLOW code, for alpha.
  """

  def __init__(self, epsilon: float = 1e-5, alpha: float = 0.5,
               name: str = "cross_entropy", **kwargs: Any):
    super().__init__(name=name, **kwargs)
    self.epsilon, self.alpha = epsilon, alpha

  def terms(self, labels: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    positives = labels * tf.math.log(predictions + self.epsilon)
    negatives = (1 - labels) * tf.math.log(1 - predictions + self.epsilon)
    return -2 * (self.alpha * positives + (1 - self.alpha) * negatives)


@LOSSES.register("HingeLoss")
class HingeLoss(LabelLoss):
  """Hinge loss of every class, summed over classes.

      L = Σ_c w_c max(0, b − (2 y_c − 1) p_c)

  Args:
    margin: Margin, b.

  Reference: YouTube-8M starter code, `losses.HingeLoss`.
  """
  soft_labels = False  # for a label of ½ the loss is b whatever the score

  def __init__(self, margin: float = 1.0, name: str = "hinge", **kwargs: Any):
    super().__init__(name=name, **kwargs)
    self.margin = margin

  def terms(self, labels: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    return tf.maximum(0.0, self.margin - (2 * labels - 1) * predictions)


@LOSSES.register("SoftmaxLoss")
class SoftmaxLoss(LabelLoss):
  """Cross entropy of a softmax over classes against the normalised labels.

      ŷ_c = y_c / max(Σ_c' y_c', 1e-7),   L = −Σ_c w_c ŷ_c ln softmax_c(p)

  Reference: YouTube-8M starter code, `losses.SoftmaxLoss`.
  """

  def __init__(self, name: str = "softmax", **kwargs: Any):
    super().__init__(name=name, **kwargs)

  def terms(self, labels: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    labels /= tf.maximum(tf.reduce_sum(labels, axis=-1, keepdims=True), 1e-7)
    return -labels * tf.nn.log_softmax(predictions)


@LOSSES.register("AsymmetricLoss")
class AsymmetricLoss(LabelLoss):
  """Cross entropy in which easy negatives count little or nothing, summed over classes.

      q_c = max(p_c − m, 0)
      L = −Σ_c w_c [y_c (1 − p_c)^γ₊ ln(p_c + ε) + (1 − y_c) q_c^γ₋ ln(1 − q_c + ε)]

  Most of the classes of a video are negatives with small scores. Those below the margin
  m have no gradient, and γ₋ reduces that of the others the more, the smaller they are.
  The scores that minimise it are therefore no probabilities: they are too large.

  Args:
    gamma_positive: Exponent of the positives, γ₊; 0 or at least 1. At 0, their loss is
      that of cross entropy.
    gamma_negative: Exponent of the negatives, γ₋; 0 or at least 1.
    margin: Score below which a negative has no loss, m, from 0 to less than 1.
    epsilon: Constant that bounds the loss of a confident mistake, ε.

  Raises:
    ValueError: An exponent or the margin is out of range.

  Reference: Ridnik et al. 2021 (arXiv:2009.14119), equation 7, with the exponents and the
  margin that they recommend.
  """

  def __init__(self, gamma_positive: float = 0.0, gamma_negative: float = 4.0,
               margin: float = 0.05, epsilon: float = 1e-5, name: str = "asymmetric",
               **kwargs: Any):
    super().__init__(name=name, **kwargs)
    for parameter, gamma in (("gamma_positive", gamma_positive),
                             ("gamma_negative", gamma_negative)):
      if not (gamma == 0 or gamma >= 1):
        # The gradient of x^γ at 0 is infinite between 0 and 1.
        raise ValueError(f"{parameter} of the AsymmetricLoss is {gamma}, and must be 0 "
                         "or at least 1.")
    if not 0 <= margin < 1:
      raise ValueError(f"margin of the AsymmetricLoss is {margin}, and must be from 0 to "
                       "less than 1.")
    self.gamma_positive, self.gamma_negative = gamma_positive, gamma_negative
    self.margin, self.epsilon = margin, epsilon

  def terms(self, labels: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    shifted = tf.maximum(predictions - self.margin, 0.0)
    positives = (_power(1 - predictions, self.gamma_positive)
                 * tf.math.log(predictions + self.epsilon))
    negatives = (_power(shifted, self.gamma_negative)
                 * tf.math.log(1 - shifted + self.epsilon))
    return -(labels * positives + (1 - labels) * negatives)


def _power(base: tf.Tensor, exponent: float) -> tf.Tensor:
  """Returns max(base, 0)^exponent. The gradient of `tf.pow` is NaN at 0⁰."""
  if not exponent:
    return tf.ones_like(base)
  return tf.pow(tf.maximum(base, 0.0), exponent)
