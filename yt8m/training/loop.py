# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The training loop: epochs of steps, checkpoints that resume exactly, a log."""

import collections
import contextlib
import dataclasses
import math
import os
import signal
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import progress
from yt8m.eval.metrics import streaming
from yt8m.models.layers import variables
from yt8m.training import optimizers
from yt8m.training import strategies

keras = tf.keras


@dataclasses.dataclass(frozen=True)
class Schedule:
  """When training ends, saves and reports.

  Attributes:
    batch_size: examples a step, over all replicas and workers.
    num_epochs: passes over the data.
    max_steps: steps in all, over all runs of the directory; None for no limit.
    checkpoint_steps: steps between checkpoints.
    checkpoint_secs: seconds between checkpoints, whichever comes first.
    log_steps: steps between progress lines.
    epoch_examples: examples of an epoch, as far as known; forecasts the time left.
    keep_checkpoints: newest checkpoints kept.
  """
  batch_size: int
  num_epochs: int = 5
  max_steps: int | None = None
  checkpoint_steps: int = 1000
  checkpoint_secs: float = 900.0
  log_steps: int = 10
  epoch_examples: int | None = None
  keep_checkpoints: int = 5

  @property
  def epoch_steps(self):
    """Steps of an epoch, as far as known."""
    return self.epoch_examples and math.ceil(self.epoch_examples / self.batch_size)

  def total_steps(self, epoch_steps):
    """Steps in all, or None where neither limit is known."""
    limits = [self.max_steps, epoch_steps and self.num_epochs * epoch_steps]
    return min((limit for limit in limits if limit), default=None)


@dataclasses.dataclass
class Position:
  """Where a run stands: what a checkpoint must hold besides variables."""
  step: int = 0
  epoch: int = 0
  epoch_step: int = 0


