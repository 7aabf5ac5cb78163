# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from yt8m.eval.blending import score_cache
from yt8m.eval.blending.score_cache import ScoreCache

NAMES = ["b", "a", "c"]


def test_a_score_is_computed_once_whatever_the_order(tmp_path):
  path = tmp_path / "scores.json"
  calls = []
  with ScoreCache(NAMES, path, "x") as scores:
    for subset in ((0, 1), (1, 0), (2,), (0, 1)):
      scores.get(subset, lambda s: calls.append(s) or 1 / 3 + len(s))
  assert calls == [(0, 1), (2,)]
  with ScoreCache(["c", "a", "b"], path, "x") as scores:  # another order of candidates
    assert scores.get((1, 2), None) == 1 / 3 + 2
    assert scores.get((0,), None) == 1 / 3 + 1


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  with ScoreCache(NAMES) as scores:
    assert scores.get((0,), lambda _: 0.5) == scores.get((0,), None)
  assert not list(tmp_path.iterdir())


def test_saved_now_and_then_and_at_the_end(tmp_path, monkeypatch):
  path = tmp_path / "scores.json"
  scores = ScoreCache(NAMES, path)
  scores.get((0,), lambda _: 0.5)
  assert not path.exists()
  monkeypatch.setattr(score_cache, "_SAVE_SECONDS", -1)
  scores.get((1,), lambda _: 0.5)
  assert len(json.loads(path.read_text())["gaps"]) == 2
  path.unlink()
  scores.save()  # nothing new
  assert not path.exists()


def test_scores_survive_an_error(tmp_path):
  path = tmp_path / "scores.json"
  with pytest.raises(ValueError, match="a, b has the GAP NaN"):
    with ScoreCache(NAMES, path) as scores:
      scores.get((2,), lambda _: 0.25)
      scores.get((0, 1), lambda _: float("nan"))
  with ScoreCache(NAMES, path) as scores:
    assert scores.get((2,), None) == 0.25


def test_file_of_another_search(tmp_path):
  path = tmp_path / "scores.json"
  with ScoreCache(NAMES, path, "one") as scores:
    scores.get((0,), lambda _: 0.5)
  before = path.read_text()
  with pytest.raises(ValueError, match=r"scores.json .* \(one, not two\): give another"):
    ScoreCache(NAMES, path, "two")
  assert path.read_text() == before


@pytest.mark.parametrize("text", [
    "", "{", "[]", "3", '{"format": 2, "fingerprint": "", "gaps": []}',
    '{"format": 1, "gaps": []}', '{"format": 1, "fingerprint": "", "gaps": [3]}',
    '{"format": 1, "fingerprint": "", "gaps": [[["a"], "x"]]}'])
def test_file_that_holds_no_scores(tmp_path, text):
  path = tmp_path / "scores.json"
  path.write_text(text)
  with pytest.raises(ValueError, match="scores.json is not a file of .* Delete it"):
    ScoreCache(NAMES, path)
