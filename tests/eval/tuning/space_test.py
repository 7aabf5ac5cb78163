# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The values of --search: ranges, choices, and what is neither."""

import pytest

from yt8m.eval.tuning import space


@pytest.mark.parametrize("text, parameter", [
    ("base_learning_rate=1e-4..1e-1:log",
     space.Parameter("base_learning_rate", 1e-4, 0.1, True)),
    ("classifier.head.num_mixtures=2..8",
     space.Parameter("classifier.head.num_mixtures", 2, 8)),
    ("x=-1..0.5", space.Parameter("x", -1.0, 0.5)),
    ("x=.5..1.", space.Parameter("x", 0.5, 1.0)),
    ("batch_size=64, 128", space.Parameter("batch_size", choices=("64", "128"))),
    ("x=a=b,c", space.Parameter("x", choices=("a=b", "c")))])
def test_ranges_and_choices(text, parameter):
  found = space.Parameter.parse(text)
  assert found == parameter
  assert type(found.low) is type(parameter.low)


@pytest.mark.parametrize("text, reason", [
    ("rate", "names no flag"), ("=1..2", "names no flag"), ("--rate=1..2", "no flag"),
    ("x=1", "at least two values"), ("x=", "at least two"), ("x=a,a", "which differ"),
    ("x=a,,b", "at least two"), ("x=2..1", "is empty"), ("x=1..1", "is empty"),
    ("x=1....2", "no range"), ("x=1..2..3", "no range"), ("x=a..b", "no range"),
    ("x=nan..1", "no range"), ("x=1..inf", "no range"), ("x=1..2:lin", "no range"),
    ("x=0..1:log", "above 0"), ("x=1e400..2", "is empty or reaches"),
    ("x=1..99999999999", "reaches beyond")])
def test_other_texts_are_errors_that_show_the_form(text, reason):
  with pytest.raises(ValueError, match=f"--search=.*{reason}.*Write NAME=LOW..HIGH"):
    space.Parameter.parse(text)


def test_names_are_given_once():
  with pytest.raises(ValueError, match="--search is missing"):
    space.parse([])
  with pytest.raises(ValueError, match="names x twice"):
    space.parse(["x=1..2", "y=1..2", "x=3,4"])


def test_arguments():
  whole = space.Parameter.parse("aggregation.clusters=2..8")
  assert whole.argument(4) == "--set=aggregation.clusters=4"
  rate = space.Parameter.parse("rate=0.1..0.2")
  assert rate.argument(0.1234567890123) == "--rate=0.1234567890123"


def test_values_of_other_searches_are_not_accepted():
  whole = space.Parameter.parse("x=2..8")
  assert whole.accepts(8) and not any(map(whole.accepts, (9, 2.0, "2", True)))
  number = space.Parameter.parse("x=0.5..1")
  assert number.accepts(1.0) and not any(map(number.accepts, (1, 0.4, float("nan"))))
  choice = space.Parameter.parse("x=2,8")
  assert choice.accepts("2") and not any(map(choice.accepts, (2, "3", None)))
