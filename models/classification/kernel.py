# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Kernel ridge regression by landmarks or random features, solved before training."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import registry
from yt8m.core import types
from yt8m.models import registries
from yt8m.models.classification import classifier
from yt8m.models.classification import ridge as ridges
from yt8m.models.layers import base
from yt8m.models.layers import landmark_features
from yt8m.models.layers import random_features

keras = tf.keras

FEATURE_MAPS = ("landmarks", "fourier")

# Videos whose left-out scores set the scale of the logits: four numbers.
_SCALED_VIDEOS = 2048
# Videos whose distances are compared.
_COMPARED_VIDEOS = 1024


@registries.CLASSIFIERS.register("kernel")
class Kernel(classifier.Classifier):
  """Scores every class by a regression on features of a Gaussian kernel.

      p = σ(V φ(x) + c)
      landmarks:  φ_j(x) = exp(−‖x − u_j‖² / (2 s²))              `LandmarkFeatures`
      fourier:    φ(x) = √(2/R) cos(W x / s + b)                  `RandomFeatures`

  The landmarks u are videos, drawn at random. They describe where videos are, so that
  as many of them come closer to the exact kernel than random frequencies, which know
  nothing of the videos. `start_from_features` solves for V before training:

      S = G⁻¹ B,   G = Σ_n φ_n φ_nᵀ + λ K,   B = Σ_n φ_n (y_n − π)ᵀ
      landmarks:  K_ij = φ_j(u_i)      fourier:  K = I
      V_c = α S_c / (π_c (1 − π_c))^a,   c_c = α b logit π_c + γ

  A ridge regression predicts y, not its log-odds. Four numbers, the same for all classes,
  turn its scores into log-odds. They are chosen on the scores that videos have if they
  are left out of the regression, which takes no second regression (`ridge.Solution`).
  Probabilities are right on average over the classes, not for each class. Training goes
  on from there by gradient. Without that start, V is 0.

  Args:
    num_classes: Number of classes, C.
    num_features: Number of landmarks or of random features, R. The products for G and
      the solution take R² and R³ operations.
    feature_map: Kind of the features, "landmarks" or "fourier".
    bandwidth: Bandwidth of the kernel, s; 0 for `bandwidth_factor` times the median
      distance of two landmarks, or of two videos of the first batch.
    bandwidth_factor: Factor of the median distance.
    ridge: Ridge λ. A video counts 1, since its similarity to itself is 1.
    seed: Seed of the landmarks, or of W and b.
    l2_penalty: Factor of the L2 penalty, see `Classifier`, as for the shapes.

  Raises:
    ValueError: `num_features` is less than 1, or another value is out of range.

  Reference: Williams & Seeger 2001 (Using the Nyström Method to Speed Up Kernel
  Machines); Rahimi & Recht 2007 (Random Features for Large-Scale Kernel Machines).
  """

  needs_features = True

  def __init__(self, num_classes: int, num_features: int = 4096, *,
               feature_map: str = "landmarks", bandwidth: float = 0.0,
               bandwidth_factor: float = 1.3, ridge: float = 0.02, seed: int = 0,
               l2_penalty: float = 1e-8, **kwargs: Any):
    # The phases of the features need float32, and so do the large values of V.
    super().__init__(num_classes, l2_penalty, autocast=False,
                     **{**kwargs, "dtype": "float32"})
    if num_features < 1:
      raise ValueError(f"num_features is {num_features}, must be at least 1 (--hparams).")
    if feature_map not in FEATURE_MAPS:
      raise registry.unknown("feature_map", feature_map, FEATURE_MAPS,
                             "Set it with --hparams.")
    if not bandwidth >= 0:  # NaN as well
      raise ValueError(f"bandwidth is {bandwidth}, must be above 0, or 0 for the median "
                       "distance (--hparams).")
    for name, value in (("bandwidth_factor", bandwidth_factor), ("ridge", ridge)):
      if not value > 0:
        raise ValueError(f"{name} is {value}, must be above 0 (--hparams).")
    self.num_features, self.feature_map = num_features, feature_map
    self.bandwidth, self.bandwidth_factor = bandwidth, bandwidth_factor
    self.ridge, self.seed = ridge, seed

  def build(self, input_shape: Any) -> None:
    bandwidth = self.bandwidth or 1.0
    layer = (landmark_features.LandmarkFeatures(
        self.num_features, bandwidth, name="features") if self.feature_map == "landmarks"
             else random_features.RandomFeatures(
                 self.num_features, bandwidth, self.seed, name="features"))
    self.features: Any = base.built(layer, None, input_shape[-1])
    self.logits = self.dense(self.num_classes, self.num_features, "logits",
                             kernel_initializer="zeros", dtype="float32")

  def call(self, x: tf.Tensor) -> tf.Tensor:
    return tf.sigmoid(self.logits(self.features(x)))

  def start_from_prior(self, prior: np.ndarray) -> None:
    self.logits.bias.assign(classifier.prior_log_odds(prior))

  def start_from_features(self, videos: Callable[[], Iterable[types.LabeledInputs]]
                          ) -> None:
    """Solves for V and c; see `Classifier`.

    Raises:
      ValueError: There are no videos, or none has a label.
    """
    regression = ridges.RidgeRegression(self.num_features, self.num_classes)
    of_landmarks = self.feature_map == "landmarks"
    if of_landmarks:
      landmarks = _sample(videos(), self.num_features, self.seed)
      if len(landmarks):
        self.features.set_landmarks(landmarks)
      self._choose_bandwidth(landmarks[:_COMPARED_VIDEOS])
    for x, labels in videos():
      if not (of_landmarks or regression.num_videos):
        self._choose_bandwidth(x)
      regression.add(self._features(x), _present(labels))
    if not regression.prior.any():
      raise ValueError(f"None of {regression.num_videos:,} videos has a label to solve "
                       "for: check --train_data_pattern.")
    solution = regression.solve(
        self.ridge, self.features.norm() if of_landmarks else None)
    scores, present, count = [], [], 0
    for x, labels in videos():
      present.append(_present(labels)[:_SCALED_VIDEOS - count])
      scores.append(solution.left_out(self._features(x), present[-1]))
      if (count := count + len(present[-1])) >= _SCALED_VIDEOS:
        break
    weights, biases = solution.log_odds(np.concatenate(scores), np.concatenate(present))
    self.logits.set_weights([weights, biases])
    logging.info("Solved a kernel regression of %s videos.",
                 f"{regression.num_videos:,}")

  def _features(self, x: Any) -> np.ndarray:
    """Returns φ in the precision that the regression needs."""
    features = self.features(x).numpy()
    return features.astype(np.float64) if self.feature_map == "landmarks" else features

  def _choose_bandwidth(self, x: Any) -> None:
    if self.bandwidth or not len(x):
      return
    distance = random_features.median_distance(np.asarray(tf.cast(x, tf.float32)))
    self.features.set_bandwidth(self.bandwidth_factor * distance)
    logging.info("Bandwidth of the kernel: %.4g times the median distance %.4g.",
                 self.bandwidth_factor, distance)


def _sample(videos: Iterable[types.LabeledInputs], size: int, seed: int) -> np.ndarray:
  """Returns a random sample of the inputs of videos, in one pass (algorithm R)."""
  rng, sample = np.random.default_rng(seed), []
  count = 0
  for x, _ in videos:
    for row in np.asarray(tf.cast(x, tf.float32)):
      count += 1
      place = rng.integers(count)
      if len(sample) < size:
        sample.append(row)
      elif place < size:
        sample[place] = row
  return np.array(sample, np.float32)


def _present(labels: Any) -> np.ndarray:
  """Returns which labels are present. Scores of raters count from a half."""
  return np.asarray(labels) > 0.5
