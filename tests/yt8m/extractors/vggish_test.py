# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""VGGish with random weights against a twin in numpy."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.extractors import logmel
from yt8m.extractors import making
from yt8m.extractors import vggish

v1 = tf.compat.v1


def random_weights():
  rng = np.random.default_rng(0)
  return {name: ((rng.standard_normal(shape, np.float32)
                  * np.float32(np.sqrt(2 / np.prod(shape[:-1])))),
                 rng.standard_normal(shape[-1:], np.float32) * np.float32(0.1))
          for name, shape in vggish.LAYERS.items() if shape}


@pytest.fixture(scope="module")
def weights():
  return random_weights()


def checkpoint(path, values, version=v1.train.SaverDef.V1):
  """Writes a checkpoint of TensorFlow 1 with variables below `vggish`."""
  with tf.Graph().as_default(), v1.Session() as session:
    variables = [v1.get_variable(
        f"vggish/{name}", shape=value.shape, initializer=v1.zeros_initializer())
        for name, value in values.items()]
    session.run(v1.global_variables_initializer())
    for variable, value in zip(variables, values.values(), strict=True):
      variable.load(value, session)
    v1.train.Saver(variables, write_version=version).save(
        session, str(path), write_meta_graph=False)


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory, weights):
  folder = tmp_path_factory.mktemp("weights")
  checkpoint(folder / vggish.CHECKPOINT, {
      f"{name}/{part}": value for name, pair in weights.items()
      for part, value in zip(("weights", "biases"), pair, strict=True)})
  rng = np.random.default_rng(1)
  np.savez(folder / vggish.MATRICES, pca_means=rng.normal(size=(128, 1)),
           pca_eigen_vectors=rng.normal(size=(128, 128)) / 10)
  return folder


def convolved(x, weight, bias):
  """SAME convolution of (height, width, channels), and ReLU."""
  padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
  windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
  return np.maximum(
      np.einsum("hwcij,ijco->hwo", windows, weight, optimize=True) + bias, 0)


def pooled(x):
  height, width, channels = x.shape
  return x.reshape(height // 2, 2, width // 2, 2, channels).max((1, 3))


def twin(weights, x):
  """As in `vggish_slim.py`: embedding of (96, 64)."""
  x = x[..., np.newaxis]
  for block in (["conv1"], ["conv2"], ["conv3/conv3_1", "conv3/conv3_2"],
                ["conv4/conv4_1", "conv4/conv4_2"]):
    for name in block:
      x = convolved(x, *weights[name])
    x = pooled(x)
  x = x.reshape(-1)
  for name in ("fc1/fc1_1", "fc1/fc1_2"):
    x = np.maximum(x @ weights[name][0] + weights[name][1], 0)
  return x @ weights["fc2"][0] + weights["fc2"][1]


def test_number_of_parameters(weights):
  """Those of the published checkpoint, of 289 MB."""
  assert sum(weight.size + bias.size for weight, bias in weights.values()) == 72_141_184


def test_sound_becomes_whitened_embeddings(weights, weights_dir):
  extractor = making.make_extractor("vggish", str(weights_dir))
  assert extractor.sizes == {"audio": 128} and extractor.dtypes == {"audio": "uint8"}
  waveform = np.random.default_rng(2).normal(0, 0.1, 40000).astype(np.float32)
  rows = extractor.extract_audio(waveform)
  assert rows.shape == (3, 128) and rows.dtype == np.float32
  matrices = np.load(weights_dir / vggish.MATRICES)
  for row, start in zip(rows, (0, 16000, 32000), strict=True):
    spectra = logmel.log_mel(waveform, start + 160 * np.arange(96))
    embedding = twin(weights, spectra)
    expected = np.dot(matrices["pca_eigen_vectors"],
                      embedding[:, np.newaxis] - matrices["pca_means"])[:, 0]
    np.testing.assert_allclose(row, expected, rtol=1e-3, atol=1e-3)
  assert np.abs(rows[0] - rows[1]).max() > 0.01
  assert extractor.extract_audio(waveform, fps=2).shape == (5, 128)
  assert extractor.extract_audio(waveform[:0]).shape == (0, 128)


def test_both_original_extractors_are_named_together(weights_dir):
  with pytest.raises(FileNotFoundError, match="classify_image_graph_def.pb"):
    making.make_extractor("inception-pca,vggish", str(weights_dir))


@pytest.mark.parametrize("values", [
    {"conv1/weights": np.zeros((3, 3, 1, 64), np.float32)},
    {"conv1/weights": np.zeros((3, 3, 1, 32), np.float32),
     "conv1/biases": np.zeros(32, np.float32)}])
def test_other_checkpoints(tmp_path, values):
  checkpoint(tmp_path / "a.ckpt", values)
  with pytest.raises(ValueError, match="a.ckpt is not the checkpoint of VGGish"):
    vggish.read_weights(str(tmp_path / "a.ckpt"))


@pytest.mark.parametrize("content", [b"", b"hello", bytes(1000)])
def test_other_files(tmp_path, content):
  path = tmp_path / "a.ckpt"
  path.write_bytes(content)
  with pytest.raises(ValueError, match="a.ckpt is not the checkpoint of VGGish"):
    vggish.read_weights(str(path))
