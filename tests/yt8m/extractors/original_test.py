# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The original features of YouTube-8M: their arithmetic by hand, and their files."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf

from yt8m.core import numerics
from yt8m.extractors import inception_pca
from yt8m.extractors import making
from yt8m.extractors import original
from yt8m.extractors import vggish

v1 = tf.compat.v1


def frozen_graph(rng, changed=lambda name: name, further=lambda: None):
  """A small network with the nodes of Inception v3 that count, and its kernel."""
  kernel = rng.normal(size=(3, 2048)).astype(np.float32)
  with tf.Graph().as_default() as graph:
    x = tf.raw_ops.DecodeJpeg(contents=b"unused", channels=3, name="DecodeJpeg")
    x = tf.raw_ops.Cast(x=x, DstT=tf.float32, name="Cast")
    x = tf.raw_ops.ExpandDims(input=x, axis=0, name=changed("ExpandDims"))
    x = tf.raw_ops.ResizeBilinear(images=x, size=[299, 299], name="ResizeBilinear")
    x = tf.raw_ops.Mul(x=tf.raw_ops.Sub(x=x, y=128.0, name="Sub"), y=1 / 128, name="Mul")
    # Of 8 x 8 parts of the picture.
    x = tf.raw_ops.AvgPool(value=x, ksize=[1, 37, 37, 1], strides=[1, 37, 37, 1],
                           padding="VALID", name="pool")
    x = tf.raw_ops.Conv2D(input=x, filter=kernel[None, None], strides=[1, 1, 1, 1],
                          padding="SAME", name="conv")
    x = tf.raw_ops.CheckNumerics(tensor=x, message="", name="CheckNumerics")
    x = tf.raw_ops.AvgPool(value=x, ksize=[1, 8, 8, 1], strides=[1, 1, 1, 1],
                           padding="VALID", name=changed("pool_3"))
    tf.raw_ops.Reshape(tensor=x, shape=[1, 2048], name="pool_3/_reshape")
    further()
  return graph.as_graph_def().SerializeToString(), kernel


@pytest.fixture
def rng():
  return np.random.default_rng(0)


def inception_files(folder, rng, **options):
  """Writes small files of weights; returns (kernel, mean, eigenvectors, eigenvalues)."""
  content, kernel = frozen_graph(rng, **options)
  (folder / inception_pca.GRAPH).write_bytes(content)
  mean = rng.normal(size=(2048, 1))
  # As published: all eigenvectors, one a row, of which the first 1,024 are used.
  vectors, values = rng.normal(size=(2048, 2048)), rng.uniform(500, 900, (2048, 1))
  for name, array in (("mean", mean), ("eigenvecs", vectors), ("eigenvals", values)):
    np.save(folder / f"{name}.npy", array)
  return kernel, mean, vectors, values


def test_frames_become_whitened_values(tmp_path, rng):
  kernel, mean, vectors, values = inception_files(tmp_path, rng)
  extractor = making.make_extractor("inception-pca", str(tmp_path))
  assert extractor.sizes == {"rgb": 1024} and extractor.dtypes == {"rgb": "uint8"}
  assert extractor.frame_size is None
  pictures = rng.integers(0, 255, (3, 299, 299, 3), dtype=np.uint8)
  features = extractor.extract_frames(pictures)
  parts = pictures[:, :296, :296].reshape(3, 8, 37, 8, 37, 3).mean((1, 2, 3, 4))
  pooled = (parts - 128) / 128 @ kernel
  expected = ((pooled - mean[:, 0]) @ vectors.T[:, :1024]
              / np.sqrt(values[:1024, 0] + 1e-4))
  assert features.shape == (3, 1024) and features.dtype == np.float32
  np.testing.assert_allclose(features, expected, atol=1e-3)
  # Frames of other sizes are scaled by the network.
  gray = np.full((2, 48, 64, 3), 200, np.uint8)
  np.testing.assert_allclose(
      extractor.extract_frames(gray),
      extractor.extract_frames(np.full((2, 299, 299, 3), 200, np.uint8)), atol=1e-3)
  assert extractor.extract_frames(gray[:0]).shape == (0, 1024)


