# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Conditional inference: labels that were found help to find the others."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import wrapper
from yt8m.models.layers import label_network
from yt8m.models.layers import log_odds
from yt8m.models.layers import variables

keras = tf.keras

SAMPLINGS = ("none", "uniform", "curriculum")
OBSERVATIONS = ("scores", "labels")


@registries.CLASSIFIERS.register("conditional")
@keras.utils.register_keras_serializable(package="yt8m")
class Conditional(wrapper.Wrapper):
  """Scores a video several times, each time given the labels that it has found so far.

      z₁ = logit head(x)
      z_k = z₁ + γ λ ⊙ q(o_k),   p_k = σ(z_k),   k = 1 … K,   o₁ = 0

  q is the evidence of observed labels o for every label (`LabelNetwork`), learned from
  label sets before training; λ says by class how much of it is news to the head, which
  has seen x. In training a random part of a video's own labels is observed and all of
  them are predicted, with γ = 1; a smaller γ is for scores, which are less to be relied
  on.

  At inference a step observes the `labels_per_step` most confident labels not yet
  observed whose score reaches `min_confidence`; where there are none, steps change
  nothing any more. With `observation="labels"` an observed label counts as certain,
  o_c = 1, and keeps the score at which it was observed; with `"scores"` it counts as
  much as its score says, o_c = p_{k−1},c, and is scored again at every step: a mean
  field. A step costs two matrix products with the label network and nothing of x.

  Args:
    head: the classifier that reads x, a name or `{"name": …, **hparams}`.
    num_steps: K; 1 is the head alone.
    observation: `"scores"` or `"labels"`.
    labels_per_step: labels that a step adds; 0 for no limit.
    min_confidence: score from which on a label may be observed.
    evidence_weight: γ, at inference.
    sampling: which of a video's labels are observed in training: `"none"`, so that it is
      trained as it infers; `"uniform"`: a share uniform in [0, 1); `"curriculum"`: a
      share uniform in [0, a), where a falls from 1 to 0 over `curriculum_steps` steps.
    empty_share: share of the videos of which nothing is observed in training.
    curriculum_steps: training steps until nothing is observed any more.
    units: width of the label network.
    pretraining_epochs: passes over the label sets before training; 0 for none.
    train_label_network: whether training goes on changing q; if not, only λ is learned.
    coupling: λ at the start.
    seed: of the draws and of the label network.
    Others, and shapes: see `Classifier`; `l2_penalty` is the head's.

  Returns:
    Scores, and the intermediate `step_predictions`, (batch_size, K, num_classes).

  Raises:
    ValueError: unknown `observation` or `sampling`, a `num_steps` below 1, an
      `evidence_weight` below 0, or a label network that nothing would train.

  Reference: Kim et al. 2018, "Temporal Attention Mechanism with Conditional Inference
  for Large-Scale Multi-Label Video Classification" (ECCV Workshops).
  """

  uses_labels = True
  changes_scores = True
  inference_hparams = ("num_steps", "observation", "labels_per_step", "min_confidence",
                       "evidence_weight")

  def __init__(self, num_classes, head="logistic", num_steps=4, observation="scores",
               labels_per_step=0, min_confidence=0.0, evidence_weight=1.0,
               sampling="uniform", empty_share=0.3, curriculum_steps=1000, units=384,
               pretraining_epochs=3, train_label_network=False, coupling=0.3, seed=0,
               l2_penalty=1e-8, **kwargs):
    # Log-odds are added up in float32 whatever the policy is, which remains the head's.
    super().__init__(num_classes, head, l2_penalty, autocast=False,
                     **{**kwargs, "dtype": "float32"})
    for name, value, valid in (("sampling", sampling, SAMPLINGS),
                               ("observation", observation, OBSERVATIONS)):
      if value not in valid:
        raise ValueError(f"Unknown {name} {value!r}. Valid: {', '.join(valid)} "
                         "(--hparams).")
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
    self.pretraining_epochs, self.train_label_network = (
        pretraining_epochs, train_label_network)
    self.coupling, self.seed = coupling, seed

  @property
  def needs_label_sets(self):
    return bool(self.pretraining_epochs) or self.head.needs_label_sets

  def build(self, input_shape):
    self.head.build(input_shape)
    self.evidence = label_network.LabelNetwork(
        self.num_classes, self.units, dtype="float32", name="evidence")
    self.evidence.build((None, self.num_classes))
    self.evidence.trainable = self.train_label_network  # with the layers in it
    self.couplings = self.add_weight(
        name="couplings", shape=(self.num_classes,),
        initializer=keras.initializers.Constant(self.coupling),
        trainable=self.sampling != "none")
    self.draws = variables.add_counter(self, "draws")
    self.built = True

  def call(self, x, labels=None, training=False):
    scores, intermediates = self.score(x, labels)
    logits = log_odds.logit(scores)
    if training and labels is not None and self.sampling != "none":
      return self._given(self._sample(labels), logits), intermediates
    steps = self._infer(scores, logits)
    return steps[-1], {**intermediates, "step_predictions": tf.stack(steps, axis=1)}

  def _given(self, observed, logits, evidence_weight=1.0):
    """p = σ(z₁ + γ λ ⊙ q(o))."""
    coupling = evidence_weight * self.couplings
    return tf.sigmoid(logits + coupling * self.evidence(observed))

  def _infer(self, scores, logits):
    """Scores of every step, a list of K."""
    steps, found = [scores], tf.zeros_like(scores, tf.bool)
    for _ in range(self.num_steps - 1):
      last = steps[-1]
      found = tf.logical_or(found, self._most_confident(last, found))
      share = 1.0 if self.observation == "labels" else last
      scores = self._given(tf.where(found, share, 0.0), logits, self.evidence_weight)
      steps.append(tf.where(found, last, scores) if self.observation == "labels"
                   else scores)
    return steps

  def _most_confident(self, scores, found):
    """Which labels a step adds to those already found: (batch_size, num_classes) bool."""
    candidates = tf.where(found, -1.0, scores)
    enough = tf.cast(self.min_confidence, tf.float32)
    if self.labels_per_step:
      best, _ = tf.math.top_k(candidates, min(self.labels_per_step, self.num_classes))
      enough = tf.maximum(enough, best[:, -1:])
    return candidates >= enough

  def _sample(self, labels):
    """Which of a video's own labels are observed in training, 0 or 1."""
    step = tf.cast(tf.convert_to_tensor(self.draws), tf.float32)
    most = 1.0
    if self.sampling == "curriculum":
      most = tf.maximum(0.0, 1.0 - step / self.curriculum_steps)
    return label_network.observe_labels(
        labels, self.empty_share, most, [self.seed, variables.next_stream(self.draws)])

  def start_from_label_sets(self, label_sets):
    super().start_from_label_sets(label_sets)
    if self.pretraining_epochs:
      self.evidence.set_weights(label_network.pretrain(
          self.num_classes, self.units, label_sets, self.pretraining_epochs,
          seed=self.seed))

  def get_config(self):
    return {**super().get_config(), "num_steps": self.num_steps,
            "observation": self.observation, "labels_per_step": self.labels_per_step,
            "min_confidence": self.min_confidence, "sampling": self.sampling,
            "empty_share": self.empty_share, "curriculum_steps": self.curriculum_steps,
            "units": self.units, "pretraining_epochs": self.pretraining_epochs,
            "train_label_network": self.train_label_network, "coupling": self.coupling,
            "seed": self.seed}
