# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes a `PredictionStore` out of the predictions of one record file after another."""

import os
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from yt8m.core import directories
from yt8m.core import files
from yt8m.core import finished
from yt8m.core import video_ids
from yt8m.data import label_sets
from yt8m.eval.metrics import ranking
from yt8m.eval.predictions import store as prediction_store

# Scores are sums of products of probabilities; so far outside [0, 1] is rounding.
_TOLERANCE = 1e-5


def rows(ids: Sequence[Any] | np.ndarray, scores: npt.ArrayLike,
         labels: npt.ArrayLike | None = None, *, top_k: int | None
         ) -> dict[str, np.ndarray]:
  """Returns the rows of a store for a batch of n videos, {name: array}.

  Args:
    ids: Ids of the videos, bytes or str.
    scores: Probabilities, (n, num_classes).
    labels: Labels, (n, num_classes), positive where they exceed ½; or None for all
      batches.
    top_k: Number of classes to keep of a video; None keeps all of them.

  Raises:
    ValueError: A score is NaN or not in [0, 1], or a shape is wrong.
  """
  scores = np.asarray(scores, np.float32)
  if scores.ndim != 2 or len(scores) != len(ids) or (
      labels is not None and np.shape(labels) != scores.shape):
    raise ValueError(
        f"Scores and labels of {len(ids)} videos must have the shape ({len(ids)}, "
        f"num_classes), not {scores.shape} and "
        f"{None if labels is None else np.shape(labels)}.")
  # No comparison with NaN holds.
  if scores.size and not (
      scores.min() >= -_TOLERANCE and scores.max() <= 1 + _TOLERANCE):
    row, label = np.argwhere(
        ~((scores >= -_TOLERANCE) & (scores <= 1 + _TOLERANCE)))[0]
    video_id: Any = ids[row]
    raise ValueError(
        f"The score of video {video_ids.as_text(video_id)!r} for class {label} is "
        f"{scores[row, label]:g}, not a probability from 0 to 1. Has the model diverged "
        "in training?")
  arrays: dict[str, np.ndarray] = {"ids": video_ids.as_bytes(ids)}
  if top_k is not None:
    class_type = np.uint16 if scores.shape[1] <= 2**16 else np.uint32
    scores, classes = ranking.best_classes(scores, top_k)
    arrays["classes"] = classes.astype(class_type)
  arrays["scores"] = np.clip(scores, 0, 1).astype(np.float16)
  if labels is not None:
    sets = label_sets.LabelSets.from_matrix(np.asarray(labels))
    arrays["label_classes"] = sets.classes.astype(np.int32)
    arrays["label_sizes"] = sets.sizes.astype(np.int32)
  return arrays


def check_path(directory: str) -> None:
  """Raises ValueError if `directory` is remote."""
  if files.is_remote(directory):
    raise ValueError(f"{directory}: predictions are memory-mapped, and must be local.")


def check(directory: str, top_k: int | None) -> None:
  """Raises the errors of `write` that are known before anything is predicted.

  Raises:
    FileExistsError: `directory` has files in it.
    ValueError: `directory` is remote, or `top_k` is not positive.
  """
  check_path(directory)
  if top_k is not None and top_k < 1:
    raise ValueError(f"top_k={top_k} must be at least 1.")
  if os.path.exists(directory) and (
      not os.path.isdir(directory) or os.listdir(directory)):
    raise FileExistsError(f"{directory} exists and is not an empty directory: "
                          "delete it or name another one.")


def write(directory: str, record_files: Sequence[str],
          read: Callable[[str], Mapping[str, np.ndarray]], *, num_classes: int,
          top_k: int | None = prediction_store.TOP_K, model: str = "",
          job: Mapping[str, Any] | None = None) -> prediction_store.PredictionStore:
  """Writes a store, as a whole or not at all.

  >>> import os, tempfile
  >>> import numpy as np
  >>> from yt8m.eval.predictions import writer
  >>> parts = {"a.tfrecord": writer.rows(["x"], np.array([[0.5, 1, 0]]), top_k=2)}
  >>> store = writer.write(os.path.join(tempfile.mkdtemp(), "store"), list(parts),
  ...                      parts.get, num_classes=3, top_k=2)
  >>> store.classes
  memmap([[1, 0]], dtype=uint16)

  Args:
    directory: Path of the store, which must not exist or be empty.
    record_files: Names of the record files, in the order of the store.
    read: Function from such a name to the rows of its videos. It is called twice for
      each, and one part at a time is in memory.
    num_classes: Number of classes, C.
    top_k: Number of classes that the rows have, or None for all.
    model: Fingerprint of the model.
    job: Everything that the store depends on, by which `finished.is_by` recognizes
      `store.json`; None if it need not be recognized.

  Raises:
    ValueError: There is no video, or one twice, or only some rows have labels.
    FileExistsError: `directory` has files in it.
    OSError: The disk is full.
  """
  check(directory, top_k)
  top_k = None if top_k is None else min(top_k, num_classes)
  with directories.atomic_directory(directory, flag="directory") as temporary:
    _join(temporary, record_files, read)
    prediction_store.describe(
        temporary, num_classes=num_classes, top_k=top_k, model=model,
        record_files=record_files)
    prediction_store.PredictionStore.open(temporary)
    if job is not None:
      description = os.path.join(temporary, prediction_store.DESCRIPTION)
      finished.marker(description, job)(description)
  return prediction_store.PredictionStore.open(directory, verify=False)


def _join(directory, record_files, read):
  """Writes the rows of all record files, an .npy file for each array."""
  parts = [{name: (array.dtype, array.shape) for name, array in read(file).items()}
           for file in record_files]
  counts = [part["ids"][1][0] for part in parts]
  filled = [part for part, count in zip(parts, counts, strict=True) if count]
  if not filled:
    raise ValueError("There are no videos to predict: the record files are empty.")
  names = set(filled[0])
  if any(set(part) != names for part in filled):
    raise ValueError("Some record files have labels, others do not.")
  if not sum(part["label_classes"][1][0] for part in filled if "label_classes" in part):
    names -= {"label_classes", "label_sizes"}

  joined = {}
  for name in names:
    dtypes, shapes = zip(*(part[name] for part in filled), strict=True)
    joined[name] = prediction_store.create_array(
        os.path.join(directory, f"{name}.npy"),
        max(dtypes, key=lambda dtype: dtype.itemsize),
        (sum(shape[0] for shape in shapes), *shapes[0][1:]))
  ends = dict.fromkeys(names, 0)
  for file, count in zip(record_files, counts, strict=True):
    part = read(file) if count else {}
    for name in names & part.keys():
      start, ends[name] = ends[name], ends[name] + len(part[name])
      joined[name][start:ends[name]] = part[name]
  for array in joined.values():
    array.flush()
  _check_unique(joined["ids"], np.cumsum(counts), record_files)


def _check_unique(ids, ends, record_files):
  """Raises an error for a video that is there twice, naming the files that have it.

  Args:
    ids: Ids of all videos, (n,).
    ends: Number of videos up to the end of each record file, (num_files,).
    record_files: Names of the files.
  """
  repeated = video_ids.repeated(ids)
  if repeated is not None:
    positions = np.flatnonzero(ids == repeated)[:2]
    first, second = (
        record_files[i] for i in np.searchsorted(ends, positions, side="right"))
    raise ValueError(f"Video {video_ids.as_text(repeated)!r} is in the records "
                     f"twice (in {first} and in {second}): leave one of them out.")
