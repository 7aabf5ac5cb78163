# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/api.md from the docstrings of the Python API. `--check` only compares.

    python -m docs.make_api [--check]
"""

import inspect
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import yt8m
from yt8m.api import predictor
from yt8m.api import serving

TARGET = pathlib.Path(__file__).parent / "api.md"

_HEADER = """# API reference

Written by `make docs` from the docstrings; do not edit. [python.md](python.md) is the
introduction. Everything else is private.
"""
# Classes of what functions return.
_RESULTS = (predictor.Predictor, predictor.Signature, predictor.TopClasses,
            serving.Server)


def entries() -> Iterator[tuple[str, Any]]:
  """Yields the public functions and classes by name."""
  for name in ("start_from_labels", "evaluate", "export_model", "load", "serve"):
    yield f"yt8m.{name}", getattr(yt8m, name)
  for result in _RESULTS:
    yield result.__name__, result
  yield "yt8m.models.from_recipe", yt8m.models.from_recipe
  for name in ("datasets", "metrics", "losses", "models"):
    module = getattr(yt8m, name)
    for part, entry in sorted(vars(module).items()):
      own = getattr(entry, "__module__", "").startswith("yt8m.") and (
          name != "datasets" or entry.__module__ == module.__name__)
      if own and callable(entry) and not part.startswith("_"):
        yield f"yt8m.{name}.{part}", entry


def signature(name: str, entry: Any) -> str:
  """Returns a call with its parameters and their defaults, without their types."""
  function = entry.__init__ if inspect.isclass(entry) else entry
  found = [p.replace(annotation=p.empty) for p in
           inspect.signature(function).parameters.values() if p.name != "self"]
  return f"{name}{inspect.Signature(found)}"


def section(name: str, entry: Any) -> str:
  """Returns the section of a function or class, with its public methods."""
  parts = [f"## {name}", f"```python\n{signature(name, entry)}\n```",
           f"```text\n{inspect.getdoc(entry)}\n```"]
  if entry in _RESULTS:
    for method, function in vars(entry).items():
      if inspect.isfunction(function) and not method.startswith("_") and function.__doc__:
        parts += [f"### {name}.{method}",
                  f"```python\n{signature(f'{name}.{method}', function)}\n```",
                  f"```text\n{inspect.getdoc(function)}\n```"]
  return "\n\n".join(parts)


def document() -> str:
  """Returns the page."""
  return "\n\n".join([_HEADER.rstrip(), *(section(*entry) for entry in entries())]) + "\n"


def main() -> None:
  text = document()
  if "--check" not in sys.argv[1:]:
    TARGET.write_text(text, encoding="utf-8")
  elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
    sys.exit("docs/api.md is not current: run `make docs`.")


if __name__ == "__main__":
  main()
