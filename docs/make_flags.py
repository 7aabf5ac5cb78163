# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/flags.md from the output of `--helpxml`. `--check` only compares.

    python docs/make_flags.py [--check]
"""

import os
import pathlib
import re
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "flags.md"
ABSL_FLAGS = ("help", "helpfull", "helpshort", "helpxml", "?")
COMMANDS = runpy.run_path(str(ROOT / "yt8m/core/commands.py"))["COMMANDS"]


def flag_table(module: str) -> str:
  """Returns a Markdown table of the flags that the module of a command defines."""
  output = subprocess.run(
      [sys.executable, "-m", module, "--helpxml"], capture_output=True, text=True,
      cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}).stdout
  document = ElementTree.fromstring(output[output.index("<?xml"):])
  rows = []
  for flag in document.iter("flag"):
    name, default = flag.findtext("name"), flag.findtext("default") or ""
    if flag.findtext("key") != "yes" or name in ABSL_FLAGS:
      continue
    # absl puts the choices of an enum flag before its help text, in angle brackets.
    meaning = re.sub(r"\s+", " ", flag.findtext("meaning") or "").strip()
    meaning = meaning.replace("|", "\\|").replace("<", "&lt;")
    value = "" if default in ("", "None") else f"`{default}` "
    rows.append(f"| `--{name}` | {value}| {meaning} |")
  return "\n".join(["| flag | default | meaning |", "|---|---|---|", *rows])


def document() -> str:
  """Returns the page."""
  parts = ["# Flags\n\nWritten by `make docs` from the commands; do not edit.\n"]
  for command, module in COMMANDS.items():
    parts.append(f"## {command}\n\n`python -m {module}`\n\n{flag_table(module)}\n")
  return "\n".join(parts)


def main() -> None:
  text = document()
  if "--check" not in sys.argv[1:]:
    TARGET.write_text(text)
  elif not TARGET.exists() or TARGET.read_text() != text:
    sys.exit(f"{TARGET.relative_to(ROOT)} is not current: run `make docs`.")


if __name__ == "__main__":
  main()
