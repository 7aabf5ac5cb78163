# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Mixup: the draws, what is mixed, refused trainings, and resuming to the bit."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import support
from yt8m import models
from yt8m.core import feature_spec
from yt8m.models import losses
from yt8m.synthetic import writer
from yt8m.training import mixup
from yt8m.training import optimizers
from yt8m.training import step as train_step

NUM_CLASSES = 5
ROWS = 6


def shares(ids, alpha=0.4, seed=0, epoch=0, batch_size=4):
  dataset = tf.data.Dataset.from_tensor_slices({"id": ids}).batch(batch_size)
  return np.concatenate([
      batch["mixing"] for batch in mixup.attach(dataset, alpha, seed, epoch)])


def test_a_share_depends_on_seed_epoch_and_id_alone():
  ids = [f"v{number}" for number in range(50)]
  drawn = shares(ids)
  assert drawn.shape == (50, 1) and drawn.dtype == np.float32
  np.testing.assert_array_equal(drawn, shares(ids, batch_size=7))
  np.testing.assert_array_equal(drawn[::-1], shares(ids[::-1]))
  for changed in (shares(ids, seed=1), shares(ids, epoch=1)):
    assert np.mean(drawn != changed) > 0.9


@pytest.mark.parametrize("alpha", [0.1, 1.0, 4.0])
def test_shares_have_the_moments_of_their_distribution(alpha):
  drawn = shares([f"v{number}" for number in range(20000)], alpha, batch_size=1000)
  assert 0 <= drawn.min() <= drawn.max() <= 1
  assert drawn.mean() == pytest.approx(0.5, abs=0.02)
  assert drawn.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.04)


def make_model(**options):
  spec = feature_spec.FeatureSpec(("x",), (4,), "video")
  tf.keras.utils.set_random_seed(0)
  return models.VideoModel(
      NUM_CLASSES, spec, normalization="none", **options).build_variables()


def batch(seed=0):
  rng = np.random.default_rng(seed)
  return {"features": {"x": rng.normal(size=(ROWS, 4)).astype(np.float32)},
          "num_frames": np.ones(ROWS, np.int32),
          "labels": rng.random((ROWS, NUM_CLASSES)) < 0.4,
          "mixing": rng.random((ROWS, 1)).astype(np.float32)}


def mixed_by_hand(values, share):
  return share * values + (1 - share) * values[[1, 0, 3, 2, 5, 4]]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_step_learns_from_the_mixed_vectors_labels_and_teacher(jit_compile):
  """As from a batch of these mixtures, with the twin in numpy."""
  data = batch()
  data["teacher"] = np.random.default_rng(1).random((ROWS, NUM_CLASSES), np.float32)
  x, y, t = (mixed_by_hand(values, data["mixing"]) for values in (
      data["features"]["x"], data["labels"], data["teacher"]))
  model = make_model()
  kernel, bias = model.classifier.logits.get_weights()
  p = 1 / (1 + np.exp(-x @ kernel - bias))

  def cross_entropy(target):
    return -(target * np.log(p + 1e-5) + (1 - target) * np.log(1 - p + 1e-5)).sum(axis=1)

  step = train_step.TrainStep(
      model, losses.CrossEntropyLoss(),
      optimizers.make_optimizer("GradientDescentOptimizer", 1.0),
      tf.distribute.get_strategy(), regularization_penalty=0.0, clip_gradient_norm=0,
      jit_compile=jit_compile, teacher_weight=0.25)
  found = step(tf.nest.map_structure(tf.constant, data))
  np.testing.assert_allclose(found.predictions, p, rtol=1e-5)
  np.testing.assert_allclose(
      found.label_loss, np.mean(0.75 * cross_entropy(y) + 0.25 * cross_entropy(t)),
      rtol=1e-5)
  gradient = x.T @ (p - 0.75 * y - 0.25 * t) / ROWS
  np.testing.assert_allclose(
      kernel - model.classifier.logits.kernel.numpy(), gradient, atol=1e-4)


def test_a_share_of_one_changes_nothing_and_inference_mixes_nothing():
  model, data = make_model(), batch()
  plain = {key: value for key, value in data.items() if key != "mixing"}
  for training, inputs in ((False, data),
                           (True, {**data, "mixing": np.ones((ROWS, 1), np.float32)})):
    np.testing.assert_array_equal(
        model(inputs, training=training)["predictions"],
        model(plain, training=training)["predictions"])


