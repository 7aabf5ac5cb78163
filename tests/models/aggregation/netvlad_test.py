# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""VLAD pooling, compared with TensorFlow Addons; masks.

tests/models/willow_parity_test.py has the WILLOW code.
"""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m.models.aggregation import netvlad


@support.needs_goldens
@pytest.mark.parametrize("clusters", [1, 4])
def test_equals_tensorflow_addons(clusters):
  golden, _ = support.load_golden("tfa_netvlad")
  reference = {name.split("/", 1)[1]: value for name, value in
               support.with_prefix(golden, f"k{clusters}/var/").items()}
  [kernel] = [v for name, v in reference.items() if "kernel" in name]
  [bias] = [v for name, v in reference.items() if "bias" in name]
  layer = netvlad.VladPooling(clusters, use_batch_norm=False)
  x = tf.constant(golden["in"])
  layer.build(x.shape)
  layer.assign.score.set_weights([kernel, bias])
  layer.references.assign(reference["cluster_centers:0"][0])
  np.testing.assert_allclose(layer(x)[0], golden[f"k{clusters}/out_eval"], atol=1e-5)


def test_numpy_twin_with_mask():
  rng = np.random.default_rng(0)
  x = rng.normal(size=(2, 6, 4)).astype(np.float32)
  lengths = np.array([6, 2])
  layer = netvlad.VladPooling(clusters=3, use_batch_norm=False)
  mask = tf.sequence_mask(lengths, 6)
  found, intermediates = layer(tf.constant(x), frame_mask=mask)
  for row, n in enumerate(lengths):
    scores = x[row, :n] @ layer.assign.score.kernel.numpy()
    a = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    residuals = x[row, :n, :, None] - layer.references.numpy()[None]
    v = np.einsum("tk,tdk->dk", a, residuals)
    v /= np.linalg.norm(v, axis=0)
    np.testing.assert_allclose(found[row], v.ravel() / np.linalg.norm(v), rtol=1e-4,
                               atol=1e-6)
    np.testing.assert_array_equal(intermediates["assignments"][row, n:], 0)


def test_residuals_must_be_known():
  with pytest.raises(ValueError, match="'median'. Valid: gated, centres, none"):
    netvlad.VladPooling(residuals="median")


@pytest.mark.parametrize("residuals", netvlad.RESIDUALS)
@pytest.mark.parametrize("use_bias", [True, False])
def test_projected_sums_are_sums_of_projected_frames(residuals, use_bias, monkeypatch):
  layer = netvlad.NetVlad(clusters=3, projection=8, units=4, residuals=residuals)
  lengths = tf.constant([20, 7, 0])
  mask = tf.sequence_mask(lengths, 20)
  x = tf.random.stateless_normal((3, 20, 6), seed=[1, 2]) * tf.cast(
      mask, tf.float32)[..., tf.newaxis]
  layer(x, frame_mask=mask)
  layer.project.bias.assign(tf.range(8.0))
  if use_bias:  # of the assignment, instead of batch normalisation
    layer.pool.assign.use_batch_norm = False
  found = []
  for flag in (False, True):
    monkeypatch.setattr(netvlad.NetVlad, "projects_sums", lambda *_, flag=flag: flag)
    with tf.GradientTape() as tape:
      y, intermediates = layer(x, frame_mask=mask, training=True)
      loss = tf.reduce_sum(y * tf.range(1.0, 5.0))
    used = [v for v in layer.trainable_variables if "norm" not in v.name or not use_bias]
    found.append([y, intermediates["assignments"], *(
        g for g in tape.gradient(loss, used) if g is not None)])
  assert len(found[0]) == len(found[1]) > 8
  for one, other in zip(*found, strict=True):
    np.testing.assert_allclose(
        other, one, atol=2e-5 * max(1.0, float(tf.reduce_max(tf.abs(one)))))


def test_sums_are_projected_where_that_is_cheaper():
  member = netvlad.NetVlad(clusters=64, projection=512)
  assert member.projects_sums(300, 2304)
  assert not member.projects_sums(30, 2304)
  assert not member.projects_sums(None, 2304)
