# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Corrects the scores of a trained model by what is known about labels."""

from typing import Any

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.calibration import label_set_posterior
from yt8m.models.calibration import pair_calibrator
from yt8m.models.layers import base
from yt8m.models.layers import label_network
from yt8m.models.layers import log_odds

keras = tf.keras

# Keeps logarithms of sums finite.
_TINY = 1e-6
# Each step is a part of the graph.
_MOST_STEPS = 100
# Of `Calibration._features`: their number, without those of members, and which one is the
# blend of both models.
NUM_FEATURES, BLEND = 20, 6


class Calibration(base.Layer):
  """Scores a video again, from the scores p of a model and from the labels of videos.

      z = logit p
      m = z + λ q(σ(z + λ q(…)))                 mean field: K steps of `LabelNetwork`
      r = posterior(z)                           `LabelSetPosterior`
      s = w r + (1 − w) σ(m)
      p'_c = σ(calibrator(f_c))                  the best `num_candidates` classes of s
      p'_c = s_c                                 the others

  m and r say which labels go together, in two ways: m weighs every label by what the
  others say about it, r allows the sets of labels that occur. The calibrator
  (`PairCalibrator`) reads what both say about a class, f_c, and about the whole video. It
  learns from videos that the model was not trained on, so it knows how far the scores of
  the model can be trusted. Behind an ensemble, it also reads the log-odds of each member.

  All weights come from `yt8m.training.calibrating`. Training does not change them, and in
  training the layer does nothing.

  Args:
    num_classes: Number of classes, C.
    num_sets: Number of label sets of the posterior.
    num_labels: Number of labels of all these sets together.
    num_steps: Number of steps of the mean field, K; 0 for none.
    label_units: Width of the label network.
    num_candidates: Number of classes of a video that the calibrator scores.
    units: Width of the calibrator.
    num_members: Number of members of the ensemble, M; 0 if the calibrator does not read
      their scores.

  Call arguments:
    scores: p, (batch_size, num_classes).
    members: Scores of the members, (batch_size, M, num_classes); None without members.

  Returns:
    p', (batch_size, num_classes) float32.

  Raises:
    ValueError: `num_steps` is out of range.
  """

  def __init__(self, num_classes: int, num_sets: int, num_labels: int,
               num_steps: int = 4, label_units: int = 384, num_candidates: int = 40,
               units: int = 64, num_members: int = 0, **kwargs: Any):
    super().__init__(autocast=False, **{**kwargs, "dtype": "float32"})
    if not 0 <= num_steps <= _MOST_STEPS:
      raise ValueError(f"num_steps of the calibration is {num_steps}, and must be from 0 "
                       f"to {_MOST_STEPS}.")
    self.num_classes, self.num_sets = num_classes, num_sets
    self.num_labels, self.num_steps = num_labels, num_steps
    self.label_units, self.num_candidates = label_units, num_candidates
    self.units, self.num_members = units, num_members

  def hparams(self) -> dict[str, Any]:
    """Returns the arguments of the constructor, without the number of classes."""
    return {name: getattr(self, name)
            for name in base.constructor_parameters(type(self)) if name != "num_classes"}

  def build(self, input_shape: Any) -> None:
    self.evidence = base.built(label_network.LabelNetwork(
        self.num_classes, self.label_units, dtype="float32", name="evidence"),
                               None, self.num_classes)
    self.posterior = base.built(label_set_posterior.LabelSetPosterior(
        self.num_classes, self.num_sets, self.num_labels, name="posterior"),
                                None, self.num_classes)
    num_features = NUM_FEATURES + self.num_members
    self.pairs = base.built(pair_calibrator.PairCalibrator(
        num_features, self.units, name="pairs"), None, None, num_features)
    self.coupling = self.add_weight(
        name="coupling", shape=(), initializer="zeros", trainable=False)
    self.posterior_share = self.add_weight(
        name="posterior_share", shape=(), initializer="zeros", trainable=False)
    self.trainable = False

  def call(self, scores: tf.Tensor, members: tf.Tensor | None = None) -> tf.Tensor:
    features, classes, blend = self.describe(scores, members)
    rows = tf.range(tf.shape(classes)[0], dtype=classes.dtype)[:, tf.newaxis]
    pairs = tf.stack([tf.broadcast_to(rows, tf.shape(classes)), classes], axis=-1)
    return tf.tensor_scatter_nd_update(blend, pairs, tf.sigmoid(self.pairs(features)))

  def describe(self, scores: tf.Tensor, members: tf.Tensor | None = None
               ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the features of the best classes, these classes, and s for all classes.

    Shapes: (batch_size, num_candidates, NUM_FEATURES + M); (batch_size, num_candidates),
    int32; and (batch_size, num_classes).
    """
    logits = log_odds.logit(tf.cast(scores, tf.float32))
    field = self.mean_field(logits)
    marginals, largest = self.posterior(logits)
    blend = self.blend(marginals[0], field)
    best, classes = tf.math.top_k(blend, min(self.num_candidates, self.num_classes))
    features = self._features(logits, field, marginals, largest, best, classes)
    if self.num_members:
      if members is None:
        raise ValueError("This calibration reads the scores of members: pass them.")
      of_members = log_odds.logit(members)
      features = tf.concat([features, tf.gather(
          tf.transpose(of_members, [0, 2, 1]), classes, batch_dims=1)], axis=-1)
    return features, classes, blend

  def mean_field(self, logits: tf.Tensor) -> tf.Tensor:
    """Returns m, (batch_size, num_classes)."""
    field = logits
    for _ in range(self.num_steps):
      field = logits + self.coupling * self.evidence(tf.sigmoid(field))
    return field

  def blend(self, marginal: tf.Tensor, field: tf.Tensor) -> tf.Tensor:
    """Returns s for r and m."""
    share = tf.convert_to_tensor(self.posterior_share)
    return share * marginal + (1.0 - share) * tf.sigmoid(field)

  def _features(self, logits, field, marginals, largest, best, classes):
    """Returns f of all pairs. A feature of a video is the same for its classes."""
    def of_pairs(values):
      return tf.gather(values, classes, batch_dims=1)

    def of_video(values):
      return tf.broadcast_to(values[:, tf.newaxis], tf.shape(classes))

    def expected_labels(probabilities):
      return of_video(tf.math.log(tf.reduce_sum(probabilities, axis=1) + _TINY))

    one, two = marginals
    z, m, r = of_pairs(logits), of_pairs(field), log_odds.logit(of_pairs(one))
    first, second = tf.unstack(tf.math.top_k(logits, 2).values, axis=1)
    features = [
        z, m, m - z, r, log_odds.logit(of_pairs(two)),
        tf.gather(tf.convert_to_tensor(self.posterior.prior_logits), classes),
        log_odds.logit(best),
        # Ranks among the candidates.
        tf.math.log1p(_ranks(z)), tf.math.log1p(_ranks(m)), tf.math.log1p(_ranks(r)),
        tf.math.log1p(_ranks(best)),
        of_video(first), of_video(second), z - of_video(first),
        of_video(tf.reduce_max(field, axis=1)),
        expected_labels(tf.sigmoid(logits)), expected_labels(tf.sigmoid(field)),
        expected_labels(one), expected_labels(two),
        of_video(tf.math.log(largest + _TINY))]
    return tf.stack(features, axis=-1)


def build(num_classes: int, hparams: dict[str, Any] | None) -> Calibration | None:
  """Returns the calibration of a model, which has none without hyperparameters.

  Raises:
    ValueError: A hyperparameter is unknown, missing or of another type, or it is the
      calibration of an ensemble.
  """
  if not hparams:
    return None
  registries.check_hparams(
      "calibration", Calibration, hparams, ("num_sets", "num_labels"))
  if hparams.get("num_members"):
    raise ValueError(f"The calibration of a model has num_members="
                     f"{hparams['num_members']}, but only an ensemble has members: "
                     "calibrate the model again.")
  return Calibration(num_classes, **hparams, name="calibration")


def _ranks(values: tf.Tensor) -> tf.Tensor:
  """Returns the number of larger values in the same row, (batch_size, n) float32."""
  larger = values[:, tf.newaxis, :] > values[:, :, tf.newaxis]
  return tf.reduce_sum(tf.cast(larger, tf.float32), axis=2)
