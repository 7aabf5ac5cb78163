# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""yt8m-eval as a pipeline runs it: calibration in its results, and gates."""

import json
import math

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m.data import tfrecords
from yt8m.synthetic import writer

EVAL = "yt8m.eval.evaluate"


@pytest.fixture(scope="module")
def train_dir(tmp_path_factory):
  folder = tmp_path_factory.mktemp("gates")
  writer.write(writer.SampleDataConfig(
      num_videos=60, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=1), str(folder / "sample"))
  support.run_command(
      "yt8m.train", f"--train_data_pattern={folder}/sample/video/train*.tfrecord",
      f"--train_dir={folder}/model", "--num_classes=13", "--batch_size=8",
      "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8", "--max_steps=5")
  return folder / "model"


def evaluate(train_dir, *flags, records="validate*", **arguments):
  return support.run_command(
      EVAL, f"--train_dir={train_dir}",
      f"--eval_data_pattern={train_dir.parent}/sample/video/{records}.tfrecord", *flags,
      **arguments)


def results(train_dir):
  return json.loads(support.evaluated(train_dir, "metrics-5.json").read_text())


def test_calibration_is_part_of_the_results(train_dir):
  process = evaluate(train_dir, "--run_once")
  found = results(train_dir)
  assert f"ECE: {found['ece']:.4f} | Brier: {found['brier']:.4f}" in process.stderr
  assert all(math.isfinite(found[name]) and found[name] > 0
             for name in ("ece", "brier", "log_loss"))
  counts = [sum(row["predictions"] for row in found[name])
            for name in ("reliability", "by_frequency")]
  assert counts == [13 * found["num_examples"]] * 2


def test_a_gate_decides_the_exit_status(train_dir):
  assert evaluate(train_dir, "--run_once", "--require=gap>=0,ece<=1").returncode == 0
  before = results(train_dir)
  process = evaluate(train_dir, "--checkpoint=5", "--require=gap>=0.99", check=False)
  assert process.returncode == 1 and "Traceback" not in process.stderr
  assert f"gap is {before['gap']:.10g}, must be >= 0.99 (--require)" in process.stderr
  # The metrics of the model that failed are there all the same.
  assert "GAP" in process.stdout and results(train_dir) == before


def test_records_without_labels_are_refused(train_dir, tmp_path):
  with tf.io.TFRecordWriter(str(tmp_path / "records")) as file:
    for number in range(3):
      file.write(tfrecords.video_example(f"v{number}", [], {
          "mean_rgb": np.ones(16), "mean_audio": np.ones(8)}).SerializeToString())
  process = support.run_command(
      EVAL, f"--train_dir={train_dir}", f"--eval_data_pattern={tmp_path}/records",
      "--run_once", check=False)
  assert process.returncode == 1 and "Traceback" not in process.stderr
  assert (f"ERROR: None of the 3 examples of --eval_data_pattern={tmp_path}/records has "
          "a label, so nothing can be measured: name records with class numbers in "
          "'labels'.\n") in process.stderr
  assert "GAP" not in process.stdout + process.stderr


def test_a_model_is_compared_with_an_earlier_one(train_dir, tmp_path):
  evaluate(train_dir, "--run_once")
  before, baseline = results(train_dir), tmp_path / "metrics-1.json"
  baseline.write_text(json.dumps(before))
  flags = "--run_once", f"--baseline={baseline}"
  assert evaluate(train_dir, *flags, "--max_regression=gap:0,ece:0").returncode == 0
  baseline.write_text(json.dumps(before | {"gap": before["gap"] + 0.1}))
  process = evaluate(train_dir, *flags, "--max_regression=gap:0.05", check=False)
  assert process.returncode == 1 and "--max_regression=gap:0.05" in process.stderr
  process = evaluate(train_dir, *flags, "--max_regression=gap:0.2", "--top_k=1",
                     check=False)
  assert process.returncode == 1 and "was measured with top_k 13" in process.stderr
  process = evaluate(train_dir, *flags, "--max_regression=gap:0.2", records="train*",
                     check=False)
  assert process.returncode == 1 and "measured on other videos" in process.stderr


@pytest.mark.parametrize("flags, error", [
    (["--require=gap>=0.5"], "add --run_once, or name it with --checkpoint"),
    (["--run_once", "--require=gap>=0", "--require="], "--require='' is no condition"),
    (["--run_once", "--max_regression=gap:0.1"], "--max_regression needs --baseline"),
    (["--run_once", "--baseline=/nowhere.json", "--max_regression=gap:0.1"],
     "/nowhere.json does not exist")])
def test_a_gate_that_cannot_be_judged_is_refused_first(train_dir, flags, error):
  process = evaluate(train_dir, *flags, check=False)
  assert process.returncode == 1 and error in process.stderr
  assert "examples" not in process.stderr
