# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Label powerset: marginals over frequent sets, and training on other sets."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.data import label_sets
from yt8m.export.saved_models import writer
from yt8m.models import losses
from yt8m.models import prediction
from yt8m.models.layers import variables
from yt8m.training import label_start
from yt8m.training import step as train_step

keras = tf.keras

CLASSES = 5
# {1, 2} three times, {0} twice, {} twice, {0, 3} once; {0, 1, 2, 3} is too large.
VIDEOS = [[1, 2], [0], [1, 2], [], [0, 3], [1, 2], [], [0], [0, 1, 2, 3]]
SETS = [[1, 2], [], [0], [0, 3]]
SHARES = np.array([3, 2, 2, 1]) / 9


def matrix(videos):
  labels = np.zeros((len(videos), CLASSES), bool)
  for row, classes in zip(labels, videos, strict=True):
    row[classes] = True
  return labels


def make_head(videos=VIDEOS, **hparams):
  keras.utils.set_random_seed(0)
  head = models.LabelPowerset(CLASSES, **{"num_sets": 6, "max_labels": 3, **hparams})
  head(tf.zeros((1, 3)))
  head.start_from_label_sets(
      label_sets.LabelSets.from_matrix(matrix(videos)), pretrain=None)
  return head


def inputs(rows):
  return np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)


def twin(head, x):
  """Numpy twin: P(s | x) of the sets in order, and the scores."""
  logits = (x @ head.logits.kernel.numpy() + head.logits.bias.numpy())[:, :len(SETS)]
  probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
  return probabilities, probabilities @ matrix(SETS)


def test_scores_are_marginals_of_the_most_frequent_sets():
  head, x = make_head(), inputs(4)
  scores, intermediates = head(x)
  probabilities, expected = twin(head, x)
  np.testing.assert_allclose(scores, expected, rtol=1e-5)
  found = intermediates["set_probabilities"].numpy()
  np.testing.assert_allclose(found[:, :4], probabilities, rtol=1e-5)
  # There are two sets fewer than the head has room for.
  assert np.all(found[:, 4:] == 0)
  np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)
  # Labels 1 and 2 only occur together; no set contains 4.
  np.testing.assert_allclose(scores[:, 1], scores[:, 2], rtol=1e-6)
  assert np.all(scores[:, 4] == 0)
  assert "training_loss" not in intermediates


def test_an_uninformative_input_scores_the_frequencies():
  scores, _ = make_head()(tf.zeros((1, 3)))
  np.testing.assert_allclose(scores[0], SHARES / SHARES.sum() @ matrix(SETS), rtol=1e-5)


@pytest.mark.parametrize("labels, targets", [
    ([1, 2], [1, 0, 0, 0]),  # the video's own set
    ([], [0, 1, 0, 0]),
    ([0], [0, 0, 1, 0]),
    ([0, 1, 2], [1, 0, 0, 0]),  # at 1/3, {0} at 2/3, {0, 3} at 3/4
    ([0, 4], [0, 0, 1, 0]),  # at 1/2, {0, 3} at 2/3
    ([1, 3], [.5, 0, 0, .5]),  # at 2/3 both
    ([4], [0, 0, 0, 0]),  # shares no label with any set
])
def test_training_loss_is_of_the_nearest_sets(labels, targets):
  head, x = make_head(objective="sets"), inputs(1)
  loss = head(x, labels=matrix([labels]))[1]["training_loss"]
  expected = -np.log(twin(head, x)[0]) @ targets
  assert loss.shape == (1,)
  np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_a_set_without_a_near_one_teaches_nothing():
  head = make_head(objective="sets")
  with tf.GradientTape() as tape:
    loss = head(inputs(2), labels=matrix([[4], [4]]))[1]["training_loss"]
  for gradient in tape.gradient(loss, head.trainable_variables):
    assert np.all(gradient.numpy() == 0)


def test_only_as_many_sets_as_there_is_room_for():
  head = make_head(num_sets=2)
  np.testing.assert_array_equal(head.sets, [[1, 2, -1], [-1, -1, -1]])
  scores, _ = head(inputs(3))
  assert np.all(scores.numpy()[:, [0, 3, 4]] == 0)


