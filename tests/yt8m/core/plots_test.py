# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Figures where matplotlib is installed, and one clear error where it is not."""

import os
import sys

import pytest

from yt8m.core import plots


def test_without_matplotlib_the_extra_is_named(monkeypatch):
  monkeypatch.setitem(sys.modules, "matplotlib", None)
  assert not plots.available()
  with pytest.raises(ValueError, match=r"pip install 'yt8m\[report\]'"):
    plots.figure(1, 1)


def test_a_figure_becomes_a_png_file(tmp_path):
  pytest.importorskip("matplotlib")
  assert plots.available()
  figure = plots.figure(2, 1)
  figure.subplots().plot([1, 2])
  plots.save(figure, tmp_path / "plot.png", dpi=50)
  assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
  assert os.listdir(tmp_path) == ["plot.png"]
