# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a directory must hold: `manifest.json`, with the SHA-256 of every other file.

    {"format": 1,
     "files": {"variables/variables.index": {"bytes": 517, "sha256": "9f86d0…"}, …}}

A weight that was damaged or half-copied on its way to a server still has a number to
answer with; the manifest tells. TensorFlow Serving does not look at it.
"""

import json
import os

import tensorflow as tf
from absl import logging

from yt8m.core import checksum
from yt8m.core import files

NAME = "manifest.json"
_FORMAT = 1
_REMEDY = "Export it again, or copy it again from where it is whole"


def write(directory):
  """Lists all files of a directory in its `manifest.json`, by name."""
  listed = {name: {"bytes": num_bytes, "sha256": checksum.of_file(path)}
            for name, (path, num_bytes) in sorted(_found(directory).items())}
  with files.atomic_write(os.path.join(directory, NAME)) as file:
    json.dump({"format": _FORMAT, "files": listed}, file, indent=1)
    file.write("\n")


def verify(directory):
  """Compares a directory with its `manifest.json`.

  Without one, which earlier versions did not write, nothing can be said: it logs a
  warning. Every byte is read, once.

  Args:
    directory: a SavedModel, `gs://…` included.

  Raises:
    FileNotFoundError: there is no such directory, or a file that is listed is missing.
    ValueError: a file has other contents, or is not listed; or the manifest is none.
  """
  if not tf.io.gfile.isdir(directory):
    raise FileNotFoundError(f"{directory} is not a directory: name a SavedModel that "
                            "yt8m-export wrote.")
  if not tf.io.gfile.exists(os.path.join(directory, NAME)):
    logging.warning("%s has no %s: whether its files are whole is not checked.",
                    directory, NAME)
    return
  listed, found = _load(directory), _found(directory)
  if missing := sorted(listed.keys() - found):
    raise FileNotFoundError(f"{directory} lacks {_named(missing)} of its {NAME}. "
                            f"{_REMEDY}.")
  if changed := sorted(name for name, expected in listed.items()
                       if not _is_same(expected, *found[name])):
    raise ValueError(f"{directory}: {_named(changed)} changed since {NAME} was written. "
                     f"{_REMEDY}.")
  if extra := sorted(found.keys() - listed):
    raise ValueError(f"{directory} has {_named(extra)} beyond its {NAME}. Remove what "
                     f"does not belong there; or remove {NAME}, to go without checks.")


def _found(directory):
  """`{name: (path, bytes)}` of all files but the manifest; names have slashes."""
  paths = {os.path.relpath(path, directory).replace(os.sep, "/"): path
           for path in checksum.files_below(directory)}
  paths.pop(NAME, None)
  return {name: (path, tf.io.gfile.stat(path).length) for name, path in paths.items()}


def _load(directory):
  path = os.path.join(directory, NAME)
  with files.open_to_read(path) as file:
    text = file.read()
  try:
    content = json.loads(text)
    if content["format"] != _FORMAT:
      raise KeyError("format")
    return {name: (entry["bytes"], entry["sha256"])
            for name, entry in content["files"].items()}
  except (ValueError, KeyError, TypeError, AttributeError) as error:
    raise ValueError(f"{path} is no manifest that yt8m-export wrote ({error!r}). "
                     f"{_REMEDY}.") from error


def _is_same(expected, path, num_bytes):
  # The size first: it costs nothing.
  return (num_bytes == expected[0]) and checksum.of_file(path) == expected[1]


def _named(names):
  return f"{len(names)} file{'s' * (len(names) > 1)} ({', '.join(names)})"
