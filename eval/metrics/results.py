# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The results of evaluations in a training directory: a folder for each set of records.

    <train_dir>/eval/<data>/metrics-<step>.json   everything that was measured
    <train_dir>/eval/<data>/metrics.jsonl         a line for each step, for curves
    <train_dir>/eval/<data>/classes-<step>.csv    the classes, if they have names
    <train_dir>/eval/<data>/events.out.*          scalars for TensorBoard

`<data>` is a name from the pattern of the records and a digest of the records and of
`--hparams`, such as `validate-1f0c2a9b`, so that no evaluation replaces one of others.
"""

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import checksum
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import paths
from yt8m.core import types
from yt8m.eval.metrics import calibration
from yt8m.eval.metrics import streaming
from yt8m.models import video_model

HISTORY = "metrics.jsonl"
# Names of the metrics of a line of the history, and of the scalars.
NAMES = (*streaming.TITLES, *calibration.TITLES)
_LONGEST_NAME = 40


@dataclasses.dataclass(frozen=True)
class Data:
  """What a model is evaluated on.

  Attributes:
    pattern: Pattern of the records.
    digest: Digest of the records.
    hparams: Value of `--hparams` of the evaluation; None for those of the training.
    segments: Whether segments are evaluated.
  """
  pattern: str
  digest: str
  hparams: str | None = None
  segments: bool = False

  @classmethod
  def of_files(cls, pattern: str, record_files: Sequence[str], hparams: str | None = None,
               segments: bool = False) -> "Data":
    """Reads the ends of all record files, for the digest."""
    return cls(pattern, digest(record_files), hparams, segments)

  @property
  def name(self) -> str:
    """Name of the folder, such as `validate-1f0c2a9b`."""
    first = self.pattern.replace("\n", ",").split(",")[0].rstrip("/")
    starts = (re.match(r"@?([\w.-]*)", part) for part in reversed(first.split("/")))
    words = [start[1].strip(".-_") for start in starts if start]
    name = next((word for word in words if word), "data")[:_LONGEST_NAME]
    content = json.dumps([self.digest, self.hparams, self.segments])
    return f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"

  def folder(self, train_dir: str) -> str:
    """Returns the folder of the results in a training directory."""
    return os.path.join(train_dir, "eval", self.name)


def digest(record_files: Sequence[str]) -> str:
  """Returns a digest of the ends of all record files, whatever their names."""
  ends = sorted(map(checksum.of_ends, record_files))
  return hashlib.sha256(" ".join(ends).encode()).hexdigest()[:16]


def content(data: Data, metrics: streaming.EvaluationMetrics, values: dict[str, Any], *,
            step: int | None, label_loss: str | None,
            at_thresholds: dict[str, Any] | None = None,
            own: Mapping[str, float] | None = None, **model: Any) -> types.Config:
  """Returns the content of a `metrics-<step>.json`.

  Args:
    data: What the model was evaluated on.
    metrics: Accumulated metrics.
    values: Results of `metrics.get()` and `metrics.calibration()`.
    step: Step of the checkpoint; None if there is none.
    label_loss: Name of the loss, for the record.
    at_thresholds: Precision, recall and F1 of decided labels, if there are thresholds.
    own: Metrics of the user's own, by name.
    **model: What the file says about the model.
  """
  classes = np.flatnonzero(metrics.num_positives).tolist()
  counts = metrics.num_positives[classes].tolist()
  return {
      **_line(data, metrics, values, step, label_loss, own), **model,
      "num_positives": dict(zip(classes, counts, strict=True)),
      "average_precision": dict(zip(classes, values["aps"].tolist(), strict=True)),
      **({"at_thresholds": at_thresholds} if at_thresholds else {}),
      **{name: values[name] for name in ("reliability", "by_frequency")}}


def _line(data: Data, metrics: streaming.EvaluationMetrics, values: dict[str, Any],
          step: int | None, label_loss: str | None,
          own: Mapping[str, float] | None) -> types.Config:
  """Returns a line of the history; for the arguments see `content`."""
  return {
      "step": step, "data": data.pattern, "data_digest": data.digest,
      "segments": data.segments, "num_examples": metrics.num_examples,
      "hparams": data.hparams, "top_k": metrics.top_k, "label_loss": label_loss,
      **_scalars(values, own)}


def _scalars(values: dict[str, Any], own: Mapping[str, float] | None
             ) -> dict[str, float]:
  # There is no calibration without predictions.
  named = {**{name: values[name] for name in NAMES}, **(own or {})}
  return {name: float(value) for name, value in named.items() if not np.isnan(value)}


def write(train_dir: str, data: Data, step: int, model: video_model.VideoModel,
          metrics: streaming.EvaluationMetrics, values: dict[str, Any], *,
          label_loss: str | None = None, at_thresholds: dict[str, Any] | None = None,
          own: Mapping[str, float] | None = None) -> str:
  """Writes the results of a step, and its line of the history.

  Args:
    train_dir: Training directory.
    data: What the model was evaluated on.
    step: Step of the checkpoint.
    model: Model, whose trainable parameters are counted.
    metrics: Accumulated metrics.
    values: Results of `metrics.get()` and `metrics.calibration()`, which take a while
      for a million videos.
    label_loss: Name of the loss, for the record.
    at_thresholds: Precision, recall and F1 of decided labels, if there are thresholds.
    own: Values of metrics of the user's own, by name.

  Returns:
    The path of the JSON file.
  """
  folder = data.folder(train_dir)
  with files.clear_disk_errors(folder):
    tf.io.gfile.makedirs(folder)
  path = os.path.join(folder, f"metrics-{step}.json")
  files.write_json(path, content(
      data, metrics, values, step=step, label_loss=label_loss,
      at_thresholds=at_thresholds, own=own,
      num_parameters=sum(int(tf.size(v)) for v in model.trainable_variables)))
  write_history(folder, [*(line for line in history(folder) if line["step"] != step),
                         _line(data, metrics, values, step, label_loss, own)])
  with files.clear_disk_errors(folder):
    writer = tf.summary.create_file_writer(folder)
    with writer.as_default(step=step):
      for name, value in _scalars(values, own).items():
        tf.summary.scalar(name, value)
    writer.close()
  return path


def history(folder: str) -> list[dict[str, Any]]:
  """Returns the lines of a history, by step; none if there is no file.

  Raises:
    ValueError: The file is not a history.
  """
  path = os.path.join(folder, HISTORY)
  if not tf.io.gfile.exists(path):
    return []
  if tf.io.gfile.isdir(path):
    raise ValueError(f"{path} is a directory, not the history of an evaluation: delete "
                     "it.")
  try:
    with files.open_to_read(path) as file:
      lines = [json.loads(line) for line in file.read().splitlines()]
    for line in lines:
      fields.check(line, {"step": fields.SIZE},
                   dict.fromkeys(NAMES, fields.NUMBER))
  except fields.UNFIT as error:
    raise ValueError(f"{path} is not the history of an evaluation "
                     f"({fields.reason(error)}): delete it.") from error
  return sorted(lines, key=lambda line: line["step"])


def write_history(folder: str, lines: Sequence[dict[str, Any]]) -> None:
  """Writes a history, by step, as a whole or not at all."""
  with files.atomic_write(os.path.join(folder, HISTORY)) as file:
    for line in sorted(lines, key=lambda line: line["step"]):
      file.write(json.dumps(line) + "\n")


def find(train_dir: str) -> dict[str, list[str]]:
  """Returns the paths of all `metrics-<step>.json`, by the name of their data.

  Those of older versions, which lie directly in `eval`, have the name "".
  """
  found: dict[str, list[str]] = {}
  for pattern in ("eval/metrics-*.json", "eval/*/metrics-*.json"):
    for path in paths.files_of(train_dir, pattern):
      name = os.path.basename(os.path.dirname(path)) if pattern.count("/") > 1 else ""
      found.setdefault(name, []).append(path)
  return found
