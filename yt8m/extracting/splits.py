# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Divides videos into splits in which every label has its share.

Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011, "On the Stratification of
Multi-Label Data"): the videos of the rarest label are assigned first, each to the split
that lacks most of them. What a split lacks in all and of the other labels of the video
counts too, but less: otherwise all videos of labels with three would be in one split.
The first video of a label belongs to the largest split. Clips of one file stay together,
so that no split is evaluated on frames of another one. The order of the videos is that of
hashes of their ids: the same clips are divided in the same way, whatever the order of the
list.
"""

import collections
import hashlib
import heapq
import os
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from yt8m.extracting import clips as clip_lists

# What a split lacks in all, or of another label, counts less than what it lacks of the
# rarest label: so many videos for each, and so many at most.
_OTHERS, _MOST_OF_OTHERS = 0.4, 0.6


def divide(clips: Sequence[clip_lists.Clip], shares: Mapping[str, float], seed: int = 0
           ) -> dict[str, list[clip_lists.Clip]]:
  """Returns the clips of every split, in the order of hashes of their ids.

  Args:
    clips: All clips. A clip that names a split belongs to it.
    shares: Share of each split in the clips; they add up to 1.
    seed: Number that the hashes begin with.
  """
  ordered = sorted(clips, key=lambda clip: _hash(clip.id, seed))
  files = collections.defaultdict(list)
  wanted, split_of = _Shares(ordered, shares), {}
  for clip in ordered:
    if clip.split:
      split_of.setdefault(_file(clip), clip.split)
      wanted.take(clip.split, [clip])
  for clip in ordered:
    if not clip.split:
      files[_file(clip)].append(clip)
  for path in split_of.keys() & files.keys():  # Where other clips of the file are.
    wanted.take(split_of[path], files.pop(path))
  for path in _rarest_first(files):
    split_of[path] = wanted.best(files[path])
    wanted.take(split_of[path], files[path])
  found = {split: [] for split in shares}
  for clip in ordered:
    found.setdefault(clip.split or split_of[_file(clip)], []).append(clip)
  return found


def _file(clip: clip_lists.Clip) -> str:
  return os.path.normpath(clip.path)


def _hash(video_id: str, seed: int) -> bytes:
  return hashlib.sha256(f"{seed}:{video_id}".encode()).digest()


class _Wanted:
  """How many videos of a kind each split lacks."""

  def __init__(self, shares: Mapping[str, float], count: int):
    self._shares, self._left = shares, count
    self.lacking = {split: share * count for split, share in shares.items() if share > 0}
    self.is_new = True

  def take(self, split: str) -> None:
    self.lacking[split] = self.lacking.get(split, 0.0) - 1
    self._left, self.is_new = self._left - 1, False

  def behind(self, split: str) -> float:
    """Returns how many videos a split lacks of its share in those that are divided."""
    return self.lacking[split] - self._shares.get(split, 0.0) * self._left


class _Shares:
  """How many videos each split lacks, in all and of each label."""

  def __init__(self, clips: Sequence[clip_lists.Clip], shares: Mapping[str, float]):
    self._total = collections.Counter(label for clip in clips for label in clip.labels)
    self._of_label = {label: _Wanted(shares, count)
                      for label, count in self._total.items()}
    self._in_all = _Wanted(shares, len(clips))
    self._splits = [split for split, share in shares.items() if share > 0]
    self._largest = max(self._splits, key=shares.__getitem__)

  def best(self, clips: Sequence[clip_lists.Clip]) -> str:
    """Returns the split that lacks most of the rarest label of the clips."""
    labels = sorted({label for clip in clips for label in clip.labels},
                    key=lambda label: (self._total[label], label))
    if not labels:
      return max(self._splits, key=self._in_all.behind)
    rarest, *others = (self._of_label[label] for label in labels)
    if rarest.is_new:
      return self._largest

    def lacking(split: str) -> float:
      behind = sum(_OTHERS * one.behind(split) for one in (self._in_all, *others))
      return rarest.lacking[split] + min(_MOST_OF_OTHERS, max(-_MOST_OF_OTHERS, behind))

    return max(self._splits, key=lambda split: (lacking(split),
                                                self._in_all.behind(split)))

  def take(self, split: str, clips: Iterable[clip_lists.Clip]) -> None:
    """Records that clips belong to a split."""
    for clip in clips:
      for wanted in [self._in_all, *(self._of_label[label] for label in clip.labels)]:
        wanted.take(split)


def _rarest_first(files: Mapping[str, Sequence[clip_lists.Clip]]) -> Iterable[str]:
  """Yields the files with the label of which the fewest files are left, and so on."""
  labels_of = {path: {label for clip in clips for label in clip.labels}
               for path, clips in files.items()}
  of_label = collections.defaultdict(dict)
  for path, labels in labels_of.items():
    for label in labels:
      of_label[label][path] = None
  heap = [(len(paths), label) for label, paths in of_label.items()]
  heapq.heapify(heap)
  while heap:
    count, label = heapq.heappop(heap)
    if count != len(of_label[label]):  # Others have taken files of it.
      heapq.heappush(heap, (len(of_label[label]), label))
      continue
    for path in list(of_label[label]):
      for other in labels_of.pop(path):
        del of_label[other][path]
      yield path
  yield from labels_of  # without labels
