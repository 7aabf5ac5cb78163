# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The note about the best checkpoint: read as written, or refused by its name."""

import json

import pytest

from yt8m.configs import best_checkpoint

BEST = best_checkpoint.Best(176, "gap", 0.64, "validate*")


def test_it_is_read_as_it_was_written(tmp_path):
  assert best_checkpoint.Best.load(tmp_path) is None
  BEST.save(tmp_path)
  assert best_checkpoint.Best.load(tmp_path) == BEST
  assert str(BEST) == "step 176, gap 0.6400 on validate*"
  best_checkpoint.forget(tmp_path)
  best_checkpoint.forget(tmp_path)
  assert best_checkpoint.Best.load(tmp_path) is None


def test_any_pattern_is_kept_and_shown_without_control_characters(tmp_path):
  best = best_checkpoint.Best(5, "gap", 0.5, "検証\u3000データ\x1b[2J*\nERROR: no")
  best.save(tmp_path)
  assert best_checkpoint.Best.load(tmp_path) == best
  assert str(best) == (
      r"step 5, gap 0.5000 on 検証\u3000データ\x1b[2J*\nERROR: no")


@pytest.mark.parametrize("change", [
    {"step": -1}, {"step": "9"}, {"value": "high"}, {"metric": ""},
    {"data": None}, {"format": 2}])
def test_what_is_no_note_is_named(change, tmp_path):
  BEST.save(tmp_path)
  path = tmp_path / "best.json"
  path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
  with pytest.raises(ValueError, match="best.json is not a note of yt8m-train .*Delete"):
    best_checkpoint.Best.load(tmp_path)
