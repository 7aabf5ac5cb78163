# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`manifest.json`: the size and the SHA-256 of every other file of a directory.

    {"format": 1,
     "files": {"variables/variables.index": {"bytes": 517, "sha256": "9f86d0…"}, …}}

A weight file that was damaged or half copied on its way to a server still loads, and
answers with wrong numbers. The manifest detects that. TensorFlow Serving ignores it.
"""

import dataclasses
import glob
import hashlib
import os
from collections.abc import Callable
from collections.abc import Collection
from typing import Any

import tensorflow as tf
from absl import logging

from yt8m.core import checksum
from yt8m.core import directories
from yt8m.core import fields
from yt8m.core import files

NAME = "manifest.json"
# Folder of what describes a SavedModel, and is not loaded with it.
EXTRA = "assets.extra"
_FORMAT = 1
_REMEDY = "Export it again, or copy it again from an undamaged copy"


@dataclasses.dataclass(frozen=True)
class File:
  """A file as its manifest describes it.

  Attributes:
    bytes: Size of the file.
    sha256: SHA-256 of its contents, in hexadecimal.
  """
  bytes: int
  sha256: str


def write(directory: str) -> None:
  """Writes the `manifest.json` of a directory, sorted by file name."""
  listed, _ = read(directory)
  files.write_json(os.path.join(directory, NAME), {
      "format": _FORMAT,
      "files": {name: dataclasses.asdict(entry) for name, entry in listed.items()}},
      indent=1)


def read(
    directory: str, names: Collection[str] = ()) -> tuple[dict[str, File], str]:
  """Reads every file of a directory once.

  Args:
    directory: Path of the directory, local or remote (`gs://…`).
    names: Files and folders at the top of the directory that the fingerprint covers.

  Returns:
    `{name: File}` of all files but the manifest, sorted by name, with slashes in the
    names; and the fingerprint, which equals `checksum.of_tree(directory, names)`.
  """
  entries, fingerprint = {}, hashlib.sha256()
  for name, path in _paths(directory).items():
    size, digests = tf.io.gfile.stat(path).length, []
    if name.split("/")[0] in names:
      fingerprint.update(checksum.header(name, size))
      digests.append(fingerprint)
    entries[name] = File(size, checksum.of_file(path, *digests))
  return entries, fingerprint.hexdigest()


def verify(
    directory: str, read_files: Callable[[], dict[str, File]] | None = None) -> None:
  """Compares a directory with its `manifest.json`.

  Earlier versions wrote no manifest. A directory without one is not checked, and a
  warning is logged.

  Args:
    directory: Path of a SavedModel, `gs://…` included.
    read_files: Function that returns the `File`s of the directory by name. Default: they
      are read here.

  Raises:
    FileNotFoundError: There is no such directory, or a file that is listed is missing.
    ValueError: A file has other contents, or is not listed, or `manifest.json` is not a
      manifest.
  """
  if not tf.io.gfile.isdir(directory):
    raise FileNotFoundError(f"{directory} is not a directory: name a SavedModel that "
                            "yt8m-export wrote.")
  if not tf.io.gfile.exists(os.path.join(directory, NAME)):
    logging.warning("%s has no %s: whether its files are whole is not checked.",
                    directory, NAME)
    return
  listed, paths = _load(directory), _paths(directory)
  if missing := sorted(listed.keys() - paths):
    raise FileNotFoundError(f"{directory} lacks {_quote(missing)} of its {NAME}. "
                            f"{_REMEDY}.")
  # Sizes first: they cost nothing, and a copy under way is polled again and again.
  changed = [name for name, file in listed.items()
             if tf.io.gfile.stat(paths[name]).length != file.bytes]
  if not changed:
    entries = read_files() if read_files else read(directory)[0]
    changed = [name for name, file in listed.items() if entries[name] != file]
  if changed:
    raise ValueError(f"{directory}: {_quote(sorted(changed))} changed since {NAME} was "
                     f"written. {_REMEDY}.")
  if extra := sorted(paths.keys() - listed):
    raise ValueError(f"{directory} has {_quote(extra)} that its {NAME} does not list. "
                     f"Remove what does not belong there, or remove {NAME} to use the "
                     "model without checks.")


def _paths(directory: str) -> dict[str, str]:
  """Returns `{name: path}` of all files but the manifest, sorted by name."""
  paths = {os.path.relpath(path, directory).replace(os.sep, "/"): path
           for path in files.files_below(directory)}
  paths.pop(NAME, None)
  return dict(sorted(paths.items()))


def _load(directory: str) -> dict[str, File]:
  return files.read_json(
      os.path.join(directory, NAME), kind="a manifest that yt8m-export wrote",
      remedy=_REMEDY, parse=_parse)


def _parse(content: dict[str, Any]) -> dict[str, File]:
  fields.check(content, {"format": fields.SIZE, "files": fields.OBJECT})
  if content["format"] != _FORMAT:
    raise ValueError(f"its format is {content['format']}, not {_FORMAT}")
  for name, entry in content["files"].items():
    fields.check(entry, {"bytes": fields.SIZE, "sha256": fields.TEXT}, where=f"{name}: ")
  return {name: File(**entry) for name, entry in content["files"].items()}


def _quote(names: list[str]) -> str:
  return f"{len(names)} file{'s' * (len(names) > 1)} ({', '.join(names)})"


# Files that a SavedModel may have. A manifest of somebody else may list any others.
CONTENTS = ("saved_model.pb", "fingerprint.pb", "variables/*", "assets/*",
            f"{EXTRA}/*")
_ANY_SAVED_MODEL = directories.Kind("SavedModel", NAME, CONTENTS)
SAVED_MODEL = directories.Kind(
    "SavedModel of yt8m-export", NAME,
    lambda directory: [glob.escape(name) for name in _load(directory)
                       if _ANY_SAVED_MODEL.may_hold(name, is_folder=False)])
