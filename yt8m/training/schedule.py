# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Where a training run is, and when it ends, saves and reports."""

import dataclasses
import math


class NoExamplesError(ValueError):
  """An epoch has no batch."""


@dataclasses.dataclass
class Position:
  """Where a run is: what a checkpoint holds besides the variables of the model.

  Attributes:
    step: Number of steps of all runs of the directory.
    epoch: Number of the epoch, from 0.
    epoch_step: Number of steps in this epoch.
    epoch_examples: Number of examples in this epoch. It says where the epoch goes on,
      also with another batch size. Older versions did not save it.
  """
  step: int = 0
  epoch: int = 0
  epoch_step: int = 0
  epoch_examples: int = 0


@dataclasses.dataclass(frozen=True)
class Schedule:
  """When training ends, saves and reports.

  Attributes:
    batch_size: Number of examples of a step, over all replicas and workers.
    num_epochs: Number of passes over the data.
    max_steps: Largest number of steps, over all runs of the directory; None: no limit.
    checkpoint_steps: Number of steps between checkpoints.
    checkpoint_secs: Largest number of seconds between checkpoints.
    log_steps: Number of steps between progress lines.
    epoch_examples: Number of examples of an epoch, to forecast the time left; None if
      unknown.
    keep_checkpoints: Number of checkpoints to keep, the newest ones.
    eval_steps: Number of steps between evaluations, each with a checkpoint, besides
      those at `checkpoint_steps`; None for no others.
  """
  batch_size: int
  num_epochs: int = 5
  max_steps: int | None = None
  checkpoint_steps: int = 1000
  checkpoint_secs: float = 900.0
  log_steps: int = 10
  epoch_examples: int | None = None
  keep_checkpoints: int = 5
  eval_steps: int | None = None

  @property
  def epoch_steps(self) -> int | None:
    """Number of steps of an epoch, or None if unknown."""
    return self.epoch_examples and math.ceil(self.epoch_examples / self.batch_size)

  def total_steps(self, epoch_steps: int | None, done: Position | None = None
                  ) -> int | None:
    """Returns the number of steps of training, or None if unknown.

    Args:
      epoch_steps: Number of steps of an epoch, or None if unknown.
      done: Where training is; the steps up to there may have had another batch size.
    """
    limits, done = [self.max_steps], done or Position()
    if epoch_steps:
      left = (self.num_epochs - done.epoch) * epoch_steps
      limits.append(done.step + max(0, left - done.epoch_examples // self.batch_size))
    return min((limit for limit in limits if limit), default=None)
