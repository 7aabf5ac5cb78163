# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-demo`: the main job from beginning to end on synthetic records.

    yt8m-demo --output_dir=demo_output

It generates the sample data set, trains and evaluates five models, searches for those
that blend best under a budget of bytes, four at most, with the weights that they will
have, joins them into one SavedModel, and writes its submission CSV for the test videos.
Every step is a command that a user would type; it is printed before it runs. A demo that
was stopped goes on with the same command.
"""

import dataclasses
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
from yt8m.configs import best_checkpoint
from yt8m.configs import experiment
from yt8m.core import command
from yt8m.core import commands
from yt8m.core import directories
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import locks
from yt8m.core import paths
from yt8m.core import stderr_filter
from yt8m.eval.metrics import results
from yt8m.synthetic import writer

FLAGS = flags.FLAGS

paths.define("output_dir", "demo_output", "Directory of everything that is "
             "written.")
flags.DEFINE_bool("overwrite", False, "Replace an earlier demo in --output_dir, instead "
                  "of going on with it.")
flags.DEFINE_integer("num_videos", 2000, "Number of synthetic videos to generate.",
                     lower_bound=1)

NUM_CLASSES = 100
_STEPS = "demo.json"
_OUTPUTS = ("--train_dir", "--output_dir", "--output_file")

# Small versions of the frame-level models of the starter code, and small recipes, with
# batch sizes and learning rates for 1,400 videos.
MODELS = {
    "FrameLevelLogisticModel": ("--num_epochs=15", "--base_learning_rate=0.05"),
    "DbofModel": ("--num_epochs=10", "--base_learning_rate=0.003",
                  "--dbof_cluster_size=512", "--dbof_hidden_size=256",
                  "--iterations=20",
                  # The moving averages of such a short run must settle sooner.
                  '--hparams={"aggregation": {"batch_norm_decay": 0.9}}'),
    "small-blstm": (), "small-netvlad": (), "small-nextvlad": (),
}
MAX_MEMBERS = 4


def main() -> None:
  output = FLAGS.output_dir
  directories.checked_path(output, "--output_dir")
  with locks.hold_output(output, "runs the demo", "name another --output_dir",
                         is_directory=True):
    run_all(output)


def run_all(output: str) -> None:
  """Runs all steps, in a directory that no other demo uses."""
  step = prepare(output, FLAGS.overwrite, FLAGS.num_videos)
  sample = os.path.join(output, "sample")

  # Data
  step("yt8m-sample-data", f"--output_dir={sample}", f"--num_videos={FLAGS.num_videos}",
        f"--num_classes={NUM_CLASSES}")

  # Train and evaluate
  rows = []
  for model, model_flags in MODELS.items():
    train_dir = os.path.join(output, model)
    seconds = step(
        "yt8m-train", f"--model={model}", f"--train_dir={train_dir}",
        f"--train_data_pattern={sample}/frame/train*.tfrecord",
        f"--eval_data_pattern={sample}/frame/validate*.tfrecord",
        "--eval_steps=88", "--frame_features",
        "--feature_names=rgb,audio", "--feature_sizes=1024,128", "--max_frames=40",
        f"--vocabulary={sample}/vocabulary.csv",
        f"--num_classes={NUM_CLASSES}", "--batch_size=64", *model_flags)
    rows.append({"model": model, "seconds": seconds, **best_metrics(train_dir)})

  # Choose up to four, and their weights, under a budget that the largest would exceed
  members, ensemble = os.path.join(output, "members"), os.path.join(output, "ensemble")
  for model in MODELS:
    step("yt8m-export", f"--train_dir={os.path.join(output, model)}",
          f"--output_dir={os.path.join(members, model)}")
  budget = files.bytes_on_disk(members) * MAX_MEMBERS // len(MODELS)
  step("yt8m-ensemble", "search", f"--members={members}/*", f"--output_dir={ensemble}",
        f"--eval_data_pattern={sample}/frame/validate*.tfrecord",
        f"--num_models={MAX_MEMBERS}", f"--budget_bytes={budget}")
  step("yt8m-ensemble", "evaluate", f"--ensemble={ensemble}/ensemble.json",
        f"--eval_data_pattern={sample}/frame/test*.tfrecord")

  # One model, and its predictions
  serving, csv = os.path.join(output, "serving"), os.path.join(output, "predictions.csv")
  step("yt8m-export", f"--ensemble={ensemble}/ensemble.json", f"--output_dir={serving}")
  step("yt8m-inference", f"--saved_model={serving}",
        f"--input_data_pattern={sample}/frame/test*.tfrecord", f"--output_file={csv}")
  print_table(rows)
  picture = os.path.join(ensemble, "search.png")
  search = (f"The search: {picture}. " if os.path.exists(picture) else "")
  print(f"\n{search}The ensemble: {serving}. Its submission for the test videos: {csv}\n"
        f"Curves: tensorboard --logdir={output}\n"
        f"Everything else is in {output}/. The records are SYNTHETIC: these figures say "
        "nothing about YouTube-8M.")


@dataclasses.dataclass
class Steps:
  """Runs commands, but none twice: `demo.json` says which of them have ended.

  Attributes:
    path: Path of `demo.json`.
    num_videos: Number of videos of the demo.
    seconds: Seconds that each command took that has ended, by its words.
  """
  path: str
  num_videos: int
  seconds: dict[str, float] = dataclasses.field(default_factory=dict)

  @classmethod
  def load(cls, path: str) -> "Steps":
    """Reads `demo.json`.

    Raises:
      ValueError: The file is not one of a demo.
    """
    def parse(content):
      fields.check(content, {"num_videos": fields.COUNT, "seconds": fields.object_of(
          fields.NUMBER, "numbers of seconds")})
      return cls(path, content["num_videos"], content["seconds"])
    return files.read_json(path, kind="a note of yt8m-demo", parse=parse,
                           remedy="Name another directory, or add --overwrite")

  def save(self) -> None:
    """Writes `demo.json`."""
    files.write_json(self.path, {"num_videos": self.num_videos, "seconds": self.seconds})

  def __call__(self, command: str, *arguments: str) -> float:
    """Runs a command, unless it has ended before and what it wrote is still there;
    returns the seconds that it took."""
    words = shlex.join([command, *arguments])
    outputs = [value for name, _, value in (word.partition("=") for word in arguments)
               if name in _OUTPUTS]
    if words in self.seconds and all(map(os.path.exists, outputs)):
      print(f"\n$ {words}\n(done before)", flush=True)
    else:
      print(f"\n$ {words}", flush=True)
      self.seconds[words] = shell(command, *arguments)
      self.save()
    return self.seconds[words]


def prepare(output: str, overwrite: bool, num_videos: int) -> Steps:
  """Makes the directory of a demo, or goes on with one.

  Args:
    output: Path of the directory.
    overwrite: Whether to delete an earlier demo.
    num_videos: Number of videos.

  Raises:
    ValueError: The path is empty, or there is a demo of another number of videos.
    FileExistsError: The directory has files in it that must stay.
  """
  path = os.path.join(output, _STEPS)
  if os.path.exists(path) and not overwrite:
    steps = Steps.load(path)
    if steps.num_videos != num_videos:
      raise ValueError(
          f"{output} has a demo with --num_videos={steps.num_videos}: give the same, "
          "name another directory, or add --overwrite.")
    return steps
  with directories.atomic_directory(
      output, overwrite=overwrite, owned=_DEMO,
      remedy="name another directory, or add --overwrite to replace an earlier demo"):
    pass
  steps = Steps(path, num_videos)
  steps.save()
  return steps


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


_DEMO = directories.Kind("demo", _STEPS, _demo_files)


def shell(command: str, *arguments: str) -> float:
  """Runs a command as a user would type it; returns the seconds it took."""
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


def best_metrics(train_dir: str) -> dict[str, Any]:
  """Returns what was measured at the best checkpoint of a training."""
  best = best_checkpoint.Best.load(train_dir)
  found = results.find(train_dir)
  if len(found) != 1:
    raise ValueError(f"{train_dir} has not the evaluation that the demo made there: add "
                     "--overwrite to start anew.")
  [[path, *_]] = found.values()
  [line] = [line for line in results.history(os.path.dirname(path))
            if best is None or line["step"] == best.step]
  return line


def print_table(rows: Sequence[dict[str, Any]]) -> None:
  print(f"\n{'model':<26}{'GAP@20':>8}{'mAP':>8}{'Hit@1':>8}{'PERR':>8}{'seconds':>9}")
  for row in sorted(rows, key=lambda row: -row["gap"]):
    print(f"{row['model']:<26}{row['gap']:>8.4f}{row['map']:>8.4f}"
          f"{row['avg_hit_at_one']:>8.4f}{row['avg_perr']:>8.4f}{row['seconds']:>9.0f}")


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