FRAME_CASES = {"early": {}, "late1": {"fusion": "late1"}, "late2": {"fusion": "late2"}}


@pytest.mark.parametrize("case", FRAME_CASES)
def test_vectors_of_frames_are_mixed_after_the_aggregation(case):
  """Videos of other lengths: padded frames of neither count."""
  model = models.VideoModel(
      descriptors.NUM_CLASSES, descriptors.SPECS["frame"], aggregation="mean",
      **FRAME_CASES[case]).build_variables()
  descriptors.randomize(model)
  data = descriptors.batch("frame", rows=4)
  swapped = model({**data, "mixing": tf.zeros((4, 1))}, training=True)["predictions"]
  plain = model(data, training=True)["predictions"]
  if case != "late2":  # whose weights of the modalities are those of the video itself
    np.testing.assert_allclose(swapped, plain.numpy()[[1, 0, 3, 2]], rtol=1e-5)
  mixed = model({**data, "mixing": tf.fill((4, 1), 0.5)}, training=True)["predictions"]
  assert np.abs(mixed - plain).max() > 1e-4
  np.testing.assert_allclose(mixed[0], mixed[1], rtol=1e-5)


@pytest.mark.parametrize("words, changes", [
    ("--mixup_alpha=nan must be a positive", {"alpha": float("nan")}),
    ("--batch_size leaves one", {"batch_size": 1}),
    ("drop --segment_labels", {"segment_labels": True}),
    ("HingeLoss takes no soft labels, as --mixup_alpha=0.3", {"loss": "HingeLoss"}),
    ("the weights of a mixture", {"mixture": {"branches": 2}}),
    ("--classifier: ClassChain is shown the labels",
     {"classifier": {"name": "class_chain", "units": 3, "embedding": 2}}),
    ("--classifier: Conditional is shown the labels", {"classifier": "conditional"}),
    ("--classifier: LabelPowerset is shown the labels", {"classifier": {
        "name": "label_powerset", "objective": "sets"}}),
])
def test_what_cannot_be_mixed_is_refused(words, changes):
  options = {key: changes[key] for key in ("classifier", "mixture") if key in changes}
  loss = losses.LOSSES[changes.get("loss", "CrossEntropyLoss")]()
  with pytest.raises(ValueError) as error:
    mixup.check(loss, make_model(**options), changes.get("alpha", 0.3),
                changes.get("batch_size", 8), changes.get("segment_labels", False))
  assert words in str(error.value)
  mixup.check(losses.CrossEntropyLoss(), make_model(), 0.3, 8, False)


@pytest.mark.long
def test_two_replicas_equal_one():
  script = support.ROOT / "tests/helpers/two_replicas_mixup.py"
  output = subprocess.run([sys.executable, str(script)], capture_output=True, text=True,
                          timeout=600, cwd=support.ROOT)
  assert output.returncode == 0, output.stderr[-3000:]
  assert json.loads(output.stdout.splitlines()[-1]) < 1e-5


@pytest.mark.long
def test_the_command_mixes_and_resumes_to_the_bit(tmp_path):
  writer.write(writer.SampleDataConfig(
      num_videos=60, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=3), str(tmp_path / "sample"))

  def train(name, *flags, **options):
    return support.run_command(
        "yt8m.train", f"--train_data_pattern={tmp_path}/sample/video/train*.tfrecord",
        "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8", "--num_classes=13",
        "--batch_size=8", f"--train_dir={tmp_path / name}", *flags, **options)

  train("whole", "--mixup_alpha=0.4", "--max_steps=8")
  for steps in (3, 8):  # an epoch has six
    train("parts", "--mixup_alpha=0.4", f"--max_steps={steps}")
  train("without", "--max_steps=8")
  whole, parts, without = (
      tf.train.load_variable(str(tmp_path / name / "model.ckpt-8"),
                             "weights/0/.ATTRIBUTES/VARIABLE_VALUE")
      for name in ("whole", "parts", "without"))
  np.testing.assert_array_equal(whole, parts)
  assert np.abs(whole - without).max() > 1e-3

  failed = train("refused", "--mixup_alpha=0.4", "--label_loss=HingeLoss", check=False)
  assert failed.returncode == 1 and "takes no soft labels" in failed.stderr
