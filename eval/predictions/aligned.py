# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions of several models side by side: for each video the same classes of all.

Each model stored the best k classes of a video, and they differ from model to model.
Their union are the *slots* of the video: every blend of the models is a function of its
slots.
"""

import dataclasses
import os
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from yt8m.core import video_ids
from yt8m.data import label_sets
from yt8m.eval.predictions import store as prediction_store

# Rows are processed together up to this size of their table, (rows, num_classes), which
# should stay in the cache.
_TABLE_SIZE = 2**22


@dataclasses.dataclass(frozen=True, eq=False)
class AlignedPredictions:
  """Scores of M models for n videos in U slots each, with the labels among them marked.

  Attributes:
    names: Names of the M models.
    scores: Scores, (M, n, U) float16. `scores[m, i, u]` is that of class `classes[i, u]`
      of video i by model m, or 0 if the model did not store it, and in padding.
    classes: Classes, (n, U) uint16 or uint32, ascending in a row; padding is num_classes.
    hits: Whether the class is a label of the video, (n, U) bool.
    num_labels: Number of labels of each video, those in no slot included, (n,) int.
    num_classes: Number of classes.
  """
  names: tuple[str, ...]
  scores: np.ndarray
  classes: np.ndarray
  hits: np.ndarray
  num_labels: np.ndarray
  num_classes: int

  @classmethod
  def from_stores(cls, stores: Mapping[str, prediction_store.PredictionStore],
                  directory: str, top_k: int = prediction_store.TOP_K
                  ) -> "AlignedPredictions":
    """Aligns stores of the same videos.

    Args:
      stores: Stores by name of the model.
      directory: Existing directory for the arrays as .npy files, memory-mapped, of which
        the scores take 2 M n U bytes.
      top_k: Number of classes taken of a video and model, the best; also of dense
        stores.

    Raises:
      ValueError: The stores differ in classes, videos, their order or their labels, or
        have no labels; or there is no store.
    """
    names, opened = tuple(stores), tuple(stores.values())
    if not opened:
      raise ValueError("There are no predictions to align: name at least one model.")
    labels = [_check_alike(names[0], opened[0], name, store)
              for name, store in stores.items()][0]
    num_slots = max(np.count_nonzero(present, axis=1).max()
                    for _, present, _ in _chunks(opened, top_k))
    num_videos, num_classes = opened[0].num_videos, opened[0].num_classes
    shapes = {
        "scores": (np.float16, (len(opened), num_videos, num_slots)),
        # Padding is num_classes, one beyond the last class.
        "classes": (np.uint16 if num_classes < 2**16 else np.uint32,
                    (num_videos, num_slots)),
        "hits": (bool, (num_videos, num_slots))}
    arrays = {name: prediction_store.create_array(
        os.path.join(directory, f"{name}.npy"), dtype, shape)
              for name, (dtype, shape) in shapes.items()}
    _fill(arrays, opened, labels, top_k)
    return cls(names, **arrays, num_labels=np.array(labels.sizes),
               num_classes=num_classes)

  @property
  def num_positives(self) -> int:
    """Number of labels of all videos, those in no slot included."""
    return int(self.num_labels.sum())


def _fill(arrays, stores, labels, top_k):
  """Writes scores, classes and hits, chunk by chunk."""
  num_classes = stores[0].num_classes
  label_ends = np.concatenate([[0], np.cumsum(labels.sizes, dtype=np.int64)])
  slots = None
  for rows, present, best in _chunks(stores, top_k):
    num_rows = len(present)
    # By video, then by class: several times as fast as np.nonzero on two axes.
    videos, classes = np.divmod(np.flatnonzero(present), num_classes)
    counts = np.bincount(videos, minlength=num_rows)
    columns = np.arange(len(videos)) - np.repeat(np.cumsum(counts) - counts, counts)
    # The slot of each class. Entries of classes without a slot are not used.
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


def _chunks(stores: Sequence[prediction_store.PredictionStore], top_k: int
            ) -> Iterator[tuple[slice, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]]:
  """Goes through the videos.

  Yields:
    A slice of videos; the classes that any model stored, (num_rows, num_classes) bool;
    and the best (scores, classes) of each model, both (num_rows, k).
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


def _check_alike(first_name: str, first: prediction_store.PredictionStore, name: str,
                 store: prediction_store.PredictionStore) -> label_sets.LabelSets:
  """Returns the labels of a store; refuses one that does not go with the first one."""
  where = f"The predictions of {first_name} and {name}"
  remedy = "Write both with the same records (--eval_data_pattern)."
  if store.labels is None or first.labels is None:
    raise ValueError(f"None of the records that {name} predicted has a label, so nothing "
                     "can be measured or learned: name records with class numbers in "
                     "'labels' (--eval_data_pattern).")
  if first.num_classes != store.num_classes:
    raise ValueError(f"{where} are of {first.num_classes} and {store.num_classes} "
                     "classes: only models of the same classes can be blended.")
  if first.records_sha256 != store.records_sha256:
    _check_same_ids(first.ids, store.ids, where, remedy)
  difference = _first_different_labels(first.labels, store.labels)
  if difference is not None:
    raise ValueError(f"{where} have different labels for video {difference}, "
                     f"{_text(store.ids[difference])}. {remedy}")
  return store.labels


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
  """Returns the first video whose labels differ, or None."""
  different = np.flatnonzero(first.sizes != second.sizes)
  if len(different):
    return different[0]
  different = np.flatnonzero(first.classes != second.classes)
  if len(different):
    return np.searchsorted(np.cumsum(first.sizes), different[0], side="right")
  return None


def _text(video_id):
  return repr(video_ids.as_text(video_id))
