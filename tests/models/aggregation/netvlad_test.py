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
