# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Context gating against the WILLOW code, and by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tests import starter_variables
from tests import support
from yt8m import losses
from yt8m import models
from yt8m.models.layers import gating

CASES = {"gated_prob": {}, "gated_input": {}, "gated_removediag": {
    "remove_diagonal": True}}


@support.needs_goldens
@pytest.mark.parametrize("case", CASES)
def test_gated_probabilities_equal_the_willow_code(case):
  golden, meta = support.load_golden(f"model_willow_moe2_{case}")
  reference = support.with_prefix(golden, "var/tower/")
  x = tf.constant(golden["in/model_input"])
  head, gate = models.MixtureOfExperts(10), gating.ContextGating(**CASES[case])
  context = x if meta["flags"].get("moe_prob_gating_input") == "input" else None

  def predict(training):
    return gate(head(x), context=context, training=training)

  predict(False)
  named = {**starter_variables.head_variables(head),
           "gating_prob_weights": gate.gate.kernel,
           "gating_prob_bn/gamma": gate.norm.gamma,
           "gating_prob_bn/beta": gate.norm.beta,
           "gating_prob_bn/moving_mean": gate.norm.moving_mean,
           "gating_prob_bn/moving_variance": gate.norm.moving_variance}
  for name, variable in named.items():
    variable.assign(reference[name])
  np.testing.assert_allclose(predict(False), golden["out/eval/predictions"], atol=1e-5)
  trainable = {name: v for name, v in named.items() if "moving" not in name}
  with tf.GradientTape() as tape:
    p = predict(True)
    loss = losses.CrossEntropyLoss()(golden["in/labels"].astype(np.float32), p)
    loss += tf.add_n(head.losses)
  np.testing.assert_allclose(p, golden["out/train/predictions"], atol=1e-5)
  for name, gradient in tape.gradient(loss, trainable).items():
    np.testing.assert_allclose(gradient, golden[f"grad/tower/{name}"], rtol=1e-4,
                               atol=2e-6, err_msg=name)
  for name, value in support.with_prefix(golden, "upd/tower/").items():
    np.testing.assert_allclose(named[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_with_a_bias_in_place_of_batch_norm():
  rng = np.random.default_rng(0)
  x = rng.normal(size=(3, 4)).astype(np.float32)
  gate = gating.ContextGating(use_batch_norm=False)
  found = gate(tf.constant(x))
  logits = x @ gate.gate.kernel.numpy() + gate.gate.bias.numpy()
  np.testing.assert_allclose(found, x / (1 + np.exp(-logits)), rtol=1e-5)
