# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-json-to-csv` as a user types it."""

from tests.export.submissions import json_predictions_test
from tests.export.submissions.json_predictions_test import VIDEOS
from tests.helpers import support

COMMAND = "yt8m.export.json_to_csv"


def test_files_are_converted_in_their_order(tmp_path):
  for number in (2, 0, 1):
    json_predictions_test.write(tmp_path, f"prediction.results-{number}", VIDEOS[number])
  process = support.run_command(
      COMMAND, f"--json_prediction_files_pattern={tmp_path}/prediction.results*",
      f"--csv_output_file={tmp_path}/out.csv")
  assert process.stdout == f"Wrote 3 predictions to {tmp_path}/out.csv\n"
  assert (tmp_path / "out.csv").read_text().splitlines() == json_predictions_test.LINES


def test_a_missing_flag_is_named(tmp_path):
  process = support.run_command(
      COMMAND, f"--json_prediction_files_pattern={tmp_path}/*", check=False)
  assert process.returncode == 1
  assert "ERROR: --csv_output_file is missing: name the CSV to write." in process.stderr
