# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-label-sets`: collects the label sets of records, without their features.

    yt8m-label-sets --input_data_pattern='train*.tfrecord' --output_file=label_sets.npz

`yt8m-train --label_sets=label_sets.npz` lets classifiers start from them. The file may
hold more videos than are trained on; `--label_sets_exclude` leaves out those of the
evaluation. It is a .npz with the labels of all videos one after another (`flat`), the
number of labels of each video (`lens`), and their ids (`ids`). A rated segment has the
id of its video.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from absl import flags

from yt8m.configs import data_flag
from yt8m.configs import model_flags
from yt8m.core import checksum
from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.core import finished
from yt8m.core import locks
from yt8m.core import paths
from yt8m.core import progress
from yt8m.data import dataset
from yt8m.data import label_reader
from yt8m.data import label_sets
from yt8m.data import reader_base
from yt8m.data import readers
from yt8m.data import records

FLAGS = flags.FLAGS
_PROGRESS_SECS = 10.0
_NUM_SETS = (100, 1000, 5000)  # sizes of `label_powerset` in the summary

data_flag.define({"input_data_pattern": dataset.TRAIN}, describes=True)
paths.define_pattern(
    "input_data_pattern", "", "Records to read: globs, separated by commas.")
flags.DEFINE_integer(
    "num_classes", 3862, "Number of classes; labels are 0 … num_classes − 1.",
    lower_bound=1)
flags.DEFINE_bool("frame_features", False, "Whether the records hold frames.")
flags.DEFINE_bool("segment_labels", False,
                  "Collect the labels of rated segments instead of whole videos.")
flags.DEFINE_string("feature_names", "rgb", "Names of the features of a record. Only "
                    "--segment_labels reads features, for the lengths of the videos.")
flags.DEFINE_string("feature_sizes", "1024", "Sizes of the features, in the same order.")
feature_spec.define_record_flags()
paths.define("output_file", None, "Path of the .npz to write; required.")
flags.DEFINE_bool("overwrite", False, "Replace an existing --output_file.")
flags.DEFINE_integer("max_examples", None, "Number of records to read at most, spread "
                     "over the files. Default: all.", lower_bound=1)
flags.DEFINE_bool("skip_corrupt_records", False, "Count damaged records and continue, "
                  "instead of stopping.")
flags.DEFINE_bool("skip_bad_records", False, "Count records that can be read but not "
                  "used, such as those of wrong types or with NaN, and go on without "
                  "each of them. --skip_corrupt_records is for damaged files instead.")
command_line.require(
    "input_data_pattern", "name the records to read", unless=("data",))
command_line.require("output_file", "name the .npz to write")


@model_flags.typed_code_allowed("reader")
def main() -> None:
  data_flag.apply()
  spec = feature_spec.FeatureSpec.from_flags(
      FLAGS.feature_names, FLAGS.feature_sizes, FLAGS.frame_features,
      FLAGS.segment_labels, FLAGS.feature_dtypes, FLAGS.reader)
  reader = readers.make_reader(spec, FLAGS.num_classes)
  record_files = paths.match(FLAGS.input_data_pattern, "--input_data_pattern")
  contents = {
      "num_classes": FLAGS.num_classes, **spec.to_config(),
      "max_examples": FLAGS.max_examples,
      "skip_corrupt_records": FLAGS.skip_corrupt_records,
      "records": [(path, checksum.of_ends(path)) for path in record_files]}
  with locks.hold_output(FLAGS.output_file, "collects"):
    if not finished.check(FLAGS.output_file, contents, FLAGS.overwrite):
      _collect(reader, record_files, contents)
  print(summary(label_sets.LabelSets.load(FLAGS.output_file, FLAGS.num_classes)))


def _collect(reader: reader_base.Reader, record_files: Sequence[str],
             contents: Mapping[str, Any]) -> None:
  # The output is opened first, so that an error of it comes before the long pass.
  with files.atomic_write(FLAGS.output_file, "wb", finished.marker(
      FLAGS.output_file, contents)) as file:
    with _progress(record_files) as report:
      sets = label_reader.collect_label_sets(
          reader, record_files, FLAGS.max_examples, FLAGS.skip_corrupt_records,
          lambda done: report(done, f"{done} label sets", label_sets=done),
          skip_bad_records=FLAGS.skip_bad_records)
    reader.incidents.log_summary(reader.incidents.counts)
    if not len(sets):
      raise ValueError("There are no label sets in --input_data_pattern="
                       f"{FLAGS.input_data_pattern}.")
    sets.save(file)


def _progress(record_files: Sequence[str]) -> progress.Periodic:
  """Returns the progress of the number of label sets."""
  total = None  # The number of segments in a record is not known.
  if not FLAGS.segment_labels:
    total = records.estimate_count(record_files)
    if total and FLAGS.max_examples:
      total = min(total, FLAGS.max_examples)
  return progress.Periodic(_PROGRESS_SECS, total, "label sets")


def summary(sets: label_sets.LabelSets) -> str:
  """Returns the number of sets, and the share that the most frequent ones cover."""
  _, counts = sets.most_frequent(len(sets))
  shares = ", ".join(f"{size:,}: {counts[:size].sum() / len(sets):.1%}"
                     for size in _NUM_SETS)
  return (f"{len(sets):,} label sets of {sets.sizes.mean():.2f} labels on average, "
          f"{len(counts):,} of them different.\n"
          f"Share that the most frequent sets cover: {shares}.")


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
