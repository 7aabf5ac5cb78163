# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Finds the videos that records hold more than once, in eight bytes of memory a video."""

import hashlib
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from yt8m.core import video_ids

_NAMED = 3
Ids = Sequence[bytes] | np.ndarray


class RepeatedVideos:
  """Collects the ids of one record file after another.

  Only digests stay in memory. The ids of repeated videos are read again.

  Args:
    segments: Whether the ids are of segments, `video:start`. Every video has one that
      starts at 0.
  """

  def __init__(self, segments: bool = False):
    self._segments = segments
    self._digests: dict[str, np.ndarray] = {}

  def add(self, record_file: str, ids: Ids) -> None:
    """Adds the ids of the predictions of a record file."""
    self._digests[record_file] = np.array(
        [_digest(video_id) for video_id in self._videos(ids)], np.uint64)

  def describe(self, read_ids: Callable[[str], Ids]) -> str:
    """Returns a sentence about the videos that are there more than once, or "".

    Args:
      read_ids: Function from a record file to the ids that were added for it.
    """
    digests, counts = np.unique(
        np.concatenate([np.zeros(0, np.uint64), *self._digests.values()]),
        return_counts=True)
    repeated = digests[counts > 1]
    if not len(repeated):
      return ""
    wanted, places = set(repeated[:_NAMED].tolist()), {}
    for record_file, file_digests in self._digests.items():
      if wanted.isdisjoint(file_digests.tolist()):
        continue
      for video_id in self._videos(read_ids(record_file)):
        if _digest(video_id) in wanted:
          places.setdefault(video_ids.as_text(video_id), {})[record_file] = None
    named = ", ".join(f"{video_id} (in {' and '.join(record_files)})"
                      for video_id, record_files in places.items())
    more = ", …" if len(repeated) > len(places) else ""
    count = "1 video is" if len(repeated) == 1 else f"{len(repeated):,} videos are"
    return f"{count} in the records more than once: {named}{more}."

  def _videos(self, ids: Ids) -> list[bytes]:
    if not self._segments:
      return list(ids)
    return [i.removesuffix(b":0") for i in ids if i.endswith(b":0")]


def _digest(video_id: bytes) -> int:
  return int.from_bytes(hashlib.blake2b(video_id, digest_size=8).digest(), "little")
