# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A job goes on where it was stopped, and says what became of every clip."""

import csv
import os
import pathlib
import random
import shutil

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers import extraction
from yt8m.core import files
from yt8m.data import dataset
from yt8m.data import readers
from yt8m.extracting import features
from yt8m.extracting import job as jobs


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
  return extraction.write_clips(tmp_path_factory.mktemp("clips"), 20, (1, 2, 3))


@pytest.fixture(scope="module")
def expected(videos, tmp_path_factory):
  """What a job that nobody disturbs writes."""
  folder = tmp_path_factory.mktemp("expected") / "data"
  extraction.run(extraction.make_job(videos, folder))
  return extraction.snapshot(folder)


@pytest.fixture
def own_videos(videos, tmp_path):
  shutil.copytree(videos.parent, tmp_path / "clips")
  return tmp_path / "clips" / "videos.csv"


def failures(folder):
  with open(folder / jobs.FAILURES, newline="") as file:
    return {os.path.basename(row["path"]): row["reason"] for row in csv.DictReader(file)}


def test_records_are_the_features_of_the_clips(videos, expected, tmp_path):
  for name, content in expected.items():
    files_of = tmp_path / name
    files_of.parent.mkdir(exist_ok=True)
    files_of.write_bytes(content)
  data = dataset.Dataset.load(tmp_path)
  assert data.spec.extractor == extraction.colours().identity()
  assert data.num_classes == 6 and sum(data.num_videos.values()) == 20
  names = (tmp_path / "vocabulary.csv").read_text().splitlines()[1:]
  classes = {name: int(number) for number, name in (line.split(",") for line in names)}
  labels = dict(line.split(",") for line in videos.read_text().splitlines()[1:])
  reader = readers.make_reader(data.spec, data.num_classes, 300)
  seen = {}
  for batch in reader.dataset(str(tmp_path / "*.tfrecord"), 1):
    name = f"{batch['id'][0].numpy().decode()}.mp4"
    seen[name] = int(batch["num_frames"][0])
    assert set(np.flatnonzero(batch["labels"][0])) == {
        classes[label] for label in labels[name].split(";")}
    colour = np.array(extraction.COLOURS[labels[name].split(";")[0]]) / 255
    np.testing.assert_allclose(
        batch["features"]["rgb"][0, 0, :3], colour, atol=0.05)
  assert seen == {f"{number:03d}.mp4": number % 3 + 1 for number in range(20)}


@pytest.mark.parametrize("num_processes", [1, 4])
def test_the_bytes_do_not_depend_on_the_number_of_processes(
    videos, expected, tmp_path, num_processes):
  extraction.run(extraction.make_job(videos, tmp_path), num_processes=num_processes)
  assert extraction.snapshot(tmp_path) == expected


class Killed(BaseException):
  """Ends a job at a write."""


@pytest.mark.parametrize("seed", range(6))
def test_a_job_that_is_stopped_anywhere_ends_with_the_same_bytes(
    videos, expected, tmp_path, monkeypatch, seed):
  rng, written = random.Random(seed), []
  real = os.replace

  def replace(source, target):
    """Ends before or after a file gets its name."""
    written.append(target)
    if len(written) == stop_at and early:
      raise Killed
    real(source, target)
    if len(written) == stop_at:
      raise Killed

  monkeypatch.setattr(os, "replace", replace)
  for _ in range(4):
    written.clear()
    stop_at, early = rng.randrange(1, 20), rng.random() < 0.5
    try:
      extraction.run(extraction.make_job(videos, tmp_path / "data"))
    except Killed:
      assert not (tmp_path / "data" / dataset.FILE).exists() or (
          written[-1].endswith(dataset.FILE))
  stop_at = 0
  extraction.run(extraction.make_job(videos, tmp_path / "data"))
  assert extraction.snapshot(tmp_path / "data") == expected


def test_finished_shards_stay(videos, tmp_path, monkeypatch):
  extraction.run(extraction.make_job(videos, tmp_path))
  lost = next(tmp_path.glob("train-00*.tfrecord"))
  before = extraction.snapshot(tmp_path)
  lost.unlink()
  extracted = []
  real = features.extract
  monkeypatch.setattr(features, "extract", lambda *arguments: (
      extracted.append(1), real(*arguments))[1])
  extraction.run(extraction.make_job(videos, tmp_path))
  assert len(extracted) == 3 and extraction.snapshot(tmp_path) == before


