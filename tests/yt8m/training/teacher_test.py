# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Distillation: joining by video id, the loss, and refused stores."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m import models
from yt8m.core import feature_spec
from yt8m.data import readers
from yt8m.data import records
from yt8m.eval.predictions import writer
from yt8m.models import losses
from yt8m.synthetic import writer as sample_data_writer
from yt8m.training import optimizers
from yt8m.training import step as train_step
from yt8m.training import teacher

NUM_CLASSES = 13
SIZES = {"frame": (("rgb", "audio"), (16, 8)),
         "video": (("mean_rgb", "mean_audio"), (16, 8))}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
  directory = tmp_path_factory.mktemp("teacher") / "sample"
  sample_data_writer.write(sample_data_writer.SampleDataConfig(
      num_videos=60, num_classes=NUM_CLASSES, max_frames=12, feature_sizes=(16, 8),
      num_shards=3), str(directory))
  return directory


def batches(sample, level="video", **options):
  spec = feature_spec.FeatureSpec(*SIZES[level], level)
  reader = readers.make_reader(spec, NUM_CLASSES, max_frames=12)
  return reader.dataset(f"{sample}/{level}/train*.tfrecord", batch_size=7, **options)


@pytest.fixture(scope="module")
def truth(sample):
  """Random `{id: scores}`, 0 except for the best five, as in the store."""
  rng = np.random.default_rng(0)
  scores = {}
  for batch in batches(sample).as_numpy_iterator():
    for video in batch["id"]:
      row = rng.random(NUM_CLASSES).astype(np.float16).astype(np.float32)
      scores[video] = np.where(row >= np.sort(row)[-5], row, 0)
  return scores


def write_store(directory, scores, top_k=5):
  ids = sorted(scores)  # another order than the records
  rows = writer.rows(np.array(ids), np.stack([scores[i] for i in ids]), top_k=top_k)
  return writer.write(str(directory), ["all"], lambda name: rows,
                      num_classes=NUM_CLASSES, top_k=top_k)


@pytest.fixture(scope="module")
def store(truth, tmp_path_factory):
  return write_store(tmp_path_factory.mktemp("stores") / "store", truth)


@pytest.mark.parametrize("level", SIZES)
def test_every_video_has_its_own_scores_in_the_order_of_the_reader(
    sample, store, truth, level):
  options = dict(training=True, seed=3, epoch=1, skip_examples=4)
  plain = list(batches(sample, level, **options).as_numpy_iterator())
  taught = list(teacher.Teacher(store, NUM_CLASSES).attach(
      batches(sample, level, **options)).as_numpy_iterator())
  assert len(plain) == len(taught) > 3
  for one, other in zip(plain, taught, strict=True):
    np.testing.assert_array_equal(one["id"], other["id"])
    np.testing.assert_array_equal(one["labels"], other["labels"])
    np.testing.assert_array_equal(
        other["teacher"], [truth[video] for video in one["id"]])


def test_shapes_stay_static(sample, store):
  attached = teacher.Teacher(store, NUM_CLASSES).attach(
      batches(sample, drop_remainder=True))
  spec = attached.element_spec["teacher"]
  assert spec.shape == (7, NUM_CLASSES) and spec.dtype == tf.float32


def test_a_video_without_scores_is_named(sample, truth, tmp_path):
  missing = sorted(truth)[20]
  store = write_store(
      tmp_path / "store", {i: s for i, s in truth.items() if i != missing})
  attached = teacher.Teacher(store, NUM_CLASSES).attach(batches(sample))
  with pytest.raises(records.RecordError,
                     match=f"Video {missing.decode()} is not in --teacher_predictions="
                           f"{tmp_path}/store: write"):
    with records.clear_errors():
      list(attached)


def test_an_id_is_named_by_its_text(truth, tmp_path):
  store = write_store(tmp_path / "store", truth)
  dataset = tf.data.Dataset.from_tensors({"id": tf.constant([b"caf\xe9, 1.mp4"])})
  with (pytest.raises(records.RecordError, match="^Video caf%E9%2C%201.mp4 is not in"),
        records.clear_errors()):
    list(teacher.Teacher(store, NUM_CLASSES).attach(dataset))


def test_a_video_that_is_there_twice_is_named(tmp_path, monkeypatch):
  monkeypatch.setattr(writer, "_check_unique", lambda *arguments: None)
  rows = writer.rows(
      np.array([b"a", b"b", b"a"]), np.full((3, NUM_CLASSES), 0.5), top_k=5)
  store = writer.write(str(tmp_path / "store"), ["all"], lambda name: rows,
                       num_classes=NUM_CLASSES, top_k=5)
  with pytest.raises(ValueError, match="has the video a more than once"):
    teacher.Teacher(store, NUM_CLASSES)


