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
from yt8m.eval.blending import weighing
from yt8m.eval.blending.search import search
from yt8m.eval.metrics import streaming

NAMES = list("abcdefghijkl")
M = len(NAMES)


class Scores:
  """Weighs models equally, and scores subsets by a function of their indices."""
  name, refines = "scores", False

  def __init__(self, score):
    self.score = score

  def extend(self, models, weights, added):
    return (*weights, 1.0), self.score((*models, added))


def problem(seed):
  """Returns sizes, and a scorer of random models with random quality."""
  rng = np.random.default_rng(seed)
  hits = rng.random((60, 24)) < 0.1
  quality = rng.uniform(0.1, 0.6, (M, 1, 1))
  scores = quality * hits + rng.random((M, 60, 24))
  scorer = gap.BlendScorer(scores.astype(np.float16), hits, hits.sum())
  return rng.integers(1, 60, M).tolist(), scorer


def weighers(scorer, method="beam"):
  """Returns the ways of weighing that go with a method."""
  learned = weighing.Learned(scorer, 0.01, seed=0)
  return [weighing.Counts(scorer)] + [learned] * (method != "repetition")


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), room=st.floats(0, 1))
def test_wide_beam_equals_exhaustive(seed, room):
  sizes, scorer = problem(seed)
  least, most = min(sizes), sum(sorted(sizes)[-4:])
  budget = least + int(room * (most - least))
  counts = weighing.Counts(scorer)
  wide = search(NAMES, sizes, counts, 4, budget, beam_width=924).chosen
  all_subsets = search(NAMES, sizes, counts, 4, budget, method="exhaustive").chosen
  subsets = [s for size in range(1, 5) for s in itertools.combinations(range(M), size)
             if sum(sizes[i] for i in s) <= budget]
  expected = max(scorer(s[:-1], (1.0,) * len(s[:-1]), s[-1]) for s in subsets)
  for best in (wide, all_subsets):
    # Sums in another order may differ in the last bit.
    assert best.gap == pytest.approx(expected, abs=1e-6)
    assert best.bytes == sum(sizes[NAMES.index(name)] for name in best.models) <= budget


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), width=st.integers(1, 12), num_models=st.integers(1, 6),
       room=st.floats(0, 1))
def test_beam_is_as_defined(seed, width, num_models, room):
  """A plain beam finds the same levels."""
  sizes = np.random.default_rng(seed).integers(1, 30, M).tolist()
  least, most = min(sizes), sum(sorted(sizes)[-num_models:])
  budget = least + int(room * (most - least))

  def score(subset):
    return np.random.default_rng([seed, *sorted(subset)]).random()

  result = search(NAMES, sizes, Scores(score), num_models, budget, beam_width=width)
  kept, scored = [frozenset()], {}
  for level in range(1, num_models + 1):
    children = {s | {m} for s in kept for m in range(M) if m not in s}
    children = [s for s in children if sum(sizes[i] for i in s) <= budget]
    scored |= {s: score(s) for s in children}
    nodes = [node for node in result.nodes if len(node.models) == level]
    assert sorted(sorted(node.models) for node in nodes) == sorted(
        sorted(NAMES[i] for i in s) for s in children)
    kept = sorted(children, key=score, reverse=True)[:width]
    assert {frozenset(node.models) for node in nodes if node.kept} == {
        frozenset(NAMES[i] for i in s) for s in kept}
  assert {NAMES.index(name) for name in result.chosen.models} == max(
      scored, key=scored.__getitem__)


def test_number_of_models_is_a_maximum():
  result = search(list("abc"), [1, 1, 1], Scores(lambda s: 1 / len(s)), 2)
  assert result.chosen.models == ("a",) and len(result.nodes) == 3 + 3
  assert search(list("abc"), [1, 1, 1], Scores(len), 7).chosen.models == tuple("abc")


