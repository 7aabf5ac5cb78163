# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs commands in processes that start with TensorFlow loaded.

Importing TensorFlow takes four CPU seconds, more than most commands in a test. The fork
server of `multiprocessing` imports it once, and each command is a fork of that server,
with its own flags, threads, exit status and output. No module of this package is loaded
in advance.
"""

import concurrent.futures
import multiprocessing
import os
import resource
import runpy
import subprocess
import sys
import threading

import numpy as np

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.helpers.preloaded"])


def preload(module):
  """Lets the fork server, before it starts, load another module in advance."""
  _CONTEXT.set_forkserver_preload([module])


def run(module, arguments, environment, timeout, prepare=None):
  """Runs a command like `subprocess.run([python, "-m", module, *arguments])`.

  Args:
    module: Name of the command's module.
    arguments: Arguments of the command.
    environment: Variables to set in addition to those of this process.
    timeout: Seconds after which the process is killed.
    prepare: Function of a module that is called in the process before the command.

  Returns:
    A `subprocess.CompletedProcess` with the output as text.
  """
  pipes = [_CONTEXT.Pipe(duplex=False) for _ in ("stdout", "stderr")]
  process = _CONTEXT.Process(target=_main, args=(
      module, arguments, environment, [writer for _, writer in pipes],
      resource.getrlimit(resource.RLIMIT_FSIZE), prepare))
  process.start()
  timer = threading.Timer(timeout, process.kill)
  timer.start()
  for _, writer in pipes:
    writer.close()  # otherwise the readers below never see the end
  with concurrent.futures.ThreadPoolExecutor() as pool:
    stdout, stderr = pool.map(_read, [reader for reader, _ in pipes])
  process.join()
  timer.cancel()
  return subprocess.CompletedProcess(
      [module, *arguments], process.exitcode, stdout, stderr)


def _read(pipe):
  with pipe, open(pipe.fileno(), encoding="utf-8", closefd=False) as file:
    return file.read()


def _main(module, arguments, environment, writers, file_size_limit, prepare):
  for number, writer in enumerate(writers, start=1):
    os.dup2(writer.fileno(), number)
    writer.close()
  os.environ.update(environment)
  # A fork inherits the limits and the random state of the server.
  resource.setrlimit(resource.RLIMIT_FSIZE, file_size_limit)
  np.random.seed()
  if prepare:
    prepare()
  sys.argv = [module, *arguments]
  runpy.run_module(module, run_name="__main__", alter_sys=True)
