# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Kernel ridge regression by random Fourier features, solved before training."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import types
from yt8m.models import registries
from yt8m.models.classification import classifier
from yt8m.models.classification import ridge as ridges
from yt8m.models.layers import base
from yt8m.models.layers import random_features

keras = tf.keras

# Videos whose left-out scores set the scale of the logits: four numbers.
_SCALED_VIDEOS = 2048


@registries.CLASSIFIERS.register("kernel")
class Kernel(classifier.Classifier):
  """Scores every class by a regression on random features of a Gaussian kernel.

      p = σ(V φ(x) + c),   φ(x) = √(2/R) cos(W x / s + b)        see `RandomFeatures`

  `start_from_features` solves for V before training, in one pass over the videos:

      S = G⁻¹ B,   G = Σ_n φ_n φ_nᵀ + λ I,   B = Σ_n φ_n (y_n − π)ᵀ
      V_c = α S_c / (π_c (1 − π_c))^a,   c_c = α b logit π_c + γ

  A ridge regression predicts y, not its log-odds. Four numbers, the same for all classes,
  turn its scores into log-odds. They are chosen on the scores that videos have if they
  are left out of the regression, which takes no second regression (`ridge.Solution`).
  Probabilities are right on average over the classes, not for each class. Training goes
  on from there by gradient. Without that start, V is 0.

  Args:
    num_classes: Number of classes, C.
    num_features: Number of random features, R. The products for G and the solution take
      R² and R³ operations.
    bandwidth: Bandwidth of the kernel, s; 0 for `bandwidth_factor` times the median
      distance of two videos of the first batch.
    bandwidth_factor: Factor of the median distance.
    ridge: Ridge λ. A video counts 1, since φᵀ φ ≈ 1.
    seed: Seed of W and b.
    l2_penalty: Factor of the L2 penalty, see `Classifier`, as for the shapes.

  Raises:
    ValueError: `num_features` is less than 1, or another value is out of range.

  Reference: Rahimi & Recht 2007 (Random Features for Large-Scale Kernel Machines).
  """

  needs_features = True

  def __init__(self, num_classes: int, num_features: int = 4096, *,
               bandwidth: float = 0.0, bandwidth_factor: float = 1.5,
               ridge: float = 0.05, seed: int = 0, l2_penalty: float = 1e-8,
               **kwargs: Any):
    # The phases of the features need float32, and so do the large values of V.
    super().__init__(num_classes, l2_penalty, autocast=False,
                     **{**kwargs, "dtype": "float32"})
    if num_features < 1:
      raise ValueError(f"num_features is {num_features}, must be at least 1 (--hparams).")
    if bandwidth < 0:
      raise ValueError(f"bandwidth is {bandwidth}, must be above 0, or 0 for the median "
                       "distance (--hparams).")
    for name, value in (("bandwidth_factor", bandwidth_factor), ("ridge", ridge)):
      if value <= 0:
        raise ValueError(f"{name} is {value}, must be above 0 (--hparams).")
    self.num_features, self.bandwidth = num_features, bandwidth
    self.bandwidth_factor, self.ridge, self.seed = bandwidth_factor, ridge, seed

  def build(self, input_shape: Any) -> None:
    self.features = base.built(random_features.RandomFeatures(
        self.num_features, self.bandwidth or 1.0, self.seed, name="features"),
                               None, input_shape[-1])
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
    for x, labels in videos():
      if not (self.bandwidth or regression.num_videos):
        self._choose_bandwidth(x)
      regression.add(self.features(x).numpy(), _present(labels))
    if not regression.prior.any():
      raise ValueError(f"None of {regression.num_videos:,} videos has a label to solve "
                       "for: check --train_data_pattern.")
    solution = regression.solve(self.ridge)
    scores, present, count = [], [], 0
    for x, labels in videos():
      present.append(_present(labels)[:_SCALED_VIDEOS - count])
      scores.append(solution.left_out(self.features(x).numpy(), present[-1]))
      if (count := count + len(present[-1])) >= _SCALED_VIDEOS:
        break
    weights, biases = solution.log_odds(np.concatenate(scores), np.concatenate(present))
    self.logits.set_weights([weights, biases])
    logging.info("Solved a kernel regression of %s videos.",
                 f"{regression.num_videos:,}")

  def _choose_bandwidth(self, x: tf.Tensor) -> None:
    distance = random_features.median_distance(np.asarray(tf.cast(x, tf.float32)))
    self.features.set_bandwidth(self.bandwidth_factor * distance)
    logging.info("Bandwidth of the kernel: %.4g times the median distance %.4g.",
                 self.bandwidth_factor, distance)


def _present(labels: Any) -> np.ndarray:
  """Returns which labels are present. Scores of raters count from a half."""
  return np.asarray(labels) > 0.5
