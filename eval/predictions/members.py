# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions of a SavedModel on records, kept in a `PredictionStore`.

The records are read file by file, each a part of the store: a run that is killed and
started again goes on with the first file that is not finished.
"""

import os

import tensorflow as tf
from absl import logging

from yt8m.artifacts import saved_model
from yt8m.core import progress
from yt8m.data import records
from yt8m.eval.predictions import store as prediction_store
from yt8m.eval.predictions import writer as prediction_store_writer

_PROGRESS_SECS = 10.0


def fingerprint(saved_model_dir):
  """SHA-256 of what a SavedModel computes: its graph, its weights and its assets.

  Raises:
    FileNotFoundError: there is no SavedModel in `saved_model_dir`.
  """
  return saved_model.SavedModel(saved_model_dir).fingerprint


def write(saved_model_dir, data_pattern, store_dir, top_k=prediction_store.TOP_K,
          dense=False, batch_size=256, skip_corrupt_records=False,
          flag="--eval_data_pattern"):
  """Predicts all videos of records, unless `store_dir` has these predictions already.

  Args:
    saved_model_dir: directory that `yt8m-export` wrote.
    data_pattern: records of the level of the model: globs, separated by commas.
    store_dir: where the `PredictionStore` is or shall be.
    top_k: classes kept a video, the best.
    dense: keeps all classes.
    batch_size: videos at a time.
    skip_corrupt_records: leaves a damaged file at its first bad record.
    flag: what to call `data_pattern` in errors.

  Returns:
    The `PredictionStore`.

  Raises:
    FileNotFoundError: there is no SavedModel of `yt8m-export`.
    ValueError: no file matches; a record is bad;
      a score is not a probability; or `store_dir` holds other predictions, or damaged
      ones.
  """
  model = fingerprint(saved_model_dir)
  described = saved_model.Served.load(saved_model_dir)
  paths = records.match_files(data_pattern, flag)
  names = _part_names(paths)
  if os.path.exists(os.path.join(store_dir, prediction_store.DESCRIPTION)):
    prediction_store_writer.remove_parts(store_dir)
    return _existing(store_dir, saved_model_dir, model=model, parts=names,
                     top_k=None if dense else min(top_k, described.num_classes))

  writer = prediction_store_writer.StoreWriter(
      store_dir, described.num_classes, top_k, dense, model)
  missing = {path: name for path, name in zip(paths, names, strict=True)
             if not writer.is_finished(name)}
  logging.info("Predictions of %s: %d of %d files left.", saved_model_dir, len(missing),
               len(paths))
  if missing:
    report = progress.Periodic(_PROGRESS_SECS, progress.Progress(
        records.estimate_count(list(missing)), "videos"))
    reader = described.reader()
    predict = saved_model.load_predictor(saved_model_dir)
  num_videos = 0
  for path, name in missing.items():
    dataset = reader.dataset(path, batch_size, num_readers=1, flag=flag,
                             skip_corrupt_records=skip_corrupt_records)
    with writer.part(name) as part, records.clear_errors():
      for batch in dataset:
        scores = predict(batch)
        part.add(batch["id"].numpy(), scores.numpy(), batch["labels"].numpy())
        num_videos += len(scores)
        for line in report(num_videos):
          logging.info("%s: %d videos | %s", saved_model_dir, num_videos, line)
  return writer.finish(names)


def _part_names(paths):
  """`"<name> (<bytes>)"` for each file: the same after the folder has moved."""
  folder = os.path.commonpath([os.path.dirname(path) for path in paths])
  return [f"{os.path.relpath(path, folder)} ({tf.io.gfile.stat(path).length:,} bytes)"
          for path in paths]


def _existing(store_dir, saved_model_dir, **expected):
  """Opens a store, and refuses it if it holds anything else than expected."""
  store = prediction_store.PredictionStore.open(store_dir)
  kinds = {"model": f"another model than {saved_model_dir}", "parts": "other records",
           "top_k": "another number of classes a video"}
  for key, kind in kinds.items():
    if getattr(store, key) != expected[key]:
      raise ValueError(f"{store_dir} holds predictions of {kind}: delete it or name "
                       "another directory.")
  return store
