# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The recurrent models of the starter code and of the 2017 winners; layer norm."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import parity
from tests.helpers import recurrent_variables
from tests.helpers import starter_variables
from tests.helpers import support
from yt8m import models
from yt8m.core import feature_spec
from yt8m.models.layers import layer_norm_lstm
from yt8m.models.layers import masking

NUM_CLASSES = 10

CASES = {
    "starter_lstm2": {"name": "lstm"},
    "willow_lstm": {"name": "lstm", "output": "states"},
    "willow_lstm_backward": {"name": "lstm", "output": "states", "reverse": True},
    "willow_gru": {"name": "gru", "output": "states", "reset_after": False},
}


@support.needs_goldens
@pytest.mark.parametrize("case", CASES)
def test_model_equals_the_reference(case):
  golden, meta = support.load_golden(f"model_{case}")
  kind, flags = CASES[case]["name"], meta["flags"]
  aggregation = {**CASES[case], "units": flags[f"{kind}_cells"],
                 "num_layers": flags[f"{kind}_layers"]}
  x = golden["in/model_input"]
  spec = feature_spec.FeatureSpec(("x",), (x.shape[-1],), "frame")
  model = models.VideoModel(NUM_CLASSES, spec, aggregation=aggregation,
                            classifier="moe", normalization="none").build_variables()
  inputs = {"features": {"x": tf.constant(x)},
            "num_frames": tf.constant(golden["in/num_frames"].astype(np.int32))}

  cells, head = recurrent_variables.stack(support.with_prefix(golden, "var/tower/"))
  named = {**recurrent_variables.named(model.aggregation.stack),
           **starter_variables.head_variables(model.classifier)}
  parity.assign(named, {**cells, **head})
  if kind == "lstm":  # the reference's cell adds its forget bias of 1 at run time
    units = aggregation["units"]
    for layer in model.aggregation.stack:
      bias = layer.trainable_weights[2]
      bias.assign_add(np.repeat([0.0, 1.0, 0.0, 0.0], units))
  gradients = parity.train_outputs(model, inputs, golden)
  cells, head = recurrent_variables.stack(support.with_prefix(golden, "grad/tower/"))
  parity.assert_gradients(
      parity.named_gradients(named, gradients),
      {f"grad/tower/{name}": value for name, value in {**cells, **head}.items()})


def hard_sigmoid(x):
  """As Keras 2 defines it; Keras 3 has another slope."""
  return tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)


LAYER_NORM = {"default": {}, "eps": {"epsilon": 0.01},
              "nobias_hard": {"recurrent_activation": hard_sigmoid}}


@support.needs_goldens
@pytest.mark.parametrize("case", LAYER_NORM)
def test_layer_norm_lstm_equals_tensorflow_addons(case):
  golden, _ = support.load_golden("tfa_layernormlstm")
  x, mask = tf.constant(golden["in"]), tf.constant(golden["mask"])
  golden = support.with_prefix(golden, f"{case}/")
  reference = {name.split("/", 2)[2].removesuffix(":0"): value
               for name, value in support.with_prefix(golden, "var/").items()}
  units = golden["h"].shape[1]
  layer = layer_norm_lstm.LayerNormLstmLayer(units, **LAYER_NORM[case])
  layer.build(x.shape)
  cell = layer.cell
  named = {"kernel": cell.kernel, "recurrent_kernel": cell.recurrent_kernel,
           "bias": cell.bias}
  for norm in ("kernel_norm", "recurrent_norm", "state_norm"):
    named[f"{norm}/gamma"] = getattr(layer, norm).gamma
    named[f"{norm}/beta"] = getattr(layer, norm).beta
  parity.assign(named, {"bias": np.zeros(4 * units), **reference})

  for prefix, frame_mask in (("", None), ("masked_", mask)):
    outputs, states = layer(x, frame_mask=frame_mask)
    expected = masking.zero_padding(golden[f"{prefix}seq"], frame_mask)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    for state, name in zip(states, "hc", strict=True):
      np.testing.assert_allclose(state, golden[prefix + name], atol=1e-5)

  state = tf.constant(golden["h0"]), tf.constant(golden["c0"])
  z = layer.kernel_norm(tf.tensordot(x[:, :1], cell.kernel, 1))[:, 0] + cell.bias
  found = layer.step(state, z, tf.convert_to_tensor(cell.recurrent_kernel))
  for state, name in zip(found, "hc", strict=True):
    np.testing.assert_allclose(state, golden[f"step_{name}"], atol=1e-5)
