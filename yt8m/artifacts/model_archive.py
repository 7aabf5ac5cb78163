# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A trained model as one `.tgz` (`--output_model_tgz`, `--input_model_tgz`)."""

import gzip
import os
import pathlib
import shutil
import tarfile
import zlib
from collections.abc import Iterable

import tensorflow as tf

from yt8m.core import directories
from yt8m.core import files
from yt8m.core.types import PathLike


def pack(directory: PathLike, path: PathLike, names: Iterable[str] = ("",)) -> None:
  """Packs files of a directory; the same files always give the same bytes.

  Args:
    directory: Path of the model, `gs://…` included.
    path: Path of the archive, e.g. `model.tgz`.
    names: Files and folders to pack, relative to `directory`. Default: all.

  Raises:
    FileNotFoundError: One of `names` does not exist, or there is nothing to pack.
    OSError: The archive cannot be written (`files.atomic_write`).
  """
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
      with tf.io.gfile.GFile(source, "rb") as content:
        archive.addfile(member, content)


def unpack(path: PathLike, directory: PathLike) -> None:
  """Unpacks an archive into a new directory, as a whole or not at all.

  An archive may come from anywhere, so nothing in it is trusted: only regular files and
  folders below `directory` are accepted. Links, which `pack` never writes, are refused
  wherever they point; owners and modes are ignored. (The filter of `tarfile` is missing
  from the first releases of Python 3.10, and it makes an absolute path relative instead
  of refusing it.)

  Args:
    path: Path of the archive, `gs://…` included.
    directory: Path of a local directory, which must not exist or be empty.

  Raises:
    FileExistsError: `directory` has files in it.
    ValueError: The archive is damaged, or has a member that is refused.
    OSError: The archive cannot be read, or the directory cannot be written.
  """
  with directories.atomic_directory(
      directory, flag="--untar_model_dir",
      remedy=f"name another directory to unpack {path} into") as temporary:
    try:
      with (files.open_to_read(path, "rb") as file,
            gzip.GzipFile(fileobj=file) as decompressed,
            tarfile.open(fileobj=decompressed, mode="r:") as archive):
        for member in archive:
          _extract(archive, member, pathlib.Path(temporary), path)
        # The checksum comes last, after everything that tarfile reads.
        while decompressed.read(2**20):
          pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
      raise ValueError(f"{path} is not a complete .tgz archive: {error}") from error


def _extract(archive, member, directory, path):
  name = pathlib.PurePosixPath(member.name)
  if name.is_absolute() or ".." in name.parts or "\\" in member.name:
    raise ValueError(f"{path}: member {member.name!r} points outside the archive.")
  if not (member.isfile() or member.isdir()):
    raise ValueError(
        f"{path}: member {member.name!r} is neither a file nor a folder but a link or "
        "a device. Pack the model without links.")
  target = directory / name
  if member.isdir():
    target.mkdir(parents=True, exist_ok=True)
    return
  target.parent.mkdir(parents=True, exist_ok=True)
  with archive.extractfile(member) as source, open(target, "xb") as copy:
    shutil.copyfileobj(source, copy)
