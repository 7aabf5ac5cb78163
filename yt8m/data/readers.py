# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The readers: video-level records, frame-level records and rated segments to batches.

Frames keep the type of the spec until they are in the model: 8-bit numbers, which it
turns into `q·4/255 + 4/512 − 2`, so that a quarter of the bytes is copied, or float16 or
float32, which it takes as they are. Their padding is 0 and lies after `num_frames`, which
is at least 1.

One call of `dataset` is one epoch. Its order is a function of (seed, epoch).
"""

from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.data import own_reader
from yt8m.data import reader_base
from yt8m.data.frame_reader import FrameLevelReader as FrameLevelReader
from yt8m.data.segment_reader import SegmentReader as SegmentReader
from yt8m.data.segment_reader import split_into_segments as split_into_segments
from yt8m.data.video_reader import VideoLevelReader as VideoLevelReader

# Of the user's own only: `spec.level` decides which of the three it is otherwise.
READERS = registry.Registry("reader", own_reader.OwnReader)


def make_reader(spec: feature_spec.FeatureSpec, num_classes: int, max_frames: int = 300,
                **kwargs) -> reader_base.Reader:
  """Returns the reader for `spec.level`; `kwargs` go to its constructor.

  Raises:
    ValueError: `spec.reader` is not found, or not allowed (`registry.allow_code`).
  """
  if spec.reader:
    try:
      return READERS[spec.reader](
          spec.with_segment_labels(spec.has_segments), num_classes, max_frames, **kwargs)
    except TypeError as error:
      raise ValueError(f"--reader={spec.reader} cannot be built: {error}. Define parse, "
                       "and no constructor of your own.") from error
  if spec.is_video_level:
    return VideoLevelReader(spec, num_classes, **kwargs)
  reader = SegmentReader if spec.level == feature_spec.SEGMENT else FrameLevelReader
  return reader(spec, num_classes, max_frames=max_frames, **kwargs)
