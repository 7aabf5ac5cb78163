# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The report of the steps for two artificial models with known properties."""

import dataclasses
import re

import numpy as np
import pytest

from benchmarks.conditional import charts
from benchmarks.conditional import report
from benchmarks.conditional import step_study
from yt8m.data import label_sets
from yt8m.eval.metrics import streaming

N, C, K = 50, 6, 3
CHARTS = {name: f"{name}.png" for name in ("steps", "classes", "couplings")}


@pytest.fixture(name="labels", scope="module")
def _labels():
  labels = np.random.default_rng(0).random((N, C)) < 0.5
  labels[:, -1] = False  # a class without positives
  labels[0] = [1, 1, 1, 0, 0, 0]
  return labels


def measure(labels, seed):
  """Metrics of K steps, from random scores to perfect ones."""
  noise = np.random.default_rng(seed).random((N, C))
  steps = []
  for step in range(K):
    share = step / (K - 1)
    steps.append(streaming.EvaluationMetrics(C))
    steps[-1].accumulate(share * labels + (1 - share) * noise, labels, loss=1.0 - share)
  return steps


@pytest.fixture(name="study", params=[1, 2], scope="module")
def _study(request, labels):
  evidence = np.linspace(2, -3, C)
  return step_study.StepStudy(
      metrics=[{"scores": measure(labels, seed), "labels": measure(labels, seed)[:1] * K}
                for seed in range(request.param)],
      way="scores", step=K,
      videos=label_sets.LabelSets.from_matrix(
          labels, np.array([f"v{number:02}" for number in range(N)])),
      counts=np.array([5, 50, 500, 5_000, 50_000, 0]),
      dependence=np.array([0.1, 0.3, 0.6, 0.9, 1.0, 0.0]),
      information=np.array([0.05, 0.15, 0.3, 0.5, 0.7, 0.0]),
      partner=np.array([1, 0, 0, 0, 0, -1]), couplings=np.full((request.param, C), 0.4),
      coupling=0.3, evidence={3: evidence, 4: evidence}, names=list("abcdef"))


def rows(text, *start):
  """Returns the cells of all table rows that begin with `start`."""
  return [row for line in text.splitlines() if line.startswith("| ")
          for row in [[cell.strip() for cell in line.split("|")[1:-1]]]
          if row[:len(start)] == list(start)]


def test_all_labels_are_right_at_the_last_step(study):
  text = report.as_markdown(study, CHARTS)
  [[_, _, gap, mean, _, loss, *_]] = rows(text, "scores", "3")
  perfect = "1.0000" if len(study.metrics) == 1 else "1.0000 ± 0.0000"
  assert (gap, mean) == (perfect, perfect)
  assert loss.startswith("0.0000")
  assert rows(text, "labels", "3")[0][6].startswith("+0.0000")  # the same at every step
  for name in ("1,000 to 10,000", "0.8 to 0.95", "0.4 to 0.6"):  # class d in each kind
    _, classes, measured, change, before, after, gain = rows(text, name)[0]
    assert (classes, measured, after) == ("1", "1", perfect)
    assert float(before.split()[0]) + float(gain.split()[0]) == pytest.approx(1, abs=2e-4)
    assert float(change) == pytest.approx(study.class_change[3], abs=1e-4)
  assert "nan" not in text


def test_a_class_without_positives_is_not_measured(study):
  text = report.as_markdown(study, CHARTS)
  assert rows(text, "below 100")[0][1:3] == ["3", "2"]  # classes a, b and f


def test_a_group_without_positives_has_no_change(study, tmp_path):
  alone = dataclasses.replace(study, counts=np.array([50, 50, 50, 50, 50, 5_000]))
  text = report.as_markdown(alone, CHARTS)
  assert rows(text, "1,000 to 10,000")[0][1:4] == ["1", "0", "–"]
  assert "nan" not in text
  charts.write_classes(str(tmp_path / "classes.png"), alone)


def test_examples_follow_the_rule(study):
  text = report.as_markdown(study, CHARTS)
  shown = re.findall(r"`(v\d+)`, average precision (\S+) → (\S+); labels (.*)", text)
  assert len(shown) == 6  # none lost
  sizes = dict(zip(study.videos.ids, study.videos.sizes, strict=True))
  assert all(sizes[video] >= 3 and after == "1.00" for video, _, after, _ in shown)
  before = [float(value) for _, value, _, _ in shown]
  assert before == sorted(before)
  assert all(len(names.split(", ")) == sizes[video] for video, _, _, names in shown)


def test_evidence_for_others_leaves_out_the_rare(study):
  text = report.as_markdown(study, CHARTS)
  assert rows(text, "d")[-1] == ["d", "−1.0", "e −2.0", "e −2.0"]
  assert rows(text, "e")[-1] == ["e", "−2.0", "d −1.0", "d −1.0"]


def test_charts_are_written(study, tmp_path):
  for name in CHARTS:
    path = tmp_path / f"{name}.png"
    getattr(charts, f"write_{name}")(str(path), study)
    assert path.read_bytes().startswith(b"\x89PNG")
