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
"""

import io
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from absl import flags
from absl import logging

from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.configs import model_flags
from yt8m.configs import starter_flags
from yt8m.core import command
from yt8m.core import paths
from yt8m.data import missing_features
from yt8m.data import readers
from yt8m.data import records
from yt8m.eval.metrics import class_report
from yt8m.eval.metrics import decisions
from yt8m.eval.metrics import evaluation
from yt8m.eval.metrics import gate
from yt8m.eval.metrics import results
from yt8m.eval.metrics import streaming
from yt8m.eval.metrics import thresholding
from yt8m.eval.predictions import by_length
from yt8m.models import losses
from yt8m.training import strategies

FLAGS = flags.FLAGS

paths.define("train_dir", None, "Directory that yt8m-train wrote; required.")
paths.define_pattern(
    "eval_data_pattern", "", "Records to evaluate on: globs, separated by commas.")
flags.DEFINE_bool("segment_labels", None,
                  "Whether the records hold rated segments; default: as in training.")
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
             "Default: that of --train_dir.")
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
    f"all are met. May be repeated. Metrics: {', '.join(gate.NAMES)}.")
paths.define("baseline", None, "metrics-<step>.json of an earlier model on the same "
             "records, which --max_regression compares with.")
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
model_flags.define_hparams()
starter_flags.define()
flags.mark_flag_as_required("train_dir")


def main() -> None:
  strategy = strategies.make_strategy()
  with strategies.lost_workers_named(
      strategy, "Run the same command again on every worker."):
    _evaluate(strategy)


def _evaluate(strategy: tf.distribute.Strategy) -> None:
  requirements, baseline = gate.required(FLAGS.require), None
  if FLAGS.max_regression and not FLAGS.baseline:
    raise ValueError("--max_regression needs --baseline, a metrics-<step>.json.")
  if FLAGS.baseline:
    baseline = gate.Baseline.load(FLAGS.baseline, FLAGS.max_regression)
  if (requirements or baseline) and not (FLAGS.run_once or FLAGS.checkpoint):
    raise ValueError("--require and --baseline judge one checkpoint: add --run_once, or "
                     "name it with --checkpoint.")
  if FLAGS.choose_thresholds is not None and not (FLAGS.run_once or FLAGS.checkpoint):
    raise ValueError("--choose_thresholds is for one checkpoint: add --run_once, or name "
                     "it with --checkpoint.")
  experiment.TRAIN_DIR.refuse_links(FLAGS.train_dir)
  hparams = model_flags.hparams_given()
  trained = experiment.Experiment.load(FLAGS.train_dir)
  starter_flags.check(trained, FLAGS.train_dir)
  config = trained.with_hparams(hparams)
  names = experiment.names_of_classes(
      FLAGS.train_dir, config.num_classes, FLAGS.vocabulary)
  thresholds = thresholding.Thresholding.of_flags(
      FLAGS.thresholds, FLAGS.choose_thresholds, FLAGS.threshold_min_positives,
      config.num_classes, streaming.chosen_top_k(FLAGS.top_k, config.num_classes))
  model = config.build_model()
  reader = readers.make_reader(
      config.feature_spec.with_segment_labels(FLAGS.segment_labels),
      config.num_classes, config.max_frames, of_model=True)
  context = strategies.input_context(strategy)
  files = paths.match(FLAGS.eval_data_pattern, "--eval_data_pattern")
  missing_features.check(files, reader.expected, reader.explain, "--eval_data_pattern")
  num_examples = records.estimate_count(files)
  if num_examples:
    num_examples //= context.num_input_pipelines
  loss = config.flags.get("label_loss", "CrossEntropyLoss")
  data = results.Data.of_files(
      FLAGS.eval_data_pattern, files, hparams, reader.spec.has_segments)
  # Traced once, whatever the number of checkpoints.
  predict = by_length.evaluation_function(model, FLAGS.batch_size)
  for path in _same_on_all_workers(strategy):
    checkpoints.restore_weights(model, path)
    dataset = reader.dataset(
        FLAGS.eval_data_pattern, FLAGS.batch_size, num_readers=FLAGS.num_readers,
        skip_corrupt_records=FLAGS.skip_corrupt_records,
        skip_bad_records=FLAGS.skip_bad_records, input_pipeline=context)
    with records.clear_errors(reader.explain, files):
      metrics = evaluation.evaluate(
          predict, model.num_classes, dataset, FLAGS.top_k,
          losses.from_name(loss),
          num_examples=num_examples)
    reader.incidents.log_summary(reader.incidents.counts)
    metrics = _of_all_workers(strategy, metrics)
    evaluation.check_labels(metrics, f"--eval_data_pattern={FLAGS.eval_data_pattern}")
    if not strategies.is_chief(strategy):
      continue
    step = checkpoints.step_of(path)
    values = metrics.get() | metrics.calibration()
    print(evaluation.format_line(step, values), flush=True)
    logging.info("%s", evaluation.format_calibration(values, metrics.top_k))
    result = thresholds and thresholds.apply(
        metrics, data, checkpoint=path)
    for line in result.describe() if result else ():
      logging.info("%s", line)
    logging.info("Wrote %s", results.write(
        FLAGS.train_dir, data, step, model, metrics, values, label_loss=loss,
        at_thresholds=result and result.content()))
    if names:
      for line in class_report.describe(names, metrics, values):
        logging.info("%s", line)
      logging.info("Wrote %s", class_report.write(
          data.folder(FLAGS.train_dir), step, names, metrics, values, result))
    if baseline:
      requirements += baseline.requirements(
          metrics.num_positives, {"top_k": metrics.top_k, "label_loss": loss})
    gate.check(requirements, values)


def _same_on_all_workers(strategy: tf.distribute.Strategy) -> Iterator[str]:
  """Yields the checkpoints to evaluate, which the first worker chooses for all."""
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
