# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A trained model as one `.tgz` (`--output_model_tgz`, `--input_model_tgz`)."""

import gzip
import os
import pathlib
import shutil
import tarfile
import zlib

import tensorflow as tf

from yt8m.core import directories
from yt8m.core import files


def pack(directory, path, names=None):
  """Packs files of a directory; the same files always give the same bytes.

  Args:
    directory: where the model is, `gs://…` included.
    path: the archive to write, e.g. `model.tgz`.
    names: the files and folders to pack, relative to `directory`. Default: all.

  Raises:
    FileNotFoundError: one of `names` is not there, or there is nothing to pack.
    OSError: the archive cannot be written (`files.atomic_write`).
  """
  members = sorted(set(_files_below(directory, [""] if names is None else names)))
  if not members:
    raise FileNotFoundError(f"{directory} holds no file to pack into {path}.")
  with (files.atomic_write(path, "wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive):
    for name in members:
      source = os.path.join(directory, name)
      # A fresh TarInfo has no owner, no time and the mode 0644.
      member = tarfile.TarInfo(name)
      member.size = tf.io.gfile.stat(source).length
      with tf.io.gfile.GFile(source, "rb") as content:
        archive.addfile(member, content)


def _files_below(directory, names):
  for name in names:
    top = os.path.join(directory, name)
    if not tf.io.gfile.exists(top):
      raise FileNotFoundError(f"{top} does not exist and cannot be packed.")
    if not tf.io.gfile.isdir(top):
      yield name
    for folder, _, file_names in tf.io.gfile.walk(top):
      relative = os.path.relpath(folder, directory)
      yield from (os.path.normpath(os.path.join(relative, n)) for n in file_names)


def unpack(path, directory):
  """Unpacks an archive into a new directory, as a whole or not at all.

  An archive may come from anywhere, so nothing in it is trusted: only plain files
  and folders below `directory` are accepted. Links, which `pack` never writes, are
  refused whatever they point to; owners and modes are ignored. (The filter of
  `tarfile` is missing from the first releases of Python 3.10, and turns an absolute
  path into a relative one instead of refusing it.)

  Args:
    path: the archive, `gs://…` included.
    directory: a local directory; must not exist or be empty.

  Raises:
    FileExistsError: `directory` has files in it.
    ValueError: the archive is damaged, or has a member that is refused (named).
    OSError: the archive cannot be read or the directory cannot be written.
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
        # The checksum comes last, behind what tarfile reads.
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
