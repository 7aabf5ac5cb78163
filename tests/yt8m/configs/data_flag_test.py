# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`--data` stands for the flags that describe records; given flags count more."""

import pytest

from tests.helpers import support
from yt8m.core import feature_spec
from yt8m.core import vocabulary
from yt8m.data import dataset

SPEC = feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), feature_spec.FRAME,
                                ("float16", "uint8"), extractor="mine@0123")

def write(folder, **counts):
  folder.mkdir(parents=True)
  dataset.Dataset(str(folder), SPEC, 3, 20, 1.0, {
      "train": 5, "validate": 2, "test": 1, **counts}).write()
  vocabulary.Vocabulary(("a", "b", "c")).write(folder / "vocabulary.csv")
  for split in ("train", "validate", "test"):
    (folder / f"{split}-00-of-01.tfrecord").write_bytes(b"")


def shown(module, names, *arguments):
  """What the flags of a command are with `--data`, and the error if there is one."""
  process = support.run_command("tests.helpers.shown_flags", module, ",".join(names),
                                *arguments)
  found = dict(line.split(" ", 1) for line in process.stdout.splitlines())
  return found.pop("ERROR", None), found


OF_TRAINING = ("train_data_pattern", "eval_data_pattern", "feature_names",
               "feature_sizes", "feature_dtypes", "frame_features", "num_classes",
               "vocabulary", "max_frames", "model")


def test_training(tmp_path):
  data = tmp_path / "my [data], 1"
  write(data)
  error, found = shown("yt8m.train", OF_TRAINING, f"--data={data}")
  assert error is None
  assert list(found.values()) == [
      f"{data}/train-*.tfrecord", f"{data}/validate-*.tfrecord", "rgb,audio", "8,4",
      "float16,uint8", "True", "3", f"{data}/vocabulary.csv", "20",
      "FrameLevelLogisticModel"]


def test_flags_that_are_given_count_more(tmp_path):
  write(tmp_path / "data")
  error, found = shown(
      "yt8m.train", OF_TRAINING, f"--data={tmp_path}/data", "--max_frames=7",
      "--feature_names=audio", "--train_data_pattern=x*", "--num_classes=9")
  assert error is None
  assert (found["max_frames"], found["train_data_pattern"], found["num_classes"]) == (
      "7", "x*", "9")
  assert (found["feature_names"], found["feature_sizes"], found["feature_dtypes"]) == (
      "audio", "4", "uint8")


def test_training_goes_without_evaluation_if_nothing_is_there(tmp_path):
  write(tmp_path / "data", validate=0)
  error, found = shown("yt8m.train", OF_TRAINING, f"--data={tmp_path}/data")
  assert error is None and found["eval_data_pattern"] in ("", "None")
  write(tmp_path / "none", train=0)
  error, _ = shown("yt8m.train", OF_TRAINING, f"--data={tmp_path}/none")
  assert "split 'train'" in error and "validate, test" in error


@pytest.mark.parametrize(("module", "name", "split"), [
    ("yt8m.eval.evaluate", "eval_data_pattern", "validate"),
    ("yt8m.eval.ensemble", "eval_data_pattern", "validate"),
    ("yt8m.export.inference", "input_data_pattern", "test"),
    ("yt8m.calibrate", "held_out_data_pattern", "validate"),
    ("yt8m.collect_label_sets", "input_data_pattern", "train")])
def test_other_commands(tmp_path, module, name, split):
  write(tmp_path / "data", validate=2 if module != "yt8m.export.inference" else 0)
  error, found = shown(module, [name], f"--data={tmp_path}/data")
  assert error is None and found == {name: f"{tmp_path}/data/{split}-*.tfrecord"}
  if module in ("yt8m.eval.evaluate", "yt8m.eval.ensemble", "yt8m.export.inference"):
    _, found = shown(module, [name], f"--data={tmp_path}/data", "--split=train")
    assert found == {name: f"{tmp_path}/data/train-*.tfrecord"}
  _, found = shown(module, [name], f"--data={tmp_path}/data", f"--{name}=y")
  assert found == {name: "y"}


def test_faults_are_one_line(tmp_path):
  process = support.run_command("yt8m.export.inference", "--data=/none",
                                "--train_dir=x", "--output_file=y", check=False)
  assert process.returncode == 1
  assert "--data=/none does not exist: name a directory that yt8m-extract wrote" in (
      process.stderr)
  (tmp_path / "empty").mkdir()
  for command in (("yt8m.eval.evaluate", f"--train_dir={tmp_path}"),
                  ("yt8m.export.inference", f"--train_dir={tmp_path}",
                   "--output_file=y")):
    process = support.run_command(*command, f"--data={tmp_path}/empty", check=False)
    assert process.returncode == 1
    assert "dataset.json does not exist" in process.stderr
    assert "Traceback" not in process.stderr
