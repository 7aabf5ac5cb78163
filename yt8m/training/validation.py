# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Evaluates the checkpoints of a training, and says which is the best and when to stop.

What it knows is the history of the evaluations (`results.HISTORY`): a training that was
killed reads it again, and goes on as if it had not been killed.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m.configs import best_checkpoint
from yt8m.configs import checkpoint_files
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import fields
from yt8m.core import log_lines
from yt8m.core import paths
from yt8m.core import types
from yt8m.data import reader_base
from yt8m.data import records
from yt8m.eval.metrics import evaluation
from yt8m.eval.metrics import gate
from yt8m.eval.metrics import own_metrics
from yt8m.eval.metrics import results
from yt8m.eval.metrics import streaming
from yt8m.eval.predictions import by_length
from yt8m.models import losses

keras = tf.keras

# Flags that are defined here belong to the command that asks for them.
flags.disclaim_key_flags()

_SHOWN = {"avg_loss": "loss", "gap": "GAP", "map": "mAP", "avg_hit_at_one": "Hit@1"}


def define_flags() -> None:
  """Defines the flags of an evaluation during training."""
  paths.define_pattern(
      "eval_data_pattern", "", "Records to evaluate every checkpoint on: globs, "
      "separated by commas. The best checkpoint is kept, and used by the other commands.")
  flags.DEFINE_integer("eval_steps", None, "Number of steps between evaluations, besides "
                       "those of --export_model_steps; each saves a checkpoint.",
                       lower_bound=1)
  flags.DEFINE_string("best_metric", "gap", "Metric that says which checkpoint is the "
                      f"best: {', '.join(gate.NAMES)}, or the name of one of --metrics.")
  own_metrics.define_flag()
  flags.DEFINE_integer("early_stopping_patience", None, "Number of evaluations in a row "
                       "without a better one after which training ends. Default: it goes "
                       "on to the end.", lower_bound=1)


@dataclasses.dataclass(frozen=True)
class Options:
  """What is evaluated, and what follows from it.

  Attributes:
    pattern: Pattern of the records.
    metric: Metric that says which checkpoint is the best, one of `gate.NAMES` or `own`.
    patience: Number of evaluations without a better one that end training; None for any.
    batch_size: Number of videos that are predicted at a time.
    skip_corrupt_records: Whether damaged records are left out.
    skip_bad_records: Whether records that cannot be used are left out.
    own: Metrics of the user's own to measure besides.
  """
  pattern: str
  metric: str = "gap"
  patience: int | None = None
  batch_size: int = 1024
  skip_corrupt_records: bool = False
  skip_bad_records: bool = False
  own: own_metrics.OwnMetrics = dataclasses.field(default_factory=own_metrics.OwnMetrics)


class _Interrupted(Exception):
  """A signal stopped an evaluation."""


