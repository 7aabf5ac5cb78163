# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The training loop: epochs of steps, checkpoints that resume exactly, a log."""

import dataclasses
import math
import os
import signal
import time
from collections.abc import Callable

import tensorflow as tf
from absl import logging

from yt8m.configs import best_checkpoint
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import signals
from yt8m.core import types
from yt8m.models.layers import variables
from yt8m.training import optimizer_state
from yt8m.training import optimizers
from yt8m.training import resume
from yt8m.training import saving
from yt8m.training import step as train_step
from yt8m.training import strategies
from yt8m.training import training_log
from yt8m.training import validation as validating
from yt8m.training import weight_averaging
from yt8m.training.schedule import NoExamplesError as NoExamplesError
from yt8m.training.schedule import Position as Position
from yt8m.training.schedule import Schedule as Schedule


class Training:
  """Trains one model in one directory, from its newest checkpoint to the end.

  A run that was killed at any moment and started again goes through the same batches,
  random draws and updates as an uninterrupted one: a checkpoint holds variables,
  optimizer slots, states of random generators, and the position. The data of an epoch
  are a function of the seed and the epoch.

  Args:
    train_dir: Directory for checkpoints and scalars.
    step: Training step, which knows model, optimizer and strategy.
    make_dataset: Function `(epoch, skip_examples, input_context)` that returns the
      dataset of one epoch in a fixed order; `skip_examples` counts within one input
      pipeline.
    schedule: When training ends, saves and reports.
    averages: Averages of the weights; None for none.
    resume_from: Path prefix of the checkpoint to go on from. None: the newest good one,
      if there is one.
    described: What the position in the data depends on, for the manifests.
    approximate: Whether to go on without the state of the optimizer if that of the
      checkpoint does not fit.
    validation: Evaluation of the checkpoints; None for none. Only the chief evaluates.

  Attributes:
    position: Where the run is.
    stopped_by: Number of the signal that stopped `run`, or None.
  """

  def __init__(self, train_dir: str, step: train_step.TrainStep,
               make_dataset: Callable[..., tf.data.Dataset], schedule: Schedule,
               averages: weight_averaging.WeightAverages | None = None, *,
               resume_from: str | None = None, described: types.Config | None = None,
               approximate: bool = False,
               validation: validating.Validation | None = None):
    self._train_dir, self._step, self._strategy = train_dir, step, step.strategy
    self._make_dataset, self._schedule = make_dataset, schedule
    self._averages = averages
    self._chief = strategies.is_chief(self._strategy)
    self.position, self.stopped_by = Position(), None
    self._saved_position = {
        field.name: tf.Variable(tf.zeros([], tf.int64), trainable=False, name=field.name)
        for field in dataclasses.fields(Position)}
    self._parts = {"optimizer": optimizer_state.slots_and_counters(step.optimizer),
                   **variables.checkpoint_parts(step.model), **self._saved_position}
    self._checkpoint = tf.train.Checkpoint(
        **self._parts, **(averages.checkpoint_parts() if averages else {}))
    if resume_from is None and checkpoints.exist(train_dir):
      resume_from = checkpoints.latest(train_dir)
    self._resume_from, self._approximate = resume_from, approximate
    self._validation, self._is_over = validation, False
    self._may_validate = bool(
        strategies.sum_over_workers(self._strategy, int(validation is not None)))
    if validation:
      validation.resume(checkpoints.step_of(resume_from) if resume_from else 0)
    self._described = described or {}
    # Every worker takes part in saving, but only the chief's files count.
    directory = train_dir if self._chief else os.path.join(
        train_dir, f".worker-{self._strategy.cluster_resolver.task_id}")
    best = best_checkpoint.Best.load(train_dir)
    self._saver = saving.Saver(
        self._checkpoint, directory, schedule.keep_checkpoints,
        resume_from and os.path.join(directory, os.path.basename(resume_from)),
        kept=best and best.step)
    self._saved_at, self._saved_step = time.monotonic(), None
    self._unchecked = []  # losses

  def run(self) -> Position:
    """Trains to the end of the schedule; returns the position reached.

    Raises:
      ValueError: The checkpoint belongs to another model, or there are no batches.
      FloatingPointError: A loss is not finite.
    """
    self._restore()
    position = self.position
    self._epoch_steps = self._schedule.epoch_steps
    self._log = training_log.TrainingLog(
        os.path.join(self._train_dir, "train") if self._chief else None, self._schedule,
        position.step)
    if not self._is_done():
      self._write_status()
    with signals.deferred() as received:
      if self._validation:
        self._validation.evaluate_earlier_best(lambda: bool(received))
      self._validate(received)
      while not (self._is_done() or self.stopped_by):
        self._run_epoch(received)
      # A checkpoint is never written over: a run that is killed meanwhile would lose it.
      if position.step != self._saved_step:
        self._save(last=True)
      self._validate(received, last=True)
      self._write_status()
    self._log.close()
    # A signal during the last save too: who sends one must not read "finished".
    self.stopped_by = self.stopped_by or next(iter(received), None)
    if self.stopped_by:
      logging.info("Stopped by %s at step %d, epoch %d. A checkpoint is saved: to "
                   "resume, run the same command again, without --start_new_model.",
                   signal.Signals(self.stopped_by).name, position.step, position.epoch)
    else:
      logging.info("Finished at step %d, epoch %d%s.", position.step, position.epoch,
                   ": no better evaluation since the best one" if self._is_over else "")
      if self._validation and self._validation.best:
        logging.info("Evaluations:\n%s\nThe best checkpoint: %s.",
                     self._validation.table(), self._validation.best)
    return position

  def _is_done(self) -> bool:
    limit = self._schedule.max_steps
    return (self._is_over or self.position.epoch >= self._schedule.num_epochs
            or limit is not None and self.position.step >= limit)

  def _write_status(self) -> None:
    if self._chief:
      done = self._is_done()
      experiment.write_status(
          self._train_dir, done, self.position.step if done
          else self._schedule.total_steps(self._epoch_steps, self.position))

  def _run_epoch(self, received: list[int]) -> None:
    schedule, position = self._schedule, self.position

    def dataset_of_pipeline(context: tf.distribute.InputContext) -> tf.data.Dataset:
      skip = position.epoch_examples // context.num_input_pipelines
      return self._make_dataset(position.epoch, skip, context)

    for batch in self._strategy.distribute_datasets_from_function(dataset_of_pipeline):
      # Not after the step: only now it is known that the step did not end the epoch.
      if self._is_checkpoint_due():
        self._save()
        if self._validate(received) or self._is_stopped(received):
          return
      result = self._step(batch)
      position.step += 1
      position.epoch_step += 1
      position.epoch_examples += schedule.batch_size
      if self._averages:
        self._averages.update(position.step)
      self._unchecked.append(result.label_loss)
      if position.step % schedule.log_steps == 0:
        self._log.report(position, self._epoch_steps, self._check_losses(), result,
                         self._step)
      self._log.show(position, self._epoch_steps)
      if self._is_done() or self._is_stopped(received):
        return
    if position.epoch_examples == 0:
      raise NoExamplesError(
          f"No batch of {schedule.batch_size} examples in the training data: lower "
          "--batch_size or check --train_data_pattern.")
    # Counted, no longer estimated.
    self._epoch_steps = math.ceil(position.epoch_examples / schedule.batch_size)
    position.epoch += 1
    position.epoch_step = position.epoch_examples = 0

  def _is_stopped(self, received: list[int]) -> bool:
    """Whether a signal stops training: one that any of the workers has received."""
    if strategies.sum_over_workers(self._strategy, len(received)):
      self.stopped_by = received[0] if received else signal.SIGTERM
    return self.stopped_by is not None

  def _is_checkpoint_due(self) -> bool:
    if self.position.step in (0, self._saved_step):
      return False
    if self._is_evaluation_due():
      return True
    # Workers must agree on when to save, and their clocks do not.
    return (not strategies.is_multi_worker(self._strategy)
            and time.monotonic() - self._saved_at > self._schedule.checkpoint_secs)

  def _is_evaluation_due(self) -> bool:
    # Not at checkpoints whose time a clock chose: a training that is killed and resumed
    # must evaluate at the same steps.
    step, every = self.position.step, self._schedule.eval_steps
    return step % self._schedule.checkpoint_steps == 0 or bool(
        every and step % every == 0)

  def _validate(self, received: list[int], last: bool = False) -> bool:
    """Evaluates the checkpoint that was just saved, if that is due.

    Args:
      received: Numbers of signals that stop training.
      last: Whether this is the end of training, where it is due in any case.

    Returns:
      Whether training is over.
    """
    if not self._may_validate:
      return False
    step = self.position.step
    if (self._validation and step == self._saved_step and not self.stopped_by
        and (last or self._is_evaluation_due()) and not self._validation.has(step)
        and self._validation.evaluate(
            os.path.join(self._train_dir, f"{checkpoints.PREFIX}-{step}"),
            lambda: bool(received)) and self._validation.best):
      self._saver.keep(self._validation.best.step)
    over = self._validation is not None and self._validation.is_over
    self._is_over = bool(strategies.sum_over_workers(self._strategy, int(over)))
    return self._is_over

  def _restore(self) -> None:
    path = self._resume_from
    if path is None:
      return
    resume.restore(path, self._checkpoint, self._parts, self._averages,
                   self._approximate)
    self.position = Position(**{
        name: int(value.numpy()) for name, value in self._saved_position.items()})
    if not checkpoints.has_variable(path, "epoch_examples"):
      self.position.epoch_examples = self.position.epoch_step * resume.batch_size_of(
          path, self._schedule.batch_size)
    self._saved_step = self.position.step
    logging.info("Resuming from %s: step %d, epoch %d, example %d.", path,
                 self.position.step, self.position.epoch, self.position.epoch_examples)

  def _save(self, last: bool = False) -> None:
    self._check_losses()
    self._check_weights()
    for name, variable in self._saved_position.items():
      variable.assign(getattr(self.position, name))
    self._saved_at = time.monotonic()
    try:
      self._saver.save(self.position.step, self._described)
    except OSError as error:
      if last:
        raise OSError(f"{error} Make room and run the same command again: it goes on "
                      f"from step {self._saved_step or 0}.") from error
      logging.warning("%s Training goes on, and the next checkpoint is saved when it is "
                      "due.", error)
      return
    self._saved_step = self.position.step
    self._log.flush()

  def _check_losses(self) -> list[float]:
    """Returns the losses since the last check.

    Called before every save, so that no checkpoint holds what is not finite.

    Raises:
      FloatingPointError: One of the losses is not finite.
    """
    losses, self._unchecked = [float(loss) for loss in self._unchecked], []
    for index, loss in enumerate(losses, start=self.position.step - len(losses) + 1):
      if not math.isfinite(loss):
        raise self._diverged(f"The loss is {loss} at step {index}")
    return losses

  def _check_weights(self) -> None:
    """Raises FloatingPointError if a weight is not finite.

    The loss of a step is that before its update, so it would show only one step later.
    """
    for variable in map(variables.tf_variable, self._step.model.variables):
      if variable.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(variable)):
        raise self._diverged(
            f"{variable.name} is not finite after step {self.position.step}")

  def _diverged(self, what: str) -> FloatingPointError:
    rate = optimizers.current_learning_rate(self._step.optimizer)
    left = (f"The last checkpoint in {self._train_dir} is good."
            if self._saved_step is not None else "No checkpoint was saved.")
    return FloatingPointError(
        f"{what}, learning rate {rate:.3g}. Lower --base_learning_rate or "
        f"--clip_gradient_norm, or look at the records of that step. {left}")
