# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions of one model on a set of videos, on disk: the best classes of each.

For n videos, C classes and the best k of them:

    store.json         what is in the store, and size and SHA-256 of every other file
    ids.npy            (n,) bytes, in the order of the records
    scores.npy         (n, k) float16, best first; dense: (n, C), by class
    classes.npy        (n, k) uint16, uint32 beyond 65,536 classes; dense: not there
    label_classes.npy  (Σ sizes,) int32; not there if the records had no labels
    label_sizes.npy    (n,) int32

With k = 50 that is 200 bytes a video, besides its id and its labels. float16 rounds a
score by 2⁻¹² of it at most (in steps of 6e-8 below 6e-5). Rounding is monotone, so that
it makes ties, but never turns an order round.
"""

import hashlib
import json
import os

import numpy as np

from yt8m.core import checksum
from yt8m.core import directories
from yt8m.core import files
from yt8m.data import label_sets
from yt8m.eval.metrics import ranking

DESCRIPTION = "store.json"
FORMAT = 1
STORE = directories.Kind("prediction store", DESCRIPTION, ("*.npy",))
# GAP counts the best 20 of a blend, which may be the 30th of one of its models.
TOP_K = 50


class PredictionStore:
  """The predictions of a model, memory-mapped; `open` is the way to one.

  Attributes:
    directory: where it lies.
    num_videos: n.
    num_classes: C.
    top_k: k, or None if the store is dense.
    model: fingerprint of the model that made the predictions.
    parts: names of what they were made of, in this order: the record files.
    records_sha256: of the ids, in their order.
    arrays: {name: memory map} of the files above.
  """

  def __init__(self, directory, description, arrays):
    self.directory = directory
    self.num_videos = description["num_videos"]
    self.num_classes = description["num_classes"]
    self.top_k = description["top_k"]
    self.model = description["model"]
    self.parts = description["records"]["parts"]
    self.records_sha256 = description["records"]["sha256"]
    self.arrays = arrays

  @classmethod
  def open(cls, directory, verify=True):
    """Opens a store that `prediction_store_writer.StoreWriter` finished.

    Args:
      directory: a local one.
      verify: reads every file once to compare its SHA-256. Sizes and shapes are
        compared in any case.

    Raises:
      FileNotFoundError: there is no store in `directory`.
      ValueError: one of its files is damaged or missing.
    """
    path = os.path.join(directory, DESCRIPTION)
    if not os.path.exists(path):
      raise FileNotFoundError(f"{directory} holds no predictions ({DESCRIPTION} is not "
                              "there): write them first.")
    with open(path, "rb") as file:
      content = file.read()
    try:
      description = json.loads(content)
      if description.pop("sha256") != _digest_of(description):
        raise ValueError("its checksum differs")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
      raise damaged(path, f"is no description of a store ({error})") from error
    if description["format"] != FORMAT:
      raise damaged(path, f"has the format {description['format']}, not {FORMAT}")
    arrays = {name: _open_array(os.path.join(directory, f"{name}.npy"), entry, verify)
              for name, entry in description["files"].items()}
    return cls(directory, description, arrays)

  @property
  def ids(self):
    """(n,) bytes."""
    return self.arrays["ids"]

  @property
  def scores(self):
    """(n, k) float16, best first; dense: (n, C)."""
    return self.arrays["scores"]

  @property
  def classes(self):
    """(n, k) uint16 or uint32, the class of every score; dense: None."""
    return self.arrays.get("classes")

  @property
  def labels(self):
    """`LabelSets` of the videos, without ids; None if the records had no labels."""
    if "label_classes" not in self.arrays:
      return None
    return label_sets.LabelSets(
        self.arrays["label_classes"], self.arrays["label_sizes"], self.num_classes)

  def best(self, rows, k):
    """The k best stored classes of some videos, fewer if fewer are stored.

    Args:
      rows: slice, or (num_rows,) int.
      k: at least 1.

    Returns:
      Scores and classes, both (num_rows, at most k), best first.
    """
    if self.classes is not None:
      return self.scores[rows, :k], self.classes[rows, :k]
    return ranking.best_classes(self.dense_rows(rows), min(k, self.num_classes))

  def dense_rows(self, rows):
    """(num_rows, C) float32 scores of some videos; 0 where none is stored.

    Args:
      rows: slice, or (num_rows,) int.
    """
    scores = self.scores[rows].astype(np.float32)
    if self.classes is None:
      return scores
    dense = np.zeros((len(scores), self.num_classes), np.float32)
    np.put_along_axis(dense, self.classes[rows].astype(np.intp), scores, axis=1)
    return dense


def describe(directory, num_classes, top_k, model, parts):
  """Writes `store.json` for the arrays that lie in a directory.

  Args:
    directory: where `<name>.npy` are.
    num_classes, top_k, model, parts: see `PredictionStore`.
  """
  names = sorted(name[:-len(".npy")] for name in os.listdir(directory)
                 if name.endswith(".npy"))
  paths = {name: os.path.join(directory, f"{name}.npy") for name in names}
  arrays = {name: np.load(path, mmap_mode="r") for name, path in paths.items()}
  description = {
      "format": FORMAT, "num_videos": len(arrays["ids"]), "num_classes": num_classes,
      "top_k": top_k, "model": model,
      "records": {"sha256": _digest_of_ids(arrays["ids"]), "parts": list(parts)},
      "files": {name: {
          "dtype": arrays[name].dtype.str, "shape": arrays[name].shape,
          "bytes": os.path.getsize(path), "sha256": checksum.of_file(path)}
                for name, path in paths.items()}}
  with files.atomic_write(os.path.join(directory, DESCRIPTION)) as file:
    json.dump({**description, "sha256": _digest_of(description)}, file, indent=1)


def damaged(path, fault):
  """The error for a damaged file of a store."""
  return ValueError(f"{path} {fault}: delete {os.path.dirname(path)} and run the command "
                    "again.")


def _open_array(path, entry, verify):
  """Memory-maps a file after checking it against its entry in `store.json`."""
  if not os.path.exists(path):
    raise damaged(path, "is missing")
  size = os.path.getsize(path)
  if size != entry["bytes"]:
    raise damaged(path, f"has {size:,} bytes, not {entry['bytes']:,}")
  if verify and checksum.of_file(path) != entry["sha256"]:
    raise damaged(path, "is damaged: its checksum differs")
  try:
    array = np.load(path, mmap_mode="r")
  except ValueError as error:
    raise damaged(path, f"is no array ({error})") from error
  if (array.dtype.str, list(array.shape)) != (entry["dtype"], entry["shape"]):
    raise damaged(path, f"holds {array.dtype} {array.shape}, not {entry['dtype']} "
                  f"{tuple(entry['shape'])}")
  return array


def _digest_of(description):
  return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def _digest_of_ids(ids):
  """SHA-256 of ids in their order; the array is as wide as its longest id."""
  digest = hashlib.sha256(f"{ids.dtype.itemsize}\0".encode())
  digest.update(np.ascontiguousarray(ids).data.cast("B") if len(ids) else b"")
  return digest.hexdigest()