class Validation:
  """Evaluates checkpoints, as `yt8m-eval` does.

  Args:
    train_dir: Training directory.
    config: Configuration of the model.
    reader: Reader of the records.
    loss: Loss to report, and its name.
    options: What is evaluated.

  Attributes:
    best: The best checkpoint so far; None before the first evaluation.
    is_over: Whether training should end.

  Raises:
    ValueError: No file matches the pattern.
  """

  def __init__(self, train_dir: str, config: experiment.Experiment,
               reader: reader_base.Reader, loss: tuple[losses.LabelLoss, str],
               options: Options):
    self._train_dir, self._reader, self._options = train_dir, reader, options
    self._loss, self._loss_name = loss
    self._files = paths.match(options.pattern, "--eval_data_pattern")
    self._data = results.Data.of_files(
        options.pattern, self._files, segments=reader.spec.has_segments)
    # A model of its own: it has the averages of a checkpoint, and the precision of
    # yt8m-eval.
    policy = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("float32")
    self._model = config.build_model()
    keras.mixed_precision.set_global_policy(policy)
    self._predict = by_length.evaluation_function(self._model, options.batch_size)
    self._history: list[dict[str, Any]] = []
    self.best: best_checkpoint.Best | None = None
    self.is_over = False
    self._earlier: best_checkpoint.Best | None = None

  def resume(self, step: int) -> None:
    """Reads the history up to a step, which training goes on from; 0 for a new one.

    The best checkpoint of evaluations on other records, or by another metric, stays the
    best until `evaluate_earlier_best`.
    """
    folder = self._data.folder(self._train_dir)
    before = results.history(folder)
    self._history = [line for line in before if line["step"] <= step]
    if len(self._history) < len(before):
      results.write_history(folder, self._history)
    earlier = best_checkpoint.Best.load(self._train_dir)
    if (earlier and earlier.step <= step and not self.has(earlier.step)
        and checkpoint_files.parts(self._path(earlier.step))):
      self._earlier = earlier
    else:
      self._judge()

  def evaluate_earlier_best(self, interrupted: Callable[[], bool] = lambda: False
                            ) -> None:
    """Evaluates the best checkpoint of evaluations on other records, if there is one.

    Otherwise it could not be compared with the next ones, and would be lost.
    """
    if not self._earlier:
      return
    logging.info("The best checkpoint so far, %s, was evaluated on other records, and is "
                 "evaluated again on these.", self._earlier)
    if self.evaluate(self._path(self._earlier.step), interrupted):
      self._earlier = None

  def _path(self, step: int) -> str:
    return checkpoint_files.of_step(self._train_dir, step)

  def has(self, step: int) -> bool:
    """Whether a step has been evaluated."""
    return any(line["step"] == step for line in self._history)

  def evaluate(self, path: str, interrupted: Callable[[], bool] = lambda: False) -> bool:
    """Evaluates a checkpoint.

    Args:
      path: Path prefix of the checkpoint.
      interrupted: Function that says whether to stop at once.

    Returns:
      Whether it was evaluated; not if it was interrupted.
    """
    checkpoints.restore_weights(self._model, path)
    options, num_classes = self._options, self._model.num_classes

    def batches() -> Iterator[types.Batch]:
      dataset: Iterable[types.Batch] = self._reader.dataset(
          options.pattern, options.batch_size,
          skip_corrupt_records=options.skip_corrupt_records,
          skip_bad_records=options.skip_bad_records)
      for batch in dataset:
        if interrupted():
          raise _Interrupted
        yield batch

    try:
      with records.clear_errors(self._reader.explain, self._files):
        metrics = evaluation.evaluate(
            self._predict, num_classes, batches(), None, self._loss,
            num_examples=records.estimate_count(self._files), own=options.own)
    except _Interrupted:
      return False
    evaluation.check_labels(metrics, f"--eval_data_pattern={options.pattern}")
    step = checkpoints.step_of(path)
    values, own = metrics.get() | metrics.calibration(), options.own.values()
    results.write(self._train_dir, self._data, step, self._model, metrics, values,
                  label_loss=self._loss_name, own=own)
    self._history = results.history(self._data.folder(self._train_dir))
    self._judge()
    logging.info("%s%s", evaluation.format_line(f"step {step}", values, own),
                 " (best)" if self.best and self.best.step == step else "",
                 extra=log_lines.numbers(step=step, loss=values["avg_loss"], **own, **{
                     name: values[name] for name in streaming.TITLES}))
    return True

  def _judge(self) -> None:
    """Determines the best checkpoint, and whether training is over."""
    name = self._options.metric
    measured = [line for line in self._history if fields.NUMBER.accepts(line.get(name))]
    # With another metric, the best of earlier checkpoints may have been deleted.
    there = set(map(checkpoint_files.step_of, checkpoint_files.finished(self._train_dir)))
    known = [line for line in measured if line["step"] in there]
    if not known:
      self.best, self.is_over = None, False
      best_checkpoint.forget(self._train_dir)
      return
    sign = -1 if gate.less_is_better(
        name, self._options.own.less_is_better) else 1
    best = max(known, key=lambda line: (sign * line[name], -line["step"]))
    later = sum(line["step"] > best["step"] for line in measured)
    self.is_over = self._options.patience is not None and later >= self._options.patience
    self.best = best_checkpoint.Best(
        best["step"], name, best[name], self._options.pattern.replace("\n", ","))
    self.best.save(self._train_dir)

  def table(self, most: int = 12) -> str:
    """Returns the last evaluations and the best one as a table, for people.

    Args:
      most: Number of evaluations to show at most.
    """
    best = self.best.step if self.best else None
    shown = [line for line in self._history[:-most] if line["step"] == best]
    shown += self._history[-most:]
    rows = [["step", *_SHOWN.values()]]
    rows += [[str(line["step"]), *(f"{line[name]:.4f}" if name in line else "–"
                                   for name in _SHOWN)] for line in shown]
    texts = [" ".join(f"{cell:>9}" for cell in row) for row in rows]
    return "\n".join(text + ("  best" if row[0] == str(best) else "")
                     for row, text in zip(rows, texts, strict=True))
