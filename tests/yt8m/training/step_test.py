# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Training steps compared with recorded trajectories of the starter code."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import starter_variables
from tests.helpers import support
from yt8m import models
from yt8m.configs import recipes
from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.models import losses
from yt8m.models import prediction
from yt8m.models.classification import binary_relevance
from yt8m.models.layers import frame_sampling
from yt8m.training import optimizers
from yt8m.training import step as train_step

keras = tf.keras

MODELS = {
    "dbof_adam": dict(
        aggregation={"name": "dbof", "clusters": 12, "units": 8}, classifier="moe"),
    "framelogistic_adam": dict(aggregation="mean", classifier="logistic"),
    "logistic_adam": dict(classifier="logistic"),
    "logistic_sgd": dict(classifier="logistic"),
    "moe2_adam": dict(classifier="moe"),
    "moe2_adam_noclip": dict(classifier="moe"),
}


def trajectory_batch(step, golden, meta):
  x = golden[f"step{step}/video_matrix"]
  num_frames = golden[f"step{step}/num_frames"].astype(np.int32)
  if "uniform_draws" in golden:
    samples = meta["flags"]["iterations"]
    indices = frame_sampling.frame_indices(
        "random_frames", tf.constant(num_frames), samples,
        golden["uniform_draws"][:len(x)])
    x = tf.gather(x, indices, axis=1, batch_dims=1)
    num_frames = np.full_like(num_frames, samples)
  return {"features": {"x": tf.constant(x)}, "num_frames": tf.constant(num_frames),
          "labels": tf.constant(golden[f"step{step}/labels"])}


def well_conditioned(optimizer, variables):
  """Returns a mask for each variable: the elements whose update is well defined.

  Adam moves an element by about lr · g / (|g| + ε). If |g| is close to ε = 1e-8, the
  rounding of g (1e-10) alone moves it by more than the tolerance, in the reference as
  well as in ours. The gradient of a bias before a batch normalisation consists of
  rounding errors only.
  """
  if "Adam" not in type(optimizer).__name__:
    return [np.ones(v.shape, bool) for v in variables]
  correction = 1 - 0.999 ** int(optimizer.iterations)
  velocities = [v for v in optimizer.variables
                if getattr(v, "path", "").endswith("_velocity")  # Keras 3
                or "/v/" in f"/{v.name}"]  # Keras 2
  assert len(velocities) == len(variables)
  return [np.sqrt(np.asarray(v) / correction) > 1e-6 for v in velocities]


def assert_same_variables(named, golden, prefix, masks):
  skipped = sum(np.sum(~mask) for mask in masks.values())
  assert skipped < 0.05 * sum(mask.size for mask in masks.values())
  for key, variable in named.items():
    if prefix + key in golden:
      mask = masks.get(id(variable), slice(None))
      np.testing.assert_allclose(np.asarray(variable)[mask], golden[prefix + key][mask],
                                 atol=1e-5, err_msg=prefix + key)


@support.needs_goldens
@pytest.mark.parametrize("name", MODELS)
def test_trajectory_equals_the_starter_code(name):
  golden, meta = support.load_golden(f"train_{name}")
  graph = meta["build_graph"]
  shape = golden["step0/video_matrix"].shape
  spec = feature_spec.FeatureSpec(
      ("x",), (shape[-1],), "video" if len(shape) == 2 else "frame")
  model = models.VideoModel(golden["step0/labels"].shape[-1], spec,
                            **MODELS[name]).build_variables()
  named = starter_variables.tower_variables(model)
  for key, variable in named.items():
    variable.assign(golden[f"init/tower/{key}"])
  schedule = optimizers.StaircaseDecay(
      graph["base_learning_rate"], graph["learning_rate_decay"],
      graph["learning_rate_decay_examples"], meta["batch_size"])
  optimizer = optimizers.make_optimizer(meta["optimizer"], schedule)
  step = train_step.TrainStep(
      model, losses.LOSSES[meta["loss"]](), optimizer, tf.distribute.get_strategy(),
      regularization_penalty=graph["regularization_penalty"],
      clip_gradient_norm=graph["clip_gradient_norm"])

  # An element that one update has moved stays different, so masks only shrink.
  masks = {id(v): np.ones(v.shape, bool) for v in model.trainable_variables}
  for index in range(meta["steps"]):
    np.testing.assert_allclose(
        schedule(index), golden[f"step{index}/learning_rate"], rtol=1e-6)
    result = step(trajectory_batch(index, golden, meta))
    np.testing.assert_allclose(
        result.label_loss, golden[f"step{index}/label_loss"], rtol=1e-5)
    np.testing.assert_allclose(
        result.penalty, golden[f"step{index}/reg_loss_before"], rtol=1e-4)
    np.testing.assert_allclose(
        result.predictions, golden[f"step{index}/predictions"], atol=1e-5)
    for variable, mask in zip(
        model.trainable_variables,
        well_conditioned(optimizer, model.trainable_variables), strict=True):
      masks[id(variable)] &= mask
    assert_same_variables(named, golden, f"after{index + 1}/tower/", masks)
  assert_same_variables(named, golden, "final/tower/", masks)


