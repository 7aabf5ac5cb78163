# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a new model takes from a trained one, and what the report says of it."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.core import vocabulary
from yt8m.models import prediction
from yt8m.models.layers import variables
from yt8m.training import initializing

keras = tf.keras

ALL = descriptors.all_models()
VIDEO = descriptors.SPECS["video"]
# Without a calibration, which no training has.
CASES = [case for case in descriptors.chosen(ALL, variants=True, recipes=True)
         if case != "calibration"]
NAMES = ("cat", "dog", "cow", "fox", "hen", "pig")
# Four of them, in another order, and two others.
OTHER_NAMES = ("fox", "owl", "pig", "cat", "emu", "hen", "yak")


def vocabulary_of(names):
  return vocabulary.Vocabulary.of(dict(enumerate(names)), len(names))


def build(options, num_classes=6, spec=VIDEO, seed=None):
  model = models.VideoModel(num_classes, spec, **options).build_variables()
  if seed is not None:
    descriptors.randomize(model, seed)
  return model


def save(train_dir, model, names=None, averages=None):
  """Writes a model as training does, with averages if they are given."""
  train_dir.mkdir()
  flags = {"vocabulary": vocabulary_of(names).digest} if names else {}
  experiment.Experiment(model.get_config(), 300, flags).save(str(train_dir))
  if names:
    vocabulary_of(names).write(str(train_dir / vocabulary.FILE))
  parts = dict(variables.checkpoint_parts(model))
  if averages:
    parts |= {checkpoints.AVERAGES: averages,
              checkpoints.NUM_AVERAGED: tf.Variable(3, dtype=tf.int64)}
  tf.train.CheckpointManager(
      tf.train.Checkpoint(**parts), str(train_dir), max_to_keep=1,
      checkpoint_name=checkpoints.PREFIX).save(checkpoint_number=7)
  return str(train_dir)


def begin(source, model, names=None, tmp="elsewhere"):
  start = initializing.begin(source, tmp, model, names and vocabulary_of(names), None)
  start.assign()
  return start


def scores(model, batch):
  return np.asarray(model(prediction.model_inputs(batch), training=False)["predictions"])


@pytest.mark.parametrize("case", CASES)
def test_the_same_model_predicts_the_same(case, tmp_path):
  level, options = ALL[case]
  spec = descriptors.SPECS[level]
  trained = build(options, spec=spec, seed=1)
  for number, weight in enumerate(trained.weights):
    if weight.dtype == "int64" and len(weight.shape) == 1:
      weight.assign(np.random.default_rng(number).permutation(weight.shape[0]))
  batch = descriptors.batch(level)
  source = save(tmp_path / "source", trained)
  model = build(options, spec=spec)
  start = begin(source, model)
  np.testing.assert_array_equal(scores(model, batch), scores(trained, batch))
  new = [line for line in start.report if line.startswith("New")]
  assert not new or len(new) == 1 and new[0].startswith("New, as it counts steps: ")


@pytest.mark.parametrize("classifier", [
    "logistic", "moe", {"name": "moe", "num_mixtures": 3, "low_rank_gates": 2},
    {"name": "hidden", "units": 5}, {"name": "hidden", "units": 6, "head": "moe"}])
def test_classes_of_the_same_name_predict_the_same(classifier, tmp_path):
  """A score of these classifiers depends on no other class."""
  options = {"classifier": classifier}
  trained = build(options, seed=1)
  source = save(tmp_path / "source", trained, NAMES)
  keras.utils.set_random_seed(3)
  model = build(options, num_classes=7)
  prior = np.linspace(0.1, 0.7, 7)
  model.start_from_prior(prior)
  batch = descriptors.batch("video")
  fresh = scores(model, batch)
  start = begin(source, model, OTHER_NAMES)
  known = [name for name in OTHER_NAMES if name in NAMES]
  here, there = map(OTHER_NAMES.index, known), map(NAMES.index, known)
  now, before = scores(model, batch), scores(trained, batch)
  np.testing.assert_allclose(now[:, list(here)], before[:, list(there)], rtol=1e-6)
  if classifier in ("logistic", "moe"):  # no layer that the classes share
    new = [OTHER_NAMES.index(name) for name in OTHER_NAMES if name not in NAMES]
    np.testing.assert_allclose(now[:, new], fresh[:, new], rtol=1e-6)
  assert ("Classes: 4 of 7 have the name of one of the 6 of the other model; 3 are new."
          in start.report)
  # Weights with new classes train at the full rate.
  shared = {"shared_gates", "hidden"}
  assert {path.split("/")[1] for path in start.record["taken"]} <= shared


def test_a_subset_of_the_classes_is_taken_as_a_whole(tmp_path):
  trained = build({"classifier": "gated"}, seed=1)
  source = save(tmp_path / "source", trained, NAMES)
  model = build({"classifier": "gated"}, num_classes=3)
  start = begin(source, model, ("pig", "cat", "fox"))
  rows = [5, 0, 3]
  gate, other = model.classifier.gate.gate.kernel, trained.classifier.gate.gate.kernel
  np.testing.assert_array_equal(gate, np.asarray(other)[np.ix_(rows, rows)])
  assert len(start.record["taken"]) == len(model.weights)
  assert len(start.taken_variables()) == len(model.weights)