def test_other_settings_are_refused_by_name(videos, expected, tmp_path):
  extraction.run(extraction.make_job(videos, tmp_path))
  shorter = tmp_path.parent / f"{tmp_path.name}.csv"
  shorter.write_text("".join(
      f"{videos.parent}/{line}\n" if number else f"{line}\n"
      for number, line in enumerate(videos.read_text().splitlines()[:-1])))

  class Other(type(extraction.colours())):
    version = 2

  for said, other in (
      ("fps was 1.0, is now 2.0", extraction.make_job(videos, tmp_path, fps=2.0)),
      ("max_frames was 300, is now 7",
       extraction.make_job(videos, tmp_path, max_frames=7)),
      ("missing was 'fail', is now 'zeros'",
       extraction.make_job(videos, tmp_path, missing="zeros")),
      ("keep_damaged was False, is now True",
       extraction.make_job(videos, tmp_path, keep_damaged=True)),
      ("videos_per_shard was 3, is now 4",
       extraction.make_job(videos, tmp_path, per_shard=4)),
      ("extractor was 'colours@", extraction.make_job(videos, tmp_path, Other())),
      ("clips was", extraction.make_job(shorter, tmp_path))):
    with pytest.raises(ValueError) as error:
      other.prepare()
    assert said in str(error.value) and "add --overwrite" in str(error.value)
  assert extraction.snapshot(tmp_path) == expected


def test_a_job_that_was_killed_at_its_beginning_begins_again(
    videos, expected, tmp_path, monkeypatch):
  """Before its settings have their name, and before there is a folder for parts."""
  for number, kill in enumerate(("replace", "makedirs")):
    folder, real = tmp_path / str(number), getattr(os, kill)

    def killed(path, *arguments, kill=kill, real=real, **keywords):
      if kill == "replace" or str(path).endswith(jobs.PARTS):
        os._exit(9)
      return real(path, *arguments, **keywords)

    pid = os.fork()
    if not pid:
      monkeypatch.setattr(os, kill, killed)
      extraction.make_job(videos, folder).prepare()
      os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert len(extraction.snapshot(folder)) == 1
    extraction.run(extraction.make_job(videos, folder))
    assert extraction.snapshot(folder) == expected


def test_a_foreign_directory_is_left_alone(videos, tmp_path):
  (tmp_path / "mine.txt").write_text("x")
  with pytest.raises(FileExistsError, match="not an empty directory"):
    extraction.make_job(videos, tmp_path).prepare()
  assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_links_are_not_followed(videos, tmp_path):
  data = tmp_path / "data"
  extraction.run(extraction.make_job(videos, data))
  (tmp_path / "victim").write_text("x")
  (data / "failures.csv").unlink()
  (data / "failures.csv").symlink_to(tmp_path / "victim")
  with pytest.raises(FileExistsError, match="symbolic link"):
    extraction.make_job(videos, data).prepare()


def test_failed_clips_are_listed_and_can_be_tried_again(own_videos, expected, tmp_path):
  folder, data = own_videos.parent, tmp_path / "data"
  good = (folder / "003.mp4").read_bytes(), (folder / "007.mp4").read_bytes()
  clips.truncate(folder / "003.mp4", 0.5)
  (folder / "007.mp4").unlink()
  reports = []
  extraction.run(extraction.make_job(own_videos, data),
                 report=lambda *counts: reports.append(counts))
  assert reports[0] == (0, 0) and reports[-1] == (20, 2)
  assert failures(data) == {
      "003.mp4": failures(data)["003.mp4"], "007.mp4": "it does not exist"}
  assert failures(data)["003.mp4"].startswith("it is damaged: ")
  assert sum(dataset.Dataset.load(data).num_videos.values()) == 18
  before = extraction.snapshot(data)
  for name, content in zip(("003.mp4", "007.mp4"), good, strict=True):
    (folder / name).write_bytes(content)
  extraction.run(extraction.make_job(own_videos, data))
  assert extraction.snapshot(data) == before  # Nothing is tried unless it is asked for.
  extraction.run(extraction.make_job(own_videos, data), retry_failed=True)
  mended = extraction.snapshot(data)
  # The settings name the folder of the clips, which is another one here.
  assert {name: content for name, content in mended.items() if name != jobs.SETTINGS} == {
      name: content for name, content in expected.items() if name != jobs.SETTINGS}


