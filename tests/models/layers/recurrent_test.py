# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Recurrent layers, compared with those of Keras: values, states, all gradients."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import parity
from tests.helpers import support
from yt8m.models.layers import masking
from yt8m.models.layers import recurrent
from yt8m.models.layers import variables

keras = tf.keras

UNITS, DIM, FRAMES = 6, 5, 9
LENGTHS = np.array([9, 4, 1, 0])
MASK = masking.frame_mask(tf.constant(LENGTHS), FRAMES)

CELLS = {
    "lstm": (recurrent.LstmLayer, keras.layers.LSTM, {}),
    "gru": (recurrent.GruLayer, keras.layers.GRU, {}),
    "gru_reset_before": (recurrent.GruLayer, keras.layers.GRU, {"reset_after": False}),
}


def frames(rows=4, num_frames=FRAMES, seed=0):
  rng = np.random.default_rng(seed)
  return tf.constant(rng.normal(size=(rows, num_frames, DIM)), tf.float32)


def randomized(layer):
  layer.build((None, None, DIM))
  rng = np.random.default_rng(1)
  layer.set_weights([rng.normal(scale=0.7, size=w.shape) for w in layer.get_weights()])
  return layer


def build_pair(cell, **arguments):
  """Returns our layer, and the Keras layer with the same weights."""
  ours, keras_layer, hparams = CELLS[cell]
  layer = randomized(ours(UNITS, **hparams, **arguments))
  reference = keras_layer(UNITS, return_sequences=True, return_state=True, **hparams)
  reference.build((None, None, DIM))
  reference.set_weights(layer.get_weights())
  return layer, reference


def by_keras(reference, x, mask):
  """Keras repeats the last output over padding; ours is 0 there."""
  outputs, *states = reference(x, mask=mask)
  return masking.zero_padding(outputs, mask), tuple(states)


def gradients(function, weights, x):
  """Gradients of a random signed sum of outputs and states, for x and the weights."""
  with tf.GradientTape() as tape:
    tape.watch(x)
    values = tf.nest.flatten(function(x))
    rng = np.random.default_rng(2)
    loss = tf.add_n([tf.reduce_sum(v * rng.normal(size=v.shape).astype(np.float32))
                     for v in values])
  return tape.gradient(loss, [x, *weights])


def assert_close(found, expected, tolerance=2e-6):
  for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
    scale = max(1.0, np.abs(other).max())
    np.testing.assert_allclose(one / scale, other / scale, rtol=0, atol=tolerance)


@pytest.mark.parametrize("mask", [None, MASK], ids=["full", "padded"])
@pytest.mark.parametrize("cell", CELLS)
def test_values_and_gradients_equal_keras(cell, mask):
  layer, reference = build_pair(cell)
  x = frames()
  ours = tf.function(lambda x: layer(x, frame_mask=mask))
  assert_close(ours(x), by_keras(reference, x, mask))
  assert_close(layer(x, frame_mask=mask), by_keras(reference, x, mask))
  found = gradients(ours, layer.trainable_weights, x)
  assert_close(found, gradients(lambda x: by_keras(reference, x, mask),
                                reference.trainable_weights, x))
  if mask is not None:
    assert not np.any(found[0].numpy()[~mask.numpy()])


@pytest.mark.parametrize("cell", CELLS)
def test_reverse_reads_the_valid_frames_from_the_end(cell):
  layer, reference = build_pair(cell, reverse=True)
  x = frames().numpy()
  outputs, states = layer(tf.constant(x), frame_mask=MASK)
  for row, length in enumerate(LENGTHS[:-1]):
    expected, *last = reference(tf.constant(x[row:row + 1, :length][:, ::-1]))
    assert_close(outputs[row, :length], expected[0, ::-1])
    assert_close([s[row] for s in states], [s[0] for s in last])
  full, _ = layer(tf.constant(x))
  assert_close(full[:, ::-1], reference(tf.constant(x[:, ::-1]))[0])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_padding_is_not_read_and_yields_zeros(cell, reverse):
  layer, _ = build_pair(cell, reverse=reverse)
  outputs, states = layer(frames(), frame_mask=MASK)
  garbage = tf.where(MASK[..., tf.newaxis], frames(), np.nan)
  assert_close(layer(garbage, frame_mask=MASK), (outputs, states), tolerance=0)
  assert not np.any(outputs.numpy()[~MASK.numpy()])
  assert not np.any([s[-1] for s in states]), "a row without frames has no state"


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_a_graph_of_unknown_shapes_equals_eager(cell, jit_compile):
  layer, _ = build_pair(cell, reverse=True)
  compiled = tf.function(
      lambda x, mask: layer(x, frame_mask=mask), jit_compile=jit_compile,
      input_signature=[tf.TensorSpec([None, None, DIM]),
                       tf.TensorSpec([None, None], tf.bool)])
  weights = layer.trainable_weights
  for rows, num_frames in ((4, 4), (1, 1)):
    x, mask = frames(rows, num_frames), MASK[:rows, :num_frames]
    assert_close(compiled(x, mask), layer(x, frame_mask=mask))
    assert_close(gradients(lambda x, m=mask: compiled(x, m), weights, x),
                 gradients(lambda x, m=mask: layer(x, frame_mask=m), weights, x))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_bidirectional_concatenates_both_directions(cell):
  both = randomized(recurrent.Bidirectional(UNITS, cell))
  outputs, states = both(frames(), frame_mask=MASK)
  forward, forward_states = both.forward(frames(), frame_mask=MASK)
  backward, backward_states = both.backward(frames(), frame_mask=MASK)
  assert_close(outputs, np.concatenate([forward, backward], axis=-1))
  assert_close(states, forward_states + backward_states)
  assert both.backward.reverse and not both.forward.reverse


