# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What calibration gains on the mean of several heads, on records never used.

  yt8m-ablation --table=classifiers --seeds=3 --data_dir=../shared/data \
      --output_dir=ablation --keep_checkpoints
  python -m benchmarks.calibrated_blend --runs=ablation/classifiers \
      --data=../shared/data/yt8m --heads=logistic,label_embedding,kernel

The heads are rows of the table that have a calibrated row too, whose models of the folds
were kept. What these say about their folds calibrates the mean of the log-odds of the
heads: once by the mean alone, and once by the scores of every head, as `yt8m-calibrate`
does with an ensemble. All are measured on heldout/*.tfrecord, which neither training nor
calibration has seen.
"""

import functools
import glob
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
from absl import app
from absl import flags

from yt8m.core import markdown
from yt8m.core import numerics
from yt8m.data import label_sets
from yt8m.eval.blending import averaging
from yt8m.eval.metrics import streaming
from yt8m.export.prediction import checkpoint
from yt8m.training import calibrating
from yt8m.training import label_start

_RUNS = flags.DEFINE_string("runs", None, "Folder of the table.", required=True)
_DATA = flags.DEFINE_string("data", "../shared/data/yt8m", "Folder with records.")
_HEADS = flags.DEFINE_list("heads", ["logistic", "label_embedding", "kernel"], "Rows.")
_SEEDS = flags.DEFINE_integer("seeds", 3, "Number of seeds.", 1)
_METRICS = {"gap": "GAP", "avg_hit_at_one": "Hit@1", "map": "mAP", "ece": "ECE",
            "log_loss": "log loss"}
_BATCH_SIZE = 256


@functools.cache
def predict(train_dir: str, pattern: str) -> tuple[np.ndarray, np.ndarray]:
  """Returns scores and labels of the videos, (n, C)."""
  model = checkpoint.Checkpoint.of_directory(train_dir)
  predictor, scores, labels = model.predictor(_BATCH_SIZE), [], []
  for batch in model.reader().dataset(pattern, _BATCH_SIZE):
    scores.append(predictor(batch).numpy())
    labels.append(batch["labels"].numpy() > 0)
  return np.concatenate(scores), np.concatenate(labels)


def members(train_dirs: Sequence[str], pattern: str) -> tuple[np.ndarray, np.ndarray]:
  """Returns the scores of several models, (n, M, C), and the labels, (n, C)."""
  scores, labels = zip(*(predict(train_dir, pattern) for train_dir in train_dirs),
                       strict=True)
  return np.stack(scores, axis=1), labels[0]


def blend(scores: np.ndarray) -> np.ndarray:
  """Returns σ of the mean of the log-odds of the members, (n, C)."""
  logits = [numerics.logit(scores[:, m], averaging.EPSILON)
            for m in range(scores.shape[1])]
  return (1 / (1 + np.exp(-np.mean(logits, axis=0)))).astype(np.float32)


def of_folds(seed: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns scores of the fold models on their folds, and labels; see `members`."""
  folders = [f"{_RUNS.value}/{head}+calibrated/seed-{seed}/calibrated.folds"
             for head in _HEADS.value]
  numbers = range(1, 1 + len(glob.glob(f"{folders[0]}/fold-*.txt")))
  found = [members([f"{folder}/model-{number}" for folder in folders],
                   f"@{folders[0]}/fold-{number}.txt") for number in numbers]
  predict.cache_clear()  # Hundreds of MiB a head.
  scores, labels = zip(*found, strict=True)
  return np.concatenate(scores), np.concatenate(labels)


def measure(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
  metrics = streaming.EvaluationMetrics(labels.shape[1], streaming.TOP_K)
  metrics.accumulate(scores, labels, np.zeros(len(labels)))
  return metrics.get() | metrics.calibration()


@functools.cache
def known_sets() -> label_sets.LabelSets:
  model = checkpoint.Checkpoint.of_directory(
      f"{_RUNS.value}/{_HEADS.value[0]}/seed-0/model")
  return label_start.load_label_sets(
      model.reader(), f"{_DATA.value}/label_sets_980k.npz",
      sorted(glob.glob(f"{_DATA.value}/video/heldout/*.tfrecord")))


def results(seed: int) -> Iterator[tuple[str, dict[str, float]]]:
  """Yields rows of the table for a seed, as they are known."""
  heldout = f"{_DATA.value}/video/heldout/*.tfrecord"
  models = [f"{_RUNS.value}/{head}/seed-{seed}/model" for head in _HEADS.value]
  for head, model in zip(_HEADS.value, models, strict=True):
    yield head, measure(*predict(model, heldout))
  scores, labels = members(models, heldout)
  blended = blend(scores)
  yield "mean", measure(blended, labels)
  of_videos, labels_of_videos = of_folds(seed)
  for name, count in (("mean, calibrated", 0), ("mean and heads, calibrated",
                                                len(models))):
    layer = calibrating.make(known_sets(), seed=seed, num_members=count,
                             cache_dir=f"{_RUNS.value}/label_networks")
    ours, others = (of_videos, scores) if count else (None, None)
    calibrating.fit(layer, blend(of_videos), labels_of_videos, seed, members=ours)
    yield name, measure(calibrating.calibrated(layer, blended, others), labels)


def main(argv: Sequence[str]) -> None:
  del argv
  rows = {}
  for seed in range(_SEEDS.value):
    for name, values in results(seed):
      rows.setdefault(name, []).append(values)
      print(f"seed {seed}, {name}: GAP {values['gap']:.4f}", flush=True)
  print(markdown.make(["heads", *_METRICS.values()], [
      [name, *(markdown.with_deviation([one[metric] for one in values])
               for metric in _METRICS)] for name, values in rows.items()], ["heads"]))


if __name__ == "__main__":
  app.run(main)
