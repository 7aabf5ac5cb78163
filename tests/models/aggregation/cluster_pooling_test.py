# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Parts shared by cluster aggregations: normalisation, projection and gates."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.models.layers import masking

OPTIONS = [models.NetVlad, models.NetFv, models.SoftBagOfFrames]


def frames():
  return tf.constant(np.random.default_rng(0).normal(size=(5, 7, 6)), tf.float32)


def test_the_reduction_is_left_out_without_units():
  layer = models.NetVlad(clusters=4, projection=3, units=0)
  pooled, intermediates = layer(frames())
  assert pooled.shape == (5, 3 * 4)
  assert intermediates["assignments"].shape == (5, 7, 4)
  assert not hasattr(layer, "reduce")


def test_padded_frames_are_0_to_the_pooling():
  """A bias of the projection must not make frames of padding."""
  layer = models.NetVlad(clusters=4, projection=3, units=0, input_batch_norm=True)
  mask = masking.frame_mask([7, 3, 1, 2, 5], 7)
  layer(frames())
  layer.project.bias.assign([1.0, 2.0, 3.0])
  seen = []
  pool = layer.pool.call
  layer.pool.call = lambda x, **arguments: seen.append(x) or pool(x, **arguments)
  layer(frames(), frame_mask=mask)
  assert not np.any(seen[0].numpy()[~mask.numpy()])
  assert np.all(seen[0].numpy()[mask.numpy()])


@pytest.mark.parametrize("option", OPTIONS)
def test_a_value_can_be_ignored_by_its_own_gate(option):
  """`h ⊙ σ(BN(h W − h ∘ diag(W)))`, as `gating_remove_diag` of the WILLOW code."""
  layer = option(clusters=4, units=3, context_gating=True, remove_diagonal=True)
  gated, _ = layer(frames())
  gate, layer.reduce.gate = layer.reduce.gate, None
  h = layer(frames())[0].numpy()
  weights = gate.gate.kernel.numpy()
  logits = (h @ weights - h * np.diag(weights)) / np.sqrt(1.001)
  np.testing.assert_allclose(gated, h / (1 + np.exp(-logits)), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("option", OPTIONS)
def test_without_a_gate_there_is_no_diagonal_to_remove(option):
  with pytest.raises(ValueError, match="remove_diagonal=True needs context gating"):
    option(context_gating=False, remove_diagonal=True, units=3)(tf.zeros((1, 2, 4)))
