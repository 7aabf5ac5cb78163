# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Records to batches: video-level, frame-level and rated segments.

Frames stay the 8-bit numbers of the records all the way to the device, where the model
turns them into `q * 4 / 255 + 4 / 512 - 2`: a quarter of the copying. Their padding is
0 and lies after `num_frames`, which is at least 1.

One call of `dataset` is one epoch; its order is a function of (seed, epoch).
"""

from yt8m.core import feature_spec
from yt8m.data.frame_reader import FrameLevelReader as FrameLevelReader
from yt8m.data.segment_reader import SegmentReader as SegmentReader
from yt8m.data.segments import split_into_segments as split_into_segments
from yt8m.data.video_reader import VideoLevelReader as VideoLevelReader


def make_reader(spec, num_classes, max_frames=300, **kwargs):
  """Returns the reader for `spec.level`; `kwargs` go to its constructor."""
  if spec.level == feature_spec.VIDEO:
    return VideoLevelReader(spec, num_classes, **kwargs)
  reader = SegmentReader if spec.level == feature_spec.SEGMENT else FrameLevelReader
  return reader(spec, num_classes, max_frames=max_frames, **kwargs)
