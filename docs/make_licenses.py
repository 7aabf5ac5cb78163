# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/licenses.md: the packages that yt8m needs to run, and their licences.

    python -m docs.make_licenses

They are read from the metadata of the packages that are installed. `make docs` runs it
in an environment that has all extras.
"""

import ast
import pathlib
from collections.abc import Iterable
from importlib import metadata
from typing import Any

from packaging import requirements
from packaging import utils

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "licenses.md"
_LONGEST = 60  # characters of a name; some packages give the whole text in its place

_HEADER = """# Licences

Written by `make docs` from the metadata of the packages; do not edit.

These packages are installed with `pip install '.[{extras}]'`, on Linux. "needed by" names
the extra, or the package that asks for it first. None of them is part of yt8m.

| package | licence | needed by |
|---|---|---|
"""
RUNTIME_EXTRAS = ("media", "ray", "report", "tune")


def declared() -> dict[str, list[str]]:
  """Returns the requirements in setup.py by extra; those of yt8m itself are under ""."""
  for node in ast.walk(ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))):
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "setuptools.setup":
      values = {keyword.arg: keyword.value for keyword in node.keywords}
      return {"": ast.literal_eval(values["install_requires"]),
              **ast.literal_eval(values["extras_require"])}
  raise ValueError("setup.py does not call setuptools.setup.")


def needed() -> dict[str, str]:
  """Returns the packages that are needed to run, each with what asks for it first."""
  found = {}
  for extra in ("", *RUNTIME_EXTRAS):
    _add(found, declared()[extra], f"yt8m[{extra}]" if extra else "yt8m")
  return found


def _add(found: dict[str, str], texts: Iterable[str], asking: str,
         extras: Iterable[str] = ()) -> None:
  for text in texts:
    requirement = requirements.Requirement(text)
    if requirement.marker and not any(
        requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
      continue
    name = utils.canonicalize_name(requirement.name)
    known = name in found
    found.setdefault(name, asking)
    if not known or requirement.extras:
      _add(found, metadata.requires(name) or (), name, requirement.extras)


def licence(name: str) -> str:
  """Returns the licence that the metadata of a package names."""
  fields: Any = metadata.metadata(name)
  classes = [text.rpartition(" :: ")[2] for text in fields.get_all("Classifier") or ()
             if text.startswith("License :: ") and not text.endswith("OSI Approved")]
  text = (fields.get("License") or "").strip()
  short = text if len(text) <= _LONGEST and "\n" not in text else ""
  return (fields.get("License-Expression") or short.removeprefix("UNKNOWN")
          or ", ".join(classes) or _first_line(name) or "not named in its metadata")


def _first_line(name: str) -> str:
  """Returns the first line of the licence that a package holds, if it is a name."""
  for path in metadata.files(name) or ():
    if path.name == "LICENSE":
      lines = path.read_text().split("\n")
      line = next((line.strip() for line in lines if line.strip()), "")
      return line if len(line) <= _LONGEST and "license" in line.lower() else ""
  return ""


def main() -> None:
  rows = "".join(f"| {name} | {licence(name)} | {asking} |\n"
                 for name, asking in sorted(needed().items()))
  TARGET.write_text(_HEADER.format(extras=",".join(RUNTIME_EXTRAS)) + rows,
                    encoding="utf-8")


if __name__ == "__main__":
  main()
