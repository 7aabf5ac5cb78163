# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The recurrent models of the starter code and of the 2017 winners."""

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
from yt8m.models.layers import masking

NUM_CLASSES = 10

CASES = {
    "starter_lstm2": {"name": "lstm"},
    "willow_lstm": {"name": "lstm", "output": "states"},
    "willow_lstm_backward": {"name": "lstm", "output": "states", "reverse": True},
    "willow_gru": {"name": "gru", "output": "states", "reset_after": False},
}


def build(case, meta, golden, num_frames=None):
  """Our model with the variables of the reference, optionally with frame sampling."""
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


LENGTHS = [7, 3, 1]
MASK = masking.frame_mask(tf.constant(LENGTHS), 7)


def frames(seed=0):
  return tf.constant(np.random.default_rng(seed).normal(size=(3, 7, 4)), tf.float32)


@pytest.mark.parametrize(("option", "states"), [(models.Lstm, "ch"), (models.Gru, "h")])
def test_states_are_those_of_all_layers_and_end_with_the_last_output(option, states):
  layer = option(units=5, num_layers=2, output="states")
  found = layer(frames(), frame_mask=MASK)
  assert found.shape == (3, 2 * len(states) * 5)
  last = option(units=5, num_layers=2)
  last(frames())
  last.set_weights(layer.get_weights())
  np.testing.assert_array_equal(last(frames(), frame_mask=MASK), found[:, -5:])
  lower = layer.stack[0](frames(), frame_mask=MASK)[1]
  np.testing.assert_array_equal(
      found[:, :5 * len(states)], np.concatenate(lower[::-1], axis=-1))


def test_unknown_output_is_an_error_that_lists_the_valid_ones():
  with pytest.raises(ValueError, match="Unknown output 'mean'. Valid: last, states"):
    models.Gru(output="mean")


@pytest.mark.parametrize("option", [models.Lstm, models.Gru])
def test_a_row_without_frames_is_finite(option):
  assert np.all(np.isfinite(option(units=5)(frames(), frame_mask=MASK & False)))


def test_lstm_numpy_twin():
  """Two layers, masked: the state of the last valid frame of the top layer."""
  rng = np.random.default_rng(1)
  x = rng.normal(size=(3, 6, 4)).astype(np.float32)
  lengths = np.array([6, 2, 1])
  layer = models.Lstm(units=5, num_layers=2)
  found = layer(tf.constant(x), frame_mask=masking.frame_mask(tf.constant(lengths), 6))
  for row, length in enumerate(lengths):
    inputs = x[row, :length]
    for stacked in layer.stack:
      kernel, recurrent, bias = stacked.get_weights()
      h, c, outputs = np.zeros(5), np.zeros(5), []
      for frame in inputs:
        i, f, g, o = np.split(frame @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
      inputs = np.array(outputs)
    np.testing.assert_allclose(found[row], inputs[-1], rtol=1e-4, atol=1e-5)
