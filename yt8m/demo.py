# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-demo`: the main job from beginning to end on synthetic records.

    yt8m-demo --output_dir=demo_output

It generates the sample data set, trains and evaluates eight models, searches for those
that blend best under a budget of bytes, six at most, with the weights that they will
have, joins them into one SavedModel, and writes its submission CSV for the test videos.
Every step is a command that a user would type; it is printed before it runs.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from absl import flags

from yt8m.artifacts import manifest
from yt8m.configs import experiment
from yt8m.core import command
from yt8m.core import commands
from yt8m.core import directories
from yt8m.core import files
from yt8m.core import locks
from yt8m.core import paths
from yt8m.core import stderr_filter
from yt8m.eval.metrics import results
from yt8m.synthetic import writer

FLAGS = flags.FLAGS

paths.define("output_dir", "demo_output", "Directory of everything that is "
             "written.")
flags.DEFINE_bool("overwrite", False, "Replace an earlier demo in --output_dir.")
flags.DEFINE_integer("num_videos", 2000, "Number of synthetic videos to generate.",
                     lower_bound=1)

NUM_CLASSES = 100

# Small versions of the frame-level models of the starter code, and small recipes, with
# batch sizes and learning rates for 1,400 videos.
MODELS = {
    "FrameLevelLogisticModel": ("--num_epochs=15", "--base_learning_rate=0.05"),
    "DbofModel": ("--num_epochs=10", "--base_learning_rate=0.003",
                  "--dbof_cluster_size=512", "--dbof_hidden_size=256",
                  "--iterations=20",
                  # The moving averages of such a short run must settle sooner.
                  '--hparams={"aggregation": {"batch_norm_decay": 0.9}}'),
    "LstmModel": ("--num_epochs=10", "--base_learning_rate=0.002",
                  "--lstm_cells=128", "--lstm_layers=1"),
    "small-blstm": (), "small-netvlad": (), "small-nextvlad": (), "small-netfv": (),
    "small-soft_dbof": (),
}
MAX_MEMBERS = 6


def main() -> None:
  output = FLAGS.output_dir
  directories.checked_path(output, "--output_dir")
  with locks.hold_output(output, "runs the demo", "name another --output_dir",
                         is_directory=True):
    run_all(output)


def run_all(output: str) -> None:
  """Runs all steps, in a directory that no other demo uses."""
  prepare(output, FLAGS.overwrite)
  sample = os.path.join(output, "sample")

  # Data
  shell("yt8m-sample-data", f"--output_dir={sample}", f"--num_videos={FLAGS.num_videos}",
        f"--num_classes={NUM_CLASSES}")

  # Train and evaluate
  rows = []
  for model, model_flags in MODELS.items():
    train_dir = os.path.join(output, model)
    seconds = shell(
        "yt8m-train", f"--model={model}", f"--train_dir={train_dir}",
        f"--train_data_pattern={sample}/frame/train*.tfrecord", "--frame_features",
        "--feature_names=rgb,audio", "--feature_sizes=1024,128", "--max_frames=40",
        f"--vocabulary={sample}/vocabulary.csv",
        f"--num_classes={NUM_CLASSES}", "--batch_size=64", *model_flags)
    shell("yt8m-eval", f"--train_dir={train_dir}", "--run_once",
        f"--eval_data_pattern={sample}/frame/validate*.tfrecord")
    rows.append({"model": model, "seconds": seconds, **newest_metrics(train_dir)})

  # Choose up to six, and their weights, under a budget that the six largest would exceed
  members, ensemble = os.path.join(output, "members"), os.path.join(output, "ensemble")
  for model in MODELS:
    shell("yt8m-export", f"--train_dir={os.path.join(output, model)}",
          f"--output_dir={os.path.join(members, model)}")
  budget = files.bytes_on_disk(members) * MAX_MEMBERS // len(MODELS)
  shell("yt8m-ensemble", "search", f"--members={members}/*", f"--output_dir={ensemble}",
        f"--eval_data_pattern={sample}/frame/validate*.tfrecord",
        f"--num_models={MAX_MEMBERS}", f"--budget_bytes={budget}")
  shell("yt8m-ensemble", "evaluate", f"--ensemble={ensemble}/ensemble.json",
        f"--eval_data_pattern={sample}/frame/test*.tfrecord")

  # One model, and its predictions
  serving, csv = os.path.join(output, "serving"), os.path.join(output, "predictions.csv")
  shell("yt8m-export", f"--ensemble={ensemble}/ensemble.json", f"--output_dir={serving}")
  shell("yt8m-inference", f"--saved_model={serving}",
        f"--input_data_pattern={sample}/frame/test*.tfrecord", f"--output_file={csv}")
  print_table(rows)
  picture = os.path.join(ensemble, "search.png")
  search = (f"The search: {picture}. " if os.path.exists(picture) else "")
  print(f"\n{search}The ensemble: {serving}. Its submission for the test videos: {csv}\n"
        f"Curves: tensorboard --logdir={output}\n"
        f"Everything else is in {output}/. The records are SYNTHETIC: these figures say "
        "nothing about YouTube-8M.")


