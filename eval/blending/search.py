# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Chooses the models to blend: beam search over subsets under a budget of bytes.

    S_1 = {m},  S_{l+1} = the best of {s ∪ {m} : s ∈ S_l, m ∉ s},  |S_l| <= beam_width

An exhaustive search has one level, with every subset of all models. A subset is not
scored if not even the smallest further models complete it within the
budget, so pruning is exact. Equal scores are ranked by bytes, then by names, so that the
same candidates always give the same ensemble, whatever their order.
"""

import concurrent.futures
import dataclasses
import itertools
import math
from collections.abc import Callable
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


def search(names: Sequence[str], sizes: Sequence[int],
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
  check(names, sizes, num_models, budget_bytes, method, beam_width)
  # In the order of names, so that neither ties nor sums depend on the order of the input.
  order = sorted(range(len(names)), key=names.__getitem__)
  if method == "exhaustive":
    levels, width, total = [num_models], 1, math.comb(len(names), num_models)
  else:
    levels, width = range(1, num_models + 1), 1 if method == "greedy" else beam_width
    total = sum(min(math.comb(len(names), level), width * (len(names) - level + 1))
                for level in levels)
  report = progress.Periodic(_REPORT_SECONDS, total, "subsets")
  nodes, kept = [], [(None, ())]
  with (score_cache.ScoreCache(names, progress_file, fingerprint) as cache,
        concurrent.futures.ThreadPoolExecutor(num_threads) as threads):
    for level in levels:
      children = _children(kept, level, order, sizes, num_models, budget_bytes)
      gaps = threads.map(lambda child: cache.get(child[1], score), children)
      level_nodes = []
      for (parent, subset), gap in zip(children, gaps, strict=True):
        level_nodes.append(Node(tuple(names[i] for i in subset),
                                sum(sizes[i] for i in subset), gap, parent, kept=False))
        for line in report(len(nodes) + len(level_nodes)):
          logging.info("%d of %d subsets of %d models, best GAP %.5f | %s",
                       len(level_nodes), len(children), level,
                       max(node.gap for node in level_nodes), line)
      best = sorted(range(len(children)), key=lambda i: level_nodes[i].rank())[:width]
      kept = [(len(nodes) + i, children[i][1]) for i in best]
      nodes += [dataclasses.replace(node, kept=i in best)
                for i, node in enumerate(level_nodes)]
      cache.save()
      logging.info("%d subsets of %d models, best GAP %.5f: %s", len(children), level,
                   level_nodes[best[0]].gap, ", ".join(level_nodes[best[0]].models))
  complete = [node for node in nodes if len(node.models) == num_models]
  return SearchResult(min(complete, key=Node.rank).models, nodes, len(nodes))


def _children(kept, level, order, sizes, num_models, budget_bytes,
              ) -> list[tuple[int | None, tuple[int, ...]]]:
  """Returns the subsets of `level` models that extend the kept ones, each with a parent.

  A subset is left out if not even the smallest other models complete it within the
  budget. One that several kept subsets reach belongs to the first of them.

  Args:
    kept: Pairs of the index of a node and its subset.
    level: Number of models of each child.
    order: Indices of all candidates, in the order in which to add them.
    sizes, num_models, budget_bytes: Arguments of `search`.
  """
  children = {}
  for parent, chosen in kept:
    rest = [i for i in order if i not in chosen]
    for added in itertools.combinations(rest, level - len(chosen)):
      child = frozenset(chosen + added)
      others = sorted(size for i, size in enumerate(sizes) if i not in child)
      least = sum(sizes[i] for i in child) + sum(others[:num_models - level])
      if budget_bytes is None or least <= budget_bytes:
        children.setdefault(child, (parent, chosen + added))
  return list(children.values())


def check(names: Sequence[str], sizes: Sequence[int], num_models: int,
          budget_bytes: int | None, method: str, beam_width: int) -> None:
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
  count = math.comb(len(names), num_models)
  if method == "exhaustive" and count > MAX_EXHAUSTIVE:
    raise ValueError(
        f"--search=exhaustive would score {count:,} subsets of {num_models} of "
        f"{len(names)} candidates, more than {MAX_EXHAUSTIVE:,}. Use --search=beam, or "
        "fewer --members.")
  if beam_width < 1:
    raise ValueError(f"--beam_width={beam_width} must be at least 1.")
  smallest = sum(sorted(sizes)[:num_models])
  if budget_bytes is not None and smallest > budget_bytes:
    raise ValueError(
        f"No {num_models} of the {len(names)} candidates fit: the smallest take "
        f"{smallest:,} bytes together, --budget_bytes={budget_bytes:,}. Raise "
        "--budget_bytes, lower --num_models, or compress the members (yt8m-export "
        "--weights).")
