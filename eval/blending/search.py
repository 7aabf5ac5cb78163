# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Which models to blend: beam search over subsets under a budget of bytes.

    S_1 = {m},  S_{l+1} = the best of {s ∪ {m} : s ∈ S_l, m ∉ s},  |S_l| <= beam_width

A subset that no further models, not even the smallest, can complete within the budget is
never scored: pruning is exact. Equal scores are ranked by fewer bytes, then by names, so
that the same candidates always give the same ensemble, whatever their order.
"""

import concurrent.futures
import dataclasses
import itertools
import math

from absl import logging

from yt8m.core import progress
from yt8m.eval.blending.search_scores import SearchScores

METHODS = ("beam", "greedy", "exhaustive")

# Subsets that an exhaustive search may score: an hour and a half at a tenth of a second.
MAX_EXHAUSTIVE = 50_000

_REPORT_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Node:
  """A subset that was scored.

  Attributes:
    models: names, in the order in which they were added.
    bytes: of all of them.
    gap: of their blend.
    parent: its place among the nodes without the last model; None of a first one.
    kept: whether it was among the best of its level.
  """
  models: tuple
  bytes: int
  gap: float
  parent: int | None
  kept: bool

  def rank(self):
    """Sorts the best first."""
    return -self.gap, self.bytes, sorted(self.models)


@dataclasses.dataclass(frozen=True)
class SearchResult:
  """What a search found.

  Attributes:
    best: names of the chosen models, in the order in which they were added.
    nodes: all `Node`s, level by level, a parent before its children.
    evaluations: subsets that were scored, by this process or by one before it.
  """
  best: tuple
  nodes: list
  evaluations: int


def search(names, sizes, score, num_models, budget_bytes=None, method="beam",
           beam_width=10, progress_file=None, fingerprint="", num_threads=2):
  """Finds the `num_models` candidates whose blend scores best within the budget.

  Args:
    names: of the n candidates.
    sizes: bytes of each.
    score: function of a tuple of indices, in the order in which they were added, that
      returns GAP; called by several threads. Only its last index differs among the
      children of one parent, which come one after another.
    num_models: of the ensemble; never fewer are chosen.
    budget_bytes: that they must not exceed together; None for no bound.
    method: one of `METHODS`. greedy is a beam of 1; exhaustive scores every subset.
    beam_width: subsets kept at each level.
    progress_file: where scores are kept, so that a search that was killed goes on there.
    fingerprint: of all that the scores depend on; a progress file of another one is
      refused.
    num_threads: that score at the same time. The result does not depend on it.

  Returns:
    `SearchResult`.

  Raises:
    ValueError: of the arguments one makes no sense, no subset fits the budget, the
      subsets are too many for an exhaustive search, a score is NaN, or the progress file
      is of another search.
  """
  names, sizes = list(names), list(sizes)
  check(names, sizes, num_models, budget_bytes, method, beam_width)
  budget = math.inf if budget_bytes is None else budget_bytes
  # By name: in ties, and in the order of their sums, the order of the input is no matter.
  order = sorted(range(len(names)), key=names.__getitem__)
  with SearchScores(names, progress_file, fingerprint) as scores:
    run = _Search(
        [names[i] for i in order], [sizes[i] for i in order], num_models, budget,
        lambda subset: scores.get(tuple(order[i] for i in subset), score))
    with concurrent.futures.ThreadPoolExecutor(num_threads) as threads:
      if method == "exhaustive":
        nodes = run.exhaustive(threads)
      else:
        nodes = run.beam(1 if method == "greedy" else beam_width, threads, scores.save)
  complete = [node for node in nodes if len(node.models) == num_models]
  best = min(complete, key=Node.rank)
  return SearchResult(best.models, nodes, len(nodes))


class _Search:
  """The candidates, and the two ways to go through their subsets."""

  def __init__(self, names, sizes, num_models, budget, score):
    self._names, self._sizes = names, sizes
    self._num_models, self._budget, self._score = num_models, budget, score
    self._by_size = sorted(range(len(names)), key=sizes.__getitem__)

  def beam(self, width, threads, save):
    """All nodes; `save()` is called after each level."""
    candidates = range(len(self._names))
    n = len(candidates)
    most = sum(min(math.comb(n, size + 1), width * (n - size))
               for size in range(self._num_models))
    report = progress.Periodic(_REPORT_SECONDS, progress.Progress(most, "subsets"))
    nodes, kept = [], [(None, ())]
    for level in range(1, self._num_models + 1):
      parents = {}  # of each subset, with the order in which it was first reached
      for parent, chosen in kept:
        for candidate in candidates:
          child = frozenset(chosen) | {candidate}
          if len(child) == level and self._fits(child):
            parents.setdefault(child, (parent, (*chosen, candidate)))
      expanded = list(parents.values())
      gaps = self._scored([subset for _, subset in expanded], threads, report, len(nodes),
                          f"Level {level} of {self._num_models}")
      found = [self._node(subset, gap, parent)
               for (parent, subset), gap in zip(expanded, gaps, strict=True)]
      best = sorted(range(len(found)), key=lambda i: found[i].rank())[:width]
      kept = [(len(nodes) + i, expanded[i][1]) for i in best]
      nodes += [dataclasses.replace(node, kept=i in best) for i, node in enumerate(found)]
      save()
      logging.info("Level %d of %d: %d subsets, best GAP %.5f: %s", level,
                   self._num_models, len(found), found[best[0]].gap,
                   ", ".join(found[best[0]].models))
    return nodes

  def exhaustive(self, threads):
    """A node for every complete subset within the budget."""
    count = math.comb(len(self._names), self._num_models)
    if count > MAX_EXHAUSTIVE:
      raise ValueError(
          f"--search=exhaustive would go through {count:,} subsets of {self._num_models} "
          f"of {len(self._names)} candidates, more than {MAX_EXHAUSTIVE:,}: take "
          "--search=beam, or fewer --members.")
    subsets = [subset for subset in itertools.combinations(
        range(len(self._names)), self._num_models) if self._bytes(subset) <= self._budget]
    report = progress.Periodic(_REPORT_SECONDS,
                               progress.Progress(len(subsets), "subsets"))
    gaps = self._scored(subsets, threads, report, 0, "All subsets")
    nodes = [self._node(subset, gap, None)
             for subset, gap in zip(subsets, gaps, strict=True)]
    best = min(nodes, key=Node.rank)
    return [dataclasses.replace(node, kept=node is best) for node in nodes]

  def _fits(self, subset):
    """Whether the subset can be completed within the budget, by the smallest others."""
    others = (i for i in self._by_size if i not in subset)
    smallest = itertools.islice(others, self._num_models - len(subset))
    return self._bytes(subset) + self._bytes(smallest) <= self._budget

  def _bytes(self, subset):
    return sum(self._sizes[i] for i in subset)

  def _scored(self, subsets, threads, report, done, title):
    """GAP of each subset, in their order."""
    gaps = []
    for gap in threads.map(self._score, subsets):
      gaps.append(gap)
      for line in report(done + len(gaps)):
        logging.info("%s: %d of %d subsets, best GAP %.5f | %s", title, len(gaps),
                     len(subsets), max(gaps), line)
    return gaps

  def _node(self, subset, gap, parent):
    return Node(tuple(self._names[i] for i in subset), self._bytes(subset), gap, parent,
                kept=False)


def check(names, sizes, num_models, budget_bytes=None, method="beam", beam_width=10):
  """Raises the errors of `search` that can be told before anything is scored."""
  if method not in METHODS:
    raise ValueError(f"--search={method} must be one of {', '.join(METHODS)}.")
  if len(sizes) != len(names):
    raise ValueError(f"There are {len(names)} candidates, but {len(sizes)} sizes.")
  if twice := sorted({name for name in names if names.count(name) > 1}):
    raise ValueError(f"Candidate {twice[0]} is named twice: give every one its own name.")
  for name, size in zip(names, sizes, strict=True):
    if size <= 0:
      raise ValueError(f"Candidate {name} has {size} bytes: is its SavedModel there?")
  if not 1 <= num_models <= len(names):
    raise ValueError(f"--num_models={num_models} must be at least 1, and at most the "
                     f"{len(names)} candidates.")
  if beam_width < 1:
    raise ValueError(f"--beam_width={beam_width} must be at least 1.")
  smallest = sum(sorted(sizes)[:num_models])
  if budget_bytes is not None and smallest > budget_bytes:
    raise ValueError(
        f"No {num_models} of the {len(names)} candidates fit: the smallest take "
        f"{smallest:,} bytes together, --budget_bytes={budget_bytes:,}. Raise "
        "--budget_bytes, lower --num_models, or compress the members (yt8m-export "
        "--weights).")