@pytest.mark.parametrize("classifier, new, by_name", [
    ({"name": "label_powerset", "num_sets": 6, "max_labels": 3},
     {"logits/kernel", "logits/bias", "sets"}, set()),
    ({"name": "label_embedding", "units": 4},
     {"embed/kernel", "embed/bias", "decode/kernel", "bias"}, set()),
    ({"name": "kernel", "num_features": 6}, {"logits/kernel", "logits/bias"}, set()),
    ({"name": "conditional", "units": 4},
     {"evidence/encode/kernel", "couplings", "draws"}, {"head/logits/kernel"}),
    ({"name": "hidden", "head": {"name": "label_embedding", "units": 4}, "units": 3},
     {"head/decode/kernel"}, set()),
    ({"name": "class_chain", "units": 4, "embedding": 3}, {"ranks"},
     {"vectors", "logits/kernel", "logits/bias"})])
def test_what_depends_on_all_classes_is_new_for_others(classifier, new, by_name,
                                                       tmp_path):
  options = {"aggregation": {"name": "dbof", "clusters": 9, "units": 5},
             "classifier": classifier}
  spec = descriptors.SPECS["frame"]
  source = save(tmp_path / "source", build(options, spec=spec, seed=1), NAMES)
  model = build(options, num_classes=7, spec=spec)
  start = begin(source, model, OTHER_NAMES)
  origins = {origin.weight.path.removeprefix("classifier/"): origin.how
             for origin in start._origins}
  found = {path for path, how in origins.items() if how == "new"}
  assert new <= found
  assert {path for path, how in origins.items() if how == "by class name"} == by_name | (
      {"head/logits/bias"} if "conditional" in str(classifier) else set())
  if "hidden" in str(classifier):
    assert origins["hidden/dense/kernel"] == "taken"
  report = "\n".join(start.report)
  assert all(path in report for path in found)


def test_averaged_weights_are_taken(tmp_path):
  trained = build({"classifier": "logistic"}, seed=1)
  averages = [tf.Variable(2 * tf.convert_to_tensor(w)) for w in trained.weights]
  source = save(tmp_path / "source", trained, averages=averages)
  model = build({"classifier": "logistic"})
  start = begin(source, model)
  np.testing.assert_array_equal(
      model.classifier.logits.kernel, 2 * np.asarray(trained.classifier.logits.kernel))
  assert start.record["averaged"] and "averaged weights" in start.report[0]


def test_other_features_and_options(tmp_path):
  frame = descriptors.SPECS["frame"]
  lstm = {"aggregation": descriptors.small("aggregation", "lstm")}
  source = save(tmp_path / "source", build(lstm, spec=frame, seed=1))
  audio = feature_spec.FeatureSpec(("audio",), (4,), "frame")
  start = begin(source, build(lstm, spec=audio))
  report = "\n".join(start.report)
  assert "its shape is (4, 12), there (12, 12): aggregation/" in report
  assert "feature_spec.names is ['audio'], there ['rgb', 'audio']" in report
  assert "| classifier | 2 | 0 | 0 |" in report
  assert "Classes: the same 6 in both models, as no names say otherwise." in report

  gru = {"aggregation": descriptors.small("aggregation", "gru")}
  report = "\n".join(begin(source, build(gru, spec=frame)).report)
  assert "New, as it is in a Gru, there in a Lstm: aggregation/stack/0/" in report
  assert "aggregation.name is 'gru', there 'lstm'" in report

  mean = {"aggregation": "mean", "classifier": "moe"}
  with pytest.raises(ValueError, match="Nothing of --initialize_from=.* fits: classifier"
                     "/gates/kernel, the other model has none there. Choose the feat"):
    begin(source, build(mean, spec=frame))


def test_what_the_other_model_has_besides_is_named(tmp_path):
  two = {"aggregation": {**descriptors.small("aggregation", "lstm"), "num_layers": 2}}
  one = {"aggregation": {**descriptors.small("aggregation", "lstm"), "num_layers": 1}}
  spec = descriptors.SPECS["frame"]
  source = save(tmp_path / "source", build(two, spec=spec, seed=1))
  report = begin(source, build(one, spec=spec)).report
  [left_out] = [line for line in report if line.startswith("Left out")]
  assert "has no such weight: aggregation/" in left_out and "/1/" in left_out


def test_without_names_other_numbers_of_classes_are_new(tmp_path):
  spec = descriptors.SPECS["frame"]
  options = {"aggregation": descriptors.small("aggregation", "lstm")}
  source = save(tmp_path / "source", build(options, spec=spec, seed=1))
  model = build(options, num_classes=4, spec=spec)
  fresh = np.asarray(model.classifier.logits.kernel)
  start = begin(source, model, OTHER_NAMES[:4])
  np.testing.assert_array_equal(model.classifier.logits.kernel, fresh)
  report = "\n".join(start.report)
  assert "none of 4 is known to be one of the 6" in report and "--vocabulary" in report
  assert "its classes are not those of the other model: classifier/logits/kernel" in (
      report)
  assert not any(path.startswith("classifier") for path in start.record["taken"])


def test_a_directory_without_a_model_and_the_own_one(tmp_path):
  model = build({})
  with pytest.raises(FileNotFoundError, match="--initialize_from=.*no trained model"):
    begin(str(tmp_path), model)
  source = save(tmp_path / "source", model)
  with pytest.raises(ValueError, match="is --train_dir itself: choose another"):
    begin(source, model, tmp=f"{tmp_path}/./source")
