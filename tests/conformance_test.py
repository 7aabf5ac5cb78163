# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Properties that every registered option and every recipe must have."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.models import losses
from yt8m.models import prediction
from yt8m.models.layers import variables

keras = tf.keras

ALL = descriptors.all_models()
CASES = descriptors.chosen(ALL)
WITH_RECIPES = descriptors.chosen(ALL, recipes=True)
WITH_VARIANTS = descriptors.chosen(ALL, variants=True)
FRAME_CASES = [case for case in WITH_VARIANTS if ALL[case][0] == "frame"]


@pytest.fixture(autouse=True)
def float32_policy():
  keras.utils.set_random_seed(0)
  yield
  keras.mixed_precision.set_global_policy("float32")


def make(case, seed=0):
  model = descriptors.build(case)
  descriptors.randomize(model, seed)
  return model, descriptors.batch(ALL[case][0])


def scores(model, batch, training=False):
  return np.asarray(
      model(prediction.model_inputs(batch), training=training)["predictions"])


def test_every_option_and_recipe_has_a_case():
  names = {*(f"fusion-{n}" for n in models.FUSIONS),
           *(f"aggregation-{n}" for n in models.AGGREGATIONS),
           *(f"classifier-{n}" for n in models.CLASSIFIERS),
           *(f"recipe-{n}" for n in descriptors.recipe_names()), "mixture", "sampling",
           "calibration"}
  assert {case for case in ALL if "=" not in case} == names


@pytest.mark.parametrize("case", sorted({*WITH_RECIPES, *WITH_VARIANTS}))
def test_shape_range_and_dtype(case):
  model, batch = make(case)
  for training in (False, True):
    p = model(prediction.model_inputs(batch), training=training)["predictions"]
    assert p.shape == (5, descriptors.NUM_CLASSES)
    assert p.dtype == tf.float32
    assert np.all((p >= 0) & (p <= 1)) and np.ptp(p) > 0


@pytest.mark.parametrize("case", FRAME_CASES)
def test_padding_changes_nothing(case):
  """Neither the amount of padding nor its content matters, also in training."""
  rng = np.random.default_rng(1)
  model, batch = make(case)

  def pad(x):
    x = np.pad(x.numpy(), [(0, 0), (0, 4), (0, 0)])
    padded = np.arange(x.shape[1]) >= batch["num_frames"].numpy()[:, None]
    x[padded] = rng.integers(0, 256, (padded.sum(), x.shape[2]))
    return tf.constant(x)

  padded = {**batch, "features": {n: pad(x) for n, x in batch["features"].items()}}
  np.testing.assert_allclose(scores(model, batch), scores(model, padded), atol=1e-6)
  if model.sampling is None:  # sampling draws new frames in every call
    keras.utils.set_random_seed(1)
    before = [w.numpy() for w in model.weights]
    plain = scores(model, batch, training=True)
    after = [w.numpy() for w in model.weights]
    model.set_weights(before)
    np.testing.assert_allclose(plain, scores(model, padded, training=True), atol=1e-6)
    for one, other in zip(after, model.weights, strict=True):
      np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_videos_do_not_see_each_other_at_inference(case):
  model, batch = make(case)
  together = scores(model, batch)
  order = np.array([3, 1, 4, 0, 2])
  permuted = tf.nest.map_structure(lambda x: tf.gather(x, order), batch)
  np.testing.assert_allclose(scores(model, permuted), together[order], atol=1e-6)
  alone = tf.nest.map_structure(lambda x: x[2:3], batch)
  np.testing.assert_allclose(scores(model, alone), together[2:3], atol=1e-6)


@pytest.mark.parametrize("case", WITH_RECIPES)
def test_config_round_trip(case):
  model, batch = make(case)
  config = json.loads(json.dumps(model.get_config()))
  clone = models.VideoModel.from_config(config).build_variables()
  clone.set_weights(model.get_weights())
  np.testing.assert_array_equal(scores(model, batch), scores(clone, batch))


