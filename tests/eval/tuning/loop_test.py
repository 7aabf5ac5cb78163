# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Searches with a stand-in for the trainings: what is tried, kept, resumed, given up."""

import json
import os
import pathlib
import sys

import pytest

from tests.helpers import small_job
from yt8m.core import child_processes
from yt8m.eval.metrics import results
from yt8m.eval.tuning import loop
from yt8m.eval.tuning import trials


class Trainings:
  """Stands in for `child_processes.Runner`: the metric is best where x is 3.

  Args:
    fail: Values of x that fail.
    stop_at: Number of the training before which the runner is stopped.
  """

  def __init__(self, fail=(), stop_at=None):
    self.fail, self.stop_at, self.ran, self.given_up = fail, stop_at, [], 0

  def stop(self):
    pass

  def run(self, command, log, should_end):
    print(*command, file=log)
    flags = dict(word.lstrip("-").partition("=")[::2] for word in command[1:])
    if len(self.ran) == self.stop_at:
      raise child_processes.Stopped
    x = float(flags["x"])
    self.ran.append(x)
    if x in self.fail or "all" in self.fail:
      raise child_processes.RunFailed("yt8m-train ended with code 1")
    train_dir = pathlib.Path(flags["train_dir"])
    if not (train_dir / "config.json").exists():
      small_job.write_model(train_dir)
    folder = train_dir / "eval" / "validate-0"
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for step in (1, 2, 3):
      lines.append({"step": step, "gap": 1 / (1 + abs(x - 3)) * step / 3, "ece": x})
      results.write_history(str(folder), lines)
      if should_end():
        self.given_up += 1
        return True
    return False


def tuned(folder, num_trials, runner=None, num_processes=1, keep=False, chart=None,
          **settings):
  settings = {"flags": ["--y=1"], "search": ["x=0.0..10.0"], "metric": "gap",
              "sampler": "tpe", "pruner": "none", "seed": 0, **settings}
  runner = runner or Trainings()
  os.makedirs(folder, exist_ok=True)
  tuning = loop.Tuning(
      loop.Settings(**settings), str(folder), num_trials, keep_checkpoints=keep,
      less_is_better=settings["metric"] == "ece", chart=chart)
  tuning.run(runner, num_processes)
  return tuning, runner


def values(folder):
  return [json.loads(path.read_text())["values"]["x"]
          for path in sorted(pathlib.Path(folder).glob("trials/*/trial.json"))]


def test_the_search_finds_the_best_value_and_keeps_its_model(tmp_path):
  tuning, runner = tuned(tmp_path, 25, chart=str(tmp_path / "tuning.png"))
  trial, gap, step = tuning.best()
  assert len(runner.ran) == 25 and step == 3
  assert min(abs(x - 3) for x in runner.ran) == abs(trial.values["x"] - 3) < 0.4
  assert gap == pytest.approx(1 / (1 + abs(trial.values["x"] - 3)))
  # It learns: the later half is nearer.
  assert sum(abs(x - 3) for x in runner.ran[12:]) < sum(
      abs(x - 3) for x in runner.ran[:12])
  kept = {path.parts[-3] for path in tmp_path.glob("trials/*/model/model.ckpt-7.index")}
  assert kept == {f"{trial.number:03d}"}
  text = (tmp_path / "tuning.md").read_text()
  assert text.startswith(loop.TITLE) and "![Trials](tuning.png)" in text
  assert f"The best is trial {trial.number}: gap {gap:.4f} at step 3" in text
  assert f"yt8m-train --train_dir=model --y=1 --x={trial.values['x']}\n" in text
  rows = [line for line in text.splitlines() if " | finished | " in line]
  assert len(rows) == 25 and rows[0].startswith(f"| {trial.number} | {gap:.4f} | 3 |")
  assert (tmp_path / "tuning.png").read_bytes().startswith(b"\x89PNG")


def test_less_may_be_better(tmp_path):
  tuning, runner = tuned(tmp_path, 4, metric="ece", keep=True)
  trial, ece, step = tuning.best()
  assert (ece, step) == (min(runner.ran), 1) and trial.values["x"] == ece
  assert len([*tmp_path.glob("trials/*/model/model.ckpt-7.index")]) == 4


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_search_that_was_stopped_tries_the_same(sampler, tmp_path):
  tuned(tmp_path / "a", 16, sampler=sampler)
  for stop_at in (0, 3, 9):
    with pytest.raises(child_processes.Stopped):
      tuned(tmp_path / "b", 16, Trainings(stop_at=stop_at), sampler=sampler)
  tuning, again = tuned(tmp_path / "b", 16, sampler=sampler)
  again_best = tuning.best()[0]
  assert values(tmp_path / "a") == values(tmp_path / "b")
  assert len(again.ran) == 16 - 12
  # Nothing is missing now; with more trials it goes on. With fewer, all count.
  fewer, runner = tuned(tmp_path / "b", 1, sampler=sampler)
  assert not runner.ran and fewer.best()[0].values == again_best.values
  assert not tuned(tmp_path / "b", 16, sampler=sampler)[1].ran
  assert len(tuned(tmp_path / "b", 17, sampler=sampler)[1].ran) == 1


