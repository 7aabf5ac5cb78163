# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Markdown tables, compared with tables written by hand."""

import math

from yt8m.core import markdown


def test_a_table():
  assert markdown.make(["row", "x"], [["a", "1"], ["b", "2"]]) == (
      "| row | x |\n| --- | ---: |\n| a | 1 |\n| b | 2 |")


def test_figures():
  assert markdown.with_deviation([0.5]) == "0.5000"
  assert markdown.with_deviation([0.5, 0.7], 2) == "0.60 ± 0.14"
  assert markdown.with_error([-0.1, -0.3]) == "−0.2000 ± 0.1000"
  assert markdown.with_error([0.25], 1) == "+0.2"
  assert markdown.with_error([]) == markdown.with_deviation([]) == "–"
  assert markdown.plus_minus(1.0, math.nan, ".1f") == "1.0"
