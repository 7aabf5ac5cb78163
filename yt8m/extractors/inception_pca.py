# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The frame features of YouTube-8M: Inception v3, whitened to 1,024 values, in 8 bits."""

import numpy as np
import tensorflow as tf

from yt8m.artifacts import graph_check
from yt8m.core import fields
from yt8m.extractors import base
from yt8m.extractors import original

GRAPH = "classify_image_graph_def.pb"
MEAN, VALUES, VECTORS = "mean.npy", "eigenvals.npy", "eigenvecs.npy"
POOLED, SIZE = 2048, 1024
_EPSILON = 1e-4
_NETWORK = "http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz"
_MATRICES = "http://data.yt8m.org/yt8m_pca.tgz"
# Frames, as float32, and what becomes of them before the classifier.
_INPUT, _OUTPUT = "ExpandDims:0", "pool_3:0"


@base.EXTRACTORS.register("inception-pca")
class InceptionPca(original.OriginalExtractor):
  """The frame features of YouTube-8M.

      x = (pool_3(frame) − mean) V / √(λ + 10⁻⁴)

  where V are the first 1,024 eigenvectors and λ their eigenvalues; stored as the byte
  nearest to (x + 2) · 255 / 4. As in the feature extractor of google/youtube-8m, the
  network scales a frame of any size to 299 x 299.
  """
  name = "inception-pca"
  modalities = (base.RGB,)
  sizes = {base.RGB: SIZE}
  dtypes = {base.RGB: "uint8"}
  published = {GRAPH: _NETWORK, MEAN: _MATRICES, VALUES: _MATRICES, VECTORS: _MATRICES}

  def __init__(self, weights_dir: str = ""):
    super().__init__(weights_dir)
    mean = self._array(MEAN, (POOLED, 1))[:POOLED, 0]
    scales = np.sqrt(self._array(VALUES, (SIZE, 1))[:SIZE, 0] + np.float32(_EPSILON))
    # One eigenvector a row, the largest eigenvalue first.
    vectors = self._array(VECTORS, (SIZE, POOLED))[:SIZE, :POOLED].T
    # A tensor, which a graph refers to; an array would become a part of it.
    vectors = tf.constant(vectors)
    pooled = _load(self._paths[GRAPH])

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8)])
    def extract(rgb):
      return (pooled(tf.cast(rgb, tf.float32)) - mean) @ vectors / scales

    self._extract = extract

  def extract_frames(self, rgb: np.ndarray) -> np.ndarray:
    return self._extract(tf.constant(rgb)).numpy()

  def encode(self, modality: str, features: np.ndarray) -> np.ndarray:
    return np.rint(original.scaled_to_bytes(features)).astype(np.uint8)


def _load(path: str):
  """Returns the network as a function from frames, (n, h, w, 3), to (n, 2048)."""
  graph = graph_check.read_frozen(path)

  def network(frames):
    [pooled] = tf.graph_util.import_graph_def(
        graph, input_map={_INPUT: frames}, return_elements=[_OUTPUT], name="")
    # The file's own reshape is for one frame.
    return tf.reshape(pooled, [-1, POOLED])

  try:
    return tf.compat.v1.wrap_function(
        network, [tf.TensorSpec([None, None, None, 3], tf.float32)])
  except (*fields.UNFIT, tf.errors.OpError) as error:
    raise ValueError(f"{path} is not the graph of Inception v3 of {_NETWORK} "
                     f"({fields.reason(error)}): copy it again.") from error
