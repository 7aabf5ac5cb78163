# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Keeps code of the current folder, which may be somebody else's, from being run.

Installed commands do not import modules from the current folder, but Python does in what
they start: `python -m`, children of multiprocessing, workers of Ray. A command that is
started by `python -m` does so itself, and then so do its children: a checkout that is not
installed finds its own modules in this way.
"""

import contextlib
import os
import sys
from collections.abc import Iterator


def is_on_path() -> bool:
  """Returns whether this process imports modules from the current folder."""
  try:
    here = os.path.realpath(os.curdir)
    return any(os.path.realpath(folder) == here for folder in sys.path)
  except FileNotFoundError:  # it was deleted
    return False


def keep_out() -> None:
  """Keeps this process and its children from running code of the current folder.

  Children import modules from there only if this process does, or if the user has set
  `PYTHONSAFEPATH`. Python 3.10 does not know that variable.
  """
  if is_on_path():
    return
  os.environ.setdefault("PYTHONSAFEPATH", "1")
  # matplotlib, which Keras imports, evaluates parts of this file.
  if os.path.lexists("matplotlibrc"):
    with contextlib.suppress(ImportError), left():
      import matplotlib as _  # noqa: F401
  load_kernels()


def load_kernels() -> None:
  """Lets TensorFlow load libraries of kernels now, and never from the current folder.

  When it first looks for a kernel, it loads `<program>/tensorflow/core/kernels/*.so`.
  What it takes for the program is a relative path in a process that `python -m` or
  multiprocessing started, and empty in one of Ray.
  """
  with left():
    from tensorflow.python.framework import kernels
    kernels.get_registered_kernels_for_op("NoOp")


@contextlib.contextmanager
def left() -> Iterator[None]:
  """Runs a block in the root directory, unless modules are imported from here anyway.

  For libraries that read files of the current folder, or tell other processes to import
  from it. It holds for the whole process, so other threads should not open files then.
  """
  if is_on_path():
    yield
    return
  here = os.getcwd()
  os.chdir(os.path.abspath(os.sep))
  try:
    yield
  finally:
    os.chdir(here)
