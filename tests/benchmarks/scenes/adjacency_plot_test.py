# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The plot is a PNG of the right size that shows its arguments; errors are clear."""

import builtins

import numpy as np
import pytest

from benchmarks.scenes import adjacency_plot


def graph(num_frames=12):
  scene = np.arange(num_frames) // 4
  return np.where(scene[:, None] == scene, 0.5, 0.1)


def draw(path, *arguments, **options):
  image = pytest.importorskip("matplotlib.image")
  adjacency_plot.plot_adjacency(*arguments, path=path, **options)
  return image.imread(path)


def test_writes_a_png_and_nothing_beside_it(tmp_path):
  path = tmp_path / "graph.png"
  pixels = draw(path, graph(), cuts=[4, 8], true_cuts=[0, 4, 8], title="a video")
  assert path.read_bytes().startswith(b"\x89PNG")
  assert pixels.shape == (960, 960, 4)
  assert [p.name for p in tmp_path.iterdir()] == ["graph.png"]


def test_shows_what_it_is_given(tmp_path):
  path = tmp_path / "graph.png"
  plain = draw(path, graph())
  np.testing.assert_array_equal(plain, draw(path, graph()))
  for options in ({"cuts": [4]}, {"true_cuts": [4]}, {"title": "a video"}):
    assert np.any(draw(path, graph(), **options) != plain), options
  changed = graph()
  changed[0, 5] = changed[5, 0] = 0.4
  assert np.any(draw(path, changed) != plain)


def test_the_diagonal_does_not_matter(tmp_path):
  plain = draw(tmp_path / "a.png", graph())
  np.testing.assert_array_equal(plain, draw(tmp_path / "b.png", graph() + np.eye(12)))


def test_a_video_of_one_frame(tmp_path):
  assert draw(tmp_path / "one.png", [[1.0]], cuts=[0]).any()


@pytest.mark.parametrize("shape", [(), (0, 0), (3,), (3, 4), (1, 3, 3)])
def test_refuses_what_is_no_matrix_of_one_video(tmp_path, shape):
  with pytest.raises(ValueError, match="square matrix"):
    adjacency_plot.plot_adjacency(np.ones(shape), tmp_path / "graph.png")


@pytest.mark.parametrize("cuts", [[12], [-1, 4]])
def test_refuses_cuts_outside_the_video(tmp_path, cuts):
  with pytest.raises(ValueError, match="0 … 11"):
    adjacency_plot.plot_adjacency(graph(), tmp_path / "graph.png", cuts=cuts)


def test_names_the_remedy_without_matplotlib(tmp_path, monkeypatch):
  imported = builtins.__import__

  def refuse(name, *arguments, **options):
    if name.startswith("matplotlib"):
      raise ImportError(name)
    return imported(name, *arguments, **options)

  monkeypatch.setattr(builtins, "__import__", refuse)
  with pytest.raises(ValueError, match=r"pip install 'yt8m\[report\]'"):
    adjacency_plot.plot_adjacency(graph(), tmp_path / "graph.png")
