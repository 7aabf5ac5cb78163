# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-demo`: the main job from beginning to end on synthetic records.

    yt8m-demo --output_dir=demo_output

Generates the sample set, trains eight models, evaluates each, searches for the six that
blend best under a budget of bytes, learns their weights, joins them into one SavedModel
and writes the submission CSV of the test videos with it. Every step is a command that a
user would type; it is printed before it runs.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time

from absl import flags

from yt8m.core import command
from yt8m.core import commands
from yt8m.core import files

FLAGS = flags.FLAGS

flags.DEFINE_string("output_dir", "demo_output", "Where everything is written.")
flags.DEFINE_bool("overwrite", False, "Replace an earlier demo in --output_dir.")
flags.DEFINE_integer("num_videos", 2000, "Synthetic videos to generate.")

NUM_CLASSES = 100

# Small versions of the starter code's frame-level models, and small recipes: batch and
# rate fit 1,400 videos.
MODELS = {
    "FrameLevelLogisticModel": ("--num_epochs=15", "--base_learning_rate=0.05"),
    "DbofModel": ("--num_epochs=10", "--base_learning_rate=0.003",
                  "--dbof_cluster_size=512", "--dbof_hidden_size=256",
                  "--iterations=20",
                  # The moving averages of a run this short must settle sooner.
                  '--hparams={"aggregation": {"batch_norm_decay": 0.9}}'),
    "LstmModel": ("--num_epochs=10", "--base_learning_rate=0.002",
                  "--lstm_cells=128", "--lstm_layers=1"),
    "small-blstm": (), "small-netvlad": (), "small-nextvlad": (), "small-netfv": (),
    "small-soft_dbof": (),
}
NUM_MEMBERS = 6


def main():
  output = FLAGS.output_dir
  if os.path.exists(output) and os.listdir(output):
    if not (FLAGS.overwrite and os.path.isdir(os.path.join(output, "sample"))):
      raise ValueError(f"--output_dir={output} is not empty: choose another, or add "
                           "--overwrite to replace an earlier demo.")
    for name in ("sample", "members", "ensemble", "serving", "predictions.csv", *MODELS):
      path = os.path.join(output, name)
      if os.path.isdir(path):
        shutil.rmtree(path)
      elif os.path.exists(path):
        os.remove(path)
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
        f"--num_classes={NUM_CLASSES}", "--batch_size=64", *model_flags)
    shell("yt8m-eval", f"--train_dir={train_dir}", "--run_once",
        f"--eval_data_pattern={sample}/frame/validate*.tfrecord")
    rows.append({"model": model, "seconds": seconds, **newest_metrics(train_dir)})

  # Choose six under a budget that the six largest would exceed, and weigh them
  members, ensemble = os.path.join(output, "members"), os.path.join(output, "ensemble")
  for model in MODELS:
    shell("yt8m-export", f"--train_dir={os.path.join(output, model)}",
          f"--output_dir={os.path.join(members, model)}")
  budget = files.bytes_on_disk(members) * NUM_MEMBERS // len(MODELS)
  shell("yt8m-ensemble", "search", f"--members={members}/*", f"--output_dir={ensemble}",
        f"--eval_data_pattern={sample}/frame/validate*.tfrecord",
        f"--num_models={NUM_MEMBERS}", f"--budget_bytes={budget}")
  shell("yt8m-ensemble", "evaluate", f"--ensemble={ensemble}/ensemble.json",
        f"--eval_data_pattern={sample}/frame/test*.tfrecord")

  # One model, and its predictions
  serving, csv = os.path.join(output, "serving"), os.path.join(output, "predictions.csv")
  shell("yt8m-export", f"--ensemble={ensemble}/ensemble.json", f"--output_dir={serving}")
  shell("yt8m-inference", f"--saved_model={serving}",
        f"--input_data_pattern={sample}/frame/test*.tfrecord", f"--output_file={csv}")
  print_table(rows)
  print(f"\nThe search: {ensemble}/search.png. The ensemble: {serving}. Its submission "
        f"for the test videos: {csv}\nCurves: tensorboard --logdir={output}\n"
        f"Everything else is in {output}/. The records are SYNTHETIC: these figures say "
        "nothing about YouTube-8M.")


def shell(command, *arguments):
  """Runs a command as a user would type it; returns the seconds it took."""
  print("\n$ " + shlex.join([command, *arguments]), flush=True)
  began = time.monotonic()
  process = subprocess.run(
      commands.as_process(command, *arguments),
      env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ})
  if process.returncode:
    sys.exit(f"{command} failed, see above.")
  return time.monotonic() - began


def newest_metrics(train_dir):
  directory = os.path.join(train_dir, "eval")
  [name] = [name for name in os.listdir(directory) if name.endswith(".json")]
  with open(os.path.join(directory, name)) as file:
    return json.load(file)


def print_table(rows):
  print(f"\n{'model':<26}{'GAP@20':>8}{'mAP':>8}{'Hit@1':>8}{'PERR':>8}{'seconds':>9}")
  for row in sorted(rows, key=lambda row: -row["gap"]):
    print(f"{row['model']:<26}{row['gap']:>8.4f}{row['map']:>8.4f}"
          f"{row['avg_hit_at_one']:>8.4f}{row['avg_perr']:>8.4f}{row['seconds']:>9.0f}")


def run():
  command.run(main)


if __name__ == "__main__":
  run()
