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
from yt8m.models.layers import frame_sampling
from yt8m.models.layers import layer_norm_lstm
from yt8m.models.layers import masking

NUM_CLASSES = 10

CASES = {
    "starter_lstm2": {"name": "lstm"},
    "willow_lstm": {"name": "lstm", "output": "states"},
    "willow_lstm_backward": {"name": "lstm", "output": "states", "reverse": True},
    "willow_gru": {"name": "gru", "output": "states", "reset_after": False},
}


def build(case, meta, golden, num_frames=None):
  """Our model with the variables of the reference, sampling frames if told how many."""
  kind, flags = CASES[case]["name"], meta["flags"]
  aggregation = {**CASES[case], "units": flags[f"{kind}_cells"],
                 "num_layers": flags[f"{kind}_layers"]}
  spec = feature_spec.FeatureSpec(("x",), (golden["in/model_input"].shape[-1],), "frame")
  model = models.VideoModel(
      NUM_CLASSES, spec, aggregation=aggregation, classifier="moe",
      sampling=num_frames and {"num_frames": num_frames, "repeat": False},
      normalization="none").build_variables()
  cells, head = recurrent_variables.stack(support.with_prefix(golden, "var/tower/"))
  parity.assign(named_variables(model), {**cells, **head})
  if kind == "lstm":  # the reference's cell adds its forget bias of 1 at run time
    for layer in model.aggregation.stack:
      bias = layer.trainable_weights[2]
      bias.assign_add(np.repeat([0.0, 1.0, 0.0, 0.0], aggregation["units"]))
  return model


def named_variables(model):
  return {**recurrent_variables.named(model.aggregation.stack),
          **starter_variables.head_variables(model.classifier)}


@support.needs_goldens
@pytest.mark.parametrize("case", CASES)
def test_model_equals_the_reference(case):
  golden, meta = support.load_golden(f"model_{case}")
  model = build(case, meta, golden)
  inputs = {"features": {"x": tf.constant(golden["in/model_input"])},
            "num_frames": tf.constant(golden["in/num_frames"].astype(np.int32))}
  gradients = parity.train_outputs(model, inputs, golden)
  cells, head = recurrent_variables.stack(support.with_prefix(golden, "grad/tower/"))
  parity.assert_gradients(
      parity.named_gradients(named_variables(model), gradients),
      {f"grad/tower/{name}": value for name, value in {**cells, **head}.items()})


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


def lstm_cell(x, h, c, cell):
  i, j, f, o = np.split(np.concatenate([x, h]) @ cell["kernel"] + cell["bias"], 4)
  c = c * sigmoid(f + 1) + sigmoid(i) * np.tanh(j)
  return np.tanh(c) * sigmoid(o), c


def gru_cell(x, h, _, cell):
  gates = np.concatenate([x, h]) @ cell["gates/kernel"] + cell["gates/bias"]
  r, u = np.split(sigmoid(gates), 2)
  candidate = np.concatenate([x, r * h]) @ cell["candidate/kernel"]
  h = u * h + (1 - u) * np.tanh(candidate + cell["candidate/bias"])
  return h, h


def reference_states(x, lengths, cells, step):
  """`dynamic_rnn` over the first frames of each video: the states of all layers."""
  videos = []
  for frames, length in zip(x, lengths, strict=True):
    video, frames = [], frames[:length]
    for cell in cells:
      h = c = np.zeros(cell["units"])
      outputs = []
      for frame in frames:
        h, c = step(frame, h, c, cell)
        outputs.append(h)
      frames = outputs
      video.extend([c, h] if step is lstm_cell else [h])
    videos.append(np.concatenate(video))
  return np.stack(videos)


def sample_random_frames(x, lengths, draws):
  """`SampleRandomFrames`: from the whole video, with replacement."""
  indices = (draws * lengths[:, None]).astype(int)
  return np.take_along_axis(x, indices[:, :, None], axis=1)


RANDOM_FRAMES = {
    "willow_lstm": (lstm_cell, "basic_lstm_cell", False),
    "willow_lstm_backward": (lstm_cell, "basic_lstm_cell", True),
    "willow_gru": (gru_cell, "gru_cell", False),
}


@support.needs_goldens
@pytest.mark.parametrize("case", RANDOM_FRAMES)
def test_random_frames_of_a_short_video_are_read_up_to_its_length(case, monkeypatch):
  """`lstm_random_sequence`: the RNN runs over min(num_frames, iterations) of them."""
  step, kind, reverse = RANDOM_FRAMES[case]
  golden, meta = support.load_golden(f"model_{case}")
  x, lengths = golden["in/model_input"], golden["in/num_frames"].astype(int)
  reference = support.with_prefix(golden, "var/tower/")
  cells = []
  for n in range(meta["flags"][f"{CASES[case]['name']}_layers"]):
    [prefix] = {name.split(kind)[0] for name in reference if f"cell_{n}/{kind}" in name}
    cell = support.with_prefix(reference, f"{prefix}{kind}/")
    cells.append({**cell, "units": meta["flags"][f"{CASES[case]['name']}_cells"]})
  model = build(case, meta, golden, num_frames=6)

  def head(states):
    return model.classifier(tf.constant(states, tf.float32))

  def backward(x, lengths):
    return np.stack([np.concatenate([frames[:n][::-1], frames[n:]])
                     for frames, n in zip(x, lengths, strict=True)]) if reverse else x

  expected = head(reference_states(backward(x, lengths), lengths, cells, step))
  np.testing.assert_allclose(expected, golden["out/eval/predictions"], atol=1e-5)

  lengths = np.array([1, 3, 5, 6, 9, 12])[:len(x)]
  assert lengths.min() < 6 < lengths.max()
  draws = np.random.default_rng(0).random((len(x), 6), np.float32)
  monkeypatch.setattr(frame_sampling.FrameSampling, "_uniform", lambda *_: draws)
  read = np.minimum(lengths, 6)
  sampled = backward(sample_random_frames(x, lengths, draws), read)
  found = model({"features": {"x": tf.constant(x)}, "num_frames": tf.constant(
      lengths.astype(np.int32))}, training=True)["predictions"]
  np.testing.assert_allclose(
      found, head(reference_states(sampled, read, cells, step)), atol=1e-5)


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
