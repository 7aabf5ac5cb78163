# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a deep bag of frames."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import batch_norm
from yt8m.models.layers import masking

keras = tf.keras

POOLINGS = {"max": masking.masked_max, "average": masking.masked_mean}


@registries.AGGREGATIONS.register("dbof")
@keras.utils.register_keras_serializable(package="yt8m")
class DeepBagOfFrames(keras.layers.Layer):
  """Projects every frame up to many clusters, pools over time, projects down.

      c_t = φ(BN(W₁ BN(x_t)))
      h = φ(BN(W₂ pool_t c_t))

  Without batch normalisation, biases take the place of the last two and the input
  is taken as it is.

  Args:
    clusters: width of the projection (`--dbof_cluster_size`).
    units: width of the output (`--dbof_hidden_size`).
    pooling: `"max"` or `"average"` over frames (`--dbof_pooling_method`).
    activation: φ, `"sigmoid"`, `"relu6"` or any Keras activation
      (`--dbof_activation`).
    use_batch_norm: (`--dbof_add_batch_norm`).
    batch_norm_decay: of the moving averages, which lag some 1 / (1 − decay) steps
      behind the weights: shorten it, or let the learning rate fall, in short runs.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames contribute to neither the
      pooling nor the batch statistics.

  Returns:
    (batch_size, units).

  Reference: Abu-El-Haija et al. 2016 (arXiv:1609.08675), deep bag of frames; YouTube-8M
  starter code, `DbofModel`.
  """

  def __init__(self, clusters=8192, units=1024, pooling="max", activation="sigmoid",
               use_batch_norm=True, batch_norm_decay=0.999, **kwargs):
    super().__init__(**kwargs)
    if pooling not in POOLINGS:
      raise ValueError(f"Unknown pooling {pooling!r}. Valid: {', '.join(POOLINGS)} "
                       "(--dbof_pooling_method).")
    self.clusters, self.units, self.pooling = clusters, units, pooling
    self.activation, self.use_batch_norm = activation, use_batch_norm
    self.batch_norm_decay = batch_norm_decay

  def build(self, input_shape):
    dim = input_shape[-1]
    self._phi = keras.activations.get(self.activation)
    if self.use_batch_norm:
      self.input_norm = self._norm(dim, "input_norm")
      self.cluster_norm = self._norm(self.clusters, "cluster_norm")
      self.output_norm = self._norm(self.units, "output_norm")
    self.to_clusters = self._dense(self.clusters, dim, "to_clusters")
    self.to_units = self._dense(self.units, self.clusters, "to_units")
    self.built = True

  def _norm(self, dim, name):
    norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name=name)
    norm.build((None, dim))
    return norm

  def _dense(self, units, dim, name):
    normal = keras.initializers.RandomNormal
    dense = keras.layers.Dense(
        units, use_bias=not self.use_batch_norm, name=name,
        kernel_initializer=normal(stddev=dim ** -0.5),
        bias_initializer=normal(stddev=0.01))
    dense.build((None, dim))
    return dense

  def call(self, x, frame_mask=None, training=False):
    if self.use_batch_norm:
      x = self.input_norm(x, frame_mask=frame_mask, training=training)
    x = self.to_clusters(x)
    if self.use_batch_norm:
      x = self.cluster_norm(x, frame_mask=frame_mask, training=training)
    x = POOLINGS[self.pooling](self._phi(x), frame_mask)
    x = self.to_units(x)
    if self.use_batch_norm:
      x = self.output_norm(x, training=training)
    return self._phi(x)

  def get_config(self):
    return {**super().get_config(), "clusters": self.clusters, "units": self.units,
            "pooling": self.pooling, "activation": self.activation,
            "use_batch_norm": self.use_batch_norm,
            "batch_norm_decay": self.batch_norm_decay}
