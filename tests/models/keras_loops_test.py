# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`compile`, `fit`, `evaluate` and `predict` of Keras on the models of this package."""

import copy
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import support
from yt8m import models
from yt8m.data import label_sets
from yt8m.models import losses
from yt8m.training import adam
from yt8m.training import label_start
from yt8m.training import optimizers
from yt8m.training import step as train_step

keras = tf.keras

CASES = ["recipe-MoeModel", "classifier-conditional", "classifier-class_chain",
         "classifier-label_powerset", "mixture", "aggregation-dbof"]


def make(case, seed=0):
  keras.utils.set_random_seed(seed)
  keras.backend.clear_session()
  model = descriptors.build(case)
  descriptors.randomize(model, seed)
  if model.lacks_label_sets:
    labels = descriptors.batch("video", rows=40)["labels"].numpy()
    label_start.start_from_label_sets(model, label_sets.LabelSets.from_matrix(labels))
  return model


def dataset(case, rows=12, batch_size=4):
  """Batches of a reader: with ids, labels among the inputs."""
  level = descriptors.all_models()[case][0]
  batch = {**descriptors.batch(level, rows=rows), "id": tf.fill([rows], "video")}
  return tf.data.Dataset.from_tensor_slices(batch).batch(batch_size)


def as_tuples(batch):
  inputs = {name: batch[name] for name in ("features", "num_frames") if name in batch}
  return inputs, batch["labels"]


def weights(model):
  return [np.array(w) for w in model.get_weights()]


@pytest.mark.parametrize("case", CASES)
def test_fit_takes_the_steps_of_train_step(case):
  fitted, trained = make(case), make(case)
  loss, rate = losses.CrossEntropyLoss(), 0.01
  fitted.compile(adam.Adam(rate, epsilon=1e-8, clipnorm=1.0), loss)
  step = train_step.TrainStep(
      trained, loss, optimizers.make_optimizer("AdamOptimizer", rate),
      tf.distribute.get_strategy())
  before = weights(fitted)
  keras.utils.set_random_seed(1)
  history = fitted.fit(dataset(case), epochs=1, shuffle=False, verbose=0).history
  keras.utils.set_random_seed(1)
  results = [step(batch) for batch in dataset(case)]
  for one, other in zip(weights(fitted), weights(trained), strict=True):
    np.testing.assert_allclose(one, other, atol=1e-6)
  assert any(np.any(one != other)
             for one, other in zip(before, weights(fitted), strict=True))
  np.testing.assert_allclose(
      history["loss"], np.mean([r.label_loss + r.penalty for r in results]), rtol=1e-5)


@pytest.mark.parametrize("case", ["classifier-conditional"])
def test_batches_of_a_reader_and_tuples_are_the_same(case):
  one, other = make(case), make(case)
  for model, data in ((one, dataset(case)), (other, dataset(case).map(as_tuples))):
    model.compile("sgd", losses.CrossEntropyLoss(),
                  metrics=["mse"])
    model.fit(data, verbose=0)
  np.testing.assert_array_equal(one.predict(dataset(case), verbose=0),
                                other.predict(dataset(case).map(as_tuples), verbose=0))
  assert one.evaluate(dataset(case), verbose=0) == other.evaluate(
      dataset(case).map(as_tuples), verbose=0)


def test_label_weights_and_weights_of_videos():
  case = "recipe-LogisticModel"
  model, loss = make(case), losses.CrossEntropyLoss()
  [batch] = dataset(case, rows=6, batch_size=6)
  inputs, labels = as_tuples(batch)
  scores = model(inputs)["predictions"]
  penalty = float(tf.add_n(model.losses))
  rng = np.random.default_rng(0)
  rows = rng.uniform(size=6).astype(np.float32)
  by_label = rng.integers(0, 2, labels.shape).astype(np.float32)
  for sample_weight, expected in (
      (rows, np.mean(rows * loss.call(labels, scores))),
      (rows[:, None], np.mean(rows * loss.call(labels, scores))),
      (by_label, np.mean(loss.call(labels, scores, by_label)))):
    model.compile("sgd", loss)
    value = model.test_on_batch(inputs, labels, sample_weight)
    np.testing.assert_allclose(value, expected + penalty, rtol=1e-5)


