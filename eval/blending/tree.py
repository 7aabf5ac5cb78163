# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Picture of an ensemble search: what was tried and kept, and the way to the best."""

import textwrap

import numpy as np

from yt8m.core import plots

_BEST, _KEPT, _DROPPED = "tab:red", "tab:blue", "0.75"
_SPREAD = 0.22  # of the dots of a level, in levels
_WRAP = 18  # characters of a name in a line


def draw(result, path):
  """Draws the tree of a search as a PNG: GAP by number of models.

  Faint dots are subsets that were scored and dropped; blue ones were kept, with a line
  from the subset that they extend; the way to the chosen ensemble is red, and says which
  model each step added. Dots far below the worst kept one are left out, and counted.

  Args:
    result: `ensemble_search.SearchResult`.
    path: of the picture.
  """
  nodes = result.nodes
  levels = np.array([len(node.models) for node in nodes])
  gaps = np.array([node.gap for node in nodes])
  kept = np.array([node.kept for node in nodes])
  way = _way_to_best(result)
  # Dots of a level side by side, so that those of equal GAP are seen.
  across = np.random.default_rng(0).uniform(-_SPREAD, _SPREAD, len(nodes))
  across[kept] /= 2
  across[way] = 0
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
  axis.plot(x[way], gaps[way], color=_BEST, marker="o", markersize=6, linewidth=1.8,
            label=f"chosen: GAP {gaps[way[-1]]:.4f}", zorder=4)
  for node in way:
    # The way rises from the left: above and to the left of a dot there is room.
    axis.annotate(_added(nodes[node]), (x[node], gaps[node]), xytext=(-5, 5),
                  textcoords="offset points", ha="right", va="bottom", fontsize="small",
                  color=_BEST, zorder=5)
  lowest = gaps[kept].min() if np.count_nonzero(kept) > 1 else gaps.min()
  margin = 0.1 * max(gaps.max() - lowest, 1e-4)
  num_below = np.count_nonzero(gaps < lowest - margin)
  axis.set(xlabel="models", ylabel="GAP", xticks=np.unique(levels),
           xlim=(levels.min() - 1.0, levels.max() + 0.4),
           ylim=(lowest - margin, gaps.max() + 1.5 * margin))
  figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3,
                frameon=False,
                title=f"{num_below:,} below the axis" if num_below else None)
  plots.save(figure, path)


def _way_to_best(result):
  """The nodes from a first model to the best subset."""
  way = [next(i for i, node in enumerate(result.nodes) if node.models == result.best)]
  while result.nodes[way[0]].parent is not None:
    way.insert(0, result.nodes[way[0]].parent)
  return way


def _added(node):
  """What a step on the way added; all models, where they came at once."""
  if node.parent is None:
    return "\n".join(node.models)
  return textwrap.fill(f"+ {node.models[-1]}", _WRAP)
