# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-compare`: lays trainings side by side.

    yt8m-compare runs/* --output_dir=comparison

A row has the settings in which the trainings differ and, for each set of records, the
metrics at the best checkpoint of training; where it was not evaluated on these records,
at the best step of them. --output_dir gets the table and the validation curves.
"""

import os

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m.configs import experiment
from yt8m.core import command
from yt8m.core import paths
from yt8m.core import plots
from yt8m.core import registry
from yt8m.eval.comparing import report
from yt8m.eval.comparing import trained
from yt8m.eval.metrics import gate

FLAGS = flags.FLAGS

flags.DEFINE_list("metrics", ["gap", "map", "avg_hit_at_one"], "Metrics to show; the "
                  "first one is drawn. Valid: " + ", ".join(gate.NAMES) + ".")
paths.define("output_dir", None, "Directory for comparison.md and comparison.png. "
             "Default: the table is only printed.")

_TITLE = "# Trainings, by yt8m-compare"
_LONGEST_PATH = 500


def main(*words: str) -> None:
  for name in FLAGS.metrics or [""]:
    if name not in gate.NAMES:
      raise registry.unknown("metric", name, gate.NAMES, "Set it with --metrics.")
  document, chart = (os.path.join(FLAGS.output_dir or "", f"comparison.{end}")
                     for end in ("md", "png"))
  if FLAGS.output_dir:
    plots.check_replaceable(document, [chart], _TITLE, "yt8m-compare", "output_dir")
  directories = find(words)
  names = [trained.printable(os.path.basename(path)) for path in directories]
  if len(set(names)) < len(names):
    names = [trained.printable(path, _LONGEST_PATH) for path in directories]
  runs = [trained.load(path, name)
          for path, name in zip(directories, names, strict=True)]
  for run in runs:
    if not run.histories:
      logging.warning("%s has no evaluations: run yt8m-eval on it, or train with "
                      "--eval_data_pattern.", run.name)
  table = report.table(runs, FLAGS.metrics)
  print(table, flush=True)
  if FLAGS.output_dir:
    plots.write_document(
        document, [_TITLE, table], chart, f"{FLAGS.metrics[0]} by step",
        lambda path: report.write_chart(path, runs, FLAGS.metrics[0]))


def find(words: tuple[str, ...]) -> list[str]:
  """Returns the training directories among what is named; the others with a notice.

  Raises:
    ValueError: There is none.
  """
  found = {}
  for word in words:
    if not word.strip():
      raise ValueError("A training directory is empty: give a path.")
    for path in paths.glob(word) or [word]:
      path = path.rstrip("/") or path
      if tf.io.gfile.exists(os.path.join(path, experiment.CONFIG)):
        found[path] = None
      else:
        logging.warning("%s is left out: it holds no model of yt8m-train.",
                        trained.printable(path, _LONGEST_PATH))
  if not found:
    raise ValueError("No training directory is named: give those that yt8m-train wrote, "
                     "such as yt8m-compare runs/*.")
  return list(found)


def run() -> None:
  command.run(main, arguments="training directories", named_by_path=True)


if __name__ == "__main__":
  run()
