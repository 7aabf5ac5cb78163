# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What training reports of its steps: lines, and scalars for TensorBoard."""

import contextlib
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import progress
from yt8m.eval.metrics import streaming
from yt8m.training import optimizers
from yt8m.training import saving
from yt8m.training import schedule as schedules
from yt8m.training import step as train_step


class TrainingLog:
  """Reports of a training.

  Args:
    directory: Directory for scalars; None for a worker that reports nothing.
    schedule: Schedule of the training.
    step: Number of steps that were trained before.
  """

  def __init__(self, directory: str | None, schedule: schedules.Schedule, step: int):
    self._schedule, self._reports = schedule, directory is not None
    self._progress = progress.Progress(unit="examples", done=step * schedule.batch_size)
    self._writer = tf.summary.create_noop_writer()
    if directory is not None:
      with _scalars_may_fail():
        self._writer = tf.summary.create_file_writer(directory)

  def report(self, position: schedules.Position, epoch_steps: int | None,
             losses: Sequence[float], result: train_step.StepResult,
             step: train_step.TrainStep) -> None:
    """Reports the steps since the last report.

    Args:
      position: Where the training is.
      epoch_steps: Number of steps of an epoch, if it is known.
      losses: Label losses of the steps.
      result: Result of the last step.
      step: The training step.
    """
    if not self._reports:
      return
    predictions = _on_host(step.strategy, result.predictions)
    labels = _on_host(step.strategy, result.labels)
    scalars = {
        # The names of `yt8m-eval`, so that TensorBoard shows both in one chart.
        "avg_loss": float(np.mean(losses)),
        "regularization": float(result.penalty),
        "avg_hit_at_one": streaming.hit_at_k(predictions, labels, k=1),
        "gap": streaming.gap(predictions, labels, min(20, predictions.shape[1])),
        "learning_rate": optimizers.current_learning_rate(step.optimizer)}
    batch_size = self._schedule.batch_size
    total = self._schedule.total_steps(epoch_steps, position)
    self._progress.total = total and total * batch_size
    timing = self._progress.report(position.step * batch_size)
    logging.info(
        "step %d%s | epoch %d | loss %.4f | Hit@1 %.3f | GAP %.3f | lr %.3g | %s",
        position.step, f"/{total}" if total else "", position.epoch, scalars["avg_loss"],
        scalars["avg_hit_at_one"], scalars["gap"], scalars["learning_rate"], timing)
    scalars["examples_per_second"] = self._progress.rate
    with _scalars_may_fail(), self._writer.as_default(step=position.step):
      for name, value in scalars.items():
        tf.summary.scalar(name, value)

  def flush(self) -> None:
    """Writes the scalars so far to the disk."""
    with _scalars_may_fail():
      self._writer.flush()


def _on_host(strategy: tf.distribute.Strategy, values) -> np.ndarray:
  return np.concatenate(
      [value.numpy() for value in strategy.experimental_local_results(values)])


@contextlib.contextmanager
def _scalars_may_fail() -> Iterator[None]:
  """Goes on without scalars for TensorBoard where they cannot be written."""
  try:
    yield
  except tf.errors.OpError as error:
    logging.log_first_n(
        logging.WARNING, "Some scalars for TensorBoard are not written: %s.", 1,
        saving.cause(error))
