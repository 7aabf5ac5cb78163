# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The complete job of the starter code, compared with the starter code's own output.

The model of `goldens/e2e.npz` is put into a training directory of ours. Our commands then
evaluate it and write the video CSV and the segment CSV.
"""

import json
import re

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.models.layers import variables

pytestmark = support.needs_goldens

NUM_CLASSES = 3862


@pytest.fixture(scope="module")
def train_dir(tmp_path_factory):
  directory = tmp_path_factory.mktemp("golden")
  golden, _ = support.load_golden("e2e")
  spec = feature_spec.FeatureSpec(("rgb", "audio"), (16, 8), "frame")
  model = models.VideoModel(NUM_CLASSES, spec, aggregation="mean").build_variables()
  model.classifier.logits.set_weights([
      golden[f"var/tower/fully_connected/{name}"] for name in ("weights", "biases")])
  experiment.Experiment(model.get_config(), 300, {}).save(str(directory))
  checkpoint = tf.train.Checkpoint(**variables.checkpoint_parts(model))
  tf.train.CheckpointManager(
      checkpoint, str(directory), max_to_keep=1,
      checkpoint_name=checkpoints.PREFIX).save(checkpoint_number=7)
  return directory


@pytest.mark.parametrize("records, golden_key, flags", [
    ("e2e_frame", "eval_video_json", ()),
    ("e2e_seg", "eval_segment_json", ("--segment_labels",)),
])
def test_evaluation(train_dir, records, golden_key, flags):
  golden, _ = support.load_golden("e2e")
  expected = json.loads(str(golden[golden_key]))
  support.run_command(
      "yt8m.eval.evaluate", f"--train_dir={train_dir}", "--run_once",
      f"--eval_data_pattern={support.GOLDENS}/{records}*.tfrecord", *flags)
  found = json.loads(support.evaluated(train_dir, "metrics-7.json").read_text())
  assert found["num_examples"] == expected["num_examples"]
  for name in ("avg_hit_at_one", "avg_perr", "gap"):
    assert found[name] == pytest.approx(expected[name], abs=1e-6), name
  np.testing.assert_allclose(
      list(found["average_precision"].values()), expected["aps"], atol=1e-6)
  if not flags:
    # Label weights never reach the loss of the reference; ours counts rated classes only.
    assert found["avg_loss"] == pytest.approx(expected["avg_loss"], rel=1e-5)


def test_video_submission(train_dir, tmp_path):
  csv = tmp_path / "video.csv"
  support.run_command(
      "yt8m.export.inference", f"--train_dir={train_dir}", f"--output_file={csv}",
      f"--input_data_pattern={support.GOLDENS}/e2e_frame*.tfrecord")
  golden, _ = support.load_golden("e2e")
  reference = tmp_path / "reference.csv"
  reference.write_bytes(golden["csv/out_video"].tobytes())
  expected, found = [support.read_submission(path) for path in (reference, csv)]
  # The reference reads its files in no particular order.
  assert sorted(found) == sorted(expected) and len(found) == 120
  for video, (classes, scores) in expected.items():
    np.testing.assert_array_equal(found[video][0], classes)
    np.testing.assert_allclose(found[video][1], scores, atol=2e-6)


@pytest.mark.parametrize("key, flags", [
    ("csv/out_seg", ()), ("csv/out_seg_cap5", ("--segment_max_pred=5",))])
def test_segment_submission(train_dir, tmp_path, key, flags):
  csv = tmp_path / "segments.csv"
  support.run_command(
      "yt8m.export.inference", f"--train_dir={train_dir}", f"--output_file={csv}",
      f"--input_data_pattern={support.GOLDENS}/e2e_seg*.tfrecord", "--segment_labels",
      f"--segment_label_ids_file={support.DATA}/yt8m/segment_label_ids.csv", *flags)
  golden, _ = support.load_golden("e2e")
  assert csv.read_bytes() == golden[key].tobytes()


def test_segment_evaluation_of_what_inference_wrote(train_dir, tmp_path):
  csv = tmp_path / "segments.csv"
  pattern = f"{support.GOLDENS}/e2e_seg*.tfrecord"
  support.run_command(
      "yt8m.export.inference", f"--train_dir={train_dir}", f"--output_file={csv}",
      f"--input_data_pattern={pattern}", "--segment_labels",
      f"--segment_label_ids_file={support.DATA}/yt8m/segment_label_ids.csv")
  golden, _ = support.load_golden("e2e")
  process = support.run_command(
      "yt8m.eval.segments", f"--eval_data_pattern={pattern}", f"--submission_file={csv}",
      f"--label_cache={tmp_path}/cache.csv", "--top_n=10")
  value = float(re.search(r"mAP@10: (\S+)", process.stdout)[1])
  assert value == pytest.approx(float(golden["segeval/top_n10/map"]), abs=1e-6)
