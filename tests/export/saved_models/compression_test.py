# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Every option computes with compressed weights as with rounded weights."""

import json
import types

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import serving
from yt8m import models
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.export.saved_models import compression
from yt8m.export.saved_models import writer
from yt8m.models import prediction
from yt8m.models.layers import recurrent
from yt8m.models.layers import variables

CASES = descriptors.chosen(descriptors.all_models())
SMALL_FORMATS = compression.WEIGHT_FORMATS[1:]

# On TensorFlow 2.15 this is an error, which has its own test.
needs_keras_3 = pytest.mark.skipif(
    not hasattr(tf.keras, "StatelessScope"), reason="Keras 2 has no StatelessScope")


def rounded(w, weight_format):
  """Numpy twin: the values of a stored weight."""
  if w.dtype != np.float32 or weight_format == "float32":
    return w
  if weight_format != "int8":
    return w.astype(tf.as_dtype(weight_format).as_numpy_dtype).astype(np.float32)
  if w.ndim < 2 or w.size < compression._MIN_ELEMENTS:
    return w
  scale = np.abs(w).max(axis=tuple(range(w.ndim - 1))) / np.float32(127)
  return np.round(w / np.where(scale, scale, 1)) * scale


def round_weights(model, weight_format):
  for variable in map(variables.tf_variable, model.weights):
    variable.assign(rounded(variable.numpy(), weight_format))


def traced(call, inputs):
  with recurrent.portable():
    return tf.function(call).get_concrete_function(inputs)


@needs_keras_3
@pytest.mark.parametrize("case", CASES)
def test_every_option_reads_the_stored_weights_and_no_others(case, monkeypatch):
  monkeypatch.setattr(compression, "_MIN_ELEMENTS", 4)
  model = descriptors.build(case)
  inputs = prediction.model_inputs(descriptors.batch(descriptors.all_models()[case][0]))
  for weight_format in ("float16", "int8"):
    descriptors.randomize(model)
    call, stored = compression.compress(model, weight_format)
    function = traced(call, inputs)
    assert {id(v) for v in function.variables} <= {id(v) for v in stored}
    unrounded = model(inputs)["predictions"].numpy()
    round_weights(model, weight_format)
    expected = model(inputs)["predictions"].numpy()
    assert (unrounded != expected).any()
    np.testing.assert_allclose(
        function(inputs)["predictions"], expected, atol=1e-6)


def test_float32_is_the_model_itself():
  model = descriptors.build("aggregation-lstm")
  descriptors.randomize(model)
  inputs = prediction.model_inputs(descriptors.batch("frame"))
  call, stored = compression.compress(model, "float32")
  np.testing.assert_array_equal(call(inputs)["predictions"], model(inputs)["predictions"])
  assert [id(v) for v in stored] == [
      id(variables.tf_variable(v)) for v in model.weights]


@needs_keras_3
@pytest.mark.parametrize("weight_format, dtype", [("float16", tf.half),
                                                  ("bfloat16", tf.bfloat16)])
def test_a_loop_over_frames_does_not_cast(weight_format, dtype):
  model = descriptors.build("aggregation-blstm")
  inputs = prediction.model_inputs(descriptors.batch("frame"))
  call, stored = compression.compress(model, weight_format)
  graph = traced(call, inputs).graph.as_graph_def()
  nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
  casts = [n for n in nodes
           if n.op == "Cast" and n.attr["SrcT"].type == dtype.as_datatype_enum]
  assert any("While" in n.op for n in graph.node)
  assert {v.dtype for v in stored} == {dtype} and len(casts) == len(stored)


def larger_model():
  spec = feature_spec.FeatureSpec(("rgb", "audio"), (64, 32), "frame")
  model = models.VideoModel(
      200, spec, aggregation={"name": "lstm", "units": 128}).build_variables()
  descriptors.randomize(model)
  for variable in model.weights:
    variable.assign(0.1 * variable)
  return experiment.Experiment(model.get_config(), descriptors.MAX_FRAMES), model


@needs_keras_3
@pytest.mark.parametrize("weight_format, atol", [
    ("float32", 1e-6), ("float16", 1e-4), ("bfloat16", 1e-3), ("int8", 2e-3)])
