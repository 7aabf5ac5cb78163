# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands in processes of their own, which begin with TensorFlow loaded.

Importing TensorFlow takes four seconds of a processor, most commands in a test less. The
fork server of `multiprocessing` imports it once, and every command is a fork of it: with
its own flags, threads, exit status and output, and nothing of this package loaded.
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


def run(module, arguments, environment, timeout):
  """Does what `subprocess.run([python, "-m", module, *arguments])` does.

  Args:
    module: name of the module of the command.
    arguments: strings.
    environment: variables, besides those that this process has.
    timeout: seconds after which the process is killed.

  Returns:
    `subprocess.CompletedProcess`, with the output as text.
  """
  pipes = [_CONTEXT.Pipe(duplex=False) for _ in ("stdout", "stderr")]
  process = _CONTEXT.Process(target=_main, args=(
      module, arguments, environment, [writer for _, writer in pipes],
      resource.getrlimit(resource.RLIMIT_FSIZE)))
  process.start()
  timer = threading.Timer(timeout, process.kill)
  timer.start()
  for _, writer in pipes:
    writer.close()  # else the output would never end
  with concurrent.futures.ThreadPoolExecutor() as pool:
    stdout, stderr = pool.map(_read, [reader for reader, _ in pipes])
  process.join()
  timer.cancel()
  return subprocess.CompletedProcess(
      [module, *arguments], process.exitcode, stdout, stderr)


def _read(pipe):
  with pipe, open(pipe.fileno(), encoding="utf-8", closefd=False) as file:
    return file.read()


def _main(module, arguments, environment, writers, file_size_limit):
  for number, writer in enumerate(writers, start=1):
    os.dup2(writer.fileno(), number)
    writer.close()
  os.environ.update(environment)
  # A fork of the server has its limits and its random state, not those of a new process.
  resource.setrlimit(resource.RLIMIT_FSIZE, file_size_limit)
  np.random.seed()
  sys.argv = [module, *arguments]
  runpy.run_module(module, run_name="__main__", alter_sys=True)
