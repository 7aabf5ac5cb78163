# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Markdown tables, and figures as they stand in them."""

import math

from yt8m.eval import ablation_numbers as numbers


def make(titles, rows, left=("row",)):
  """A table; columns stand at the right but for those whose titles are in `left`."""
  rule = ["---" if title in left else "---:" for title in titles]
  return "\n".join("| " + " | ".join(cells) + " |" for cells in (titles, rule, *rows))


def with_deviation(values, digits=4):
  """`"0.1234 ± 0.0012"`: mean and deviation; the mean alone of one value, – of none."""
  if not values:
    return "–"
  return plus_minus(*numbers.mean_and_deviation(values), f".{digits}f")


def with_error(differences, digits=4):
  """`"+0.0012 ± 0.0003"`: the same of differences, with the standard error."""
  if not differences:
    return "–"
  return plus_minus(*numbers.mean_and_error(differences), f"+.{digits}f")


def plus_minus(mean, spread, form):
  """The same of what was computed already; a spread of NaN is left out."""
  text = format(mean, form).replace("-", "−")
  return text if math.isnan(spread) else f"{text} ± {format(spread, form.lstrip('+'))}"
