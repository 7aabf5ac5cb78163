# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""yt8m-extract, and --data of the commands that follow it."""

import csv
import json
import os
import pathlib
import random
import shutil
import signal
import time

import pytest

from tests.helpers import clips
from tests.helpers import extraction
from tests.helpers import processes
from tests.helpers import support
from yt8m.core import vocabulary
from yt8m.data import dataset
from yt8m.extracting import job as jobs


def run(*arguments, **options):
  return support.run_command("yt8m.extract", *arguments, **options)


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
  return extraction.write_clips(tmp_path_factory.mktemp("clips"), 16)


@pytest.fixture
def extractor(tmp_path, monkeypatch):
  """What makes the extractor of the page importable, also in decoders."""
  (tmp_path / "code").mkdir()
  (tmp_path / "code" / "my_extractors.py").write_text(extraction.code())
  monkeypatch.syspath_prepend(str(tmp_path / "code"))  # which commands inherit
  return {"PYTHONPATH": f"{tmp_path / 'code'}:{support.ROOT}"}


def test_own_extractor_failures_and_messages(tmp_path, extractor):
  videos = extraction.write_clips(tmp_path / "clips", 16)
  (videos.parent / "003.mp4").write_text("hello")
  command = (f"--videos={videos}", f"--output_dir={tmp_path}/data",
             "--extractor=my_extractors:Colours")
  process = run(*command, environment=extractor)
  assert process.stdout.splitlines()[-1].endswith(
      f"of 6 classes to {tmp_path}/data; 1 failed, see failures.csv")
  assert "Wrote 15 videos (" in process.stdout
  report = (tmp_path / "data" / "report.md").read_text()
  assert "003.mp4`: it cannot be read as a video or sound" in report
  assert "--retry_failed" in report and "Features: `colours@" in report
  before = extraction.snapshot(tmp_path / "data")
  assert run(*command, environment=extractor).stdout == process.stdout
  assert extraction.snapshot(tmp_path / "data") == before
  process = run(*command, "--fps=2", environment=extractor, check=False)
  assert process.returncode == 1
  assert "fps was 1.0, is now 2.0" in process.stderr
  assert extraction.snapshot(tmp_path / "data") == before
  (tmp_path / "data" / "mine.txt").write_text("x")
  process = run(*command, "--fps=2", "--overwrite", environment=extractor, check=False)
  assert process.returncode == 1 and "it also holds mine.txt" in process.stderr
  (tmp_path / "data" / "mine.txt").unlink()
  run(*command, "--fps=2", "--overwrite", environment=extractor)
  settings = json.loads((tmp_path / "data" / jobs.SETTINGS).read_text())
  assert settings["fps"] == 2.0


@pytest.mark.parametrize(("arguments", "said"), [
    (["--split=80,20"], "--split=80,20 must be the percentages of train, validate and"),
    (["--split=nan,nan,nan"], "must be the percentages"),
    (["--split=120,-10,-10"], "must be the percentages"),
    (["--split=80,10,x"], "must be the percentages"),
    (["--videos=/none.csv"], "--videos=/none.csv does not exist: name a CSV with"),
    (["--output_dir="], "--output_dir is empty"),
    (["--output_dir=ram://x"], "--output_dir=ram://x is remote: name a directory"),
    (["--extractor=logmell"], "logmel"),
    (["--extractor=inception-pca"], "--weights_dir"),
    (["--extractor=logmel,logmel"], "both make the feature 'audio'"),
    (["--vocabulary={folder}/names.csv"], "has the label 'blue', which --vocabulary=")])
def test_faults_are_one_line(videos, tmp_path, arguments, said):
  (tmp_path / "names.csv").write_text("index,name\n0,red\n")
  process = run(f"--videos={videos}", f"--output_dir={tmp_path}/data",
                *(word.format(folder=tmp_path) for word in arguments), check=False)
  assert process.returncode == 1 and said in process.stderr
  assert "Traceback" not in process.stderr and not (tmp_path / "data").exists()


def test_without_labels_there_must_be_a_vocabulary(videos, tmp_path):
  listed = tmp_path / "videos.csv"
  listed.write_text(f"path\n{videos.parent}/000.mp4\n")
  command = (f"--videos={listed}", f"--output_dir={tmp_path}/data", "--extractor=logmel")
  process = run(*command, check=False)
  assert process.returncode == 1
  assert "has no labels: fill the column labels, or name" in process.stderr
  (tmp_path / "names.csv").write_text("index,name\n0,red\n1,green\n")
  run(*command, f"--vocabulary={tmp_path}/names.csv")
  assert vocabulary.Vocabulary.find(tmp_path / "data", 2).names == ("red", "green")


