# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A session from the data to the server: what is on stderr, line by line."""

import importlib.util
import json
import os
import signal
import subprocess
import sys

import pytest

from tests.helpers import processes
from tests.helpers import support
from tests.helpers import terminal

pytestmark = pytest.mark.long
# As users have it, with the log of TensorFlow.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith("TF_CPP_")} | {"PYTHONPATH": str(support.ROOT)}
FEATURES = ("--frame_features", "--feature_names=rgb,audio", "--feature_sizes=1024,128")


def session(folder):
  """Returns the words of the commands before the server."""
  records = f"{folder}/sample/frame"
  return {
      "sample_data": ["yt8m.sample_data", f"--output_dir={folder}/sample",
                      "--num_videos=80", "--num_classes=20", "--max_frames=12"],
      "train": ["yt8m.train", *FEATURES, "--model=FrameLevelLogisticModel",
                f"--train_data_pattern={records}/train*.tfrecord", "--num_classes=20",
                f"--eval_data_pattern={records}/validate*.tfrecord", "--batch_size=16",
                f"--train_dir={folder}/model", "--max_steps=4", "--log_steps=2"],
      "eval": ["yt8m.eval.evaluate", f"--train_dir={folder}/model", "--run_once",
               f"--eval_data_pattern={records}/validate*.tfrecord"],
      "export": ["yt8m.export.export_model", f"--train_dir={folder}/model",
                 f"--output_dir={folder}/serving/1"],
      "inference": ["yt8m.export.inference", f"--saved_model={folder}/serving/1",
                    f"--input_data_pattern={records}/test*.tfrecord",
                    f"--output_file={folder}/out.csv", "--num_processes=2"],
  }


@pytest.fixture(scope="module")
def stderr(tmp_path_factory):
  """Returns the lines on stderr by command, each with --log_json."""
  folder, found = tmp_path_factory.mktemp("session"), {}
  for name, words in session(folder).items():
    process = subprocess.run(
        [sys.executable, "-m", *words, "--log_json"], env=ENVIRONMENT, cwd=support.ROOT,
        capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    found[name] = process.stderr.splitlines()
  if importlib.util.find_spec("ray"):
    found["serve"] = of_server(folder)
  return found


def of_server(folder):
  """Starts a server, asks it once, and stops it; returns its lines."""
  [port] = processes.free_ports(1)
  log = folder / "serve.txt"
  with log.open("w") as file:
    process = subprocess.Popen(
        [sys.executable, "-m", "yt8m.export.serve", f"--model_dir={folder}/serving",
         f"--port={port}", "--access_log", "--log_json"], env=ENVIRONMENT,
        cwd=support.ROOT, stdout=subprocess.DEVNULL, stderr=file)
  try:
    processes.wait_for(lambda: "Ready: " in log.read_text(), process)
    asked = subprocess.run(
        [sys.executable, "-c", "import sys, urllib.request as r\n"
         "print(r.urlopen(sys.argv[1]).status)",
         f"http://127.0.0.1:{port}/v1/models/default"], capture_output=True, text=True)
    assert asked.stdout == "200\n", asked.stderr
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 0
  finally:
    process.kill()
  return log.read_text().splitlines()


def parsed(line):
  try:
    return json.loads(line)
  except ValueError:
    return None


def test_a_session_shows_at_most_two_lines_of_others(stderr):
  foreign = [line for lines in stderr.values() for line in lines if not parsed(line)]
  assert len(foreign) <= 2, "\n".join(foreign)


def test_every_line_of_ours_is_a_json_object(stderr):
  for lines in stderr.values():
    for line in filter(None, map(parsed, lines)):
      assert line["time"][:2] == "20" and isinstance(line.get("message", ""), str)
      assert line.get("level", "INFO") in ("INFO", "WARNING")
  steps = [line for line in map(parsed, stderr["train"]) if line and "rate" in line]
  assert [line["step"] for line in steps if "loss" in line] == [2, 4]
  for line in steps:
    assert line["message"].startswith(f"step {line['step']}/4 | epoch {line['epoch']} | ")
    assert f"GAP {line['gap']:.3f}" in line["message"]
    assert line["rate"] > 0 and line["seconds_left"] >= 0
  evaluated = [line for line in map(parsed, stderr["train"]) if line and "map" in line]
  assert evaluated and evaluated[-1]["step"] == 4


def test_the_description_of_a_training_is_five_lines(stderr):
  lines = [line["message"] for line in map(parsed, stderr["train"]) if line]
  described = lines[:next(i for i, line in enumerate(lines) if "Labels of" in line)]
  assert [line.partition(": ")[0] for line in described] == [
      "Model", "Parameters", "Data", "Training", "Directory"]
  assert "fusion concat, aggregation mean, classifier logistic" in described[0]
  assert described[1].startswith(f"Parameters: {1152 * 20 + 20:,} ")


def test_verbosity_brings_the_log_of_tensorflow_back(tmp_path):
  words = session(tmp_path)["sample_data"]
  process = subprocess.run(
      [sys.executable, "-m", *words, "--verbosity=1"], env=ENVIRONMENT, cwd=support.ROOT,
      capture_output=True, text=True)
  assert process.returncode == 0 and ".cc:" in process.stderr


def test_training_on_a_terminal_has_one_live_line(tmp_path):
  commands = session(tmp_path)
  commands["train"] += ["--max_steps=60", "--num_epochs=30"]
  for name in ("sample_data", "train"):
    seen = terminal.run([sys.executable, "-m", *commands[name]], ENVIRONMENT, width=160)
    assert seen.code == 0
  live = [state for state in seen.states if "/60 | epoch" in state]
  assert any("loss" in state and "GAP" in state and "left" in state for state in live)
  assert not [line for line in seen.lines if "/60 | epoch" in line]
  assert not [line for line in seen.lines if ".cc:" in line]
  [finished] = [line for line in seen.lines if "Finished at step 60" in line]
  assert finished[2] == ":"


def test_errors_are_json_objects_too():
  for words in (["--nonsense=1"], ["word"], [], ["--train_dir=m"],
                ["--train_dir=m", "--quiet", "--verbosity=1"]):
    process = support.run_command("yt8m.train", "--log_json", *words, check=False)
    [line] = process.stderr.splitlines()
    found = json.loads(line)
    assert process.returncode == 1 and found["level"] == "ERROR"
    assert not found["message"].startswith("ERROR")
