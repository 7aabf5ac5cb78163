# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws an ensemble search: its subsets, those kept, and the path to the best."""

import textwrap

import numpy as np

from yt8m.core import plots
from yt8m.core import types
from yt8m.eval.blending import search

_BEST, _KEPT, _DROPPED = "tab:red", "tab:blue", "0.75"
_SPREAD = 0.22  # horizontal spread of the dots of a level, in levels
_WRAP = 18  # characters per line of a name


def draw(result: search.SearchResult, path: types.PathLike) -> None:
  """Draws the tree of a search as a PNG: scores by number of models.

  Faint dots are subsets that were scored and dropped. Blue dots were kept; a line leads
  to each from the subset that it extends. The path to the chosen ensemble is red, and
  names the model that each step added. Dots far below the worst kept one are only
  counted.

  Args:
    result: Result of the search.
    path: Path of the PNG file.
  """
  nodes = result.nodes
  levels = np.array([len(node.models) for node in nodes])
  gaps = np.array([node.gap for node in nodes])
  kept = np.array([node.kept for node in nodes])
  path_to_best = _path_to_best(result)
  # The dots of a level lie side by side, so that those of equal GAP are visible.
  across = np.random.default_rng(0).uniform(-_SPREAD, _SPREAD, len(nodes))
  across[kept] /= 2
  across[path_to_best] = 0
  x = levels + across

  figure = plots.figure(max(7.0, 1.5 * levels.max() + 2.0), 5.5)
  axis = figure.subplots()
  axis.spines[["top", "right"]].set_visible(False)
  for child in np.flatnonzero(kept):
    parent = nodes[child].parent
    if parent is not None:
      axis.plot(x[[parent, child]], gaps[[parent, child]], color=_KEPT, alpha=0.25,
                linewidth=0.8, zorder=1)
  axis.scatter(x[~kept], gaps[~kept], s=7, color=_DROPPED, alpha=0.6, linewidths=0,
               label=f"dropped ({np.count_nonzero(~kept):,})", zorder=2)
  axis.scatter(x[kept], gaps[kept], s=22, color=_KEPT, linewidths=0,
               label=f"kept ({np.count_nonzero(kept):,})", zorder=3)
  axis.plot(x[path_to_best], gaps[path_to_best], color=_BEST, marker="o", markersize=6,
            linewidth=1.8, label=f"chosen: {gaps[path_to_best[-1]]:.4f}", zorder=4)
  for node in path_to_best:
    if _repeats(nodes, node):
      continue
    # The path rises to the right, so there is room above and to the left of a dot.
    axis.annotate(_added(nodes[node]), (x[node], gaps[node]), xytext=(-5, 5),
                  textcoords="offset points", ha="right", va="bottom", fontsize="small",
                  color=_BEST, zorder=5)
  lowest = gaps[kept].min() if np.count_nonzero(kept) > 1 else gaps.min()
  margin = 0.1 * max(gaps.max() - lowest, 1e-4)
  num_below = np.count_nonzero(gaps < lowest - margin)
  axis.set(xlabel="models", ylabel="GAP, less the penalty of the weights",
           xticks=np.unique(levels), xlim=(levels.min() - 1.0, levels.max() + 0.4),
           ylim=(lowest - margin, gaps.max() + 1.5 * margin))
  figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3,
                frameon=False,
                title=f"{num_below:,} below the axis" if num_below else None)
  plots.save(figure, path)


def _path_to_best(result):
  """Returns the indices of the nodes from the first model to the best subset."""
  path = [result.best]
  while (parent := result.nodes[path[0]].parent) is not None:
    path.insert(0, parent)
  return path


def _repeats(nodes, node):
  """Returns whether a node has the models of its parent, with other weights."""
  parent = nodes[node].parent
  return parent is not None and len(nodes[parent].models) == len(nodes[node].models)


def _added(node):
  """Returns the model that a node added; all its models if it has no parent."""
  if node.parent is None:
    return plots.literal("\n".join(node.models))
  return plots.literal(textwrap.fill(f"+ {node.models[-1]}", _WRAP))
