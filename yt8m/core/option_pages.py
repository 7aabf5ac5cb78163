# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What `yt8m-train --list` and `--describe` print, at once: TensorFlow is not imported.

The texts in `yt8m/core/help/options.json` are written by `make docs`, for the features
and classes of YouTube-8M. They are those of one version of TensorFlow, whose optimizers
they describe. With another version, or other flags, `yt8m-train` makes them itself.
"""

import difflib
import json
import os
import re
import textwrap
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

_WIDTH = 90
_WITHOUT_EFFECT = ("--quiet", "--log_json")  # on what is printed
FILE = os.path.join(os.path.dirname(__file__), "help", "options.json")


def asked_for(words: Sequence[str], tensorflow: str) -> str | None:
  """Returns what a command line of `yt8m-train` asks for, or None if it is not kept.

  Args:
    words: Words of the command line, without the name of the program.
    tensorflow: Version of TensorFlow.

  Raises:
    ValueError: There is no such option.
  """
  text = " ".join(word for word in words if word not in _WITHOUT_EFFECT)
  asked = re.fullmatch(r"--?(?:(list)|describe[ =](\S+))", text)
  if not asked or not os.path.exists(FILE):
    return None
  with open(FILE, encoding="utf-8") as file:
    kept = json.load(file)
  if kept["tensorflow"] != minor_version(tensorflow):
    return None
  listing, name = asked.groups()
  if listing:
    return kept["list"]
  pages = kept["pages"]
  kind, colon, rest = name.partition(":")
  if colon and kind in pages:
    if rest not in pages[kind] and ":" not in rest:  # it is no class of the user's own
      raise unknown(rest, {kind: pages[kind]})
    return pages[kind].get(rest)
  if colon:
    return None
  if found := [of_kind[name] for of_kind in pages.values() if name in of_kind]:
    return "\n\n".join(found)
  raise unknown(name, pages)


def minor_version(version: str) -> str:
  """Returns `2.21` of `2.21.0`."""
  return ".".join(version.split(".")[:2])


def write(pages: Mapping[str, Mapping[str, str]], listing: str, tensorflow: str) -> str:
  """Returns the content of the file.

  Args:
    pages: Pages by kind and name of the option.
    listing: What `--list` prints.
    tensorflow: Version of TensorFlow.
  """
  return json.dumps({"tensorflow": minor_version(tensorflow), "list": listing,
                     "pages": pages}, indent=1, ensure_ascii=False) + "\n"


def unknown(name: str, kinds: Mapping[str, Iterable[Any]]) -> ValueError:
  """Returns the error for an option that does not exist, with close and valid names.

  Args:
    name: Name that was given.
    kinds: Names of the options by kind.
  """
  names = sorted({other for of_kind in kinds.values() for other in of_kind})
  close = difflib.get_close_matches(name, names, n=5)
  return ValueError("\n".join([
      f"Unknown option {name!r} (--describe)."
      + (f" Close: {', '.join(close)}." if close else "") + " Valid:",
      *(filled(f"{kind}: {', '.join(of_kind)}", indent="  ", hanging="  ")
        for kind, of_kind in kinds.items())]))


def filled(*paragraphs: str, indent: str = "", hanging: str = "") -> str:
  """Returns paragraphs in lines that fit a terminal.

  Args:
    *paragraphs: The paragraphs; each keeps the spaces that it begins with.
    indent: Indentation of all lines.
    hanging: Further indentation of all lines of a paragraph but the first.
  """
  return "\n".join(textwrap.fill(
      text, _WIDTH, initial_indent=indent, subsequent_indent=indent + hanging,
      break_on_hyphens=False, break_long_words=False) for text in paragraphs)