class Training:
  """Trains one model in one directory, from wherever it stands to the end.

  After `run`, `stopped_by` is the number of the signal that stopped it, or None.

  A run that was killed at any moment and started again goes through the same
  batches, random draws and updates as one that ran through: a checkpoint holds
  variables, optimizer slots, generator states and the position, and the data of an
  epoch is a function of the seed and the epoch.

  Args:
    train_dir: where checkpoints and scalars go.
    model: `VideoModel`, made under `strategy`.
    optimizer: Keras optimizer, made under `strategy`.
    step: `TrainStep` of the two.
    strategy: `tf.distribute.Strategy`.
    make_dataset: `(epoch, skip_examples, input_context) -> tf.data.Dataset` of one
      epoch in a fixed order; `skip_examples` counts within one input pipeline.
    schedule: `Schedule`.
    averages: `WeightAverages` of the model; None for none.
  """

  def __init__(self, train_dir, model, optimizer, step, strategy,
               make_dataset: Callable, schedule: Schedule, averages=None):
    self._train_dir, self._model, self._optimizer = train_dir, model, optimizer
    self._step, self._strategy = step, strategy
    self._make_dataset, self._schedule = make_dataset, schedule
    self._averages = averages
    self._chief = strategies.is_chief(strategy)
    self.position = Position()
    self.stopped_by = None
    self._saved_position = {
        field.name: tf.Variable(0, dtype=tf.int64, trainable=False, name=field.name)
        for field in dataclasses.fields(Position)}
    self._parts = {"optimizer": optimizers.slots_and_counters(optimizer),
                   **variables.checkpoint_parts(model), **self._saved_position}
    checkpoint = tf.train.Checkpoint(
        **self._parts, **(averages.checkpoint_parts() if averages else {}))
    # Every worker takes part in saving, but only the chief's files count.
    directory = train_dir if self._chief else os.path.join(
        train_dir, f".worker-{strategy.cluster_resolver.task_id}")
    self._manager = tf.train.CheckpointManager(
        checkpoint, directory, max_to_keep=schedule.keep_checkpoints,
        checkpoint_name=checkpoints.PREFIX)
    self._saved_at, self._saved_step = time.monotonic(), None
    self._unchecked = []

  def run(self):
    """Trains to the end of the schedule; returns the `Position` reached."""
    self._restore()
    schedule, position = self._schedule, self.position
    self._epoch_steps = schedule.epoch_steps
    self._progress = progress.Progress(
        unit="examples", done=position.step * schedule.batch_size)
    started_at = position.step
    self._writer = tf.summary.create_file_writer(
        os.path.join(self._train_dir, "train")) if self._chief else None
    if not self._is_done():
      self._write_status()
    with _stop_signals() as stopped:
      while not (self._is_done() or stopped):
        self._run_epoch(stopped)
      self._check_losses()
      # The last step may have its checkpoint already. It is not written over: killed
      # there, the directory would be lost.
      if position.step not in (started_at, self._saved_step) or (
          not self._manager.checkpoints):
        self._save()
      self._write_status()
    if stopped:
      self.stopped_by = stopped[0]
      logging.info(
          "Stopped by %s at step %d, epoch %d. A checkpoint is saved: run the same command "
          "again, without --start_new_model, to resume.",
          signal.Signals(self.stopped_by).name, position.step, position.epoch)
    else:
      logging.info("Finished at step %d, epoch %d.", position.step, position.epoch)
    return position

  def _is_done(self):
    return self.position.epoch >= self._schedule.num_epochs or self._at_max_steps()

  def _write_status(self):
    if self._chief:
      done = self._is_done()
      experiment.write_status(
          self._train_dir, done, self.position.step if done
          else self._schedule.total_steps(self._epoch_steps))

  def _at_max_steps(self):
    limit = self._schedule.max_steps
    return limit is not None and self.position.step >= limit

  def _run_epoch(self, stopped):
    schedule, position = self._schedule, self.position

    def dataset_of_pipeline(context):
      share = schedule.batch_size // context.num_input_pipelines
      return self._make_dataset(position.epoch, position.epoch_step * share, context)

    dataset = self._strategy.distribute_datasets_from_function(dataset_of_pipeline)
    for batch in dataset:
      result = self._step(batch)
      position.step += 1
      position.epoch_step += 1
      if self._averages:
        self._averages.update(position.step)
      self._unchecked.append(result.label_loss)
      if position.step % schedule.log_steps == 0:
        self._report(result)
      if self._due_for_checkpoint():
        self._save()
      if self._at_max_steps() or stopped:
        return
    if position.epoch_step == 0:
      raise ValueError(
          f"No batch of {schedule.batch_size} examples in the training data: lower "
          "--batch_size or check --train_data_pattern.")
    self._epoch_steps = position.epoch_step  # counted, no longer estimated
    position.epoch += 1
    position.epoch_step = 0

  def _due_for_checkpoint(self):
    if self.position.step % self._schedule.checkpoint_steps == 0:
      return True
    # Workers must agree on when to save, and their clocks do not.
    return (not strategies.is_multi_worker(self._strategy)
            and time.monotonic() - self._saved_at > self._schedule.checkpoint_secs)

  def _restore(self):
    path = self._manager.latest_checkpoint
    if not self._chief:
      path = tf.train.latest_checkpoint(self._train_dir)
    if path is None:
      return
    checkpoint = self._manager.checkpoint
    if self._averages and not checkpoints.has_averages(path):  # they begin now
      checkpoint = tf.train.Checkpoint(**self._parts)
    try:
      checkpoint.restore(path).assert_existing_objects_matched()
    except (AssertionError, ValueError) as error:
      raise ValueError(
          f"Checkpoint {path} does not fit this model and optimizer: choose another "
          f"--train_dir, or add --start_new_model. ({error})") from error
    self.position = Position(**{
        name: int(value.numpy()) for name, value in self._saved_position.items()})
    logging.info("Resuming from %s: step %d, epoch %d.", path, self.position.step,
                 self.position.epoch)

  def _save(self):
    self._check_losses()
    for name, variable in self._saved_position.items():
      variable.assign(getattr(self.position, name))
    self._manager.save(checkpoint_number=self.position.step)
    self._saved_at, self._saved_step = time.monotonic(), self.position.step
    if self._writer is not None:
      self._writer.flush()

  def _check_losses(self):
    """Stops at the first loss that is no number; a checkpoint never holds one."""
    losses = [float(loss) for loss in self._unchecked]
    self._unchecked = []
    for index, loss in enumerate(losses):
      if not math.isfinite(loss):
        rate = optimizers.current_learning_rate(self._optimizer)
        step = self.position.step - len(losses) + index + 1
        raise FloatingPointError(
            f"The loss is {loss} at step {step}, learning rate {rate:.3g}. Lower "
            "--base_learning_rate or --clip_gradient_norm, or look at the records of "
            f"that step. The last checkpoint in {self._train_dir} is good.")
    return losses

  def _report(self, result):
    losses = self._check_losses()
    if not self._chief:
      return
    schedule, position = self._schedule, self.position
    predictions = _on_host(self._strategy, result.predictions)
    labels = _on_host(self._strategy, result.labels)
    scalars = collections.OrderedDict(
        loss=float(np.mean(losses)),
        regularization=float(result.penalty),
        hit_at_one=streaming.hit_at_k(predictions, labels, k=1),
        gap=streaming.gap(predictions, labels, min(20, predictions.shape[1])),
        learning_rate=optimizers.current_learning_rate(self._optimizer))
    total = schedule.total_steps(self._epoch_steps)
    self._progress.total = total and total * schedule.batch_size
    timing = self._progress.report(position.step * schedule.batch_size)
    logging.info(
        "step %d%s | epoch %d | loss %.4f | Hit@1 %.3f | GAP %.3f | lr %.3g | %s",
        position.step, f"/{total}" if total else "", position.epoch, scalars["loss"],
        scalars["hit_at_one"], scalars["gap"], scalars["learning_rate"], timing)
    with self._writer.as_default(step=position.step):
      for name, value in scalars.items():
        tf.summary.scalar(f"train/{name}", value)
      tf.summary.scalar("train/examples_per_second", self._progress.rate)


def _on_host(strategy, values):
  return np.concatenate(
      [value.numpy() for value in strategy.experimental_local_results(values)])


@contextlib.contextmanager
def _stop_signals():
  """Yields a list that becomes true at the first SIGINT or SIGTERM.

  The step under way is finished and saved; a second signal ends the process at once.
  """
  received, previous = [], {}

  def handle(number, frame):
    received.append(number)
    signal.signal(number, previous[number])

  for number in (signal.SIGINT, signal.SIGTERM):
    previous[number] = signal.signal(number, handle)
  try:
    yield received
  finally:
    for number, handler in previous.items():
      signal.signal(number, handler)