def test_before_it_sees_sets_a_video_has_one_label_or_none():
  head = models.LabelPowerset(CLASSES, num_sets=9, max_labels=2)
  x = inputs(4)
  scores, intermediates = head(x)
  probabilities = intermediates["set_probabilities"].numpy()
  np.testing.assert_allclose(scores, probabilities[:, 1:6], rtol=1e-6)
  assert np.all(probabilities[:, 6:] == 0)
  prior = np.array([0.5, 0.2, 0.1, 0.05, 0.01])
  head.start_from_prior(prior)
  np.testing.assert_allclose(head(tf.zeros((1, 3)))[0][0], prior, rtol=1e-5)


@pytest.mark.parametrize("objective", ["labels", "sets"])
def test_learns_which_labels_come_together(objective):
  rng = np.random.default_rng(0)
  videos = [SETS[i] for i in rng.integers(0, 4, 400)]
  labels = matrix(videos)
  x = np.eye(4)[[SETS.index(v) for v in videos]] + rng.normal(size=(400, 4)) / 10
  model = models.VideoModel(
      CLASSES, feature_spec.FeatureSpec(("x",), (4,), "video"), normalization="none",
      classifier={"name": "label_powerset", "num_sets": 6, "max_labels": 2,
                  "objective": objective})
  assert model.classifier.uses_labels == (objective == "sets")
  model.build_variables()
  label_start.start_from_label_sets(
      model, label_sets.LabelSets.from_matrix(labels))
  step = train_step.TrainStep(
      model, losses.CrossEntropyLoss(), keras.optimizers.Adam(0.05),
      tf.distribute.get_strategy(), clip_gradient_norm=0.0)
  batch = {"features": {"x": tf.constant(x, tf.float32)}, "labels": tf.constant(labels)}
  first, *_, last = (float(step(batch).label_loss) for _ in range(200))
  assert first > 1.0 and last < 0.05
  predictions = model(prediction.model_inputs(batch))["predictions"].numpy()
  np.testing.assert_array_equal(predictions > 0.5, labels)


def make_model(videos):
  model = models.VideoModel(
      CLASSES, feature_spec.FeatureSpec(("x",), (3,), "video"),
      classifier={"name": "label_powerset", "num_sets": 6, "max_labels": 3})
  model.build_variables()
  if videos:
    label_start.start_from_label_sets(
        model, label_sets.LabelSets.from_matrix(matrix(videos)))
  return model


def test_checkpoints_hold_the_sets(tmp_path):
  model, batch = make_model(VIDEOS), {"features": {"x": tf.constant(inputs(4))}}
  path = tf.train.Checkpoint(**variables.checkpoint_parts(model)).save(
      str(tmp_path / "model"))
  other = make_model(None)
  assert other.needs_label_sets
  tf.train.Checkpoint(**variables.checkpoint_parts(other)).restore(
      path).assert_existing_objects_matched()
  np.testing.assert_array_equal(other.classifier.sets, model.classifier.sets)
  np.testing.assert_array_equal(
      other(batch)["predictions"], model(batch)["predictions"])


def test_saved_models_hold_the_sets(tmp_path):
  model, x = make_model(VIDEOS), tf.constant(inputs(4))
  trained = experiment.Experiment(model.get_config())
  writer.save(trained, model, str(tmp_path / "model"), top_k=2)
  serve = tf.saved_model.load(str(tmp_path / "model")).signatures["predict_features"]
  expected = model({"features": {"x": x}})["predictions"]
  np.testing.assert_allclose(serve(x=x)["predictions"], expected, rtol=1e-5)
  assert np.all(expected[:, 4] == 0) and np.all(expected[:, :4] > 0)


def test_errors_name_the_values():
  with pytest.raises(ValueError, match="num_sets is 1 and must be at least 2"):
    models.LabelPowerset(CLASSES, num_sets=1)
  with pytest.raises(ValueError, match="max_labels is 0 and must be at least 1"):
    models.LabelPowerset(CLASSES, max_labels=0)
  with pytest.raises(ValueError, match="objective 'label'. Valid: labels, sets"):
    models.LabelPowerset(CLASSES, objective="label")
  with pytest.raises(ValueError, match="None of 2 label sets has at most max_labels=2"):
    make_head([[0, 1, 2], [0, 1, 2, 3]], max_labels=2)
