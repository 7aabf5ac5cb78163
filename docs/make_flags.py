# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/flags.md and what commands answer without TensorFlow: `--help`, errors.

`--check` only compares.

    python docs/make_flags.py [--check]
"""

import ast
import dataclasses
import os
import pathlib
import re
import runpy
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ElementTree
from concurrent import futures

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "flags.md"
HELP = ROOT / "yt8m" / "core" / "help"
ABSL_FLAGS = ("help", "helpfull", "helpshort", "helpxml", "?")
COMMON = ("allow_code", "log_json", "quiet")
COMMANDS = runpy.run_path(str(ROOT / "yt8m/core/commands.py"))["COMMANDS"]


# Prints what `early_errors` keeps of a command, and then its flags as XML.
_SHOW = """
import importlib, json, sys
from absl import flags
from yt8m.core import command, command_line, early_errors

run = command.run

def show(main, actions=(), stop_secs=5.0, arguments="", named_by_path=False):
  syntax = command_line.Syntax.of_modules(actions, arguments, named_by_path)
  print(json.dumps(early_errors.describe(flags.FLAGS, syntax), indent=1), flush=True)
  run(main, actions)

command.run = show
sys.argv[1:], module = ["--helpxml"], sys.argv[1]
importlib.import_module(module).run()
"""

# Prints the pages of `yt8m-train --describe` without other flags.
_PAGES = """
from absl import flags
import yt8m.train
from yt8m.training import describing

flags.FLAGS(["yt8m-train"])
print(describing.kept(), end="")
"""


@dataclasses.dataclass(frozen=True)
class Flag:
  """A flag of a command: its name, its default or "", and its meaning."""
  name: str
  default: str
  meaning: str


def flags_of(module: str) -> tuple[list[Flag], str]:
  """Returns the flags of a command, and the JSON that `early_errors` keeps of them."""
  kept, xml, rest = _python(_SHOW, module).partition("<?xml")
  found = []
  for flag in ElementTree.fromstring(xml + rest).iter("flag"):
    name, default = flag.findtext("name") or "", flag.findtext("default") or ""
    if flag.findtext("key") != "yes" or name in ABSL_FLAGS:
      continue
    # absl puts the choices of an enum flag before its help text, in angle brackets.
    meaning = re.sub(r"\s+", " ", flag.findtext("meaning") or "").strip()
    found.append(Flag(name, "" if default == "None" else default, meaning))
  # The flags of every command come last.
  return sorted(found, key=lambda flag: flag.name in COMMON), kept


def _python(code: str, *arguments: str) -> str:
  """Returns what code prints in a process of its own."""
  return subprocess.run(
      [sys.executable, "-c", code, *arguments], capture_output=True, text=True,
      cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}).stdout


def table(flags: list[Flag]) -> str:
  """Returns flags as a Markdown table."""
  rows = []
  for flag in flags:
    meaning = flag.meaning.replace("|", "\\|").replace("<", "&lt;")
    value = f"`{flag.default}` " if flag.default else ""
    rows.append(f"| `--{flag.name}` | {value}| {meaning} |")
  return "\n".join(["| flag | default | meaning |", "|---|---|---|", *rows])


def help_text(module: str, flags: list[Flag]) -> str:
  """Returns what `--help` of a command shows: its docstring, and its flags."""
  path = module.removeprefix("yt8m.").replace(".", "/") + ".py"
  path = ROOT / path if (ROOT / path).exists() else ROOT / "yt8m" / path
  text = ast.get_docstring(ast.parse(path.read_text())) or ""
  # In a docstring, a backslash at the end of a line joins it with the next one.
  parts = [re.sub(r"(\S) {8,}(?=\S)", r"\1 \\\n        ", text), "Flags:"]
  for flag in flags:
    default = f"--{flag.name}={flag.default}" if flag.default else f"--{flag.name}"
    parts.append(f"  {default}\n" + textwrap.fill(
        flag.meaning, 80, initial_indent="      ", subsequent_indent="      ",
        break_on_hyphens=False))
  return "\n\n".join(parts) + (
      "\n\nThe value after = is the default. --helpfull shows all flags of the libraries "
      "as well,\n--version the version, --verbosity=1 where an error comes from and the "
      "log of TensorFlow.\n")


def documents() -> dict[pathlib.Path, str]:
  """Returns what is written: texts by path."""
  parts = ["# Flags\n\nWritten by `make docs` from the commands; do not edit.\n"]
  texts = {}
  with futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    pages = pool.submit(_python, _PAGES)
    found = list(pool.map(flags_of, COMMANDS.values()))
  for (command, module), (flags, kept) in zip(COMMANDS.items(), found, strict=True):
    parts.append(f"## {command}\n\n`python -m {module}`\n\n{table(flags)}\n")
    texts[HELP / f"{command}.txt"] = help_text(module, flags)
    texts[HELP / f"{command}.json"] = kept
  texts[HELP / "options.json"] = pages.result()
  return {TARGET: "\n".join(parts), **texts}


def main() -> None:
  HELP.mkdir(exist_ok=True)
  for path, text in documents().items():
    if "--check" not in sys.argv[1:]:
      path.write_text(text)
    elif not path.exists() or path.read_text() != text:
      sys.exit(f"{path.relative_to(ROOT)} is not current: run `make docs`.")


if __name__ == "__main__":
  main()
