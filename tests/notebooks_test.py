# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The notebooks run, and are kept with their outputs."""

import pytest

from tests.helpers import support

nbformat = pytest.importorskip("nbformat")

NOTEBOOKS = sorted((support.ROOT / "docs").glob("*.ipynb"))


def printed(notebook):
  """Returns the code cells that print or show something."""
  return [index for index, cell in enumerate(notebook.cells) if cell.get("outputs")]


def test_there_are_notebooks():
  assert {path.name for path in NOTEBOOKS} == {"quickstart.ipynb", "your_own_layer.ipynb"}


@pytest.mark.long
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs(path, monkeypatch):
  monkeypatch.syspath_prepend(str(support.ROOT / "docs"))
  for name, value in support.ENVIRONMENT.items():
    monkeypatch.setenv(name, value)
  import make_notebooks
  kept = nbformat.read(path, as_version=4)
  assert printed(make_notebooks.run(path)) == printed(kept)
  assert not [output for cell in kept.cells for output in cell.get("outputs", ())
              if output.output_type == "error"]
