# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands take paths that hold what patterns use, ~, lists, and no empty ones."""

import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m.data import tfrecords


def write(path, count):
  path.parent.mkdir(parents=True, exist_ok=True)
  with tf.io.TFRecordWriter(str(path)) as writer:
    for row in range(count):
      writer.write(tfrecords.video_example(
          f"{path.stem}-{row}", [row % 3], {"mean_rgb": [row, 1.0]}).SerializeToString())


def test_names_of_directories_and_files(tmp_path):
  records = tmp_path / "na[1]me, {x}" / "train (1).tfrecord"
  write(records, 6)
  write(tmp_path / "other.tfrecord", 3)
  (tmp_path / "list.txt").write_text(f"{tmp_path}/o*.tfrecord\n")
  home = {"HOME": str(tmp_path)}
  train_dir = "~/model [lr=0.01], *"
  train = ("yt8m.train", f"--train_dir={train_dir}", "--feature_sizes=2",
           "--num_classes=3", "--batch_size=3", f"--train_data_pattern={records}",
           f"--train_data_pattern=@{tmp_path}/list.txt")
  support.run_command(*train, "--max_steps=2", environment=home)
  resumed = support.run_command(*train, "--max_steps=3", environment=home)
  assert "step 2" in resumed.stderr  # where it resumes
  assert (tmp_path / "model [lr=0.01], *" / "config.json").exists()
  assert not (support.ROOT / "~").exists()
  evaluation = support.run_command(
      "yt8m.eval.evaluate", f"--train_dir={train_dir}", "--run_once",
      f"--eval_data_pattern={records.parent}/*.tfrecord", environment=home)
  assert "step 3 | " in evaluation.stdout
  output = tmp_path / "out [1].csv"
  support.run_command(
      "yt8m.export.inference", f"--train_dir={train_dir}", f"--output_file={output}",
      f"--input_data_pattern={records}", environment=home)
  assert len(output.read_text().splitlines()) == 7
  exported = tmp_path / "served {a,b}"
  support.run_command("yt8m.export.export_model", f"--train_dir={train_dir}",
                      f"--output_dir={exported}", environment=home)
  assert (exported / "saved_model.pb").exists()


@pytest.mark.parametrize("module, flags, name", [
    ("yt8m.train", ["--train_data_pattern="], "train_data_pattern"),
    ("yt8m.eval.evaluate", ["--train_dir="], "train_dir"),
    ("yt8m.export.inference", ["--train_dir=x", "--output_file="], "output_file"),
    ("yt8m.export.export_model", ["--output_dir="], "output_dir"),
    ("yt8m.eval.segments", ["--submission_file=", "--eval_data_pattern=x"],
     "submission_file")])
def test_empty_paths(module, flags, name, tmp_path):
  others = ["--train_dir=x"] if module == "yt8m.train" else []
  process = support.run_command(module, *flags, *others, check=False)
  assert process.returncode == 1
  assert f"--{name} is empty: " in process.stderr or (
      f"Flag --{name} must have a value" in process.stderr)
