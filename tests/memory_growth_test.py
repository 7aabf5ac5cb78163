# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""500 steps of training take no more memory than 300 steps."""

import gc
import os

import tensorflow as tf

from benchmarks.suite import cases
from yt8m.training import loop

# MiB. A batch has 2, the gradients and predictions of a step as much: a leak of one of
# them a step would be 400. The first checkpoint and the first logs come before.
_NOISE = 20


def resident_mib():
  gc.collect()
  with open("/proc/self/statm") as file:
    return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_memory_of_500_steps(tmp_path):
  case = cases.Case("FrameLevelLogisticModel", {"aggregation": "mean"}, 64, 30, 200)
  batch, resident = case.batch(), {}
  step = case.trainer()

  class Watched:
    strategy, model, optimizer = step.strategy, step.model, step.optimizer

    def __call__(self, batch):
      result = step(batch)
      count = int(step.optimizer.iterations)
      if count in (300, 500):
        resident[count] = resident_mib()
      return result

  def dataset(epoch, skip, context):
    return tf.data.Dataset.from_tensors(batch).repeat(250)

  position = loop.Training(
      str(tmp_path), Watched(), dataset,
      loop.Schedule(batch_size=64, num_epochs=2, log_steps=100, checkpoint_steps=200)
  ).run()
  assert position.step == 500
  assert resident[500] - resident[300] < _NOISE, resident