def test_a_second_try_that_is_stopped_is_not_taken_for_the_first(
    own_videos, tmp_path, monkeypatch):
  """Records that came between the two would not be in the counts."""
  folder, data = own_videos.parent, tmp_path / "data"
  good = (folder / "003.mp4").read_bytes()
  (folder / "003.mp4").write_bytes(b"")
  extraction.run(extraction.make_job(own_videos, data))
  (folder / "003.mp4").write_bytes(good)
  real = os.replace

  def replace(source, target):
    real(source, target)
    if str(target).endswith(".tfrecord"):
      raise Killed

  with monkeypatch.context() as patch, pytest.raises(Killed):
    patch.setattr(os, "replace", replace)
    extraction.run(extraction.make_job(own_videos, data), retry_failed=True)
  extraction.run(extraction.make_job(own_videos, data))
  assert failures(data) == {}
  assert sum(dataset.Dataset.load(data).num_videos.values()) == 20


def test_a_shard_without_records_has_no_file(own_videos, tmp_path):
  job = extraction.make_job(own_videos, tmp_path / "data")
  shard = next(one for one in job.shards if one.name.startswith("train-00"))
  for clip in shard.clips:
    pathlib.Path(clip.path).write_bytes(b"no video")
  extraction.run(job)
  assert not (tmp_path / "data" / shard.name).exists()
  assert set(failures(tmp_path / "data")) == {
      os.path.basename(clip.path) for clip in shard.clips}
  before = extraction.snapshot(tmp_path / "data")
  extraction.run(extraction.make_job(own_videos, tmp_path / "data"))
  assert extraction.snapshot(tmp_path / "data") == before


def test_no_clip_gives_features(own_videos, tmp_path):
  for path in own_videos.parent.glob("*.mp4"):
    path.write_bytes(b"")
  extraction.run(extraction.make_job(own_videos, tmp_path / "data"))
  data = dataset.Dataset.load(tmp_path / "data")
  assert not any(data.num_videos.values())
  assert not list((tmp_path / "data").glob("*.tfrecord"))
  assert set(failures(tmp_path / "data").values()) == {"it is empty"}
  with pytest.raises(ValueError, match="split"):
    data.pattern("train")


@pytest.mark.parametrize("content", [
    "", "[]", "{}", '{"videos": 3, "failed": []}', '{"videos": [["a"]], "failed": []}',
    '{"videos": [["a", "x", []]], "failed": []}', '{"videos": [], "failed": [["a"]]}',
    '{"videos": [["a", 1e999, []]], "failed": []}'])
def test_damaged_parts_are_named(videos, tmp_path, content):
  job = extraction.make_job(videos, tmp_path)
  job.prepare()
  path = tmp_path / jobs.PARTS / f"{job.shards[0].name.removesuffix('.tfrecord')}.json"
  path.write_text(content)
  with pytest.raises(ValueError, match="is not a part of yt8m-extract") as error:
    job.result(job.shards[0])
  assert str(path) in str(error.value) and "Delete it" in str(error.value)


def test_an_extractor_that_is_wrong_stops_the_job(videos, tmp_path):
  class Wrong(type(extraction.colours())):
    def extract_audio(self, waveform, fps=1.0):
      return np.zeros((1, 3))

  with pytest.raises(ValueError, match="correct its sizes"):
    extraction.run(extraction.make_job(videos, tmp_path, Wrong()))
  assert not (tmp_path / dataset.FILE).exists()
  assert not list(tmp_path.glob("*.tmp*"))


def test_features_that_are_no_numbers_are_a_failure(videos, tmp_path):
  class Divided(type(extraction.colours())):
    def extract_frames(self, rgb):
      return np.log(super().extract_frames(rgb) * 0)

  with np.errstate(all="ignore"):
    extraction.run(extraction.make_job(videos, tmp_path, Divided()))
  assert set(failures(tmp_path).values()) == {"its rgb features are not all numbers"}


