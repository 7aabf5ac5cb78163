# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Chooses the models to blend: a search over subsets within a budget of bytes.

    S_1 = {m},  S_{l+1} = the best of {s ∪ {m} : s ∈ S_l, m ∉ s},  |S_l| <= beam_width

The result is the best subset of any size. "greedy" is a beam of 1, and "exhaustive"
extends all subsets. "repetition" is greedy too, but a model may be added again, which
raises its weight; it takes a fixed number of steps. Equal scores are ranked by bytes,
then by names, so that the same candidates always give the same ensemble, whatever their
order.

Reference: Caruana et al., "Ensemble selection from libraries of models", ICML (2004).
"""

import concurrent.futures
import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from absl import logging

from yt8m.core import log_lines
from yt8m.core import progress
from yt8m.core import registry
from yt8m.core import types
from yt8m.eval.blending import gap
from yt8m.eval.blending import score_cache
from yt8m.eval.blending import weighing

METHODS = ("beam", "greedy", "exhaustive", "repetition")

# Most subsets of an exhaustive search: an hour and a half at a tenth of a second each.
MAX_EXHAUSTIVE = 50_000
# Of a selection with repetition: its weights are multiples of 1/50, or coarser.
NUM_SELECTIONS = 50

_REPORT_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Node:
  """A subset that was scored.

  Attributes:
    models: Names of the models, in the order in which they were added.
    weights: Weights of the models, of any sum.
    bytes: Number of bytes of all models.
    gap: GAP of their blend, less the penalty of learned weights.
    parent: Index of the node without what was added last; None for a single model.
    kept: Whether the subset was among the `beam_width` best of its level.
  """
  models: tuple[str, ...]
  weights: tuple[float, ...]
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
    best: Index of the node of the chosen models.
    nodes: Nodes of all subsets, level by level, parents before their children.
  """
  best: int
  nodes: list[Node]

  @property
  def chosen(self) -> Node:
    """The chosen models."""
    return self.nodes[self.best]


def search(names: Sequence[str], sizes: Sequence[int], weigher: weighing.Weigher,
           num_models: int, budget_bytes: int | None = None, *, method: str = "beam",
           beam_width: int = 10, progress_file: types.PathLike | None = None,
           fingerprint: str = "", num_threads: int = 2) -> SearchResult:
  """Finds the candidates whose blend scores best within the budget.

  Args:
    names: Names of the n candidates.
    sizes: Numbers of bytes of the candidates.
    weigher: How subsets are weighed and scored. Several threads call it, with indices of
      candidates. The children of a parent are scored one after another. Repetition
      needs `weighing.Counts`.
    num_models: Most models to choose.
    budget_bytes: Most bytes of the models together; None for no bound.
    method: One of `METHODS`.
    beam_width: Number of subsets kept at each level.
    progress_file: Path of a file to keep the scores in, from which a search that was
      killed continues.
    fingerprint: Digest of the predictions that the scores depend on. A progress file
      with another one is an error.
    num_threads: Number of threads. The result does not depend on it.

  Returns:
    The chosen models and all nodes.

  Raises:
    ValueError: An argument is invalid, no candidate fits the budget, there are too many
      subsets for an exhaustive search, a score is NaN, or the progress file belongs to
      another search.
  """
  check(names, sizes, num_models, budget_bytes, method, beam_width)
  # In the order of names, so that neither ties nor sums depend on the order of the input.
  order = sorted(range(len(names)), key=names.__getitem__)
  repeats, every = method == "repetition", method == "exhaustive"
  width = 1 if repeats or method == "greedy" else beam_width
  num_models = min(num_models, len(names))
  num_levels = NUM_SELECTIONS if repeats else num_models
  nodes, kept, done = [], [_Subset()], 0
  work = _work(len(names), num_levels, width, method, weigher)
  with (score_cache.ScoreCache(names, progress_file, fingerprint) as cache,
        concurrent.futures.ThreadPoolExecutor(num_threads) as threads,
        progress.Periodic(_REPORT_SECONDS, work, "subsets") as report):

    def extend(child):
      step = child.models, child.weights, child.added
      return cache.get((weigher.name, *step), lambda: weigher.extend(*step))

    def refine(child):
      step = child.members, child.weights
      return cache.get((weigher.name, *step, None), lambda: weigher.refine(*step))

    for level in range(1, num_levels + 1):
      children = _children(kept, order, sizes, num_models, budget_bytes, repeats)
      if not children:
        break
      found = []
      for child, (weights, value) in zip(
          children, threads.map(extend, children), strict=True):
        found.append(Node(tuple(names[i] for i in child.members), weights,
                          sum(sizes[i] for i in child.members), value, child.node,
                          kept=False))
        done += 1
        if report.is_due():
          best_gap = max(node.gap for node in found)
          report(done, f"Step {level} of {num_levels}, subset {len(found)} of "
                 f"{len(children)}, best GAP {best_gap:.5f}", step=level, gap=best_gap)
      best = sorted(range(len(found)), key=lambda i: found[i].rank())[:width]
      for i in best:
        found[i] = dataclasses.replace(found[i], kept=True)
      if weigher.refines and level > 1:
        coarse = [dataclasses.replace(children[i], weights=found[i].weights)
                  for i in best]
        for i, (weights, value) in zip(best, threads.map(refine, coarse), strict=True):
          found[i] = dataclasses.replace(found[i], weights=weights, gap=value)
          done += _refinement(level)
          report(done, f"Step {level} of {num_levels}, weights of the best", step=level)
      best = sorted(range(len(found)) if every else best, key=lambda i: found[i].rank())
      kept = [_Subset(len(nodes) + i, children[i].members, found[i].weights)
              for i in best]
      nodes += found
      cache.save()
      logging.info("Step %d: %d subsets, best GAP %.5f: %s", level, len(children),
                   found[best[0]].gap, ", ".join(found[best[0]].models),
                   extra=log_lines.numbers(step=level, gap=found[best[0]].gap))
  return SearchResult(min(range(len(nodes)), key=lambda i: nodes[i].rank()), nodes)


