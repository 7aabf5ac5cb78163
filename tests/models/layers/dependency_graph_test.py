# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Recursive normalised cuts, compared with brute force; planted blocks; edge cases."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.models.layers import dependency_graph


def cut(adjacency, num_segments, max_ncut=0.9, lengths=None):
  adjacency = tf.constant(np.asarray(adjacency, np.float32))
  mask = None
  if lengths is not None:
    mask = tf.sequence_mask(lengths, adjacency.shape[1])
  return dependency_graph.normalised_cuts(adjacency, num_segments, max_ncut, mask).numpy()


def random_graph(rng, num_frames, density=1.0):
  edges = rng.random((num_frames, num_frames)) * (
      rng.random((num_frames, num_frames)) < density)
  return np.triu(edges) + np.triu(edges, 1).T


def brute_force_segments(adjacency, num_segments, max_ncut):
  """Numpy twin: tries every frame of every segment and sums the edges one by one."""
  adjacency = adjacency - np.diag(np.diag(adjacency))
  cuts = [0, len(adjacency)]
  for _ in range(num_segments - 1):
    best = (np.inf, None)
    for begin, end in zip(cuts, cuts[1:], strict=False):
      for s in range(begin + 1, end):
        between = adjacency[begin:s, s:end].sum()
        ncut = 0.0
        for part in (slice(begin, s), slice(s, end)):
          total = adjacency[part, begin:end].sum()
          ncut += between / total if total else 1.0
        best = min(best, (ncut, s))
    if best[0] <= max_ncut:
      cuts = sorted([*cuts, best[1]])
  return np.repeat(np.arange(len(cuts) - 1), np.diff(cuts))


def blocks(sizes, within=0.5, between=0.1):
  index = np.repeat(np.arange(len(sizes)), sizes)
  return np.where(index[:, None] == index, within, between), index


@pytest.mark.parametrize("density", [1.0, 0.4])
@pytest.mark.parametrize("num_segments, max_ncut", [(2, 2.0), (5, 2.0), (8, 0.8)])
def test_equals_brute_force(num_segments, max_ncut, density):
  rng = np.random.default_rng(0)
  lengths = [12, 9, 5, 2]
  graphs = [random_graph(rng, n, density) for n in lengths]
  padded = [np.pad(graph, (0, 12 - len(graph)), constant_values=7.0) for graph in graphs]
  found = cut(padded, num_segments, max_ncut, lengths)
  for row, graph in zip(found, graphs, strict=True):
    n = len(graph)
    np.testing.assert_array_equal(
        row[:n], brute_force_segments(graph, num_segments, max_ncut))
    np.testing.assert_array_equal(row[n:], -1)


def test_planted_blocks_are_cut_where_they_end():
  rng = np.random.default_rng(0)
  for sizes in ([5, 3, 8], [2, 2, 2, 2], [13, 3], [300, 40, 260]):
    graph, expected = blocks(sizes, between=0.05)
    noise = 0.05 * rng.random(graph.shape)
    # A frame is much more similar to itself than to any other frame.
    graph = graph + noise + noise.T + 3.0 * np.eye(len(graph))
    np.testing.assert_array_equal(cut([graph], 16)[0], expected)


def test_a_homogeneous_sequence_is_not_cut():
  graph, _ = blocks([20])
  np.testing.assert_array_equal(cut([graph], 8, max_ncut=1.0), 0)


def test_blocks_without_any_edge_between_them():
  graph, expected = blocks([4, 6, 3], between=0.0)
  np.testing.assert_array_equal(cut([graph], 3, max_ncut=0.0)[0], expected)


def test_the_number_of_segments_is_a_bound():
  graph, _ = blocks([4, 4, 4, 4])
  for num_segments in (1, 2, 3, 4, 9):
    assert cut([graph], num_segments).max() + 1 == min(num_segments, 4)


def test_fewer_frames_than_segments_and_none_at_all():
  found = cut(np.ones((3, 4, 4)), 6, max_ncut=2.0, lengths=[3, 1, 0])
  np.testing.assert_array_equal(found, [[0, 1, 2, -1], [0, -1, -1, -1], [-1] * 4])


def test_frames_without_edges():
  np.testing.assert_array_equal(cut(np.zeros((1, 5, 5)), 3), 0)
  graph, expected = blocks([5, 5], between=0.0)
  graph[2, :] = graph[:, 2] = 0  # a black frame inside a scene
  np.testing.assert_array_equal(cut([graph], 2)[0], expected)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_scale_does_not_matter(scale):
  graph = random_graph(np.random.default_rng(1), 30)
  np.testing.assert_array_equal(cut([graph * scale], 6, 2.0), cut([graph], 6, 2.0))


def test_compiles_with_unknown_shapes():
  graph, expected = blocks([6, 4])
  for jit_compile in (False, True):
    compiled = tf.function(
        lambda a, m: dependency_graph.normalised_cuts(a, 4, 0.9, m),
        input_signature=[tf.TensorSpec([None, None, None]),
                         tf.TensorSpec([None, None], tf.bool)], jit_compile=jit_compile)
    found = compiled(tf.constant(graph[None], tf.float32), tf.fill([1, 10], True))
    np.testing.assert_array_equal(found[0], expected)
