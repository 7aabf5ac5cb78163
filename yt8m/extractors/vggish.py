# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The sound features of YouTube-8M: VGGish, whitened to 128 values, in 8 bits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import fields
from yt8m.extractors import base
from yt8m.extractors import logmel
from yt8m.extractors import original

CHECKPOINT, MATRICES = "vggish_model.ckpt", "vggish_pca_params.npz"
SIZE = 128
# Windows of an example: 0.96 s.
NUM_WINDOWS = 96
_ADDRESS = "https://storage.googleapis.com/audioset/"
# Layers by name, with the shapes of their weights; convolutions first. "" is a pooling.
LAYERS = {
    "conv1": (3, 3, 1, 64), "pool1": (),
    "conv2": (3, 3, 64, 128), "pool2": (),
    "conv3/conv3_1": (3, 3, 128, 256), "conv3/conv3_2": (3, 3, 256, 256), "pool3": (),
    "conv4/conv4_1": (3, 3, 256, 512), "conv4/conv4_2": (3, 3, 512, 512), "pool4": (),
    "fc1/fc1_1": (6 * 4 * 512, 4096), "fc1/fc1_2": (4096, 4096), "fc2": (4096, SIZE)}
_BATCH = 64

# Weights and biases by layer.
Weights = Mapping[str, tuple[Any, ...]]


def network(weights: Weights, log_mel: tf.Tensor) -> tf.Tensor:
  """Returns the embeddings of VGGish.

  Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017;
  as published in tensorflow/models, `research/audioset/vggish`.

  Args:
    weights: Weights and biases by layer of `LAYERS`.
    log_mel: (n, 96, 64), log-mel spectra of 0.96 s.

  Returns:
    (n, 128).
  """
  x = tf.expand_dims(log_mel, -1)
  for name, shape in LAYERS.items():
    if not shape:
      x = tf.nn.max_pool2d(x, 2, 2, "SAME")
      continue
    weight, bias = weights[name]
    if len(shape) == 4:
      x = tf.nn.conv2d(x, weight, 1, "SAME") + bias
    else:
      x = tf.reshape(x, [-1, shape[0]]) @ weight + bias
    x = x if name == "fc2" else tf.nn.relu(x)
  return x


def read_weights(path: str) -> Weights:
  """Reads the weights of VGGish from its checkpoint of TensorFlow 1.

  Raises:
    ValueError: The file is no such checkpoint.
  """
  weights = {}
  try:
    reader = tf.train.load_checkpoint(path)
    for name, shape in LAYERS.items():
      if shape:
        weight = reader.get_tensor(f"vggish/{name}/weights")
        bias = reader.get_tensor(f"vggish/{name}/biases")
        if weight.shape != shape or bias.shape != shape[-1:]:
          raise ValueError(f"{name} has the shape {weight.shape}, not {shape}")
        weights[name] = weight.astype(np.float32), bias.astype(np.float32)
  except (*fields.UNFIT, tf.errors.OpError, RuntimeError) as error:
    raise ValueError(f"{path} is not the checkpoint of VGGish ({fields.reason(error)}): "
                     f"copy it again from {_ADDRESS}{CHECKPOINT}.") from error
  return weights


@base.EXTRACTORS.register("vggish")
class Vggish(original.OriginalExtractor):
  """The sound features of YouTube-8M.

      x = P (VGGish(L) − mean)

  where L are 96 log-mel spectra from each second on and P whitens; stored as the byte
  below (x + 2) · 255 / 4, as the postprocessing of VGGish does. The demonstration of
  VGGish has an example each 0.96 s; here they begin with the seconds, as frames do, and
  0.04 s of each second are not heard.
  """
  name = "vggish"
  modalities = (base.AUDIO,)
  sizes = {base.AUDIO: SIZE}
  dtypes = {base.AUDIO: "uint8"}
  published = {name: f"{_ADDRESS}{name}" for name in (CHECKPOINT, MATRICES)}

  def __init__(self, weights_dir: str = ""):
    super().__init__(weights_dir)
    mean = self._array(MATRICES, (SIZE, 1), "pca_means")[:, 0]
    matrix = self._array(MATRICES, (SIZE, SIZE), "pca_eigen_vectors")
    # Tensors, which a graph refers to; arrays would become a part of it.
    weights = {name: tuple(map(tf.constant, pair))
               for name, pair in read_weights(self._paths[CHECKPOINT]).items()}

    @tf.function(input_signature=[
        tf.TensorSpec([None, NUM_WINDOWS, logmel.NUM_BANDS], tf.float32)])
    def extract(log_mel):
      return (network(weights, log_mel) - mean) @ matrix.T

    self._extract = extract

  def extract_audio(self, waveform: np.ndarray, fps: float = 1.0) -> np.ndarray:
    rows = [np.empty((0, SIZE), np.float32)]
    starts = logmel.row_starts(len(waveform), fps)
    for at in range(0, len(starts), _BATCH):
      windows = (starts[at:at + _BATCH, np.newaxis]
                 + logmel.HOP * np.arange(NUM_WINDOWS)).ravel()
      spectra = logmel.log_mel(waveform, windows)
      rows.append(self._extract(tf.constant(
          spectra.reshape(-1, NUM_WINDOWS, logmel.NUM_BANDS))).numpy())
    return np.concatenate(rows)

  def encode(self, modality: str, features: np.ndarray) -> np.ndarray:
    return original.scaled_to_bytes(features).astype(np.uint8)
