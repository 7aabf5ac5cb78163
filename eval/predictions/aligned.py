# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions of several models side by side: for each video the same classes of all.

Each model stored the best k classes of a video, and not the same ones. The union of
them are the *slots* of the video: every blend of the models is a function of its slots.
"""

import dataclasses
import os

import numpy as np

from yt8m.core import directories
from yt8m.eval.predictions import array_file
from yt8m.eval.predictions import store as prediction_store

# Rows that are worked on together have a table of so many entries, (rows, C), which
# should stay in the cache.
_TABLE_SIZE = 2**22
_ARRAYS = ("scores", "classes", "hits")
_ALIGNED = directories.Kind(
    "directory of aligned predictions", "hits.npy", ("scores.npy", "classes.npy"))


@dataclasses.dataclass(frozen=True, eq=False)
class AlignedPredictions:
  """Scores of M models for n videos in U slots each, the labels among them marked.

  Attributes:
    names: of the M models.
    scores: (M, n, U) float16, score of class `classes[i, u]` of video i by model m; 0
      where the model did not store that class, and in padding.
    classes: (n, U) uint16 or uint32, ascending in a row; padding holds C.
    hits: (n, U) bool, the class is a label of the video.
    num_labels: (n,) int, labels of each video, those in no slot included.
    num_classes: C.
  """
  names: tuple
  scores: np.ndarray
  classes: np.ndarray
  hits: np.ndarray
  num_labels: np.ndarray
  num_classes: int

  @classmethod
  def from_stores(cls, stores, directory=None, top_k=prediction_store.TOP_K):
    """Aligns stores of the same videos.

    Args:
      stores: {name: PredictionStore}.
      directory: keeps the arrays there as .npy files, memory-mapped; earlier ones are
        replaced. None: in memory, of which `scores` takes 2 M n U bytes.
      top_k: classes taken of a video and model, the best; also of dense stores.

    Raises:
      ValueError: the stores differ in classes, videos, their order or their labels, or
        have no labels; or there is no store.
      FileExistsError: `directory` holds something else.
    """
    names, stores = tuple(stores), tuple(stores.values())
    if not stores:
      raise ValueError("There are no predictions to align: name at least one model.")
    for name, store in zip(names, stores, strict=True):
      _check_alike(names[0], stores[0], name, store)
    num_slots = max(np.count_nonzero(present, axis=1).max()
                    for _, present, _ in _chunks(stores, top_k))
    num_videos, num_classes = stores[0].num_videos, stores[0].num_classes
    shapes = {
        "scores": (np.float16, (len(stores), num_videos, num_slots)),
        # Padding is the class C, one beyond the last.
        "classes": (np.uint16 if num_classes < 2**16 else np.uint32,
                    (num_videos, num_slots)),
        "hits": (bool, (num_videos, num_slots))}
    if directory is None:
      arrays = {key: np.zeros(shape, dtype) for key, (dtype, shape) in shapes.items()}
      _fill(arrays, stores, top_k)
    else:
      with directories.atomic_directory(
          directory, overwrite=True, owned=_ALIGNED, flag="directory") as temporary:
        arrays = {key: array_file.create(_path(temporary, key), dtype, shape)
                  for key, (dtype, shape) in shapes.items()}
        _fill(arrays, stores, top_k)
        for array in arrays.values():
          array.flush()
      arrays = {key: np.load(_path(directory, key), mmap_mode="r") for key in arrays}
    return cls(names, **arrays, num_labels=np.array(stores[0].labels.sizes),
               num_classes=num_classes)

  @property
  def num_positives(self):
    """Labels of all videos, those in no slot included."""
    return int(self.num_labels.sum())

  def rows(self, index):
    """`AlignedPredictions` of some videos.

    Args:
      index: slice, (num_rows,) int, or (n,) bool.
    """
    return dataclasses.replace(
        self, scores=self.scores[:, index], classes=self.classes[index],
        hits=self.hits[index], num_labels=self.num_labels[index])


def _fill(arrays, stores, top_k):
  """Writes scores, classes and hits, chunk by chunk."""
  num_classes = stores[0].num_classes
  labels = stores[0].labels
  label_ends = np.concatenate([[0], np.cumsum(labels.sizes, dtype=np.int64)])
  slots = None
  for rows, present, best in _chunks(stores, top_k):
    num_rows = len(present)
    # By video, then by class; several times as fast as np.nonzero of two axes.
    videos, classes = np.divmod(np.flatnonzero(present), num_classes)
    counts = np.bincount(videos, minlength=num_rows)
    columns = np.arange(len(videos)) - np.repeat(np.cumsum(counts) - counts, counts)
    # Which slot a class has; of classes without a slot whatever stood there before.
    slots = np.zeros(present.shape, np.int32) if slots is None else slots[:num_rows]
    slots[videos, classes] = columns

    padded = np.full((num_rows, arrays["classes"].shape[1]), num_classes,
                     arrays["classes"].dtype)
    padded[videos, columns] = classes
    arrays["classes"][rows] = padded
    for store_scores, (scores, classes) in zip(arrays["scores"], best, strict=True):
      aligned = np.zeros(padded.shape, np.float16)
      np.put_along_axis(aligned, np.take_along_axis(slots, classes, axis=1), scores,
                        axis=1)
      store_scores[rows] = aligned

    labels_of_rows = labels.classes[label_ends[rows.start]:label_ends[rows.stop]]
    rows_of_labels = np.repeat(np.arange(num_rows), labels.sizes[rows])
    found = present[rows_of_labels, labels_of_rows]
    videos, classes = rows_of_labels[found], labels_of_rows[found]
    hits = np.zeros(padded.shape, bool)
    hits[videos, slots[videos, classes]] = True
    arrays["hits"][rows] = hits


def _chunks(stores, top_k):
  """Goes through the videos.

  Yields:
    A slice of videos; (num_rows, C) bool, the classes that any model stored; and the
    best (scores, classes) of each model, both (num_rows, k).
  """
  num_videos, num_classes = stores[0].num_videos, stores[0].num_classes
  num_rows = max(1, _TABLE_SIZE // num_classes)
  for start in range(0, num_videos, num_rows):
    rows = slice(start, min(start + num_rows, num_videos))
    best = [store.best(rows, top_k) for store in stores]
    best = [(scores, classes.astype(np.intp)) for scores, classes in best]
    present = np.zeros((rows.stop - rows.start, num_classes), bool)
    for _, classes in best:
      np.put_along_axis(present, classes, True, axis=1)
    yield rows, present, best


def _check_alike(first_name, first, name, store):
  """Refuses a store that cannot be aligned with the first one."""
  where = f"The predictions of {first_name} and {name}"
  remedy = "Write both with the same records (--eval_data_pattern)."
  if store.labels is None:
    raise ValueError(f"The records that {name} predicted have no labels: to search or to "
                     "learn weights takes records with labels.")
  if first.num_classes != store.num_classes:
    raise ValueError(f"{where} are of {first.num_classes} and {store.num_classes} "
                     "classes: only models of the same classes can be blended.")
  if first.records_sha256 != store.records_sha256:
    _check_same_ids(first.ids, store.ids, where, remedy)
  difference = _first_different_labels(first.labels, store.labels)
  if difference is not None:
    raise ValueError(f"{where} have different labels for video {difference}, "
                     f"{_text(store.ids[difference])}. {remedy}")


def _check_same_ids(first, second, where, remedy):
  common = min(len(first), len(second))
  different = np.flatnonzero(first[:common] != second[:common])
  if not len(different) and len(first) == len(second):
    return
  position = different[0] if len(different) else common
  found = [_text(ids[position]) if position < len(ids) else "missing"
           for ids in (first, second)]
  same_videos = len(first) == len(second) and np.array_equal(
      np.sort(first), np.sort(second))
  what = "the same videos in another order" if same_videos else "other videos"
  raise ValueError(f"{where} are for {what} ({len(first)} and {len(second)}): video "
                   f"{position} is {found[0]} and {found[1]}. {remedy}")


def _first_different_labels(first, second):
  """The first video whose labels differ, or None."""
  different = np.flatnonzero(first.sizes != second.sizes)
  if len(different):
    return different[0]
  different = np.flatnonzero(first.classes != second.classes)
  if len(different):
    return np.searchsorted(np.cumsum(first.sizes), different[0], side="right")
  return None


def _text(video_id):
  return repr(video_id.decode(errors="replace"))


def _path(directory, key):
  return os.path.join(directory, f"{key}.npy")
