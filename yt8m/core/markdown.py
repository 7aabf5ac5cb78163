# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Markdown tables, and figures as they stand in them."""

import math

import numpy as np


def make(titles, rows, left=("row",)):
  """A table; columns stand at the right but for those whose titles are in `left`."""
  rule = ["---" if title in left else "---:" for title in titles]
  return "\n".join("| " + " | ".join(cells) + " |" for cells in (titles, rule, *rows))


def with_deviation(values, digits=4):
  """`"0.1234 ± 0.0012"`: mean and deviation; the mean alone of one value, – of none."""
  if not values:
    return "–"
  return plus_minus(*mean_and_deviation(values), f".{digits}f")


def with_error(differences, digits=4):
  """`"+0.0012 ± 0.0003"`: the same of differences, with the standard error."""
  if not differences:
    return "–"
  return plus_minus(*mean_and_error(differences), f"+.{digits}f")


def plus_minus(mean, spread, form):
  """The same of what was computed already; a spread of NaN is left out."""
  text = format(mean, form).replace("-", "−")
  return text if math.isnan(spread) else f"{text} ± {format(spread, form.lstrip('+'))}"


def mean_and_deviation(values):
  """Mean and sample standard deviation; the latter NaN of a single value."""
  deviation = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
  return float(np.mean(values)), deviation


def mean_and_error(differences):
  """Mean and its standard error; the latter NaN of a single value."""
  mean, deviation = mean_and_deviation(differences)
  return mean, deviation / math.sqrt(len(differences))
