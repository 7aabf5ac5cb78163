# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Speed and memory of yt8m-inference, compared with a bare loop over batches.

  python benchmarks/inference.py
  python benchmarks/inference.py --frame_level

Writes SYNTHETIC records and an untrained model into a temporary folder, and predicts in
turns: with the bare loop `for batch in dataset: predict(batch)`, which discards the
scores; with the code of the command, as CSV and as .npz; and with two processes. Prints
the best of all turns, because other work on the machine can only slow a turn down; it
affects CPU time less. Memory is the peak of the command itself, for all videos and for
a quarter of them.
"""

import functools
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

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

NUM_CLASSES, NUM_FRAMES = 3862, 200


def batch_size():
  """The default batch size of the command."""
  return _BATCH_SIZE.value or (128 if _FRAME_LEVEL.value else 512)


def write_records(folder):
  """Writes the record files and returns their paths."""
  rng = np.random.default_rng(0)
  os.mkdir(folder)
  if _FRAME_LEVEL.value:
    videos, shard = _VIDEOS.value or 2_000, _SHARD.value or 250
    make, names = tfrecords.frame_example, ("rgb", "audio")
    pool = rng.integers(256, size=(50, NUM_FRAMES, 1152), dtype=np.uint8)
  else:
    videos, shard = _VIDEOS.value or 100_000, _SHARD.value or 1_000
    make, names = tfrecords.video_example, ("mean_rgb", "mean_audio")
    pool = rng.normal(size=(1000, 1152)).astype(np.float32)
  paths = []
  for video in range(videos):
    if video % shard == 0:
      paths.append(os.path.join(folder, f"{len(paths):04}.tfrecord"))
      writer = tf.io.TFRecordWriter(paths[-1])
    features = np.split(pool[video % len(pool)], [1024], axis=-1)
    writer.write(make(f"v{video:07}", [0], dict(zip(names, features, strict=True))
                      ).SerializeToString())
    if (video + 1) % shard == 0 or video + 1 == videos:
      writer.close()
  return paths, videos


def write_model(train_dir):
  """Writes an untrained mixture of two experts, for frames behind their mean."""
  tf.keras.utils.set_random_seed(0)
  if _FRAME_LEVEL.value:
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
  dataset = job.source.reader().dataset(",".join(paths), batch_size(), num_readers=1)
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


def turn(way):
  """Returns the seconds of `way`, and its CPU seconds in all threads and children."""
  start, before = time.perf_counter(), _processor_seconds()
  way()
  return time.perf_counter() - start, _processor_seconds() - before


def _processor_seconds():
  usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
  return sum(usage.ru_utime + usage.ru_stime for usage in usages)


# Linux counts the memory that a process used before `exec`, which is that of its parent.
# This small process therefore starts the command, instead of the benchmark.
_MEASURE = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


def peak_of_command(folder, paths):
  """Returns the peak memory of the command in MiB, including its start."""
  output = os.path.join(folder, "peak.csv")
  process = subprocess.run(
      [sys.executable, "-c", _MEASURE, sys.executable, "-m", "yt8m.export.inference",
       f"--train_dir={folder}/model", f"--input_data_pattern={','.join(paths)}",
       f"--batch_size={batch_size()}", f"--output_file={output}", "--overwrite"],
      capture_output=True, text=True)
  if process.returncode:
    raise RuntimeError(process.stderr)
  return int(process.stdout.split()[-1]) / 1024


def main(_):
  with tempfile.TemporaryDirectory() as folder:
    paths, videos = write_records(os.path.join(folder, "records"))
    write_model(os.path.join(folder, "model"))
    job = jobs.Job(
        checkpoint.Checkpoint.newest(os.path.join(folder, "model")),
        batch_size=batch_size())
    two = functools.partial(runners.in_processes, num_processes=2)
    ways = {
        "raw read of the files": functools.partial(raw_read, paths),
        "bare loop": bare_loop(job, paths),
        "csv": functools.partial(command, job, paths, folder, "csv", runners.in_threads),
        "npz": functools.partial(command, job, paths, folder, "npz", runners.in_threads),
        "csv, 2 processes, their start included":
            functools.partial(command, job, paths, folder, "csv", two)}
    command(job, paths[:2], folder, "csv", runners.in_threads)  # traced
    turns = {name: [] for name in ways}
    for _ in range(_TURNS.value):
      for name, way in ways.items():
        turns[name].append(turn(way))
    level = "frame" if _FRAME_LEVEL.value else "video"
    print(f"{videos:,} SYNTHETIC {level}-level videos in {len(paths)} files, batches of "
          f"{batch_size()}, {NUM_CLASSES} classes, {os.cpu_count()} cores")
    best = {name: np.min(turns[name], axis=0) for name in ways}
    print(f"{'':40}{'videos/s':>10}{'CPU s / 1,000':>15}{'speed':>8}{'CPU':>7}")
    for name, (seconds, cpu) in best.items():
      speed, cpu_share = best["bare loop"] / (seconds, cpu)
      print(f"{name:40}{videos / seconds:10,.0f}{cpu * 1000 / videos:15.2f}"
            f"{speed:7.2f}x{1 / cpu_share:6.2f}x")
    quarter = paths[:max(1, len(paths) // 4)]
    for name, some in (("all videos", paths), ("a quarter", quarter)):
      print(f"peak memory of the command, {name}: {peak_of_command(folder, some):,.0f} "
            "MiB")


if __name__ == "__main__":
  app.run(main)
