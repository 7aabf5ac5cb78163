# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The data set on disk, and the command that writes it."""

import csv
import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.full_disk import full_disk
from yt8m.core.numerics import dequantize
from yt8m.synthetic import writer
from yt8m.synthetic.writer import SampleDataConfig

SMALL = SampleDataConfig(num_videos=60, num_classes=30, feature_sizes=(16, 8),
                         num_shards=2, splits=(0.5, 0.3, 0.2))
FLAGS = ["--num_videos=60", "--num_classes=30", "--feature_sizes=16,8", "--num_shards=2",
         "--splits=0.5,0.3,0.2"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
  path = tmp_path_factory.mktemp("sample") / "new" / "data"
  writer.write(SMALL, str(path))
  return path


@pytest.fixture(scope="module")
def truth(directory):
  with np.load(directory / "ground_truth.npz") as archive:
    return {key: archive[key] for key in archive.files}


def records(directory, level, split):
  proto = tf.train.Example if level == "video" else tf.train.SequenceExample
  paths = sorted(str(path) for path in (directory / level).glob(f"{split}-*"))
  return [proto.FromString(record)
          for record in tf.data.TFRecordDataset(paths).as_numpy_iterator()]


def frames_of(example, name):
  steps = example.feature_lists.feature_list[name].feature
  return np.stack([np.frombuffer(step.bytes_list.value[0], np.uint8) for step in steps])


def ids_of(examples):
  contexts = [getattr(e, "features", None) or e.context for e in examples]
  return [context.feature["id"].bytes_list.value[0].decode() for context in contexts]


def row(truth, name, index):
  return truth[name][truth[f"{name}_offsets"][index]:truth[f"{name}_offsets"][index + 1]]


def digests(directory):
  return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
          for path in directory.rglob("*") if path.is_file()}


