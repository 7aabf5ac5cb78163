# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Extractors by name, together, and of the user's own."""

import numpy as np
import pytest

from yt8m.core import registry
from yt8m.extractors import base
from yt8m.extractors import making


class Brightness(base.Extractor):
  """Mean of the colours, as a user would write it."""
  name = "brightness"
  modalities = ("rgb",)
  sizes = {"rgb": 3}
  dtypes = {"rgb": "float32"}

  def extract_frames(self, rgb):
    return rgb.mean((1, 2)).astype(np.float32)


@base.EXTRACTORS.register("test-loudness")
class Loudness(base.Extractor):
  name = "test-loudness"
  modalities = ("audio",)
  sizes = {"audio": 1}
  dtypes = {"audio": "uint8"}

  def extract_audio(self, waveform, fps=1.0):
    rows = base.num_rows(len(waveform), fps)
    return np.array([[np.abs(part).max()] for part in np.array_split(waveform, rows)],
                    np.float32)


OWN = f"{__name__}:Brightness"


def test_names():
  assert set(base.EXTRACTORS) == {
      "efficientnet-lite0", "inception-pca", "logmel", "vggish", "test-loudness"}
  assert making.make_extractor("logmel").name == "logmel"
  with pytest.raises(ValueError, match="Unknown extractor 'logmell'. Valid: logmel, "):
    making.make_extractor("logmell")
  with pytest.raises(FileNotFoundError, match="--extractor=models/a.keras2 holds no"):
    making.make_extractor("models/a.keras2")


def test_a_class_of_the_user(monkeypatch):
  with pytest.raises(ValueError, match="is code from outside yt8m"):
    making.make_extractor(OWN)
  with registry.allow_code([OWN]):
    extractor = making.make_extractor(OWN)
  frames = np.full((2, 4, 4, 3), (1, 2, 3), np.uint8)
  np.testing.assert_array_equal(extractor.extract_frames(frames), [[1, 2, 3]] * 2)
  assert extractor.modalities == ("rgb",) and extractor.config == {
      "name": "brightness", "version": 1}
  assert extractor.encode("rgb", np.ones((1, 3), np.float32)).dtype == np.float32
  with pytest.raises(NotImplementedError, match="brightness takes no sound"):
    extractor.extract_audio(np.zeros(9, np.float32))
  assert str(extractor).startswith("brightness@")


def test_extractors_together():
  with registry.allow_code([OWN]):
    extractor = making.make_extractor(f"test-loudness, {OWN}")
  assert extractor.name == "test-loudness,brightness"
  assert extractor.modalities == ("rgb", "audio")
  assert extractor.sizes == {"rgb": 3, "audio": 1}
  assert extractor.dtypes == {"rgb": "float32", "audio": "uint8"}
  assert extractor.extract_frames(np.ones((1, 2, 2, 3), np.uint8)).tolist() == [[1, 1, 1]]
  rows = extractor.extract_audio(np.linspace(-1, 0, 32000, dtype=np.float32), fps=0.5)
  assert rows.tolist() == [[1]]
  assert extractor.encode("audio", np.zeros((1, 1), np.float32)).tolist() == [[127]]
  assert extractor.config["parts"] == [part.config for part in extractor.parts]
  assert extractor.digest != Brightness().digest


def test_features_in_8_bits_of_a_range():
  with registry.allow_code([OWN]):
    extractor = making.make_extractor(f"test-loudness, {OWN}")
  identity = extractor.identity()
  extractor.quantize({"rgb": (0.0, 5.1)})
  assert extractor.encode("rgb", np.float32([[-1, 1, 9]])).tolist() == [[0, 50, 255]]
  assert extractor.encode("audio", np.zeros((1, 1), np.float32)).tolist() == [[127]]
  spec = extractor.spec(2.0)
  assert spec.ranges == {"rgb": (0.0, 5.1)} and spec.dtypes == ("uint8", "uint8")
  assert spec.extractor == f"{identity} at 2 fps"
  extractor.quantize({})
  assert extractor.encode("rgb", np.ones((1, 3), np.float32)).dtype == np.float32
  assert extractor.spec().dtypes == ("float32", "uint8")


def test_the_same_feature_twice():
  with pytest.raises(ValueError, match="logmel and test-loudness, which both make the "
                     "feature 'audio'"):
    making.make_extractor("logmel,test-loudness")


@pytest.mark.parametrize(("samples", "fps", "rows"), [
    (0, 1.0, 0), (1, 1.0, 1), (16000, 1.0, 1), (16001, 1.0, 2), (16000, 2.5, 3)])
def test_number_of_rows(samples, fps, rows):
  assert base.num_rows(samples, fps) == rows
