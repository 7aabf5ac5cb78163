# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Speed and memory of yt8m-inference, compared with a bare loop over batches.

  python -m benchmarks.inference
  python -m benchmarks.inference --frame_level

Writes SYNTHETIC records and an untrained model into a temporary folder, and predicts in
turns: with the bare loop `for batch in dataset: predict(batch)`, which discards the
scores; with the code of the command, as CSV and as .npz; and with two processes. Prints
medians. Memory is the peak of the command itself, for all videos and for a quarter of
them.
"""

import dataclasses
import functools
import os
import sys
import tempfile
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from benchmarks import timing
from benchmarks.suite import memory
from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.data import tfrecords
from yt8m.export.prediction import checkpoint
from yt8m.export.prediction import engine
from yt8m.export.prediction import formats
from yt8m.export.prediction import jobs
from yt8m.export.prediction import parts as prediction_parts
from yt8m.export.prediction import runners
from yt8m.models.layers import variables

_VIDEOS = flags.DEFINE_integer("videos", None, "Videos; default 100,000, or 2,000 at "
                               "frame level.")
_SHARD = flags.DEFINE_integer("shard", None, "Videos a file; default 1,000, or 250.")
_FRAME_LEVEL = flags.DEFINE_bool("frame_level", False, "Frame-level records.")
_TURNS = flags.DEFINE_integer("turns", 2, "Turns of each way.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", None, "Videos in a batch; default 512, "
                                   "or 128.")

TITLE = "Prediction of whole files"
NOTE = ("An untrained mixture of experts on synthetic records, with the lengths of "
        "YouTube-8M at frame level. Bare loop: `for batch in dataset: predict(batch)`, "
        "batches padded to 300 frames, scores thrown away. CSV: the code of "
        "`yt8m-inference`.")
NUM_CLASSES, MAX_FRAMES = 3862, 300
# Quantiles of the number of frames of a YouTube-8M video; the mean is 230.
LENGTHS = ([1, 129, 175, 232, 300, 300], [0, 0.05, 0.25, 0.5, 0.75, 1])


@dataclasses.dataclass(frozen=True)
class Setting:
  """Records to predict.

  Attributes:
    frame_level: Whether they have frames.
    videos: Number of videos.
    shard: Videos of a file.
    batch_size: Videos of a batch.
  """
  frame_level: bool
  videos: int
  shard: int
  batch_size: int


def write_records(folder, setting):
  """Writes the record files and returns their paths."""
  rng = np.random.default_rng(0)
  os.mkdir(folder)
  make = tfrecords.frame_example if setting.frame_level else tfrecords.video_example
  names = ("rgb", "audio") if setting.frame_level else ("mean_rgb", "mean_audio")
  frames = rng.integers(256, size=(2 * MAX_FRAMES, 1152), dtype=np.uint8)
  pool = rng.normal(size=(1000, 1152)).astype(np.float32)
  paths = []
  for first in range(0, setting.videos, setting.shard):
    paths.append(os.path.join(folder, f"{len(paths):04}.tfrecord"))
    with tf.io.TFRecordWriter(paths[-1]) as writer:
      for video in range(first, min(first + setting.shard, setting.videos)):
        start = rng.integers(MAX_FRAMES)
        length = int(np.interp(rng.random(), LENGTHS[1], LENGTHS[0]))
        x = (frames[start:start + length] if setting.frame_level
             else pool[video % len(pool)])
        features: dict[str, Any] = dict(
            zip(names, np.split(x, [1024], axis=-1), strict=True))
        writer.write(make(f"v{video:07}", [0], features).SerializeToString())
  return paths


def write_model(train_dir, frame_level):
  """Writes an untrained mixture of two experts, for frames behind their mean."""
  tf.keras.utils.set_random_seed(0)
  if frame_level:
    spec = feature_spec.FeatureSpec(("rgb", "audio"), (1024, 128), feature_spec.FRAME)
    options = {"aggregation": "mean"}
  else:
    spec = feature_spec.FeatureSpec(
        ("mean_rgb", "mean_audio"), (1024, 128), feature_spec.VIDEO)
    options = {}
  model = models.VideoModel(
      NUM_CLASSES, spec, classifier={"name": "moe", "num_mixtures": 2}, **options
  ).build_variables()
  os.mkdir(train_dir)
  experiment.Experiment(model.get_config(), 300, {}).save(train_dir)
  weights = tf.train.Checkpoint(**variables.checkpoint_parts(model))
  tf.train.CheckpointManager(
      weights, train_dir, max_to_keep=1, checkpoint_name=checkpoints.PREFIX
  ).save(checkpoint_number=1)


def raw_read(paths):
  for path in paths:
    with open(path, "rb") as file:
      while file.read(2**20):
        pass


def bare_loop(job, paths):
  predict = job.source.predictor()
  dataset = job.source.reader().dataset(",".join(paths), job.batch_size, num_readers=1)
  predict(next(iter(dataset)))  # traced
  return functools.partial(_loop, predict, dataset)


def _loop(predict, dataset):
  for batch in dataset:
    scores = predict(batch)
  return scores.numpy()[0, 0]


def command(job, paths, folder, output_format, runner):
  """Does what the command does after its start."""
  output = os.path.join(folder, f"out.{output_format}")
  with formats.WRITERS[output_format](output, overwrite=True) as writer:
    parts = prediction_parts.Parts.open(output, job, overwrite=True)

    def write(record_file):
      part = parts.read(record_file)
      writer.write(part["ids"], part["classes"], part["scores"])

    engine.run(parts, runner, paths, write)
    parts.remove()


def peak_of_command(folder, paths, batch_size):
  """Returns the peak memory of the command in MiB, including its start."""
  return memory.peak_of(
      [sys.executable, "-m", "yt8m.export.inference", f"--train_dir={folder}/model",
       f"--input_data_pattern={','.join(paths)}", f"--batch_size={batch_size}",
       f"--output_file={folder}/peak.csv", "--overwrite"])


def measure(setting: Setting, turns: int, *, processes: bool, peaks: bool
            ) -> tuple[dict[str, timing.Times], dict[str, float]]:
  """Measures every way to predict.

  Args:
    setting: Records.
    turns: Number of turns.
    processes: Whether two processes are measured too, which takes their start.
    peaks: Whether the memory of the command is measured.

  Returns:
    The times by name, and MiB by name.
  """
  with tempfile.TemporaryDirectory() as folder:
    paths = write_records(os.path.join(folder, "records"), setting)
    write_model(os.path.join(folder, "model"), setting.frame_level)
    job = jobs.Job(checkpoint.Checkpoint.of_directory(os.path.join(folder, "model")),
                   batch_size=setting.batch_size)
    ways = {
        "raw read of the files": functools.partial(raw_read, paths),
        "bare loop": bare_loop(job, paths),
        "csv": functools.partial(command, job, paths, folder, "csv", runners.in_threads),
        "npz": functools.partial(command, job, paths, folder, "npz", runners.in_threads)}
    if processes:
      two = functools.partial(runners.in_processes, num_processes=2)
      ways["csv, 2 processes, their start included"] = functools.partial(
          command, job, paths, folder, "csv", two)
    command(job, paths[:2], folder, "csv", runners.in_threads)  # traced
    times = timing.in_turns(ways, turns, warm_up=False, children=True)
    jobs.unload()
    quarter = paths[:max(1, len(paths) // 4)]
    found = {name: peak_of_command(folder, some, setting.batch_size)
             for name, some in (("all videos", paths), ("a quarter", quarter)) if peaks}
  return times, found


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for each level and way."""
  found = []
  for setting in (Setting(False, 20_000, 1_000, 512), Setting(True, 1_024, 512, 128)):
    if quick:
      setting = Setting(setting.frame_level, 24, 12, 8)
    times, _ = measure(setting, 1 if quick else 3, processes=False, peaks=False)
    level = "frame" if setting.frame_level else "video"
    found += [{"level": level, "way": name, "videos/s": setting.videos / t.wall_s,
               "CPU ms a video": 1e3 * t.cpu_s / setting.videos,
               "speed over the bare loop, CPU ×": timing.ratio(times, "bare loop", name)}
              for name, t in times.items()]
  return found


def main(_):
  frame_level = _FRAME_LEVEL.value
  setting = Setting(
      frame_level, _VIDEOS.value or (2_000 if frame_level else 100_000),
      _SHARD.value or (250 if frame_level else 1_000),
      _BATCH_SIZE.value or (128 if frame_level else 512))
  times, peaks = measure(setting, _TURNS.value, processes=True, peaks=True)
  print(f"{setting}, SYNTHETIC, {NUM_CLASSES} classes, {os.cpu_count()} cores, load "
        f"{timing.load()}")
  print(f"{'':40}{'videos/s':>10}{'CPU s / 1,000':>15}{'speed':>8}{'CPU':>7}")
  for name, t in times.items():
    print(f"{name:40}{setting.videos / t.wall_s:10,.0f}"
          f"{1000 * t.cpu_s / setting.videos:15.2f}"
          f"{timing.ratio(times, 'bare loop', name, 'wall'):7.2f}x"
          f"{timing.ratio(times, name, 'bare loop'):6.2f}x")
  for name, mib in peaks.items():
    print(f"peak memory of the command, {name}: {mib:,.0f} MiB")


if __name__ == "__main__":
  app.run(main)