def test_several_at_a_time(tmp_path):
  tuning, runner = tuned(tmp_path, 12, num_processes=4)
  assert len(runner.ran) == 12 == len(set(values(tmp_path)))
  assert tuning.best()[0].values["x"] == min(runner.ran, key=lambda x: abs(x - 3))


def test_a_trial_worse_than_the_median_is_given_up(tmp_path):
  tuning, runner = tuned(tmp_path, 20, pruner="median", sampler="random")
  assert runner.given_up > 2
  states = [json.loads(path.read_text())["state"]
            for path in tmp_path.glob("trials/*/result.json")]
  assert states.count(trials.PRUNED) == runner.given_up
  assert states.count(trials.FINISHED) == 20 - runner.given_up
  best = min(runner.ran, key=lambda x: abs(x - 3))
  assert tuning.best()[0].values["x"] == best


def test_a_failed_trial_ends_the_search_only_if_it_is_the_first(tmp_path):
  with pytest.raises(child_processes.RunFailed, match="The first trial failed; correct "
                                                      "the flags .*code 1"):
    tuned(tmp_path, 5, Trainings(fail=["all"]))
  assert not [*tmp_path.glob("trials/*/result.json")]
  # Other flags are another search; it begins where nothing was learnt.
  _, runner = tuned(tmp_path, 5, flags=["--y=2"])
  assert len(runner.ran) == 5
  fail = [values(tmp_path)[4]]
  other = tmp_path / "other"
  tuning, runner = tuned(other, 6, Trainings(fail=fail), flags=["--y=2"])
  assert len(runner.ran) == 6
  assert tuning.num_failed == 1 and len([*other.glob("trials/*/result.json")]) == 5
  assert "| 4 | – | – | failed |" in (other / "tuning.md").read_text()
  # The same command tries it again.
  tuning, again = tuned(other, 6, flags=["--y=2"])
  assert (again.ran, tuning.num_failed) == (fail, 0)
  assert "failed" not in (other / "tuning.md").read_text()


@pytest.mark.parametrize("change, named", [
    ({"flags": ["--y=2"]}, "flags"), ({"seed": 1}, "seed"), ({"metric": "ece"}, "metric"),
    ({"search": ["x=0.0..9.0"]}, "search"), ({"sampler": "random"}, "sampler"),
    ({"pruner": "median"}, "pruner"),
    ({"records": {"eval_data_pattern": "0f"}}, "records")])
def test_trials_of_another_search_are_not_mixed_in(change, named, tmp_path):
  tuned(tmp_path, 2)
  with pytest.raises(ValueError, match=f"000/trial.json.*what differs: {named} .*"
                                       "another --output_dir"):
    tuned(tmp_path, 2, **change)


def test_files_of_somebody_else_are_named(tmp_path):
  tuned(tmp_path, 2)
  result, trial = (tmp_path / f"trials/001/{name}.json" for name in ("result", "trial"))
  before = result.read_text()
  for change, reason in (
      ({"state": "good"}, "state"), ({"values": [1.0]}, "not one value for each step"),
      ({"values": ["a", "b", "c"]}, "values"), ({"values": [], "steps": []}, "no values"),
      ({"seconds": None}, "seconds"), ({"seconds": -1}, "seconds")):
    result.write_text(json.dumps({**json.loads(before), **change}))
    with pytest.raises(ValueError, match="001/result.json is not a result of yt8m-tune "
                       f".*{reason}.*Delete it, and the trial is repeated"):
      tuned(tmp_path, 2)
  result.write_text(json.dumps({**json.loads(before), "values": [0.1, 0.2, 7.5]}))
  with pytest.raises(ValueError, match="001/result.json differs from what was measured"):
    tuned(tmp_path, 2)
  result.write_text(before)
  content = json.loads(trial.read_text())
  for change in ({"x": 11.0}, {"x": 3}, {}, {"x": 3.0, "train_dir": "/"}):
    trial.write_text(json.dumps({**content, "values": change}))
    with pytest.raises(ValueError, match="001/trial.json.*not those of --search"):
      tuned(tmp_path, 2)


def test_checkpoints_are_not_deleted_through_links(tmp_path):
  theirs = small_job.write_model(tmp_path / "theirs")
  tuned(tmp_path / "out", 1)
  os.makedirs(tmp_path / "out/trials/001")
  os.symlink(theirs, tmp_path / "out/trials/001/model")
  with pytest.raises(OSError, match="model holds files of others: .*symbolic link"):
    tuned(tmp_path / "out", 2)
  assert os.path.exists(f"{theirs}/model.ckpt-7.index")


def test_without_optuna_the_error_says_what_to_install(monkeypatch, tmp_path):
  monkeypatch.setitem(sys.modules, "optuna", None)
  with pytest.raises(ValueError, match=r"needs Optuna: run pip install 'yt8m\[tune\]'"):
    tuned(tmp_path, 1)
