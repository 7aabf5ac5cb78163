# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The same models out of stock Keras layers: without masks, clipping and L2.

They have the matrix products of ours and train with Adam of Keras, so the difference of
the times is what this library adds or saves.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from benchmarks.suite import cases
from yt8m.core import numerics
from yt8m.models import registries

keras = tf.keras
layers = tf.keras.layers


class MixtureOfExperts(layers.Layer):
  """Gates and experts as two `Dense` layers."""

  def __init__(self, num_classes: int, num_mixtures: int):
    super().__init__()
    self.classes, self.k = num_classes, num_mixtures
    self.gates = layers.Dense(num_classes * (num_mixtures + 1), use_bias=False)
    self.experts = layers.Dense(num_classes * num_mixtures, activation="sigmoid")

  def call(self, x):
    gates = tf.nn.softmax(tf.reshape(self.gates(x), [-1, self.classes, self.k + 1]))
    experts = tf.reshape(self.experts(x), [-1, self.classes, self.k])
    return tf.reduce_sum(gates[:, :, :self.k] * experts, axis=-1)


class Dbof(layers.Layer):
  """Deep bag of frames."""

  def __init__(self, clusters: int, units: int):
    super().__init__()
    self.norms = [layers.BatchNormalization() for _ in range(3)]
    self.to_clusters = layers.Dense(clusters, use_bias=False)
    self.to_units = layers.Dense(units, use_bias=False)

  def call(self, x):
    x = self.to_clusters(self.norms[0](x, training=True))
    x = tf.sigmoid(self.norms[1](x, training=True))
    x = self.to_units(tf.reduce_max(x, axis=1))
    return tf.sigmoid(self.norms[2](x, training=True))


class NetVlad(layers.Layer):
  """NetVLAD with a dense reduction and context gating."""

  def __init__(self, clusters: int, projection: int, units: int, input_norm: bool):
    super().__init__()
    self.input_norm = layers.BatchNormalization() if input_norm else None
    self.project = layers.Dense(projection) if projection else None
    self.assign = layers.Dense(clusters, use_bias=False)
    self.assign_norm = layers.BatchNormalization()
    self.reduce, self.gate = layers.Dense(units), layers.Dense(units, use_bias=False)
    self.gate_norm = layers.BatchNormalization()
    self.clusters, self.dim = clusters, projection

  def build(self, input_shape):
    dim = self.dim or input_shape[-1]
    self.size = dim * self.clusters
    self.centres = self.add_weight(name="centres", shape=(dim, self.clusters))

  def call(self, x):
    x = self.input_norm(x, training=True) if self.input_norm else x
    x = self.project(x) if self.project else x
    a = tf.nn.softmax(self.assign_norm(self.assign(x), training=True))
    sums = tf.matmul(x, a, transpose_a=True)
    sums -= tf.reduce_sum(a, axis=1)[:, tf.newaxis] * self.centres
    flat = tf.reshape(tf.nn.l2_normalize(sums, 1), [-1, self.size])
    h = self.reduce(tf.nn.l2_normalize(flat, 1))
    return h * tf.sigmoid(self.gate_norm(self.gate(h), training=True))


class ResidualBlstm(layers.Layer):
  """Bidirectional LSTM with a projection, a skip connection and a mean."""

  def __init__(self, units: int):
    super().__init__()
    self.both = layers.Bidirectional(layers.LSTM(units, return_sequences=True))

  def build(self, input_shape):
    self.project = layers.Dense(input_shape[-1])

  def call(self, x):
    return tf.reduce_mean(x + self.project(self.both(x)), axis=1)


class Stack(layers.Layer):
  """Two LSTMs, of which the last output counts."""

  def __init__(self, units: int):
    super().__init__()
    self.first = layers.LSTM(units, return_sequences=True)
    self.second = layers.LSTM(units)

  def call(self, x):
    return self.second(self.first(x))


class Fusion(layers.Layer):
  """Concatenation, sum of projections, or concatenation with differences."""

  def __init__(self, name: str, units: int = 0):
    super().__init__()
    self.kind = name
    self.projections = [layers.Dense(units) for _ in range(2)] if name == "sum" else []

  def call(self, features):
    if self.kind == "sum":
      return tf.add_n([f(x) for f, x in zip(self.projections, features, strict=True)])
    x = tf.concat(features, axis=-1)
    if self.kind == "differential":
      x = tf.concat([x, x - tf.concat([x[:, :1], x[:, :-1]], axis=1)], axis=-1)
    return x


def model(case: cases.Case) -> Callable[[dict[str, Any]], Any] | None:
  """Returns the stock model of a case, a function from a batch; None if there is none."""
  options = case.options
  fusion = registries.normalise_config(options.get("fusion", "concat"))
  if fusion["name"] not in ("concat", "sum", "differential"):
    return None
  fuse = Fusion(fusion["name"], fusion.get("units", 0))
  aggregate = _aggregation(options.get("aggregation"), case)
  head = registries.resolve(
      registries.CLASSIFIERS, options.get("classifier", "logistic"))
  classify: Any = (
      layers.Dense(case.num_classes, activation="sigmoid") if head["name"] == "logistic"
      else MixtureOfExperts(case.num_classes, head["num_mixtures"]))

  def call(batch):
    features = [tf.cast(x, tf.float32) * numerics.SCALE + numerics.OFFSET
                if x.dtype == tf.uint8 else x for x in batch["features"].values()]
    scale = tf.math.rsqrt(tf.add_n(
        [tf.reduce_sum(x * x, axis=-1, keepdims=True) for x in features]))
    return classify(aggregate(fuse([x * scale for x in features])))

  call.layers = [fuse, aggregate, classify]
  return call


def _aggregation(option: Any, case: cases.Case) -> Any:
  if not case.frames:
    return layers.Identity()
  resolved = registries.resolve(registries.AGGREGATIONS, option)
  name = resolved["name"]
  if name == "mean":
    return layers.GlobalAveragePooling1D()
  if name == "dbof":
    return Dbof(resolved["clusters"], resolved["units"])
  if name == "netvlad":
    return NetVlad(resolved["clusters"], resolved["projection"], resolved["units"],
                   resolved["input_batch_norm"])
  return ResidualBlstm(resolved["units"]) if name == "blstm" else Stack(resolved["units"])


def training_step(call: Any, batch: dict[str, Any]) -> Callable[[], Any]:
  """Returns a compiled step: cross entropy, gradients, Adam of Keras."""
  call(batch)  # Creates the variables.
  weights = [v for layer in call.layers for v in layer.trainable_variables]
  optimizer = keras.optimizers.Adam(1e-3)
  labels = tf.cast(batch["labels"], tf.float32)

  @tf.function
  def step(batch):
    with tf.GradientTape() as tape:
      p = call(batch)
      loss = -tf.reduce_mean(tf.reduce_sum(
          labels * tf.math.log(p + 1e-6) + (1 - labels) * tf.math.log(1 - p + 1e-6), 1))
    optimizer.apply_gradients(
        zip(tape.gradient(loss, weights), weights, strict=True))
    return loss

  return lambda: step(batch).numpy()
