# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables in Markdown, and how they show a mean with its spread."""

import math
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np


def make(titles: Sequence[str], rows: Iterable[Iterable[str]],
         left: Collection[str] = ("row",)) -> str:
  """Returns a table.

  >>> from yt8m.core import markdown
  >>> print(markdown.make(["row", "GAP"], [["mean", "0.8"]]))
  | row | GAP |
  | --- | ---: |
  | mean | 0.8 |

  Args:
    titles: Titles of the columns.
    rows: Texts of the cells, row by row.
    left: Titles of the columns that are aligned to the left.
  """
  rule = ["---" if title in left else "---:" for title in titles]
  return "\n".join("| " + " | ".join(cells) + " |" for cells in (titles, rule, *rows))


def with_deviation(values: Sequence[float], digits: int = 4) -> str:
  """Returns mean and standard deviation, `"–"` if there are no values.

  >>> from yt8m.core import markdown
  >>> markdown.with_deviation([0.5, 0.7])
  '0.6000 ± 0.1414'
  """
  if not values:
    return "–"
  return plus_minus(*mean_and_deviation(values), f".{digits}f")


def with_error(differences: Sequence[float], digits: int = 4) -> str:
  """Returns mean and standard error with a sign, `"–"` if there are no differences.

  >>> from yt8m.core import markdown
  >>> markdown.with_error([-0.1, -0.3], digits=2)
  '−0.20 ± 0.10'
  """
  if not differences:
    return "–"
  return plus_minus(*mean_and_error(differences), f"+.{digits}f")


def plus_minus(mean: float, spread: float, form: str) -> str:
  """Returns `mean ± spread` in a number format; a spread of NaN is left out."""
  text = format(mean, form).replace("-", "−")
  return text if math.isnan(spread) else f"{text} ± {format(spread, form.lstrip('+'))}"


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
  """Returns mean and sample standard deviation, which is NaN for a single value."""
  deviation = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
  return float(np.mean(values)), deviation


def mean_and_error(differences: Sequence[float]) -> tuple[float, float]:
  """Returns mean and standard error of the mean, which is NaN for a single value."""
  mean, deviation = mean_and_deviation(differences)
  return mean, deviation / math.sqrt(len(differences))
