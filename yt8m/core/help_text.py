# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`--help`, `--version`, `--list` and `--describe`, at once: TensorFlow is not imported.

The texts in `yt8m/core/help/` are written by `make docs` from the flags themselves.
`--helpfull` shows these and the flags of all libraries.
"""

import importlib.metadata
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from yt8m.core import commands
from yt8m.core import log_lines
from yt8m.core import option_pages

FOLDER = os.path.join(os.path.dirname(__file__), "help")
_HELP = ("--help", "-help", "-h", "--helpshort", "-?")
_VERSION = ("--version", "-version")
# Packages that install the module `tensorflow`.
_TENSORFLOW = ("tensorflow", "tensorflow-cpu", "tf-nightly")


def show_if_asked(version: str) -> None:
  """Prints what `--help` or `--version` asks for, and ends the process with status 0.

  Args:
    version: Version of this package.
  """
  name = command(sys.argv, getattr(sys, "orig_argv", []))
  if name is None:
    return
  words = sys.argv[1:sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
  if any(word in _VERSION for word in words):
    _print_and_end(f"yt8m {version}, TensorFlow {_version_of_tensorflow()}\n")
  if name == "yt8m-train":
    _show_option(words)
  path = os.path.join(FOLDER, f"{name}.txt")
  if any(word in _HELP for word in words) and os.path.exists(path):
    with open(path, encoding="utf-8") as file:
      _print_and_end(file.read())


def _show_option(words: Sequence[str]) -> None:
  """Prints what `--list` or `--describe` asks for, and ends the process."""
  try:
    text = option_pages.asked_for(words, _version_of_tensorflow())
  except ValueError as error:
    log_lines.configure(sys.argv[1:])
    log_lines.write("ERROR", f"ERROR: {error}")
    sys.exit(1)
  if text is not None:
    _print_and_end(f"{text}\n")


def _print_and_end(text: str) -> NoReturn:
  """Prints a text and ends the process: with status 0, or 1 if it cannot be written."""
  try:
    if isinstance(sys.stdout, io.TextIOWrapper):  # A terminal may lack a character.
      sys.stdout.reconfigure(errors="replace")
    print(text, end="", flush=True)
  except BrokenPipeError:  # The reader, such as `head`, has enough.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
  except OSError as error:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    log_lines.write("ERROR", f"ERROR: Cannot write to stdout: {error.strerror}.")
    sys.exit(1)
  sys.exit(0)


def _version_of_tensorflow() -> str:
  """Returns the version that is installed, without importing it."""
  for package in _TENSORFLOW:
    try:
      return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
      continue
  return "not found"


def command(argv: Sequence[str], orig_argv: Sequence[str]) -> str | None:
  """Returns the command that runs, by its script or as `python -m <module>`, or None."""
  name = os.path.basename(argv[0]) if argv else ""
  if name == "-m" and "-m" in orig_argv[:-1]:
    module = orig_argv[orig_argv.index("-m") + 1]
    name = next((name for name, path in commands.COMMANDS.items() if path == module), "")
  return name if name in commands.COMMANDS else None
