# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of a training directory: the newest one, and what it is good for."""

import os

import pytest
import tensorflow as tf

from tests.helpers import small_job
from yt8m import models
from yt8m.configs import checkpoint_files
from yt8m.configs import checkpoints
from yt8m.core import feature_spec


def test_the_newest_checkpoint_and_its_files(tmp_path):
  with pytest.raises(FileNotFoundError, match="holds no checkpoint yet"):
    checkpoints.latest(str(tmp_path))
  small_job.write_model(tmp_path)
  path = checkpoints.latest(str(tmp_path))
  assert checkpoints.step_of(path) == 7
  assert checkpoints.inference_files(str(tmp_path)) == [
      "config.json", "checkpoint", "model.ckpt-7.data-00000-of-00001",
      "model.ckpt-7.index"]
  assert not checkpoints.has_averages(path)
  assert checkpoints.part_to_evaluate(path) == "weights"


@pytest.mark.parametrize("options, message", [
    ({"classifier": "moe"}, "of another model .*it has 2 weights, the model has 3"),
    ({"num_classes": 9}, "of another model than its config.json says: "),
])
def test_a_checkpoint_of_another_model_is_refused(options, message, tmp_path):
  small_job.write_model(tmp_path)
  spec = feature_spec.FeatureSpec(("x",), (small_job.SIZE,), "video")
  arguments = {"num_classes": small_job.NUM_CLASSES, **options}
  model = models.VideoModel(feature_spec=spec, **arguments).build_variables()
  with pytest.raises(ValueError, match=message):
    checkpoints.restore_weights(model, checkpoints.latest(str(tmp_path)))


def test_checkpoints_after_one_that_was_set_back_leave_the_list(tmp_path):
  """Training saves those steps again and must not write over a listed checkpoint."""
  manager = tf.train.CheckpointManager(
      tf.train.Checkpoint(x=tf.Variable(0)), str(tmp_path), max_to_keep=None,
      checkpoint_name=checkpoints.PREFIX)
  paths = [manager.save(checkpoint_number=step) for step in (6, 9, 12)]
  before = (tmp_path / "checkpoint").read_bytes()
  checkpoint_files.set_newest(str(tmp_path), paths[2])
  assert (tmp_path / "checkpoint").read_bytes() == before
  tf.compat.v1.train.update_checkpoint_state(str(tmp_path), paths[1], paths)
  checkpoint_files.set_newest(str(tmp_path), paths[1])
  state = tf.train.get_checkpoint_state(str(tmp_path))
  assert list(state.all_model_checkpoint_paths) == paths[:2]
  assert state.model_checkpoint_path == paths[1]
  assert os.path.exists(f"{paths[2]}.index")
