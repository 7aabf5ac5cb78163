# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A gate names every condition that is not met, with both numbers."""

import json

import pytest

from yt8m.eval.metrics import gate

VALUES = {"gap": 0.65, "map": 0.4, "ece": 0.03, "avg_loss": 9.5, "avg_perr": 0.5,
          "avg_hit_at_one": 0.7, "brier": 0.1, "log_loss": 0.3}
SETTINGS = {"top_k": 20, "label_loss": "CrossEntropyLoss"}


def test_conditions_that_are_met():
  met = gate.required(["gap>=0.65", " ece < 0.04", "avg_loss<=9.5", "map>.39"])
  gate.check(met, VALUES)
  gate.check([], VALUES)


def test_every_condition_that_is_not_met_is_named():
  with pytest.raises(ValueError, match=r"gap is 0\.65, must be >= 0\.68 .*; ece is 0\.0"
                     r"3, must be <= 0\.02 \(--require\)\."):
    gate.check(gate.required(["gap>=0.68,map>0.1", "ece<=2e-2"]), VALUES)


def test_a_value_that_is_not_a_number_meets_nothing():
  for text in ("gap>=0", "gap<=1"):
    with pytest.raises(ValueError, match="gap is nan"):
      gate.check(gate.required([text]), VALUES | {"gap": float("nan")})


@pytest.mark.parametrize("text, error", [
    ("gap", "no condition: write one like gap>=0.68"), ("gap>=", "no condition"),
    ("", "no condition"), ("gap>=0.5,", "no condition"),
    ("gap=0.5", "no condition"), ("gap>=nan", "no condition"), ("gap>=0.5x", "no cond"),
    ("gpa>=0.5", "Unknown metric 'gpa'. Valid: gap, .*--require")])
def test_what_is_no_condition(text, error):
  with pytest.raises(ValueError, match=error):
    gate.required([text])


def write(tmp_path, **changes):
  path = tmp_path / "metrics-7.json"
  path.write_text(json.dumps(
      {**VALUES, **SETTINGS, "num_positives": {"0": 3, "2": 1}} | changes))
  return str(path)


def test_no_worse_than_a_baseline(tmp_path):
  path = write(tmp_path, gap=0.66, avg_loss=9.0)

  def allowing(*regressions):
    return gate.Baseline.load(path, regressions).requirements([3, 0, 1], SETTINGS)

  gate.check(allowing("gap:0.011", "avg_loss:0.6"), VALUES)
  gate.check(allowing("gap:0"), VALUES | {"gap": 0.9})  # Better is never too much.
  with pytest.raises(ValueError, match=r"gap is 0\.65, must be >= 0\.655 \(0\.66 in .*7\."
                     r"json, --max_regression=gap:0\.005\); avg_loss is 9\.5, must be"):
    gate.check(allowing("gap:0.005", "avg_loss:0"), VALUES)


def test_a_baseline_of_other_videos_is_refused(tmp_path):
  baseline = gate.Baseline.load(write(tmp_path), ["gap:0.01"])
  with pytest.raises(ValueError, match="measured on other videos"):
    baseline.requirements([3, 1, 1], SETTINGS)


@pytest.mark.parametrize("name, value", [("top_k", 1), ("label_loss", "HingeLoss")])
def test_a_baseline_measured_in_another_way_is_refused(tmp_path, name, value):
  baseline = gate.Baseline.load(write(tmp_path), ["gap:0.01"])
  with pytest.raises(ValueError, match=f"measured with {name} .*cannot be compared"):
    baseline.requirements([3, 0, 1], SETTINGS | {name: value})


@pytest.mark.parametrize("regressions, changes, error", [
    ([], {}, "--baseline needs --max_regression"),
    (["gap"], {}, "is not like gap:0.002"), (["gap:-"], {}, "is not like gap:0.002"),
    (["gpa:0.1"], {}, "Unknown metric"), ([""], {}, "is not like gap:0.002"),
    (["gap:0.9", "gap:0"], {}, "names gap twice"),
    (["gap:0.1"], {"gap": float("nan")}, "it has no gap"),
    (["gap:0.1"], {"gap": "high"}, "it has no gap.*Give --baseline a metrics"),
    (["gap:0.1"], {"num_positives": 3}, "Give --baseline a metrics")])
def test_what_is_no_baseline(tmp_path, regressions, changes, error):
  with pytest.raises(ValueError, match=error):
    gate.Baseline.load(write(tmp_path, **changes), regressions)
