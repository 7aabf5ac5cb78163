# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Plot of the graph that a model finds in a video."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from yt8m.core import plots
from yt8m.core.types import PathLike

_PREDICTED, _TRUE = "#e8590c", ("#343a40", "#adb5bd")
# Width of the bars and of the space around them, relative to the matrix.
_BAR, _GAP = 0.025, 0.012


def plot_adjacency(
    adjacency: np.ndarray, path: PathLike, cuts: Iterable[int] | None = None,
    true_cuts: Iterable[int] | None = None, title: str | None = None) -> None:
  """Draws the graph over the frames of a video as a matrix, with scenes.

  Scenes of the model are outlined on the matrix. True scenes are bars at its left and
  top, which change colour where a scene begins.

  Args:
    adjacency: Matrix of valid frames, (num_frames, num_frames), not negative. The
      diagonal is left blank, because the edge from a frame to itself would dominate the
      colours.
    path: PNG file to write.
    cuts: First frames of the model's scenes, in any order; 0 is optional.
    true_cuts: First frames of the true scenes, in the same form.
    title: Title of the plot.

  Raises:
    ValueError: `adjacency` is not a square matrix, a cut is not one of its frames, or
      matplotlib is not installed.
  """
  adjacency = np.asarray(adjacency, np.float32)
  num_frames = len(adjacency) if adjacency.ndim else 0
  if adjacency.shape != (num_frames, num_frames) or not num_frames:
    raise ValueError(f"The adjacency of a video is a square matrix, not of shape "
                     f"{adjacency.shape}: pass that of one video.")
  predicted, true = (_scenes(c, num_frames) for c in (cuts, true_cuts))
  matplotlib = plots.matplotlib()
  figure = plots.figure(6.4, 6.4)
  axes = figure.subplots()
  axes.spines[:].set_visible(False)
  axes.tick_params(length=0)
  edges = np.ma.masked_where(np.eye(num_frames, dtype=bool), adjacency)
  image = axes.imshow(edges, cmap="GnBu", vmin=0, interpolation="nearest",
                      extent=(0, num_frames, num_frames, 0))
  for axis in (axes.xaxis, axes.yaxis):
    axis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
  colorbar = figure.colorbar(image, ax=axes, shrink=0.5, aspect=25, pad=0.02)
  colorbar.outline.set_visible(False)
  colorbar.set_label("adjacency")
  colorbar.locator = matplotlib.ticker.MaxNLocator(3)
  for begin, end in predicted:
    axes.add_patch(matplotlib.patches.Rectangle(
        (begin, begin), end - begin, end - begin, fill=False, edgecolor=_PREDICTED,
        linewidth=2, clip_on=False, label=None if begin else "found scene"))
  _draw_bars(matplotlib, axes, true, num_frames)
  axes.set(xlabel="frame", ylabel="frame", title=title)
  if predicted or true:
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
  plots.save(figure, path, dpi=150)


def _scenes(cuts: Iterable[int] | None, num_frames: int) -> list[tuple[int, int]]:
  """Returns `[(first frame, last frame + 1)]` of the scenes that begin at `cuts`."""
  if cuts is None:
    return []
  cuts = sorted({0, *(int(cut) for cut in cuts)})
  if cuts[0] < 0 or cuts[-1] >= num_frames:
    raise ValueError(f"The cuts {cuts} are not all frames of the video, which has the "
                     f"frames 0 … {num_frames - 1}.")
  return list(zip(cuts, [*cuts[1:], num_frames], strict=True))


def _draw_bars(matplotlib: Any, axes: Any, scenes: list[tuple[int, int]],
               num_frames: int) -> None:
  """Draws bars along the top and the left edge, one per scene."""
  width, gap = _BAR * num_frames, _GAP * num_frames
  for index, (begin, end) in enumerate(scenes):
    style = {"color": _TRUE[index % 2], "linewidth": 0, "clip_on": False}
    axes.add_patch(matplotlib.patches.Rectangle(
        (begin, -gap - width), end - begin, width, **style,
        label=None if begin else "true scene"))
    axes.add_patch(matplotlib.patches.Rectangle(
        (-gap - width, begin), width, end - begin, **style))
  if scenes:
    axes.set(xlim=(-2 * gap - width, num_frames), ylim=(num_frames, -2 * gap - width))