@dataclasses.dataclass(frozen=True)
class _Subset:
  """A subset of a search, and what a child of it adds.

  Attributes:
    node: Index of its node; None for no models.
    models: Indices of the models, in the order in which they were added.
    weights: Weights of the models.
    added: Index of the model that the child adds.
  """
  node: int | None = None
  models: tuple[int, ...] = ()
  weights: tuple[float, ...] = ()
  added: int = -1

  @property
  def members(self) -> tuple[int, ...]:
    """The models of the child."""
    return self.models if self.added in self.models else (*self.models, self.added)


def repeat(scorer: gap.BlendScorer) -> np.ndarray:
  """Returns the weights of a selection with repetition among all models of a scorer."""
  num_models = len(scorer.transformed)
  found = search([f"{i:09}" for i in range(num_models)], [1] * num_models,
                 weighing.Counts(scorer), num_models, method="repetition").chosen
  weights = np.zeros(num_models)
  weights[list(map(int, found.models))] = found.weights
  return weights / weights.sum()


def _children(kept, order, sizes, num_models, budget_bytes, repeats) -> list[_Subset]:
  """Returns the children of the kept subsets.

  One that several kept subsets reach belongs to the first of them.

  Args:
    kept: Subsets to extend; one of them, if models may repeat.
    order: Indices of all candidates, in the order in which to add them.
    sizes, num_models, budget_bytes: Arguments of `search`.
    repeats: Whether a model may be added again.
  """
  children = {}
  for parent in kept:
    for added in order:
      child = dataclasses.replace(parent, added=added)
      members = frozenset(child.members)
      if (len(members) <= num_models and (repeats or added not in parent.models)
          and (budget_bytes is None or sum(sizes[i] for i in members) <= budget_bytes)):
        children.setdefault(added if repeats else members, child)
  return list(children.values())


def _work(num_candidates, num_levels, width, method, weigher):
  """Returns the most subsets that a search scores, refinements included."""
  if method == "repetition":
    return num_candidates * num_levels
  subsets = [math.comb(num_candidates, level) for level in range(1, num_levels + 1)]
  if method != "exhaustive":
    subsets = [min(count, (width if i else 1) * (num_candidates - i))
               for i, count in enumerate(subsets)]
  refined = sum(min(width, count) * _refinement(level)
                for level, count in enumerate(subsets, 1) if level > 1)
  return sum(subsets) + weigher.refines * refined


def _refinement(level):
  """Returns how many subsets are scored in the time of one refinement, about."""
  return level * (level - 1)  # exchanges


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
  if num_models < 1:
    raise ValueError(f"--num_models={num_models} must be at least 1.")
  count = sum(math.comb(len(names), level) for level in range(1, num_models + 1))
  if method == "exhaustive" and count > MAX_EXHAUSTIVE:
    raise ValueError(
        f"--search=exhaustive would score {count:,} subsets of up to {num_models} of "
        f"{len(names)} candidates, more than {MAX_EXHAUSTIVE:,}. Use --search=beam, or "
        "fewer --members.")
  if beam_width < 1:
    raise ValueError(f"--beam_width={beam_width} must be at least 1.")
  smallest = min(sizes)
  if budget_bytes is not None and smallest > budget_bytes:
    raise ValueError(
        f"None of the {len(names)} candidates fits: the smallest takes {smallest:,} "
        f"bytes, --budget_bytes={budget_bytes:,}. Raise --budget_bytes, or compress the "
        "members (yt8m-export --weights).")