def test_nodes_are_a_tree():
  sizes, scorer = problem(0)
  result = search(NAMES, sizes, weighing.Counts(scorer), 4, sum(sizes), beam_width=3)
  for i, node in enumerate(result.nodes):
    if len(node.models) == 1:
      assert node.parent is None
    else:
      assert node.parent < i
      parent = result.nodes[node.parent]
      assert parent.kept and parent.models == node.models[:-1]
  assert len({frozenset(node.models) for node in result.nodes}) == len(result.nodes)


def test_greedy_is_a_beam_of_one():
  sizes, scorer = problem(1)
  for weigher in weighers(scorer):
    greedy = search(NAMES, sizes, weigher, 5, method="greedy", beam_width=7)
    assert greedy == search(NAMES, sizes, weigher, 5, beam_width=1)
    assert len(greedy.nodes) == sum(M - level for level in range(5))


@pytest.mark.parametrize("method", ensemble_search.METHODS)
def test_neither_threads_nor_the_order_of_candidates_matter(method):
  sizes, scorer = problem(2)
  order = np.random.default_rng(0).permutation(M)
  shuffled = gap.BlendScorer(
      [scorer.transformed[i] for i in order], scorer.hits, scorer.num_positives)
  for weigher, other in zip(
      weighers(scorer, method), weighers(shuffled, method), strict=True):
    expected = search(NAMES, sizes, weigher, 3, 100, method=method, num_threads=1)
    assert search(NAMES, sizes, weigher, 3, 100, method=method,
                  num_threads=4) == expected
    assert search([NAMES[i] for i in order], [sizes[i] for i in order], other, 3, 100,
                  method=method) == expected


@pytest.mark.parametrize("method", ["beam", "exhaustive"])
def test_ties_go_to_fewer_bytes_then_to_names(method):
  def best(score):
    return search(list("abcde"), [3, 2, 2, 4, 2], Scores(score), 2,
                  method=method).chosen.models

  assert best(len) == ("b", "c")
  assert best(lambda _: 0.5) == ("b",)


def test_budget_nothing_fits():
  with pytest.raises(ValueError, match=r"(?s)None of the 3 .* smallest takes 3 bytes.*"
                     r"--budget_bytes=2\. Raise .*compress"):
    search(list("abc"), [5, 3, 4], Scores(len), 3, 2)


@pytest.mark.parametrize("arguments, message", [
    (dict(names=["a", "b", "a"]), "two candidates a: names"),
    (dict(sizes=[1, 0, 1]), "b has 0 bytes"),
    (dict(sizes=[1, 1]), "3 candidates, but 2 sizes"),
    (dict(num_models=0), "--num_models=0"),
    (dict(beam_width=0), "--beam_width=0"),
    (dict(method="random"), "Unknown --search .random.. Valid: beam, "),
])
def test_arguments_that_make_no_sense(arguments, message):
  arguments = dict(names=list("abc"), sizes=[1, 1, 1], num_models=2) | arguments
  with pytest.raises(ValueError, match=message):
    search(weigher=Scores(len), **arguments)


def test_exhaustive_search_of_too_many():
  names = [f"m{i}" for i in range(30)]
  with pytest.raises(ValueError, match="768,211 subsets of up to 6 of 30"):
    search(names, [1] * 30, Scores(len), 6, method="exhaustive")


def test_score_that_is_nan():
  def score(subset):
    return math.nan if set(subset) == {0, 2} else 0.5
  with pytest.raises(ValueError, match="a, c has the GAP NaN"):
    search(list("abc"), [1, 1, 1], Scores(score), 2)


@pytest.mark.parametrize("method, learns", [
    *itertools.product(("beam", "greedy", "exhaustive"), (False, True)),
    ("repetition", False)])
