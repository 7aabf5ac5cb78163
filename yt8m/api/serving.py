# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A model as a SavedModel and as a server, from Python."""

import contextlib
import logging
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from typing import Any

import tensorflow as tf

from yt8m import models
from yt8m.configs import experiment
from yt8m.core import commands
from yt8m.core import types
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.saved_models import writer

_START_SECS = 300.0
_STOP_SECS = 60.0


def export_model(model: models.VideoModel, directory: types.PathLike, *,
                 max_frames: int = 300, top_k: int | None = None,
                 vocabulary: types.PathLike | None = None,
                 overwrite: bool = False) -> None:
  """Writes a model as a SavedModel, as `yt8m-export` does.

  `yt8m.load` and `yt8m.serve` read it, and so does TensorFlow Serving: name the directory
  by a number, such as `serving/1`.

  Args:
    model: Trained model.
    directory: Path of the SavedModel, which must not exist.
    max_frames: Number of frames of a video that count.
    top_k: Number of classes that the server returns. Default: 20, or all if fewer.
    vocabulary: Path of a CSV with the names of the classes, as for `yt8m-train`.
    overwrite: Whether a SavedModel of ours at this path is replaced.

  Raises:
    FileExistsError: There is something at this path that must stay.
    ValueError: `top_k` is out of range, or the CSV is no vocabulary of these classes.
  """
  names = Vocabulary.load(vocabulary, model.num_classes) if vocabulary else None
  model.build_variables()
  tf.get_logger().addFilter(_is_warning)
  writer.save(experiment.Experiment(model.get_config(), max_frames), model,
              os.path.expanduser(os.fspath(directory)), top_k=top_k, names=names,
              overwrite=overwrite)


def _is_warning(record: logging.LogRecord) -> bool:
  """Leaves out what TensorFlow logs about every SavedModel that it writes."""
  return record.levelno >= logging.WARNING


class Server:
  """A running `yt8m-serve`; made by `yt8m.serve`, and stopped at the end of a `with`.

  Attributes:
    url: Address of the model. Requests go to `<url>:predict`.
  """

  def __init__(self, process: subprocess.Popen, url: str):
    self._process, self.url = process, url

  def stop(self) -> None:
    """Ends the server, after the requests that have arrived."""
    self._process.terminate()
    try:
      self._process.wait(_STOP_SECS)
    except subprocess.TimeoutExpired:
      self._process.kill()
      self._process.wait()

  def __enter__(self) -> "Server":
    return self

  def __exit__(self, *exception: Any) -> None:
    self.stop()


def serve(directory: types.PathLike, port: int = 8501, model_name: str = "default",
          **flags: Any) -> Server:
  """Starts a server in a process of its own, and returns when it is ready.

      with yt8m.serve("serving") as server:
        requests.post(f"{server.url}:predict", json={"instances": [{"b64": record}]})

  Args:
    directory: SavedModel, or directory of versions of it.
    port: Port to listen at, on this machine only unless `host` is given.
    model_name: Name of the model in the address.
    **flags: Further flags of `yt8m-serve`, such as `num_replicas=2`.

  Returns:
    The running server.

  Raises:
    RuntimeError: The server does not start; the message is its own.
  """
  host = str(flags.get("host", "127.0.0.1"))
  url = f"http://{host}:{port}/v1/models/{model_name}"
  words = [f"--{name}={value}" for name, value in {
      "model_dir": os.path.expanduser(os.fspath(directory)), "port": port,
      "model_name": model_name, **flags}.items()]
  with tempfile.TemporaryFile() as log:
    process = subprocess.Popen(commands.as_process("yt8m-serve", *words), stdout=log,
                               stderr=subprocess.STDOUT)
    server, began = Server(process, url), time.monotonic()
    while process.poll() is None:
      with contextlib.suppress(OSError, urllib.error.HTTPError), urllib.request.urlopen(
          url, timeout=5):
        return server
      if time.monotonic() - began > _START_SECS:
        server.stop()
      time.sleep(0.2)
    log.seek(0)
    text = log.read().decode(errors="replace").strip()
  raise RuntimeError("The server did not start: " + "\n".join(text.splitlines()[-5:]))
