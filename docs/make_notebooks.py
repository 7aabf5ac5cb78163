# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs the notebooks of this folder and keeps their outputs: `make notebooks`.

  python docs/make_notebooks.py             runs them and writes them with their outputs
"""

import pathlib
import re
import sys
import tempfile

import nbclient
import nbformat

FOLDER = pathlib.Path(__file__).parent
SECONDS = 600  # for one cell


def run(path: pathlib.Path) -> nbformat.NotebookNode:
  """Runs a notebook in an empty folder and returns it with its outputs.

  Raises:
    nbclient.exceptions.CellExecutionError: A cell fails.
  """
  notebook = nbformat.read(path, as_version=4)
  with tempfile.TemporaryDirectory() as folder:
    nbclient.NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3",
        resources={"metadata": {"path": folder}}).execute()
  for cell in notebook.cells:
    cell.metadata.pop("execution", None)  # the time of the run
    if "outputs" in cell:
      cell.outputs = [output for output in cell.outputs if not _is_log(output)]
  return notebook


def _is_log(output: nbformat.NotebookNode) -> bool:
  """Whether an output holds nothing but what TensorFlow logs when it is imported."""
  return output.get("name") == "stderr" and all(
      re.match("WARNING: All log messages|[IWE][0-9]{4} ", line)
      for line in output.text.splitlines())


def main() -> None:
  names = sys.argv[1:] or sorted(path.name for path in FOLDER.glob("*.ipynb"))
  for name in names:
    nbformat.write(run(FOLDER / name), FOLDER / name)
    print(f"Wrote docs/{name}.")


if __name__ == "__main__":
  main()
