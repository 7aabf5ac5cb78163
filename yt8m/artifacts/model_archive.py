# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A trained model as one `.tgz` (`--output_model_tgz`, `--input_model_tgz`)."""

import gzip
import os
import tarfile
import zlib
from collections.abc import Iterable

import tensorflow as tf

from yt8m.artifacts import archive_reader
from yt8m.core import directories
from yt8m.core import files
from yt8m.core.types import PathLike

# A model of 1 GiB, the limit of the challenge, takes 4 GiB in a checkpoint with Adam's
# two moments and averages of the weights. This is the room for two.
DEFAULT_MAX_BYTES = 8 * 2**30


def pack(directory: PathLike, path: PathLike, names: Iterable[str] = ("",)) -> None:
  """Packs files of a directory; the same files always give the same bytes.

  Args:
    directory: Path of the model, `gs://…` included.
    path: Path of the archive, e.g. `model.tgz`.
    names: Files and folders to pack, relative to `directory`. Default: all.

  Raises:
    FileNotFoundError: One of `names` does not exist, or there is nothing to pack.
    FileExistsError: There is a file at `path` that is not a model archive.
    OSError: The archive cannot be written (`files.atomic_write`).
  """
  check_replaceable(path)
  directory, names = os.fspath(directory), list(names)
  for name in names:
    if not tf.io.gfile.exists(os.path.join(directory, name)):
      raise FileNotFoundError(
          f"{os.path.join(directory, name)} does not exist and cannot be packed.")
  sources = {os.path.relpath(source, directory): source
             for source in files.files_below(directory, names)}
  if not sources:
    raise FileNotFoundError(f"{directory} holds no file to pack into {path}.")
  with (files.atomic_write(path, "wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive):
    for name, source in sorted(sources.items()):
      # A new TarInfo has no owner, no time and the mode 0644.
      member = tarfile.TarInfo(name)
      member.size = tf.io.gfile.stat(source).length
      with files.open_to_read(source, "rb") as content:
        archive.addfile(member, content)


def check_replaceable(path: PathLike) -> None:
  """Raises FileExistsError if there is something at `path` that `pack` did not write."""
  if not tf.io.gfile.exists(path):
    return
  if not files.is_remote(path):
    files.check_replaceable(path)  # Opening a pipe would wait for ever.
  try:
    with (files.open_to_read(path, "rb") as file,
          gzip.GzipFile(fileobj=file) as decompressed,
          tarfile.open(fileobj=decompressed, mode="r|") as archive):
      if next(iter(archive), None):
        return
  except (OSError, EOFError, zlib.error, tarfile.TarError):
    pass
  raise FileExistsError(f"{path} is not replaced: it is not a model archive. Name "
                        "another one, or delete it yourself.")


def unpack(path: PathLike, directory: PathLike, kind: directories.Kind,
           max_bytes: int = DEFAULT_MAX_BYTES) -> None:
  """Unpacks an archive into a new directory, as a whole or not at all.

  If exactly these files are there already, they stay, and that is no error: a command
  that was killed after it had unpacked can be repeated.

  An archive may come from anywhere, so nothing in it is trusted. It is read twice, and
  nothing is written before the whole of it has been checked. Only regular files and
  folders are accepted, of names that a directory of this kind has, none of them twice.
  Links, devices and sparse files, which `pack` never writes, are refused; owners and
  modes are ignored.

  Args:
    path: Path of the archive, `gs://…` included.
    directory: Path of a local directory, which must not exist, be empty, or hold the
      unpacked archive and nothing else.
    kind: Kind of the directory.
    max_bytes: Largest number of bytes that the archive may unpack to.

  Raises:
    FileExistsError: `directory` has other files in it.
    ValueError: The archive is damaged or too large, or has a member that is refused.
    OSError: The archive cannot be read, or the directory cannot be written.
  """
  with archive_reader.errors_named(path):
    for _ in archive_reader.members(path, kind, max_bytes):
      pass
  with (directories.atomic_directory(
      directory, owned=kind, flag="--untar_model_dir",
      remedy=f"name another directory to unpack {path} into") as temporary,
        archive_reader.errors_named(path)):
    for name, content in archive_reader.members(path, kind, max_bytes):
      target = os.path.join(temporary, name)
      if content is None:
        os.makedirs(target, exist_ok=True)
        continue
      os.makedirs(os.path.dirname(target), exist_ok=True)
      with open(target, "xb") as file:
        for chunk in content:
          file.write(chunk)
