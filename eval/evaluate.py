# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-eval`: evaluates a trained model on records.

    yt8m-eval --train_dir=model --eval_data_pattern='validate*.tfrecord' --run_once

Without `--run_once`, it watches the directory and evaluates every new checkpoint. Workers
with a cluster in TF_CONFIG share the records out; the first of them prints and writes the
metrics of all.

From which score on a class counts as a label is chosen on some records and measured on
others:

    yt8m-eval … --eval_data_pattern='validate*' --run_once --choose_thresholds=f1 \
        --thresholds=thresholds.json
    yt8m-eval … --eval_data_pattern='test*' --run_once --thresholds=thresholds.json

A SavedModel of yt8m-export or yt8m-calibrate, such as that of an ensemble, is evaluated
once, and stays as it is; --output_dir gets the metrics:

    yt8m-eval --saved_model=serving/1 --eval_data_pattern='validate*.tfrecord' \
        --output_dir=evaluation
"""

import io
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from absl import flags
from absl import logging

from yt8m.artifacts import versions
from yt8m.configs import checkpoints
from yt8m.configs import data_flag
from yt8m.configs import experiment
from yt8m.configs import model_flags
from yt8m.configs import starter_flags
from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import paths
from yt8m.data import dataset
from yt8m.data import readers
from yt8m.data import records
from yt8m.eval.evaluating import exported
from yt8m.eval.evaluating import trained
from yt8m.eval.metrics import class_report
from yt8m.eval.metrics import decisions
from yt8m.eval.metrics import evaluation
from yt8m.eval.metrics import gate
from yt8m.eval.metrics import own_metrics
from yt8m.eval.metrics import results
from yt8m.eval.metrics import streaming
from yt8m.eval.metrics import thresholding
from yt8m.export.prediction import source_flags
from yt8m.models import named_losses
from yt8m.training import strategies

FLAGS = flags.FLAGS

Model = trained.Trained | exported.Exported

paths.define("train_dir", None, "Directory that yt8m-train wrote.",
             must_exist="name the directory of a trained model")
command_line.require_one(
    ("train_dir", "saved_model"),
    "Give either --train_dir or --saved_model: the model to evaluate.")
command_line.require(
    "eval_data_pattern", "name the records to evaluate on", unless=("data",))
paths.define("saved_model", None, "SavedModel of yt8m-export or yt8m-calibrate, of one "
             "model or of an ensemble, or a directory of versions, whose newest complete "
             "one is taken. Instead of --train_dir; it is evaluated once.",
             must_exist="name a directory that yt8m-export wrote")
paths.define("output_dir", None, "Directory for metrics.json and classes.csv of a "
             "--saved_model. Default: the metrics are only printed.")
data_flag.define({"eval_data_pattern": dataset.VALIDATE}, chosen="eval_data_pattern")
paths.define_pattern(
    "eval_data_pattern", "", "Records to evaluate on: globs, separated by commas.")
flags.DEFINE_bool("segment_labels", None, "Whether the records hold rated segments; "
                  "default: as in training, for a --saved_model whole videos.")
flags.DEFINE_integer("batch_size", 1024, "Number of examples per batch.", lower_bound=1)
flags.DEFINE_integer("num_readers", 8, "Number of remote or compressed files that are "
                     "read at a time.", lower_bound=1)
flags.DEFINE_bool("skip_corrupt_records", False,
                  "Count damaged records and continue, instead of stopping.")
flags.DEFINE_bool("skip_bad_records", False, "Count records that can be read but not "
                  "used, such as those of wrong types or with NaN, and go on without "
                  "each of them. --skip_corrupt_records is for damaged files instead.")
flags.DEFINE_integer("top_k", None, "Number of predictions per video in GAP and MAP. "
                     "Default: 20, or all classes if they are fewer.", lower_bound=1)
paths.define("vocabulary", None, "CSV with the names of the classes, as for yt8m-train. "
             "Default: that of the model.",
             must_exist="name a CSV of class names")
checkpoints.define_flag()
flags.DEFINE_bool("run_once", False, "Evaluate the newest checkpoint and stop, as "
                  "--checkpoint does.")
flags.DEFINE_float("eval_interval_secs", 30,
                   "Seconds between two checks for a new checkpoint.", lower_bound=0)
flags.DEFINE_float("eval_timeout_secs", None,
                   "Stop after this many seconds without a new checkpoint.",
                   lower_bound=0)
flags.DEFINE_multi_string(
    "require", [], "Conditions such as 'gap>=0.68,ece<=0.02': exit with status 1 unless "
    f"all are met. May be repeated. Metrics: {', '.join(gate.NAMES)}, and those of "
    "--metrics.")
paths.define("baseline", None, "metrics-<step>.json of an earlier model on the same "
             "records, which --max_regression compares with.",
             must_exist="name a metrics-<step>.json of yt8m-eval")
flags.DEFINE_multi_string(
    "max_regression", [], "How much worse than --baseline metrics may be, such as "
    "'gap:0.002,avg_loss:0.1'. May be repeated.")
flags.DEFINE_string(
    "choose_thresholds", None, "Choose a threshold for every class on these records, and "
    "write them to --thresholds: f1, the best F1; precision=0.9, the lowest threshold "
    "with this precision; or cost=1:5, the least cost of false positives and of false "
    "negatives.")
paths.define("thresholds", None, "File of thresholds: the one that --choose_thresholds "
             "writes; without it, one whose decisions are measured on these records.")
flags.DEFINE_integer(
    "threshold_min_positives", decisions.MIN_POSITIVES, "Number of labels from which on "
    "--choose_thresholds gives a class a threshold of its own. The others share one.",
    lower_bound=1)
own_metrics.define_flag()
model_flags.define_hparams()
starter_flags.define()

# Flags about the checkpoints of a training directory.
_OF_CHECKPOINTS = ("run_once", "eval_interval_secs", "eval_timeout_secs")


@model_flags.typed_code_allowed("metrics")
def main() -> None:
  data_flag.apply()
  strategy = strategies.make_strategy()
  with strategies.lost_workers_named(
      strategy, "Run the same command again on every worker."):
    _evaluate(strategy)


def _evaluate(strategy: tf.distribute.Strategy) -> None:
  if FLAGS.metrics and strategies.num_workers(strategy) > 1:
    raise ValueError("--metrics are measured by one worker, because a Keras metric does "
                     "not say how those of several are put together: leave TF_CONFIG or "
                     "--metrics out.")
  own = own_metrics.OwnMetrics(FLAGS.metrics)
  better = own.less_is_better
  requirements, baseline = gate.required(FLAGS.require, better), None
  if FLAGS.max_regression and not FLAGS.baseline:
    raise ValueError("--max_regression needs --baseline, a metrics-<step>.json.")
  if FLAGS.baseline:
    baseline = gate.Baseline.load(FLAGS.baseline, FLAGS.max_regression, better)
  once = FLAGS.run_once or FLAGS.checkpoint or FLAGS.saved_model
  if (requirements or baseline) and not once:
    raise ValueError("--require and --baseline judge one checkpoint: add --run_once, or "
                     "name it with --checkpoint.")
  if FLAGS.choose_thresholds is not None and not once:
    raise ValueError("--choose_thresholds is for one checkpoint: add --run_once, or name "
                     "it with --checkpoint.")
  model = _model()
  names = model.names(FLAGS.vocabulary)
  thresholds = thresholding.Thresholding.of_flags(
      FLAGS.thresholds, FLAGS.choose_thresholds, FLAGS.threshold_min_positives,
      model.num_classes, streaming.chosen_top_k(FLAGS.top_k, model.num_classes))
  reader = readers.make_reader(
      model.spec.with_segment_labels(FLAGS.segment_labels),
      model.num_classes, model.max_frames, of_model=True)
  context = strategies.input_context(strategy)
  files = paths.match(FLAGS.eval_data_pattern, "--eval_data_pattern")
  reader.check_features(files, "--eval_data_pattern")
  dataset.Dataset.check_names(files, names)
  num_examples = records.estimate_count(files)
  if num_examples:
    num_examples //= context.num_input_pipelines
  loss = named_losses.from_name(*model.label_loss)
  data = results.Data.of_files(
      FLAGS.eval_data_pattern, files, model.hparams, reader.spec.has_segments)
  model.check_output(data)
  predict = model.predictor(FLAGS.batch_size)
  for path in _same_on_all_workers(strategy, model):
    model.restore(path)
    batches = reader.dataset(
        FLAGS.eval_data_pattern, FLAGS.batch_size, num_readers=FLAGS.num_readers,
        skip_corrupt_records=FLAGS.skip_corrupt_records,
        skip_bad_records=FLAGS.skip_bad_records, input_pipeline=context)
    with records.clear_errors(reader.explain, files):
      metrics = evaluation.evaluate(
          predict, model.num_classes, batches, FLAGS.top_k, loss,
          num_examples=num_examples, own=own)
    reader.incidents.log_summary(reader.incidents.counts)
    metrics = _of_all_workers(strategy, metrics)
    evaluation.check_labels(metrics, f"--eval_data_pattern={FLAGS.eval_data_pattern}")
    if not strategies.is_chief(strategy):
      continue
    values, measured = metrics.get() | metrics.calibration(), own.values()
    print(evaluation.format_line(model.title(path), values, measured), flush=True)
    logging.info("%s", evaluation.format_calibration(values, metrics.top_k))
    result = thresholds and thresholds.apply(metrics, data, model=model.identity(path))
    for line in result.describe() if result else ():
      logging.info("%s", line)
    for line in class_report.describe(names, metrics, values) if names else ():
      logging.info("%s", line)
    for written in model.write(path, data, metrics, values, names, result, measured):
      logging.info("Wrote %s", written)
    if baseline:
      requirements += baseline.requirements(metrics.num_positives, {
          "top_k": metrics.top_k,
          "label_loss": named_losses.described(*model.label_loss)})
    gate.check(requirements, values | measured)


def _model() -> Model:
  """Returns what the flags name, or raises an error if they do not go together."""
  if FLAGS.saved_model:
    source_flags.check_saved_model()
    for name in _OF_CHECKPOINTS:
      if FLAGS[name].present and FLAGS[name].value is not True:
        raise ValueError(f"--{name} is about the checkpoints of --train_dir: a "
                         "--saved_model is evaluated once, so leave it out.")
    return exported.Exported(
        versions.newest(FLAGS.saved_model, "--saved_model"), FLAGS.output_dir)
  if FLAGS.output_dir:
    raise ValueError(f"--output_dir={FLAGS.output_dir} is for a --saved_model: the "
                     "results of --train_dir are written into its folder eval, so leave "
                     "it out.")
  hparams = model_flags.hparams_given()
  config = experiment.Experiment.load(FLAGS.train_dir)
  starter_flags.check(config, FLAGS.train_dir)
  return trained.Trained(FLAGS.train_dir, config.with_hparams(hparams), hparams)


def _same_on_all_workers(strategy: tf.distribute.Strategy, model: Model
                         ) -> Iterator[str]:
  """Yields the checkpoints to evaluate, which the first worker chooses for all.

  Of a SavedModel it is its path.
  """
  if isinstance(model, exported.Exported):
    yield model.model.directory
    return
  chosen = iter(_checkpoints()) if strategies.is_chief(strategy) else iter(())
  while True:
    path = next(chosen, "").encode()
    path = strategies.gather_bytes(strategy, path or b" ")[0].decode().strip()
    if not path:
      return
    yield path


def _of_all_workers(strategy: tf.distribute.Strategy, metrics: streaming.EvaluationMetrics
                    ) -> streaming.EvaluationMetrics:
  """Returns the metrics of the examples of all workers."""
  file = io.BytesIO()
  np.savez(file, **metrics.state())
  first, *others = (
      streaming.EvaluationMetrics.from_state(
          np.load(io.BytesIO(part), allow_pickle=False))
      for part in strategies.gather_bytes(strategy, file.getvalue()))
  for other in others:
    first.merge(other)
  return first


def _checkpoints() -> Iterator[str]:
  if FLAGS.run_once or FLAGS.checkpoint:
    path = checkpoints.find(FLAGS.train_dir, FLAGS.checkpoint)
    experiment.warn_if_unfinished(FLAGS.train_dir, path)
    yield path
  else:
    yield from checkpoints.watch(
        FLAGS.train_dir, FLAGS.eval_interval_secs, FLAGS.eval_timeout_secs)


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
