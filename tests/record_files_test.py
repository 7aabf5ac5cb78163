# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What every command that reads records says about files that it cannot read."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import small_job
from tests.helpers import support
from tests.yt8m.data import framing_test
from yt8m.data import tfrecords

FEATURES = ("--feature_names=x", "--feature_sizes=4", "--num_classes=6")
# By name: module and arguments. {records} and {out} differ from case to case.
COMMANDS = {
    "train": ("yt8m.train", [
        *FEATURES, "--train_data_pattern={records}", "--train_dir={out}/model",
        "--batch_size=2", "--num_epochs=1"]),
    "eval": ("yt8m.eval.evaluate", [
        "--train_dir={inputs}/train", "--eval_data_pattern={records}", "--run_once",
        "--top_k=3"]),
    "inference": ("yt8m.export.inference", [
        "--train_dir={inputs}/train", "--input_data_pattern={records}", "--top_k=3",
        "--output_file={out}/predictions.csv"]),
    "label-sets": ("yt8m.collect_label_sets", [
        "--num_classes=6", "--input_data_pattern={records}",
        "--output_file={out}/sets.npz"]),
    "segment-eval": ("yt8m.eval.segments", [
        "--eval_data_pattern={records}", "--submission_file={inputs}/segments.csv"]),
    "ensemble": ("yt8m.eval.ensemble", [
        "predict", "--members={inputs}/member", "--eval_data_pattern={records}",
        "--output_dir={out}/ensemble"])}


def add_long_record(path):
  path.write_bytes(framing_test.header(2**40) + bytes(100))


def add_unreadable(path):
  path.write_bytes(b"")
  path.chmod(0)


# By name: function that makes the second of two files, and what is said about it.
FAULTS = {
    "length": (add_long_record, ", record 0 is cut off or corrupt: 112 bytes are left"),
    "deleted": (lambda path: path.symlink_to("nowhere"), "No such file or directory"),
    "pipe": (os.mkfifo, " cannot be read: it is no regular file."),
    "unreadable": (add_unreadable, " cannot be read: Permission denied."),
    "directory": (os.mkdir, " is left out: it is a directory"),
    "empty": (lambda path: path.touch(), " has no records.")}
WARNINGS = ("directory", "empty")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
  """Models, and for every fault a folder with a good file and one with the fault."""
  folder = tmp_path_factory.mktemp("inputs")
  small_job.write_model(folder / "train")
  small_job.export(folder / "member")
  (folder / "segments.csv").write_text("Class,Segments\n0,v0:0\n")
  for name, (make, _) in FAULTS.items():
    (folder / name).mkdir()
    with tf.io.TFRecordWriter(str(folder / name / "a.tfrecord")) as writer:
      for number in range(3):
        writer.write(record_for_all(f"v{number}").SerializeToString())
    make(folder / name / "b.tfrecord")
  yield folder
  (folder / "unreadable" / "b.tfrecord").chmod(0o600)


def record_for_all(video_id):
  """Returns a record with what each of the commands reads."""
  sizes = {"x": small_job.SIZE, **small_job.SIZES}
  example = tfrecords.video_example(
      video_id, [0], {name: np.ones(size) for name, size in sizes.items()})
  for key in ("segment_start_times", "segment_labels"):
    example.features.feature[key].int64_list.value.append(0)
  example.features.feature["segment_scores"].float_list.value.append(1)
  return example


@pytest.mark.long
@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_cannot_be_read_is_named(name, inputs, tmp_path):
  module, arguments = COMMANDS[name]
  faults = [fault for fault in FAULTS if fault != "unreadable" or os.geteuid()]
  for fault in faults:
    (tmp_path / fault).mkdir()
  process = support.run_command(
      "tests.helpers.repeated_command", module, tmp_path, json.dumps([
          [word.format(inputs=inputs, records=inputs / fault / "*.tfrecord",
                       out=tmp_path / fault) for word in arguments]
          for fault in faults]))
  errors = dict(zip(faults, json.loads(process.stdout.splitlines()[-1]), strict=True))
  for fault, error in errors.items():
    path, words = f"{inputs}/{fault}/b.tfrecord", FAULTS[fault][1]
    if fault in WARNINGS:
      assert error is None and f"{path}{words}" in process.stderr, (fault, error)
    else:
      kind, _, text = error.partition(": ")
      assert kind in ("RecordError", "ValueError", "NotFoundError"), error
      assert path in text and words in text and len(text.splitlines()) == 1, error
