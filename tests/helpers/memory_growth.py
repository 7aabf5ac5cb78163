# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Trains for 500 steps and prints `{step: resident MiB}` of two of them as JSON.

A process of its own: what other tests have allocated and released changes the figure.
"""

import gc
import json
import os
import sys
import tempfile

import tensorflow as tf

from benchmarks.suite import cases
from yt8m.training import loop


def resident_mib():
  gc.collect()
  with open("/proc/self/statm") as file:
    return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(train_dir):
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
      train_dir, Watched(), dataset,
      loop.Schedule(batch_size=64, num_epochs=2, log_steps=100, checkpoint_steps=200)
  ).run()
  assert position.step == 500
  json.dump(resident, sys.stdout)


if __name__ == "__main__":
  with tempfile.TemporaryDirectory() as directory:
    main(directory)
