# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The origin of a checkpoint, from its training directory."""

import json
import os

import pytest
import tensorflow as tf

from yt8m.export.saved_models.origin import Origin


@pytest.fixture
def train_dir(tmp_path):
  """Empty checkpoints of steps 3 and 7."""
  tf.__internal__.train.update_checkpoint_state(
      str(tmp_path), str(tmp_path / "model.ckpt-7"),
      all_model_checkpoint_paths=[str(tmp_path / f"model.ckpt-{n}") for n in (3, 7)],
      all_model_checkpoint_timestamps=[0.0, 86400.0 * 365 + 3600],
      save_relative_paths=True)
  (tmp_path / "eval").mkdir()
  return tmp_path


def evaluate(train_dir, step):
  path = train_dir / "eval" / f"metrics-{step}.json"
  path.write_text(json.dumps({"step": step, "gap": step / 10}))


def of(train_dir, step):
  return Origin.of_checkpoint(str(train_dir), str(train_dir / f"model.ckpt-{step}"))


def test_the_date_is_that_of_the_checkpoint_wherever_it_was_copied(train_dir, tmp_path):
  assert of(train_dir, 7) == Origin(7, "1971-01-01 01:00 UTC")
  assert of(train_dir, 3) == Origin(3, "1970-01-01 00:00 UTC")
  moved = train_dir.rename(tmp_path.parent / (tmp_path.name + "-moved"))
  assert of(moved, 3).date == "1970-01-01 00:00 UTC"
  assert of(moved, 5) == Origin(5)
  (moved / "checkpoint").unlink()
  assert of(moved, 7) == Origin(7)


def test_its_own_evaluation_comes_before_the_newest(train_dir):
  for step in (3, 12):
    evaluate(train_dir, step)
  assert of(train_dir, 3).evaluation == {"step": 3, "gap": 0.3}
  assert of(train_dir, 7).evaluation == {"step": 12, "gap": 1.2}


@pytest.mark.parametrize("text", [
    "{", "[]", '{"gap": 0.5}', '{"step": 7, "ece": "high"}'])
def test_what_is_no_evaluation_is_named(text, train_dir):
  (train_dir / "eval" / "metrics-7.json").write_text(text)
  with pytest.raises(ValueError, match="metrics-7.json is not an evaluation that"):
    of(train_dir, 7)


@pytest.mark.parametrize("time", [1e300, -1e18])
def test_a_time_that_no_date_has_is_left_out(train_dir, time):
  path = train_dir / "checkpoint"
  path.write_text(path.read_text().replace("31539600", f"{time}"))
  assert f"{time}" in path.read_text() and of(train_dir, 7).date is None


def test_a_pipe_is_not_waited_for(train_dir):
  (train_dir / "checkpoint").unlink()
  os.mkfifo(train_dir / "checkpoint")
  assert of(train_dir, 7) == Origin(7)
