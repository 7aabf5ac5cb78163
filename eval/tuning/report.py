# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A table and a picture of the trials of a search."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from yt8m.core import markdown
from yt8m.core import plots
from yt8m.eval.tuning import space
from yt8m.eval.tuning import trials

Ended = Sequence[tuple[trials.Trial, trials.Outcome]]

_COLORS = {trials.FINISHED: "tab:blue", trials.PRUNED: "tab:gray"}


def best(ended: Ended, less_is_better: bool) -> tuple[trials.Trial, float, int] | None:
  """Returns the best trial that has finished, its metric and its step."""
  measured = [(trial, *value) for trial, outcome in ended
              if outcome.state == trials.FINISHED
              and (value := outcome.best(less_is_better))]
  sign = 1 if less_is_better else -1
  return min(measured, key=lambda one: (sign * one[1], one[0].number), default=None)


def table(ended: Ended, metric: str, less_is_better: bool) -> str:
  """Returns the trials as a Markdown table: those that finished first, by the metric.

  Args:
    ended: Trials that have ended, with what they measured.
    metric: Name of the metric.
    less_is_better: Whether a smaller value is a better one.
  """
  sign = 1 if less_is_better else -1
  rows = []
  for trial, outcome in ended:
    value, step = outcome.best(less_is_better) or (None, None)
    rows.append((
        (trials.STATES.index(outcome.state), sign * (value or 0), trial.number),
        [str(trial.number), "–" if value is None else f"{value:.4f}",
         "–" if step is None else str(step), outcome.state,
         *(space.short(one).replace("|", r"\|") for one in trial.values.values()),
         f"{outcome.seconds:.0f}"]))
  names = list(ended[0][0].values) if ended else []
  return markdown.make(["trial", metric, "step", "state", *names, "seconds"],
                       [row for _, row in sorted(rows, key=lambda row: row[0])],
                       ("state",))


def write_chart(path: str, ended: Ended, parameters: Sequence[space.Parameter],
                metric: str, less_is_better: bool) -> None:
  """Draws the metric over the trials, and over the values of every parameter.

  Args:
    path: Path of the PNG file.
    ended: Trials that have ended, with what they measured.
    parameters: Parameters of the search.
    metric: Name of the metric.
    less_is_better: Whether a smaller value is a better one.
  """
  points = sorted(
      ((trial, outcome.state, measured[0]) for trial, outcome in ended
       if outcome.state in _COLORS and (measured := outcome.best(less_is_better))),
      key=lambda point: point[0].number)
  figure = plots.figure(4 * (1 + len(parameters)), 3.5)
  first, *others = figure.subplots(1, 1 + len(parameters), sharey=True, squeeze=False)[0]
  _scatter(first, points, {trial.number: trial.number for trial, *_ in points})
  finished = [(trial.number, value) for trial, state, value in points
              if state == trials.FINISHED]
  if finished:
    numbers, values = zip(*finished, strict=True)
    accumulate = np.minimum if less_is_better else np.maximum
    first.step(numbers, accumulate.accumulate(values), where="post", color="tab:orange",
               label="best so far")
  first.set(xlabel="trial", ylabel=metric)
  _count(first)
  for axis, parameter in zip(others, parameters, strict=True):
    if parameter.choices:
      axis.set_xticks(range(len(parameter.choices)),
                      [plots.literal(choice) for choice in parameter.choices])
      axis.set_xlim(-0.5, len(parameter.choices) - 0.5)
      places = {trial.number: parameter.choices.index(trial.values[parameter.name])
                for trial, *_ in points}
    else:
      places = {trial.number: trial.values[parameter.name] for trial, *_ in points}
    _scatter(axis, points, places)
    if parameter.is_log:
      axis.set_xscale("log")
    elif isinstance(parameter.low, int):
      _count(axis)
    axis.set_xlabel(plots.literal(parameter.name))
  if points:
    first.legend(fontsize="small")
  plots.save(figure, path)


def _scatter(axis, points, places: Mapping[int, space.Value]) -> None:
  """Draws the points at the places of their trials."""
  for state, color in _COLORS.items():
    chosen = [(places[trial.number], value) for trial, one, value in points
              if one == state]
    if chosen:
      axis.scatter(*zip(*chosen, strict=True), color=color, label=state, s=20)


def _count(axis) -> None:
  """Labels whole numbers only."""
  axis.xaxis.set_major_locator(plots.matplotlib().ticker.MaxNLocator(integer=True))
