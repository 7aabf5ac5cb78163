# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Size and speed of prediction stores, compared with plain files of the same size.

  python benchmarks/prediction_store.py --num_videos=1000000 --num_models=2

Writes the predictions of several models for several videos, opens them and aligns them.
The predictions are synthetic and repeat a few videos: models agree on most of the best
classes, and each has its own noise. Both are read from the page cache. Memory is the
private memory of the process, because pages of memory maps can be dropped at any time.
"""

import os
import shutil
import sys
import tempfile
import threading
import time
from typing import Any

import numpy as np
from absl import app
from absl import flags

# As a script, only this folder is on the path.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from yt8m.eval.metrics import ranking  # noqa: E402
from yt8m.eval.predictions import aligned as aligned_predictions  # noqa: E402
from yt8m.eval.predictions import store as prediction_store  # noqa: E402
from yt8m.eval.predictions import writer  # noqa: E402

_VIDEOS = flags.DEFINE_integer("num_videos", 20_000, "Videos generated.", 1)
_MODELS = flags.DEFINE_integer("num_models", 4, "Models that predict them.", 1)
_CLASSES = flags.DEFINE_integer("num_classes", 3862, "Number of classes.", 2)
_TOP_K = flags.DEFINE_integer("top_k", 50, "Classes kept a video.", 1)
_FOLDER = flags.DEFINE_string("folder", None, "Where to write; default: a temporary one.")

_BATCH, _BATCHES = 512, 4  # videos in a batch, and number of different batches
_BATCHES_PER_PART = 16
# Size of the complete validation set, and candidates of a search.
_FULL_VIDEOS, _FULL_MODELS = 1_100_000, 30
_BLOCK = bytes(2**20)


def synthetic_videos(rng):
  """Returns labels with realistic frequencies, and the scores of every model."""
  frequency = 1 / np.arange(1, _CLASSES.value + 1)
  shape = _BATCHES * _BATCH, _CLASSES.value
  labels = rng.random(shape) < 3 * frequency / frequency.sum()
  logits = rng.normal(size=shape) + np.log(frequency) - 2 + 4 * labels
  return labels, [(1 / (1 + np.exp(-logits - rng.normal(0, 0.5, size=shape)))).astype(
      np.float32) for _ in range(_MODELS.value)]


def write_store(directory, scores, labels):
  """Writes the predictions of one model, repeating them as often as needed.

  As in prediction, parts on disk are joined; they are .npz files.
  """
  def write_part(first_video):
    last_video = min(first_video + _BATCHES_PER_PART * _BATCH, _VIDEOS.value)
    rows = []
    for first in range(first_video, last_video, _BATCH):
      start = first % len(labels)
      chosen = slice(start, start + min(_BATCH, last_video - first))
      ids = [b"%011d" % (first + i) for i in range(len(labels[chosen]))]
      rows.append(writer.rows(ids, scores[chosen], labels[chosen], top_k=_TOP_K.value))
    part: dict[str, Any] = {
        name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    np.savez(path(first_video), **part)

  def path(first_video):
    return os.path.join(parts, f"{first_video}.npz")

  parts = f"{directory}.parts"
  os.mkdir(parts)
  firsts = range(0, _VIDEOS.value, _BATCHES_PER_PART * _BATCH)
  for first_video in firsts:
    write_part(first_video)
  writer.write(directory, [str(first) for first in firsts],
               lambda first_video: np.load(path(first_video), allow_pickle=False),
               num_classes=_CLASSES.value, top_k=_TOP_K.value)
  shutil.rmtree(parts)


def find_best(scores):
  """Measures the least time that writing the stores can take."""
  for model_scores in scores:
    for first in range(0, _VIDEOS.value, _BATCH):
      start = first % len(model_scores)
      ranking.best_classes(model_scores[start:start + _BATCH], _TOP_K.value)


def write_plain(path, size):
  """Writes a file of the given size and syncs it to disk."""
  with open(path, "wb") as file:
    for first in range(0, size, len(_BLOCK)):
      file.write(_BLOCK[:size - first])
    file.flush()
    os.fsync(file.fileno())


def read_plain(path):
  with open(path, "rb") as file:
    while file.read(len(_BLOCK)):
      pass


def seconds(function, *arguments, **options):
  """Returns the seconds that a call takes, and its result."""
  start = time.perf_counter()
  result = function(*arguments, **options)
  return time.perf_counter() - start, result


class PeakMemory(threading.Thread):
  """Monitors the private memory of this process."""

  def __init__(self):
    super().__init__(daemon=True)
    self.peak, self._ended = 0, threading.Event()

  def run(self):
    while not self._ended.wait(0.02):
      with open("/proc/self/status") as file:
        [line] = [line for line in file if line.startswith("RssAnon")]
      self.peak = max(self.peak, 1024 * int(line.split()[1]))

  def end(self):
    self._ended.set()
    self.join()
    return self.peak


def bytes_below(directory):
  return sum(entry.stat().st_size for entry in os.scandir(directory))


def report(what, size, duration, plain):
  print(f"{what:34}{size / 1e6:10,.0f} MB{duration:9.2f} s{size / duration / 1e6:9,.0f} "
        f"MB/s, plain file {size / plain / 1e6:7,.0f} MB/s, ratio {plain / duration:.3f}")


def main(_):
  with tempfile.TemporaryDirectory(dir=_FOLDER.value) as folder:
    labels, scores = synthetic_videos(np.random.default_rng(0))
    directories = [os.path.join(folder, f"model{m}") for m in range(_MODELS.value)]
    memory = PeakMemory()
    memory.start()
    writing, _ = seconds(lambda: [write_store(directory, scores[m], labels)
                                  for m, directory in enumerate(directories)])
    searching, _ = seconds(find_best, scores)
    opening, opened = seconds(lambda: [
        prediction_store.PredictionStore.open(directory) for directory in directories])
    stores = {f"model{m}": store for m, store in enumerate(opened)}
    reading, _ = seconds(lambda: [array.view(np.uint8).max() for store in opened
                                  for array in (store.scores, store.classes)
                                  if array is not None])
    aligned_directory = os.path.join(folder, "aligned")
    os.mkdir(aligned_directory)
    aligning, aligned = seconds(
        aligned_predictions.AlignedPredictions.from_stores, stores, aligned_directory)
    peak = memory.end()

    stored, laid_out = sum(map(bytes_below, directories)), bytes_below(aligned_directory)
    plain = os.path.join(folder, "plain")
    plain_writing, _ = seconds(write_plain, plain, stored)
    plain_reading, _ = seconds(read_plain, plain)
    plain_aligning, _ = seconds(write_plain, plain, laid_out)

  num_slots = aligned.classes.shape[1]
  per_video = stored / _VIDEOS.value / _MODELS.value
  print(f"{_VIDEOS.value:,} synthetic videos, {_MODELS.value} models, "
        f"{_CLASSES.value} classes, top {_TOP_K.value}, {os.cpu_count()} CPUs")
  print(f"{per_video:.1f} bytes a video and model; {num_slots} slots")
  report("write stores (best classes, parts)", stored, writing, plain_writing)
  print(f"  to find the best classes alone takes {searching:.2f} s of that, "
        f"{searching / writing:.0%}")
  report("open stores (checksums)", stored, opening, plain_reading)
  report("read all scores and classes", stored, reading, plain_reading)
  report("align", laid_out, aligning, plain_aligning)
  print(f"peak memory {peak / 2**30:.2f} GiB, of which the synthetic scores take "
        f"{sum(map(np.size, scores)) * 4 / 2**30:.2f} GiB")
  full = _FULL_VIDEOS * _FULL_MODELS
  print(f"{_FULL_VIDEOS:,} videos x {_FULL_MODELS} models: stores {full:,} x "
        f"{per_video:.1f} bytes = {full * per_video / 2**30:.1f} GiB; aligned, of every "
        f"100 slots {full * 2 * 100 / 2**30:.1f} GiB on disk")


if __name__ == "__main__":
  app.run(main)
