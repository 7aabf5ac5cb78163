# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import itertools
import math
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.helpers.support import ENVIRONMENT
from yt8m.eval.blending import gap
from yt8m.eval.blending import search as ensemble_search
from yt8m.eval.blending.search import search

NAMES = list("abcdefghijkl")
M = len(NAMES)


def problem(seed):
  """Returns sizes, and a scorer of random models with random quality."""
  rng = np.random.default_rng(seed)
  hits = rng.random((60, 24)) < 0.1
  quality = rng.uniform(0.1, 0.6, (M, 1, 1))
  scores = quality * hits + rng.random((M, 60, 24))
  scorer = gap.BlendScorer(scores.astype(np.float16), hits, hits.sum())
  return rng.integers(1, 60, M).tolist(), scorer


def best_by_force(sizes, score, num_models, budget):
  subsets = [s for s in itertools.combinations(range(M), num_models)
             if sum(sizes[i] for i in s) <= budget]
  return max(score(s) for s in subsets)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), room=st.floats(0, 1))
def test_wide_beam_equals_exhaustive(seed, room):
  sizes, score = problem(seed)
  ordered = sorted(sizes)
  least, most = sum(ordered[:6]), sum(ordered[-6:])
  budget = least + int(room * (most - least))
  wide = search(NAMES, sizes, score, 6, budget, beam_width=924)
  all_subsets = search(NAMES, sizes, score, 6, budget, method="exhaustive")
  expected = best_by_force(sizes, score, 6, budget)
  for result in (wide, all_subsets):
    [best] = [node for node in result.nodes if node.models == result.best]
    # Sums in another order may differ in the last bit.
    assert best.gap == pytest.approx(expected, abs=1e-6)
    assert best.bytes == sum(sizes[NAMES.index(name)] for name in best.models) <= budget


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), width=st.integers(1, 12), num_models=st.integers(1, 6),
       room=st.floats(0, 1))
def test_beam_is_as_defined(seed, width, num_models, room):
  """A plain beam that prunes by listing all completions finds the same levels."""
  sizes = np.random.default_rng(seed).integers(1, 30, M).tolist()
  ordered = sorted(sizes)
  least, most = sum(ordered[:num_models]), sum(ordered[-num_models:])
  budget = least + int(room * (most - least))

  def score(subset):
    return np.random.default_rng([seed, *sorted(subset)]).random()

  result = search(NAMES, sizes, score, num_models, budget, beam_width=width)
  feasible = [set(s) for s in itertools.combinations(range(M), num_models)
              if sum(sizes[i] for i in s) <= budget]
  kept = [set()]
  for level in range(1, num_models + 1):
    children = {frozenset(s | {m}) for s in kept for m in range(M) if m not in s}
    children = [s for s in children if any(s <= whole for whole in feasible)]
    nodes = [node for node in result.nodes if len(node.models) == level]
    assert sorted(sorted(node.models) for node in nodes) == sorted(
        sorted(NAMES[i] for i in s) for s in children)
    kept = sorted(children, key=score, reverse=True)[:width]
    assert {frozenset(node.models) for node in nodes if node.kept} == {
        frozenset(NAMES[i] for i in s) for s in kept}
  assert set(result.best) == {NAMES[i] for i in kept[0]}
  assert result.evaluations == len(result.nodes)


def test_nodes_are_a_tree():
  sizes, score = problem(0)
  result = search(NAMES, sizes, score, 4, sum(sizes), beam_width=3)
  for i, node in enumerate(result.nodes):
    if len(node.models) == 1:
      assert node.parent is None
    else:
      assert node.parent < i
      parent = result.nodes[node.parent]
      assert parent.kept and parent.models == node.models[:-1]
  assert len({frozenset(node.models) for node in result.nodes}) == len(result.nodes)


def test_greedy_is_a_beam_of_one():
  sizes, score = problem(1)
  greedy = search(NAMES, sizes, score, 5, method="greedy", beam_width=7)
  assert greedy == search(NAMES, sizes, score, 5, beam_width=1)
  assert greedy.evaluations == sum(M - level for level in range(5))


def test_neither_threads_nor_the_order_of_candidates_matter():
  sizes, score = problem(2)
  expected = search(NAMES, sizes, score, 4, 120, num_threads=1)
  assert search(NAMES, sizes, score, 4, 120, num_threads=4) == expected
  order = np.random.default_rng(0).permutation(M)
  assert search([NAMES[i] for i in order], [sizes[i] for i in order],
                lambda subset: score(tuple(int(order[i]) for i in subset)), 4,
                120) == expected


