# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Ridge regression of labels on features, solved from sums over the videos."""

import numpy as np

from yt8m.core import numerics

# Values of a and b of `Solution.log_odds`.
_EXPONENTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
_PRIOR_WEIGHTS = (0.0, 0.01, 0.03, 0.1, 0.3)
_TOP_K = 20
# Steps of Newton's method at most, and the gain of log-likelihood a video that ends them.
_STEPS, _GAIN = 60, 1e-5
# Keeps the estimates finite where labels and scores agree perfectly.
_DAMPING = 1e-3


class RidgeRegression:
  """Sums over videos from which the weights of a ridge regression follow.

      G = Σ_n φ_n φ_nᵀ + λ K,   B = Σ_n φ_n (y_n − π)ᵀ,   V = G⁻¹ B
      y_n ≈ π + Vᵀ φ_n,   π = Σ_n y_n / N

  V minimises the squared errors plus λ Vᵀ K V. The videos pass once, and the memory does
  not depend on their number. The products of a batch have the type of the features. They
  are added in float64. For K = I, G has eigenvalues from λ to N, and the errors of
  float32 products stay far below λ. A K of small eigenvalues needs float64 features.

  Args:
    num_features: Number of features, R.
    num_classes: Number of classes, C.
  """

  def __init__(self, num_features: int, num_classes: int):
    self.num_videos = 0
    self._gram = np.zeros((num_features, num_features))
    self._with_labels = np.zeros((num_classes, num_features))
    self._features = np.zeros(num_features)
    self._labels = np.zeros(num_classes)

  def add(self, features: np.ndarray, labels: np.ndarray) -> None:
    """Adds videos.

    Args:
      features: φ, (rows, num_features).
      labels: y, (rows, num_classes) bool.
    """
    self.num_videos += len(features)
    self._gram += features.T @ features
    self._features += features.sum(axis=0, dtype=np.float64)
    # A video has few labels: sums of rows take less time than a product of matrices.
    classes, rows = np.nonzero(labels.T)
    present, starts = np.unique(classes, return_index=True)
    if len(present):
      self._with_labels[present] += np.add.reduceat(features[rows], starts, axis=0)
      self._labels[present] += np.diff(starts, append=len(classes))

  @property
  def prior(self) -> np.ndarray:
    """Share of the videos with each label, π, (num_classes,)."""
    return self._labels / max(self.num_videos, 1)

  def solve(self, ridge: float, norm: np.ndarray | None = None) -> "Solution":
    """Returns the solution for a value of λ and K, (num_features, num_features), or I."""
    penalty = np.eye(len(self._gram)) if norm is None else norm
    inverse = np.linalg.inv(self._gram + ridge * penalty)
    targets = self._with_labels - np.outer(self.prior, self._features)
    return Solution(inverse @ targets.T, inverse, self.prior)


class Solution:
  """Solution of a ridge regression.

  Args:
    weights: V, (num_features, num_classes).
    inverse: G⁻¹, (num_features, num_features).
    prior: π, (num_classes,).
  """

  def __init__(self, weights: np.ndarray, inverse: np.ndarray, prior: np.ndarray):
    self.weights, self.inverse, self.prior = weights, inverse, prior

  def left_out(self, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns Vᵀ φ of videos of the regression, each as if it had been left out.

        s_n = (Vᵀ φ_n − h_n (y_n − π)) / (1 − h_n),   h_n = φ_nᵀ G⁻¹ φ_n

    This equals the regression without the video n, with the same π.

    Args:
      features: φ, (rows, num_features).
      labels: y, (rows, num_classes) bool.

    Returns:
      s, (rows, num_classes).
    """
    features = np.asarray(features, np.float64)
    leverages = np.sum((features @ self.inverse) * features, axis=1, keepdims=True)
    # A repeated video may have a leverage that rounds to 1.
    leverages = np.minimum(leverages, 1 - 1e-6)
    return (features @ self.weights - leverages * (labels - self.prior)) / (1 - leverages)

  def log_odds(self, scores: np.ndarray, labels: np.ndarray
               ) -> tuple[np.ndarray, np.ndarray]:
    """Returns weights and biases of log-odds, from scores of left-out videos.

        z_c = α u_c + γ,   u_c = s_c / (π_c (1 − π_c))^a + b logit π_c

    A regression shrinks rare classes most, so their scores are too small beside others.
    First a and then b is the value with the largest GAP; α and γ are those with the
    largest likelihood. Four numbers for all classes fit classes of one video as well.

    Args:
      scores: s, (rows, num_classes).
      labels: y, (rows, num_classes) bool.

    Returns:
      Weights of the features, (num_features, num_classes); biases, (num_classes,).
    """
    spread = self.prior * (1 - self.prior)
    base = numerics.logit(self.prior, 1e-7, 1e-3)

    def terms(exponent, prior_weight):
      # A class that all videos have, or none, has only scores of 0.
      return np.where(spread > 0, spread, 1.0) ** -exponent, prior_weight * base

    def gap(exponent, prior_weight):
      factors, offsets = terms(exponent, prior_weight)
      return _gap(scores * factors + offsets, labels)

    exponent = max(_EXPONENTS, key=lambda a: gap(a, 0.0))
    factors, offsets = terms(
        exponent, max(_PRIOR_WEIGHTS, key=lambda b: gap(exponent, b)))
    scale, shift = _platt(scores * factors + offsets, labels)
    return self.weights * factors * scale, scale * offsets + shift


def _gap(scores, labels):
  """Returns the GAP of the best 20 classes of each video."""
  best = np.argpartition(-scores, min(_TOP_K, scores.shape[1]) - 1, axis=1)[:, :_TOP_K]
  hits = np.take_along_axis(labels, best, axis=1).ravel()
  order = np.argsort(-np.take_along_axis(scores, best, axis=1).ravel(), kind="stable")
  hits = hits[order]
  precisions = np.cumsum(hits) / np.arange(1, len(hits) + 1)
  return np.sum(precisions[hits]) / max(np.sum(labels), 1)


def _platt(scores, labels):
  """Returns α and γ of the largest likelihood of σ(α u + γ), by Newton's method."""
  share = np.clip(np.mean(labels), 1e-7, 1 - 1e-7)
  scale, shift = 1.0, float(numerics.logit(share, 1e-7))
  value = -np.inf
  for _ in range(_STEPS):
    logits = scale * scores + shift
    previous, value = value, (
        np.sum(logits[labels]) - np.sum(np.logaddexp(0, logits))) / len(scores)
    if value - previous < _GAIN:
      break
    p = 1 / (1 + np.exp(-logits))
    residuals, weights = labels - p, p * (1 - p)
    gradient = [np.sum(residuals * scores), np.sum(residuals)]
    mixed = np.sum(weights * scores)
    information = np.array([[np.sum(weights * scores * scores), mixed],
                            [mixed, np.sum(weights)]])
    step = np.linalg.solve(information + _DAMPING * np.eye(2), gradient)
    # Far from the optimum a whole step may overshoot.
    step /= max(1.0, np.abs(step * [np.std(scores), 1.0]).max())
    scale, shift = scale + step[0], shift + step[1]
  return scale, shift
