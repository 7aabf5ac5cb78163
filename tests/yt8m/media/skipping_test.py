# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames that are left out change nothing about those that are shown."""

import types
from fractions import Fraction

import numpy as np
import pytest

from tests.helpers import clips
from yt8m.media import frames
from yt8m.media import opening
from yt8m.media import skipping


def pictures(number=150):
  """Each tells its number by the place of the square, over noise that moves."""
  noise = np.random.default_rng(0).integers(0, 60, (48, 300, 3), np.uint8)
  return [np.maximum(clips.moving_square(i / 25), noise[:, i:i + 64])
          for i in range(number)]


VIDEOS = {
    "several B frames": ("a.mp4", "libx264", {"bf": "3", "g": "60"}),
    "pyramid": ("a.mkv", "libx264", {"bf": "8", "x264-params": "b-pyramid=normal:ref=4"}),
    "open groups": ("a.mp4", "libx264", {"bf": "3", "g": "20",
                                         "x264-params": "open-gop=1"}),
    "no B frames": ("a.mp4", "libx264", {"bf": "0"}),
    "transport stream": ("a.ts", "libx264", {"bf": "3"}),
    "H.265": ("a.mp4", "libx265", {"x265-params": "bframes=4:log-level=none"}),
    "VP9": ("a.webm", "libvpx-vp9", {}), "MPEG-4": ("a.avi", "mpeg4", {"bf": "2"})}


@pytest.mark.parametrize("video", VIDEOS)
def test_shown_frames_stay_the_same(tmp_path, monkeypatch, video):
  name, codec, options = VIDEOS[video]
  times = None if name.endswith(("ts", "avi")) else [
      number / 25 + 0.015 * (number % 2) for number in range(150)]
  path = clips.write(tmp_path / name, pictures(), codec=codec, options=options,
                     times=times)
  arguments = [{"fps": fps, "start": start} for fps in (0.7, 1, 2.5, 9)
               for start in (0, 0.31, 2.2, 3.99)]
  found = [list(frames.read_frames(path, **chosen)) for chosen in arguments]
  monkeypatch.setattr(skipping, "CODECS", ())
  for chosen, batches in zip(arguments, found, strict=True):
    for (time, rgb), (expected_time, expected) in zip(
        batches, frames.read_frames(path, **chosen), strict=True):
      np.testing.assert_array_equal(time, expected_time)
      np.testing.assert_array_equal(rgb, expected)


def test_many_frames_are_left_out(tmp_path):
  path = clips.write(tmp_path / "a.mp4", pictures(), options={"bf": "3"})

  def count(is_shown):
    with opening.open_media(path) as container:
      stream = opening.video_stream(container, path)
      return len(list(opening.decoded(container, stream, [], is_shown)))

  assert count(None) == 150
  assert count(skipping.regular_times(0.0, 1.0)) < 100


def packets(pts, dts=None, base=Fraction(1, 10)):
  dts = range(-2, len(pts) - 2) if dts is None else dts
  return [types.SimpleNamespace(pts=p, dts=d, time_base=base)
          for p, d in zip(pts, dts, strict=True)]


def shown(found):
  """Presentation times of the packets whose frames may be shown."""
  return [packet.pts for packet, is_shown in found if packet is not None and is_shown]


def test_the_last_frame_before_each_time_is_shown():
  """In the order of decoding: 0, 4, 2, 1, 3, 8, ….

  The last ones are shown, too: nothing says when they end.
  """
  pts = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11, 16, 14, 13, 15]
  found = list(skipping.marked([*packets(pts), None],
                               skipping.regular_times(0.05, 1 / 0.4)))
  assert [packet.pts for packet, _ in found[:-1]] == pts
  assert found[-1] == (None, True)
  # Shown at 0.05, 0.45, 0.85 and 1.25 s: frames 0, 4, 8 and 12.
  known = [p for p in shown(found) if p < 12]
  assert known == [0, 4, 8]


def test_rows_with_gaps():
  pts = [0, 1, 2, 30, 31, 32, 33, 34, 35]
  found = skipping.marked(packets(pts, pts), skipping.regular_times(0.0, 1.0))
  assert [p for p in shown(found) if p < 35] == [0, 2, 30]


@pytest.mark.parametrize("dts", [[0] * 200, range(0, -200, -1), [None] * 200])
def test_packets_without_order_are_all_decoded(dts):
  found = list(skipping.marked(packets(list(range(200, 0, -1)), dts),
                               skipping.regular_times(0.0, 1.0)))
  assert len(found) == 200 and len(shown(found)) == 200
