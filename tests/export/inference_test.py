# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The command is killed, resumes, leaves out bad files, and checks its output."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import processes
from tests.helpers import small_job
from tests.helpers import support
from yt8m.artifacts import model_archive
from yt8m.core import locks
from yt8m.data import tfrecords

COMMAND = "yt8m.export.inference"
COUNTS = [4, 9, 1, 0, 5] * 10


@pytest.fixture(scope="module")
def train_dir(tmp_path_factory):
  return small_job.write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
  return small_job.write_record_files(tmp_path_factory.mktemp("records"), COUNTS)


@pytest.fixture(scope="module")
def expected(train_dir, files, tmp_path_factory):
  path = tmp_path_factory.mktemp("expected") / "out.csv"
  return small_job.plain_csv(path, small_job.job(train_dir), files)


def flags(train_dir, files, output):
  pattern = files[0].replace("file00", "*")
  return (f"--train_dir={train_dir}", f"--input_data_pattern={pattern}", "--top_k=3",
          "--batch_size=4", f"--output_file={output}")


def test_a_killed_run_goes_on_where_it_was(train_dir, files, expected, tmp_path):
  csv = tmp_path / "out.csv"
  arguments = flags(train_dir, files, csv)
  with processes.started(COMMAND, *arguments, log=tmp_path / "log") as process:
    processes.wait_for(lambda: len([*tmp_path.glob("out.csv.parts/*.npz")]) > 3, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
  finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out*/*.npz")}
  assert 3 < len(finished) < len(files) and not csv.exists()
  log = support.run_command(COMMAND, *arguments).stderr
  assert f"{len(files) - len(finished)} of {len(files)} files left" in log
  assert csv.read_bytes() == expected
  assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "out.csv"]

  # As after a kill at its very end: nothing is left to do.
  log = support.run_command(COMMAND, *arguments).stderr
  assert f"{csv} is there already" in log and csv.read_bytes() == expected
  process = support.run_command(COMMAND, *arguments, "--top_k=2", check=False)
  assert process.returncode == 1 and f"{csv} exists" in process.stderr
  with locks.hold_output(csv, "predicts"):
    process = support.run_command(COMMAND, *arguments, "--overwrite", check=False)
  assert process.returncode == 1 and f"{csv} is in use: process" in process.stderr


def test_a_vocabulary_that_is_none_is_not_packed(train_dir, files, tmp_path):
  shutil.copytree(train_dir, tmp_path / "model")
  (tmp_path / "model" / "vocabulary.csv").write_text("BEGIN PRIVATE KEY\nabc\n")
  process = support.run_command(
      COMMAND, *flags(tmp_path / "model", files[:1], tmp_path / "out.csv"),
      f"--output_model_tgz={tmp_path}/model.tgz", check=False)
  assert process.returncode == 1 and "vocabulary.csv" in process.stderr
  assert not (tmp_path / "model.tgz").exists()


def test_other_records_of_the_same_size_are_noticed(train_dir, tmp_path):
  [path] = small_job.write_record_files(tmp_path / "records", [3])
  arguments = flags(train_dir, [path], tmp_path / "out.csv")
  support.run_command(COMMAND, *arguments)
  records = list(tf.data.TFRecordDataset(path).as_numpy_iterator())
  with tf.io.TFRecordWriter(path) as file:
    for record in records[::-1]:
      file.write(record)
  process = support.run_command(COMMAND, *arguments, check=False)
  assert process.returncode == 1 and "out.csv exists" in process.stderr


@pytest.mark.parametrize(("level", "batch_size"), [("video", 512), ("frame", 128)])
def test_frames_go_in_smaller_batches(level, batch_size, tmp_path):
  train_dir = small_job.write_model(tmp_path / "model", level=level)
  [good, bad] = small_job.write_record_files(tmp_path / "records", [2, 2], level)
  small_job.break_file(bad)  # finished parts are kept
  process = support.run_command(
      COMMAND, f"--train_dir={train_dir}", f"--input_data_pattern={good},{bad}",
      "--top_k=3", f"--output_file={tmp_path}/out.csv", check=False)
  assert process.returncode == 1
  job = json.loads((tmp_path / "out.csv.parts" / "job.json").read_text())
  assert job["batch_size"] == batch_size


def test_the_size_of_an_archive_is_limited(train_dir, files, tmp_path):
  model_archive.pack(train_dir, tmp_path / "model.tgz")
  size = sum(path.stat().st_size for path in pathlib.Path(train_dir).iterdir()) / 2**30
  flags_of_run = (f"--input_model_tgz={tmp_path}/model.tgz",
                  *flags(train_dir, files, tmp_path / "out.csv")[1:],
                  f"--untar_model_dir={tmp_path}/copy")
  process = support.run_command(
      COMMAND, *flags_of_run, f"--max_model_gib={size * 0.9}", check=False)
  assert process.returncode == 1 and "Traceback" not in process.stderr
  assert re.search("ERROR: .*model.tgz: it unpacks to more than .* --max_model_gib",
                   process.stderr)
  assert [path.name for path in tmp_path.iterdir()] == ["model.tgz"]
  support.run_command(COMMAND, *flags_of_run, f"--max_model_gib={size * 1.1}")


def test_a_video_without_audio_has_a_row(tmp_path):
  small_job.export(tmp_path / "model", "frame")
  with tf.io.TFRecordWriter(str(tmp_path / "records")) as writer:
    for number, lists in enumerate(["both", "no audio frame", "no audio list"]):
      frames = {name: np.ones((3, size), np.uint8)
                for name, size in small_job.SIZES.items()}
      if lists != "both":
        frames["audio"] = frames["audio"][:0]
      example = tfrecords.frame_example(f"v{number}", [0], frames)
      if lists == "no audio list":
        del example.feature_lists.feature_list["audio"]
      else:
        assert "audio" in example.feature_lists.feature_list
      writer.write(example.SerializeToString())
  log = support.run_command(
      COMMAND, f"--saved_model={tmp_path}/model", f"--output_file={tmp_path}/out.csv",
      f"--input_data_pattern={tmp_path}/records", "--top_k=3").stderr
  assert list(support.read_submission(tmp_path / "out.csv")) == ["v0", "v1", "v2"]
  assert "record 2 (id v2) has no audio, which counts as zeros" in log
  assert "In the records that were read: videos with a missing feature: 2." in log


@pytest.mark.long
def test_bad_files_are_left_out_and_repaired(train_dir, files, expected, tmp_path):
  copies = small_job.write_record_files(tmp_path / "copies", COUNTS)
  contents = {path: small_job.break_file(path) for path in (copies[1], copies[7])}
  csv, letters = tmp_path / "out.csv", tmp_path / "out.csv.failed.json"
  arguments = flags(train_dir, copies, csv)
  process = support.run_command(COMMAND, *arguments, check=False)
  assert process.returncode == 1 and "Traceback" not in process.stderr
  assert "ERROR: " in process.stderr and "is cut off or corrupt" in process.stderr
  assert not csv.exists()

  log = support.run_command(COMMAND, *arguments, "--max_failed_shards=2").stderr
  assert "2 of 50 files could not be read and are left out" in log
  assert [letter["file"] for letter in json.loads(letters.read_text())] == [*contents]
  good = [path for path in copies if path not in contents]
  assert csv.read_bytes() == small_job.plain_csv(
      tmp_path / "good.csv", small_job.job(train_dir), good)

  for path, content in contents.items():
    with open(path, "wb") as file:
      file.write(content)
  log = support.run_command(COMMAND, *arguments, "--overwrite").stderr
  assert "2 of 50 files left" in log
  assert csv.read_bytes() == expected
  assert not letters.exists() and not list(tmp_path.glob("*.parts"))


def test_formats_and_check(train_dir, files, expected, tmp_path):
  npz = tmp_path / "out.npz"
  support.run_command(COMMAND, *flags(train_dir, files, npz), "--output_format=npz")
  with np.load(npz) as arrays:
    assert arrays["classes"].shape == arrays["scores"].shape == (sum(COUNTS), 3)
    ids = arrays["ids"].astype(str).tolist()
  assert ids == [line.split(",")[0] for line in expected.decode().splitlines()[1:]]

  csv = tmp_path / "out.csv"
  csv.write_bytes(expected)
  arguments = (f"--check={csv}", *flags(train_dir, files, "")[:3])
  assert f"{sum(COUNTS)} lines, {3 * sum(COUNTS)} pairs, no errors" in (
      support.run_command(COMMAND, *arguments).stdout)
  lines = expected.decode().splitlines()
  lines[3:5] = [lines[1], lines[4].replace(" ", " 1", 1)]
  csv.write_text("\n".join(lines) + "\n")
  process = support.run_command(COMMAND, *arguments, check=False)
  assert process.returncode == 1 and "out.csv has 3 errors:" in process.stderr
  assert "line 4: 'f0v0' is there already, in line 2" in process.stderr
  assert "line 5: the score 1" in process.stderr
  assert f"1 of {sum(COUNTS)} videos are missing: f0v2" in process.stderr


def test_repeated_videos_are_named_or_refused(train_dir, files, tmp_path):
  shutil.copy(files[1], tmp_path / "copy.tfrecord")
  csv = tmp_path / "out.csv"
  arguments = (f"--train_dir={train_dir}", f"--output_file={csv}", "--input_data_pattern="
               f"{files[0]},{files[1]},{tmp_path}/copy.tfrecord")
  process = support.run_command(COMMAND, *arguments, "--strict", check=False)
  assert process.returncode == 1 and not csv.exists()
  assert "ERROR: 9 videos are in the records more than once: f1v" in process.stderr
  log = support.run_command(COMMAND, *arguments).stderr
  assert f"(in {files[1]} and {tmp_path}/copy.tfrecord), f1v" in log
  assert "0 of 3 files left" in log and "with --strict this is an error" in log
  lines = csv.read_text().splitlines()[1:]
  assert len(lines) == 4 + 9 + 9
  # Without --top_k: 20 classes, or all if they are fewer.
  assert {line.count(" ") for line in lines} == {2 * small_job.NUM_CLASSES - 1}


def test_without_ray_it_says_how_to_get_it(train_dir, files, tmp_path):
  code = ("import sys; sys.modules['ray'] = None\n"
          "from yt8m.export import inference; inference.run()")
  process = subprocess.run(
      [sys.executable, "-c", code, "--runner=ray",
       *flags(train_dir, files, tmp_path / "out.csv")],
      capture_output=True, text=True, env=support.ENVIRONMENT, cwd=support.ROOT)
  assert process.returncode == 1 and "pip install 'yt8m[ray]'" in process.stderr
  assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", [
    "--train_dir", "--output_file", "--input_model_tgz", "--output_model_tgz", "--check"])
def test_an_empty_path_is_an_error_that_names_the_flag(flag, train_dir, files, tmp_path):
  process = support.run_command(
      COMMAND, *flags(train_dir, files, tmp_path / "out.csv"), f"{flag}=", check=False)
  assert process.returncode == 1 and f"ERROR: {flag} is empty" in process.stderr
  assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_packed(train_dir, files, tmp_path):
  """Its target, such as a file with a password, would be in what the user publishes."""
  shutil.copytree(train_dir, tmp_path / "model")
  (tmp_path / "secret").write_text('{"token": "secret"}')
  (tmp_path / "model/status.json").symlink_to(tmp_path / "secret")
  process = support.run_command(
      COMMAND, *flags(tmp_path / "model", files, tmp_path / "out.csv"),
      f"--output_model_tgz={tmp_path}/model.tgz", check=False)
  assert process.returncode == 1 and "status.json is a symbolic link" in process.stderr
  assert not (tmp_path / "model.tgz").exists()


def test_the_newest_complete_version_is_taken(train_dir, files, expected, tmp_path):
  served = tmp_path / "serving"
  support.run_command("yt8m.export.export_model", f"--train_dir={train_dir}",
                      f"--output_dir={served}", "--versioned")
  [version] = served.iterdir()
  newer = served / str(int(version.name) + 1)
  shutil.copytree(version, newer)
  (newer / "variables" / "variables.index").unlink()  # as in a copy under way
  output = tmp_path / "out.csv"
  shown = support.run_command(
      COMMAND, f"--saved_model={served}", f"--input_data_pattern={','.join(files)}",
      f"--output_file={output}", "--top_k=3", "--batch_size=4").stderr
  assert output.read_bytes() == expected
  assert f"Version {newer.name} is not complete: " in shown
  assert f"Version {version.name} is the newest complete one in {served}." in shown
  assert f"Model of {version}." in shown


@pytest.mark.parametrize("source, more, message", [
    ("--saved_model", ["--output_model_tgz={out}/model.tgz"],
     "--output_model_tgz packs --train_dir: leave it out, or name"),
    ("--train_dir", [], "No example in --input_data_pattern={file}: name other records")])
def test_what_leads_to_no_output(source, more, message, train_dir, files, tmp_path):
  empty = files[COUNTS.index(0)]
  process = support.run_command(
      COMMAND, f"{source}={train_dir}", f"--input_data_pattern={empty}",
      f"--output_file={tmp_path}/out.csv", *(one.format(out=tmp_path) for one in more),
      check=False)
  assert process.returncode == 1 and message.format(file=empty) in process.stderr
  assert list(tmp_path.iterdir()) == []