@pytest.mark.parametrize("num_threads", [1, 2])
def test_search_that_failed_goes_on(tmp_path, method, learns, num_threads):
  sizes, scorer = problem(3)
  plain = weighers(scorer)[learns]
  path = tmp_path / "progress.json"
  arguments = dict(names=NAMES, sizes=sizes, num_models=3, budget_bytes=100,
                   method=method, num_threads=num_threads)
  expected = search(weigher=plain, progress_file=tmp_path / "whole.json", **arguments)
  calls = []

  class Failing:
    name, refines, left = plain.name, plain.refines, 20

    def __getattr__(self, way):
      def work(*step):
        if self.left == 0:
          raise KeyboardInterrupt
        self.left -= 1
        calls.append((way, *step))
        return getattr(plain, way)(*step)
      return work

  with pytest.raises(KeyboardInterrupt):
    search(weigher=Failing(), progress_file=path, **arguments)
  assert calls
  Failing.left = -1
  assert search(weigher=Failing(), progress_file=path, **arguments) == expected
  assert len(calls) == len(set(calls))
  assert path.read_bytes() == (tmp_path / "whole.json").read_bytes()
  Failing.left = 0
  assert search(weigher=Failing(), progress_file=path, **arguments) == expected


def test_searches_with_other_options_share_a_file(tmp_path):
  sizes, scorer = problem(4)
  path = tmp_path / "progress.json"
  for weigher in weighers(scorer):
    for options in (dict(beam_width=2), dict(beam_width=5)):
      assert search(NAMES, sizes, weigher, 4, 150, progress_file=path, **options
                    ) == search(NAMES, sizes, weigher, 4, 150, **options)


def test_killed_search_goes_on(tmp_path):
  """After SIGKILL in the third level, the first two are not scored again."""
  script = textwrap.dedent("""
      import os, signal, sys
      from yt8m.eval.blending.search import search
      class Weigher:
        name, refines = "scores", False
        def extend(self, models, weights, added):
          if len(models) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
          return (*weights, 1.0), sum((i * 7) % 5 for i in (*models, added)) / 100
      search(list("abcdef"), [1] * 6, Weigher(), 3, progress_file=sys.argv[1])
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
  result = search(weigher=Scores(score), progress_file=path, **arguments)
  assert set(scored) == {3}
  assert result == search(weigher=Scores(score), **arguments)


def selected(scores, hits, num_models, steps):
  """Selection with repetition in plain numpy: counts of the best step."""
  counts, best = np.zeros(len(scores), int), (-1.0, None)
  for _ in range(steps):
    tried = [counts + np.eye(len(scores), dtype=int)[i] for i in range(len(scores))]
    tried = [c for c in tried if np.count_nonzero(c) <= num_models]
    gaps = [streaming.gap(np.tensordot(c / c.sum(), scores, 1), hits) for c in tried]
    counts = tried[int(np.argmax(gaps))]
    best = max(best, (max(gaps), counts.tolist()), key=lambda pair: pair[0])
  return best


@pytest.mark.parametrize("seed", range(3))
def test_repetition_equals_its_twin(seed):
  rng = np.random.default_rng(seed)
  hits = rng.random((80, 30)) < 0.1
  scores = rng.uniform(0.2, 0.6, (8, 1, 1)) * hits + rng.random((8, 80, 30)) / 2
  scorer = gap.BlendScorer(scores.astype(np.float32), hits, hits.sum())
  found = search(list("abcdefgh"), [1] * 8, weighing.Counts(scorer), 3,
                 method="repetition").chosen
  value, counts = selected(scores, hits, 3, ensemble_search.NUM_SELECTIONS)
  assert found.gap == pytest.approx(value, abs=1e-6) and len(found.models) <= 3
  assert {name: counts["abcdefgh".index(name)] for name in found.models} == dict(
      zip(found.models, found.weights, strict=True))
  assert sum(counts) == sum(found.weights)


def test_repetition_keeps_within_the_budget():
  sizes, scorer = problem(5)
  result = search(NAMES, sizes, weighing.Counts(scorer), 5, 60, method="repetition")
  assert all(node.bytes <= 60 for node in result.nodes)
  assert result.chosen.gap == max(node.gap for node in result.nodes)
  np.testing.assert_allclose(
      ensemble_search.repeat(gap.BlendScorer(scorer.transformed[:1], scorer.hits, 1)), 1)
