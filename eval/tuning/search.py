# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Which values to try next, and which trial to give up: a study of Optuna.

The study is in memory only. The trials on disk are what remains, and a search that goes
on learns from them again.
"""

import threading
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from yt8m.eval.tuning import space
from yt8m.eval.tuning import trials

if TYPE_CHECKING:
  import optuna

SAMPLERS = ("tpe", "random")
PRUNERS = ("median", "none")


def load_optuna() -> Any:
  """Returns the module `optuna`, silenced.

  Raises:
    ValueError: Optuna is not installed.
  """
  try:
    import optuna
  except ImportError as error:
    raise ValueError(
        "yt8m-tune needs Optuna: run pip install 'yt8m[tune]'.") from error
  optuna.logging.set_verbosity(optuna.logging.WARNING)
  return optuna


class Search:
  """Asks Optuna what to try. Its methods may be called from several threads.

  The sampler of a trial is seeded by the number of the trial, so that what is tried
  depends on the trials before it only, and not on how often the search was stopped.

  Args:
    parameters: Parameters to search.
    sampler: One of `SAMPLERS`: a tree-structured Parzen estimator (Bergstra et al.,
      "Algorithms for Hyper-Parameter Optimization", NIPS 2011), or random values.
    pruner: One of `PRUNERS`. "median" gives up a trial whose best value so far is worse
      than the median of the other trials after as many evaluations.
    seed: Seed of the samplers.
    less_is_better: Whether a smaller value of the metric is a better one.
  """

  def __init__(self, parameters: Sequence[space.Parameter], *, sampler: str, pruner: str,
               seed: int, less_is_better: bool):
    self._optuna = load_optuna()
    self._sampler, self._seed = sampler, seed
    self._distributions = {parameter.name: self._distribution(parameter)
                           for parameter in parameters}
    self._lock = threading.Lock()
    pruners = {"median": self._optuna.pruners.MedianPruner,
               "none": self._optuna.pruners.NopPruner}
    self._study = self._optuna.create_study(
        direction="minimize" if less_is_better else "maximize",
        pruner=pruners[pruner]())
    self._less_is_better = less_is_better
    self._num_reported: dict[int, int] = {}

  def learn(self, values: Mapping[str, space.Value], outcome: trials.Outcome) -> None:
    """Adds a trial of before."""
    best = outcome.best(self._less_is_better)
    with self._lock:
      self._study.add_trial(self._optuna.trial.create_trial(
          state=self._state(outcome), params=dict(values),
          distributions=self._distributions,
          value=best[0] if best and outcome.state == trials.FINISHED else None,
          intermediate_values=dict(enumerate(outcome.values))))

  def begin(self, number: int, values: Mapping[str, space.Value] | None = None
            ) -> "tuple[optuna.Trial, dict[str, space.Value]]":
    """Returns a new trial and its values.

    Args:
      number: Number of the trial.
      values: Values of a trial that has begun before; None to choose new ones.
    """
    with self._lock:
      self._study.sampler = self._make_sampler(number)
      if values is not None:
        self._study.enqueue_trial(dict(values))
      trial = self._study.ask(self._distributions)
    return trial, trial.params

  def is_hopeless(self, trial: "optuna.Trial", values: Sequence[float]) -> bool:
    """Whether to give up a trial whose metric had these values so far."""
    with self._lock:
      self._report(trial, values)
      return trial.should_prune()

  def end(self, trial: "optuna.Trial", outcome: trials.Outcome) -> None:
    """Tells what a trial has measured."""
    best = outcome.best(self._less_is_better)
    with self._lock:
      self._report(trial, outcome.values)
      self._study.tell(
          trial, best[0] if best and outcome.state == trials.FINISHED else None,
          state=self._state(outcome))

  def _report(self, trial: "optuna.Trial", values: Sequence[float]) -> None:
    for step in range(self._num_reported.get(trial.number, 0), len(values)):
      trial.report(values[step], step)
    self._num_reported[trial.number] = len(values)

  def _state(self, outcome: trials.Outcome) -> "optuna.trial.TrialState":
    states = self._optuna.trial.TrialState
    return {trials.FINISHED: states.COMPLETE, trials.PRUNED: states.PRUNED,
            trials.FAILED: states.FAIL}[outcome.state]

  def _make_sampler(self, number: int) -> "optuna.samplers.BaseSampler":
    samplers = self._optuna.samplers
    seed = (self._seed + number) % 2**32
    if self._sampler == "random":
      return samplers.RandomSampler(seed=seed)
    return samplers.TPESampler(seed=seed, constant_liar=True)

  def _distribution(self, parameter: space.Parameter
                    ) -> "optuna.distributions.BaseDistribution":
    distributions = self._optuna.distributions
    if parameter.choices:
      return distributions.CategoricalDistribution(parameter.choices)
    kind = (distributions.IntDistribution if isinstance(parameter.low, int)
            else distributions.FloatDistribution)
    return kind(parameter.low, parameter.high, log=parameter.is_log)
