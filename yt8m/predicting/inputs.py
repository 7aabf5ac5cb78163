# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The files that are named on the command line: media files and record files."""

import os
from collections.abc import Iterable

from yt8m.core import fields
from yt8m.core import files
from yt8m.core import paths

_RECORDS = (".tfrecord", ".tfrecords", ".tfrecord.gz")
# Ends of names of media files: which files of a folder are meant.
_MEDIA = (
    ".3gp", ".aac", ".aiff", ".asf", ".avi", ".flac", ".flv", ".gif", ".m2ts", ".m4a",
    ".m4v", ".mkv", ".mov", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogg",
    ".ogv", ".opus", ".ts", ".wav", ".webm", ".wma", ".wmv")


def find(words: Iterable[str]) -> list[str]:
  """Returns the files that paths, patterns and folders name, in their order.

  Of a folder, the media files and record files below it are meant, told by their names.

  Raises:
    ValueError: One of them matches no file, or a folder holds none.
  """
  found = {}
  for word in words:
    matches = paths.glob(word)
    if not matches:
      raise ValueError(f"No file matches {fields.short(word, 500)}.")
    for path in matches:
      inside = _below(path) if files.is_dir(path) else [path]
      if not inside:
        raise ValueError(f"{path} holds no media files and no records ({_RECORDS[0]}).")
      found.update(dict.fromkeys(inside))
  return list(found)


def is_record_file(path: str) -> bool:
  """Whether a file holds records, by its name."""
  return path.lower().endswith(_RECORDS)


def _below(folder: str) -> list[str]:
  found = []
  for directory, folders, names in os.walk(folder):
    folders[:] = sorted(name for name in folders if not name.startswith("."))
    found += [os.path.join(directory, name) for name in sorted(names)
              if not name.startswith(".") and (
                  name.lower().endswith(_MEDIA) or is_record_file(name))]
  return found
