# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes a sample data set: records of three levels, the vocabulary, the ground truth."""

import contextlib
import csv
import dataclasses
import json
import os
import zipfile
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import directories
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.core import locks
from yt8m.core.types import PathLike
from yt8m.data import tfrecords
from yt8m.synthetic import composed
from yt8m.synthetic import planted
from yt8m.synthetic import scenes

TRAIN, VALIDATE, TEST = SPLITS = ("train", "validate", "test")
GROUND_TRUTH = "ground_truth.npz"
SAMPLE_DATA = directories.Kind(
    "sample data set", GROUND_TRUTH,
    (*(f"{level}/*.tfrecord" for level in feature_spec.LEVELS), "vocabulary.csv",
     "segment_label_ids.csv", "README.txt"))
_COLUMNS = ("Index", "TrainVideoCount", "KnowledgeGraphId", "Name", "WikiUrl",
            "Vertical1", "Vertical2", "Vertical3", "WikiDescription")  # as the real one

Videos = planted.PlantedVideos | composed.ComposedVideos


@dataclasses.dataclass(frozen=True)
class SampleDataConfig:
  """Settings of a sample data set, named like the flags of `yt8m-sample-data`.

  The defaults train on two cores in about a minute and take about 90 MB: real feature
  sizes, so that commands for real records work, but short videos.

  Raises:
    ValueError: A value is out of range; the message names the flag.
  """
  num_videos: int = 2000
  num_classes: int = 100
  seed: int = 0
  max_frames: int = 40
  feature_sizes: tuple[int, ...] = (1024, 128)
  num_shards: int = 4
  splits: tuple[float, ...] = (0.7, 0.15, 0.15)
  segments: bool = True
  from_records: str = ""
  feature_dtypes: tuple[str, ...] = (feature_spec.UINT8,) * 2

  def __post_init__(self):
    for name, least in (("num_videos", 1), ("num_classes", 1), ("num_shards", 1),
                        ("max_frames", scenes.MIN_FRAMES), ("seed", 0)):
      if getattr(self, name) < least:
        raise ValueError(f"--{name}={getattr(self, name)} must be at least {least}.")
    if len(self.feature_sizes) != 2 or min(self.feature_sizes) < 1:
      raise ValueError(f"--feature_sizes={_joined(self.feature_sizes)} must be two "
                       "positive numbers, for rgb and audio, e.g. 1024,128.")
    feature_spec.FeatureSpec(
        scenes.NAMES, self.feature_sizes, feature_spec.FRAME, self.feature_dtypes)
    if (len(self.splits) != 3 or min(self.splits) < 0 or self.splits[0] == 0
        or abs(sum(self.splits) - 1) > 1e-6):
      raise ValueError(f"--splits={_joined(self.splits)} must be three shares that add "
                       "up to 1, for train (above 0), validate and test.")

  def videos_by_split(self) -> dict[str, range]:
    """Returns `{split: range of video indices}`."""
    train = round(self.splits[0] * self.num_videos)
    validate = round((self.splits[0] + self.splits[1]) * self.num_videos)
    return {TRAIN: range(train), VALIDATE: range(train, validate),
            TEST: range(validate, self.num_videos)}


def write(config: SampleDataConfig, output_dir: PathLike, overwrite: bool = False,
          progress: Callable[[int], Any] = lambda num_videos: None) -> None:
  """Writes the data set to a directory, which is there whole or not at all.

  Args:
    config: Settings of the data set.
    output_dir: Directory to write, which must not exist or be empty.
    overwrite: Whether an earlier sample data set, and nothing else, may be replaced.
    progress: Function that is called with the number of videos written so far.

  Raises:
    ValueError: A setting is out of range, or the source records cannot be used.
    FileExistsError: There is something in `output_dir` that must stay.
    OSError: `output_dir` cannot be written.
  """
  if files.is_remote(output_dir):
    raise ValueError(f"--output_dir={output_dir} must be a local directory: write the "
                     "data set locally, then copy it.")
  directories.checked_path(output_dir, "--output_dir")
  owned = SAMPLE_DATA if overwrite or _is_of(config, output_dir) else None
  with (locks.hold_output(output_dir, "writes", is_directory=True),
        directories.atomic_directory(
      output_dir, overwrite=overwrite, owned=owned,
      remedy="name another directory, or add --overwrite to replace a sample data set"
      ) as directory):
    videos = _make_videos(config)
    written = []
    progress(0)
    for split, indices in config.videos_by_split().items():
      for video in _write_split(config, videos, split, indices, directory):
        written.append(dataclasses.replace(video, frames={}))
        progress(len(written))
    _save_truth(os.path.join(directory, GROUND_TRUTH), config, written,
                videos.ground_truth())
    _write_vocabulary(config, videos, written, directory)
    if config.segments:
      _write_segment_label_ids(written, directory)
    _write_readme(config, directory)


def _is_of(config: SampleDataConfig, output_dir: PathLike) -> bool:
  """Returns whether a directory says that it is the data set of these settings."""
  path = os.path.join(output_dir, GROUND_TRUTH)
  try:
    files.check_regular(path)
    with np.load(path, allow_pickle=False) as arrays:
      return json.loads(str(arrays["meta"])) == json.loads(json.dumps(_meta(config)))
  except (OSError, ValueError, KeyError, zipfile.BadZipFile):
    return False


def _meta(config: SampleDataConfig) -> dict[str, Any]:
  return {"synthetic": True, **_settings(config)}