def test_bytes_by_hand():
  """(x + 2) · 63.75: frames are rounded, as the starter code's extractor does; sound is
  cut off, as VGGish's postprocessing does."""
  values = np.array([[-5, -2, -1.99, 0, 0.01, 1, 1.999, 2, 7]], np.float32)
  np.testing.assert_allclose(original.scaled_to_bytes(values), [
      [0, 0, 0.6375, 127.5, 128.1375, 191.25, 254.93625, 255, 255]], rtol=1e-5)
  frames = inception_pca.InceptionPca.encode(None, "rgb", values)
  sound = vggish.Vggish.encode(None, "audio", values)
  assert frames.dtype == sound.dtype == np.uint8
  assert frames.tolist() == [[0, 0, 1, 128, 128, 191, 255, 255, 255]]
  assert sound.tolist() == [[0, 0, 0, 127, 128, 191, 254, 255, 255]]
  # What readers make of the bytes is at most one and a half steps away.
  inside = values[:, 1:-1]
  for read in (numerics.dequantize(frames)[:, 1:-1], numerics.dequantize(sound)[:, 1:-1]):
    assert np.abs(read - inside).max() < 1.5 * 4 / 255


def test_missing_files_are_named_with_their_address(tmp_path, rng):
  with pytest.raises(ValueError, match=r"classify_image_graph_def.pb \(http://download.t"
                     r"ensorflow.org/.*mean.npy \(http://data.yt8m.org.*--weights_dir"):
    making.make_extractor("inception-pca")
  inception_files(tmp_path, rng)
  (tmp_path / "eigenvals.npy").unlink()
  with pytest.raises(FileNotFoundError, match="has no eigenvals.npy.*published at http://"
                     "data.yt8m.org/yt8m_pca.tgz"):
    making.make_extractor("inception-pca", str(tmp_path))
  with pytest.raises(FileNotFoundError, match="vggish_model.ckpt.*storage.googleapis.com/"
                     "audioset/vggish_model.ckpt"):
    making.make_extractor("vggish", str(tmp_path))


def test_a_list_of_digests_pins_the_files(tmp_path, rng):
  inception_files(tmp_path, rng)
  free = making.make_extractor("inception-pca", str(tmp_path)).digest
  sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.name}\n"
                 for path in sorted(tmp_path.iterdir()))
  (tmp_path / "SHA256SUMS").write_text(sums)
  assert making.make_extractor("inception-pca", str(tmp_path)).digest == free
  np.save(tmp_path / "mean.npy", np.zeros((2048, 1)))
  with pytest.raises(ValueError, match=r"mean.npy has the SHA-256 .* but SHA256SUMS"):
    making.make_extractor("inception-pca", str(tmp_path))
  (tmp_path / "SHA256SUMS").write_text("abc mean.npy\n")
  with pytest.raises(ValueError, match="line 1 is not as sha256sum writes it"):
    making.make_extractor("inception-pca", str(tmp_path))
  (tmp_path / "SHA256SUMS").unlink()
  assert making.make_extractor("inception-pca", str(tmp_path)).digest != free


@pytest.mark.parametrize("array", [
    np.zeros((2048,)), np.zeros((100, 1)), np.array([["a"]]), np.array([[{}]])])
def test_other_arrays_are_refused(tmp_path, rng, array):
  inception_files(tmp_path, rng)
  np.save(tmp_path / "mean.npy", array, allow_pickle=True)
  with pytest.raises(ValueError, match="mean.npy does not hold the array"):
    making.make_extractor("inception-pca", str(tmp_path))


def test_graphs_that_could_do_more_than_compute(tmp_path, rng):
  inception_files(tmp_path, rng, further=lambda: tf.raw_ops.WriteFile(
      filename=str(tmp_path / "owned"), contents="x"))
  with pytest.raises(ValueError, match="is refused: its graph holds WriteFile"):
    making.make_extractor("inception-pca", str(tmp_path))
  inception_files(tmp_path, rng, further=lambda: tf.function(lambda: tf.zeros([]))())
  with pytest.raises(ValueError, match="a frozen graph has no functions"):
    making.make_extractor("inception-pca", str(tmp_path))


def test_other_graphs(tmp_path, rng):
  inception_files(tmp_path, rng, changed=lambda name: f"other_{name}")
  with pytest.raises(ValueError, match="is not the graph of Inception v3"):
    making.make_extractor("inception-pca", str(tmp_path))
  (tmp_path / inception_pca.GRAPH).write_bytes(b"\xff" * 50)
  with pytest.raises(ValueError, match="is not a graph of TensorFlow"):
    making.make_extractor("inception-pca", str(tmp_path))
