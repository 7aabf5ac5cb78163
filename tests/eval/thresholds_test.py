# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""yt8m-eval chooses thresholds on some records and measures them on others."""

import csv
import json

import numpy as np
import pytest

from tests.helpers import support
from yt8m.artifacts import thresholds
from yt8m.synthetic import writer


@pytest.fixture(scope="module")
def train_dir(tmp_path_factory):
  folder = tmp_path_factory.mktemp("thresholds")
  writer.write(writer.SampleDataConfig(
      num_videos=120, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=1), str(folder / "sample"))
  (folder / "names.csv").write_text("index,name\n" + "".join(
      f"{index},Class {index}\n" for index in range(13)))
  support.run_command(
      "yt8m.train", f"--train_data_pattern={folder}/sample/video/train*.tfrecord",
      f"--train_dir={folder}/model", "--num_classes=13", "--batch_size=8",
      "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8", "--max_steps=20",
      f"--vocabulary={folder}/names.csv")
  return folder / "model"


def evaluate(train_dir, *flags, records="train*", **arguments):
  return support.run_command(
      "yt8m.eval.evaluate", f"--train_dir={train_dir}", "--run_once",
      f"--eval_data_pattern={train_dir.parent}/sample/video/{records}.tfrecord", *flags,
      **arguments)


def test_thresholds_are_chosen_on_some_records_and_measured_on_others(
    train_dir, tmp_path):
  path = tmp_path / "thresholds.json"
  plain = evaluate(train_dir)
  process = evaluate(train_dir, "--choose_thresholds=f1", f"--thresholds={path}",
                     "--threshold_min_positives=8")
  assert process.stdout == plain.stdout
  found, content = thresholds.Thresholds.load(path, 13), json.loads(path.read_text())
  metrics = json.loads(support.evaluated(train_dir, "metrics-20.json").read_text())
  assert found.chosen["step"] == 20 and found.target == "f1" and found.top_k == 13
  assert found.chosen["data"].endswith("/sample/video/train*.tfrecord")
  assert found.chosen["num_examples"] == metrics["num_examples"]
  rare = 13 - sum(count >= 8 for count in metrics["num_positives"].values())
  assert 0 < found.chosen["num_by_global"] == rare < 13
  assert (f"{rare} of 13 classes have fewer than 8 labels and share the threshold "
          f"{content['global_threshold']:.4f}") in process.stderr
  assert content["num_never_decided"] == content["thresholds"].count(None)
  # Numbers that were chosen for the same videos are in no results.
  assert "at_thresholds" not in metrics

  log = evaluate(train_dir, f"--thresholds={path}").stderr
  again = json.loads(
      support.evaluated(train_dir, "metrics-20.json").read_text())["at_thresholds"]
  assert again == {"thresholds": str(path), "target": "f1", **content["achieved"]}
  assert f"micro precision {again['micro_precision']:.4f}, recall" in log
  with open(support.evaluated(train_dir, "classes-20.csv"), newline="") as file:
    rows = list(csv.DictReader(file))
  assert [float(row["threshold"] or "inf") for row in rows] == [
      float(str(value)) for value in found.values]
  with_labels = [row for row in rows if row["positives"] != "0"]
  for name in ("precision", "recall", "f1"):
    np.testing.assert_allclose(
        np.mean([float(row[name]) for row in with_labels]), again[f"macro_{name}"])

  evaluate(train_dir, f"--thresholds={path}", records="test*")
  other = json.loads(
      support.evaluated(train_dir, "metrics-20.json").read_text())["at_thresholds"]
  assert other != again and 0 <= other["micro_f1"] <= 1
  # The same file is replaced, that of another model is noticed.
  evaluate(train_dir, "--choose_thresholds=precision=0.8", f"--thresholds={path}")
  strict = thresholds.Thresholds.load(path, 13)
  assert (strict.values != found.values).any() and strict.target == "precision=0.8"
  assert "was chosen for" not in evaluate(train_dir, f"--thresholds={path}").stderr
  path.write_text(json.dumps(json.loads(path.read_text()) | {"step": 7}))
  log = evaluate(train_dir, f"--thresholds={path}").stderr
  assert "was chosen for step 7, but this model has 20" in log


@pytest.mark.parametrize("flags, error", [
    (["--choose_thresholds=f2", "--thresholds={path}"],
     "Unknown target 'f2'. Valid: f1, "),
    (["--choose_thresholds=", "--thresholds={path}"], "Unknown target ''"),
    (["--choose_thresholds=f1"], "--choose_thresholds needs --thresholds"),
    (["--choose_thresholds=f1", "--thresholds={path}", "--norun_once"], "add --run_once"),
    (["--thresholds={path}"], "does not exist"),
    (["--choose_thresholds=f1", "--thresholds={notes}"], "notes.txt is not replaced"),
    (["--thresholds={notes}"], "notes.txt is not a file of thresholds of 13 classes"),
    (["--thresholds={other}"], "it is for 2 classes"),
    (["--thresholds={mine}", "--top_k=3"], "add --top_k=5")])
def test_what_makes_no_sense_is_refused_first(train_dir, tmp_path, flags, error):
  (tmp_path / "notes.txt").write_text("precious")
  for name, count, top_k in (("other", 2, 1), ("mine", 13, 5)):
    thresholds.Thresholds(np.full(count, 0.5, np.float32), top_k, "f1").write(
        tmp_path / f"{name}.json")
  flags = [flag.format(path=tmp_path / "t.json", notes=tmp_path / "notes.txt",
                       other=tmp_path / "other.json", mine=tmp_path / "mine.json")
           for flag in flags]
  process = evaluate(train_dir, *flags, check=False)
  assert process.returncode == 1 and error in process.stderr, process.stderr
  assert "examples" not in process.stderr and not (tmp_path / "t.json").exists()
  assert (tmp_path / "notes.txt").read_text() == "precious"