def test_ties_go_to_fewer_bytes_then_to_names():
  sizes = [3, 2, 2, 4, 2]
  assert search(list("abcde"), sizes, lambda _: 0.5, 2).best == ("b", "c")
  assert search(list("abcde"), sizes, lambda _: 0.5, 2, method="exhaustive").best == (
      "b", "c")


def test_budget_of_the_smallest_models_leaves_one_way():
  sizes = [5, 1, 4, 2, 3]
  scored = []
  result = search(list("abcde"), sizes, lambda s: scored.append(s) or 0.5, 3, 6)
  assert set(result.best) == set("bde")
  assert set().union(*scored) == {1, 3, 4}


def test_budget_nothing_fits():
  with pytest.raises(ValueError, match=r"(?s)smallest take 6 bytes.*--budget_bytes=5\. "
                     "Raise .*--num_models.*compress"):
    search(list("abcde"), [5, 1, 4, 2, 3], lambda _: 0.5, 3, 5)


@pytest.mark.parametrize("arguments, message", [
    (dict(names=["a", "b", "a"]), "two candidates a: names"),
    (dict(sizes=[1, 0, 1]), "b has 0 bytes"),
    (dict(sizes=[1, 1]), "3 candidates, but 2 sizes"),
    (dict(num_models=0), "--num_models=0"),
    (dict(num_models=4), "--num_models=4 .* 3 candidates"),
    (dict(beam_width=0), "--beam_width=0"),
    (dict(method="random"), "Unknown --search .random.. Valid: beam, "),
])
def test_arguments_that_make_no_sense(arguments, message):
  arguments = dict(names=list("abc"), sizes=[1, 1, 1], num_models=2) | arguments
  with pytest.raises(ValueError, match=message):
    search(score=lambda _: 0.5, **arguments)


def test_exhaustive_search_of_too_many():
  names = [f"m{i}" for i in range(30)]
  with pytest.raises(ValueError, match="593,775 subsets of 6 of 30"):
    search(names, [1] * 30, lambda _: 0.5, 6, method="exhaustive")


def test_score_that_is_nan():
  def score(subset):
    return math.nan if set(subset) == {0, 2} else 0.5
  with pytest.raises(ValueError, match="a, c has the GAP NaN"):
    search(list("abc"), [1, 1, 1], score, 2)


@pytest.mark.parametrize("method", ensemble_search.METHODS)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_search_that_failed_goes_on(tmp_path, method, num_threads):
  sizes, score = problem(3)
  path = tmp_path / "progress.json"
  arguments = dict(names=NAMES, sizes=sizes, num_models=3, budget_bytes=100,
                   method=method, num_threads=num_threads)
  expected = search(score=score, **arguments)
  scored = []

  def failing(subset):
    if len(scored) > 20:
      raise KeyboardInterrupt
    scored.append(frozenset(subset))
    return score(subset)

  with pytest.raises(KeyboardInterrupt):
    search(score=failing, progress_file=path, fingerprint="1", **arguments)
  before = set(scored)

  def counting(subset):
    scored.append(frozenset(subset))
    return score(subset)

  result = search(score=counting, progress_file=path, fingerprint="1", **arguments)
  assert result == expected
  assert before and len(scored) == len(set(scored)) == expected.evaluations
  assert search(score=None, progress_file=path, fingerprint="1", **arguments) == expected


def test_killed_search_goes_on(tmp_path):
  """After SIGKILL in the third level, the first two are not scored again."""
  script = textwrap.dedent("""
      import os, signal, sys
      from yt8m.eval.blending.search import search
      def score(subset):
        if len(subset) == 3:
          os.kill(os.getpid(), signal.SIGKILL)
        return sum((i * 7) % 5 for i in subset) / 100
      search(list("abcdef"), [1] * 6, score, 3, progress_file=sys.argv[1])
      """)
  path = tmp_path / "progress.json"
  process = subprocess.run([sys.executable, "-c", script, path], env=ENVIRONMENT)
  assert process.returncode == -signal.SIGKILL
  assert os.listdir(tmp_path) == ["progress.json"]

  scored = []

  def score(subset):
    scored.append(len(subset))
    return sum((i * 7) % 5 for i in subset) / 100

  arguments = dict(names=list("abcdef"), sizes=[1] * 6, num_models=3)
  result = search(score=score, progress_file=path, **arguments)
  assert set(scored) == {3}
  assert result == search(score=score, **arguments)
