# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What training reports of its steps: lines, and scalars for TensorBoard."""

import contextlib
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.core import log_lines
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
    done = step * schedule.batch_size
    self._progress = progress.Progress(unit="examples", done=done)
    self._live = progress.Periodic(None, unit="examples", done=done)
    self._measured = ""  # text of the last report
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
    self._measured = (
        f" | loss {scalars['avg_loss']:.4f} | Hit@1 {scalars['avg_hit_at_one']:.3f} | "
        f"GAP {scalars['gap']:.3f} | lr {scalars['learning_rate']:.3g}")
    if not self._live.is_live:
      logging.info(
          "%s | %s", self._text(position, total), timing, extra=log_lines.numbers(
              step=position.step, total_steps=total, epoch=position.epoch,
              loss=scalars["avg_loss"], hit_at_one=scalars["avg_hit_at_one"],
              gap=scalars["gap"], learning_rate=scalars["learning_rate"],
              **self._progress.fields()))
    scalars["examples_per_second"] = self._progress.rate
    with _scalars_may_fail(), self._writer.as_default(step=position.step):
      for name, value in scalars.items():
        tf.summary.scalar(name, value)

  def show(self, position: schedules.Position, epoch_steps: int | None) -> None:
    """Shows a step on the live line of a terminal.

    Args:
      position: Where the training is.
      epoch_steps: Number of steps of an epoch, if it is known.
    """
    if not (self._reports and self._live.is_live and self._live.is_due()):
      return
    batch_size = self._schedule.batch_size
    total = self._schedule.total_steps(epoch_steps, position)
    self._live.progress.total = total and total * batch_size
    self._live(position.step * batch_size, self._text(position, total))

  def _text(self, position, total):
    of_all = f"/{total}" if total else ""
    return f"step {position.step}{of_all} | epoch {position.epoch}{self._measured}"

  def close(self) -> None:
    """Erases the live line."""
    self._live.close()

  def flush(self) -> None:
    """Writes the scalars so far to the disk."""
    with _scalars_may_fail():
      self._writer.flush()


def plan(schedule: schedules.Schedule, record_files: Sequence[str], pattern: str,
         train_dir: str) -> list[str]:
  """Returns what is trained on, how long, and where it is written, a line each.

  Args:
    schedule: Schedule of the training.
    record_files: Record files.
    pattern: Value of `--train_data_pattern`.
    train_dir: Training directory.
  """
  count, steps = schedule.epoch_examples, schedule.total_steps(schedule.epoch_steps)
  gpus = len(tf.config.list_logical_devices("GPU"))
  return [
      f"Data: {len(record_files):,} files{f', about {count:,} examples' if count else ''}"
      f": {pattern}",
      f"Training: {f'{steps:,} steps' if steps else f'{schedule.num_epochs} epochs'} of "
      f"{schedule.batch_size:,} examples, on {f'{gpus} GPUs' if gpus else 'the CPU'}",
      f"Directory: {train_dir}"]


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
