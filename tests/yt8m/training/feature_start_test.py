# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Classifiers that are solved before training, in a model and in `yt8m-train`."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import support
from yt8m import models
from yt8m.configs import experiment
from yt8m.synthetic import writer
from yt8m.training import feature_start


def test_late_fusion_solves_a_regression_for_each_modality():
  model = models.VideoModel(
      descriptors.NUM_CLASSES, descriptors.SPECS["video"], fusion={"name": "late2"},
      classifier={"name": "kernel", "num_features": 20}).build_variables()
  batch = descriptors.batch("video", rows=60)
  passes = []
  feature_start.start_from_features(
      model, lambda: passes.append(batch) or [batch])
  rgb, audio = model.classifiers
  assert len(passes) == 6  # Three for each.
  for head, x in ((rgb, batch["features"]["rgb"]), (audio, batch["features"]["audio"])):
    assert head.features.landmarks.shape == (20, x.shape[1])
    assert np.any(head.logits.kernel) and head.features.inverse_bandwidth != 1


def test_a_replicated_model_is_solved_on_every_replica():
  strategy = tf.distribute.MirroredStrategy(["CPU:0"])
  batch = descriptors.batch("video", rows=60)
  found = []
  for scope in (strategy.scope(), tf.name_scope("one")):
    with scope:
      model = models.VideoModel(
          descriptors.NUM_CLASSES, descriptors.SPECS["video"],
          classifier={"name": "kernel", "num_features": 20}).build_variables()
    feature_start.start_from_features(model, lambda: [batch])
    found.append(model.classifier.logits.get_weights())
  for one, other in zip(*found, strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-4)


@pytest.mark.long
def test_the_command_solves_once(tmp_path):
  """A resumed run goes on from the weights of the checkpoint."""
  writer.write(writer.SampleDataConfig(
      num_videos=80, num_classes=13, max_frames=8, feature_sizes=(16, 8), num_shards=2),
               str(tmp_path / "sample"))
  hparams = {"classifier": {"num_features": 40}}

  def train(max_steps):
    return subprocess.run(
        [sys.executable, "-m", "yt8m.train", f"--train_dir={tmp_path / 'model'}",
         f"--train_data_pattern={tmp_path}/sample/video/train*.tfrecord",
         "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8",
         "--model=LogisticModel", "--classifier=kernel", "--num_classes=13",
         "--batch_size=16", "--base_learning_rate=0", f"--max_steps={max_steps}",
         f"--hparams={json.dumps(hparams)}"],
        env=support.ENVIRONMENT, check=True, capture_output=True, text=True).stderr

  def weights():
    _, model, _ = experiment.load(str(tmp_path / "model"))
    return model.get_weights()

  assert "Solved a kernel regression" in train(1)
  first = weights()
  assert "Solved a kernel regression" not in train(2)
  for one, other in zip(first, weights(), strict=True):
    np.testing.assert_array_equal(one, other)
  assert any(np.any(w) for w in first)
