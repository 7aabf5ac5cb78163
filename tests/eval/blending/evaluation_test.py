# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import json
import types

import numpy as np
import pytest

from yt8m.eval.blending import averaging
from yt8m.eval.blending import evaluation
from yt8m.eval.blending.gap import gap


@pytest.fixture(name="aligned")
def _aligned():
  """Predictions of a good, a bad and another good model for 80 videos."""
  rng = np.random.default_rng(0)
  hits = rng.random((80, 24)) < 0.1
  noise = np.reshape([0.5, 4.0, 0.5], (3, 1, 1)) * rng.random((3, 80, 24))
  return types.SimpleNamespace(
      names=["a", "b", "c"], hits=hits, num_labels=hits.sum(axis=1) + 1,
      num_positives=int(hits.sum()) + 80, classes=np.tile(np.arange(24), (80, 1)),
      scores=((hits + noise) / 5).astype(np.float32))


def test_blends_are_compared_with_the_first(aligned):
  blends = [evaluation.Blend("b alone", ("b",)),
            evaluation.Blend("b again", ("a", "b"), np.array([0.0, 1.0])),
            evaluation.Blend("a and c", ("a", "c"))]
  bad, same, good = evaluation.compare(blends, aligned, aligned.scores)
  assert bad.gap == gap(aligned.scores[1], aligned.hits, aligned.num_positives)
  assert good.gap == gap(averaging.blend(aligned.scores[[0, 2]], [0.5, 0.5]),
                         aligned.hits, aligned.num_positives)
  assert (bad.difference, bad.error) == (same.difference, same.error) == (0, 0)
  assert good.difference == pytest.approx(good.gap - bad.gap)
  assert 0 < good.error < good.difference / 4


def test_standard_error_is_that_of_the_videos(aligned):
  """With four times as many videos, drawn from the same ones, it is half as large."""
  blends = [evaluation.Blend(name, (name,)) for name in "ba"]
  _, few = evaluation.compare(blends, aligned, aligned.scores)
  repeated = types.SimpleNamespace(
      names=aligned.names, hits=np.tile(aligned.hits, (4, 1)),
      num_labels=np.tile(aligned.num_labels, 4),
      num_positives=4 * aligned.num_positives, classes=np.tile(aligned.classes, (4, 1)))
  _, many = evaluation.compare(blends, repeated, np.tile(aligned.scores, (1, 4, 1)))
  assert many.error == pytest.approx(few.error / 2, rel=0.2)


def test_a_member_that_is_no_candidate_is_named(tmp_path):
  def write(*names):
    members = [{"name": "a", "saved_model": "a", "bytes": 1, "weight": 1.0}]
    candidates = [{"name": name, "saved_model": name, "bytes": 1, "gap": 0.5}
                  for name in names]
    path.write_text(json.dumps({"format": 1, "members": members,
                                "search": {"candidates": candidates}}))

  path = tmp_path / "ensemble.json"
  write("b")
  with pytest.raises(ValueError, match="ensemble.json: its members a are not among the "
                     "candidates of its search. Search again."):
    evaluation.Evaluation(path)
  write("b", "a")
  assert [model.name for model in evaluation.Evaluation(path).models] == ["a", "b"]
