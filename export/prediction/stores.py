# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions as a `PredictionStore`, the input of ensembles and of teachers."""

import dataclasses
import os
import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.artifacts import saved_model
from yt8m.core import checksum
from yt8m.core import locks
from yt8m.core import paths
from yt8m.core.types import Scores
from yt8m.data import dataset
from yt8m.eval.predictions import store as prediction_store
from yt8m.eval.predictions import writer
from yt8m.export.prediction import engine
from yt8m.export.prediction import jobs
from yt8m.export.prediction import parts as prediction_parts
from yt8m.export.prediction import runners


@dataclasses.dataclass(frozen=True)
class StoreJob(jobs.Job):
  """A job whose parts are rows of a store, which include the labels.

  Attributes:
    top_k: Number of classes kept of a video; None keeps all of them.
  """
  top_k: int | None = prediction_store.TOP_K

  def settings(self) -> dict[str, Any]:
    return {**super().settings(), "output": "store"}

  def reducer(self) -> jobs.Reducer:
    """Returns the function that checks the scores of a batch and makes rows of them."""

    def reduce(ids: np.ndarray, scores: Scores, labels: Any) -> jobs.Part:
      return writer.rows(ids, scores, np.asarray(labels), top_k=self.top_k)

    return reduce


def write(model: saved_model.SavedModel, data_pattern: str, store_dir: str, *,
          top_k: int | None = prediction_store.TOP_K, batch_size: int = 256,
          runner: runners.Runner = runners.in_threads,
          flag: str = "--eval_data_pattern") -> prediction_store.PredictionStore:
  """Predicts all videos of records, unless `store_dir` has these predictions already.

  A run that was killed continues with the record files that are not finished. A file
  that cannot be read is an error: models can be blended only for the same videos.

  Args:
    model: SavedModel that predicts.
    data_pattern: Records of the level of the model: globs, separated by commas.
    store_dir: Path of the store.
    top_k: Number of classes kept of a video; None keeps all of them.
    batch_size: Number of videos that are predicted at a time.
    runner: Runner that predicts the record files.
    flag: Flag that `data_pattern` comes from, for the errors.

  Raises:
    FileNotFoundError: There is no SavedModel of `yt8m-export`.
    ValueError: No file matches, a record is bad, a score is not a probability, or
      `store_dir` holds other predictions, or damaged ones.
  """
  model.check_exists()
  if top_k is not None:
    top_k = min(top_k, model.num_classes)
  record_files = paths.match(data_pattern, flag)
  names = _names(record_files)
  by_name = dict(zip(names, record_files, strict=True))
  store_dir = store_dir.rstrip("/")  # The parts lie beside it.
  writer.check_path(store_dir)
  with locks.hold_output(store_dir, "predicts", is_directory=True):
    if os.path.exists(os.path.join(store_dir, prediction_store.DESCRIPTION)):
      prediction_parts.remove(store_dir)
      return _finished(model, store_dir, list(by_name), top_k)
    reader = model.reader()
    reader.check_features(record_files, flag)
    dataset.Dataset.check_names(record_files, model.vocabulary)
    return _predict(model, store_dir, by_name, top_k, batch_size, runner)


def _finished(model: saved_model.SavedModel, store_dir: str, record_names: list[str],
              top_k: int | None) -> prediction_store.PredictionStore:
  store = prediction_store.PredictionStore.open(store_dir)
  for fits, kind in (
      (store.model == model.fingerprint, f"another model than {model}"),
      (store.record_files in (record_names, _without_digests(record_names)),
       "other records"),
      (store.top_k == top_k, "another number of classes a video")):
    if not fits:
      raise ValueError(f"{store_dir} holds predictions of {kind}: delete it or name "
                       "another directory.")
  return store


def _predict(model: saved_model.SavedModel, store_dir: str, by_name: Mapping[str, str],
             top_k: int | None, batch_size: int, runner: runners.Runner
             ) -> prediction_store.PredictionStore:
  writer.check(store_dir, top_k)
  logging.info("Predictions of %s.", model)
  parts = prediction_parts.Parts.open(
      store_dir, StoreJob(model, top_k, batch_size), overwrite=True)
  try:
    engine.run(parts, runner, list(by_name.values()), lambda record_file: None)
    store = writer.write(
        store_dir, list(by_name), lambda name: parts.read(by_name[name]),
        num_classes=model.num_classes, top_k=top_k, model=model.fingerprint)
    parts.remove()
    return store
  finally:
    parts.remove_if_empty()
    jobs.unload()  # The next model must not wait for the memory of this one.


def _names(record_files: Sequence[str]) -> list[str]:
  """Returns `"<name> (<bytes>, <digest>)"`, the same after the folder has moved."""
  folder = os.path.commonpath([os.path.dirname(file) for file in record_files])
  return [f"{os.path.relpath(file, folder)} ({tf.io.gfile.stat(file).length:,} bytes, "
          f"{checksum.of_ends(file)})" for file in record_files]


def _without_digests(names: Sequence[str]) -> list[str]:
  """Returns names as earlier versions wrote them, `"<name> (<bytes>)"`."""
  return [re.sub(r", [0-9a-f]{16}\)$", ")", name) for name in names]
