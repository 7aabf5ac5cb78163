# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames and sound become as many rows, aligned; what gives no features is refused."""

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers import extraction
from yt8m.extracting import decoder
from yt8m.extracting import features


def pictures(count, value=0):
  return decoder.FRAMES, np.full((count, 32, 32, 3), value, np.uint8)


def heard(secs, amplitude=0.5):
  return decoder.SOUND, np.full(round(16000 * secs), amplitude, np.float32)


def end(*faults):
  return decoder.END, list(faults)


def extract(*items, extractor=None, **sampling):
  return features.extract(extractor or extraction.colours(), iter(items),
                          features.Sampling(**sampling))


def test_batches_are_put_together():
  found = extract(pictures(2, 255), pictures(1, 0), heard(3), end())
  assert {name: (x.shape, x.dtype.name) for name, x in found.items()} == {
      "rgb": ((3, 6), "float16"), "audio": ((3, 2), "float16")}
  np.testing.assert_array_equal(found["rgb"][:, 0], [1, 1, 0])
  np.testing.assert_array_equal(found["audio"][:, 0], [0.5, 0.5, 0.5])


@pytest.mark.parametrize(("secs", "expected"), [
    (1.5, [0.5, 0.25, 0]), (9, [0.5, 0.5, 0.5]), (0, [0, 0, 0])])
def test_sound_has_as_many_rows_as_frames(secs, expected):
  found = extract(pictures(3), heard(secs), end())
  np.testing.assert_array_equal(found["audio"][:, 0], expected)


def test_a_row_of_sound_belongs_to_its_frame(tmp_path):
  """Silence and black first; then white and a tone, from 2 s on."""
  sound = clips.tone(5, 440.0, 16000)
  sound[:, :2 * 16000] = 0
  path = clips.write(
      tmp_path / "clip.mkv", [clips.solid(clips.BLACK)] * 20 + [
          clips.solid(clips.WHITE)] * 30, fps=10, sound=sound, rate=16000,
      audio_codec="pcm_s16le")
  extractor = extraction.colours()
  one = decoder.Decoder(30.0, 2**32)
  try:
    for fps, start, switch in ((1.0, 0.0, 2), (4.0, 0.0, 8), (1.0, 1.0, 1),
                               (2.0, 2.5, 0)):
      sampling = features.Sampling(fps=fps)
      found = features.extract(extractor, one.decode(
          sampling.request(extractor, path, start)), sampling)
      rgb, audio = found["rgb"][:, 0] > 0.5, found["audio"][:, 0] > 0.1
      assert len(rgb) == (5 - start) * fps
      np.testing.assert_array_equal(rgb, np.arange(len(rgb)) >= switch)
      np.testing.assert_array_equal(audio, rgb)
  finally:
    one.stop()


def test_a_missing_modality_is_zeros():
  found = extract(pictures(3, 255), end(), missing=features.ZEROS)
  np.testing.assert_array_equal(found["audio"], np.zeros((3, 2)))
  found = extract(heard(2.5), end(), missing=features.ZEROS)
  assert found["rgb"].shape == (3, 6) and not found["rgb"].any()
  with pytest.raises(decoder.DecodingFailed, match="neither pictures nor sound"):
    extract(end(), missing=features.ZEROS)


def test_what_is_asked_for():
  request = features.Sampling(2.0, 9, features.ZEROS).request(
      extraction.colours(), "a.mp4", 1.0, 3.0)
  assert request == decoder.Request("a.mp4", 2.0, 9, 1.0, 3.0, (32, 32), True, True, True)


def test_damaged_files():
  items = pictures(3), heard(3), end("pictures: 2 parts cannot be decoded", "sound: x")
  with pytest.raises(decoder.DecodingFailed, match=(
      "it is damaged: pictures: 2 parts cannot be decoded; sound: x")):
    extract(*items)
  assert len(extract(*items, keep_damaged=True)["rgb"]) == 3


class Faulty(type(extraction.colours())):
  """Does one thing wrong."""
  result = None

  def extract_frames(self, rgb):
    if isinstance(self.result, Exception):
      raise self.result
    return self.result


@pytest.mark.parametrize(("result", "error", "said"), [
    (np.full((2, 6), np.nan), decoder.DecodingFailed, "rgb features are not all numbers"),
    (np.full((2, 6), np.inf), decoder.DecodingFailed, "rgb features are not all numbers"),
    (ValueError("too small."), decoder.DecodingFailed, "^too small$"),
    (np.zeros((2, 7)), ValueError, r"gives rgb features of the shape \(2, 7\), but must "
     r"give \(2, 6\): correct"),
    (np.zeros((3, 6)), ValueError, r"must give \(2, 6\)"),
    (np.zeros(6), ValueError, r"must give \(2, 6\)"), (None, ValueError, "must give"),
    (TypeError("a fault of its code"), TypeError, "a fault of its code")])
def test_faulty_extractors(result, error, said):
  extractor = Faulty()
  extractor.result = result
  items = iter([pictures(2), pictures(2), heard(4), end()])
  with pytest.raises(error, match=said):
    features.extract(extractor, items, features.Sampling())
  if error is decoder.DecodingFailed:  # The next file follows.
    assert not list(items)
