# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-train` of this checkout beside that of another one, on the same records.

  git worktree add ../before 4ba66a3
  python -m benchmarks.versions --other=../before
  python -m benchmarks.versions --other=../before --models=FrameLevelLogisticModel

Both run as commands, one after the other, with the same flags. The time of a step is the
difference between a long and a short run, so that starting does not count. The peak is
that of the short run, with reading, tracing and saving.
"""

import os
import sys
import tempfile
from collections.abc import Sequence

import numpy as np
from absl import app
from absl import flags

from benchmarks import readers
from benchmarks import timing
from benchmarks.suite import cases
from benchmarks.suite import memory
from benchmarks.suite import report
from yt8m.core import feature_spec

# Recipe, videos of a batch, and steps of the short and the long run.
MODELS = {
    "LogisticModel": (1024, 20, 60), "MoeModel": (1024, 4, 14),
    "FrameLevelLogisticModel": (128, 40, 360),
    "sum-NetVLAD-C64-MoE4": (128, 4, 10), "concat-NetVLAD-diff-C64-MoE4": (128, 4, 10),
    "concat-NetVLAD-C128-MoE4": (128, 4, 10), "concat-BLSTM-MoE2": (16, 4, 8),
    "attention-BLSTM-MoE2": (16, 4, 8), "concat-BLSTM-CG-MoE2": (16, 4, 8)}
_VIDEO_LEVEL = ("LogisticModel", "MoeModel")

_OTHER = flags.DEFINE_string("other", None, "Folder of the other checkout.",
                             required=True)
_MODELS = flags.DEFINE_list("models", list(MODELS), "Recipes to train.")
_TURNS = flags.DEFINE_integer("turns", 2, "Number of turns.", lower_bound=1)


def _command(tree: str, model: str, pattern: str, batch_size: int, num_steps: int,
             train_dir: str) -> list[str]:
  """Returns the command that trains a recipe in a checkout."""
  level = [] if model in _VIDEO_LEVEL else ["--frame_features"]
  return [sys.executable, "-c", f"import sys; sys.path.insert(0, {tree!r})\n"
          "from yt8m import train\n"
          f"assert train.__file__.startswith({tree!r}), train.__file__\n"
          "train.run()",
          f"--train_dir={train_dir}", f"--train_data_pattern={pattern}",
          f"--model={model}", f"--batch_size={batch_size}", f"--max_steps={num_steps}",
          "--num_epochs=1000", "--log_steps=20", "--prior_examples=500",
          f"--feature_names={','.join(cases.FEATURES)}",
          f"--feature_sizes={','.join(map(str, cases.FEATURES.values()))}", *level]


def row(model: str, pattern: str, other: str, turns: int) -> dict[str, object]:
  """Measures a recipe in both checkouts."""
  batch_size, short, long = MODELS[model]
  peaks: dict[str, list[float]] = {"before": [], "now": []}
  trees = {"before": os.path.abspath(other),
           "now": os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}
  ways = {}
  for name, tree in trees.items():
    for steps in (short, long):
      def train(name=name, tree=tree, steps=steps):
        with tempfile.TemporaryDirectory() as folder:
          peak = memory.peak_of(_command(tree, model, pattern, batch_size, steps, folder))
        if steps == short:
          peaks[name].append(peak)
      ways[f"{name} {steps}"] = train
  times = timing.in_turns(ways, turns, warm_up=False, children=True)
  videos = (long - short) * batch_size

  def of_video(name, column):
    return np.subtract(getattr(times[f"{name} {long}"], column),
                       getattr(times[f"{name} {short}"], column)) / videos

  if min(of_video(name, "wall").min() for name in trees) <= 0:
    sys.exit(f"{model}: {long} steps took no longer than {short}, on a busy machine. "
             "Repeat it on a quiet one.")
  return {"model": model, "batch": batch_size,
          "videos/s before": float(np.median(1 / of_video("before", "wall"))),
          "videos/s now": float(np.median(1 / of_video("now", "wall"))),
          **{f"speed, {title} ×": float(np.median(np.divide(
              of_video("before", column), of_video("now", column))))
             for title, column in (("elapsed", "wall"), ("CPU", "cpu"))},
          "MiB before": float(np.median(peaks["before"])),
          "MiB now": float(np.median(peaks["now"])),
          "MiB ×": float(np.median(peaks["now"]) / np.median(peaks["before"]))}


def main(argv: Sequence[str]) -> None:
  del argv
  unknown = sorted(set(_MODELS.value) - set(MODELS))
  if unknown:
    sys.exit(f"--models: {unknown[0]!r} is none of {', '.join(MODELS)}.")
  if not _MODELS.value:
    sys.exit(f"--models: name some of {', '.join(MODELS)}.")
  if not os.path.isfile(os.path.join(_OTHER.value, "yt8m", "train.py")):
    sys.exit(f"--other={_OTHER.value} is no checkout of this project: it has no "
             "yt8m/train.py.")
  found = []
  print(f"load before: {timing.load()}")
  with tempfile.TemporaryDirectory() as folder:
    patterns = {}
    for level, videos, links in ((feature_spec.FRAME, 1024, 16),
                                 (feature_spec.VIDEO, 8192, 4)):
      os.mkdir(os.path.join(folder, level))
      patterns[level] = readers.write_records(
          os.path.join(folder, level), level, videos, links)
    for model in _MODELS.value:
      level = feature_spec.VIDEO if model in _VIDEO_LEVEL else feature_spec.FRAME
      found.append(row(model, patterns[level], _OTHER.value, _TURNS.value))
      print(report.table(found[-1:]), flush=True)
  print(f"\n{report.table(found)}\n\nload after: {timing.load()}")


if __name__ == "__main__":
  app.run(main)