def test_no_clip_gives_features(tmp_path):
  (tmp_path / "a.mp4").write_text("hello")
  (tmp_path / "videos.csv").write_text("path,labels\na.mp4,cat\nb.mp4,dog\n")
  process = run(f"--videos={tmp_path}/videos.csv", f"--output_dir={tmp_path}/data",
                "--extractor=logmel", check=False)
  assert process.returncode == 1
  assert f"ERROR: No clip gives features: the reasons are in {tmp_path}/data/" in (
      process.stderr)
  assert len((tmp_path / "data" / jobs.FAILURES).read_text().splitlines()) == 3


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.long)])
def test_killed_at_random_moments_it_ends_with_the_same_bytes(videos, tmp_path, kills):
  """The command, `kill -9`, again and again; no process stays."""
  def command(folder):
    return (f"--videos={videos}", f"--output_dir={tmp_path}/{folder}",
            "--extractor=logmel", "--videos_per_shard=1", "--num_processes=2")

  run(*command("whole"))
  expected, rng = extraction.snapshot(tmp_path / "whole"), random.Random(0)
  data = tmp_path / "data"
  for kill in range(kills):
    if (data / "dataset.json").exists():  # It got to its end: from the start.
      run(*command("data"))
      assert extraction.snapshot(data) == expected
      data.rename(tmp_path / f"data{kill}")
    before = len(list(data.glob("parts/*")))
    with processes.started(
        "yt8m.extract", *command("data"), log=tmp_path / "log.txt") as process:
      # From the first file on, there is more to disturb than the start of Python.
      deadline = time.monotonic() + 120
      while (process.poll() is None and time.monotonic() < deadline
             and len(list(data.glob("parts/*"))) <= before):
        time.sleep(0.002)
      time.sleep(rng.uniform(0, 0.15))
      offspring = processes.descendants(process.pid)
      process.kill()
      process.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(
        "yt8m.extracting" in processes.command(pid) for pid in offspring):
      time.sleep(0.05)
    assert not [pid for pid in offspring
                if "yt8m.extracting" in processes.command(pid)]
  run(*command("data"))
  assert extraction.snapshot(data) == expected
  assert not [name for name in os.listdir(tmp_path) if name.endswith(".lock")]


def test_the_same_command_goes_on_also_with_quantize_and_overwrite(videos, tmp_path):
  command = (f"--videos={videos}", f"--output_dir={tmp_path}/data",
             "--extractor=logmel", "--videos_per_shard=4", "--quantize", "--overwrite")
  log = run(*command).stderr
  assert "The bytes stand for audio -" in log and "audio 128 uint8" in log
  data = tmp_path / "data"
  before = extraction.snapshot(data)
  [shard, *_] = sorted(data.glob("train-*.tfrecord"))
  shard.unlink()
  kept = {path: path.stat().st_mtime_ns for path in data.glob("*.tfrecord")}
  log = run(*command).stderr
  assert "The bytes stand" not in log and extraction.snapshot(data) == before
  assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
  refused = run(*command[:-2], check=False)
  assert refused.returncode == 1 and extraction.snapshot(data) == before
  assert "quantize was True, is now None" in refused.stderr
  assert "The bytes stand" in run(*command, "--fps=2").stderr
  spec = dataset.Dataset.load(data).spec
  assert spec.dtypes == ("uint8",) and spec.extractor.endswith(" at 2 fps")
  run(*command[:-2], "--overwrite")
  assert dataset.Dataset.load(data).spec.dtypes == ("float16",)


def test_ranges_of_another_extraction(videos, tmp_path):
  def command(name, *more):
    return run(f"--videos={videos}", f"--output_dir={tmp_path}/{name}",
               "--extractor=logmel", *more, check=False)

  assert command("first", "--quantize").returncode == 0
  first = dataset.Dataset.load(tmp_path / "first").spec
  assert command("second", f"--ranges_from={tmp_path}/first", "--split=0,0,100"
                 ).returncode == 0
  assert dataset.Dataset.load(tmp_path / "second").spec == first
  assert command("floats").returncode == 0
  for name, more, said in (
      ("third", [f"--ranges_from={tmp_path}/floats"], "stored as float16: name an ext"),
      ("third", [f"--ranges_from={tmp_path}/first", "--fps=2"], "at 2 fps with --qua")):
    refused = command(name, *more)
    assert refused.returncode == 1 and said in refused.stderr
    assert not (tmp_path / name).exists()
  (tmp_path / "a.mp4").write_text("hello")
  (tmp_path / "videos.csv").write_text("path,labels\na.mp4,red\n")
  failed = run(f"--videos={tmp_path}/videos.csv", f"--output_dir={tmp_path}/none",
               "--extractor=logmel", "--quantize", check=False)
  assert failed.returncode == 1 and "No clip gives features" in failed.stderr
  assert "a.mp4" in (tmp_path / "none" / jobs.FAILURES).read_text()


