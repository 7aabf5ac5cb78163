# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Repeated videos are counted and named with their files."""

from yt8m.export.prediction import repeated_videos


def describe(ids, **options):
  videos = repeated_videos.RepeatedVideos(**options)
  for file, file_ids in ids.items():
    videos.add(file, file_ids)
  return videos.describe(ids.__getitem__)


def test_videos_that_differ_are_not_repeated():
  assert describe({}) == describe({"a": [b"x", b"y"], "b": [], "c": [b"z"]}) == ""


def test_repeated_videos_are_named_with_their_files():
  assert describe({"a": [b"x", b"y 1"], "b": [b"y 1"], "c": [b"z"]}) == (
      "1 video is in the records more than once: y%201 (in a and b).")
  assert "x (in a)" in describe({"a": [b"x", b"x"]})
  many = [b"%d" % number for number in range(9)]
  text = describe({"a": many, "b": many})
  assert text.startswith("9 videos") and text.count("(in a and b)") == 3
  assert text.endswith(", ….")


def test_a_video_is_repeated_not_its_segments():
  ids = [b"x:0", b"x:5", b"x:10", b"y:0"]
  assert describe({"a": ids}, segments=True) == ""
  assert "1 video is" in describe({"a": ids, "b": ids[:3]}, segments=True)
