# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from yt8m.eval.blending import search
from yt8m.eval.blending import tree

pytest.importorskip("matplotlib")
from matplotlib import figure  # noqa: E402
from matplotlib import image  # noqa: E402


class Scores:
  name, refines = "scores", False

  def extend(self, models, weights, added):
    if added in models:  # a repetition
      return tuple(w + (i == added) for i, w in zip(models, weights, strict=True)), 0.05
    return (*weights, 1.0), np.log1p(sum(1 + i % 5 for i in (*models, added))) / 10


def find(method="beam", num_models=4, num_candidates=9):
  return search.search(
      [f"member-{i}-of-a-long-name" for i in range(num_candidates)],
      list(range(1, num_candidates + 1)), Scores(), num_models, method=method,
      beam_width=3)


@pytest.fixture(name="drawn")
def _drawn(monkeypatch):
  """Collects the figures that were written."""
  figures = []
  savefig = figure.Figure.savefig

  def keep(self, *args, **kwargs):
    figures.append(self)
    return savefig(self, *args, **kwargs)
  monkeypatch.setattr(figure.Figure, "savefig", keep)
  return figures


@pytest.mark.parametrize("method, num_models, num_candidates", [
    ("beam", 4, 9), ("greedy", 3, 9), ("exhaustive", 3, 9), ("repetition", 4, 9),
    ("beam", 1, 1)])
def test_is_a_picture(tmp_path, method, num_models, num_candidates):
  path = tmp_path / "tree.png"
  tree.draw(find(method, num_models, num_candidates), str(path))
  pixels = image.imread(path)
  assert pixels.ndim == 3 and pixels.min() < 0.5 < pixels.max()


def test_shows_the_way_to_the_best(tmp_path, drawn):
  result = find()
  tree.draw(result, str(tmp_path / "tree.png"))
  [axis] = drawn[0].axes
  [way] = [line for line in axis.lines if line.get_marker() == "o"]
  np.testing.assert_array_equal(way.get_xdata(), [1, 2, 3, 4])
  by_models = {node.models: node.gap for node in result.nodes}
  np.testing.assert_array_equal(
      way.get_ydata(), [by_models[result.chosen.models[:k]] for k in (1, 2, 3, 4)])
  labels = [text.get_text().replace("\n", "") for text in axis.texts]
  assert [label.removeprefix("+ ") for label in labels] == list(result.chosen.models)


def test_every_subset_is_a_dot(tmp_path, drawn):
  result = find()
  tree.draw(result, str(tmp_path / "tree.png"))
  dropped, kept = drawn[0].axes[0].collections
  assert len(dropped.get_offsets()) == sum(not node.kept for node in result.nodes)
  assert len(kept.get_offsets()) == sum(node.kept for node in result.nodes)
  edges = len(drawn[0].axes[0].lines) - 1
  assert edges == sum(node.kept and len(node.models) > 1 for node in result.nodes)
