# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from yt8m.eval.blending import score_cache
from yt8m.eval.blending.score_cache import ScoreCache

NAMES = ["b", "a", "c"]


def step(*models, way="counts"):
  """The step that adds the last of some models to the others, of equal weights."""
  return way, models[:-1], (1.0,) * (len(models) - 1), models[-1]


def result(gap):
  return (1 / 3, 2 / 3), gap


def test_a_step_is_computed_once(tmp_path):
  path = tmp_path / "scores.json"
  calls = []
  refined = "learned", (0, 1), (0.25, 0.75), None
  steps = (step(0, 1), step(2), step(0, 1), step(2, way="learned"), refined, refined)
  with ScoreCache(NAMES, path, "x") as scores:
    for known in steps:
      scores.get(known, lambda known=known: calls.append(known) or result(len(calls) / 3))
  assert calls == [step(0, 1), step(2), step(2, way="learned"), refined]
  with ScoreCache(["c", "a", "b"], path, "x") as scores:  # another order of candidates
    assert scores.get(step(2, 1), None) == result(1 / 3)
    assert scores.get(step(0), None) == result(2 / 3)
    assert scores.get(("learned", (2, 1), (0.25, 0.75), None), None) == result(4 / 3)


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  with ScoreCache(NAMES) as scores:
    assert scores.get(step(0), lambda: result(0.5)) == scores.get(step(0), None)
  assert not list(tmp_path.iterdir())


def test_saved_now_and_then_and_at_the_end(tmp_path, monkeypatch):
  path = tmp_path / "scores.json"
  scores = ScoreCache(NAMES, path)
  scores.get(step(0), lambda: result(0.5))
  assert not path.exists()
  monkeypatch.setattr(score_cache, "_SAVE_SECONDS", -1)
  scores.get(step(1), lambda: result(0.5))
  assert len(json.loads(path.read_text())["steps"]) == 2
  path.unlink()
  scores.save()  # nothing new
  assert not path.exists()


def test_scores_survive_an_error(tmp_path):
  path = tmp_path / "scores.json"
  with pytest.raises(ValueError, match="b, a has the GAP NaN"):
    with ScoreCache(NAMES, path) as scores:
      scores.get(step(2), lambda: result(0.25))
      scores.get(step(0, 1), lambda: result(float("nan")))
  with ScoreCache(NAMES, path) as scores:
    assert scores.get(step(2), None) == result(0.25)


def test_scores_of_an_earlier_version_are_not_used(tmp_path):
  path = tmp_path / "scores.json"
  path.write_text('{"format": 1, "fingerprint": "x", "gaps": [[["a"], 0.5]]}')
  with ScoreCache(NAMES, path, "x") as scores:
    assert scores.get(step(1), lambda: result(0.25)) == result(0.25)
  assert json.loads(path.read_text())["format"] == 2
  path.write_text('{"format": 1, "fingerprint": "x", "gaps": []}')
  with pytest.raises(ValueError, match="scores of another search"):
    ScoreCache(NAMES, path, "y")


def test_file_of_another_search(tmp_path):
  path = tmp_path / "scores.json"
  with ScoreCache(NAMES, path, "one") as scores:
    scores.get(step(0), lambda: result(0.5))
  before = path.read_text()
  with pytest.raises(ValueError, match=r"scores.json .* \(one, not two\): give another"):
    ScoreCache(NAMES, path, "two")
  assert path.read_text() == before


@pytest.mark.parametrize("text", [
    "", "{", "[]", "3", '{"format": 3, "fingerprint": "", "steps": []}',
    '{"format": 2, "steps": []}', '{"format": 2, "fingerprint": "", "steps": [3]}',
    '{"format": 2, "fingerprint": "", "steps": [[["x", ["a"], []], [[1.0], "x"]]]}'])
def test_file_that_holds_no_scores(tmp_path, text):
  path = tmp_path / "scores.json"
  path.write_text(text)
  with pytest.raises(ValueError, match="scores.json is not a file of .* Delete it"):
    ScoreCache(NAMES, path)
