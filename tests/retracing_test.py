# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Nothing is traced again and again: training, evaluation and prediction of an epoch.

A full batch needs one trace. A smaller last batch needs a second. In evaluation and
prediction its graph has unknown numbers of rows, which every later last batch fits, and
which is slower for full batches.
"""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import small_job
from yt8m import models
from yt8m.core import feature_spec
from yt8m.eval.metrics import evaluation
from yt8m.eval.predictions import by_length
from yt8m.export.prediction import checkpoint
from yt8m.export.prediction import jobs
from yt8m.models import losses
from yt8m.training import loop
from yt8m.training import optimizers
from yt8m.training import step as train_steps

BATCH = 4
SPEC = feature_spec.FeatureSpec(("x",), (6,), "frame")


def dataset(examples, epoch=0):
  rng = np.random.default_rng(epoch)
  return tf.data.Dataset.from_tensor_slices({
      "features": {"x": rng.integers(0, 256, (examples, 9, 6), np.uint8)},
      "num_frames": rng.integers(1, 10, examples).astype(np.int32),
      "labels": rng.random((examples, 5)) < 0.4}).batch(BATCH)


def traces(functions):
  return [function.experimental_get_tracing_count() for function in functions]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("examples,expected", [(12, 1), (14, 2)])
def test_training(tmp_path, examples, expected, jit_compile):
  model = models.VideoModel(
      5, SPEC, sampling={"num_frames": 4}, aggregation="mean").build_variables()
  step = train_steps.TrainStep(
      model, losses.CrossEntropyLoss(), optimizers.make_optimizer("AdamOptimizer", 0.01),
      tf.distribute.get_strategy(), jit_compile=jit_compile)
  position = loop.Training(
      str(tmp_path), step, lambda epoch, skip, context: dataset(examples, epoch),
      loop.Schedule(batch_size=BATCH, num_epochs=3, log_steps=2)).run()
  assert position.step == 3 * -(-examples // BATCH)
  assert traces([step._run]) == [expected]


@pytest.mark.parametrize("examples,expected", [(12, [1, 0]), (14, [1, 1])])
def test_evaluation_of_several_checkpoints(examples, expected):
  model = models.VideoModel(5, SPEC, aggregation="mean").build_variables()
  predict = by_length.evaluation_function(model, BATCH)
  for number in range(3):
    descriptors.randomize(model, number)  # as if another checkpoint were restored
    metrics = evaluation.evaluate(
        predict, 5, dataset(examples), None, losses.CrossEntropyLoss())
    assert metrics.num_examples == examples
  assert traces(predict.functions) == expected


@pytest.mark.parametrize("level", [feature_spec.VIDEO, feature_spec.FRAME])
def test_prediction_of_several_files(level, tmp_path, monkeypatch):
  """The last batch of every file has another number of rows."""
  train_dir = small_job.write_model(tmp_path / "model", level=level)
  paths = small_job.write_record_files(tmp_path, [9, 6, 1, 7], level)
  compiled, picks = [], []
  compile_model, top_classes = by_length.compiled, jobs.TopClasses

  def remembered(*arguments):
    compiled.append(compile_model(*arguments))
    return compiled[-1]

  def remembered_top(*arguments):
    picks.append(top_classes(*arguments))
    return picks[-1]

  monkeypatch.setattr(checkpoint.by_length, "compiled", remembered)
  monkeypatch.setattr(jobs, "TopClasses", remembered_top)
  job = small_job.job(train_dir, batch_size=4)
  for path in paths:
    jobs.predict(job, path)
  [predict] = compiled
  assert traces(predict.functions) == [1, 1]
  assert traces([picks[-1]._pick]) == [1]