def test_unknown_cell_is_an_error_that_lists_the_valid_ones():
  with pytest.raises(ValueError, match="Unknown cell 'rnn'. Valid: gru, lstm"):
    recurrent.Bidirectional(3, "rnn")


@pytest.mark.parametrize("layer", [
    recurrent.LstmLayer(3, reverse=True), recurrent.GruLayer(3, reset_after=False),
    recurrent.LayerNormLstmLayer(3, epsilon=0.1),
    recurrent.Bidirectional(3, cell="gru")], ids=lambda layer: type(layer).__name__)
def test_config_round_trip(layer):
  config = layer.get_config()
  assert type(layer).from_config(config).get_config() == config


@pytest.mark.parametrize("cell", CELLS)
def test_half_precision_computes_in_float32_and_returns_half(cell):
  layer, _ = build_pair(cell)
  ours, _, hparams = CELLS[cell]
  keras.mixed_precision.set_global_policy("mixed_bfloat16")
  try:
    mixed = ours(UNITS, **hparams)
    mixed.build((None, None, DIM))
  finally:
    keras.mixed_precision.set_global_policy("float32")
  mixed.set_weights(layer.get_weights())
  outputs, states = mixed(frames(), frame_mask=MASK)
  assert {t.dtype for t in (outputs, *states)} == {tf.bfloat16}
  assert_close(tf.nest.map_structure(lambda t: tf.cast(t, tf.float32),
                                     (outputs, states)),
               layer(frames(), frame_mask=MASK), tolerance=0.03)


@pytest.fixture
def masks_on_gpu(monkeypatch):
  """Pretends that there is a GPU, and lists the masks that Keras' layers receive."""
  masks = []

  def watch(layer):
    original = layer.call

    def call(self, *args, mask=None, **kwargs):
      masks.append(mask)
      return original(self, *args, mask=mask, **kwargs)

    monkeypatch.setattr(layer, "call", call)

  watch(keras.layers.LSTM)
  watch(keras.layers.GRU)
  monkeypatch.setattr(recurrent, "has_gpu", lambda: True)
  return masks


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_gpu_computes_the_same_and_portable_avoids_it(cell, reverse, masks_on_gpu):
  layer, _ = build_pair(cell, reverse=reverse)

  def both():
    return layer(frames(), frame_mask=MASK), layer(frames())

  with recurrent.portable():
    expected = both()
  assert not masks_on_gpu
  assert_close(both(), expected)
  mask, none = masks_on_gpu
  assert tf.nest.flatten(none) == [None]
  np.testing.assert_array_equal(  # cuDNN refuses rows without frames
      tf.reduce_sum(tf.cast(mask, tf.int32), axis=1), np.maximum(LENGTHS, 1))


def test_reset_before_is_nothing_for_cudnn(masks_on_gpu):
  layer, _ = build_pair("gru_reset_before")
  layer(frames(), frame_mask=MASK)
  assert not masks_on_gpu


@pytest.mark.parametrize("cell", CELLS)
def test_a_saved_model_runs_without_the_layer(cell, tmp_path):
  layer, _ = build_pair(cell, reverse=True)
  module = tf.Module()
  module.weights = [variables.tf_variable(w) for w in layer.weights]
  module.run = tf.function(
      lambda x, mask: layer(x, frame_mask=mask)[0],
      input_signature=[tf.TensorSpec([None, None, DIM]),
                       tf.TensorSpec([None, None], tf.bool)])
  tf.saved_model.save(module, str(tmp_path))
  loaded = tf.saved_model.load(str(tmp_path))
  assert_close(loaded.run(frames(), MASK), layer(frames(), frame_mask=MASK)[0])


def hard_sigmoid(x):
  """The hard sigmoid of Keras 2; Keras 3 has another slope."""
  return tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)


LAYER_NORM = {"default": {}, "eps": {"epsilon": 0.01}, "nobias_hard": {}}


@support.needs_goldens
@pytest.mark.parametrize("case", LAYER_NORM)
def test_layer_norm_lstm_equals_tensorflow_addons(case):
  golden, _ = support.load_golden("tfa_layernormlstm")
  x, mask = tf.constant(golden["in"]), tf.constant(golden["mask"])
  golden = support.with_prefix(golden, f"{case}/")
  reference = {name.split("/", 2)[2].removesuffix(":0"): value
               for name, value in support.with_prefix(golden, "var/").items()}
  units = golden["h"].shape[1]
  layer = recurrent.LayerNormLstmLayer(units, **LAYER_NORM[case])
  layer.build(x.shape)
  cell = layer.cell
  if case == "nobias_hard":
    cell.recurrent_activation = hard_sigmoid
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
