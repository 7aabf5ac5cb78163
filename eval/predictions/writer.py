# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes a `PredictionStore` in parts, so that a killed run loses one part at most.

While it is being written, `<directory>.parts` holds one small store for each part.
`finish` joins them and renames the result to `<directory>`: what has that name is whole.
"""

import contextlib
import hashlib
import os
import shutil

import numpy as np
from absl import logging

from yt8m.core import directories
from yt8m.core import files
from yt8m.eval.predictions import array_file
from yt8m.eval.predictions import prediction_part
from yt8m.eval.predictions import store as prediction_store


class StoreWriter:
  """Writes a store part by part, and leaves alone the parts that are there.

  >>> writer = StoreWriter("predictions/blstm", num_classes=3862, model=fingerprint)
  >>> for path in record_files:
  ...   if not writer.is_finished(path):
  ...     with writer.part(path) as part:
  ...       for ids, scores, labels in predictions_of(path):
  ...         part.add(ids, scores, labels)
  >>> store = writer.finish(record_files)

  Args:
    directory: of the store; must not exist, or be empty.
    num_classes: C.
    top_k: classes kept a video, at most C.
    dense: keeps all classes.
    model: fingerprint of the model.

  Raises:
    FileExistsError: `directory` has files in it.
    ValueError: `directory` is remote, or `top_k` is not positive.
  """

  def __init__(self, directory, num_classes, top_k=prediction_store.TOP_K, dense=False,
               model=""):
    if files.is_remote(directory):
      raise ValueError(f"{directory}: predictions are memory-mapped, and must be local.")
    if top_k < 1 and not dense:
      raise ValueError(f"top_k={top_k} must be at least 1.")
    if os.path.exists(directory) and (
        not os.path.isdir(directory) or os.listdir(directory)):
      raise FileExistsError(f"{directory} exists and is not an empty directory: "
                            "delete it or name another one.")
    self.directory = os.path.normpath(directory)
    self._settings = {"num_classes": num_classes, "model": model,
                      "top_k": None if dense else min(top_k, num_classes)}
    self._written = []

  def is_finished(self, name):
    """Whether an earlier run wrote this part, with the same settings and undamaged."""
    if not os.path.exists(self._path(name)):
      return False
    try:
      self._open(name)
    except (FileNotFoundError, ValueError) as error:
      logging.warning("The part %s is made again: %s", name, error)
      return False
    return True

  @contextlib.contextmanager
  def part(self, name):
    """Yields a `prediction_part.Part`, which is kept if the block ends well.

    Args:
      name: of the part; one of that name which is there is replaced.
    """
    if name in self._written:
      raise ValueError(f"{self.directory}: the part {name!r} is written twice.")
    part = prediction_part.Part(
        self.directory, self._settings["num_classes"], self._settings["top_k"])
    os.makedirs(_parts_directory(self.directory), exist_ok=True)
    yield part
    with directories.atomic_directory(
        self._path(name), overwrite=True, owned=prediction_store.STORE) as temporary:
      for key, array in part.arrays().items():
        array_file.save(os.path.join(temporary, f"{key}.npy"), array)
      prediction_store.describe(temporary, parts=[name], **self._settings)
    self._written.append(name)

  def finish(self, names=None):
    """Joins the parts to the store, and removes them.

    Args:
      names: the parts in their order; by default those written by this `StoreWriter`.

    Returns:
      The `PredictionStore`.

    Raises:
      FileNotFoundError: a part was not written.
      ValueError: a part is damaged or has other settings, there is no video or one
        twice, or only some parts have labels.
    """
    names = self._written if names is None else list(names)
    joined = os.path.join(_parts_directory(self.directory), "joined")
    shutil.rmtree(joined, ignore_errors=True)
    os.makedirs(joined)
    self._join(names, joined)
    prediction_store.describe(joined, parts=names, **self._settings)
    prediction_store.PredictionStore.open(joined)
    os.rename(joined, self.directory)
    remove_parts(self.directory)
    return prediction_store.PredictionStore.open(self.directory, verify=False)

  def _join(self, names, directory):
    """Copies the arrays of the parts one behind the other."""
    # One part at a time is open: every memory map holds a file descriptor.
    parts = []
    for name in names:
      arrays = self._open(name).arrays
      parts.append({key: (array.dtype, array.shape) for key, array in arrays.items()})
    counts = [_length(part, "ids") for part in parts]
    filled = [part for part, count in zip(parts, counts, strict=True) if count]
    if not filled:
      raise ValueError(f"{self.directory}: there are no videos to predict.")
    keys = set(filled[0])
    if any(set(part) != keys for part in filled):
      raise ValueError(f"{self.directory}: some parts have labels, others have not.")
    if not sum(_length(part, "label_classes") for part in filled):
      keys -= {"label_classes", "label_sizes"}

    joined = {}
    for key in keys:
      dtypes, shapes = zip(*(part[key] for part in filled), strict=True)
      joined[key] = array_file.create(
          os.path.join(directory, f"{key}.npy"), max(dtypes, key=lambda d: d.itemsize),
          (sum(shape[0] for shape in shapes), *shapes[0][1:]))
    ends = dict.fromkeys(keys, 0)
    for name in names:
      arrays = self._open(name, verify=False).arrays
      for key in keys & arrays.keys():
        start, ends[key] = ends[key], ends[key] + len(arrays[key])
        joined[key][start:ends[key]] = arrays[key]
    for array in joined.values():
      array.flush()
    _check_unique(joined["ids"], np.cumsum(counts), names)

  def _open(self, name, verify=True):
    store = prediction_store.PredictionStore.open(self._path(name), verify)
    found = {key: getattr(store, key) for key in self._settings}
    if store.parts != [name] or found != self._settings:
      raise ValueError(f"{store.directory} is {store.parts} with {found}, not {name!r} "
                       f"with {self._settings}.")
    return store

  def _path(self, name):
    return os.path.join(_parts_directory(self.directory),
                        hashlib.sha256(name.encode()).hexdigest()[:32])


def remove_parts(directory):
  """Removes what a run left that was killed after it had finished the store."""
  shutil.rmtree(_parts_directory(directory), ignore_errors=True)


def _parts_directory(directory):
  return f"{os.path.normpath(directory)}.parts"


def _length(part, key):
  """Length of an array of a part, given dtypes and shapes; 0 if it is not there."""
  return part[key][1][0] if key in part else 0


def _check_unique(ids, ends, names):
  """Refuses a video that is there twice, and names the parts that have it.

  Args:
    ids: (n,) of all parts.
    ends: (num_parts,) where in `ids` each part ends.
    names: of the parts.
  """
  ordered = np.sort(ids)
  twice = ordered[1:][ordered[1:] == ordered[:-1]]
  if len(twice):
    rows = np.flatnonzero(ids == twice[0])[:2]
    first, second = (names[i] for i in np.searchsorted(ends, rows, side="right"))
    raise ValueError(f"Video {twice[0].decode(errors='replace')!r} is in the records "
                     f"twice (in {first} and in {second}): leave one of them out.")