@pytest.mark.parametrize("case", WITH_RECIPES)
def test_keras_files_hold_every_variable(case, tmp_path):
  """The file of a model, and of its weights alone for a model that was never called."""
  model, batch = make(case)
  model(prediction.training_inputs(batch), training=True)  # Counters move.
  expected = model(prediction.model_inputs(batch))
  model.save(tmp_path / "model.keras")
  model.save_weights(tmp_path / "model.weights.h5")
  level, options = ALL[case]
  other = models.VideoModel(descriptors.NUM_CLASSES, descriptors.SPECS[level], **options)
  other.load_weights(tmp_path / "model.weights.h5")
  for loaded in (keras.models.load_model(tmp_path / "model.keras"), other):
    for one, variable in zip(loaded.variables, model.variables, strict=True):
      np.testing.assert_array_equal(one, variable)
    outputs = loaded(prediction.model_inputs(batch))
    assert set(outputs) == set(expected)
    for name, value in outputs.items():
      np.testing.assert_array_equal(value, expected[name])


@pytest.mark.parametrize("case", WITH_VARIANTS)
def test_tf_function_with_unknown_batch_size_equals_eager(case):
  model, batch = make(case)
  inputs = prediction.model_inputs(batch)
  signature = tf.nest.map_structure(
      lambda x: tf.TensorSpec([None, *x.shape[1:]], x.dtype), inputs)
  compiled = tf.function(
      lambda inputs: model(inputs)["predictions"], input_signature=[signature])
  np.testing.assert_allclose(compiled(inputs), scores(model, batch), atol=1e-6)
  one = tf.nest.map_structure(lambda x: x[:1], inputs)
  np.testing.assert_allclose(compiled(one), scores(model, batch)[:1], atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_checkpoint_round_trip(case, tmp_path):
  model, batch = make(case)
  expected = scores(model, batch)
  path = tf.train.Checkpoint(**variables.checkpoint_parts(model)).save(
      str(tmp_path / "model"))
  other, _ = make(case, seed=1)
  assert np.abs(scores(other, batch) - expected).max() > 1e-4
  tf.train.Checkpoint(**variables.checkpoint_parts(other)).restore(
      path).assert_existing_objects_matched()
  np.testing.assert_array_equal(scores(other, batch), expected)


@pytest.mark.parametrize("case", WITH_VARIANTS)
def test_gradient_reaches_every_variable(case):
  model, batch = make(case)
  with tf.GradientTape() as tape:
    p = model(prediction.training_inputs(batch), training=True)["predictions"]
    loss = tf.reduce_mean(losses.CrossEntropyLoss().call(batch["labels"], p))
  for variable, gradient in zip(
      model.trainable_variables, tape.gradient(loss, model.trainable_variables),
      strict=True):
    assert gradient is not None, variable.name
    assert np.all(np.isfinite(gradient)), variable.name
    assert np.any(np.asarray(gradient) != 0), variable.name


@pytest.mark.parametrize("case", CASES)
def test_gradient_equals_finite_differences(case):
  """Compares it with differences along a random direction in the space of weights."""
  model, batch = make(case)
  variables = model.trainable_variables
  rng = np.random.default_rng(2)
  direction = [rng.normal(size=v.shape).astype(np.float32) for v in variables]

  def loss():
    p = model(prediction.model_inputs(batch), training=False)["predictions"]
    return tf.reduce_mean(losses.CrossEntropyLoss().call(batch["labels"], p))

  with tf.GradientTape() as tape:
    value = loss()
  slope = sum(np.sum(np.asarray(g) * d) for g, d in zip(
      tape.gradient(value, variables), direction, strict=True))
  values = []
  for sign in (1e-3, -2e-3):
    for variable, d in zip(variables, direction, strict=True):
      variable.assign_add(sign * d)
    values.append(float(loss()))
  np.testing.assert_allclose((values[0] - values[1]) / 2e-3, slope,
                             rtol=0.05, atol=0.02)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("case", CASES)
def test_mixed_precision(case, policy):
  model, batch = make(case)
  expected = scores(model, batch)
  keras.mixed_precision.set_global_policy(policy)
  mixed = descriptors.build(case)
  assert all(w.dtype == "float32" for w in mixed.trainable_variables)
  mixed.set_weights(model.get_weights())
  np.testing.assert_allclose(scores(mixed, batch), expected, atol=0.06)
  with tf.GradientTape() as tape:
    p = mixed(prediction.training_inputs(batch), training=True)["predictions"]
    loss = tf.reduce_mean(losses.CrossEntropyLoss().call(batch["labels"], p))
  assert p.dtype == tf.float32
  for gradient in tape.gradient(loss, mixed.trainable_variables):
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("case", CASES)
def test_xla_equals_eager(case):
  model, batch = make(case)
  predict = prediction.prediction_function(model, jit_compile=True)
  np.testing.assert_allclose(predict(batch), scores(model, batch), atol=1e-5)
