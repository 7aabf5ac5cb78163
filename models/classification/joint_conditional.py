# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Conditional inference as published: one head reads x and the observed labels."""

from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.core import types
from yt8m.models import registries
from yt8m.models.classification import conditional
from yt8m.models.classification import wrappers
from yt8m.models.classification.conditional import SAMPLINGS
from yt8m.models.layers import base
from yt8m.models.layers import variables

keras = tf.keras


@registries.CLASSIFIERS.register("joint_conditional")
class JointConditional(conditional.LabelObserver, wrappers.Wrapper):
  """Scores a video in several steps by a head that also reads the labels found so far.

      p_k = head([x ; E o_k]),   k = 1 … K,   o₁ = 0

  With a head that has a hidden layer, x and the labels share it. In training, a random
  part of the labels of each video is observed, and all of them are predicted.

  At inference, each step observes the `labels_per_step` most confident labels that are
  not yet observed and whose score is at least `min_confidence`. An observed label counts
  as certain, o_c = 1, and keeps the score it had when it was first observed. A video ends
  where a step contradicts what it was given: where p_k of an observed label is below
  `contradiction`. Its scores are then those of the step before.

  `Conditional` adds the evidence of the labels to the log-odds of a head instead. It
  learns that from label sets alone; here only the videos of training teach it.

  Args:
    num_classes: Number of classes, C.
    head: Config of the classifier, a name or `{"name": …, **hparams}`.
    num_steps: Number of steps, K; 1 observes nothing.
    labels_per_step: Number of labels that a step adds; 0 for no limit.
    min_confidence: Lowest score of a label that may be observed.
    contradiction: Score of an observed label below which the steps end; 0 for never.
    sampling: Labels of a video that are observed in training, see `Conditional`.
    empty_share: Share of the videos without observed labels in training.
    curriculum_steps: Number of training steps until no label is observed any more.
    units: Size of the embedding of the labels, E o.
    seed: Seed of the draws.
    l2_penalty: Factor of the L2 penalty of the head. Shapes: see `Classifier`.

  Returns:
    Scores, and the intermediate `step_predictions`, (batch_size, K, num_classes).

  Raises:
    ValueError: `sampling` is unknown, or `num_steps` is less than 1.

  Reference: Kim et al. 2018, "Temporal Attention Mechanism with Conditional Inference
  for Large-Scale Multi-Label Video Classification" (ECCV Workshops).
  """

  uses_labels = True
  changes_scores = True
  inference_hparams = ("num_steps", "labels_per_step", "min_confidence", "contradiction")

  def __init__(self, num_classes: int, head: types.OptionConfig = "logistic",
               num_steps: int = 4, *, labels_per_step: int = 1,
               min_confidence: float = 0.5, contradiction: float = 0.1,
               sampling: str = "uniform", empty_share: float = 0.3,
               curriculum_steps: int = 1000, units: int = 256, seed: int = 0,
               l2_penalty: float = 1e-8, **kwargs: Any):
    super().__init__(num_classes, head, l2_penalty, **kwargs)
    if sampling not in SAMPLINGS:
      raise registry.unknown("sampling", sampling, SAMPLINGS, "Set it with --hparams.")
    if num_steps < 1:
      raise ValueError(f"num_steps is {num_steps}, must be at least 1 (--hparams).")
    self.num_steps, self.labels_per_step = num_steps, labels_per_step
    self.min_confidence, self.contradiction = min_confidence, contradiction
    self.sampling, self.empty_share = sampling, empty_share
    self.curriculum_steps, self.units, self.seed = curriculum_steps, units, seed

  def build(self, input_shape: Any) -> None:
    # Zeros, so that untrained labels say nothing. The weights of the head are not zeros.
    self.embed = base.built(keras.layers.Dense(
        self.units, use_bias=False, kernel_initializer="zeros", name="embed"),
                            None, self.num_classes)
    self.head.build((*input_shape[:-1], input_shape[-1] + self.units))
    self.draws = variables.add_counter(self, "draws")

  def call(self, x: tf.Tensor, labels: tf.Tensor | None = None,
           training: bool = False) -> types.Outputs:
    if training and labels is not None:
      nothing = tf.zeros(tf.shape(labels))
      observed = nothing if self.sampling == "none" else self._sample(labels)
      return self._given(x, observed, labels)
    scores, intermediates = self._given(
        x, tf.zeros([tf.shape(x)[0], self.num_classes]), labels)
    steps, observed = [scores], tf.zeros_like(scores, tf.bool)
    ended = tf.zeros_like(scores[:, :1], tf.bool)
    for _ in range(self.num_steps - 1):
      last = steps[-1]
      observed = tf.logical_or(observed, self._most_confident(last, observed))
      scores, _ = self._given(x, tf.cast(observed, tf.float32), labels)
      ended = tf.logical_or(ended, tf.reduce_any(
          observed & (scores < self.contradiction), axis=1, keepdims=True))
      steps.append(tf.where(tf.logical_or(ended, observed), last, scores))
    return steps[-1], {**intermediates, "step_predictions": tf.stack(steps, axis=1)}

  def head_input(self, x: tf.Tensor) -> tf.Tensor:
    """Returns [x ; E 0], the input of the first step."""
    return tf.concat([x, tf.zeros([tf.shape(x)[0], self.units], x.dtype)], axis=-1)

  def _given(self, x: tf.Tensor, observed: tf.Tensor, labels: tf.Tensor | None
             ) -> types.Outputs:
    """Returns p = head([x ; E o]), and the intermediates of the head."""
    embedded = tf.cast(self.embed(observed), x.dtype)
    return self.score(tf.concat([x, embedded], axis=-1), labels)