def test_another_number_of_classes_is_refused(store):
  with pytest.raises(ValueError, match="has 13 classes, but --num_classes=14"):
    teacher.Teacher(store, 14)


def make_model(classifier="logistic"):
  spec = feature_spec.FeatureSpec(("x",), (6,), "video")
  tf.keras.utils.set_random_seed(0)
  return models.VideoModel(NUM_CLASSES, spec, classifier=classifier).build_variables()


def one_step(batch, loss, teacher_weight):
  """Returns the label loss of a step and the weights after it."""
  model = make_model()
  step = train_step.TrainStep(
      model, loss, optimizers.make_optimizer("GradientDescentOptimizer", 1.0),
      tf.distribute.get_strategy(), clip_gradient_norm=0,
      teacher_weight=teacher_weight)
  return float(step(batch).label_loss), [np.asarray(w) for w in model.weights]


def random_batch(soft=True):
  rng = np.random.default_rng(1)
  labels = rng.random((8, NUM_CLASSES)) < 0.3
  batch = {"features": {"x": tf.constant(rng.normal(size=(8, 6)), tf.float32)},
           "num_frames": tf.ones(8, tf.int32), "labels": tf.constant(labels)}
  scores = rng.random(labels.shape) if soft else labels
  return batch, {**batch, "teacher": tf.constant(scores, tf.float32)}


LOSSES = [loss for loss in losses.LOSSES if losses.LOSSES[loss].soft_labels]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_teacher_that_says_the_labels_changes_nothing(name, weight):
  plain, taught = random_batch(soft=False)
  loss, weights = one_step(plain, losses.LOSSES[name](), weight)
  same_loss, same_weights = one_step(taught, losses.LOSSES[name](), weight)
  assert same_loss == pytest.approx(loss, rel=1e-5)
  for one, other in zip(weights, same_weights, strict=True):
    np.testing.assert_allclose(other, one, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_lies_between_those_of_labels_and_teacher(name):
  plain, taught = random_batch()
  loss = losses.LOSSES[name]()
  scores = make_model()(plain, training=True)["predictions"]
  hard, soft = (float(tf.reduce_mean(loss.call(target, scores)))
                for target in (plain["labels"], taught["teacher"]))
  for weight in (0.0, 0.3, 1.0):
    found, _ = one_step(taught, loss, weight)
    assert found == pytest.approx((1 - weight) * hard + weight * soft, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_soft_labels_fall_towards_the_teacher(name):
  """The loss is a weighted sum of the losses of hard labels."""
  loss, p = losses.LOSSES[name](), tf.constant([[0.2, 0.7, 0.4]])
  first, second = tf.constant([[1.0, 0, 0]]), tf.constant([[0, 1.0, 0]])
  mixed = 0.25 * loss.call(first, p) + 0.75 * loss.call(second, p)
  np.testing.assert_allclose(
      loss.call(0.25 * first + 0.75 * second, p), mixed, rtol=1e-6)


def test_what_cannot_be_distilled_is_refused():
  loss, model = losses.CrossEntropyLoss(), make_model()
  teacher.check(loss, model, 0.5, segment_labels=False)
  with pytest.raises(ValueError, match="--teacher_weight=1.5 must"):
    teacher.check(loss, model, 1.5, False)
  with pytest.raises(ValueError, match="drop --segment_labels"):
    teacher.check(loss, model, 0.5, True)
  with pytest.raises(ValueError, match="--label_loss: HingeLoss takes no soft labels"):
    teacher.check(losses.HingeLoss(), model, 0.5, False)
  with pytest.raises(ValueError, match="--classifier: ClassChain is shown the labels"):
    teacher.check(loss, make_model({"name": "class_chain", "units": 3, "embedding": 2}),
                  0.5, False)


def train(sample, train_dir, *flags, **options):
  return support.run_command(
      "yt8m.train", f"--train_data_pattern={sample}/video/train*.tfrecord",
      "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8",
      f"--num_classes={NUM_CLASSES}", "--batch_size=8", "--max_steps=6",
      f"--train_dir={train_dir}", *flags, **options)


@pytest.mark.long
def test_the_command_learns_from_a_teacher(sample, store, tmp_path):
  for name, weight in (("half", 0.5), ("labels", 0.0)):
    train(sample, tmp_path / name, f"--teacher_predictions={store.directory}",
          f"--teacher_weight={weight}")
  train(sample, tmp_path / "without")
  half, labels, without = (
      tf.train.load_variable(tf.train.latest_checkpoint(str(tmp_path / name)),
                             "weights/0/.ATTRIBUTES/VARIABLE_VALUE")
      for name in ("half", "labels", "without"))
  np.testing.assert_array_equal(labels, without)
  assert np.abs(half - without).max() > 1e-3

  failed = train(sample, tmp_path / "alone", "--teacher_weight=0.3", check=False)
  assert "--teacher_weight=0.3 needs --teacher_predictions" in failed.stderr
