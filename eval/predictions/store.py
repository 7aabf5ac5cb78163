# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions of one model on a set of videos, on disk: the best classes of each.

For n videos, C classes and the best k of them:

    store.json         contents of the store, and size and SHA-256 of every other file
    ids.npy            (n,) bytes, in the order of the records
    scores.npy         (n, k) float16, best first; dense: (n, C), by class
    classes.npy        (n, k) uint16, uint32 beyond 65,536 classes; dense: not there
    label_classes.npy  (Σ sizes,) int32; not there if the records had no labels
    label_sizes.npy    (n,) int32

With k = 50 that is 200 bytes a video, besides its id and its labels. float16 changes a
score by at most 2⁻¹² of it (below 6e-5, in steps of 6e-8). Rounding is monotone: it makes
ties, but never reverses an order.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from yt8m.core import checksum
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import registry
from yt8m.data import label_sets
from yt8m.eval.metrics import ranking

DESCRIPTION = "store.json"
FORMAT = 1
# GAP counts the best 20 of a blend, which may be the 30th of one of its models.
TOP_K = 50
# Arrays of a store, and the kind of their dtype.
_ARRAYS = {"ids": "S", "scores": "f", "classes": "u", "label_classes": "i",
           "label_sizes": "i"}

# Rows of a store: a slice, or (num_rows,) int.
Rows = slice | Sequence[int] | np.ndarray


