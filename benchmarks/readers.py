# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""CPU time of the readers beside a bare read of the same record files.

  python benchmarks/readers.py
  python benchmarks/readers.py --pattern='yt8m/video/*.tfrecord' --level=video

Without a pattern, records with the lengths of YouTube-8M are generated in a temporary
folder. A bare read checks the checksums of records and hands on their bytes in batches:
`TFRecordDataset` of files that are interleaved. The naive pipeline parses
frame-level records one by one and converts frames to float32 on the host.

All pipelines read in turns, each file several times under several names, so that the 0.1
s that `tf.data` takes to start count little. The best turn of each counts, because other
work on the machine can only cost time. "bare ÷ CPU" is the CPU time of the bare read
divided by that of the pipeline: 1 if reading were all it does.
"""

import os
import resource
import tempfile
import time
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from yt8m.core import feature_spec
from yt8m.core import numerics
from yt8m.core import paths
from yt8m.data import readers
from yt8m.data import tfrecords

_PATTERN = flags.DEFINE_string(
    "pattern", None, "Record files, instead of generated ones.")
_LEVEL = flags.DEFINE_enum("level", None, ["frame", "video"],
                           "Level of the records. Default: both are generated.")
_VIDEOS = flags.DEFINE_integer("videos", 0, "Videos generated. Default: 1024 of frames, "
                               "16384 without.")
_FILES = flags.DEFINE_integer("files", 4, "Number of record files generated.")
_PASSES = flags.DEFINE_integer("passes", 8, "Times that each turn reads every file.")
_TURNS = flags.DEFINE_integer("turns", 6, "Turns of each; the first does not count.")
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 0, "Videos in a batch. Default: 128 of frames, 1024 without.")

SIZES = {"frame": {"rgb": 1024, "audio": 128},
         "video": {"mean_rgb": 1024, "mean_audio": 128}}
VIDEOS, BATCH_SIZES = {"frame": 1024, "video": 16384}, {"frame": 128, "video": 1024}
NUM_CLASSES, MAX_FRAMES = 3862, 300
# Quantiles of the number of frames of a YouTube-8M video; the mean is 230.
LENGTHS = ([1, 129, 175, 232, 300, 300], [0, 0.05, 0.25, 0.5, 0.75, 1])


def write_records(folder: str, level: str, num_videos: int, num_files: int) -> str:
  """Writes record files; returns their pattern."""
  rng = np.random.default_rng(0)
  sizes = SIZES[level]
  frames = rng.integers(256, size=(2 * MAX_FRAMES, sum(sizes.values())), dtype=np.uint8)
  for file in range(num_files):
    with tf.io.TFRecordWriter(os.path.join(folder, f"{file}.tfrecord")) as writer:
      for video in range(file, num_videos, num_files):
        first = rng.integers(MAX_FRAMES)
        last = first + int(np.interp(rng.random(), LENGTHS[1], LENGTHS[0]))
        chosen = frames[first:last]
        if level == "video":
          chosen = rng.normal(size=(sum(sizes.values()), 1)).astype(np.float32).T
        features = dict(zip(
            sizes, np.split(chosen, np.cumsum(list(sizes.values()))[:-1], axis=1),
            strict=True))
        labels = rng.integers(NUM_CLASSES, size=3)
        if level == "frame":
          example = tfrecords.frame_example(f"v{video}", labels, features)
        else:
          example = tfrecords.video_example(
              f"v{video}", labels, {name: x[0] for name, x in features.items()})
        writer.write(example.SerializeToString())
  return os.path.join(folder, "*.tfrecord")


def link(pattern: str, folder: str, passes: int) -> str:
  """Makes links to files, so that a pattern names each several times."""
  for path in paths.match(pattern):
    for number in range(passes):
      os.symlink(os.path.abspath(path),
                 os.path.join(folder, f"{number}-{os.path.basename(path)}"))
  return os.path.join(folder, "*")


def interleaved(pattern: str) -> tf.data.Dataset:
  files = sorted(tf.io.gfile.glob(pattern))
  return tf.data.Dataset.from_tensor_slices(files).interleave(
      tf.data.TFRecordDataset, cycle_length=8, num_parallel_calls=tf.data.AUTOTUNE)


def bare(pattern: str, batch_size: int) -> tf.data.Dataset:
  return interleaved(pattern).batch(batch_size).prefetch(tf.data.AUTOTUNE)


def naive(pattern: str, batch_size: int) -> tf.data.Dataset:
  sizes = SIZES["frame"]

  def parse(serialized):
    context, lists = tf.io.parse_single_sequence_example(
        serialized,
        {"id": tf.io.FixedLenFeature([], tf.string),
         "labels": tf.io.VarLenFeature(tf.int64)},
        {name: tf.io.FixedLenSequenceFeature([], tf.string) for name in sizes})
    features = []
    for name, size in sizes.items():
      frames = tf.reshape(tf.io.decode_raw(lists[name], tf.uint8), [-1, size])
      frames = tf.cast(frames, tf.float32) * numerics.SCALE + numerics.OFFSET
      num_frames = tf.minimum(tf.shape(frames)[0], MAX_FRAMES)
      padding = tf.stack([[0, MAX_FRAMES - num_frames], [0, 0]])
      features.append(tf.pad(frames[:MAX_FRAMES], padding))
    labels = tf.scatter_nd(context["labels"].values[:, tf.newaxis],
                           tf.ones_like(context["labels"].values, tf.float32),
                           [NUM_CLASSES])
    return {"id": context["id"], "features": tf.concat(features, axis=1),
            "num_frames": num_frames, "labels": labels}

  return interleaved(pattern).map(
      parse, num_parallel_calls=tf.data.AUTOTUNE).batch(
          batch_size).prefetch(tf.data.AUTOTUNE)


def ours(pattern: str, level: str, batch_size: int, training: bool = False
         ) -> tf.data.Dataset:
  sizes = SIZES[level]
  spec = feature_spec.FeatureSpec(tuple(sizes), tuple(sizes.values()), level)
  return readers.make_reader(spec, NUM_CLASSES, MAX_FRAMES).dataset(
      pattern, batch_size, training=training)


def turn(dataset: tf.data.Dataset) -> tuple[float, float, int]:
  """Returns the seconds to read `dataset`, the CPU seconds of all threads, the videos."""
  start, usage = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
  count = 0
  for batch in dataset:
    count += int(tf.nest.flatten(batch)[0].shape[0])
  seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
  return (seconds, (after.ru_utime - usage.ru_utime) + (after.ru_stime - usage.ru_stime),
          count)


def measure(pattern: str, level: str, batch_size: int, turns: int
            ) -> list[dict[str, Any]]:
  """Reads records of a level with every pipeline; returns a row for each, see `rows`."""
  pipelines = {
      "bare read": bare(pattern, batch_size),
      "ours, in order": ours(pattern, level, batch_size),
      "ours, shuffled": ours(pattern, level, batch_size, training=True)}
  if level == "frame":
    pipelines["naive"] = naive(pattern, batch_size)
  taken = {name: [] for name in pipelines}
  for _ in range(turns):
    for name, dataset in pipelines.items():
      taken[name].append(turn(dataset))
  best = {name: np.min(all_turns[1:], axis=0) for name, all_turns in taken.items()}
  return [{"level": level, "pipeline": name, "videos_per_second": count / seconds,
           "cpu_us_per_video": 1e6 * cpu / count,
           "bare_over_cpu": best["bare read"][1] / cpu}
          for name, (seconds, cpu, count) in best.items()]


def rows(levels: tuple[str, ...] = ("frame", "video"), pattern: str | None = None,
         num_videos: int = 0, num_files: int = 4, passes: int = 8, turns: int = 6,
         batch_size: int = 0) -> list[dict[str, Any]]:
  """Measures every pipeline.

  Args:
    levels: Levels of the records.
    pattern: Record files, then of one level. None: they are generated.
    num_videos: Number of videos that are generated; 0 for that of the level.
    num_files: Number of files that are generated.
    passes: Number of times that each turn reads every file.
    turns: Number of turns, of which the first does not count.
    batch_size: Number of videos in a batch; 0 for that of the level.

  Returns:
    Rows of level, pipeline, videos_per_second, cpu_us_per_video, and bare_over_cpu, the
    CPU time of the bare read divided by that of the pipeline.
  """
  found = []
  for level in levels:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as links:
      source = pattern or write_records(
          folder, level, num_videos or VIDEOS[level], num_files)
      found += measure(link(source, links, passes), level,
                       batch_size or BATCH_SIZES[level], turns)
  return found


def main(unused_argv: list[str]) -> None:
  if _PATTERN.value and not _LEVEL.value:
    raise app.UsageError("--pattern needs --level.")
  found = rows((_LEVEL.value,) if _LEVEL.value else ("frame", "video"), _PATTERN.value,
               _VIDEOS.value, _FILES.value, _PASSES.value, _TURNS.value,
               _BATCH_SIZE.value)
  print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
  print(f"{'level':8}{'pipeline':16}{'videos/s':>10}{'CPU µs/video':>14}"
        f"{'bare ÷ CPU':>12}")
  for row in found:
    print(f"{row['level']:8}{row['pipeline']:16}{row['videos_per_second']:10.0f}"
          f"{row['cpu_us_per_video']:14.1f}{row['bare_over_cpu']:12.2f}")


if __name__ == "__main__":
  app.run(main)
