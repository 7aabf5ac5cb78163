# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fits a `Calibration` to the scores of a model on videos that it was not trained on."""

import functools
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import numerics
from yt8m.core import progress
from yt8m.core import registry
from yt8m.data import label_sets as label_set_files
from yt8m.eval.metrics import streaming
from yt8m.models.calibration import calibration
from yt8m.models.layers import log_odds
from yt8m.training import label_network_cache
from yt8m.training import label_start

keras = tf.keras

# What a calibration consists of.
PARTS = ("mean_field", "label_sets", "calibrator")
# Sets of labels that the posterior knows: the most frequent ones. The largest have few
# videos, and would take the most room.
_MOST_SETS, _LARGEST_SET = 50_000, 20
# Passes over the label sets to train the label network: more, if they are few.
_LEAST_PASSES, _MOST_PASSES, _TRAINED_SETS = 3, 30, 300_000
# Videos that the constants are chosen on. More change the third digit of GAP at most.
_VIDEOS = 3000
_ROWS = 256
_COUPLINGS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6)
_SHARES = (0.0, 0.15, 0.3, 0.5, 0.7, 0.85)
# Values of a, b and κ of `LabelSetPosterior`; the search goes through one after another.
_FACTORS = ((0.6, 0.8, 1.0, 1.2), (0.1, 0.3, 0.5, 0.7, 1.0),
            (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
_SEARCHES = 2
# Training of the pair calibrator. An eighth of the videos says when to stop.
_CHECKED_SHARE = 8
_FEW_VIDEOS = 500
_MAX_EPOCHS, _PATIENCE, _BATCH, _LEARNING_RATE, _DECAY = 30, 3, 4096, 2e-3, 1e-3


def make(label_sets: label_set_files.LabelSets, *, seed: int = 0,
         parts: Collection[str] = PARTS, cache_dir: str | None = None,
         **hparams: Any) -> calibration.Calibration:
  """Returns a calibration that knows label sets, and is not fitted yet.

  Args:
    label_sets: Label sets of many videos.
    seed: Seed of the label network and its training.
    parts: Parts to use, of `PARTS`.
    cache_dir: Directory of label networks that are trained already, or None.
    **hparams: Hyperparameters of `Calibration`.

  Raises:
    ValueError: No label set has any labels, or a part is unknown.
  """
  check_parts(parts)
  if "mean_field" not in parts:
    hparams["num_steps"] = 0
  sets, counts = known_sets(label_sets)
  if "label_sets" not in parts:  # A single set says nothing.
    sets, counts = sets.select(np.arange(len(sets)) < 1), counts[:1]
  layer = calibration.Calibration(
      label_sets.num_classes, len(sets), int(sets.sizes.sum()), **hparams)
  layer.build((None, label_sets.num_classes))
  prior = numerics.logit(label_sets.prior(), 0).astype(np.float32)
  layer.posterior.set_label_sets(sets, counts, prior)
  if layer.num_steps:
    epochs = min(_MOST_PASSES, max(_LEAST_PASSES, _TRAINED_SETS // len(label_sets)))
    layer.evidence.set_weights(label_start.pretrain(
        label_sets, label_sets.num_classes, layer.label_units, epochs, seed,
        cache_dir=cache_dir))
  return layer


def known_sets(label_sets: label_set_files.LabelSets
               ) -> tuple[label_set_files.LabelSets, np.ndarray]:
  """Returns the label sets for the posterior, and the number of videos with each.

  Raises:
    ValueError: No label set has any labels.
  """
  sets, counts = label_sets.most_frequent(_MOST_SETS, _LARGEST_SET)
  kept = sets.sizes > 0
  if not kept.any():
    raise ValueError("There are no labels to calibrate with: check the records.")
  return sets.select(kept), counts[kept]


def check(parts: Collection[str], cache_dir: str | None) -> None:
  """Raises ValueError for arguments of `make` that cannot be used."""
  check_parts(parts)
  label_network_cache.check(cache_dir)


def check_parts(parts: Collection[str]) -> None:
  """Raises ValueError if one of the parts is not in `PARTS`."""
  for part in parts:
    if part not in PARTS:
      raise registry.unknown("part", part, PARTS, "Set it with --parts.")


def fit(layer: calibration.Calibration, scores: np.ndarray, labels: np.ndarray,
        seed: int = 0, parts: Collection[str] = PARTS,
        members: np.ndarray | None = None) -> None:
  """Chooses the constants of a calibration, and trains its pair calibrator.

  λ is the one with the best GAP of σ(m), and a, b, κ and w those with the best GAP of s;
  both are searched over grids. Then the pair calibrator minimises the cross entropy of
  its pairs. An eighth of the videos is kept from it, and says when to stop and whether it
  helps.

  Args:
    layer: Calibration, as `make` returns it.
    scores: Scores of a model on videos that it was not trained on, (n, num_classes).
    labels: Labels of these videos, (n, num_classes) bool.
    seed: Seed of the choice of videos, the weights and their training.
    parts: Those of `make`.
    members: Scores of the members of an ensemble, (n, M, num_classes), which the
      calibration reads if it has `num_members`.

  Raises:
    ValueError: There are too few videos.
  """
  if len(scores) < 2 * _CHECKED_SHARE:
    raise ValueError(f"Only {len(scores)} held-out videos, and at least "
                     f"{2 * _CHECKED_SHARE} are needed: name more records.")
  if len(scores) < _FEW_VIDEOS:
    logging.warning("Only %d held-out videos: with fewer than %d, scores may get worse.",
                    len(scores), _FEW_VIDEOS)
  order = np.random.default_rng(seed).permutation(len(scores))
  chosen = np.sort(order[:_VIDEOS])
  _choose_constants(
      layer, np.asarray(scores[chosen], np.float32), labels[chosen], parts)
  features, hits = _pairs(layer, scores, labels, members)
  if "calibrator" not in parts:
    layer.pairs.start_from(
        features.reshape(-1, features.shape[-1]), calibration.BLEND, seed)
    return
  checked, trained = np.split(order, [len(order) // _CHECKED_SHARE])
  _train(layer.pairs, features, hits, trained, checked, seed)


def calibrated(layer: calibration.Calibration, scores: np.ndarray,
               members: np.ndarray | None = None) -> np.ndarray:
  """Returns what a calibration makes of scores, (n, num_classes) float32."""
  return np.concatenate(list(_by_block(_compiled(layer), scores, members)))


def _choose_constants(layer, scores, labels, parts):
  logits = log_odds.logit(scores).numpy()
  gap = functools.partial(_gap, labels=labels)
  # Each is traced once; the constants are variables.
  mean_field, posterior = tf.function(layer.mean_field), _compiled(layer.posterior)

  def field():
    return np.concatenate(list(_by_block(mean_field, logits)))

  def field_gap(coupling):
    layer.coupling.assign(coupling)
    return gap(_sigmoid(field()))

  couplings = _COUPLINGS if layer.num_steps else _COUPLINGS[:1]
  coupling = max(couplings, key=field_gap)
  layer.coupling.assign(coupling)
  alone = _sigmoid(field())

  def blend_gap(factors):
    """Returns the best GAP for these factors, and the share that has it."""
    layer.posterior.factors.assign(factors)
    marginal = np.concatenate([
        marginals[0] for marginals, _ in _by_block(posterior, logits)])
    return max((gap(share * marginal + (1 - share) * alone), -share)
               for share in (_SHARES if "label_sets" in parts else _SHARES[:1]))

  factors = layer.posterior.factors.numpy().tolist()
  tried = {tuple(factors): blend_gap(factors)}
  searches = _SEARCHES if "label_sets" in parts else 0
  with progress.Periodic(10.0, searches * sum(map(len, _FACTORS)), "values") as report:
    done = 0
    for position, values in [*enumerate(_FACTORS)] * searches:
      for value in values:
        changed = (*factors[:position], value, *factors[position + 1:])
        if changed not in tried:
          tried[changed] = blend_gap(changed)
        done += 1
        report(done, "Choosing how much label sets count")
      factors = list(max(tried, key=tried.__getitem__))
  best, negative_share = tried[tuple(factors)]
  layer.posterior.factors.assign(factors)
  layer.posterior_share.assign(-negative_share)
  logging.info(
      "GAP of %d videos: %.4f, with the mean field (coupling %g) %.4f, with the label "
      "sets (a %g, b %g, kappa %g, share %g) %.4f.", len(scores), gap(scores), coupling,
      gap(alone), *factors, -negative_share, best)


def _pairs(layer, scores, labels, members):
  """Returns the features of the candidates, (n, k, F), and which are labels, (n, k)."""
  found = [(features, classes) for features, classes, _ in
           _by_block(_compiled(layer.describe), scores, members)]
  features, classes = (np.concatenate(part) for part in zip(*found, strict=True))
  return features, np.take_along_axis(labels, classes, axis=1)


def _train(pairs, features, hits, trained, checked, seed):
  num_features = features.shape[-1]

  def rows(videos):
    return (features[videos].reshape(-1, num_features),
            hits[videos].reshape(-1, 1).astype(np.float32))

  keras.utils.set_random_seed(seed)
  pairs.start_from(features.reshape(-1, num_features), calibration.BLEND, seed)
  pairs.trainable = True
  inputs = keras.Input((num_features,))
  model = keras.Model(inputs, pairs(inputs)[:, tf.newaxis])
  model.compile(
      keras.optimizers.AdamW(_LEARNING_RATE, weight_decay=_DECAY),
      keras.losses.BinaryCrossentropy(from_logits=True))
  before = model.evaluate(*rows(checked), batch_size=_BATCH, verbose=0)
  history = model.fit(
      *rows(trained), batch_size=_BATCH, epochs=_MAX_EPOCHS, verbose=0,
      validation_data=rows(checked), callbacks=[keras.callbacks.EarlyStopping(
          patience=_PATIENCE, restore_best_weights=True)])
  pairs.trainable = False
  losses = history.history["val_loss"]
  if not min(losses) < before:
    pairs.start_from(features.reshape(-1, num_features), calibration.BLEND, seed)
  logging.info("Cross entropy of the pairs of %d videos: %.4f, calibrated on %d others "
               "%.4f.", len(checked), before, len(trained), min(before, *losses))


def _compiled(function):
  # XLA sums over label sets in a third of the processor time.
  return tf.function(function, jit_compile=True)


def _by_block(function: Callable, *values: np.ndarray | None) -> Iterator[Any]:
  """Yields the outputs of a function of tensors for blocks of rows, as arrays.

  Arguments that are None are left out.
  """
  arrays = [array for array in values if array is not None]
  for start in range(0, len(arrays[0]), _ROWS):
    outputs = function(*(tf.constant(array[start:start + _ROWS], tf.float32)
                         for array in arrays))
    yield tf.nest.map_structure(lambda tensor: tensor.numpy(), outputs)


def _sigmoid(logits):
  return tf.sigmoid(logits).numpy()


def _gap(scores, labels):
  return streaming.gap(scores, labels, min(streaming.TOP_K, scores.shape[1]))
