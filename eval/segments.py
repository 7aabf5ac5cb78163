# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-segment-eval`: evaluates the CSV of `yt8m-inference --segment_labels`.

    yt8m-segment-eval --eval_data_pattern='validate*.tfrecord' \
      --label_cache=labels.csv --submission_file=segments.csv
"""

from absl import flags
from absl import logging

from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import paths
from yt8m.eval.metrics import segment_labels
from yt8m.eval.metrics import segments
from yt8m.export.submissions import segments as segment_submission

paths.define_pattern(
    "eval_data_pattern", "",
    "Records with rated segments: globs, separated by commas.", is_checked=False)
paths.define(
    "label_cache", None,
    "File to keep the ratings in, with lines id:start,class,score. If it exists, it is "
    "read instead of the records. Default: no cache.")
paths.define("submission_file", "", "CSV to evaluate.",
             must_exist="name the CSV to evaluate")
flags.DEFINE_integer(
    "top_n", 0, "Number of segments of each class to use, best first; 0: all.",
    lower_bound=0)
flags.DEFINE_bool("skip_corrupt_records", False,
                  "Count damaged records and continue, instead of stopping.")
flags.DEFINE_bool("skip_bad_records", False, "Count records that can be read but not "
                  "used, such as those of wrong types or with NaN, and go on without "
                  "each of them. --skip_corrupt_records is for damaged files instead.")
command_line.require(
    "eval_data_pattern", "name the records with rated segments", unless=("label_cache",))
command_line.require("submission_file", "name the CSV to evaluate")

FLAGS = flags.FLAGS


def main() -> None:
  rated_segments = segment_labels.load_rated_segments(
      FLAGS.eval_data_pattern, FLAGS.label_cache, FLAGS.skip_corrupt_records,
      FLAGS.skip_bad_records)
  submission = segment_submission.read_segment_submission(FLAGS.submission_file)
  result = segments.evaluate(submission, rated_segments, FLAGS.top_n)
  if not result.num_found:
    logging.warning(
        "None of the %d rated segments is in %s. Do the two belong together?",
        result.num_rated, FLAGS.submission_file)
  print(
      f"Num classes: {len(result.aps)} | "
      f"mAP{f'@{FLAGS.top_n}' if FLAGS.top_n else ''}: {result.map:.6f} | "
      f"classes without positives: {result.num_without_positives} | "
      f"positive classes not submitted: {len(result.missing_classes)} | "
      f"rated segments found: {result.num_found} of {result.num_rated}")


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
