# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Gates, compared with numpy twins; willow_parity_test.py has the reference code."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.models.layers import gated_dense
from yt8m.models.layers import gating


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


def normal(*shape):
  return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_context_gating_with_a_bias_in_place_of_batch_norm():
  x, gate = normal(3, 4), gating.ContextGating(use_batch_norm=False)
  found = gate(tf.constant(x))
  logits = x @ gate.gate.kernel.numpy() + gate.gate.bias.numpy()
  np.testing.assert_allclose(found, x * sigmoid(logits), rtol=1e-5)


def test_context_gating_of_low_rank_by_another_vector():
  x, context = normal(3, 4), normal(3, 6)
  gate = gating.ContextGating(use_batch_norm=False, rank=2)
  found = gate(tf.constant(x), context=tf.constant(context))
  logits = context @ gate.squeeze.kernel.numpy() @ gate.gate.kernel.numpy()
  np.testing.assert_allclose(found, x * sigmoid(logits), rtol=1e-4, atol=1e-6)


def test_squeeze_gating():
  x, gate = normal(3, 8), gating.SqueezeGating(reduction=4)
  found = gate(tf.constant(x))
  summary = np.maximum(x @ gate.squeeze.kernel.numpy() / np.sqrt(1.001), 0)
  assert summary.shape == (3, 2)
  np.testing.assert_allclose(
      found, x * sigmoid(summary @ gate.excite.kernel.numpy()), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("use_batch_norm", [True, False])
def test_gates_start_as_far_open_as_asked(use_batch_norm):
  gate = gating.ContextGating(use_batch_norm)
  x, openness = normal(4), np.array([0.5, 0.9, 0.1, 0.7])
  gate(tf.constant(x[np.newaxis]))
  gate.start_at(openness, x)
  np.testing.assert_allclose(gate(tf.constant(x[np.newaxis]))[0], x * openness,
                             rtol=1e-4)


@pytest.mark.parametrize("hparams, context_size", [({}, 3), ({"rank": 2}, 4)])
def test_a_gate_without_a_diagonal_cannot_lose_it(hparams, context_size):
  gate = gating.ContextGating(remove_diagonal=True, **hparams)
  with pytest.raises(ValueError, match=f"square gate, not {context_size} to 4 values"):
    gate(tf.zeros((1, 4)), context=tf.zeros((1, context_size)))


def test_errors_name_the_values():
  with pytest.raises(ValueError, match="reduction of 8 leaves nothing of 4"):
    gating.SqueezeGating(8)(tf.zeros((1, 4)))
  with pytest.raises(ValueError, match="gating 'open'. Valid: context, none, squeeze"):
    gated_dense.GatedDense(3, gating="open")
  for kind in ("none", "squeeze"):
    with pytest.raises(ValueError, match="remove_diagonal=True needs context gating"):
      gated_dense.GatedDense(3, gating=kind, remove_diagonal=True)
