# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The frames of generated clips, whose pictures and times are known."""

import fractions
import random
import tracemalloc

import numpy as np
import pytest

from tests.helpers import clips
from yt8m.media import frames
from yt8m.media import opening
from yt8m.media import sound

SECONDS = [clips.solid(clips.COLOURS[number // 25]) for number in range(125)]


def read(path, **options):
  """Times, frames and faults of a whole video."""
  reader = frames.read_frames(path, **options)
  times, pictures = zip(*reader, strict=True)
  return np.concatenate(times), np.concatenate(pictures), reader.faults


def names(pictures):
  """Positions in `clips.COLOURS` of the colours of pictures, in their middle."""
  middle = pictures[:, pictures.shape[1] // 2, pictures.shape[2] // 2].astype(int)
  distances = np.abs(middle[:, None] - np.array(clips.COLOURS)).max(-1)
  assert distances.min(1).max() < 12
  return distances.argmin(1).tolist()


FORMATS = {
    "a.mp4": ("libx264", "aac"), "a.mov": ("mpeg4", "pcm_s16le"),
    "a.mkv": ("libx265", "flac"), "a.webm": ("libvpx-vp9", "libopus"),
    "a.avi": ("mpeg4", "pcm_s16le"), "a.ts": ("libx264", "aac"),
    "a.mpg": ("mpeg1video", "mp2"), "a.flv": ("libx264", "aac"), "a.wmv": ("wmv2", "aac")}


@pytest.mark.parametrize("name", FORMATS)
def test_one_frame_a_second(tmp_path, name):
  codec, audio_codec = FORMATS[name]
  path = clips.write(tmp_path / name, SECONDS, codec=codec, audio_codec=audio_codec,
                     sound=clips.tone(5, rate=48000), rate=48000)
  times, pictures, faults = read(path)
  assert times.tolist() == [0, 1, 2, 3, 4] and not faults
  assert pictures.shape == (5, 48, 64, 3) and pictures.dtype == np.uint8
  assert names(pictures) == [0, 1, 2, 3, 4]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
  return clips.write(tmp_path_factory.mktemp("clips") / "clip.mp4", SECONDS)


def test_the_name_of_a_file_does_not_matter(tmp_path, clip):
  target = tmp_path / "clip.jpg"
  target.write_bytes(open(clip, "rb").read())
  assert names(read(target)[1]) == [0, 1, 2, 3, 4]


def test_other_rates_and_ranges(clip):
  times, pictures, _ = read(clip, fps=2.5, max_frames=7)
  np.testing.assert_allclose(times, np.arange(7) / 2.5)
  assert names(pictures) == [0, 0, 0, 1, 1, 2, 2]
  times, pictures, _ = read(clip, start=0.5, end=3.5)
  assert times.tolist() == [0.5, 1.5, 2.5] and names(pictures) == [0, 1, 2]
  times, pictures, _ = read(clip, start=3.96)
  assert times.tolist() == [3.96, 4.96] and names(pictures) == [3, 4]
  assert len(read(clip, fps=100)[0]) == 300  # more than the video has


def test_batches(clip):
  reader = frames.read_frames(clip, batch=2)
  assert [len(times) for times, _ in reader] == [2, 2, 1]
  assert not reader.truncated


def test_the_number_of_threads_does_not_matter(tmp_path):
  path = clips.write(tmp_path / "a.mp4", noise(2))
  for number in (1, 3):
    np.testing.assert_array_equal(read(path, threads=number)[1], read(path)[1])


def test_large_frames_come_in_smaller_batches(clip, monkeypatch):
  monkeypatch.setattr(frames, "_BATCH_BYTES", 3 * 64 * 48 * 3)
  assert [len(times) for times, _ in frames.read_frames(clip)] == [3, 2]


def test_memory_holds_one_batch(tmp_path):
  path = clips.write(tmp_path / "a.mp4", [clips.quadrants(320, 240)] * 400)
  frame = 320 * 240 * 3
  for _ in frames.read_frames(path, fps=25, batch=4):  # what is allocated once
    pass
  tracemalloc.start()
  count = sum(len(times) for times, _ in frames.read_frames(path, fps=25, batch=4))
  _, peak = tracemalloc.get_traced_memory()
  tracemalloc.stop()
  assert count == 300 and peak < 20 * frame


def test_seeking_gives_the_frames_of_decoding_everything(tmp_path):
  """With one frame in a hundred from which decoding can begin."""
  pictures = [clips.moving_square(number / 25) for number in range(500)]
  path = clips.write(tmp_path / "a.mp4", pictures,
                     options={"g": "100", "bf": "3", "sc_threshold": "0"})
  _, expected, _ = read(path, fps=5)
  for start in (2.2, 3.8, 4.0, 11.0, 19.0):
    _, found, _ = read(path, fps=5, start=start)
    np.testing.assert_array_equal(found, expected[round(start * 5):])


def test_variable_frame_rate(tmp_path):
  """A frame stays until the next one; the last one at its time is the one shown."""
  path = clips.write(tmp_path / "a.mkv", [clips.solid(c) for c in clips.COLOURS],
                     times=[0.5, 0.9, 1.5, 4.5, 4.6])
  times, pictures, _ = read(path)
  assert times.tolist()[:5] == [0, 1, 2, 3, 4]  # counted from 0.5
  assert names(pictures)[:5] == [0, 2, 2, 2, 3]


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_turned_by_the_player(tmp_path, turn):
  """Clockwise, as phones ask for in the header of the track."""
  path = clips.write(tmp_path / "a.mp4", [clips.quadrants()] * 25, turn=turn)
  _, [picture], _ = read(path)
  expected = np.rot90(clips.quadrants(), -turn)
  assert picture.shape == expected.shape
  assert np.abs(picture.astype(int) - expected).mean() < 12
  _, [scaled], _ = read(path, size=(20, 40))
  assert scaled.shape == (20, 40, 3)
  for y, x in ((5, 10), (5, 30), (15, 10), (15, 30)):
    shown = expected[y * expected.shape[0] // 20, x * expected.shape[1] // 40]
    assert np.abs(scaled[y, x].astype(int) - shown).max() < 40


def test_odd_sizes(tmp_path):
  path = clips.write(tmp_path / "a.mp4", [clips.quadrants(63, 47)] * 25)
  _, [picture], _ = read(path)
  assert picture.shape == (47, 63, 3)
  assert np.abs(picture.astype(int) - clips.quadrants(63, 47)).mean() < 12


def test_pixels_that_are_not_square(tmp_path):
  """720 x 576 of 4:3 television."""
  path = clips.write(tmp_path / "a.mp4", [clips.quadrants(72, 58)] * 25,
                     pixel=fractions.Fraction(16, 15))
  _, [picture], _ = read(path)
  assert picture.shape == (58, 77, 3)
  assert np.abs(picture.astype(int) - clips.quadrants(77, 58)).mean() < 12


def test_one_frame_and_none(tmp_path):
  path = clips.write(tmp_path / "one.mp4", [clips.solid(clips.GREEN)])
  assert names(read(path)[1]) == [1]
  path = clips.write(tmp_path / "none.mp4", sound=clips.tone(1))
  with pytest.raises(opening.MediaError, match="has no video"):
    read(path)
  with pytest.raises(opening.MediaError, match="gives no frame: there is none from 9 s"):
    read(tmp_path / "one.mp4", start=9)


@pytest.mark.parametrize("options", [
    {"fps": 0}, {"fps": float("nan")}, {"max_frames": 0}, {"batch": 0}, {"start": -1},
    {"start": 2, "end": 2}, {"threads": -1}])
def test_arguments_out_of_range(clip, options):
  with pytest.raises(ValueError, match="all must be positive"):
    frames.read_frames(clip, **options)


def noise(seed, number=125):
  rng = np.random.default_rng(seed)
  return [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(number)]


def test_a_truncated_file_gives_the_frames_that_are_there(tmp_path):
  path = clips.write(tmp_path / "a.mkv", noise(0))
  whole = read(path)[1]
  clips.truncate(path, 0.5)
  times, pictures, faults = read(path)
  assert 1 < len(times) < 5 and len(faults) == 1
  np.testing.assert_array_equal(pictures[:-1], whole[:len(times) - 1])
  clips.truncate(path, 0.01)
  with pytest.raises(opening.MediaError, match="a.mkv"):
    read(path)


def test_damaged_frames_are_left_out(tmp_path):
  path = clips.write(tmp_path / "a.mov", noise(1), codec="png")
  whole = read(path)[1]
  clips.damage(path, random.Random(0), 40, first=0.3)
  times, pictures, faults = read(path)
  assert len(times) == 5 and "parts cannot be decoded" in faults[0]
  np.testing.assert_array_equal(pictures[:2], whole[:2])


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_damaged_files_raise_no_other_error(tmp_path, name):
  outcomes = set()
  for seed in range(25):
    path = clips.write(tmp_path / name, noise(seed, 30), sound=clips.tone(1.2))
    clips.damage(path, random.Random(seed), 30)
    for function in (read, sound.read_waveform):
      try:
        function(path)
        outcomes.add("read")
      except opening.MediaError as error:
        assert path in str(error)
        outcomes.add("refused")
  assert "read" in outcomes