def run_command(*flags):
  return subprocess.run(
      [sys.executable, "-m", "yt8m.sample_data", *flags], capture_output=True, text=True,
      env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"})


def test_files(directory):
  names = {f"{level}/{split}-{shard:02d}-of-02.tfrecord" for level in ("video", "frame")
           for split in ("train", "validate", "test") for shard in range(2)}
  names |= {f"segment/validate-{shard:02d}-of-02.tfrecord" for shard in range(2)}
  assert set(digests(directory)) == names | {
      "README.txt", "ground_truth.npz", "segment_label_ids.csv", "vocabulary.csv"}
  assert os.listdir(directory.parent) == ["data"]


def test_it_says_that_it_is_synthetic(directory, truth):
  assert (directory / "README.txt").read_text().startswith("SYNTHETIC")
  meta = json.loads(str(truth["meta"]))
  assert meta.pop("synthetic") is True
  settings = dataclasses.asdict(SMALL)
  assert set(settings.pop("feature_dtypes")) == {"uint8"}  # As before there were others.
  assert meta == json.loads(json.dumps(settings))


def test_frames_of_floats_are_not_quantised(tmp_path):
  config = writer.SampleDataConfig(
      num_videos=4, num_classes=13, max_frames=8, num_shards=1, feature_sizes=(6, 3),
      splits=(0.5, 0.5, 0.0), feature_dtypes=("float16", "uint8"))
  writer.write(config, str(tmp_path / "data"))
  quantised = dataclasses.replace(config, feature_dtypes=("uint8", "uint8"))
  writer.write(quantised, str(tmp_path / "quantised"))
  for level in ("frame", "segment"):
    for found, other, video in zip(
        records(tmp_path / "data", level, "validate"),
        records(tmp_path / "quantised", level, "validate"),
        records(tmp_path / "data", "video", "validate"), strict=True):
      np.testing.assert_array_equal(frames_of(found, "audio"), frames_of(other, "audio"))
      rgb = frames_of(found, "rgb").view("<f2")
      restored = np.clip(rgb, -1.99, 2.0).astype(np.float32)
      np.testing.assert_allclose(restored, dequantize(frames_of(other, "rgb")), atol=0.02)
      np.testing.assert_allclose(
          video.features.feature["mean_rgb"].float_list.value,
          rgb.astype(np.float32).mean(axis=0), atol=1e-6)
  assert json.loads(str(np.load(tmp_path / "data" / "ground_truth.npz")["meta"]))[
      "feature_dtypes"] == ["float16", "uint8"]


def test_levels_hold_the_same_videos_and_labels(directory, truth):
  ids = []
  for split, count in (("train", 30), ("validate", 18), ("test", 12)):
    video, frame = records(directory, "video", split), records(directory, "frame", split)
    assert len(video) == len(frame) == count
    assert ids_of(video) == ids_of(frame)
    for index, (mean, sequence) in enumerate(zip(video, frame, strict=True), len(ids)):
      labels = list(row(truth, "labels", index))
      assert labels == list(mean.features.feature["labels"].int64_list.value)
      assert labels == list(sequence.context.feature["labels"].int64_list.value)
      for name, size in (("rgb", 16), ("audio", 8)):
        frames = frames_of(sequence, name)
        assert frames.shape == (row(truth, "cuts", index)[-1], size)
        np.testing.assert_allclose(
            mean.features.feature[f"mean_{name}"].float_list.value,
            dequantize(frames).mean(axis=0), atol=1e-6)
      assert truth["splits"][index] == split
    ids += ids_of(video)
  assert ids == list(truth["ids"]) and len(set(ids)) == 60


def test_segments_are_the_validate_videos_with_ratings(directory, truth):
  segments = records(directory, "segment", "validate")
  frames = records(directory, "frame", "validate")
  assert ids_of(segments) == ids_of(frames)
  first = list(truth["ids"]).index(ids_of(segments)[0])
  scores = []
  for index, (segment, frame) in enumerate(zip(segments, frames, strict=True), first):
    assert segment.feature_lists == frame.feature_lists
    entries = segment.context.feature
    rated = zip(entries["segment_start_times"].int64_list.value,
                entries["segment_labels"].int64_list.value,
                entries["segment_scores"].float_list.value, strict=True)
    for start, label, score in rated:
      shown = np.zeros(row(truth, "cuts", index)[-1])
      for event in np.flatnonzero((truth["event_videos"] == index)
                                  & (truth["event_labels"] == label)):
        shown[truth["event_starts"][event]:truth["event_stops"][event]] = 1
      assert score == (shown[start:start + 5].sum() >= 3)
      scores.append(score)
  assert 0.2 < np.mean(scores) < 0.8


def test_the_vocabulary_counts_the_training_labels(directory, truth):
  with open(directory / "vocabulary.csv", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
  labels = np.concatenate([row(truth, "labels", i) for i in range(30)])
  assert [int(r["Index"]) for r in rows] == list(range(30))
  np.testing.assert_array_equal([int(r["TrainVideoCount"]) for r in rows],
                                np.bincount(labels, minlength=30))
  for index, entry in enumerate(rows):
    assert entry["Name"] == f"{truth['kinds'][index]}-{index:04d}"
    assert entry["WikiDescription"].startswith("Synthetic class")
  assert len({r["WikiDescription"] for r in rows}) == 9  # twins differ


def test_rated_classes_are_listed(directory, truth):
  lines = (directory / "segment_label_ids.csv").read_text().splitlines()
  assert lines[0] == "Index"
  assert [int(line) for line in lines[1:]] == sorted(set(truth["event_labels"]))


def test_the_command_writes_the_same_bytes_in_another_process(directory, tmp_path):
  result = run_command(f"--output_dir={tmp_path}/data", *FLAGS)
  assert result.returncode == 0, result.stderr
  assert "60 SYNTHETIC videos" in result.stdout
  assert digests(tmp_path / "data") == digests(directory)


def test_another_seed_gives_other_videos_and_no_fewer_bytes(directory, tmp_path):
  writer.write(dataclasses.replace(SMALL, seed=1), str(tmp_path / "data"))
  old, new = digests(directory), digests(tmp_path / "data")
  assert old.keys() == new.keys()
  assert all(old[name] != new[name] for name in old if name.endswith(".tfrecord"))


def test_the_command_refuses_unknown_flags_and_missing_output(tmp_path):
  assert "Unknown command line flag 'num_video'" in run_command(
      f"--output_dir={tmp_path}/data", "--num_video=3").stderr
  assert "--output_dir" in run_command().stderr
  assert os.listdir(tmp_path) == []


def test_progress_counts_every_video(tmp_path):
  counts = []
  writer.write(SMALL, str(tmp_path / "data"), progress=counts.append)
  assert counts == list(range(61))


def test_no_segments(tmp_path):
  config = dataclasses.replace(SMALL, segments=False, num_shards=50)
  writer.write(config, str(tmp_path / "data"))
  names = digests(tmp_path / "data")
  assert not any("segment" in name for name in names)
  # No shard is empty.
  assert sum(name.startswith("frame/test") for name in names) == 12


def test_composed_of_records_it_wrote_itself(directory, tmp_path):
  config = dataclasses.replace(
      SMALL, num_videos=12, from_records=f"{directory}/video/*.tfrecord")
  writer.write(config, str(tmp_path / "data"))
  assert len(records(tmp_path / "data", "frame", "train")) == 6
  assert "real video-level vectors" in (tmp_path / "data" / "README.txt").read_text()


def test_an_existing_data_set_is_replaced_only_on_demand(tmp_path):
  path = tmp_path / "data"
  path.mkdir()  # empty: fine
  writer.write(SMALL, str(path))
  before = digests(path)
  writer.write(SMALL, str(path))  # Killed at its end, and started again.
  assert digests(path) == before
  without = dataclasses.replace(SMALL, segments=False)
  with pytest.raises(FileExistsError, match="not an empty directory: .* add --overwrite"):
    writer.write(without, str(path))
  writer.write(without, str(path), overwrite=True)
  assert not (path / "segment").exists()
  assert os.listdir(tmp_path) == ["data"]


@pytest.mark.parametrize("foreign", ["mine", "frame/mine.txt", "mine/notes.txt"])
def test_overwrite_never_removes_a_file_of_the_user(tmp_path, foreign):
  path = tmp_path / "data"
  writer.write(dataclasses.replace(SMALL, num_videos=3), str(path))
  (path / foreign).parent.mkdir(exist_ok=True)
  (path / foreign).touch()
  before = digests(path)
  with pytest.raises(FileExistsError, match="also holds mine|also holds frame/mine.txt"):
    writer.write(SMALL, str(path), overwrite=True)
  assert digests(path) == before


def test_overwrite_never_removes_anything_else(tmp_path):
  (tmp_path / "thesis.tex").touch()
  (tmp_path / "link").symlink_to(tmp_path)
  with pytest.raises(FileExistsError, match="has no ground_truth.npz"):
    writer.write(SMALL, str(tmp_path), overwrite=True)
  with pytest.raises(FileExistsError, match="thesis.tex is a file"):
    writer.write(SMALL, str(tmp_path / "thesis.tex"), overwrite=True)
  with pytest.raises(FileExistsError, match="link is a symbolic link"):
    writer.write(SMALL, str(tmp_path / "link"), overwrite=True)
  with pytest.raises(ValueError, match="--output_dir is empty"):
    writer.write(SMALL, "", overwrite=True)
  assert sorted(os.listdir(tmp_path)) == ["link", "thesis.tex"]


def test_a_full_disk_leaves_nothing_behind(tmp_path):
  with (full_disk(after=4096),
        pytest.raises(OSError, match="after [0-9,]+ bytes; nothing half-written")):
    writer.write(SMALL, str(tmp_path / "data"))
  assert os.listdir(tmp_path) == []


def test_an_interruption_leaves_nothing_behind(tmp_path):
  def interrupt(done):
    raise KeyboardInterrupt
  with pytest.raises(KeyboardInterrupt):
    writer.write(SMALL, str(tmp_path / "data"), progress=interrupt)
  assert os.listdir(tmp_path) == []


def test_a_remote_directory_is_refused():
  with pytest.raises(ValueError, match="--output_dir=gs://bucket/x must be a local"):
    writer.write(SMALL, "gs://bucket/x")


@pytest.mark.parametrize("change, message", [
    ({"num_videos": 0}, "--num_videos=0 must be at least 1"),
    ({"num_shards": 0}, "--num_shards=0 must be at least 1"),
    ({"max_frames": 7}, "--max_frames=7 must be at least 8"),
    ({"seed": -1}, "--seed=-1 must be at least 0"),
    ({"feature_sizes": (1024,)}, "--feature_sizes=1024 must be two positive numbers"),
    ({"feature_sizes": (16, 0)}, "--feature_sizes=16,0 must be two positive numbers"),
    ({"splits": (0.5, 0.3)}, "--splits=0.5,0.3 must be three shares"),
    ({"splits": (0.5, 0.3, 0.3)}, "--splits=0.5,0.3,0.3 must be three shares"),
    ({"splits": (0., 0.5, 0.5)}, "--splits=0,0.5,0.5 must be three shares"),
])
def test_impossible_values_name_their_flag(change, message):
  with pytest.raises(ValueError, match=message):
    dataclasses.replace(SMALL, **change)


def test_a_pipe_is_not_waited_for(tmp_path):
  os.mkfifo(tmp_path / "ground_truth.npz")
  with pytest.raises(FileExistsError):
    writer.write(writer.SampleDataConfig(num_videos=20), str(tmp_path))
