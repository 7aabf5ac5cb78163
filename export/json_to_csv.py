# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-json-to-csv`: converts JSON predictions of a server to a submission CSV.

    yt8m-json-to-csv --json_prediction_files_pattern='prediction.results*' \
        --csv_output_file=predictions.csv

For the format of the files see `json_predictions.py`. Reference: YouTube-8M starter code,
`convert_prediction_from_json_to_csv.py`.
"""

import tensorflow as tf
from absl import flags

from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import finished
from yt8m.core import locks
from yt8m.core import paths
from yt8m.export.submissions import json_predictions

FLAGS = flags.FLAGS

paths.define_pattern("json_prediction_files_pattern", "",
                     "Files of predictions: globs, separated by commas.")
paths.define("csv_output_file", "", "CSV to write.")
flags.DEFINE_bool("overwrite", False, "Replace an existing --csv_output_file.")
command_line.require("json_prediction_files_pattern", "name the files to convert")
command_line.require("csv_output_file", "name the CSV to write")


def main() -> None:
  json_files = paths.match(
      FLAGS.json_prediction_files_pattern, "--json_prediction_files_pattern")
  contents = {"records": [(path, tf.io.gfile.stat(path).length) for path in json_files]}
  with locks.hold_output(FLAGS.csv_output_file, "converts"):
    if not finished.check(FLAGS.csv_output_file, contents, FLAGS.overwrite,
                          "--csv_output_file"):
      num_videos = json_predictions.convert(
          json_files, FLAGS.csv_output_file, FLAGS.overwrite, contents)
      print(f"Wrote {num_videos:,} predictions to {FLAGS.csv_output_file}")


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
