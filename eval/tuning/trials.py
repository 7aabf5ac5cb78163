# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The trials of a search: each is a training with values of its own.

    <output_dir>/trials/<number>/trial.json    what is tried; exists if it has begun
    <output_dir>/trials/<number>/log.txt       the command and its output
    <output_dir>/trials/<number>/model         training directory
    <output_dir>/trials/<number>/result.json   what was measured; exists if it has ended

A trial that failed has no result: the same command tries it again.
"""

import dataclasses
import os
import pathlib
import re
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from yt8m.configs import experiment
from yt8m.core import child_processes
from yt8m.core import directories
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import paths
from yt8m.core import types
from yt8m.eval.metrics import results
from yt8m.eval.tuning import space

FINISHED, PRUNED, FAILED = STATES = ("finished", "pruned", "failed")

OUTPUT = directories.Kind("directory of yt8m-tune", "tuning.md", (
    ".lock", "tuning.png", "trials/[0-9]*/*"))
_SECONDS = fields.Kind("a number of seconds", lambda value: (
    fields.NUMBER.accepts(value) and value >= 0))
_RESULT = {
    "state": fields.one_of((FINISHED, PRUNED)), "seconds": _SECONDS,
    "steps": fields.list_of(fields.SIZE, "steps"),
    "values": fields.list_of(fields.NUMBER, "numbers")}


@dataclasses.dataclass(frozen=True)
class Outcome:
  """What a trial has measured.

  Attributes:
    state: One of `STATES`.
    steps: Steps at which the model was evaluated.
    values: Metric at each of them.
    seconds: Duration of the training.
    error: Last lines of the log of a trial that failed.
  """
  state: str
  steps: Sequence[int]
  values: Sequence[float]
  seconds: float
  error: str = ""

  def best(self, less_is_better: bool) -> tuple[float, int] | None:
    """Returns the best value and its first step; None without an evaluation."""
    sign = 1 if less_is_better else -1
    pairs = sorted((sign * value, step)
                   for value, step in zip(self.values, self.steps, strict=True))
    return (sign * pairs[0][0], pairs[0][1]) if pairs else None


@dataclasses.dataclass(frozen=True)
class Trial:
  """A training with values of the parameters.

  Attributes:
    number: Number of the trial, from 0 on.
    directory: Directory of the trial.
    values: Values of the parameters, by their names.
  """
  number: int
  directory: str
  values: Mapping[str, space.Value]

  @property
  def train_dir(self) -> str:
    return self.path("model")

  def path(self, name: str) -> str:
    """Returns the path of a file of the trial."""
    return os.path.join(self.directory, name)

  def begin(self, settings: types.Config) -> None:
    """Writes `trial.json`."""
    os.makedirs(self.directory, exist_ok=True)
    files.write_json(self.path("trial.json"),
                     {"settings": settings, "values": dict(self.values)})

  def end(self, outcome: Outcome) -> None:
    """Writes `result.json`."""
    files.write_json(self.path("result.json"),
                     {name: getattr(outcome, name) for name in _RESULT})

  def outcome(self, metric: str) -> Outcome | None:
    """Returns what the trial has measured; None if it has not ended, or failed.

    Args:
      metric: Name of the metric.

    Raises:
      ValueError: `result.json` is not what `end` writes, or the history of the training
        says something else.
    """
    if not os.path.exists(self.path("result.json")):
      return None
    outcome = files.read_json(
        self.path("result.json"), kind="a result of yt8m-tune", parse=_parse_outcome,
        remedy="Delete it, and the trial is repeated")
    if self.evaluations(metric) != (outcome.steps, outcome.values):
      raise ValueError(
          f"{self.path('result.json')} differs from what was measured in "
          f"{self.train_dir}: delete it, and the trial is repeated.")
    return outcome

  def evaluations(self, metric: str) -> tuple[list[int], list[float]]:
    """Returns the steps at which the model was evaluated, and the metric at each."""
    lines = [line for path in paths.files_of(self.train_dir, f"eval/*/{results.HISTORY}")
             for line in results.history(os.path.dirname(path)) if metric in line]
    return [line["step"] for line in lines], [line[metric] for line in lines]


def find(output_dir: str, number: int, settings: types.Config,
         parameters: Sequence[space.Parameter]) -> Trial | None:
  """Returns the trial that has begun under a number; None if there is none.

  A trial of another search that has not ended counts as none.

  Args:
    output_dir: Directory of the search.
    number: Number of the trial.
    settings: Everything that the search depends on.
    parameters: Parameters of the search.

  Raises:
    ValueError: A trial of another search has ended there, or the file is not ours.
  """
  def parse(content):
    fields.check(content, {"settings": fields.OBJECT, "values": fields.OBJECT})
    if content["settings"] != settings:
      if os.path.exists(os.path.join(directory, "result.json")):
        raise ValueError("it is of a search with other flags; what differs: "
                         + ", ".join(_different(content["settings"], settings)))
      return None
    values = content["values"]
    if {*values} != {parameter.name for parameter in parameters} or not all(
        parameter.accepts(values[parameter.name]) for parameter in parameters):
      raise ValueError("its values are not those of --search")
    return Trial(number, directory, values)

  directory = directory_of(output_dir, number)
  path = os.path.join(directory, "trial.json")
  if not os.path.exists(path):
    return None
  return files.read_json(
      path, kind="a trial of this search", parse=parse,
      remedy="Name another --output_dir, or give the flags that the search began with")


def count(output_dir: str) -> int:
  """Returns the largest number of a trial plus one."""
  names = os.listdir(os.path.join(output_dir, "trials")) if os.path.isdir(
      os.path.join(output_dir, "trials")) else []
  return max((int(name) + 1 for name in names if re.fullmatch("[0-9]{3,9}", name)),
             default=0)


def directory_of(output_dir: str, number: int) -> str:
  """Returns the directory of a trial."""
  return os.path.join(output_dir, "trials", f"{number:03d}")


def _different(before: types.Config, after: types.Config) -> list[str]:
  return [f"{name} (there {fields.short(before.get(name))})"
          for name in after if before.get(name) != after[name]]


def _parse_outcome(content: types.Config) -> Outcome:
  fields.check(content, _RESULT)
  outcome = Outcome(**{name: content[name] for name in _RESULT})
  if len(outcome.steps) != len(outcome.values):
    raise ValueError("it has not one value for each step")
  if not outcome.values:
    raise ValueError("it has no values")
  return outcome


def run(trial: Trial, command: Sequence[str], metric: str,
        runner: child_processes.Runner, is_hopeless: Callable[[Sequence[float]], bool],
        ) -> Outcome:
  """Trains the model of a trial to its end, or until it is given up.

  Args:
    trial: Trial that has begun. Its training is resumed, if there is one.
    command: Name and arguments of the training.
    metric: Name of the metric.
    runner: Runner of the command.
    is_hopeless: Function that is called with the values of the metric so far, and says
      whether to give up.

  Returns:
    What was measured. A training that fails is no error of this function.

  Raises:
    Stopped: The runner was stopped.
  """
  began = time.monotonic()
  log_file = pathlib.Path(trial.path("log.txt"))
  # A log is continued, but not if its name is a link to another file.
  if log_file.is_symlink() or (log_file.exists() and log_file.stat().st_nlink > 1):
    log_file.unlink()
  state, error, num_seen = FINISHED, "", 0

  def should_end():
    nonlocal num_seen
    values = trial.evaluations(metric)[1]
    if len(values) == num_seen:
      return False
    num_seen = len(values)
    return is_hopeless(values)

  try:
    with open(log_file, "a") as log:
      if runner.run(command, log, should_end):
        state = PRUNED
  except child_processes.RunFailed as failure:
    state, error = FAILED, str(failure)
  steps, values = trial.evaluations(metric)
  if state == FINISHED and not values:
    state, error = FAILED, (
        f"yt8m-train has not measured {metric}, see {trial.path('log.txt')}.")
  return Outcome(state, steps, values, time.monotonic() - began, error)


def delete_model(trial: Trial) -> None:
  """Deletes the training of a trial, if there is one, and its log.

  Raises:
    FileExistsError: There is something that no training has written.
  """
  try:
    experiment.delete(trial.train_dir)
  except FileExistsError as error:
    raise FileExistsError(f"{trial.train_dir} holds files of others: move them away, or "
                          f"name another --output_dir. ({error})") from error
  pathlib.Path(trial.path("log.txt")).unlink(missing_ok=True)


def delete_checkpoints(trial: Trial) -> None:
  """Deletes the checkpoints of a trial, but not its settings and results."""
  if os.path.isdir(trial.train_dir):
    experiment.delete_checkpoints(trial.train_dir)
