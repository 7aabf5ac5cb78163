# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What classifiers learn from labels alone, before the model is trained."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import numerics
from yt8m.core import progress
from yt8m.data import label_check
from yt8m.data import label_reader
from yt8m.data import label_sets as label_set_files
from yt8m.data import reader_base
from yt8m.models import video_model
from yt8m.models.layers import label_network
from yt8m.training import label_network_cache

keras = tf.keras

# Records whose labels are looked at if they are not used to start from.
_LOOKED_AT = 1000
_LEARNING_RATE = 3e-3
# Share of the label sets of which nothing is observed, so that q(0) = 0 remains the
# prior.
_EMPTY_SHARE = 0.2


def read_label_sets(reader: reader_base.Reader, files: Sequence[str], num_examples: int,
                    path: str | None = None, excluded: Sequence[str] = (), *,
                    needed: bool = True, labels_required: bool = True,
                    skip_corrupt_records: bool = False, skip_bad_records: bool = False
                    ) -> label_set_files.LabelSets:
  """Returns the label sets of training records, or of `--label_sets`.

  The labels of the records are looked at in any case, to warn of odd ones.

  Args:
    reader: Reader of the training records.
    files: Training records.
    num_examples: Number of records to read, from all files.
    path: File of `yt8m-label-sets` to use instead of the records.
    excluded: Records whose videos are left out of `path` (`--label_sets_exclude`).
    needed: Whether the result is used. If not, fewer records are read.
    labels_required: Whether it is an error if no record has labels.
    skip_corrupt_records: Whether to count damaged records and go on.
    skip_bad_records: Whether to count records that cannot be used, and go on.

  Raises:
    ValueError: The records have no labels; or without the excluded videos, nothing
      remains.
  """
  sets = label_check.read(
      reader, files,
      num_examples if needed and not path else min(num_examples, _LOOKED_AT),
      labels_required, skip_corrupt_records, skip_bad_records)
  if not path:
    return sets
  return load_label_sets(reader, path, excluded, skip_corrupt_records, skip_bad_records)


def load_label_sets(reader: reader_base.Reader, path: str, excluded: Sequence[str] = (),
                    skip_corrupt_records: bool = False, skip_bad_records: bool = False
                    ) -> label_set_files.LabelSets:
  """Returns the label sets of `--label_sets` without those of `--label_sets_exclude`.

  Args: those of `read_label_sets`.

  Raises:
    ValueError: Without the excluded videos, nothing remains.
  """
  sets = label_set_files.LabelSets.load(path, reader.num_classes)
  if not excluded:
    return sets
  others = sets.without(label_reader.video_ids(
      reader, excluded, skip_corrupt_records, skip_bad_records))
  if not len(others):
    raise ValueError(f"--label_sets_exclude leaves none of the {len(sets):,} label sets "
                     f"of --label_sets={path}.")
  logging.info("Left out %s of %s label sets: their videos are in --label_sets_exclude.",
               f"{len(sets) - len(others):,}", f"{len(sets):,}")
  return others


def start_from_label_sets(model: video_model.VideoModel,
                          label_sets: label_set_files.LabelSets,
                          cache_dir: str | None = None) -> None:
  """Lets the classifiers of a built model learn what labels alone can teach.

  Branches of a mixture that need the same label network share one training.

  Args:
    model: Model whose variables exist.
    label_sets: `LabelSets` of many videos.
    cache_dir: Directory of label networks that are trained already, or None.
  """
  model.start_from_label_sets(label_sets, functools.cache(functools.partial(
      pretrain, label_sets, cache_dir=cache_dir)))


def pretrain(label_sets: label_set_files.LabelSets, num_classes: int, units: int,
             num_epochs: int, seed: int = 0, *, batch_size: int | None = None,
             cache_dir: str | None = None) -> list[np.ndarray]:
  """Trains a `LabelNetwork` to complete label sets, and returns its weights.

      L = −Σ_c y_c ln P_c + (1 − y_c) ln(1 − P_c),   P = σ(z),  z = logit π + q(o)
        = Σ_c softplus(z_c) − Σ_{c ∈ y} z_c

  The optimizer is Adam with a cosine schedule. o holds every label of y with probability
  r; r is 0 for a fifth of the label sets and uniform for the others.

  Args:
    label_sets: `LabelSets` to learn from.
    num_classes: Number of classes of the network.
    units: Width of the network.
    num_epochs: Passes over the label sets.
    seed: Seed of the weights, the order and the draws.
    batch_size: Label sets in a step; by default 1,024, or fewer if a pass would then
      have less than a hundred steps.
    cache_dir: Directory of label networks: one that is there is not trained again, any
      other is kept there. None: no directory.

  Returns:
    The weights of the network.

  Raises:
    ValueError: There are no label sets, or a file of `cache_dir` is damaged.
  """
  num_sets = len(label_sets)
  if not num_sets:
    raise ValueError("There are no label sets to learn from: check --train_data_pattern "
                     "or --label_sets.")
  settings = dict(
      num_classes=num_classes, units=units, num_epochs=num_epochs, seed=seed,
      batch_size=batch_size or min(1024, max(1, num_sets // 100)))
  return label_network_cache.load_or_train(
      cache_dir, label_sets, settings,
      label_network.weight_shapes(num_classes, units),
      functools.partial(_train_network, label_sets, **settings))


def _train_network(label_sets, *, num_classes, units, num_epochs, seed, batch_size):
  num_sets = len(label_sets)
  offset = tf.constant(numerics.logit(label_sets.prior(), 0), tf.float32)
  # The network is in float32 under every policy, and belongs to no strategy.
  network = label_network.LabelNetwork(num_classes, units, dtype="float32")
  network.build((None, num_classes))
  network.initialize(seed)
  optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(
      _LEARNING_RATE, -(-num_sets // batch_size) * num_epochs))
  optimizer.build(network.trainable_variables)
  ragged: Any = tf.RaggedTensor
  sets = ragged.from_row_lengths(label_sets.classes, label_sets.sizes)

  @tf.function(reduce_retracing=True)
  def step(rows, number):
    labels = tf.gather(sets, rows)
    shares, draw_seed = label_network.draw_shares(
        labels.nrows(), _EMPTY_SHARE, 1.0, tf.stack([seed, number]))
    draws = tf.random.stateless_uniform(tf.shape(labels.values), draw_seed)
    observed = labels.with_values(tf.cast(
        draws < tf.gather(shares, labels.value_rowids()), tf.float32))
    with tf.GradientTape() as tape:
      logits = offset + network.of_labels(labels, observed)
      positives = tf.gather_nd(
          logits, tf.stack([labels.value_rowids(), labels.values], axis=1))
      loss = (tf.reduce_sum(tf.nn.softplus(logits)) - tf.reduce_sum(positives)) / (
          tf.cast(tf.size(rows), tf.float32))
    gradients = tape.gradient(loss, network.trainable_variables)
    optimizer.apply_gradients(zip(
        map(tf.convert_to_tensor, gradients), network.trainable_variables, strict=True))
    return loss

  rng, done, number = np.random.default_rng(seed), 0, 0
  with progress.Periodic(10.0, num_epochs * num_sets, "label sets") as report:
    for _ in range(num_epochs):
      order = rng.permutation(num_sets)
      for start in range(0, num_sets, batch_size):
        rows = order[start:start + batch_size]
        loss = step(tf.constant(rows), tf.constant(number))
        done, number = done + len(rows), number + 1
        if report.is_due():
          report(done, f"Learning label sets: loss {float(loss):.3f}", loss=float(loss))
  return network.get_weights()
