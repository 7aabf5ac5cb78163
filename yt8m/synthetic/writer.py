# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes a sample data set: records of three levels, the vocabulary, the ground truth."""

import contextlib
import csv
import dataclasses
import json
import os
import shutil
import uuid

import numpy as np
import tensorflow as tf

from yt8m.core import files
from yt8m.core.feature_spec import FRAME
from yt8m.core.feature_spec import LEVELS
from yt8m.core.feature_spec import SEGMENT
from yt8m.core.feature_spec import VIDEO
from yt8m.data import tfrecords
from yt8m.synthetic import scenes
from yt8m.synthetic.composed import ComposedVideos
from yt8m.synthetic.planted import PlantedVideos

TRAIN, VALIDATE, TEST = SPLITS = ("train", "validate", "test")
GROUND_TRUTH = "ground_truth.npz"
_COLUMNS = ("Index", "TrainVideoCount", "KnowledgeGraphId", "Name", "WikiUrl",
            "Vertical1", "Vertical2", "Vertical3", "WikiDescription")  # as the real one


@dataclasses.dataclass(frozen=True)
class SampleDataConfig:
  """What to generate; the flags of `yt8m-sample-data` have the same names and meaning.

  The defaults train on two cores in about a minute and take about 90 MB: real feature
  sizes, so that commands for real records work, but short videos.

  Raises:
    ValueError: a value that cannot be; the message names the flag.
  """
  num_videos: int = 2000
  num_classes: int = 100
  seed: int = 0
  max_frames: int = 40
  feature_sizes: tuple = (1024, 128)
  num_shards: int = 4
  splits: tuple = (0.7, 0.15, 0.15)
  segments: bool = True
  from_records: str = ""

  def __post_init__(self):
    for name, least in (("num_videos", 1), ("num_classes", 1), ("num_shards", 1),
                        ("max_frames", scenes.MIN_FRAMES), ("seed", 0)):
      if getattr(self, name) < least:
        raise ValueError(f"--{name}={getattr(self, name)} must be at least {least}.")
    if len(self.feature_sizes) != 2 or min(self.feature_sizes) < 1:
      raise ValueError(f"--feature_sizes={_joined(self.feature_sizes)} must be two "
                       "positive numbers, of rgb and audio, e.g. 1024,128.")
    if (len(self.splits) != 3 or min(self.splits) < 0 or self.splits[0] == 0
        or abs(sum(self.splits) - 1) > 1e-6):
      raise ValueError(f"--splits={_joined(self.splits)} must be three shares that add "
                       "up to 1, of train (above 0), validate and test.")

  def videos_by_split(self):
    """Returns `{split: range of video indices}`."""
    train = round(self.splits[0] * self.num_videos)
    validate = round((self.splits[0] + self.splits[1]) * self.num_videos)
    return {TRAIN: range(train), VALIDATE: range(train, validate),
            TEST: range(validate, self.num_videos)}


def write(config, output_dir, overwrite=False, progress=None):
  """Writes the data set to `output_dir`, which is there whole or not at all.

  Args:
    config: `SampleDataConfig`.
    output_dir: absent or empty; its parents are made.
    overwrite: replaces an earlier sample data set (and nothing else).
    progress: called with the number of videos written so far, 0 before the first.

  Raises:
    ValueError: as `SampleDataConfig`, `PlantedVideos` and `ComposedVideos`.
    OSError: `output_dir` is not empty or not writable.
  """
  if files.is_remote(output_dir):
    raise ValueError(f"--output_dir={output_dir} must be a local directory: write the "
                     "data set locally, then copy it.")
  with _directory_beside(output_dir, overwrite) as directory:
    rng = np.random.default_rng(config.seed)
    if config.from_records:
      videos = ComposedVideos(
          config.from_records, config.num_classes, config.feature_sizes,
          dict(zip(SPLITS, config.splits, strict=True)), config.max_frames, rng)
    else:
      videos = PlantedVideos(config.num_videos, config.num_classes,
                             config.feature_sizes, config.max_frames, rng)
    if progress:
      progress(0)
    truth = _Truth(config.num_classes)
    for split, indices in config.videos_by_split().items():
      _write_split(config, videos, split, indices, directory, truth, progress)
    truth.save(os.path.join(directory, GROUND_TRUTH), config, videos.ground_truth())
    _write_vocabulary(config, videos, truth.train_counts, directory)
    if config.segments:
      _write_segment_label_ids(truth, directory)
    _write_readme(config, directory)


