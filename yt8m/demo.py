# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-demo`: the main job from beginning to end on synthetic records.

    yt8m-demo --output_dir=demo_output

Generates the sample set, trains six models, evaluates each, predicts the test
videos with the best and writes their submission CSV. Every step is a command that a
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

from yt8m import command

FLAGS = flags.FLAGS

flags.DEFINE_string("output_dir", "demo_output", "Where everything is written.")
flags.DEFINE_bool("overwrite", False, "Replace an earlier demo in --output_dir.")
flags.DEFINE_integer("num_videos", 2000, "Synthetic videos to generate.")

NUM_CLASSES = 100
COMMANDS = {"yt8m-sample-data": "yt8m.sample_data", "yt8m-train": "yt8m.train",
            "yt8m-eval": "yt8m.eval.evaluate", "yt8m-inference": "yt8m.export.inference"}

VIDEO = ("--feature_names=mean_rgb,mean_audio", "--feature_sizes=1024,128")
FRAME = ("--feature_names=rgb,audio", "--feature_sizes=1024,128", "--frame_features",
         "--max_frames=40")
# Small versions of the starter code's models, and two small recipes: batch and rate
# fit 1,400 videos.
MODELS = {
    "MoeModel": ("video", *VIDEO, "--num_epochs=20"),
    "FrameLevelLogisticModel": ("frame", *FRAME, "--num_epochs=15",
                                "--base_learning_rate=0.05"),
    "DbofModel": ("frame", *FRAME, "--num_epochs=10", "--base_learning_rate=0.003",
                  "--dbof_cluster_size=512", "--dbof_hidden_size=256",
                  "--iterations=20",
                  # The moving averages of a run this short must settle sooner.
                  '--hparams={"aggregation": {"batch_norm_decay": 0.9}}'),
    "LstmModel": ("frame", *FRAME, "--num_epochs=10", "--base_learning_rate=0.002",
                  "--lstm_cells=128", "--lstm_layers=1"),
    "small-blstm": ("frame", *FRAME),
    "small-netvlad": ("frame", *FRAME),
}


def main():
  output = FLAGS.output_dir
  if os.path.exists(output) and os.listdir(output):
    if not (FLAGS.overwrite and os.path.isdir(os.path.join(output, "sample"))):
      raise ValueError(f"--output_dir={output} is not empty: choose another, or add "
                           "--overwrite to replace an earlier demo.")
    for name in ("sample", "predictions.csv", *MODELS):
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
  for model, (level, *model_flags) in MODELS.items():
    train_dir = os.path.join(output, model)
    seconds = shell(
        "yt8m-train", f"--model={model}", f"--train_dir={train_dir}",
        f"--train_data_pattern={sample}/{level}/train*.tfrecord",
        f"--num_classes={NUM_CLASSES}", "--batch_size=64", *model_flags)
    shell("yt8m-eval", f"--train_dir={train_dir}", "--run_once",
        f"--eval_data_pattern={sample}/{level}/validate*.tfrecord")
    rows.append({"model": model, "seconds": seconds, **newest_metrics(train_dir)})

  # Predict
  best = max(rows, key=lambda row: row["gap"])["model"]
  csv = os.path.join(output, "predictions.csv")
  shell("yt8m-inference", f"--train_dir={os.path.join(output, best)}",
      f"--input_data_pattern={sample}/{MODELS[best][0]}/test*.tfrecord",
      f"--output_file={csv}")
  print_table(rows)
  print(f"\nSubmission of {best} for the test videos: {csv}\n"
        f"Curves: tensorboard --logdir={output}\nEverything else is in {output}/. The "
        "records are SYNTHETIC: these figures say nothing about YouTube-8M.")


def shell(command, *arguments):
  """Runs a command as a user would type it; returns the seconds it took."""
  print("\n$ " + shlex.join([command, *arguments]), flush=True)
  began = time.monotonic()
  process = subprocess.run(
      [sys.executable, "-m", COMMANDS[command], *arguments],
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
