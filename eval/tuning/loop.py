# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The loop of a search: trials side by side, and a table of them after each."""

import concurrent.futures
import dataclasses
import os
import shlex
import threading
import time

from absl import logging

from yt8m.core import child_processes
from yt8m.core import files
from yt8m.core import live_line
from yt8m.core import log_lines
from yt8m.core import progress
from yt8m.core import types
from yt8m.eval.tuning import report
from yt8m.eval.tuning import search
from yt8m.eval.tuning import space
from yt8m.eval.tuning import trials

TITLE = "# Trials of yt8m-tune"


@dataclasses.dataclass(frozen=True)
class Settings:
  """Everything that the trials of a search depend on.

  Attributes:
    flags: Flags of `yt8m-train` for all trials.
    search: Values of `--search`.
    metric: Name of the metric.
    sampler: One of `search.SAMPLERS`.
    pruner: One of `search.PRUNERS`.
    seed: Seed of the samplers.
    records: Digests of the records, by the flag that names them.
  """
  flags: list[str]
  search: list[str]
  metric: str
  sampler: str
  pruner: str
  seed: int
  records: dict[str, str] = dataclasses.field(default_factory=dict)


class Tuning:
  """The trials of a search, those of before included.

  Args:
    settings: What the trials depend on.
    output_dir: Directory of the search.
    num_trials: Number of trials in all.
    less_is_better: Whether a smaller value of the metric is a better one.
    keep_checkpoints: Whether to keep the checkpoints of all trials, not of the best only.
    chart: Path of the picture; None for none.

  Raises:
    ValueError: The settings are wrong, or the trials of before are of another search.
  """

  def __init__(self, settings: Settings, output_dir: str, num_trials: int, *,
               less_is_better: bool, keep_checkpoints: bool = False,
               chart: str | None = None):
    self._settings, self._output_dir = settings, output_dir
    self._num_trials, self._keep, self._chart = num_trials, keep_checkpoints, chart
    self._parameters = space.parse(settings.search)
    self._less_is_better = less_is_better
    self._study = search.Search(
        self._parameters, sampler=settings.sampler, pruner=settings.pruner,
        seed=settings.seed, less_is_better=self._less_is_better)
    self._lock = threading.Lock()
    self._ended: list[tuple[trials.Trial, trials.Outcome]] = []
    # Those of before count, even if fewer are asked for now.
    for number in range(max(num_trials, trials.count(output_dir))):
      trial = self._find(number)
      outcome = trial and trial.outcome(settings.metric)
      if trial and outcome:
        self._study.learn(trial.values, outcome)
        self._ended.append((trial, outcome))

  @property
  def num_failed(self) -> int:
    """Number of trials that failed."""
    return sum(outcome.state == trials.FAILED for _, outcome in self._ended)

  def best(self) -> tuple[trials.Trial, float, int] | None:
    """Returns the best trial that has finished, its metric and its step."""
    return report.best(self._ended, self._less_is_better)

  def arguments(self, trial: trials.Trial) -> str:
    """Returns the flags of `yt8m-train` of a trial, as one types them."""
    return shlex.join(self._flags(trial))

  def _flags(self, trial: trials.Trial) -> list[str]:
    return [*self._settings.flags, *(parameter.argument(trial.values[parameter.name])
                                     for parameter in self._parameters)]

  def _find(self, number: int) -> trials.Trial | None:
    return trials.find(self._output_dir, number, self._config, self._parameters)

  @property
  def _config(self) -> types.Config:
    return dataclasses.asdict(self._settings)

  def run(self, runner: child_processes.Runner, num_processes: int) -> None:
    """Runs the trials that are missing, and writes the table after each.

    Args:
      runner: Runner of the trainings.
      num_processes: Number of trainings at a time.

    Raises:
      RunFailed: A training failed, and none has ended well so far.
    """
    known = {trial.number for trial, _ in self._ended}
    todo = [number for number in range(self._num_trials) if number not in known]
    logging.info("%d trials, %d of them ended before; %d at a time", self._num_trials,
                 len(known), num_processes)
    self._write()
    pool = concurrent.futures.ThreadPoolExecutor(num_processes)
    began = time.monotonic()
    try:
      waiting = {pool.submit(self._run_one, number, runner) for number in todo}
      while waiting:
        ended, waiting = concurrent.futures.wait(
            waiting, 1.0 if live_line.is_allowed() else None,
            concurrent.futures.FIRST_COMPLETED)
        done, seconds = len(todo) - len(waiting), time.monotonic() - began
        left = seconds / done * len(waiting) if done else None
        for future in ended:
          self._log(*future.result(), left)
        text = f"{done}/{len(todo)} trials | {progress.format_seconds(seconds)}"
        live_line.show(text if left is None else
                       f"{text} | {progress.format_seconds(left)} left", done, len(todo))
    finally:  # Also after a signal.
      live_line.clear()
      pool.shutdown(wait=False, cancel_futures=True)  # First: no trial begins any more.
      runner.stop()
      pool.shutdown()

  def _run_one(self, number: int, runner: child_processes.Runner
               ) -> tuple[trials.Trial, trials.Outcome]:
    """Runs a trial, in a thread of its own; returns what it measured."""
    with self._lock:
      before = self._find(number)
      asked, values = self._study.begin(number, before and before.values)
      trial = before or trials.Trial(
          number, trials.directory_of(self._output_dir, number), values)
      if before is None:
        trials.delete_model(trial)  # Of other flags, if there is one.
        trial.begin(self._config)
    metric = self._settings.metric
    outcome = trials.run(
        trial, ["yt8m-train", *self._flags(trial), f"--train_dir={trial.train_dir}",
                f"--best_metric={metric}"],
        metric, runner, lambda values: self._study.is_hopeless(asked, values))
    with self._lock:
      if outcome.state != trials.FAILED:
        trial.end(outcome)
      elif self.num_failed == len(self._ended):
        raise child_processes.RunFailed(
            f"The first trial failed; correct the flags and run the command again. "
            f"{outcome.error}")
      self._study.end(asked, outcome)
      self._ended.append((trial, outcome))
      self._delete_checkpoints()
      self._write()
    return trial, outcome

  def _delete_checkpoints(self) -> None:
    """Deletes the checkpoints of all trials but the best, unless they are to be kept."""
    best = self.best()
    for trial, _ in self._ended:
      if not self._keep and (best is None or trial.number != best[0].number):
        trials.delete_checkpoints(trial)

  def _write(self) -> None:
    """Writes the table and the picture of the trials so far, if one has finished."""
    best, settings = self.best(), self._settings
    if best is None:
      return
    words = ["yt8m-tune", *(f"--search={text}" for text in settings.search),
             f"--num_trials={self._num_trials}", *(
                 f"--{name}={getattr(settings, name)}"
                 for name in ("metric", "sampler", "pruner", "seed")),
             "--output_dir=tuned", "--", *settings.flags]
    trial, value, step = best
    parts = [
        TITLE, "Written by", f"    {shlex.join(words)}",
        f"The best is trial {trial.number}: {settings.metric} {value:.4f} at step "
        f"{step}. The same training:",
        f"    yt8m-train --train_dir=model {self.arguments(trial)}",
        "The metric is that of the best checkpoint, on the records that chose it. It is "
        "therefore too optimistic: evaluate the model on others.",
        report.table(self._ended, settings.metric, self._less_is_better)]
    with files.clear_disk_errors(self._output_dir):
      if self._chart:
        report.write_chart(self._chart, self._ended, self._parameters, settings.metric,
                           self._less_is_better)
        parts.append(f"![Trials]({os.path.basename(self._chart)})")
      with files.atomic_write(os.path.join(self._output_dir, "tuning.md")) as file:
        file.write("\n\n".join(parts) + "\n")

  def _log(self, trial: trials.Trial, outcome: trials.Outcome, left: float | None
           ) -> None:
    """Logs a trial that has ended."""
    value, step = outcome.best(self._less_is_better) or (None, None)
    metric, best = self._settings.metric, self.best()
    text = outcome.error or f"{metric} {value:.4f} at step {step}, {outcome.state}"
    logging.log(
        logging.ERROR if outcome.error else logging.INFO,
        "[%d/%d] trial %d: %s | %s | best %s | %.0f s | %s left", len(self._ended),
        self._num_trials, trial.number,
        ", ".join(f"{name} {space.short(one)}" for name, one in trial.values.items()),
        text, "none" if best is None else f"{best[1]:.4f}, trial {best[0].number}",
        outcome.seconds, progress.format_seconds(left or 0), extra=log_lines.numbers(
            done=len(self._ended), total=self._num_trials, trial=trial.number,
            state=outcome.state, step=step, seconds=outcome.seconds, seconds_left=left,
            **({} if value is None else {metric: value})))
