# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a deep bag of frames."""

from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import batch_norm
from yt8m.models.layers import masking

keras = tf.keras

POOLINGS = {"max": masking.masked_max, "average": masking.masked_mean}


@registries.AGGREGATIONS.register("dbof")
class DeepBagOfFrames(base.Layer):
  """Projects every frame to many clusters, pools over time and projects down.

      c_t = φ(BN(W₁ BN(x_t)))
      h = φ(BN(W₂ pool_t c_t))

  Without batch normalisation, biases replace the last two BN, and the first is left out.

  Args:
    clusters: Size of the projection (`--dbof_cluster_size`).
    units: Size of the output (`--dbof_hidden_size`).
    pooling: Pooling over frames, `"max"` or `"average"` (`--dbof_pooling_method`).
    activation: Keras name of the activation φ, e.g. `"sigmoid"` or `"relu6"`
      (`--dbof_activation`).
    use_batch_norm: Whether values are normalised (`--dbof_add_batch_norm`).
    batch_norm_decay: Decay of the moving averages, as in `ClusterPooling`.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames contribute neither to the
      pooling nor to the batch statistics.

  Returns:
    (batch_size, units).

  Raises:
    ValueError: `pooling` is unknown.

  Reference: Abu-El-Haija et al. 2016 (arXiv:1609.08675), Deep Bag of Frames; YouTube-8M
  starter code, `DbofModel`.
  """

  def __init__(self, clusters: int = 8192, units: int = 1024, pooling: str = "max",
               activation: str = "sigmoid", use_batch_norm: bool = True,
               batch_norm_decay: float = 0.999, **kwargs: Any):
    super().__init__(**kwargs)
    if pooling not in POOLINGS:
      raise registry.unknown("pooling", pooling, POOLINGS,
                             "Set it with --dbof_pooling_method.")
    self.clusters, self.units, self.pooling = clusters, units, pooling
    self.activation, self.use_batch_norm = activation, use_batch_norm
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    self._phi = keras.activations.get(self.activation)
    if self.use_batch_norm:
      self.input_norm = self._norm(dim, "input_norm")
      self.cluster_norm = self._norm(self.clusters, "cluster_norm")
      self.output_norm = self._norm(self.units, "output_norm")
    self.to_clusters = self._dense(self.clusters, dim, "to_clusters")
    self.to_units = self._dense(self.units, self.clusters, "to_units")

  def _norm(self, dim: int, name: str) -> batch_norm.BatchNorm:
    return base.built(batch_norm.BatchNorm(self.batch_norm_decay, name=name), None, dim)

  def _dense(self, units: int, dim: int, name: str) -> Any:
    normal = keras.initializers.RandomNormal
    return base.built(
        keras.layers.Dense(
            units, use_bias=not self.use_batch_norm, name=name,
            kernel_initializer=normal(stddev=dim ** -0.5),
            bias_initializer=normal(stddev=0.01)), None, dim)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None,
           training: bool = False) -> tf.Tensor:
    if self.use_batch_norm:
      x = self.input_norm(x, frame_mask=frame_mask, training=training)
    x = self.to_clusters(x)
    if self.use_batch_norm:
      x = self.cluster_norm(x, frame_mask=frame_mask, training=training)
    x = self.to_units(POOLINGS[self.pooling](self._phi(x), frame_mask))
    if self.use_batch_norm:
      x = self.output_norm(x, training=training)
    return self._phi(x)
