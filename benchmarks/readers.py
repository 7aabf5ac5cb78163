# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Speed of the readers, compared with a bare TFRecord read of the same files.

  python -m benchmarks.readers
  python -m benchmarks.readers --level=video --pattern='yt8m/video/fit/*.tfrecord'

Generates records with the sizes of YouTube-8M in a temporary folder and reads them in
turns: with our reader, in order and shuffled, and with a bare read, whose records are
batched and thrown away; at frame level also with a naive pipeline, which parses records
one by one and converts frames to float32 on the host. Each turn reads the records several
times, so that the 0.1 s that `tf.data` takes to start do not count.
"""

import os
import tempfile
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from benchmarks import timing
from yt8m.core import feature_spec
from yt8m.core import markdown
from yt8m.core import numerics
from yt8m.core import paths
from yt8m.data import readers
from yt8m.data import tfrecords

_PATTERN = flags.DEFINE_string(
    "pattern", None, "Record files, instead of generated ones.")
_LEVEL = flags.DEFINE_enum(
    "level", None, [feature_spec.FRAME, feature_spec.VIDEO],
    "Level of the records of --pattern, or the only one that is measured.")

TITLE = "Readers"
NOTE = ("Share of a bare TFRecord read: its seconds divided by those of the reader, "
        "which also parses, checks, shuffles and pads.")
FILES = 4
# Videos of the files, how often a turn reads them, and videos in a batch.
_WORK = {feature_spec.FRAME: (512, 4, 128), feature_spec.VIDEO: (8192, 8, 1024)}

SIZES = {"rgb": 1024, "audio": 128}
NUM_CLASSES, MAX_FRAMES = 3862, 300
# Quantiles of the number of frames of a YouTube-8M video; the mean is 230.
LENGTHS = ([1, 129, 175, 232, 300, 300], [0, 0.05, 0.25, 0.5, 0.75, 1])


def write_records(folder: str, level: str, videos: int, passes: int) -> str:
  """Writes the videos, and further links to the same files."""
  rng = np.random.default_rng(0)
  frames = rng.integers(256, size=(2 * MAX_FRAMES, sum(SIZES.values())), dtype=np.uint8)
  for file in range(FILES):
    path = os.path.join(folder, f"0-{file}.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
      for video in range(file, videos, FILES):
        labels = rng.integers(NUM_CLASSES, size=3)
        if level == feature_spec.VIDEO:
          example = tfrecords.video_example(f"v{video}", labels, {
              name: rng.standard_normal(size, np.float32)
              for name, size in SIZES.items()})
        else:
          first = rng.integers(MAX_FRAMES)
          last = first + int(np.interp(rng.random(), LENGTHS[1], LENGTHS[0]))
          features = zip(SIZES, np.split(frames[first:last], [SIZES["rgb"]], axis=1),
                         strict=True)
          example = tfrecords.frame_example(f"v{video}", labels, dict(features))
        writer.write(example.SerializeToString())
    for number in range(1, passes):
      os.link(path, os.path.join(folder, f"{number}-{file}.tfrecord"))
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
          batch_size).prefetch(tf.data.AUTOTUNE)


def dataset(pattern: str, level: str, batch_size: int,
            training: bool = False, prefix: str = "") -> tf.data.Dataset:
  """Returns the dataset of our reader, of features whose names begin with a prefix."""
  spec = feature_spec.FeatureSpec(
      tuple(prefix + name for name in SIZES), tuple(SIZES.values()), level)
  return readers.make_reader(spec, NUM_CLASSES, MAX_FRAMES).dataset(
      pattern, batch_size, training=training)


def read(batches: tf.data.Dataset) -> Callable[[], None]:
  """Returns a function that reads a dataset to its end."""
  def way():
    for _ in batches:
      pass
  return way


def rows(quick: bool = False, pattern: str | None = None, level: str | None = None
         ) -> list[dict[str, Any]]:
  """Returns a row for each pipeline.

  Args:
    quick: Whether a few videos are read once.
    pattern: Record files with the features of YouTube-8M, of one level. None: generated.
    level: Only level that is measured. None: both.
  """
  found = []
  for one in [level] if level else list(_WORK):
    videos, passes, batch_size = (16, 1, 8) if quick else _WORK[one]
    with tempfile.TemporaryDirectory() as folder:
      files = (link(pattern, folder, passes) if pattern
               else write_records(folder, one, videos, passes))
      prefix = "mean_" if pattern and one == feature_spec.VIDEO else ""
      pipelines = {"in order": dataset(files, one, batch_size, prefix=prefix),
                   "shuffled": dataset(files, one, batch_size, True, prefix),
                   "bare read": bare(files, batch_size)}
      if pattern:
        videos = sum(1 for _ in tf.data.TFRecordDataset(paths.match(pattern)))
      found += _measured(one, pipelines, videos * passes, quick)
      if one == feature_spec.FRAME:
        # In turns of its own: its arrays of 177 MB are freed while the next one reads.
        pipelines = {"naive": naive(files, batch_size),
                     "bare read": bare(files, batch_size)}
        found += _measured(one, pipelines, videos * passes, quick)[:1]
  return found


def _measured(level: str, pipelines: dict[str, tf.data.Dataset], videos: int, quick: bool
              ) -> list[dict[str, Any]]:
  """Returns a row for each pipeline; one of them is the bare read."""
  times = timing.in_turns({name: read(batches) for name, batches in pipelines.items()},
                          1 if quick else timing.TURNS)
  return [{"level": level, "pipeline": name,
           "videos/s": videos / of_pipeline.wall_s,
           "CPU µs a video": 1e6 * of_pipeline.cpu_s / videos,
           "% of bare, CPU": timing.ratio(times, "bare read", name),
           "% of bare, elapsed": timing.ratio(times, "bare read", name, "wall")}
          for name, of_pipeline in times.items()]


def main(argv: Sequence[str]) -> None:
  del argv
  if _PATTERN.value and not _LEVEL.value:
    raise app.UsageError("--pattern needs --level.")
  print(f"load {timing.load()}, {os.cpu_count()} cores")
  table = rows(pattern=_PATTERN.value, level=_LEVEL.value)
  print(markdown.make(list(table[0]), [
      [f"{value:.3g}" if isinstance(value, float) else value for value in row.values()]
      for row in table], left=["level", "pipeline"]))


if __name__ == "__main__":
  app.run(main)
