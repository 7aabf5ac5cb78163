# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Videos composed of video-level vectors, and faulty source records."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.support import DATA
from tests.helpers.support import needs_data
from yt8m.core.numerics import dequantize
from yt8m.data import tfrecords
from yt8m.synthetic.composed import ComposedVideos
from yt8m.synthetic.scenes import NAMES

SIZES = (512, 256)
NUM_SOURCES = 40
SPLITS = {"train": 0.5, "validate": 0.25, "test": 0.25}


def write(path, records):
  with tf.io.TFRecordWriter(str(path)) as writer:
    for record in records:
      writer.write(record.SerializeToString())
  return str(path)


def record(labels=(1,), sizes=SIZES, seed=0):
  rng = np.random.default_rng(seed)
  return tfrecords.video_example("abcd", labels, {
      f"mean_{name}": rng.normal(scale=0.6, size=size)
      for name, size in zip(NAMES, sizes, strict=True)})


def compose(pattern, num_classes=100, splits=SPLITS):
  return ComposedVideos(pattern, num_classes, SIZES, splits, 60, np.random.default_rng(0))


@pytest.fixture
def composed(tmp_path):
  # Source i has the labels i and 50 + i, so a label identifies its source.
  for shard in range(2):
    write(tmp_path / f"part{shard}.tfrecord",
          [record([50 + i, i], seed=i) for i in range(shard, NUM_SOURCES, 2)])
  return compose(f"{tmp_path}/part0*,{tmp_path}/part1*")


def test_labels_are_the_union_of_the_sources_and_each_shows_in_a_scene(composed):
  for index in range(50):
    video = composed.make(index, "train", np.random.default_rng(index))
    assert set(video.labels) == {event.label for event in video.events}
    assert 1 <= len(video.labels) // 2 <= min(3, len(video.cuts) - 1)
    spans = {(event.start, event.stop) for event in video.events}
    assert sorted(spans) == list(zip(video.cuts[:-1], video.cuts[1:], strict=True))


def test_frames_are_the_source_of_their_scene_and_noise(composed):
  video = composed.make(0, "train", np.random.default_rng(0))
  for name in NAMES:
    assert video.frames[name].dtype == np.uint8
    frames = dequantize(video.frames[name])
    assert len(frames) == video.num_frames
    for event in video.events:
      shown = frames[event.start:event.stop].mean(axis=0)
      correlations = [np.corrcoef(shown, source)[0, 1]
                      for source in composed.features[name]]
      assert event.label in composed.label_sets[np.argmax(correlations)]


def test_a_source_serves_one_split_only(composed):
  seen = {split: {label for index in range(200) for label in composed.make(
      index, split, np.random.default_rng(index)).labels} for split in SPLITS}
  assert not seen["train"] & seen["validate"] and not seen["train"] & seen["test"]
  assert not seen["validate"] & seen["test"]
  assert [len(labels) for labels in seen.values()] == [40, 20, 20]


def test_videos_without_labels_are_composed_too(tmp_path):
  videos = compose(write(tmp_path / "a", [record([])]), splits={"train": 1.})
  video = videos.make(0, "train", np.random.default_rng(0))
  assert not len(video.labels) and not video.events


@needs_data
def test_real_records():
  pattern = str(DATA / "yt8m" / "video" / "fit" / "validate0000.tfrecord")
  videos = ComposedVideos(
      pattern, 3862, (1024, 128), SPLITS, 40, np.random.default_rng(0))
  stored = sum(1 for _ in tf.data.TFRecordDataset(pattern))
  assert len(videos.label_sets) == len(videos.features["rgb"]) == stored
  frames = dequantize(videos.make(0, "train", np.random.default_rng(0)).frames["rgb"])
  assert frames.shape[1] == 1024 and 0.6 < frames.std() < 1.1


@pytest.mark.parametrize("records, message", [
    ([record(), record([1, 100])], "record 1 has label 100, outside the 100 classes"),
    ([record([-1])], "record 0 has label -1, outside the 100 classes"),
    ([record(sizes=(512, 128))],
     r"record 0 has 128 values of feature mean_audio, expected 256 \(--feature_sizes\)"),
    ([tfrecords.frame_example("abcd", [1], {"rgb": np.zeros((2, 512), np.uint8)})],
     "record 0 has no feature mean_rgb, but frames of rgb.*needs video-level records"),
])
def test_wrong_records_are_named(tmp_path, records, message):
  path = write(tmp_path / "wrong.tfrecord", records)
  with pytest.raises(ValueError, match=f"wrong.tfrecord, {message}"):
    compose(path)


def test_a_truncated_file_is_named(tmp_path):
  path = write(tmp_path / "cut.tfrecord", [record(), record()])
  with open(path, "rb+") as file:
    file.truncate(file.seek(0, 2) - 3)
  with pytest.raises(ValueError, match="cut.tfrecord, record 1 is cut off or corrupt"):
    compose(path)


def test_a_record_that_is_no_example_is_named(tmp_path):
  path = str(tmp_path / "text.tfrecord")
  with tf.io.TFRecordWriter(path) as writer:
    writer.write(b"\xff not a protocol buffer")
  with pytest.raises(ValueError, match="text.tfrecord, record 0.*video-level"):
    compose(path)


def test_no_file_is_an_error(tmp_path):
  with pytest.raises(ValueError, match=r"No file matches .*/none.* \(--from_records\)"):
    compose(f"{tmp_path}/none")


def test_too_few_videos_for_the_splits_are_an_error(tmp_path):
  with pytest.raises(ValueError, match="1 videos, too few to give the split"):
    compose(write(tmp_path / "one", [record()]))