def test_a_full_disk_is_one_error(videos, tmp_path, monkeypatch):
  def write_json(path, *arguments, **keywords):
    if jobs.PARTS in str(path):
      raise OSError(28, "No space left on device", path)
    return real(path, *arguments, **keywords)

  real = files.write_json
  monkeypatch.setattr(files, "write_json", write_json)
  with pytest.raises(OSError, match="No space left"):
    extraction.run(extraction.make_job(videos, tmp_path))


def damaged(folder, count):
  """Writes damaged files, always the same ones; returns what each was made of."""
  rng, originals = random.Random(0), []
  tone = clips.tone(10, 440.0, 16000)
  pictures = [clips.moving_square(number / 5) for number in range(50)]
  for name, codecs in (("a.mp4", ("libx264", "aac")), ("b.mkv", ("mpeg4", "flac"))):
    originals.append(clips.write(
        folder / f"whole-{name}", pictures, fps=5, sound=tone, rate=16000,
        codec=codecs[0], audio_codec=codecs[1], first_headers=name == "a.mp4"))
  names = {}
  for number in range(count):
    source = originals[number % 2]
    kind, ending = number % 5, os.path.splitext(source)[1]
    path = folder / f"damaged{number:03d}{ending if kind != 4 else '.mp3'}"
    if kind == 0:
      shutil.copy(source, path)
      clips.truncate(path, rng.uniform(0.02, 0.8))
    elif kind in (1, 2):
      shutil.copy(source, path)
      clips.damage(path, rng, (5, 200)[kind - 1])
    elif kind == 3:
      path.write_bytes(rng.randbytes(rng.randrange(3000)) if number % 3 else b"")
    else:
      path.write_text(rng.choice(["<html></html>", "#EXTM3U\n/etc/passwd\n", "x" * 999,
                                  "\x7fELF", "RIFF....WAVEfmt "]) * rng.randrange(1, 9))
    names[path.name] = os.path.basename(source)
  return names


def features_of(folder):
  """Returns the bytes of the features of each record, by id."""
  data = dataset.Dataset.load(folder)
  reader = readers.make_reader(data.spec, data.num_classes, 300)
  return {batch["id"][0].numpy().decode(): [
      batch["features"][name].numpy().tobytes() for name in data.spec.names]
          for batch in reader.dataset(str(folder / "*.tfrecord"), 1)}


@pytest.mark.parametrize(
    "count", [25, pytest.param(200, marks=pytest.mark.long)])
def test_damaged_files_never_stop_the_job(tmp_path, count):
  folder = tmp_path / "clips"
  folder.mkdir()
  names = damaged(folder, count)
  everything = [*names, *sorted(set(names.values()))]
  videos = folder / "videos.csv"
  videos.write_text("path,labels,id\n" + "".join(
      f"{name},red,{name}\n" for name in everything))
  job = extraction.run(extraction.make_job(videos, tmp_path / "data", per_shard=20),
                       timeout_secs=60.0)
  found, records = failures(tmp_path / "data"), features_of(tmp_path / "data")
  assert job.num_clips == len(everything) and len(names) == count
  assert set(found) | set(records) == set(everything) and set(found) <= set(names)
  # What is changed may be of no consequence, such as the time of the writing.
  unnoticed = set(names) - set(found)
  assert len(unnoticed) <= 0.02 * count
  assert all(records[name] == records[names[name]] for name in unnoticed), unnoticed
  assert all(int(name.removeprefix("damaged")[:3]) % 5 == 1 for name in unnoticed)
  assert not [reason for reason in found.values() if "takes more than" in reason]


def test_memory_does_not_grow_with_the_number_of_videos(tmp_path):
  """Nothing of a clip is kept but its line: 40 clips need as much as 10."""
  import tracemalloc
  peaks = {}
  for count in (10, 40):
    videos = extraction.write_clips(tmp_path / str(count), count)
    job = extraction.make_job(videos, tmp_path / f"data{count}")
    tracemalloc.start()
    extraction.run(job)
    peaks[count] = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
  assert peaks[40] < peaks[10] + 2 * 2**20


