# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of a training directory: the newest one, and what it is good for."""

import pytest

from tests.helpers import small_job
from yt8m import models
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
