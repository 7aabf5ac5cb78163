# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Different ids have different texts, and no text ends a cell, a word or a line."""

import csv
import urllib.parse

import numpy as np
import pytest

from yt8m.core import video_ids

ODD_IDS = [b"clips/a, b.mp4", b'he said "x".mp4', b"two\nlines\r", b"caf\xe9.mp4",
           "café.mp4".encode(), b"D:/my clips/v 1.mp4", b"100%", b"a%2Cb", b"%%41",
           b"%\xe941", b"a\tb", b"\xff\xfe\x00x", "no\u00a0break\u2028".encode(), b"%25",
           b"\xef\xbb\xbfx", b'"quoted"']


@pytest.mark.parametrize("video_id", ODD_IDS)
def test_the_text_of_an_id_gives_its_bytes_again(video_id):
  text = video_ids.as_text(video_id)
  assert urllib.parse.unquote_to_bytes(text) == video_id
  assert video_ids.as_text(text) == text  # a text stays as it is
  assert text.split() == text.splitlines() == [text]
  assert next(csv.reader([f"{text},1 0.5\n"], strict=True)) == [text, "1 0.5"]
  assert video_ids.as_text(video_id + b":15") == f"{text}:15"


def test_usual_ids_are_their_own_text():
  for video_id in ("DiRU", "-_zZ9", "50%.mp4", "ü", "a:b;c'd\\e"):
    assert video_ids.as_text(video_id.encode()) == video_id


def test_random_ids_have_different_texts():
  rng = np.random.default_rng(0)
  ids = {bytes(rng.choice(list(b'%2C,"a\xe9\xc3\xa9 '), rng.integers(1, 7)).tolist())
         for _ in range(3000)}
  texts = {video_ids.as_text(video_id) for video_id in ids}
  assert len(texts) == len(ids) > 2000
  assert {urllib.parse.unquote_to_bytes(text) for text in texts} == ids


def test_arrays_hold_bytes_or_texts():
  array = video_ids.as_bytes(ODD_IDS)
  assert array.dtype.kind == "S" and array.tolist() == ODD_IDS
  texts = video_ids.as_texts(array)
  assert texts.dtype.kind == "U"
  assert texts.tolist() == [video_ids.as_text(i) for i in ODD_IDS]
  assert video_ids.as_bytes(texts).tolist() == ODD_IDS
  assert video_ids.as_texts(["a b"]).tolist() == ["a%20b"]  # an older label set
  assert len(video_ids.as_bytes([])) == len(video_ids.as_texts([])) == 0


def test_an_id_that_an_array_would_shorten_is_refused():
  with pytest.raises(ValueError, match=r"The id b'a\\x00' ends with a zero byte"):
    video_ids.as_bytes([b"a", b"a\0"])
