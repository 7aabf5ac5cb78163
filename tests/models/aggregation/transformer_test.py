# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The transformer, compared with a numpy twin; order, padding and empty videos."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.models.aggregation import transformer
from yt8m.models.layers import masking

keras = tf.keras

LENGTHS = [6, 2, 1]
MASK = masking.frame_mask(tf.constant(LENGTHS), 6)


@pytest.fixture(autouse=True)
def float32_policy():
  keras.utils.set_random_seed(0)
  yield
  keras.mixed_precision.set_global_policy("float32")


def frames(seed=0, shape=(3, 6, 5)):
  return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def randomized(**hparams):
  layer = models.Transformer(**{"units": 6, "num_heads": 2, "mlp_ratio": 3, **hparams})
  layer.build((None, None, 5))
  descriptors.randomize(layer)
  return layer


def twin(layer, x):
  """The output for one video without padding, and the weights of the queries."""

  def dense(part, x):
    kernel, *bias = part.get_weights()
    return x @ kernel + sum(bias)

  def norm(part, x):
    gamma, beta = part.get_weights()
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x ** 2).mean(-1, keepdims=True) + 1e-6) * gamma + beta

  def attend(part, z, x):
    outputs, attention = [], []
    q, k, v = dense(part.query, z), dense(part.key, x), dense(part.value, x)
    for head in np.split(np.arange(layer.units), layer.num_heads):
      weights = np.exp(q[:, head] @ k[:, head].T / np.sqrt(len(head)))
      weights /= weights.sum(1, keepdims=True)
      outputs.append(weights @ v[:, head])
      attention.append(weights)
    return dense(part.output_projection, np.concatenate(outputs, 1)), attention

  x = dense(layer.project, x)
  if layer.position == "sinusoidal":
    for t in range(len(x)):
      for i in range(0, layer.units, 2):
        angle = t / 10000 ** (i / layer.units)
        x[t, i:i + 2] += [np.sin(angle), np.cos(angle)]
  for block in layer.encoder:
    normalized = norm(block.attention_norm, x)
    x = x + attend(block.attention, normalized, normalized)[0]
    hidden = np.maximum(dense(block.hide, norm(block.mlp_norm, x)), 0)
    x = x + dense(block.project, hidden)
  pooled, attention = attend(layer.pool, layer.queries.numpy(), norm(layer.norm, x))
  return pooled.ravel(), attention


@pytest.mark.parametrize("hparams", [
    {}, {"num_layers": 1, "num_queries": 3}, {"position": "none", "num_heads": 3}])
def test_numpy_twin_with_mask(hparams):
  layer, x = randomized(**hparams), frames()
  found, intermediates = layer(tf.constant(x), frame_mask=MASK)
  assert found.shape == (3, 6 * layer.num_queries)
  for row, n in enumerate(LENGTHS):
    expected, attention = twin(layer, x[row, :n])
    np.testing.assert_allclose(found[row], expected, rtol=1e-4, atol=1e-5)
    weights = intermediates["attention"][row].numpy()
    np.testing.assert_allclose(weights[..., :n], attention, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(weights[..., n:], 0)


@pytest.mark.parametrize("position", transformer.POSITIONS)
def test_neither_content_nor_amount_of_padding_matters(position):
  layer, x = randomized(position=position), frames()
  expected, _ = layer(tf.constant(x), frame_mask=MASK)
  longer = np.concatenate([x, frames(1)], axis=1)
  mask = masking.frame_mask(tf.constant(LENGTHS), 12)
  for content in (1e6, np.nan):
    longer[~mask.numpy()] = content
    found, _ = layer(tf.constant(longer), frame_mask=mask)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_the_order_of_frames_matters_with_position_encoding_only(num_layers):
  x = frames()
  reversed_x = masking.reverse(tf.constant(x), MASK)
  for position in transformer.POSITIONS:
    layer = randomized(position=position, num_layers=num_layers)
    one, _ = layer(tf.constant(x), frame_mask=MASK)
    other, _ = layer(reversed_x, frame_mask=MASK)
    differences = np.abs(one - other).max(axis=1)
    if position == "none":
      np.testing.assert_allclose(differences, 0, atol=1e-5)
    else:
      assert differences[:2].min() > 0.01 and differences[2] < 1e-6  # one frame


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_video_without_frames_is_zero(policy):
  keras.mixed_precision.set_global_policy(policy)
  layer = randomized(num_queries=2)
  mask = masking.frame_mask(tf.constant([0, 3, 6]), 6)
  with tf.GradientTape() as tape:
    found, intermediates = layer(tf.constant(frames()), frame_mask=mask)
    total = tf.reduce_sum(tf.cast(found, tf.float32) ** 2)
  np.testing.assert_array_equal(found[0], 0)
  np.testing.assert_array_equal(intermediates["attention"][0], 0)
  assert np.all(np.isfinite(found))
  for gradient in tape.gradient(total, layer.trainable_variables):
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_long_videos_in_half_precision(scale):
  """Scores of many and of large frames are finite, and their weights add up to 1."""
  keras.mixed_precision.set_global_policy("mixed_float16")
  layer = models.Transformer(units=64, num_heads=2, num_layers=4)
  mask = masking.frame_mask(tf.constant([300, 7]), 300)
  found, intermediates = layer(
      tf.constant(scale * frames(shape=(2, 300, 5))), frame_mask=mask)
  assert found.dtype == tf.float16 and np.all(np.isfinite(found))
  assert intermediates["attention"].dtype == tf.float32
  np.testing.assert_allclose(tf.reduce_sum(intermediates["attention"], -1), 1, rtol=1e-4)


def test_position_encoding():
  found = transformer.sinusoids(301, 4).numpy()
  np.testing.assert_array_equal(found[0], [0, 1, 0, 1])
  np.testing.assert_allclose(
      found[300], [np.sin(300), np.cos(300), np.sin(3), np.cos(3)], atol=1e-4)
  assert transformer.sinusoids(7, 3).shape == (7, 3)


def test_dropout_is_for_training():
  layer, x = randomized(dropout=0.5), tf.constant(frames())
  np.testing.assert_array_equal(layer(x)[0], layer(x)[0])
  dropped, _ = layer(x, training=True)
  assert np.abs(dropped - layer(x)[0]).max() > 0.01
  assert np.all(np.isfinite(dropped))


@pytest.mark.parametrize("hparams, message", [
    ({"units": 10, "num_heads": 4}, "units=10.*not a multiple of num_heads=4"),
    ({"num_layers": 0}, "num_layers=0.*less than 1"),
    ({"num_heads": 0}, "num_heads=0.*less than 1"),
    ({"mlp_ratio": 0}, "mlp_ratio=0.*less than 1"),
    ({"num_queries": -1}, "num_queries=-1.*less than 1"),
    ({"position": "sinusoid"}, "position.*'sinusoid'.*sinusoidal")])
def test_errors(hparams, message):
  with pytest.raises(ValueError, match=message):
    models.Transformer(**hparams)


def test_the_attention_comes_out_of_the_model():
  model = models.VideoModel(4, descriptors.SPECS["frame"], aggregation={
      "name": "transformer", "units": 8, "num_queries": 3})
  outputs = model(descriptors.batch("frame"))
  assert outputs["attention"].shape == (5, 8, 3, 7)