def test_ctrl_c_says_so_and_leaves_no_process(videos, tmp_path):
  command = (f"--videos={videos}", f"--output_dir={tmp_path}/data",
             "--extractor=logmel", "--videos_per_shard=1", "--fps=1000")
  with processes.started("yt8m.extract", *command, log=tmp_path / "log.txt") as process:
    processes.wait_for(lambda: list((tmp_path / "data").glob("parts/*")), process)
    offspring = processes.descendants(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 128 + signal.SIGINT
    assert not [pid for pid in offspring
                if "yt8m.extracting" in processes.command(pid)]
  log = (tmp_path / "log.txt").read_text()
  assert "Stopped by SIGINT" in log and "Traceback" not in log


def ids_for_tests(data):
  """Returns the ids of the records for tests."""
  return {name for part in pathlib.Path(data).glob("parts/test-*.json")
          for name, *_ in json.loads(part.read_text())["videos"]}


def add_films(videos):
  """Adds real films: one copy of each for a split, of which the clips are seconds."""
  lines = []
  for name, secs in clips.FILMS.items():
    seconds = {"train": range(secs - 2), "validate": [secs - 2], "test": [secs - 1]}
    for split, starts in seconds.items():
      path = videos.parent / f"{name}-{split}.mp4"
      shutil.copy(clips.film(name), path)
      lines += [f"{path.name},{name},{start},{start + 1},{split}\n" for start in starts]
  planted = videos.read_text().splitlines()[1:]
  videos.write_text("path,labels,start,end,split\n"
                    + "".join(f"{line},,,\n" for line in planted) + "".join(lines))


@pytest.mark.long
def test_from_clips_to_names_without_a_repeated_flag(tmp_path):
  """Extract, train, evaluate, export, predict: what is planted comes out on top."""
  videos = extraction.write_clips(tmp_path / "clips", 48, (2, 3, 4))
  add_films(videos)
  data, model, saved = (f"{tmp_path}/{name}" for name in ("data", "model", "saved"))
  run(f"--videos={videos}", f"--output_dir={data}", "--split=60,15,25",
      "--missing=zeros", "--quantize")
  support.run_command(
      "yt8m.train", f"--data={data}", f"--train_dir={model}", "--batch_size=8",
      "--num_epochs=60", "--base_learning_rate=0.01")
  evaluated = support.run_command(
      "yt8m.eval.evaluate", f"--data={data}", f"--train_dir={model}", "--run_once")
  assert "GAP" in evaluated.stdout
  support.run_command("yt8m.export.export_model", f"--train_dir={model}",
                      f"--output_dir={saved}")
  planted = {
      path: set(labels.split(";")) for path, labels, *_ in csv.reader(
          videos.read_text().splitlines()[1:])
      if path.endswith("-test.mp4") or path.removesuffix(".mp4") in ids_for_tests(data)}
  predicted = support.run_command(
      "yt8m.predict", f"--model={saved}", "--missing=zeros", "--output_format=json",
      "--top_k=2", *(str(videos.parent / path) for path in planted))
  assert len(planted) >= 12 + len(clips.FILMS)
  found = wanted = 0
  for line in map(json.loads, predicted.stdout.splitlines()):
    labels = planted[os.path.basename(line["video"])]
    top = {one["name"] for one in line["predictions"][:len(labels)]}
    found, wanted = found + len(top & labels), wanted + len(labels)
  assert wanted >= 2 * 12 + len(clips.FILMS) and found >= 0.95 * wanted

  identity = json.loads(
      (tmp_path / "data" / "dataset.json").read_text())["features"]["extractor"]
  config = json.loads((tmp_path / "model" / "config.json").read_text())
  assert config["model"]["feature_spec"]["extractor"] == identity
  contract = json.loads((tmp_path / "saved" / "assets" / "feature_spec.json").read_text())
  assert contract["extractor"] == identity
  card = (tmp_path / "saved" / "assets.extra" / "MODEL_CARD.md").read_text()
  assert f"| extractor of these features | {identity} |" in card
  assert "names another one" in card

  # The same sizes, other classes.
  path, kept = tmp_path / "data" / "vocabulary.csv", f"{saved}/assets/vocabulary.csv"
  names_file = path.read_text()
  path.write_text(names_file.replace(",green", ",violet"))
  for command in (
      ("yt8m.eval.evaluate", f"--train_dir={model}", "--run_once"),
      ("yt8m.calibrate", f"--train_dir={model}", f"--output_dir={tmp_path}/c"),
      ("yt8m.eval.ensemble", "search", f"--members={saved}",
       f"--output_dir={tmp_path}/d"),
      ("yt8m.train", f"--train_dir={tmp_path}/e", f"--vocabulary={kept}")):
    process = support.run_command(*command, f"--data={data}", check=False)
    assert process.returncode == 1 and "Traceback" not in process.stderr
    assert "is violet, and class" in process.stderr
  path.write_text(names_file)

  # The same sizes by another extractor.
  path = tmp_path / "data" / "dataset.json"
  path.write_text(path.read_text().replace(identity, "theirs@0123456789abcdef"))
  for command in (
      ("yt8m.eval.evaluate", f"--train_dir={model}", "--run_once"),
      ("yt8m.export.inference", f"--train_dir={model}", f"--output_file={tmp_path}/a"),
      ("yt8m.export.inference", f"--saved_model={saved}", f"--output_file={tmp_path}/b")):
    process = support.run_command(*command, f"--data={data}", check=False)
    assert process.returncode == 1
    assert "theirs@0123456789abcdef" in process.stderr and identity in process.stderr
    assert "Traceback" not in process.stderr
