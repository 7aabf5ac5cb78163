# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""No command removes or replaces anything that we did not write.

Every flag that names an output is tried, with --overwrite or --start_new_model, on files
and folders of somebody else.
"""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import small_job
from tests.helpers import support
from yt8m.artifacts import model_archive
from yt8m.data import tfrecords

UNTRAINED = ("--untrained", "--model=LogisticModel", "--num_classes=4", "--top_k=3")
# By test id: module, flag, its other arguments. {train} and {records} are there.
DIRECTORIES = {
    "export": ("yt8m.export.export_model", "--output_dir", ["--overwrite", *UNTRAINED]),
    "sample-data": ("yt8m.sample_data", "--output_dir", [
        "--overwrite", "--num_videos=4"]),
    "demo": ("yt8m.demo", "--output_dir", ["--overwrite", "--num_videos=4"]),
    "untar": ("yt8m.export.inference", "--untar_model_dir", [
        "--overwrite", "--input_model_tgz={folder}/model.tgz", "--top_k=3",
        "--input_data_pattern={records}", "--output_file={folder}/out.csv"]),
    "train": ("yt8m.train", "--train_dir", [
        "--start_new_model", "--train_data_pattern={records}", "--feature_names=x",
        "--feature_sizes=4", "--num_classes=6", "--num_epochs=1"]),
    "calibrate": ("yt8m.calibrate", "--output_dir", [
        "--overwrite", "--train_dir={train}", "--held_out_data_pattern={records}"]),
    "calibrate-predictions": ("yt8m.calibrate", "--predictions_output", [
        "--overwrite", "--output_dir={folder}/new", "--train_dir={train}",
        "--fold={train}={records}", "--fold={train}={folder}/more/*"])}
FILES = {
    "inference": ("yt8m.export.inference", "--output_file", [
        "--overwrite", "--train_dir={train}", "--top_k=3",
        "--input_data_pattern={records}"]),
    "archive": ("yt8m.export.inference", "--output_model_tgz", [
        "--overwrite", "--train_dir={train}", "--top_k=3",
        "--input_data_pattern={records}", "--output_file={folder}/out.csv"]),
    "label-sets": ("yt8m.collect_label_sets", "--output_file", [
        "--overwrite", "--num_classes=6", "--input_data_pattern={records}"]),
    "json-to-csv": ("yt8m.export.json_to_csv", "--csv_output_file", [
        "--overwrite", "--json_prediction_files_pattern={records}"]),
    "label-cache": ("yt8m.eval.segments", "--label_cache", [
        "--eval_data_pattern={rated}", "--submission_file={folder}/segments.csv"])}


@pytest.fixture
def folder(tmp_path):
  """A home directory with files of the user, in which every command runs."""
  home = tmp_path / "home"
  for name in ("work/notes.txt", "full/thesis.tex", "full/train/thesis.tex",
               "full/eval/thesis.tex", "full/checkpoint", "full/model.ckpt-1.index"):
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_text("precious")
  (home / "link").symlink_to("full")
  os.mkfifo(home / "pipe")
  return home


def tree(folder):
  """Returns what is in a folder: the contents of files, and the targets of links."""
  entries = {}
  for path in sorted(folder.rglob("*")):
    if path.is_symlink():
      entries[str(path)] = os.readlink(path)
    elif path.is_file():
      entries[str(path)] = path.read_bytes()
    else:
      entries[str(path)] = None
  return entries


def run(case, paths, folder, inputs):
  """Runs a command for each path in folder/work; each must be a clear error."""
  module, flag, others = case
  places = {"folder": inputs, "train": inputs / "train", "records": inputs / "records/*",
            "rated": inputs / "rated.tfrecord"}
  process = support.run_command(
      "tests.helpers.repeated_command", module, folder / "work", json.dumps([
          [f"{flag}={path}", *(other.format(**places) for other in others)]
          for path in paths]),
      environment={"HOME": str(folder)})
  errors = json.loads(process.stdout.splitlines()[-1])
  assert not [error for error in errors if error is None or not error.startswith((
      "ValueError", "FileExistsError", "FileNotFoundError", "OSError", "IsADirectory",
      "NotADirectory"))], errors


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
  folder = tmp_path_factory.mktemp("inputs")
  small_job.write_model(folder / "train")
  # Enough for a calibration, and no video twice.
  small_job.write_record_files(folder / "records", [20])
  small_job.write_record_files(folder / "more", [0, 20])
  model_archive.pack(folder / "train", folder / "model.tgz")
  (folder / "segments.csv").write_text("Class,Segments\n0,v:0\n")
  with tf.io.TFRecordWriter(str(folder / "rated.tfrecord")) as writer:
    writer.write(tfrecords.segment_example(
        "v", [0], {"x": np.ones((5, 4), np.uint8)}, [(0, 0, 1.0)]).SerializeToString())
  return folder


@pytest.mark.parametrize("name", DIRECTORIES)
def test_no_directory_of_someone_else_is_replaced(name, folder, inputs):
  before, root = tree(folder), sorted(os.listdir("/"))
  paths = ["", "/", ".", "..", folder, folder / "full", folder / "full/thesis.tex",
           folder / "link", f"{folder}/link/", folder / "pipe"]
  if name in ("untar", "calibrate-predictions"):
    paths.remove("")  # The default.
  if name == "train":
    paths = paths[5:]  # Files of others that are not in its way are no error.
  run(DIRECTORIES[name], paths, folder, inputs)
  assert tree(folder) == before
  assert sorted(os.listdir("/")) == root


@pytest.mark.parametrize("name", FILES)
def test_only_a_file_is_replaced(name, folder, inputs):
  before, root = tree(folder), sorted(os.listdir("/"))
  paths = ["/", ".", "..", folder, folder / "full", folder / "link", folder / "pipe",
           os.devnull]
  if name in ("archive", "label-cache"):
    paths.append(folder / "full/thesis.tex")  # There is no flag to replace it.
  run(FILES[name], paths, folder, inputs)
  assert tree(folder) == before
  assert sorted(os.listdir("/")) == root
