# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables, the picture, and the section of a page."""

import json

import pytest

from benchmarks.suite import report
from yt8m.core import plots

ROWS = [{"model": "a", "% of matmul": 0.61, "stock % of matmul": 0.5, "MiB": 1234.5},
        {"model": "b", "% of matmul": 0.031, "stock % of matmul": None, "MiB": 3.25}]
RESULTS = {
    "about": {"date": "2026-11-29", "device": "CPU:0", "cores": 2, "python": "3.11",
              "tensorflow": "2.21", "quick": False, "load before": "0.1, 0.1, 0.1",
              "load after": "1.9, 1.0, 0.5"},
    "parts": {"steps": {"title": "Training steps", "note": "Why.", "seconds": 12.3,
                        "rows": ROWS},
              "metrics": {"title": "Metrics", "note": "What.", "seconds": 1.0, "rows": [
                  {"what": "ours", "% of top_k, CPU": 0.8},
                  {"what": "tf.math.top_k", "% of top_k, CPU": 1.0}]}}}


def test_table():
  assert report.table(ROWS).splitlines() == [
      "| model | % of matmul | stock % of matmul | MiB |", "| --- | ---: | ---: | ---: |",
      "| a | 61 % | 50 % | 1,234 |", "| b | 3.1 % | – | 3.25 |"]


def test_files(tmp_path):
  report.write(RESULTS, str(tmp_path / "new"))
  assert json.loads((tmp_path / "new/results.json").read_text()) == RESULTS
  text = (tmp_path / "new/results.md").read_text()
  assert "load average before 0.1, 0.1, 0.1, after 1.9, 1.0, 0.5." in text
  assert "### Metrics" in text and "QUICK" not in text
  assert plots.is_ours(str(tmp_path / "new/results.png"))


def test_limits_are_no_bars():
  assert [row["what"] for row in report._shown(RESULTS["parts"]["metrics"]["rows"])
          ] == ["ours"]


def test_only_the_section_is_replaced():
  page = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"
  once = report.replace_section(page, "x", "new\n")
  assert once == "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n"
  assert report.replace_section(once, "x", "new") == once
  with pytest.raises(ValueError, match="no section 'y'"):
    report.replace_section(page, "y", "new")
