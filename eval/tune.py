# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-tune`: searches flags and hyperparameters for the best validation metric.

    yt8m-tune --output_dir=tuned --num_trials=30 \
        --search=base_learning_rate=1e-4..1e-1:log \
        --search=classifier.num_mixtures=2..8 -- \
        --model=MoeModel --num_epochs=5 --train_data_pattern='train*.tfrecord' \
        --eval_data_pattern='validate*.tfrecord'

What follows `--` are flags of yt8m-train, the same for all trials. Each trial is a
training with values that Optuna chooses; it is given up if it is worse than the median
of the others. The best model stays in --output_dir, with a table and a picture of all
trials. If the command is stopped, the same command continues; with a larger --num_trials
it goes on searching.
"""

import os
import sys
from collections.abc import Sequence

from absl import flags

from yt8m.core import child_processes
from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import directories
from yt8m.core import paths
from yt8m.core import plots
from yt8m.core import registry
from yt8m.eval.metrics import gate
from yt8m.eval.metrics import own_metrics
from yt8m.eval.metrics import results
from yt8m.eval.tuning import loop
from yt8m.eval.tuning import search
from yt8m.eval.tuning import space
from yt8m.eval.tuning import trials

FLAGS = flags.FLAGS

paths.define("output_dir", None, "Directory for the trials, tuning.md and tuning.png; "
             "required.")
flags.DEFINE_multi_string(
    "search", [], "Flag of yt8m-train, or path of a hyperparameter as in --set, with the "
    "values to try: base_learning_rate=1e-4..1e-1:log, batch_size=64,128 or "
    "classifier.num_mixtures=2..8")
flags.DEFINE_integer("num_trials", 20, "Number of trials in all.", lower_bound=1)
flags.DEFINE_integer("num_processes", 1, "Number of trainings at a time.", lower_bound=1)
flags.DEFINE_string("metric", "gap", "Metric of --eval_data_pattern to search for. The "
                    "best checkpoint of each trial counts. Valid: "
                    + ", ".join(gate.NAMES) + ".")
flags.DEFINE_enum("sampler", "tpe", search.SAMPLERS, "How values are chosen: by a "
                  "tree-structured Parzen estimator, or at random.")
flags.DEFINE_enum("pruner", "median", search.PRUNERS, "Whether a trial is given up that "
                  "is worse than the median of the others after as many evaluations.")
flags.DEFINE_integer("seed", 0, "Seed of the choice of values. That of the trainings is "
                     "a flag of yt8m-train.", lower_bound=0)
flags.DEFINE_bool("keep_checkpoints", False, "Keep the checkpoints of all trials, "
                  "instead of those of the best one.")
command_line.require("output_dir", "name the directory of the trials")

STOP_SECS = 30.0  # for trainings to finish a step and save

# What the search decides for each trial, or its own command line.
_NOT_FOR_TRIALS = {
    "train_dir": "each trial has a directory of its own",
    "start_new_model": "each trial has a directory of its own",
    "best_metric": "give --metric of yt8m-tune",
    "allow_code": "give it before --"}
_RECORDS = ("train_data_pattern", "eval_data_pattern")


def main(*words: str) -> None:
  # What stands in a flag file, which may hold "--" too, is not typed.
  typed = {*words} <= {*sys.argv} and (
      {*FLAGS.search} <= {*command.typed_values("search")})
  metrics = values_of(words, "metrics")
  with registry.allow_code([name for text in metrics for name in text.split(",")]
                           if typed and not FLAGS.allow_code else []):
    own = own_metrics.OwnMetrics(metrics).less_is_better
  less_is_better = gate.less_is_better(gate.known(
      FLAGS.metric, "--metric", own, "--metrics of yt8m-train, after --"), own)
  check_words(words, space.parse(FLAGS.search))
  output_dir = directories.checked_path(FLAGS.output_dir, "--output_dir")
  document, chart = (os.path.join(output_dir, f"tuning.{end}") for end in ("md", "png"))
  plots.check_replaceable(document, [chart], loop.TITLE, "yt8m-tune", "output_dir")
  trials.OUTPUT.refuse_links(output_dir)
  drawn = plots.can_draw("The picture is")
  settings = loop.Settings([*words], FLAGS.search, FLAGS.metric, FLAGS.sampler,
                           FLAGS.pruner, FLAGS.seed, digests_of(words))
  num_threads = child_processes.num_processors() // FLAGS.num_processes
  with child_processes.lock(output_dir, "yt8m-tune") as lock:
    tuning = loop.Tuning(
        settings, output_dir, FLAGS.num_trials, less_is_better=less_is_better,
        keep_checkpoints=FLAGS.keep_checkpoints, chart=chart if drawn else None)
    tuning.run(child_processes.Runner(max(1, num_threads), [lock.fileno()], typed),
               FLAGS.num_processes)
  best = tuning.best()
  if best is None:
    sys.exit("ERROR: No trial has finished, see the logs in "
             f"{os.path.join(output_dir, 'trials')}.")
  trial, value, step = best
  print(f"Best: {FLAGS.metric} {value:.4f} at step {step}, in {trial.train_dir}:\n"
        f"    yt8m-train --train_dir=model {tuning.arguments(trial)}\n"
        f"Wrote {document}", flush=True)
  if tuning.num_failed:
    sys.exit(f"ERROR: {tuning.num_failed} trials failed, see above. The same command "
             "tries them again.")


def check_words(words: Sequence[str], parameters: Sequence[space.Parameter]) -> None:
  """Refuses flags of yt8m-train that a search cannot have.

  Raises:
    ValueError: One of them is given, or --eval_data_pattern is not.
  """
  given = {word.lstrip("-").partition("=")[0] for word in words if word[:1] == "-"}
  searched = {parameter.name for parameter in parameters}
  for name, reason in _NOT_FOR_TRIALS.items():
    if name in given:
      raise ValueError(f"--{name} after -- is not for a search: {reason}.")
    if name in searched or f"no{name}" in searched:
      raise ValueError(f"--search={name} is not for a search: {reason}.")
  for parameter in parameters:
    if parameter.name in given:
      raise ValueError(f"--{parameter.name} is given after --, and searched by --search: "
                       "leave out one.")
  if "eval_data_pattern" not in given:
    raise ValueError(
        "--eval_data_pattern is missing among the flags of yt8m-train after --: name the "
        "records that the trials are compared on.")


def values_of(words: Sequence[str], name: str) -> list[str]:
  """Returns the values that words give to a flag of yt8m-train."""
  found = []
  for word, following in zip(words, [*words[1:], ""], strict=True):
    flag, equals, value = word.partition("=")
    if flag[:1] == "-" and flag.lstrip("-") == name:
      found.append(value if equals else following)
  return found


def digests_of(words: Sequence[str]) -> dict[str, str]:
  """Returns digests of the records of all trials, by the flag that names them.

  Raises:
    ValueError: No file matches.
  """
  digests = {}
  for name in _RECORDS:
    if values := values_of(words, name):
      digests[name] = results.digest(paths.match("\n".join(values), f"--{name}"))
  return digests


def run() -> None:
  command.run(main, arguments="flags of yt8m-train after --, such as "
              "--eval_data_pattern", stop_secs=STOP_SECS)


if __name__ == "__main__":
  run()

