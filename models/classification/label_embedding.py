# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A classifier that finds a video's place among label sets, whose decoder scores it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import classifier
from yt8m.models.layers import base

keras = tf.keras


@registries.CLASSIFIERS.register("label_embedding")
class LabelEmbedding(classifier.Classifier):
  """Maps x into the hidden space of a label network, whose decoder scores the classes.

      p = σ(D (U x + u) + b)

  D is the decoder of a `LabelNetwork` that was trained on label sets before: the classes
  that occur together have similar rows. The head learns U, u and b only, so it has
  `units` outputs to learn from the videos instead of `num_classes`. The hidden space is
  that of φ(E o + b) − φ(b), whose values have both signs; U x therefore has no
  activation. A `hidden` layer before this head adds one.

  Alone it is worse than a logistic regression, since D limits what can be told apart.
  Its errors are others, so the mean of both is better.

  U starts at 0, so that all scores start at the prior.

  Args:
    num_classes: Number of classes, C.
    units: Width of the label network.
    pretraining_epochs: Number of passes over the label sets before training; 0 for none.
    train_decoder: Whether training changes D.
    seed: Seed of the label network.
    l2_penalty: Factor of the L2 penalty, see `Classifier`, as for the shapes.

  Raises:
    ValueError: `units` is less than 1, or nothing would train D.

  Reference: the label network is that of `Conditional`. Output codes of labels: Hsu et
  al. 2009 (Multi-Label Prediction via Compressed Sensing).
  """

  def __init__(self, num_classes: int, units: int = 320, *, pretraining_epochs: int = 3,
               train_decoder: bool = False, seed: int = 0, l2_penalty: float = 1e-8,
               **kwargs: Any):
    super().__init__(num_classes, l2_penalty, **kwargs)
    if units < 1:
      raise ValueError(f"units is {units}, must be at least 1 (--hparams).")
    if not (pretraining_epochs or train_decoder):
      raise ValueError("Nothing would train the decoder: give pretraining_epochs or "
                       "train_decoder (--hparams).")
    self.units, self.pretraining_epochs = units, pretraining_epochs
    self.train_decoder, self.seed = train_decoder, seed
    self.needs_label_sets = bool(pretraining_epochs)

  def build(self, input_shape: Any) -> None:
    self.embed = self.dense(self.units, input_shape[-1], "embed",
                            kernel_initializer="zeros")
    # Zeros tell that no label sets have been received. Without pretraining, the decoder
    # starts at random values: U and D would otherwise have no gradient.
    self.decode = base.built(keras.layers.Dense(
        self.num_classes, use_bias=False, name="decode",
        kernel_initializer="zeros" if self.pretraining_epochs else "glorot_uniform"),
                             None, self.units)
    self.decode.trainable = self.train_decoder
    self.bias = self.add_weight(name="bias", shape=(self.num_classes,),
                                initializer="zeros")

  def call(self, x: tf.Tensor) -> tf.Tensor:
    logits = tf.cast(self.decode(self.embed(x)), tf.float32)
    return tf.sigmoid(logits + tf.cast(self.bias, tf.float32))

  def start_from_prior(self, prior: np.ndarray) -> None:
    self.bias.assign(classifier.prior_log_odds(prior))

  def lacks_label_sets(self) -> bool:
    return bool(self.pretraining_epochs) and not np.any(self.decode.get_weights()[0])

  def start_from_label_sets(self, label_sets: Any, pretrain: Callable) -> None:
    if self.pretraining_epochs:
      *_, decoder = pretrain(
          self.num_classes, self.units, self.pretraining_epochs, self.seed)
      self.decode.set_weights([decoder])
