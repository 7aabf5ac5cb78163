# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Speed of the frame-level reader, compared with a naive pipeline and a bare read.

  python benchmarks/readers.py

Generates frame-level records with the lengths of YouTube-8M in a temporary folder and
reads them in turns with every pipeline. Prints the best of all turns, because other
work on the machine can only slow a turn down. Each turn reads the records several
times, so that the 0.1 s that `tf.data` takes to start do not count. The naive pipeline
parses records one by one and converts frames to float32 on the host.
"""

import os
import resource
import tempfile
import time

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from yt8m.core import feature_spec
from yt8m.core import numerics
from yt8m.data import readers
from yt8m.data import tfrecords

_VIDEOS = flags.DEFINE_integer("videos", 1024, "Videos generated.")
_FILES = flags.DEFINE_integer("files", 4, "Number of record files.")
_PASSES = flags.DEFINE_integer("passes", 8, "Times that each turn reads every file.")
_TURNS = flags.DEFINE_integer("turns", 6, "Turns of each; the first does not count.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 128, "Videos in a batch.")

SIZES = {"rgb": 1024, "audio": 128}
NUM_CLASSES, MAX_FRAMES = 3862, 300
# Quantiles of the number of frames of a YouTube-8M video; the mean is 230.
LENGTHS = ([1, 129, 175, 232, 300, 300], [0, 0.05, 0.25, 0.5, 0.75, 1])


def write_records(folder: str) -> str:
  """Writes the videos, and further links to the same files."""
  rng = np.random.default_rng(0)
  frames = rng.integers(256, size=(2 * MAX_FRAMES, sum(SIZES.values())), dtype=np.uint8)
  for file in range(_FILES.value):
    path = os.path.join(folder, f"0-{file}.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
      for video in range(file, _VIDEOS.value, _FILES.value):
        first = rng.integers(MAX_FRAMES)
        last = first + int(np.interp(rng.random(), LENGTHS[1], LENGTHS[0]))
        features = zip(SIZES, np.split(frames[first:last], [SIZES["rgb"]], axis=1),
                       strict=True)
        writer.write(tfrecords.frame_example(
            f"v{video}", rng.integers(NUM_CLASSES, size=3), dict(features)
        ).SerializeToString())
    for number in range(1, _PASSES.value):
      os.link(path, os.path.join(folder, f"{number}-{file}.tfrecord"))
  return os.path.join(folder, "*.tfrecord")


def interleaved(pattern: str) -> tf.data.Dataset:
  files = sorted(tf.io.gfile.glob(pattern))
  return tf.data.Dataset.from_tensor_slices(files).interleave(
      tf.data.TFRecordDataset, cycle_length=8, num_parallel_calls=tf.data.AUTOTUNE)


def bare(pattern: str) -> tf.data.Dataset:
  return interleaved(pattern).batch(_BATCH_SIZE.value).prefetch(tf.data.AUTOTUNE)


def naive(pattern: str) -> tf.data.Dataset:
  def parse(serialized):
    context, lists = tf.io.parse_single_sequence_example(
        serialized,
        {"id": tf.io.FixedLenFeature([], tf.string),
         "labels": tf.io.VarLenFeature(tf.int64)},
        {name: tf.io.FixedLenSequenceFeature([], tf.string) for name in SIZES})
    features = []
    for name, size in SIZES.items():
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
          _BATCH_SIZE.value).prefetch(tf.data.AUTOTUNE)


def ours(pattern: str, training: bool = False) -> tf.data.Dataset:
  spec = feature_spec.FeatureSpec(SIZES, SIZES.values(), feature_spec.FRAME)
  return readers.FrameLevelReader(spec, NUM_CLASSES, MAX_FRAMES).dataset(
      pattern, _BATCH_SIZE.value, training=training)


def turn(dataset: tf.data.Dataset) -> tuple[float, float]:
  """Returns the seconds to read `dataset`, and the CPU seconds of all threads."""
  start, usage = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
  for _ in dataset:
    pass
  seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
  return seconds, (after.ru_utime - usage.ru_utime) + (after.ru_stime - usage.ru_stime)


def main(unused_argv: list[str]) -> None:
  with tempfile.TemporaryDirectory() as folder:
    pattern = write_records(folder)
    pipelines = {
        "naive": naive(pattern), "ours": ours(pattern),
        "ours, shuffled": ours(pattern, training=True), "bare read": bare(pattern)}
    turns = {name: [] for name in pipelines}
    for _ in range(_TURNS.value):
      for name, dataset in pipelines.items():
        turns[name].append(turn(dataset))
  best = {name: np.min(turns[name][1:], axis=0) for name in pipelines}
  videos = _VIDEOS.value * _PASSES.value
  print(f"{_VIDEOS.value} videos, batches of {_BATCH_SIZE.value}, {os.cpu_count()} cores")
  print(f"{'pipeline':16}{'videos/s':>10}{'CPU s / 1,024':>15}{'speed':>8}{'CPU':>7}")
  for name, (seconds, cpu) in best.items():
    speed, cpu_share = best["naive"][0] / seconds, cpu / best["naive"][1]
    print(f"{name:16}{videos / seconds:10.0f}{cpu * 1024 / videos:15.2f}"
          f"{speed:7.2f}x{cpu_share:6.2f}x")


if __name__ == "__main__":
  app.run(main)