def test_the_file_is_small_and_the_answers_are_close(weight_format, atol, tmp_path):
  config, model = larger_model()
  writer.save(config, model, str(tmp_path / "m"), weight_format=weight_format)

  matrices = 4 * 128 * (96 + 128 + 128 + 128) + 200 * 128
  vectors = 2 * 4 * 128 + 200
  scales = 4 * 4 * 128 + 200
  weights = {"float32": 4 * (matrices + vectors), "float16": 2 * (matrices + vectors),
             "bfloat16": 2 * (matrices + vectors),
             "int8": matrices + 4 * (vectors + scales)}[weight_format]
  on_disk = files.bytes_on_disk(str(tmp_path / "m" / "variables"))
  assert weights < on_disk <= 1.01 * weights + 4000
  assert files.bytes_on_disk(str(tmp_path / "m")) <= 1.01 * weights + 2 ** 20

  rng = np.random.default_rng(0)
  batch = {"features": {
      name: tf.constant(rng.integers(0, 256, (4, 7, size), np.uint8))
      for name, size in (("rgb", 64), ("audio", 32))}, "num_frames": tf.constant([7] * 4)}
  answer = tf.saved_model.load(str(tmp_path / "m")).signatures["predict_features"](
      **serving.arrays(batch, "frame"))["predictions"]
  exact = serving.at_home(model, batch)
  np.testing.assert_allclose(answer, exact, atol=atol)
  round_weights(model, weight_format)
  np.testing.assert_allclose(answer, serving.at_home(model, batch), atol=1e-6)


@needs_keras_3
def test_our_tools_can_tell_how_weights_are_stored(tmp_path):
  extra = tmp_path / "m" / "assets.extra"
  assert compression.load_format(str(extra)) == "float32"
  serving.save("aggregation-mean", tmp_path / "m", weight_format="bfloat16")
  assert compression.load_format(str(extra)) == "bfloat16"
  again = experiment.Experiment.load(str(extra))
  assert again.num_classes == descriptors.NUM_CLASSES
  assert json.loads((tmp_path / "m" / "assets" / "feature_spec.json").read_text())[
      "names"] == ["rgb", "audio"]


@needs_keras_3
def test_int8_errs_by_half_a_step_of_each_channel():
  _, model = larger_model()
  kernel = next(v for v in model.weights if v.shape == (128, 200))
  values = kernel.numpy()
  values[:, 0] = 0
  values[:, 1] *= 100
  kernel.assign(values)
  q, scale = compression._factors(kernel, "int8")
  assert (q.dtype, scale.dtype, scale.shape) == (tf.int8, tf.float32, (200,))
  error = np.abs(q.numpy() * scale.numpy() - values)
  assert (error <= 0.5001 * np.abs(values).max(axis=0) / 127).all()
  assert np.abs(q.numpy()[:, 1:]).max(axis=0).tolist() == [127] * 199
  assert (q.numpy()[:, 0] == 0).all()
  # Vectors and small matrices are not compressed.
  assert compression._factors(tf.Variable(tf.ones([5000])), "int8") == []
  assert compression._factors(tf.Variable(tf.ones([31, 33])), "int8") == []
  assert compression._factors(tf.Variable(tf.ones([64, 64], tf.int32)), "float16") == []


@needs_keras_3
@pytest.mark.parametrize("weight_format, bad, fits", [
    ("float16", 1e5, "bfloat16"), ("float16", np.nan, None), ("bfloat16", np.inf, None),
    ("int8", np.nan, None), ("int8", np.inf, None)])
def test_values_that_do_not_fit_are_named(weight_format, bad, fits, tmp_path):
  config, model = larger_model()
  kernel = next(v for v in model.weights if v.shape == (128, 200))
  values = kernel.numpy()
  values[3, 4] = bad
  kernel.assign(values)
  with pytest.raises(ValueError, match=rf"--weights={weight_format}: .*kernel.* "
                                       r"\(128, 200\) .*does not stay finite.*bfloat16"):
    writer.save(config, model, str(tmp_path / "m"), weight_format=weight_format)
  assert not list(tmp_path.iterdir())
  if fits:
    compression.compress(model, fits)


def test_unknown_formats_and_keras_2_are_refused(monkeypatch):
  model = descriptors.build("classifier-logistic")
  with pytest.raises(ValueError, match="Unknown --weights 'int4'. Valid: int8, float32"):
    compression.compress(model, "int4")
  monkeypatch.setattr(compression, "keras", types.SimpleNamespace())
  for weight_format in SMALL_FORMATS:
    with pytest.raises(ValueError, match=f"--weights={weight_format} needs Keras 3"):
      compression.compress(model, weight_format)
  compression.compress(model, "float32")
