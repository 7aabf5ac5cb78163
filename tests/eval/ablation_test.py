# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-ablation` as a user runs it: it finishes, resumes, and survives a failing row."""

import csv
import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.helpers import support
from yt8m.core import child_processes

FRAME = {"frame_features": True, "feature_names": "rgb,audio", "feature_sizes": "16,8",
         "num_classes": 13, "max_frames": 12, "batch_size": 16, "log_steps": 2}
TABLE = {
    "title": "Two heads",
    "sample_data": {"num_videos": 80, "num_classes": 13, "feature_sizes": "16,8",
                    "max_frames": 12, "num_shards": 2, "segments": False},
    "common": {**FRAME, "train_data_pattern": "{sample}/frame/train*.tfrecord",
               "num_epochs": 2},
    "evaluate": {"eval_data_pattern": "{sample}/frame/validate*.tfrecord", "top_k": 13},
    "paired_with": "logistic",
    "rows": [
        {"name": "logistic", "flags": {"model": "FrameLevelLogisticModel"},
         "figures": {"paper": "0.5"}},
        {"name": "hidden", "flags": {
            "model": "FrameLevelLogisticModel", "classifier": "hidden",
            "hparams": {"classifier": {"units": 8}}}},
        # The same training, evaluated in another way.
        {"name": "hidden-top1", "paired_with": "hidden", "evaluate": {"top_k": 1},
         "flags": {"model": "FrameLevelLogisticModel", "classifier": "hidden",
                   "hparams": {"classifier": {"units": 8}}},
         "figures": {"GAP, published": "0.25"}}],
}


def command(directory, table=None, *arguments):
  if table is not None:
    (directory / "heads.json").write_text(json.dumps(table))
  return ["yt8m.eval.ablation", f"--table={directory}/heads.json",
          f"--output_dir={directory}/out", f"--markdown={directory}/docs.md",
          "--seeds=2", "--num_processes=2", *arguments]


