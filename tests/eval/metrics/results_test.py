# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Results on disk: one folder for each set of records, and a history."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.eval.metrics import results
from yt8m.eval.metrics import streaming


def measured(seed=0):
  rng = np.random.default_rng(seed)
  metrics = streaming.EvaluationMetrics(6, 3)
  metrics.accumulate(rng.random((9, 6)), rng.random((9, 6)) > 0.6, np.ones(9))
  return metrics


def write(tmp_path, step=12, seed=0, data=None):
  model = models.VideoModel(6, descriptors.SPECS["video"]).build_variables()
  metrics = measured(seed)
  path = results.write(
      str(tmp_path), data or results.Data("validate*.tfrecord", "01ab"), step, model,
      metrics, metrics.get() | metrics.calibration())
  with open(path) as file:
    return path, json.load(file), metrics, model


def test_the_file_of_a_step(tmp_path):
  path, content, metrics, model = write(tmp_path)
  assert content["step"] == 12 and content["gap"] == metrics.get()["gap"]
  assert content["data"] == "validate*.tfrecord" and content["data_digest"] == "01ab"
  assert content["num_parameters"] == sum(
      variable.numpy().size for variable in model.trainable_variables)
  folder = tmp_path / "eval" / path.split("/")[-2]
  [events] = [p for p in folder.iterdir() if "tfevents" in p.name]
  tags = {v.tag for e in tf.compat.v1.train.summary_iterator(str(events))
          for v in e.summary.value}
  assert {"gap", "avg_loss", "avg_hit_at_one", "ece"} <= tags


def test_the_history_has_a_line_for_each_step(tmp_path):
  for step, seed in ((20, 0), (10, 1), (20, 2)):
    path, content, *_ = write(tmp_path, step, seed)
  folder = path.rsplit("/", 1)[0]
  lines = results.history(folder)
  assert [line["step"] for line in lines] == [10, 20]
  assert lines[1]["gap"] == content["gap"] != lines[0]["gap"]
  assert "average_precision" not in lines[0]
  with open(f"{folder}/{results.HISTORY}", "a") as file:
    file.write('{"gap": 1}\n')
  with pytest.raises(ValueError, match="metrics.jsonl is not the history .*delete it"):
    results.history(folder)


def test_other_records_or_hyperparameters_have_a_folder_of_their_own(tmp_path):
  pattern = "records/test*.tfrecord"
  data = [results.Data(pattern, "01ab"), results.Data(pattern, "02ab"),
          results.Data(pattern, "01ab", '{"classifier": {"num_steps": 2}}'),
          results.Data(pattern, "01ab", segments=True)]
  for one in data:
    write(tmp_path, 5, data=one)
  found = results.find(str(tmp_path))
  assert len(found) == 4 and all(name.startswith("test-") for name in found)
  assert {path.rsplit("/", 1)[1] for paths in found.values() for path in paths} == {
      "metrics-5.json"}


@pytest.mark.parametrize(("pattern", "name"), [
    ("a/validate*.tfrecord,b/*", "validate"), ("heldout/*.tfrecord", "heldout"),
    ("@part0.txt", "part0.txt"), ("*", "data"), ("../x?/*", "x")])
def test_a_folder_is_named_after_the_pattern(pattern, name):
  found = results.Data(pattern, "01ab").name
  assert found.rpartition("-")[0] == name and len(found) == len(name) + 9


def test_records_are_told_apart_by_their_content(tmp_path):
  for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
    (tmp_path / name).write_text(text)
  one, copy, other = (results.digest([str(tmp_path / name)]) for name in "abc")
  assert one == copy != other