class PredictionStore:
  """The predictions of a model, memory-mapped. Create it with `open`.

  Attributes:
    directory: Path of the store.
    num_videos: Number of videos, n.
    num_classes: Number of classes, C.
    top_k: Number of classes kept of a video, k; None if the store is dense.
    model: Fingerprint of the model that made the predictions.
    record_files: Names of the record files, in the order of the videos.
    records_sha256: SHA-256 of the ids, in their order.
    ids: Ids of the videos, (n,) bytes.
    scores: Scores, (n, k) float16, best first; dense: (n, C).
    classes: Class of every score, (n, k) uint16 or uint32; None if the store is dense.
    labels: Label sets of the videos, without ids; None if the records had no labels.
  """

  def __init__(self, directory: str, description: Mapping[str, Any],
               arrays: Mapping[str, np.ndarray]):
    self.directory = directory
    self.num_videos: int = description["num_videos"]
    self.num_classes: int = description["num_classes"]
    self.top_k: int | None = description["top_k"]
    self.model: str = description["model"]
    self.record_files: list[str] = description["records"]["parts"]
    self.records_sha256: str = description["records"]["sha256"]
    self.ids, self.scores = arrays["ids"], arrays["scores"]
    self.classes = arrays.get("classes")
    self.labels = label_sets.LabelSets(
        arrays["label_classes"], arrays["label_sizes"], self.num_classes
        ) if "label_classes" in arrays else None

  @classmethod
  def open(cls, directory: str, verify: bool = True) -> "PredictionStore":
    """Opens a store that `writer.write` wrote.

    Args:
      directory: Path of the store, which must be local.
      verify: Whether to read every file once to compare its SHA-256. Sizes and shapes
        are compared in any case.

    Raises:
      FileNotFoundError: There is no store in `directory`.
      ValueError: One of its files is damaged or missing.
    """
    path = os.path.join(directory, DESCRIPTION)
    if not os.path.exists(path):
      raise FileNotFoundError(f"{directory} holds no predictions ({DESCRIPTION} is not "
                              "there): write them first.")

    def parse(description):
      if description.pop("sha256") != _digest(description):
        raise ValueError("its checksum differs")
      if description["format"] != FORMAT:
        raise ValueError(f"it has the format {description['format']}, not {FORMAT}")
      return _checked(description)

    description = files.read_json(
        path, kind="the description of a prediction store",
        remedy=f"Delete {directory} and run the command again", parse=parse)
    arrays = {name: _open_array(os.path.join(directory, f"{name}.npy"), entry, verify)
              for name, entry in description["files"].items()}
    kinds = {name: array.dtype.kind for name, array in arrays.items()}
    if kinds.get("label_sizes", "i") != "i":
      raise _damaged(os.path.join(directory, "label_sizes.npy"), "holds no whole numbers")
    for name, shape in _shapes(description, arrays).items():
      if arrays[name].shape != shape or kinds[name] != _ARRAYS[name]:
        raise _damaged(os.path.join(directory, f"{name}.npy"),
                       f"holds {arrays[name].dtype} {arrays[name].shape}, which does not "
                       f"fit {DESCRIPTION}")
    if verify:
      _check_values(directory, arrays)
    for name in {"classes", "label_classes"} & arrays.keys():
      if verify and arrays[name].size and not (
          0 <= arrays[name].min() <= arrays[name].max() < description["num_classes"]):
        raise _damaged(os.path.join(directory, f"{name}.npy"), "has a class that is not "
                       f"below {description['num_classes']}")
    return cls(directory, description, arrays)

  def best(self, rows: Rows, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the k best stored classes of some videos, or all if fewer are stored.

    Args:
      rows: Rows of the videos.
      k: Number of classes, at least 1.

    Returns:
      Scores and classes, both (num_rows, at most k), best first.
    """
    if self.classes is not None:
      return self.scores[rows, :k], self.classes[rows, :k]
    return ranking.best_classes(self.dense_rows(rows), min(k, self.num_classes))

  def dense_rows(self, rows: Rows) -> np.ndarray:
    """Returns the scores of some videos, (num_rows, C) float32; 0 if not stored.

    Args:
      rows: Rows of the videos.
    """
    scores = self.scores[rows].astype(np.float32)
    if self.classes is None:
      return scores
    dense = np.zeros((len(scores), self.num_classes), np.float32)
    np.put_along_axis(dense, self.classes[rows].astype(np.intp), scores, axis=1)
    return dense


def _checked(description: dict[str, Any]) -> dict[str, Any]:
  """Returns a description whose entries have the right types, or raises ValueError."""
  texts = fields.list_of(fields.TEXT, "texts")
  fields.check(description, {
      "num_videos": fields.SIZE, "num_classes": fields.COUNT,
      "top_k": fields.COUNT | fields.NULL, "model": fields.TEXT,
      "records": fields.OBJECT, "files": fields.OBJECT})
  fields.check(description["records"], {"sha256": fields.TEXT, "parts": texts},
               where="records: ")
  for name, entry in description["files"].items():
    if name not in _ARRAYS:
      raise registry.unknown("file", name, _ARRAYS)
    fields.check(entry, {
        "dtype": fields.TEXT, "shape": fields.list_of(fields.SIZE, "whole numbers"),
        "bytes": fields.SIZE, "sha256": fields.TEXT}, where=f"{name}: ")
  top_k = description["top_k"]
  needed = {"ids", "scores"} | ({"classes"} if top_k else set())
  if {"label_classes", "label_sizes"} & description["files"].keys():
    needed |= {"label_classes", "label_sizes"}
  if missing := needed - description["files"].keys():
    raise ValueError(f"it does not list {', '.join(sorted(missing))}")
  if top_k and top_k > description["num_classes"]:
    raise ValueError(f"its top_k is {top_k} of {description['num_classes']} classes")
  return description


def _shapes(description: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
            ) -> dict[str, tuple[int, ...]]:
  """Returns the shapes that the arrays of a store must have."""
  n, k = description["num_videos"], description["top_k"]
  shapes = {"ids": (n,), "scores": (n, k or description["num_classes"])}
  if k:
    shapes["classes"] = (n, k)
  if "label_classes" in arrays:
    shapes |= {"label_sizes": (n,),
               "label_classes": (int(arrays["label_sizes"].sum()),)}
  return shapes


def describe(directory: str, *, num_classes: int, top_k: int | None, model: str,
             record_files: Sequence[str]) -> None:
  """Writes `store.json` for the .npy files of a directory.

  Args:
    directory: Path of the directory.
    num_classes, top_k, model, record_files: Attributes of the `PredictionStore`.
  """
  names = sorted(name[:-len(".npy")] for name in os.listdir(directory)
                 if name.endswith(".npy"))
  paths = {name: os.path.join(directory, f"{name}.npy") for name in names}
  arrays = {name: np.load(path, mmap_mode="r", allow_pickle=False)
            for name, path in paths.items()}
  description = {
      "format": FORMAT, "num_videos": len(arrays["ids"]), "num_classes": num_classes,
      "top_k": top_k, "model": model,
      "records": {"sha256": _digest_of_ids(arrays["ids"]), "parts": list(record_files)},
      "files": {name: {
          "dtype": arrays[name].dtype.str, "shape": arrays[name].shape,
          "bytes": os.path.getsize(path), "sha256": checksum.of_file(path)}
                for name, path in paths.items()}}
  with files.atomic_write(os.path.join(directory, DESCRIPTION)) as file:
    file.write(json.dumps({**description, "sha256": _digest(description)}, indent=1))


def create_array(path: str, dtype: npt.DTypeLike, shape: Sequence[int]) -> np.memmap:
  """Returns a new, writable memory map, all zeros, of a .npy file.

  The disk space is taken at once: writing to a map of a file that the disk has no room
  for would kill the process (SIGBUS) instead of raising an error.

  Args:
    path: Path of the file, which must be local.
    dtype: Type of the array.
    shape: Shape of the array.

  Raises:
    OSError: The disk has no room for the array, or `path` cannot be written.
  """
  dtype, shape = np.dtype(dtype), tuple(map(int, shape))
  with open(path, "wb") as file:
    np.lib.format.write_array_header_1_0(file, {
        "descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False,
        "shape": shape})
    size = file.tell() + math.prod(shape) * dtype.itemsize
    try:
      file.truncate(size)
      if hasattr(os, "posix_fallocate"):  # macOS does not have it.
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
      raise OSError(error.errno, f"{error.strerror}: no room for an array of {size:,} "
                    "bytes", path) from error
  return np.load(path, mmap_mode="r+", allow_pickle=False)


def _open_array(path: str, entry: Mapping[str, Any], verify: bool) -> np.ndarray:
  """Memory-maps a file after checking it against its entry in `store.json`."""
  if not os.path.exists(path):
    raise _damaged(path, "is missing")
  files.check_regular(path)
  size = os.path.getsize(path)
  if size != entry["bytes"]:
    raise _damaged(path, f"has {size:,} bytes, not {entry['bytes']:,}")
  if verify and checksum.of_file(path) != entry["sha256"]:
    raise _damaged(path, "is damaged: its checksum differs")
  try:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
  except Exception as error:  # any, depending on which bytes of the header are damaged
    raise _damaged(path, f"is not an array ({fields.reason(error)})") from error
  if (array.dtype.str, list(array.shape)) != (entry["dtype"], entry["shape"]):
    raise _damaged(path, f"holds {array.dtype} {array.shape}, not "
                   f"{fields.short(entry['dtype'])} {tuple(entry['shape'])}")
  return array


def _check_values(directory: str, arrays: Mapping[str, np.ndarray]) -> None:
  """Raises ValueError for values that `writer` does not write; reads all scores."""
  if "label_sizes" in arrays and np.any(arrays["label_sizes"] < 0):
    raise _damaged(os.path.join(directory, "label_sizes.npy"), "has a negative size")
  scores = arrays["scores"]
  rows = max(1, 2**20 // max(1, scores.shape[1]))
  for start in range(0, len(scores), rows):
    part = scores[start:start + rows]
    if part.size and not 0 <= part.min() <= part.max() <= 1:  # nor NaN
      raise _damaged(os.path.join(directory, "scores.npy"),
                     "has a score that is not between 0 and 1")


def _damaged(path: str, fault: str) -> ValueError:
  return ValueError(f"{path} {fault}: delete {os.path.dirname(path)} and run the command "
                    "again.")


def _digest(description: Mapping[str, Any]) -> str:
  return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def _digest_of_ids(ids: np.ndarray) -> str:
  """Returns the SHA-256 of ids in their order; the array is as wide as its longest id."""
  digest = hashlib.sha256(f"{ids.dtype.itemsize}\0".encode())
  digest.update(np.ascontiguousarray(ids).data.cast("B") if len(ids) else b"")
  return digest.hexdigest()