def make_step(**options):
  spec = feature_spec.FeatureSpec(("x",), (6,), "video")
  model = models.VideoModel(5, spec).build_variables()
  optimizer = optimizers.make_optimizer("GradientDescentOptimizer", 1.0)
  return model, train_step.TrainStep(
      model, losses.CrossEntropyLoss(), optimizer, tf.distribute.get_strategy(),
      **options)


def random_batch(rows=8, seed=0):
  rng = np.random.default_rng(seed)
  return {"features": {"x": tf.constant(rng.normal(size=(rows, 6)), tf.float32)},
          "num_frames": tf.ones(rows, tf.int32),
          "labels": tf.constant(rng.random((rows, 5)) < 0.4)}


@pytest.mark.parametrize("mode", optimizers.CLIPPING)
def test_clipping_bounds_what_one_sgd_step_moves(mode):
  model, step = make_step(clip_gradient_norm=0.01, gradient_clipping=mode)
  before = [v.numpy() for v in model.trainable_variables]
  step(random_batch())
  moves = [np.linalg.norm(v.numpy() - b)
           for v, b in zip(model.trainable_variables, before, strict=True)]
  if mode == "per_variable":
    np.testing.assert_allclose(moves, 0.01, rtol=1e-4)
  else:
    np.testing.assert_allclose(np.linalg.norm(moves), 0.01, rtol=1e-4)
    assert min(moves) < 0.0099


def test_label_weights_keep_unrated_classes_untouched():
  model, step = make_step(regularization_penalty=0.0)
  batch = random_batch()
  weights = np.ones((8, 5), np.float32)
  weights[:, 3] = 0.0
  before = model.classifier.logits.kernel.numpy()
  step({**batch, "label_weights": tf.constant(weights)})
  moved = np.abs(model.classifier.logits.kernel.numpy() - before).max(axis=0)
  assert moved[3] == 0.0
  assert (moved[[0, 1, 2, 4]] > 0).all()


@keras.utils.register_keras_serializable(package="tests")
class OwnLoss(models.Logistic):
  """A head whose own loss is its first score; it returns the labels it sees."""

  uses_labels = True

  def call(self, x, labels=None):
    scores = super().call(x)
    if labels is None:
      return scores
    return scores, {"training_loss": scores[:, 0], "labels_seen": labels}


OWN_LOSS = f"{__name__}:OwnLoss"
HEADS = {
    "alone": {},
    "hidden": {"classifier": {"name": "hidden", "units": 3, "head": OWN_LOSS,
                              "dropout": 0.0}},
    "gated": {"classifier": {"name": "gated", "head": OWN_LOSS}},
    "late2": {"fusion": "late2"},
    "mixture": {"mixture": {"branches": 2, "distillation": 0.0}},
}


def own_loss_model(name):
  spec = feature_spec.FeatureSpec(("x", "y"), (6, 3), "video")
  options = {"classifier": OWN_LOSS, "normalization": "none", **HEADS[name]}
  with registry.allow_code([__name__]):
    return models.VideoModel(5, spec, **options).build_variables()


