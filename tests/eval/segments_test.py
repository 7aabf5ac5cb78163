# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The command reads the output of segment-level inference, and names errors in it."""

import numpy as np
import tensorflow as tf

from tests.helpers import support
from tests.helpers.support import GOLDENS
from tests.helpers.support import load_golden
from tests.helpers.support import needs_goldens
from yt8m.data import tfrecords


def run(*arguments):
  return support.run_command("yt8m.eval.segments", *arguments, check=False)


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


def test_bad_records_are_named_or_left_out(tmp_path):
  frames = {"rgb": np.zeros((10, 4), np.uint8)}
  good, uneven, no_id = (
      tfrecords.segment_example(video_id, [], frames, [(0, 1, 1.0)])
      for video_id in ("good", "uneven", ""))
  uneven.context.feature["segment_labels"].int64_list.value.append(2)
  with tf.io.TFRecordWriter(str(tmp_path / "records")) as writer:
    for example in (uneven, good, no_id):
      writer.write(example.SerializeToString())
  (tmp_path / "out.csv").write_text("Class,Segments\n1,good:0\n")
  flags = (f"--eval_data_pattern={tmp_path}/records",
           f"--submission_file={tmp_path}/out.csv")
  result = run(*flags)
  assert result.returncode == 1
  assert (f"ERROR: {tmp_path}/records, record 0 has 1 segment_start_times, 2 "
          "segment_labels and 1 segment_scores: every rating needs one of each. Write the"
          in result.stderr)
  result = run(*flags, "--skip_bad_records")
  assert result.returncode == 0, result.stderr
  assert "mAP: 1.0" in result.stdout and "rated segments found: 1 of 1" in result.stdout
  assert ("In the records that were read: bad records left out, with incomplete ratings: "
          "1, bad records left out, with no id: 1." in result.stderr)
