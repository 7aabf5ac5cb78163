# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Conditional inference: labels that were found help to find the others."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.core import types
from yt8m.models import registries
from yt8m.models.classification import wrappers
from yt8m.models.layers import base
from yt8m.models.layers import label_network
from yt8m.models.layers import log_odds
from yt8m.models.layers import variables

keras = tf.keras

SAMPLINGS = ("none", "uniform", "curriculum")
OBSERVATIONS = ("scores", "labels")


class LabelObserver:
  """Mixin of classifiers that score a video given some of its labels.

  Its methods read the hyperparameters of the same names; see `Conditional`.
  """

  num_classes: int
  labels_per_step: int
  min_confidence: float
  sampling: str
  empty_share: float
  curriculum_steps: int
  seed: int
  draws: Any

  def _most_confident(self, scores: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """Returns which labels a step adds to the observed ones, (batch_size, C) bool."""
    candidates = tf.where(observed, -1.0, scores)
    threshold = tf.cast(self.min_confidence, tf.float32)
    if self.labels_per_step:
      best, _ = tf.math.top_k(candidates, min(self.labels_per_step, self.num_classes))
      threshold = tf.maximum(threshold, best[:, -1:])
    return candidates >= threshold

  def _sample(self, labels: tf.Tensor) -> tf.Tensor:
    """Returns which labels of the videos are observed in training, 0 or 1."""
    step = tf.cast(tf.convert_to_tensor(self.draws), tf.float32)
    largest_share = 1.0
    if self.sampling == "curriculum":
      largest_share = tf.maximum(0.0, 1.0 - step / self.curriculum_steps)
    return label_network.observe_labels(
        labels, self.empty_share, largest_share,
        [self.seed, variables.next_stream(self.draws)])


@registries.CLASSIFIERS.register("conditional")
class Conditional(LabelObserver, wrappers.Wrapper):
  """Scores a video in several steps, each given the labels found in earlier steps.

      z₁ = logit head(x)
      z_k = z₁ + γ λ ⊙ q(o_k),   p_k = σ(z_k),   k = 1 … K,   o₁ = 0

  q is the evidence of the observed labels o for every label (`LabelNetwork`), learned
  from label sets before training. λ says, for each class, how much of the evidence is
  new to the head, which has seen x. In training, a random part of the labels of each
  video is observed, all of them are predicted, and γ = 1. A smaller γ suits inference,
  where the observed labels are scores and therefore less reliable.

  At inference, each step observes the `labels_per_step` most confident labels that are
  not yet observed and whose score is at least `min_confidence`. If there are none, the
  scores no longer change. With the observation "labels", an observed label is certain,
  o_c = 1, and keeps the score it had when it was first observed. With "scores" it counts
  as much as its score, o_c = p_{k−1},c, and is scored again in every step: a mean field.
  A step costs two matrix products with the label network and does not process x again.

  Args:
    num_classes: Number of classes, C.
    head: Config of the classifier that reads x, a name or `{"name": …, **hparams}`.
    num_steps: Number of steps, K; 1 is the head alone.
    observation: Value of an observed label, "scores" or "labels".
    labels_per_step: Number of labels that a step adds; 0 for no limit.
    min_confidence: Lowest score of a label that may be observed.
    evidence_weight: Weight of the evidence at inference, γ.
    sampling: Labels of a video that are observed in training. "none": none, so that the
      head is trained alone. "uniform": a share that is uniform in [0, 1).
      "curriculum": a share that is uniform in [0, a), where a falls from 1 to 0 over
      `curriculum_steps` steps.
    empty_share: Share of the videos without observed labels in training.
    curriculum_steps: Number of training steps until no label is observed any more.
    units: Width of the label network.
    pretraining_epochs: Passes over the label sets before training; 0 for none.
    train_label_network: Whether training changes q. Otherwise only λ is learned.
    coupling: Value of λ at the start.
    seed: Seed of the draws and of the label network.
    l2_penalty: Factor of the L2 penalty of the head. Shapes: see `Classifier`.

  Returns:
    Scores, and the intermediate `step_predictions`, (batch_size, K, num_classes).

  Raises:
    ValueError: `observation` or `sampling` is unknown, `num_steps` is less than 1,
      `evidence_weight` is negative, or nothing would train the label network.

  Reference: Kim et al. 2018, "Temporal Attention Mechanism with Conditional Inference
  for Large-Scale Multi-Label Video Classification" (ECCV Workshops).
  """

  uses_labels = True
  changes_scores = True
  inference_hparams = ("num_steps", "observation", "labels_per_step", "min_confidence",
                       "evidence_weight")

  def __init__(self, num_classes: int, head: types.OptionConfig = "logistic",
               num_steps: int = 4, *, observation: str = "scores",
               labels_per_step: int = 0, min_confidence: float = 0.0,
               evidence_weight: float = 1.0, sampling: str = "uniform",
               empty_share: float = 0.3, curriculum_steps: int = 1000, units: int = 384,
               pretraining_epochs: int = 3, train_label_network: bool = False,
               coupling: float = 0.3, seed: int = 0, l2_penalty: float = 1e-8,
               **kwargs: Any):
    # Log-odds are added in float32. The global policy applies to the head only.
    super().__init__(num_classes, head, l2_penalty, autocast=False,
                     **{**kwargs, "dtype": "float32"})
    for name, value, valid in (("sampling", sampling, SAMPLINGS),
                               ("observation", observation, OBSERVATIONS)):
      if value not in valid:
        raise registry.unknown(name, value, valid, "Set it with --hparams.")
    if num_steps < 1:
      raise ValueError(f"num_steps is {num_steps}, must be at least 1 (--hparams).")
    if evidence_weight < 0:
      raise ValueError(f"evidence_weight is {evidence_weight}, must be at least 0 "
                       "(--hparams).")
    if not pretraining_epochs and (sampling == "none" or not train_label_network):
      raise ValueError(
          "Nothing would train the label network: give pretraining_epochs, or "
          "train_label_network and a sampling other than 'none' (--hparams).")
    self.num_steps, self.observation = num_steps, observation
    self.labels_per_step, self.min_confidence = labels_per_step, min_confidence
    self.evidence_weight = evidence_weight
    self.sampling, self.empty_share = sampling, empty_share
    self.curriculum_steps, self.units = curriculum_steps, units
    self.pretraining_epochs = pretraining_epochs
    self.train_label_network = train_label_network
    self.coupling, self.seed = coupling, seed
    self.needs_label_sets = self.needs_label_sets or bool(pretraining_epochs)

  def build(self, input_shape: Any) -> None:
    self.head.build(input_shape)
    self.evidence = base.built(label_network.LabelNetwork(
        self.num_classes, self.units, dtype="float32", name="evidence"),
                               None, self.num_classes)
    self.evidence.trainable = self.train_label_network
    self.couplings = self.add_weight(
        name="couplings", shape=(self.num_classes,),
        initializer=keras.initializers.Constant(self.coupling),
        trainable=self.sampling != "none")
    self.draws = variables.add_counter(self, "draws")

  def call(self, x: tf.Tensor, labels: tf.Tensor | None = None,
           training: bool = False) -> types.Outputs:
    scores, intermediates = self.score(x, labels)
    logits = log_odds.logit(scores)
    if training and labels is not None and self.sampling != "none":
      return self._given(self._sample(labels), logits), intermediates
    steps = self._infer(scores, logits)
    return steps[-1], {**intermediates, "step_predictions": tf.stack(steps, axis=1)}

  def _given(self, observed: tf.Tensor, logits: tf.Tensor,
             evidence_weight: float = 1.0) -> tf.Tensor:
    """Returns p = σ(z₁ + γ λ ⊙ q(o))."""
    coupling = evidence_weight * self.couplings
    return tf.sigmoid(logits + coupling * self.evidence(observed))

  def _infer(self, scores: tf.Tensor, logits: tf.Tensor) -> list[tf.Tensor]:
    """Returns the scores of the K steps."""
    steps, observed = [scores], tf.zeros_like(scores, tf.bool)
    for _ in range(self.num_steps - 1):
      last = steps[-1]
      observed = tf.logical_or(observed, self._most_confident(last, observed))
      value = 1.0 if self.observation == "labels" else last
      scores = self._given(tf.where(observed, value, 0.0), logits, self.evidence_weight)
      steps.append(tf.where(observed, last, scores) if self.observation == "labels"
                   else scores)
    return steps

  def lacks_label_sets(self) -> bool:
    return super().lacks_label_sets() or (
        bool(self.pretraining_epochs) and not self.evidence.is_trained())

  def start_from_label_sets(self, label_sets: Any, pretrain: Callable) -> None:
    super().start_from_label_sets(label_sets, pretrain)
    if self.pretraining_epochs:
      self.evidence.set_weights(pretrain(
          self.num_classes, self.units, self.pretraining_epochs, self.seed))