def results(directory):
  return {f"{path.parts[-3]} {path.parts[-2]}": path.stat().st_mtime_ns
          for path in (directory / "out" / "heads").glob("*/*/result.json")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
  """It is stopped by SIGTERM after its first run, and then started again."""
  directory = tmp_path_factory.mktemp("ablation")
  process = subprocess.Popen(
      [sys.executable, "-m", *command(directory, TABLE)], env=support.ENVIRONMENT,
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
  for line in process.stdout:
    if " [1/6] " in line:
      process.send_signal(signal.SIGTERM)
      break
  stopped_output = process.stdout.read()
  code = process.wait()
  before = results(directory)
  with child_processes.lock(directory / "out" / "heads"):
    pass  # Child processes hold the lock as well, so none is left.
  again = support.run_command(*command(directory))
  return directory, code, stopped_output, before, again.stderr


@pytest.mark.long
def test_a_stopped_ablation_goes_on_with_what_is_missing(finished):
  directory, code, stopped_output, before, output = finished
  assert code == 143 and "The same command continues" in stopped_output
  assert 1 <= len(before) <= 5
  assert f"6 runs, {len(before)} of them finished before" in output
  after = results(directory)
  assert len(after) == 6
  assert {name: after[name] for name in before} == before


@pytest.mark.long
def test_without_matplotlib_the_charts_are_left_out(finished, tmp_path):
  directory = finished[0]
  process = support.run_without_matplotlib(
      *command(directory)[:-3], f"--markdown={tmp_path}/docs.md", "--seeds=2")
  [line] = [line for line in process.stderr.splitlines() if "matplotlib" in line]
  assert "The charts are left out: matplotlib is missing" in line
  [document] = tmp_path.iterdir()
  assert "| hidden |" in document.read_text() and "![" not in document.read_text()


@pytest.mark.long
def test_results_are_those_of_the_commands(finished):
  directory = finished[0]
  run = directory / "out" / "heads" / "hidden" / "seed-1"
  log = (run / "log.txt").read_text()
  assert "$ yt8m-train --train_dir" in log and "--seed=1" in log
  printed = float(re.search(r"GAP: (0\.\d+)", log)[1])
  with open(directory / "out" / "heads" / "results.csv") as file:
    rows = {(row["row"], row["seed"]): row for row in csv.DictReader(file)}
  assert len(rows) == 6
  row = rows["hidden", "1"]
  assert float(row["gap"]) == pytest.approx(printed, abs=1e-4)
  assert int(row["parameters"]) == (24 + 1) * 8 + (8 + 1) * 13
  assert float(row["train_examples_per_second"]) > 0
  assert rows["hidden", "0"]["gap"] != row["gap"]
  # Models are deleted after evaluation; their configuration is kept.
  assert not list((run / "model").glob("model.ckpt*"))
  assert (run / "model" / "config.json").exists()


@pytest.mark.long
@pytest.mark.parametrize("evaluation", [{}, {"gap": "high"}])
def test_a_result_of_somebody_else_is_named(finished, evaluation):
  directory = finished[0]
  path = directory / "out" / "heads" / "hidden" / "seed-1" / "result.json"
  before = path.read_text()
  path.write_text(json.dumps({**json.loads(before), "evaluation": evaluation}))
  process = support.run_command(*command(directory), check=False)
  path.write_text(before)
  assert process.returncode == 1
  assert f"{path} is not what yt8m-ablation wrote" in process.stderr


@pytest.mark.long
def test_markdown_holds_the_statistics_of_the_csv(finished):
  directory = finished[0]
  with open(directory / "out" / "heads" / "results.csv") as file:
    rows = list(csv.DictReader(file))
  gaps = {name: np.array([float(row["gap"]) for row in rows if row["row"] == name])
          for name in ("logistic", "hidden")}
  text = (directory / "docs.md").read_text()
  first_table = text[:text.index("Mean ± sample standard deviation;")]
  cells = {line.split(" | ")[0][2:]: line.split(" | ")
           for line in first_table.splitlines() if line.startswith("| ")}

  def shown(values, spread, form=".4f"):
    return f"{values.mean():{form}} ± {spread:.4f}".replace("-", "−")

  for name, values in gaps.items():
    assert cells[name][2] == shown(values, values.std(ddof=1))
  difference = gaps["hidden"] - gaps["logistic"]
  assert cells["hidden"][cells["row"].index("Δ GAP")] == shown(
      difference, difference.std(ddof=1) / np.sqrt(2), "+.4f")
  assert cells["logistic"][-1].startswith("0.5")
  assert cells["hidden"][-1].startswith("–")
  assert cells["row"][3] == "GAP, published"
  assert [cells[name][3] for name in ("logistic", "hidden", "hidden-top1")] == [
      "–", "–", "0.25"]
  assert "synthetic" in text and "yt8m-ablation --table=" in text
  assert """'--hparams={"classifier": {"units": 8}}'""" in text
  typed = [line for line in text.splitlines() if line.startswith("    yt8m-train")]
  assert len(typed) == 2 and text.count("--top_k=1 ") + text.count("--top_k=1\n") == 1
  assert (directory / "heads.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.long
def test_rows_that_differ_in_their_evaluation_share_the_model(finished):
  directory = finished[0]
  results = [json.loads(
      (directory / "out" / "heads" / name / "seed-1" / "result.json").read_text())
      for name in ("hidden", "hidden-top1")]
  one, other = (result["evaluation"] for result in results)
  assert one["gap"] != other["gap"] and one["avg_loss"] == other["avg_loss"]
  assert [result["settings"]["evaluate"]["top_k"] for result in results] == [13, 1]
  logs = "".join(path.read_text() for path in
                 (directory / "out" / "heads").glob("hidden*/seed-1/log.txt"))
  assert logs.count("$ yt8m-eval") == 2


@pytest.mark.long
def test_changed_rows_run_again_and_a_failing_one_is_marked(finished):
  directory, before = finished[0], results(finished[0])
  rows = [TABLE["rows"][0], {"name": "hidden", "flags": {
      **TABLE["rows"][1]["flags"], "optimizer": "NoSuchOptimizer"}}]
  process = support.run_command(
      *command(directory, {**TABLE, "rows": rows}), check=False)
  assert process.returncode == 1
  assert "4 runs, 2 of them finished before" in process.stderr
  assert process.stderr.count("FAILED: yt8m-train ended with code 1") == 2
  assert "NoSuchOptimizer" in process.stderr
  after = results(directory)
  assert after == {name: time for name, time in before.items()
                   if not name.startswith("hidden ")}
  assert "| hidden (**failed**: 2 of 2) | – |" in (directory / "docs.md").read_text()


def test_two_at_a_time_in_one_directory_is_an_error(tmp_path):
  with child_processes.lock(tmp_path / "out" / "heads"):
    process = support.run_command(*command(tmp_path, TABLE), check=False)
  assert process.returncode == 1
  assert "ERROR: Another yt8m-ablation is at work in" in process.stderr


def test_an_empty_directory_name_is_an_error(tmp_path):
  process = support.run_command(
      "yt8m.eval.ablation", "--table=options-audioset", "--output_dir=", check=False)
  assert process.returncode == 1
  assert "ERROR: --output_dir is empty" in process.stderr


def test_a_run_deletes_no_checkpoint_that_it_did_not_write(tmp_path):
  """Neither in a directory of the user, nor behind a link."""
  foreign = tmp_path / "mine"
  foreign.mkdir()
  for name in ("checkpoint", "model.ckpt-1.index"):
    (foreign / name).write_text("mine")
  for row in TABLE["rows"]:
    run = tmp_path / "out" / "heads" / row["name"] / "seed-0"
    run.mkdir(parents=True)
    (run / "model").symlink_to(foreign)
  (run / "log.txt").symlink_to(foreign / "checkpoint")
  for name in (".lock", "sample-log.txt"):
    (tmp_path / "out" / "heads" / name).symlink_to(foreign / "checkpoint")
  process = support.run_command(
      *command(tmp_path, TABLE), "--seeds=1", check=False)
  assert process.returncode == 1 and "is a symbolic link to" in process.stderr
  assert {path.name: path.read_text() for path in foreign.iterdir()} == {
      "checkpoint": "mine", "model.ckpt-1.index": "mine"}


def test_missing_records_are_an_error_before_anything_runs(tmp_path):
  process = support.run_command(
      "yt8m.eval.ablation", "--table=options-audioset", f"--output_dir={tmp_path}",
      check=False)
  assert process.returncode == 1
  assert "add --data_dir. It reads {data}/audioset" in process.stderr
  process = support.run_command(
      "yt8m.eval.ablation", "--table=options-audioset", f"--output_dir={tmp_path}/out",
      f"--data_dir={tmp_path}", check=False)
  assert process.returncode == 1
  assert f"{tmp_path}/audioset/bal_train" in process.stderr


def test_stop_ends_children_and_starts_no_more(tmp_path):
  runner = child_processes.Runner(num_threads=1)
  runner.stop()
  with open(tmp_path / "log", "w") as log, pytest.raises(child_processes.Stopped):
    runner.run(["yt8m-eval"], log)


def test_a_run_that_a_killed_ablation_left_behind_is_waited_for(tmp_path):
  hold = (f"import os, sys, time; from yt8m.core import child_processes\n"
          f"with child_processes.lock({str(tmp_path)!r}) as lock:\n"
          "  if os.fork(): os.kill(os.getpid(), 9)\n"
          "  os.closerange(0, 3); time.sleep(2)\n"  # like a training
          "  os._exit(0)\n")
  process = support.run_command("timeit", "-n1", "-r1", hold, check=False)
  assert process.returncode == -signal.SIGKILL, process.stderr
  began = time.monotonic()
  with child_processes.lock(tmp_path):
    assert time.monotonic() - began > 1


def test_rows_belong_to_one_table(tmp_path):
  process = support.run_command(
      "yt8m.eval.ablation", "--table=classifiers,options-sample", "--rows=moe",
      f"--output_dir={tmp_path}/out", check=False)
  assert process.returncode == 1
  assert "--rows needs exactly one --table." in process.stderr
