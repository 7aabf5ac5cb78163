# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Files of weights that a user has, and what pins them."""

import os
import re
from collections.abc import Mapping

from yt8m.core import checksum
from yt8m.core import files

# Lists the files of a folder as `sha256sum *` prints them.
SUMS = "SHA256SUMS"


def find(extractor: str, weights_dir: str, published: Mapping[str, str]
         ) -> tuple[dict[str, str], dict[str, str]]:
  """Finds files of weights, and compares them with `SHA256SUMS` if it is there.

  Args:
    extractor: Name of the extractor, for errors.
    weights_dir: Path of the directory that holds the files.
    published: Addresses where the files are published, by name.

  Returns:
    Paths and SHA-256 of the files, by name.

  Raises:
    FileNotFoundError: A file is missing.
    ValueError: No directory was named, or a file is not the one in the list.
  """
  if not weights_dir:
    raise ValueError(
        f"--extractor={extractor} needs files of weights that are not part of yt8m: put "
        f"{_listed(published)} into a folder and name it with --weights_dir.")
  paths = {name: os.path.join(weights_dir, name) for name in published}
  if missing := [name for name, path in paths.items() if not os.path.isfile(path)]:
    raise FileNotFoundError(
        f"--weights_dir={weights_dir} has no {missing[0]}, which --extractor={extractor} "
        f"needs. It is published at {published[missing[0]]}.")
  digests = {name: checksum.of_file(path) for name, path in paths.items()}
  pinned = _pinned(os.path.join(weights_dir, SUMS))
  for name, digest in digests.items():
    if pinned.get(name, digest) != digest:
      raise ValueError(
          f"{paths[name]} has the SHA-256 {digest}, but {SUMS} beside it says "
          f"{pinned[name]}: copy the file again, or correct {SUMS}.")
  return paths, digests


def _listed(published: Mapping[str, str]) -> str:
  return ", ".join(f"{name} ({address})" for name, address in published.items())


def _pinned(path: str) -> dict[str, str]:
  """Returns the digests in a list, by name; none if there is no list."""
  if not os.path.exists(path):
    return {}
  with files.open_to_read(path) as file:
    try:
      lines = file.read().splitlines()
    except UnicodeDecodeError as error:
      raise ValueError(f"{path} is no text: write it with sha256sum.") from error
  pinned = {}
  for number, line in enumerate(lines, start=1):
    match = re.fullmatch(r"([0-9a-fA-F]{64}) [ *](.+)", line)
    if line.strip() and not match:
      raise ValueError(f"{path}, line {number} is not as sha256sum writes it.")
    if match:
      pinned[match[2].removeprefix("./")] = match[1].lower()
  return pinned
