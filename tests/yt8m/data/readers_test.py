# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Selection of the reader by level."""

import pytest

from yt8m.core.feature_spec import FeatureSpec
from yt8m.data import readers


@pytest.mark.parametrize(("level", "reader"), [
    ("video", readers.VideoLevelReader), ("frame", readers.FrameLevelReader),
    ("segment", readers.SegmentReader)])
def test_make_reader(level, reader):
  made = readers.make_reader(FeatureSpec(("rgb",), (4,), level), 7, max_frames=20)
  assert type(made) is reader and made.num_classes == 7
  assert level == "video" or made.max_frames == 20


def test_make_reader_passes_options_on():
  spec = FeatureSpec(("rgb",), (4,), "frame")
  assert not readers.make_reader(spec, 7, pad_to_max_frames=False).pad_to_max_frames
