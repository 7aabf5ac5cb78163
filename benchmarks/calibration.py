# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What `yt8m-calibrate` gains: each head with and without it, on records never used.

  python -m benchmarks.calibration --data=../shared/data/yt8m/video --seeds=3

A head is trained on all of fit/*.tfrecord, and again without each of the folds. The
scores of these models on their folds calibrate the first model. All are measured on
heldout/*.tfrecord, which neither training nor calibration has seen.
"""

import glob
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any

from absl import app
from absl import flags

from yt8m.core import commands
from yt8m.core import markdown

_DATA = flags.DEFINE_string("data", "../shared/data/yt8m/video", "Folder with records.")
_HEADS = flags.DEFINE_list("heads", ["logistic", "moe", "conditional"], "Classifiers.")
_FOLDS = flags.DEFINE_integer("folds", 4, "Number of folds.", 2)
_SEEDS = flags.DEFINE_integer("seeds", 1, "Number of seeds.", 1)
_EPOCHS = flags.DEFINE_integer("epochs", 20, "Number of epochs.", 1)
_LABEL_SETS = flags.DEFINE_string("sets", "", "File of yt8m-label-sets without the "
                                  "heldout videos. Default: the labels of fit.")
_METRICS = {"gap": "GAP", "avg_hit_at_one": "Hit@1", "map": "mAP", "ece": "ECE",
            "log_loss": "log loss"}


def run(command: str, *arguments: str) -> None:
  subprocess.run(commands.as_process(command, *arguments), check=True)


def train(head: str, files: Sequence[str], seed: int, train_dir: str) -> None:
  hparams = {"classifier": {"units": 1024, "head": {"name": head}}}
  with tempfile.NamedTemporaryFile("w", suffix=".txt") as names:
    names.write("\n".join(files))
    names.flush()
    run("yt8m-train", f"--train_dir={train_dir}", f"--train_data_pattern=@{names.name}",
        "--feature_names=mean_rgb,mean_audio", "--feature_sizes=1024,128",
        "--model=concat-hidden2048-logistic", f"--hparams={json.dumps(hparams)}",
        "--batch_size=256", "--base_learning_rate=0.001", "--warmup_examples=6000",
        "--learning_rate_schedule=cosine", f"--num_epochs={_EPOCHS.value}",
        f"--seed={seed}", *_label_sets())


def measure(train_dir: str) -> dict[str, Any]:
  run("yt8m-eval", f"--train_dir={train_dir}", "--run_once",
      f"--eval_data_pattern={_DATA.value}/heldout/*.tfrecord")
  [path] = glob.glob(f"{train_dir}/eval/metrics-*.json")
  with open(path) as file:
    return json.load(file)


def _label_sets() -> list[str]:
  return [f"--label_sets={_LABEL_SETS.value}"] if _LABEL_SETS.value else []


def compare(head: str, seed: int, folder: str) -> tuple[dict[str, Any], dict[str, Any]]:
  """Returns the metrics of a head, and of the same head calibrated."""
  files = sorted(glob.glob(f"{_DATA.value}/fit/*.tfrecord"))
  train(head, files, seed, f"{folder}/all")
  folds = []
  for number in range(_FOLDS.value):
    fold = files[number::_FOLDS.value]
    with open(f"{folder}/fold{number}.txt", "w") as names:
      names.write("\n".join(fold))
    train(head, sorted({*files} - {*fold}), seed, f"{folder}/fold{number}")
    folds.append(f"--fold={folder}/fold{number}=@{folder}/fold{number}.txt")
  run("yt8m-calibrate", f"--train_dir={folder}/all", *folds,
      f"--output_dir={folder}/calibrated", f"--seed={seed}", *_label_sets())
  return measure(f"{folder}/all"), measure(f"{folder}/calibrated")


def _figure(values: Sequence[float]) -> str:
  mean, deviation = markdown.mean_and_deviation(values)
  return f"{mean:.4f} ± {deviation:.4f}" if len(values) > 1 else f"{mean:.4f}"


def main(argv: Sequence[str]) -> None:
  del argv
  rows = []
  for head in _HEADS.value:
    results = []
    for seed in range(_SEEDS.value):
      with tempfile.TemporaryDirectory() as folder:
        results.append(compare(head, seed, os.path.realpath(folder)))
    for name, values in ((head, [plain for plain, _ in results]),
                         (f"{head}, calibrated", [better for _, better in results])):
      rows.append([name, *(_figure([one[metric] for one in values])
                           for metric in _METRICS)])
  print(markdown.make(["head", *_METRICS.values()], rows, left=["head"]))


if __name__ == "__main__":
  app.run(main)