def test_callbacks_of_keras(tmp_path):
  case = "recipe-MoeModel"
  model = make(case)
  model.compile("adam", losses.CrossEntropyLoss(), metrics=["mse"])
  callbacks = [
      keras.callbacks.ModelCheckpoint(str(tmp_path / "best.keras"), monitor="val_loss",
                                      save_best_only=True),
      keras.callbacks.EarlyStopping("val_loss", patience=1, start_from_epoch=0),
      keras.callbacks.ReduceLROnPlateau("val_loss", patience=1),
      keras.callbacks.TensorBoard(str(tmp_path / "logs")),
      keras.callbacks.BackupAndRestore(str(tmp_path / "backup"))]
  history = model.fit(dataset(case), validation_data=dataset(case), epochs=3, verbose=0,
                      callbacks=callbacks).history
  assert {"loss", "val_loss", "mse", "val_mse"} <= set(history)
  assert list((tmp_path / "logs").rglob("events*"))
  best = keras.models.load_model(tmp_path / "best.keras")
  np.testing.assert_allclose(best.evaluate(dataset(case), verbose=0)[0],
                             min(history["val_loss"]), rtol=1e-5)


@pytest.mark.parametrize("case", ["classifier-conditional"])
def test_a_compiled_model_is_saved_with_its_optimizer(case, tmp_path):
  model = make(case)
  model.compile(keras.optimizers.Adam(0.01), losses.CrossEntropyLoss(alpha=0.7))
  model.fit(dataset(case), verbose=0)
  model.save(tmp_path / "model.keras")
  loaded = keras.models.load_model(tmp_path / "model.keras")
  for one in (model, loaded):
    one.fit(dataset(case), verbose=0)
  for one, other in zip(weights(model), weights(loaded), strict=True):
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_clones_and_copies():
  case = "aggregation-netvlad"
  model = make(case)
  [batch] = dataset(case, rows=3)
  scores = model.predict(batch, verbose=0)
  clone = keras.models.clone_model(model)
  clone.build_variables()
  clone.set_weights(model.get_weights())
  np.testing.assert_array_equal(clone.predict(batch, verbose=0), scores)
  twin = copy.deepcopy(model)
  np.testing.assert_array_equal(twin.predict(batch, verbose=0), scores)
  again = models.VideoModel.from_config(json.loads(json.dumps(model.get_config())))
  assert again.get_config() == model.get_config()


def test_label_sets_are_missed():
  level, options = descriptors.all_models()["classifier-label_powerset"]
  model = models.VideoModel(
      descriptors.NUM_CLASSES, descriptors.SPECS[level], **options)
  model.compile("sgd")
  with pytest.raises(ValueError, match="start_from_labels"):
    model.fit(dataset("classifier-label_powerset"), verbose=0)
  [batch] = dataset("classifier-label_powerset", batch_size=12)
  label_start.start_from_label_sets(
      model, label_sets.LabelSets.from_matrix(batch["labels"].numpy()))
  model.fit(dataset("classifier-label_powerset"), verbose=0)


def test_errors():
  model = make("recipe-LogisticModel")
  with pytest.raises(ValueError, match="one output for one loss.*'mse'"):
    model.compile("sgd", loss={"predictions": "mse"})
  model.compile("sgd")
  [batch] = dataset("recipe-LogisticModel", batch_size=12)
  with pytest.raises(ValueError, match="There are no labels"):
    model.train_on_batch({"features": batch["features"]})
  [frames] = dataset("aggregation-mean", batch_size=12)
  with pytest.raises(ValueError, match="'rgb' has the shape.*video-level.*rank 2"):
    model(frames)
  with pytest.raises(ValueError, match="Unknown loss 'crossentropy'. Valid: .*Or name "
                     "one of Keras, such as 'binary_crossentropy'"):
    model.compile("sgd", "crossentropy")
  model.compile("sgd", "binary_crossentropy")
  inputs, labels = as_tuples(batch)
  with pytest.raises(ValueError, match="takes no weights of labels: compile the model "
                     "with a loss of yt8m.losses, or leave out sample_weight"):
    model.train_on_batch(inputs, labels, np.ones(labels.shape))
  # Keras 2 does not trace a step again whose first trace ended in an error.
  model.compile("sgd", "binary_crossentropy")
  model.train_on_batch(inputs, labels)
  model.compile("sgd", losses.CrossEntropyLoss())
  model.train_on_batch(inputs, labels, np.ones(labels.shape))


@pytest.mark.long
def test_two_replicas_fit_as_one():
  script = support.ROOT / "tests/helpers/two_replicas_fit.py"
  output = subprocess.run([sys.executable, script], capture_output=True, text=True,
                          check=True, env=support.ENVIRONMENT).stdout
  differences = json.loads(output.splitlines()[-1])
  assert len(differences) == 2 and max(differences.values()) < 1e-5, differences


def test_several_workers_are_sent_to_the_command(monkeypatch):
  model = make("recipe-LogisticModel")
  model.compile("sgd")
  monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy",
                      type(tf.distribute.get_strategy()))
  with pytest.raises(NotImplementedError, match="yt8m-train"):
    model.fit(dataset("recipe-LogisticModel"))