def two_modalities():
  rng = np.random.default_rng(1)
  batch = random_batch()
  batch["features"]["y"] = tf.constant(rng.normal(size=(8, 3)), tf.float32)
  return batch


@pytest.mark.parametrize("name", HEADS)
def test_a_heads_own_loss_is_what_is_trained(name):
  """Its loss replaces the label loss, or is added where scores are combined or gated."""
  model, batch = own_loss_model(name), two_modalities()
  outputs = model(prediction.training_inputs(batch), training=True)
  expected = sum(tf.reduce_mean(value) for key, value in outputs.items()
                 if key.startswith("training_loss"))
  number = {"late2": 2, "mixture": 2}.get(name, 1)
  assert sum(key.startswith("training_loss") for key in outputs) == number
  if name in ("alone", "hidden"):
    np.testing.assert_allclose(
        expected, tf.reduce_mean(outputs["predictions"][:, 0]), rtol=1e-6)
  else:
    expected += tf.reduce_mean(
        losses.CrossEntropyLoss().call(batch["labels"], outputs["predictions"]))
  step = train_step.TrainStep(
      model, losses.CrossEntropyLoss(),
      optimizers.make_optimizer("GradientDescentOptimizer", 0.1),
      tf.distribute.get_strategy())
  np.testing.assert_allclose(step(batch).label_loss, expected, rtol=1e-5)


def test_the_gradient_is_of_the_own_loss():
  model, batch = own_loss_model("alone"), two_modalities()
  before = model.classifier.logits.kernel.numpy()
  step = train_step.TrainStep(
      model, losses.CrossEntropyLoss(),
      optimizers.make_optimizer("GradientDescentOptimizer", 0.1),
      tf.distribute.get_strategy(), regularization_penalty=0.0)
  step(batch)
  moved = np.abs(model.classifier.logits.kernel.numpy() - before).max(axis=0)
  assert moved[0] > 0
  np.testing.assert_array_equal(moved[1:], 0.0)


@pytest.mark.parametrize("name", HEADS)
def test_a_head_sees_labels_in_training_alone(name):
  model, batch = own_loss_model(name), two_modalities()

  def seen(inputs, training):
    return [value for key, value in model(inputs, training=training).items()
            if key.startswith("labels_seen")]

  in_training = seen(prediction.training_inputs(batch), training=True)
  assert len(in_training) == {"late2": 2, "mixture": 2}.get(name, 1)
  for labels in in_training:
    np.testing.assert_array_equal(labels, batch["labels"])
  assert not seen(prediction.training_inputs(batch), training=False)
  assert not seen(prediction.model_inputs(batch), training=True)
  assert "labels" not in prediction.model_inputs(batch)


class OwnHead(binary_relevance.Logistic):
  """A head of the user's own, which XLA may not know how to compile."""


@pytest.mark.parametrize("name, expected", [
    ("LogisticModel", True), ("FrameLevelLogisticModel", True), ("MoeModel", False),
    ("DbofModel", False), ("LstmModel", False), ("concat-hidden2048-logistic", False)])
def test_xla_compiles_the_models_that_gain_from_it(name, expected):
  recipe = recipes.RECIPES[name]
  spec = feature_spec.FeatureSpec(
      ("rgb",), (4,), feature_spec.FRAME if recipe.frame_level else feature_spec.VIDEO)
  model = models.VideoModel(3, spec, **recipe.options)
  assert train_step.gains_from_xla(model) == (
      expected and not tf.config.list_logical_devices("GPU"))


class OwnFusion(models.Sum):
  """A fusion of the user's own."""


def test_xla_compiles_no_class_of_the_user_by_default():
  spec = feature_spec.FeatureSpec(("rgb",), (4,), feature_spec.VIDEO)
  model = models.VideoModel(3, spec)
  model.branches[0].classifiers[0] = OwnHead(3)
  assert not train_step.gains_from_xla(model)
  model = models.VideoModel(3, spec)
  model.branches[0].fusion = OwnFusion(3)
  assert not train_step.gains_from_xla(model)