def _settings(config: SampleDataConfig) -> dict[str, Any]:
  """Returns the settings, without types that were the only ones once."""
  settings = dataclasses.asdict(config)
  if set(config.feature_dtypes) == {feature_spec.UINT8}:
    del settings["feature_dtypes"]
  return settings


def _make_videos(config: SampleDataConfig) -> Videos:
  rng = np.random.default_rng(config.seed)
  if config.from_records:
    return composed.ComposedVideos(
        config.from_records, config.num_classes, config.feature_sizes,
        dict(zip(SPLITS, config.splits, strict=True)), config.max_frames, rng,
        config.feature_dtypes)
  return planted.PlantedVideos(config.num_videos, config.num_classes,
                               config.feature_sizes, config.max_frames, rng,
                               config.feature_dtypes)


def _write_split(config, videos, split, indices, directory):
  """Writes the records of a split; yields its videos."""
  levels = [level for level in feature_spec.LEVELS if level != feature_spec.SEGMENT
            or (config.segments and split == VALIDATE)]
  count = min(config.num_shards, len(indices))
  for shard in range(count):
    name = tfrecords.shard_name(split, shard, count)
    with contextlib.ExitStack() as stack:
      writers = {level: stack.enter_context(_writer(directory, level, name))
                 for level in levels}
      for index in indices[len(indices) * shard // count:
                           len(indices) * (shard + 1) // count]:
        # 1 is added because SeedSequence pads with zeros: (seed, 0) would repeat the
        # stream that the vocabulary was drawn from.
        rng = np.random.default_rng((config.seed, 1 + index))
        video = videos.make(index, split, rng)
        for level, writer in writers.items():
          example = _example(level, _id(index), video, rng)
          # The order of a map is not defined, but the same seed must give the same bytes.
          writer.write(example.SerializeToString(deterministic=True))
        yield video


def _id(index: int) -> str:
  return f"syn{index:06d}"


def _writer(directory: str, level: str, name: str) -> tf.io.TFRecordWriter:
  os.makedirs(os.path.join(directory, level), exist_ok=True)
  return tf.io.TFRecordWriter(os.path.join(directory, level, name))


def _example(level, video_id, video, rng):
  if level == feature_spec.VIDEO:
    means = {f"mean_{name}": scenes.restored(frames).mean(axis=0)
             for name, frames in video.frames.items()}
    return tfrecords.video_example(video_id, video.labels, means)
  if level == feature_spec.FRAME:
    return tfrecords.frame_example(video_id, video.labels, video.frames)
  ratings = scenes.rate_segments(video, rng)
  return tfrecords.segment_example(video_id, video.labels, video.frames, ratings)


def _save_truth(path, config, videos, classes):
  """Writes the truth about each video; docs/sample_data.md describes the arrays."""
  columns = ("videos", "labels", "cues", "starts", "stops", "first_gains", "modalities")
  events = [(row, event.label, event.cue, event.start, event.stop, event.gains[0],
             event.modality)
            for row, video in enumerate(videos) for event in video.events]
  arrays: dict[str, Any] = {
      **{f"event_{name}": np.array([event[column] for event in events])
         for column, name in enumerate(columns)},
      **_ragged("labels", [video.labels for video in videos]),
      **_ragged("cuts", [video.cuts for video in videos]), **classes}
  splits = [split for split, indices in config.videos_by_split().items() for _ in indices]
  with files.atomic_write(path, "wb") as file:
    np.savez(file, meta=json.dumps(_meta(config)),
             ids=np.array([_id(index) for index in range(len(videos))]),
             splits=np.array(splits), **arrays)


def _ragged(name: str, rows: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
  """Returns the rows one after another, and the offset at which each starts or ends."""
  offsets = np.cumsum([0] + [len(row) for row in rows])
  return {name: np.concatenate(rows).astype(np.int32), f"{name}_offsets": offsets}


def _write_vocabulary(config, videos, written, directory):
  counts = np.zeros(config.num_classes, np.int64)
  for index in config.videos_by_split()[TRAIN]:
    counts[written[index].labels] += 1
  with files.atomic_write(os.path.join(directory, "vocabulary.csv")) as file:
    writer = csv.DictWriter(file, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for index in range(config.num_classes):
      name, vertical, description = videos.describe(index)
      writer.writerow({"Index": index, "TrainVideoCount": counts[index], "Name": name,
                       "Vertical1": vertical, "WikiDescription": description})


def _write_segment_label_ids(videos: Sequence[scenes.Video], directory: str) -> None:
  """Writes the classes that segments can be rated for, in the format of the real file."""
  labels = sorted({event.label for video in videos for event in video.events})
  with files.atomic_write(os.path.join(directory, "segment_label_ids.csv")) as file:
    file.write("".join(f"{line}\n" for line in ["Index", *labels]))


def _write_readme(config: SampleDataConfig, directory: str) -> None:
  source = ("scenes composed of real video-level vectors" if config.from_records
            else "random vectors with planted structure")
  with files.atomic_write(os.path.join(directory, "README.txt")) as file:
    file.write(
        f"SYNTHETIC data, written by yt8m-sample-data: {source}.\n"
        "No score on it says anything about YouTube-8M.\n\n"
        f"{json.dumps(_settings(config), indent=2)}\n")


def _joined(values: Sequence[float]) -> str:
  return ",".join(f"{value:g}" for value in values)
