# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Learning rates as functions of the step, and optimizers by name."""

import json
import math
import re

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from tests.yt8m.training import loop_test
from tests.yt8m.training import step_test
from yt8m import models
from yt8m.core import compat
from yt8m.core import feature_spec
from yt8m.models import losses
from yt8m.synthetic import writer
from yt8m.training import optimizers
from yt8m.training import step as train_step

keras = tf.keras


def curve(step, base, total, warmup):
  if step < warmup:
    return base * step / warmup
  done = min(1.0, (step - warmup) / (total - warmup))
  return base * 0.5 * (1 + math.cos(math.pi * done))


@pytest.mark.parametrize("warmup", [0, 1, 7])
def test_cosine_rises_falls_and_stays_at_zero(warmup):
  schedule = optimizers.cosine_decay(0.3, 20, warmup)
  found = [float(schedule(tf.constant(step, tf.int64))) for step in range(50)]
  np.testing.assert_allclose(
      found, [curve(step, 0.3, 20, warmup) for step in range(50)], atol=1e-7)
  assert found[warmup] == pytest.approx(0.3) and max(found[20:]) < 1e-7


def test_cosine_needs_a_number_of_steps_above_the_warm_up():
  with pytest.raises(ValueError, match="add --max_steps"):
    optimizers.cosine_decay(0.1, None)
  with pytest.raises(ValueError, match="--warmup_examples are 5 steps, .* has 5"):
    optimizers.cosine_decay(0.1, 5, 5)


@pytest.mark.parametrize("scaled", [False, True])
def test_the_current_rate_is_that_of_the_next_update(scaled):
  variable = tf.Variable([2.0])
  optimizer = optimizers.make_optimizer(
      "GradientDescentOptimizer", optimizers.cosine_decay(0.5, 4, 1))
  if scaled:  # as --precision=mixed_float16 uses
    optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
  compat.build_optimizer(optimizer, [variable])
  for step in range(6):
    rate = optimizers.current_learning_rate(optimizer)
    assert rate == pytest.approx(curve(step, 0.5, 4, 1), abs=1e-7)
    before = variable.numpy()
    scale = getattr(optimizer, "dynamic_scale", 1.0)
    optimizer.apply_gradients([(scale * tf.ones([1]), variable)])
    np.testing.assert_allclose(before - variable.numpy(), rate, atol=1e-6)


def test_an_unknown_optimizer_is_named():
  with pytest.raises(ValueError, match="Unknown optimizer 'Admm'. Valid: .*Choose one "
                     "with --optimizer, or name your own class as my_package"):
    optimizers.make_optimizer("Admm", 0.1)


def test_stopped_and_resumed_equals_run_through(tmp_path):
  def make(name, **limits):
    return loop_test.make_training(
        tmp_path / name, learning_rate=optimizers.cosine_decay(0.05, 18, 4), **limits)

  straight, loop = make("straight")
  loop.run()
  make("stopped", max_steps=9)[1].run()
  resumed, loop = make("stopped")
  loop.run()
  for one, other in zip(loop_test.weights(straight), loop_test.weights(resumed),
                        strict=True):
    np.testing.assert_array_equal(one, other)


def test_flags_of_the_command(tmp_path):
  """Two epochs, and then a third one on the curve of three."""
  sample = tmp_path / "sample"
  writer.write(writer.SampleDataConfig(
      num_videos=60, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=1), str(sample))

  def train(*flags, check=True):
    process = support.run_command(
        "yt8m.train", f"--train_dir={tmp_path}/model", "--num_classes=13",
        f"--train_data_pattern={sample}/video/train*.tfrecord",
        "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8", "--batch_size=7",
        "--base_learning_rate=0.4", "--log_steps=1", *flags, check=check)
    return [(int(step), int(total), float(rate)) for step, total, rate in re.findall(
        r"step (\d+)/(\d+) .* lr ([0-9.e+-]+) ", process.stderr)], process.stderr

  _, errors = train("--warmup_examples=14", check=False)
  assert "--warmup_examples=14 needs --learning_rate_schedule=cosine" in errors
  assert not (tmp_path / "model").exists()

  cosine = ("--learning_rate_schedule=cosine", "--warmup_examples=14")
  lines, _ = train(*cosine, "--num_epochs=2")
  total = lines[0][1]
  for step, _, rate in lines:  # the log shows the rate of the next step
    assert rate == pytest.approx(curve(step, 0.4, total, 2), rel=0.01, abs=1e-6)
  # The estimated number of records gives the step at which training ends.
  assert abs(lines[-1][0] - total) <= 2 and lines[-1][2] < 0.02
  again, _ = train(*cosine, "--num_epochs=3")
  assert again[0][0] == lines[-1][0] + 1
  for step, _, rate in again:
    assert rate == pytest.approx(curve(step, 0.4, again[0][1], 2), rel=0.01, abs=1e-6)
  assert again[0][2] > 0.05


def test_staircase_changes_at_the_exact_example():
  schedule = optimizers.StaircaseDecay(0.01, 0.95, 30, batch_size=6)
  rates = [float(schedule(step)) for step in range(12)]
  np.testing.assert_allclose(rates[:5], 0.01, rtol=1e-6)
  np.testing.assert_allclose(rates[5:10], 0.0095, rtol=1e-6)
  np.testing.assert_allclose(rates[10:], 0.009025, rtol=1e-6)
  clone = optimizers.StaircaseDecay.from_config(
      json.loads(json.dumps(schedule.get_config())))
  assert float(clone(7)) == float(schedule(7))


@pytest.mark.parametrize("name", ["AdamOptimizer", "GradientDescentOptimizer",
                                  "RMSPropOptimizer", "AdagradOptimizer",
                                  "MomentumOptimizer", "FtrlOptimizer",
                                  "AdadeltaOptimizer", "AdamW", "Lion"])
def test_optimizers_by_name_lower_the_loss(name):
  spec = feature_spec.FeatureSpec(("x",), (6,), "video")
  model = models.VideoModel(5, spec).build_variables()
  step = train_step.TrainStep(
      model, losses.CrossEntropyLoss(), optimizers.make_optimizer(name, 0.05),
      tf.distribute.get_strategy())
  batch = step_test.random_batch()
  values = [float(step(batch).label_loss) for _ in range(10)]
  assert values[-1] < values[0]


def test_an_unknown_optimizer_lists_the_valid_ones():
  with pytest.raises(ValueError,
                     match="'AdamOptimiser'. Valid: AdamOptimizer, .* --optimizer"):
    optimizers.make_optimizer("AdamOptimiser", 0.1)
