# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Chooses the models to blend: beam search over subsets under a budget of bytes.

    S_1 = {m},  S_{l+1} = the best of {s ∪ {m} : s ∈ S_l, m ∉ s},  |S_l| <= beam_width

A subset is not scored if not even the smallest further models complete it within the
budget, so pruning is exact. Equal scores are ranked by bytes, then by names, so that the
same candidates always give the same ensemble, whatever their order.
"""

import concurrent.futures
import dataclasses
import itertools
import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence

from absl import logging

from yt8m.core import progress
from yt8m.core import registry
from yt8m.core import types
from yt8m.eval.blending import score_cache

METHODS = ("beam", "greedy", "exhaustive")

# Most subsets of an exhaustive search: an hour and a half at a tenth of a second each.
MAX_EXHAUSTIVE = 50_000

_REPORT_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Node:
  """A subset that was scored.

  Attributes:
    models: Names of the models, in the order in which they were added.
    bytes: Number of bytes of all models.
    gap: GAP of their blend.
    parent: Index of the node without the last model; None for a node without parent.
    kept: Whether the subset was among the best of its level.
  """
  models: tuple[str, ...]
  bytes: int
  gap: float
  parent: int | None
  kept: bool

  def rank(self) -> tuple[float, int, list[str]]:
    """Returns a key that sorts the best node first."""
    return -self.gap, self.bytes, sorted(self.models)


@dataclasses.dataclass(frozen=True)
class SearchResult:
  """The result of a search.

  Attributes:
    best: Names of the chosen models, in the order in which they were added.
    nodes: Nodes of all subsets, level by level, parents before their children.
    evaluations: Number of subsets that were scored, by this process or earlier.
  """
  best: tuple[str, ...]
  nodes: list[Node]
  evaluations: int


def search(names: Iterable[str], sizes: Iterable[int],
           score: Callable[[tuple[int, ...]], float], num_models: int,
           budget_bytes: int | None = None, *, method: str = "beam",
           beam_width: int = 10, progress_file: types.PathLike | None = None,
           fingerprint: str = "", num_threads: int = 2) -> SearchResult:
  """Finds the `num_models` candidates whose blend scores best within the budget.

  Args:
    names: Names of the n candidates.
    sizes: Numbers of bytes of the candidates.
    score: Function from a tuple of indices, in the order in which they were added, to
      GAP. Several threads call it. The children of a parent, which differ in their last
      index only, are scored one after another.
    num_models: Number of models to choose.
    budget_bytes: Most bytes of the models together; None for no bound.
    method: One of `METHODS`. "greedy" is a beam of 1; "exhaustive" scores every subset.
    beam_width: Number of subsets kept at each level.
    progress_file: Path of a file to keep the scores in, from which a search that was
      killed continues.
    fingerprint: Digest of everything that the scores depend on. A progress file with
      another one is an error.
    num_threads: Number of threads. The result does not depend on it.

  Returns:
    The chosen models and all nodes.

  Raises:
    ValueError: An argument is invalid, no subset fits the budget, there are too many
      subsets for an exhaustive search, a score is NaN, or the progress file belongs to
      another search.
  """
  names, sizes = list(names), list(sizes)
  check(names, sizes, num_models, budget_bytes, method, beam_width)
  # In the order of names, so that neither ties nor sums depend on the order of the input.
  order = sorted(range(len(names)), key=names.__getitem__)
  with score_cache.ScoreCache(names, progress_file, fingerprint) as scores:
    run = _Search(
        [names[i] for i in order], [sizes[i] for i in order], num_models, budget_bytes,
        lambda subset: scores.get(tuple(order[i] for i in subset), score))
    with concurrent.futures.ThreadPoolExecutor(num_threads) as threads:
      if method == "exhaustive":
        nodes = run.exhaustive(threads)
      else:
        nodes = run.beam(1 if method == "greedy" else beam_width, threads, scores.save)
  complete = [node for node in nodes if len(node.models) == num_models]
  return SearchResult(min(complete, key=Node.rank).models, nodes, len(nodes))


class _Search:
  """The candidates, and two ways to go through their subsets."""

  def __init__(self, names, sizes, num_models, budget_bytes, score):
    self._names, self._sizes, self._num_models = names, sizes, num_models
    self._budget = math.inf if budget_bytes is None else budget_bytes
    self._score = score
    self._by_size = sorted(range(len(names)), key=sizes.__getitem__)

  def beam(self, width, threads, save):
    """Returns the nodes of a beam search; calls `save()` after each level."""
    n = len(self._names)
    most = sum(min(math.comb(n, size + 1), width * (n - size))
               for size in range(self._num_models))
    report = progress.Periodic(_REPORT_SECONDS, progress.Progress(most, "subsets"))
    nodes, kept = [], [(None, ())]
    for level in range(1, self._num_models + 1):
      # Each subset, with its parent and the order in which it was first reached.
      parents, subsets = zip(*self._children(kept, level), strict=True)
      level_nodes = self._scored(subsets, parents, threads, report, len(nodes),
                                 f"Level {level} of {self._num_models}")
      best = sorted(range(len(subsets)), key=lambda i: level_nodes[i].rank())[:width]
      kept = [(len(nodes) + i, subsets[i]) for i in best]
      nodes += [dataclasses.replace(node, kept=i in best)
                for i, node in enumerate(level_nodes)]
      save()
      logging.info("Level %d of %d: %d subsets, best GAP %.5f: %s", level,
                   self._num_models, len(subsets), level_nodes[best[0]].gap,
                   ", ".join(level_nodes[best[0]].models))
    return nodes

  def _children(self, kept, level):
    children = {}
    for parent, chosen in kept:
      for candidate in range(len(self._names)):
        child = frozenset(chosen) | {candidate}
        if len(child) == level and self._fits(child):
          children.setdefault(child, (parent, (*chosen, candidate)))
    return children.values()

  def _fits(self, subset):
    """Returns whether the smallest other models complete a subset within the budget."""
    others = (i for i in self._by_size if i not in subset)
    smallest = itertools.islice(others, self._num_models - len(subset))
    return self._bytes(subset) + self._bytes(smallest) <= self._budget

  def exhaustive(self, threads):
    """Returns a node for every complete subset within the budget."""
    count = math.comb(len(self._names), self._num_models)
    if count > MAX_EXHAUSTIVE:
      raise ValueError(
          f"--search=exhaustive would score {count:,} subsets of {self._num_models} "
          f"of {len(self._names)} candidates, more than {MAX_EXHAUSTIVE:,}. Use "
          "--search=beam, or fewer --members.")
    subsets = [subset for subset in itertools.combinations(
        range(len(self._names)), self._num_models) if self._bytes(subset) <= self._budget]
    report = progress.Periodic(_REPORT_SECONDS,
                               progress.Progress(len(subsets), "subsets"))
    nodes = self._scored(subsets, [None] * len(subsets), threads, report, 0,
                         "All subsets")
    best = min(nodes, key=Node.rank)
    return [dataclasses.replace(node, kept=node is best) for node in nodes]

  def _bytes(self, subset):
    return sum(self._sizes[i] for i in subset)

  def _scored(self, subsets, parents, threads, report, num_done, title):
    """Returns a node for each subset, in their order."""
    nodes = []
    for subset, parent, gap in zip(
        subsets, parents, threads.map(self._score, subsets), strict=True):
      nodes.append(Node(tuple(self._names[i] for i in subset), self._bytes(subset), gap,
                        parent, kept=False))
      for line in report(num_done + len(nodes)):
        logging.info("%s: %d of %d subsets, best GAP %.5f | %s", title, len(nodes),
                     len(subsets), max(node.gap for node in nodes), line)
    return nodes


def check(names: Sequence[str], sizes: Sequence[int], num_models: int,
          budget_bytes: int | None = None, method: str = "beam", beam_width: int = 10,
          ) -> None:
  """Raises the errors of `search` that are known before anything is scored."""
  if method not in METHODS:
    raise registry.unknown("--search", method, METHODS)
  if len(sizes) != len(names):
    raise ValueError(f"There are {len(names)} candidates, but {len(sizes)} sizes.")
  if duplicates := sorted({name for name in names if names.count(name) > 1}):
    raise ValueError(f"There are two candidates {duplicates[0]}: names must differ.")
  for name, size in zip(names, sizes, strict=True):
    if size <= 0:
      raise ValueError(f"Candidate {name} has {size} bytes. Does its SavedModel exist?")
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
