# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The command reads the output of segment-level inference, and names errors in it."""

import pathlib
import subprocess
import sys

from tests.helpers.support import GOLDENS
from tests.helpers.support import load_golden
from tests.helpers.support import needs_goldens

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*arguments):
  return subprocess.run([sys.executable, "-m", "yt8m.eval.segments", *arguments],
                        cwd=ROOT, capture_output=True, text=True, check=False)


@needs_goldens
def test_records_and_submission_give_the_starter_codes_map(tmp_path):
  golden, _ = load_golden("e2e")
  (tmp_path / "out.csv").write_bytes(golden["csv/out_seg"].tobytes())
  result = run(f"--eval_data_pattern={GOLDENS}/e2e_seg*.tfrecord",
               f"--submission_file={tmp_path}/out.csv", "--top_n=10",
               f"--label_cache={tmp_path}/labels")
  assert result.returncode == 0, result.stderr
  assert result.stdout.startswith(
      f"Num classes: 71 | mAP@10: {golden['segeval/top_n10/map']:.6f} | ")
  assert (tmp_path / "labels").exists()


def test_a_missing_submission_is_an_error():
  result = run("--eval_data_pattern=records", "--submission_file=no.csv")
  assert result.returncode != 0
  assert "--submission_file=no.csv does not exist" in result.stderr
  assert "Traceback" not in result.stderr