def _write_split(config, videos, split, indices, directory, truth, progress):
  levels = [level for level in LEVELS
            if level != SEGMENT or (config.segments and split == VALIDATE)]
  count = min(config.num_shards, len(indices))
  for shard in range(count):
    name = tfrecords.shard_name(split, shard, count)
    with contextlib.ExitStack() as stack:
      writers = {level: stack.enter_context(_writer(directory, level, name))
                 for level in levels}
      for index in indices[len(indices) * shard // count:
                           len(indices) * (shard + 1) // count]:
        # Offset: SeedSequence pads with zeros, so (seed, 0) would repeat the stream
        # that the vocabulary was drawn from.
        rng = np.random.default_rng((config.seed, 1 + index))
        video = videos.make(index, split, rng)
        video_id = f"syn{index:06d}"
        for level, writer in writers.items():
          example = _example(level, video_id, video, rng)
          # Maps have no order of their own; the same seed shall give the same bytes.
          writer.write(example.SerializeToString(deterministic=True))
        truth.add(video_id, split, video)
        if progress:
          progress(index + 1)


def _writer(directory, level, name):
  os.makedirs(os.path.join(directory, level), exist_ok=True)
  return tf.io.TFRecordWriter(os.path.join(directory, level, name))


def _example(level, video_id, video, rng):
  if level == VIDEO:
    means = {f"mean_{name}": scenes.dequantize(frames).mean(axis=0)
             for name, frames in video.frames.items()}
    return tfrecords.video_example(video_id, video.labels, means)
  if level == FRAME:
    return tfrecords.frame_example(video_id, video.labels, video.frames)
  ratings = scenes.rate_segments(video, rng)
  return tfrecords.segment_example(video_id, video.labels, video.frames, ratings)


class _Truth:
  """Collects what is true of each video; arrays in docs/sample_data.md."""

  def __init__(self, num_classes):
    self._ids, self._splits, self._labels, self._cuts, self._events = [], [], [], [], []
    self.train_counts = np.zeros(num_classes, np.int64)

  def add(self, video_id, split, video):
    row = len(self._ids)
    self._ids.append(video_id)
    self._splits.append(split)
    self._labels.append(video.labels)
    self._cuts.append(video.cuts)
    self._events += [(row, e.label, e.cue, e.start, e.stop, e.gains[0], e.modality)
                     for e in video.events]
    if split == TRAIN:
      self.train_counts[video.labels] += 1

  def shown_labels(self):
    return sorted({label for _, label, *_ in self._events})

  def save(self, path, config, classes):
    columns = ("videos", "labels", "cues", "starts", "stops", "first_gains", "modalities")
    events = {f"event_{name}": np.array([event[column] for event in self._events])
              for column, name in enumerate(columns)}
    meta = {"synthetic": True, **dataclasses.asdict(config)}
    with files.atomic_write(path, "wb") as file:
      np.savez(file, meta=json.dumps(meta), ids=np.array(self._ids),
               splits=np.array(self._splits), **_ragged("labels", self._labels),
               **_ragged("cuts", self._cuts), **events, **classes)


def _ragged(name, rows):
  """Returns the rows one after another, and where each begins (and the last ends)."""
  offsets = np.cumsum([0] + [len(row) for row in rows])
  return {name: np.concatenate(rows).astype(np.int32), f"{name}_offsets": offsets}


def _write_vocabulary(config, videos, counts, directory):
  with files.atomic_write(os.path.join(directory, "vocabulary.csv")) as file:
    writer = csv.DictWriter(file, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for index in range(config.num_classes):
      name, vertical, description = videos.describe(index)
      writer.writerow({"Index": index, "TrainVideoCount": counts[index], "Name": name,
                       "Vertical1": vertical, "WikiDescription": description})


def _write_segment_label_ids(truth, directory):
  """Writes the classes that segments can be rated for, as the real file lists them."""
  with files.atomic_write(os.path.join(directory, "segment_label_ids.csv")) as file:
    file.write("".join(f"{line}\n" for line in ["Index", *truth.shown_labels()]))


def _write_readme(config, directory):
  source = ("scenes composed of real video-level vectors" if config.from_records
            else "random vectors with planted structure")
  with files.atomic_write(os.path.join(directory, "README.txt")) as file:
    file.write(
        f"SYNTHETIC data, written by yt8m-sample-data: {source}.\n"
        "No measure taken on it says anything about YouTube-8M.\n\n"
        f"{json.dumps(dataclasses.asdict(config), indent=2)}\n")


@contextlib.contextmanager
def _directory_beside(path, overwrite):
  """Yields a directory that becomes `path` when the block ends well."""
  path = os.path.realpath(path)
  if os.path.isdir(path) and os.listdir(path):
    if not overwrite:
      raise FileExistsError(f"--output_dir={path} is not empty: name another directory, "
                            "or pass --overwrite to replace a sample data set.")
    if not os.path.isfile(os.path.join(path, GROUND_TRUTH)):
      raise FileExistsError(f"--overwrite replaces nothing but sample data sets, and "
                            f"{path} has no {GROUND_TRUTH}: name another --output_dir.")
  elif os.path.exists(path) and not os.path.isdir(path):
    raise FileExistsError(f"--output_dir={path} is a file: name another directory.")
  temporary = f"{path}.tmp{uuid.uuid4().hex[:8]}"
  try:
    os.makedirs(temporary)
    try:
      yield temporary
    except tf.errors.OpError as error:  # what a TFRecordWriter raises on a full disk
      raise OSError(f"Cannot write --output_dir={path}: {error.message}. Nothing "
                    "half-written is left behind.") from error
    if os.path.isdir(path):
      replaced = f"{temporary}.old"
      os.rename(path, replaced)
      os.rename(temporary, path)
      shutil.rmtree(replaced)
    else:
      os.rename(temporary, path)
  except BaseException:
    shutil.rmtree(temporary, ignore_errors=True)
    raise


def _joined(values):
  return ",".join(f"{value:g}" for value in values)
