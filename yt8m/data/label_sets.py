# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Label sets of many videos, without features: what labels alone can teach a model."""

import dataclasses

import numpy as np

from yt8m.core import files

# What a class without a positive is taken to have: it is rare, not impossible.
_PSEUDO_COUNT = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class LabelSets:
  """Which labels each of n videos has, one after another.

  Attributes:
    classes: (Σ sizes,) int, the labels of the first video, of the second, …; those of a
      video ascend.
    sizes: (n,) int, how many labels each video has.
    num_classes: C.
    ids: (n,) str, the id of each video, or None. Bytes, as records hold them, are
      decoded: numpy takes b"a" and "a" for different, without a word.
  """
  classes: np.ndarray
  sizes: np.ndarray
  num_classes: int
  ids: np.ndarray | None = None

  def __post_init__(self):
    if self.ids is not None:
      object.__setattr__(self, "ids", _as_text(self.ids))

  @classmethod
  def from_matrix(cls, labels, ids=None):
    """Of a matrix (n, num_classes); a label is there if its entry exceeds ½."""
    num_videos, num_classes = labels.shape
    # Several times as fast as a nonzero of two axes.
    rows, classes = np.divmod(np.flatnonzero(np.asarray(labels) > 0.5), num_classes)
    return cls(classes, np.bincount(rows, minlength=num_videos), num_classes, ids)

  @classmethod
  def load(cls, path, num_classes):
    """Reads what `save` wrote: a .npz with `flat`, `lens` and maybe `ids`.

    Raises:
      FileNotFoundError: there is no file at `path`.
      ValueError: the file is of another kind or damaged, or has a label beyond
        `num_classes`.
    """
    with files.open_to_read(path, "rb") as file:
      try:
        arrays = np.load(file)
        classes, sizes = (arrays[name].astype(np.int64) for name in ("flat", "lens"))
        ids = arrays["ids"] if "ids" in arrays else None
      except Exception as error:  # depends on which bytes of an archive are damaged
        raise ValueError(f"--label_sets={path} is no file of label sets ({error}): "
                         "write one with yt8m-label-sets.") from error
    if classes.ndim != 1 or sizes.ndim != 1 or np.any(sizes < 0) or (
        sizes.sum() != len(classes)):
      raise ValueError(f"--label_sets={path} is damaged: the sizes of its sets do not "
                       f"add up to the {classes.size} labels that it holds.")
    if ids is not None and ids.shape != sizes.shape:
      raise ValueError(f"--label_sets={path} is damaged: it has {len(sizes)} sets, but "
                       f"ids of shape {ids.shape}.")
    if len(classes) and not 0 <= classes.min() <= classes.max() < num_classes:
      raise ValueError(f"--label_sets={path} has the labels {classes.min()} to "
                       f"{classes.max()}, but --num_classes={num_classes}.")
    label_sets = cls(classes, sizes, num_classes, ids)
    if np.any((np.diff(classes) <= 0) & (np.diff(label_sets.rows) == 0)):
      raise ValueError(f"--label_sets={path} is damaged: labels of a set must ascend.")
    return label_sets

  def save(self, path):
    """Writes a compressed .npz, whole or not at all."""
    with files.atomic_write(path, "wb") as file:
      self.write(file)

  def write(self, file):
    """Writes the same into a binary file."""
    ids = {} if self.ids is None else {"ids": self.ids}
    np.savez_compressed(file, flat=self.classes.astype(np.int32),
                        lens=self.sizes.astype(np.int32), **ids)

  def __len__(self):
    return len(self.sizes)

  @property
  def rows(self):
    """(Σ sizes,) int, the video of every label."""
    return np.repeat(np.arange(len(self.sizes)), self.sizes)

  def prior(self):
    """Share of the videos that have each class, (num_classes,), see `prior`."""
    return prior(np.bincount(self.classes, minlength=self.num_classes), len(self))

  def padded(self, width, padding=-1):
    """The labels as a matrix (n, width), `padding` behind them; no set is larger."""
    matrix = np.full((len(self), width), padding, self.classes.dtype)
    matrix[np.arange(width) < self.sizes[:, np.newaxis]] = self.classes
    return matrix

  def without(self, ids):
    """`LabelSets` of the videos that are not among `ids`, str or bytes.

    Raises:
      ValueError: these label sets have no `ids`.
    """
    if self.ids is None:
      raise ValueError("The label sets do not say whose they are (--label_sets has no "
                       "ids), so none can be left out (--label_sets_exclude): write the "
                       "file again with yt8m-label-sets.")
    others = np.isin(self.ids, _as_text(ids), invert=True)
    return dataclasses.replace(self._select(others), ids=self.ids[others])

  def most_frequent(self, limit, max_size=None):
    """The most frequent sets, ties in the order of their classes.

    Args:
      limit: most sets to return.
      max_size: leaves out larger sets; None for no bound.

    Returns:
      `(label_sets, counts)`: the different sets as `LabelSets`, most frequent first and
      without ids, and how many videos have each, both at most `limit`.
    """
    few = self if max_size is None else self._select(self.sizes <= max_size)
    if not len(few):
      return few, np.zeros(0, np.int64)
    matrix = few.padded(max(1, few.sizes.max()))
    by_classes = np.lexsort(matrix.T[::-1])
    matrix = matrix[by_classes]
    firsts = np.flatnonzero(np.any(np.diff(matrix, axis=0, prepend=-2) != 0, axis=1))
    counts = np.diff(firsts, append=len(few))
    best = np.argsort(-counts, kind="stable")[:limit]
    sets = matrix[firsts[best]]
    present = sets >= 0
    return LabelSets(sets[present], present.sum(axis=1), self.num_classes), counts[best]

  def _select(self, chosen):
    """Those of the videos where `chosen`, (n,) bool, is true; without ids."""
    return LabelSets(self.classes[np.repeat(chosen, self.sizes)], self.sizes[chosen],
                     self.num_classes)


def prior(counts, num_examples):
  """Share of the videos that have each class: (count + 0.1) / (n + 1)."""
  return (counts + _PSEUDO_COUNT) / (num_examples + 1)


def concatenate(parts, num_classes):
  """`LabelSets` of the videos of all parts, in their order; ids if all have them."""
  empty = [np.zeros(0, np.int64)]
  ids = None
  if parts and all(part.ids is not None for part in parts):
    ids = np.concatenate([part.ids for part in parts])
  return LabelSets(np.concatenate(empty + [part.classes for part in parts]),
                   np.concatenate(empty + [part.sizes for part in parts]), num_classes,
                   ids)


def _as_text(ids):
  """Ids as an array of str; of bytes whatever they hold, so that equal stay equal."""
  ids = np.asarray(ids)
  if ids.dtype.kind == "U":
    return ids
  return np.char.decode(ids.astype(np.bytes_), "utf-8", "backslashreplace")
