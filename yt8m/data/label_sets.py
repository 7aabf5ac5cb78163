# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Label sets of many videos, for what a model can learn from labels alone."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.core import fields
from yt8m.core import files
from yt8m.core import video_ids
from yt8m.core.types import PathLike

# Number of positives added to every class, so that a class without one is rare but not
# impossible.
_PSEUDO_COUNT = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class LabelSets:
  """The label sets of n videos, one after another.

  Attributes:
    classes: Labels of the first video, of the second, …, (Σ sizes,) int. Those of one
      video ascend.
    sizes: Number of labels of each video, (n,) int.
    num_classes: Number of classes, C.
    ids: Id of each video, (n,) str, or None. The bytes of records become texts
      (`yt8m.core.video_ids`), because numpy silently treats b"a" and "a" as different.
  """
  classes: np.ndarray
  sizes: np.ndarray
  num_classes: int
  ids: np.ndarray | None = None

  def __post_init__(self):
    if self.ids is not None:
      object.__setattr__(self, "ids", video_ids.as_texts(self.ids))

  @classmethod
  def from_matrix(cls, labels: np.ndarray, ids: Any = None) -> "LabelSets":
    """Returns the label sets of an (n, num_classes) matrix: its entries above ½."""
    num_videos, num_classes = labels.shape
    # Several times as fast as `nonzero` of two axes.
    rows, classes = np.divmod(np.flatnonzero(np.asarray(labels) > 0.5), num_classes)
    return cls(classes, np.bincount(rows, minlength=num_videos), num_classes, ids)

  @classmethod
  def load(cls, path: PathLike, num_classes: int) -> "LabelSets":
    """Reads a file that `save` wrote.

    Raises:
      FileNotFoundError: There is no such file.
      ValueError: The file is of another kind or damaged, or has a label that is not
        below `num_classes`.
    """
    with files.open_to_read(path, "rb") as file:
      try:
        arrays = np.load(file, allow_pickle=False)
        classes, sizes = (_array(arrays, name, "iu").astype(np.int64)
                          for name in ("flat", "lens"))
        ids = None
        if "ids" in arrays:
          ids = _array(arrays, "ids", "SU")
          ids = video_ids.as_texts(ids.ravel()).reshape(ids.shape)
      except Exception as error:  # any, depending on which bytes of a .npz are damaged
        raise ValueError(f"--label_sets={path} is not a file of label sets "
                         f"({fields.reason(error)}): write one with yt8m-label-sets."
                         ) from error
    if classes.ndim != 1 or sizes.ndim != 1 or np.any(sizes < 0) or np.any(
        sizes > len(classes)) or sizes.sum() != len(classes):
      raise ValueError(f"--label_sets={path} is damaged: the sizes of its sets do not "
                       f"add up to the {classes.size} labels that it holds.")
    if ids is not None and ids.shape != sizes.shape:
      raise ValueError(f"--label_sets={path} is damaged: it has {len(sizes)} sets, but "
                       f"ids of shape {ids.shape}.")
    if len(classes) and not 0 <= classes.min() <= classes.max() < num_classes:
      raise ValueError(f"--label_sets={path} has labels from {classes.min()} to "
                       f"{classes.max()}, but the model has {num_classes} classes "
                       "(--num_classes of yt8m-train): name label sets of these.")
    label_sets = cls(classes, sizes, num_classes, ids)
    if np.any((np.diff(classes) <= 0) & (np.diff(label_sets.rows) == 0)):
      raise ValueError(f"--label_sets={path} is damaged: labels of a set must ascend.")
    return label_sets

  def save(self, file: Any) -> None:
    """Writes a compressed .npz to a binary file, or to a path."""
    ids: dict[str, Any] = {} if self.ids is None else {"ids": self.ids}
    np.savez_compressed(file, flat=self.classes.astype(np.int32),
                        lens=self.sizes.astype(np.int32), **ids)

  def __len__(self) -> int:
    return len(self.sizes)

  @property
  def rows(self) -> np.ndarray:
    """Index of the video of every label, (Σ sizes,) int."""
    return np.repeat(np.arange(len(self.sizes)), self.sizes)

  def prior(self) -> np.ndarray:
    """Returns the share of videos with each class, (num_classes,).

    The share is `(count + 0.1) / (n + 1)`, which is never 0 or 1.
    """
    counts = np.bincount(self.classes, minlength=self.num_classes)
    return (counts + _PSEUDO_COUNT) / (len(self) + 1)

  def padded(self, width: int, padding: int = -1) -> np.ndarray:
    """Returns the sets as an (n, width) matrix, with `padding` after their labels."""
    matrix = np.full((len(self), width), padding, self.classes.dtype)
    matrix[np.arange(width) < self.sizes[:, np.newaxis]] = self.classes
    return matrix

  def without(self, ids: Any) -> "LabelSets":
    """Returns the label sets of the videos that are not among `ids`, str or bytes.

    Raises:
      ValueError: These label sets have no ids.
    """
    if self.ids is None:
      raise ValueError("The file of --label_sets has no ids, so no videos can be "
                       "left out by --label_sets_exclude. Write the file again with "
                       "yt8m-label-sets.")
    others = np.isin(self.ids, video_ids.as_texts(ids), invert=True)
    return dataclasses.replace(self.select(others), ids=self.ids[others])

  def most_frequent(self, limit: int, max_size: int | None = None
                    ) -> tuple["LabelSets", np.ndarray]:
    """Returns the most frequent sets, and equally frequent ones by their classes.

    Args:
      limit: Largest number of sets to return.
      max_size: Size of the largest set to count. Default: no limit.

    Returns:
      `(label_sets, counts)`: the distinct sets, most frequent first and without ids, and
      the number of videos that have each. Both have at most `limit` entries.
    """
    few = self if max_size is None else self.select(self.sizes <= max_size)
    if not len(few):
      return few, np.zeros(0, np.int64)
    matrix = few.padded(max(1, few.sizes.max()))
    matrix = matrix[np.lexsort(matrix.T[::-1])]
    firsts = np.flatnonzero(np.any(np.diff(matrix, axis=0, prepend=-2) != 0, axis=1))
    counts = np.diff(firsts, append=len(few))
    best = np.argsort(-counts, kind="stable")[:limit]
    sets = matrix[firsts[best]]
    present = sets >= 0
    return LabelSets(sets[present], present.sum(axis=1), self.num_classes), counts[best]

  def select(self, chosen: np.ndarray) -> "LabelSets":
    """Returns the videos for which `chosen`, (n,) bool, is True, without their ids."""
    return LabelSets(self.classes[np.repeat(chosen, self.sizes)], self.sizes[chosen],
                     self.num_classes)


def _array(arrays: Any, name: str, kinds: str) -> np.ndarray:
  """Returns an entry of a .npz file, which must be an array of a dtype of `kinds`."""
  array = arrays[name]  # bytes, if its name in the file does not end with .npy
  if not isinstance(array, np.ndarray) or array.dtype.kind not in kinds:
    raise ValueError(f"{name} has another type")
  return array


def concatenate(parts: Sequence[LabelSets], num_classes: int) -> LabelSets:
  """Returns the label sets of all parts in their order, with ids if all have them."""
  empty = [np.zeros(0, np.int64)]
  ids = [part.ids for part in parts if part.ids is not None]
  return LabelSets(np.concatenate(empty + [part.classes for part in parts]),
                   np.concatenate(empty + [part.sizes for part in parts]), num_classes,
                   np.concatenate(ids) if ids and len(ids) == len(parts) else None)