def prepare(output: str, overwrite: bool) -> None:
  """Makes sure that the directory is empty, by deleting an earlier demo if allowed.

  Raises:
    ValueError: The path is empty.
    FileExistsError: The directory has files in it that must stay.
  """
  with directories.atomic_directory(
      output, overwrite=overwrite, owned=_DEMO,
      remedy="name another directory, or add --overwrite to replace an earlier demo"):
    pass


def _demo_files(output: str) -> Iterator[str]:
  """Yields the patterns of the files of a demo, part by part."""
  yield from ("predictions.csv", "ensemble/*.json", "ensemble/search.png",
              "ensemble/*/*/store.json", "ensemble/*/*/*.npy")
  parts = {"sample": writer.SAMPLE_DATA, "serving": manifest.SAVED_MODEL}
  for model in MODELS:
    parts |= {model: experiment.TRAIN_DIR, f"members/{model}": manifest.SAVED_MODEL}
  for part, kind in parts.items():
    path = os.path.join(output, part)
    if os.path.exists(os.path.join(path, kind.marker)):
      yield from (f"{part}/{pattern}" for pattern in kind.patterns(path))


_DEMO = directories.Kind("demo", f"sample/{writer.GROUND_TRUTH}", _demo_files)


def shell(command: str, *arguments: str) -> float:
  """Runs a command as a user would type it; returns the seconds it took."""
  print("\n$ " + shlex.join([command, *arguments]), flush=True)
  began = time.monotonic()
  logged = [f"--{name}" for name in ("log_json", "quiet") if FLAGS[name].value]
  process = subprocess.Popen(commands.as_process(command, *arguments, *logged),
                             stderr=stderr_filter.terminal())
  try:
    process.wait()
  except BaseException:  # It cleans up too, and training saves.
    process.terminate()
    process.wait()
    raise
  if process.returncode:
    sys.exit(f"{command} failed, see above.")
  return time.monotonic() - began


def newest_metrics(train_dir: str) -> dict[str, Any]:
  [[path]] = results.find(train_dir).values()
  return files.read_json(
      path, kind="an evaluation that yt8m-eval wrote",
      remedy="Start the demo again")


def print_table(rows: Sequence[dict[str, Any]]) -> None:
  print(f"\n{'model':<26}{'GAP@20':>8}{'mAP':>8}{'Hit@1':>8}{'PERR':>8}{'seconds':>9}")
  for row in sorted(rows, key=lambda row: -row["gap"]):
    print(f"{row['model']:<26}{row['gap']:>8.4f}{row['map']:>8.4f}"
          f"{row['avg_hit_at_one']:>8.4f}{row['avg_perr']:>8.4f}{row['seconds']:>9.0f}")


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
