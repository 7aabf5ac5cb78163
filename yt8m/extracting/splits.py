# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Divides videos into splits in which every label has its share.

Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011, "On the Stratification of
Multi-Label Data"): the videos of the rarest label are assigned first, each to the split
that lacks most of them. Clips of one file stay together, so that no split is evaluated on
frames of another one. The order of the videos is that of hashes of their ids: the same
clips are divided in the same way, whatever the order of the list.
"""

import collections
import hashlib
import heapq
import os
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from yt8m.extracting import clips as clip_lists

# Number that is still wanted, by split.
_Wanted = dict[str, float]


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


class _Shares:
  """How many videos each split lacks, in all and of each label."""

  def __init__(self, clips: Sequence[clip_lists.Clip], shares: Mapping[str, float]):
    counts = collections.Counter(label for clip in clips for label in clip.labels)
    self._of_label = {label: _wanted(shares, count) for label, count in counts.items()}
    self._in_all = _wanted(shares, len(clips))
    self._total = counts

  def best(self, clips: Sequence[clip_lists.Clip]) -> str:
    """Returns the split that lacks most of the rarest label of the clips."""
    labels = {label for clip in clips for label in clip.labels}
    lacking = (self._of_label[min(labels, key=lambda label: (self._total[label], label))]
               if labels else self._in_all)
    return max(self._in_all, key=lambda split: (lacking[split], self._in_all[split]))

  def take(self, split: str, clips: Iterable[clip_lists.Clip]) -> None:
    """Records that clips belong to a split."""
    for clip in clips:
      for wanted in [self._in_all, *(self._of_label[label] for label in clip.labels)]:
        wanted[split] = wanted.get(split, 0.0) - 1


def _wanted(shares: Mapping[str, float], count: int) -> _Wanted:
  return {split: share * count for split, share in shares.items() if share > 0}


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
