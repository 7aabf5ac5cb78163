# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Thresholds survive their file, decide as they say, and a wrong file is named."""

import json

import numpy as np
import pytest

from yt8m.artifacts import thresholds

CONTENT = {"format": 1, "target": "f1", "num_classes": 3, "top_k": 2,
           "thresholds": [0.1, None, 1]}


def of(values=(0.1, np.inf, 1.0), top_k=2, **chosen):
  return thresholds.Thresholds(np.float32(values), top_k, "f1", chosen)


def test_a_round_trip(tmp_path):
  values = np.append(np.random.default_rng(0).random(50, np.float32), np.float32(np.inf))
  before = of(values, 20, step=7, hparams=None, data="v*", num_examples=3,
              global_threshold=None, achieved={"micro_f1": 0.5})
  before.write(tmp_path / "t.json")
  after = thresholds.Thresholds.load(tmp_path / "t.json", 51)
  assert after.values.tobytes() == before.values.tobytes()
  assert (after.top_k, after.target, after.chosen) == (20, "f1", before.chosen)
  assert after.digest == before.digest
  assert {of(top_k=1).digest, of([0.2, 1, 1]).digest, of().digest} == {
      of(top_k=1).digest, of([0.2, 1, 1]).digest, of().digest}
  assert of(top_k=1).digest != of().digest != of([0.2, 1, 1]).digest


def test_decisions():
  classes = np.array([[0, 1, 2], [2, 0, 1], [2, 1, 0]])
  scores = np.float32([[0.1, 0.9, 1], [1, 0.0999, 0], [0.99, 0.5, 0.5]])
  assert of().decide(classes, scores).tolist() == [
      [True, False, False], [True, False, False], [False, False, False]]
  assert of(top_k=3).decide(classes, scores).tolist() == [
      [True, False, True], [True, False, False], [False, False, True]]


@pytest.mark.parametrize("change, error", [
    ({"thresholds": [0.1, None]}, "it has 2 thresholds, but num_classes 3"),
    ({"thresholds": [0.1, None, 1.1]}, "thresholds is .*numbers from 0 to 1, or null"),
    ({"thresholds": [0.1, None, -0.1]}, "numbers from 0 to 1"),
    ({"thresholds": [0.1, None, float("nan")]}, "numbers from 0 to 1"),
    ({"thresholds": [0.1, None, float("inf")]}, "numbers from 0 to 1"),
    ({"thresholds": [0.1, None, "0"]}, "numbers from 0 to 1"),
    ({"thresholds": [0.1, None, True]}, "numbers from 0 to 1"),
    ({"thresholds": 0.1}, "numbers from 0 to 1"), ({"format": 2}, "format is 2"),
    ({"top_k": 4}, "its top_k is 4 of 3 classes"), ({"top_k": 0}, "top_k is 0"),
    ({"target": None}, "target is None"), ({"target": "f1\x1b[2J"}, "a printable text"),
    ({"target": "f1\nERROR: x"}, "a printable text"),
    ({"target": "x" * 101}, "up to 100"), ({"step": -1}, "step is -1"),
    ({"num_classes": 4, "thresholds": [0.5] * 4}, "it is for 4 classes"),
    ({"achieved": {"micro_f1": "high"}}, "achieved is")])
def test_what_is_no_file_of_thresholds(change, error, tmp_path):
  path = tmp_path / "t.json"
  path.write_text(json.dumps(CONTENT | change))
  with pytest.raises(ValueError, match=rf"t.json is not a file of thresholds of 3 "
                     rf"classes .*{error}.*with yt8m-eval --choose_thresholds"):
    thresholds.Thresholds.load(path, 3)
  path.write_text(json.dumps(CONTENT))
  assert thresholds.Thresholds.load(path, 3).values.tolist() == of().values.tolist()


def test_thresholds_of_another_model_are_refused():
  def checkpoint(step=5, hparams=None, digest="ab"):
    return {"step": step, "hparams": hparams, "checkpoint_digest": digest}

  blend = {"model_digest": "ef"}
  for model in (checkpoint(), blend):
    of().check_model("--thresholds=t", model)  # Written by hand.
    of(**model).check_model("--thresholds=t", model)
  mine = of(**checkpoint())
  with pytest.raises(ValueError, match="--thresholds=t was chosen for step 5, but this "
                     "model has 6.*--checkpoint=6"):
    mine.check_model("--thresholds=t", checkpoint(6))
  with pytest.raises(ValueError, match="for hparams None.*the same --hparams"):
    mine.check_model("--thresholds=t", checkpoint(hparams="{}"))
  with pytest.raises(ValueError, match="for checkpoint_digest 'ab', but this model has"):
    mine.check_model("--thresholds=t", checkpoint(digest="cd"))
  for limits, other in ((mine, blend), (of(**blend), checkpoint()),
                        (of(**blend), {"model_digest": "fe"})):
    with pytest.raises(ValueError, match="t was chosen for another model.*--saved_model"):
      limits.check_model("--thresholds=t", other)
