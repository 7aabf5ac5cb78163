# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-eval`: evaluates a trained model on records.

    yt8m-eval --train_dir=model --eval_data_pattern='validate*.tfrecord' --run_once

Without `--run_once`, it watches the directory and evaluates every new checkpoint.
"""

from collections.abc import Iterable

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.configs import model_flags
from yt8m.core import command
from yt8m.data import readers
from yt8m.data import records
from yt8m.eval.metrics import evaluation

FLAGS = flags.FLAGS

flags.DEFINE_string("train_dir", None, "Directory that yt8m-train wrote; required.")
flags.DEFINE_string(
    "eval_data_pattern", "", "Records to evaluate on: globs, separated by commas.")
flags.DEFINE_bool("segment_labels", None,
                  "Whether the records hold rated segments; default: as in training.")
flags.DEFINE_integer("batch_size", 1024, "Number of examples per batch.")
flags.DEFINE_integer("num_readers", 8, "Number of files to read at the same time.")
flags.DEFINE_bool("skip_corrupt_records", False,
                  "Count damaged records and continue, instead of stopping.")
flags.DEFINE_integer("top_k", 20, "Number of predictions per video in GAP and MAP.")
flags.DEFINE_bool("run_once", False, "Evaluate the newest checkpoint and stop.")
flags.DEFINE_float("eval_interval_secs", 30,
                   "Seconds between two checks for a new checkpoint.")
flags.DEFINE_float("eval_timeout_secs", None,
                   "Stop after this many seconds without a new checkpoint.")
model_flags.define_hparams()
flags.mark_flag_as_required("train_dir")


def main() -> None:
  config = experiment.Experiment.load(FLAGS.train_dir).with_hparams(FLAGS.hparams)
  model = config.build_model()
  reader = readers.make_reader(
      config.feature_spec.with_segment_labels(FLAGS.segment_labels),
      config.num_classes, config.max_frames)
  num_examples = records.estimate_count(
      records.match_files(FLAGS.eval_data_pattern, "--eval_data_pattern"))
  for path in _checkpoints():
    checkpoints.restore_weights(model, path)
    dataset = reader.dataset(
        FLAGS.eval_data_pattern, FLAGS.batch_size, num_readers=FLAGS.num_readers,
        skip_corrupt_records=FLAGS.skip_corrupt_records)
    with records.clear_errors():
      metrics = evaluation.evaluate(
          model, dataset, FLAGS.top_k,
          config.flags.get("label_loss", "CrossEntropyLoss"), num_examples=num_examples)
    step = checkpoints.step_of(path)
    values = metrics.get()
    print(evaluation.format_line(step, values), flush=True)
    logging.info("Wrote %s", evaluation.write_results(
        FLAGS.train_dir, step, model, metrics, values, hparams=FLAGS.hparams,
        data=FLAGS.eval_data_pattern))


def _checkpoints() -> Iterable[str]:
  if FLAGS.run_once:
    path = checkpoints.latest(FLAGS.train_dir)
    experiment.warn_if_unfinished(FLAGS.train_dir, path)
    return [path]
  return tf.train.checkpoints_iterator(
      FLAGS.train_dir, FLAGS.eval_interval_secs, FLAGS.eval_timeout_secs)


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
