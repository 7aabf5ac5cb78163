# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A metric of the user's own, in training and in evaluation."""

import concurrent.futures
import json

import pytest

from tests.helpers import own_code
from tests.helpers import support
from tests.yt8m.training import workers_test

FAULTY = """
import tensorflow as tf
class Named(tf.keras.metrics.Mean):
  pass
class Gap(Named):
  def __init__(self):
    super().__init__(name="gap")
class Needs(Named):
  def __init__(self, number):
    super().__init__(name="needs")
class Many(tf.keras.metrics.Metric):
  def update_state(self, y_true, y_pred):
    pass
  def result(self):
    return [1.0, 2.0]
"""


@pytest.fixture
def example(tmp_path, monkeypatch):
  return own_code.Example("Metric", tmp_path, monkeypatch)


def history(folder):
  path = support.evaluated(folder / "model", "metrics.jsonl")
  return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_example_of_the_page(example):
  train, evaluate = example.commands()
  folder = example.folder
  flags = ["--export_model_steps=2", "--base_learning_rate=0.3"]
  for steps in (4, 8):
    process = example.run(train, *flags, f"--max_steps={steps}")
  lines = history(folder)
  values = [line["coverage"] for line in lines]
  assert [line["step"] for line in lines] == [2, 4, 6, 8]
  assert f"| coverage: {values[-1]:.4f}" in process.stderr
  best = json.loads((folder / "model" / "best.json").read_text())
  assert best["metric"] == "coverage" and best["value"] == min(values)
  assert len(set(values)) > 1
  # The best checkpoint, by the same metric and on the same records.
  process = example.run(evaluate)
  assert f"step {best['step']} | " in process.stdout
  assert f"| coverage: {best['value']:.4f}\n" in process.stdout
  path = support.evaluated(folder / "model", f"metrics-{best['step']}.json")
  found = json.loads(path.read_text())["coverage"]
  assert found == pytest.approx(best["value"], rel=1e-6) and 1 < found <= 13
  failed = example.run([word.replace("=coverage<=13", "=coverage<=1")
                        for word in evaluate], check=False)
  assert failed.returncode == 1
  assert "coverage is " in failed.stderr and ", must be <= 1 (--require)" in failed.stderr
  # Less is better: a baseline that is worse may not be undercut the other way.
  example.run(evaluate, f"--baseline={path}", "--max_regression=coverage:0")


@pytest.mark.parametrize("flags, message", [
    (["--metrics=faulty:Gap"], "--metrics=faulty:Gap has the name 'gap': give it one"),
    (["--metrics=faulty:Needs"], "Name a class whose constructor needs no arguments"),
    (["--metrics=faulty:Many"], "its result() must be one number"),
    (["--metrics=faulty:tf"], "it must be a Metric"),
    (["--metrics=my_metrics:Coverage", "--best_metric=cover"],
     "Unknown metric 'cover'. Valid: coverage, "),
])
def test_errors(example, flags, message):
  (example.folder / "faulty.py").write_text(FAULTY)
  train = ["yt8m-train", "--train_dir=model", example.validate_records]
  failed = example.run(train, *flags, "--max_steps=1", check=False)
  assert failed.returncode == 1 and message in failed.stderr, failed.stderr
  assert "Traceback" not in failed.stderr


def test_a_metric_needs_records_to_evaluate_on(example):
  failed = example.run(["yt8m-train", "--train_dir=model"],
                       "--metrics=my_metrics:Coverage", check=False)
  assert "needs --eval_data_pattern: alone, it has no effect" in failed.stderr


def test_two_workers_refuse_it(example):
  example.run(["yt8m-train", "--train_dir=model"], "--max_steps=1")
  evaluate = example.commands()[1]
  with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for failed in pool.map(lambda environment: example.run(
        evaluate, check=False, environment=environment), workers_test.environments()):
      assert failed.returncode == 1
      assert "--metrics are measured by one worker" in failed.stderr
