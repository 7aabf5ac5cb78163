# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Mixup: training on mixtures of two videos and of their labels."""

import numpy as np
import tensorflow as tf

from yt8m import models
from yt8m.models import losses
from yt8m.training import soft_labels

# Quantiles of the Beta distribution that shares are drawn from.
_DRAWS = 2 ** 16


def attach(dataset: tf.data.Dataset, alpha: float, seed: int, epoch: int
           ) -> tf.data.Dataset:
  """Adds `mixing` to every batch, (batch_size, 1): the share that a video keeps, λ.

      λ ~ Beta(α, α),   x'_i = λ_i x_i + (1 − λ_i) x_j,   y'_i = λ_i y_i + (1 − λ_i) y_j

  x is the vector that the classifier reads (`Branch`), and i and j are neighbours in a
  batch (`models.layers.mixing`), in an order that is another one in each epoch. λ depends
  on the seed, the epoch and the id of the video, and on nothing else: neither a resumed
  run nor the number of replicas changes it.

  Args:
    dataset: Batches of a reader, of whole videos.
    alpha: Parameter of the Beta distribution, α. Near 0, hardly anything is mixed; at 1,
      λ is uniform.
    seed: Seed of the draws.
    epoch: Number of the epoch.

  Reference: Zhang et al. 2018 (arXiv:1710.09412), where x is the input. With frames, it
  is the vector after the aggregation, as in Verma et al. 2019 (arXiv:1806.05236).
  """
  draws = tf.constant(
      np.random.default_rng(seed).beta(alpha, alpha, _DRAWS).astype(np.float32))

  def add_shares(batch):
    keys = tf.strings.join([f"{seed}/{epoch}/", batch["id"]])
    rows = tf.strings.to_hash_bucket_fast(keys, _DRAWS)
    return {**batch, "mixing": tf.gather(draws, rows)[:, tf.newaxis]}

  return dataset.map(add_shares, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def check(loss: losses.LabelLoss, model: models.VideoModel, alpha: float,
          batch_size: int, segment_labels: bool) -> None:
  """Checks that a training can mix videos.

  Args:
    loss: Loss of `yt8m.models.losses`.
    model: Model to train.
    alpha: Value of `--mixup_alpha`.
    batch_size: Number of examples of a step and a replica.
    segment_labels: Whether examples are segments.

  Raises:
    ValueError: It cannot; the error names the flag and the remedy.
  """
  flag = f"--mixup_alpha={alpha}"
  if not 0 < alpha < np.inf:
    raise ValueError(f"{flag} must be a positive number.")
  if batch_size < 2:
    raise ValueError(f"{flag} mixes the videos of a batch, and --batch_size leaves one "
                     "for each replica: choose at least 2.")
  if segment_labels:
    raise ValueError(f"{flag} mixes whole videos, and only some labels of a segment are "
                     "rated: drop --segment_labels.")
  if model.options.get("model"):
    raise ValueError(f"{flag} mixes the vectors that classifiers read, and a model of "
                     "your own has none: choose another --model.")
  if model.options["mixture"]:
    raise ValueError(f"{flag} mixes the vectors that classifiers read, but the weights "
                     "of a mixture depend on the frames: choose another --model, or drop "
                     "'mixture' from --hparams.")
  soft_labels.check(loss, model, flag)
