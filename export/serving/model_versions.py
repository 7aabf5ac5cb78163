# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The versions of a served model: `<model_dir>/<number>/`, each a SavedModel.

A version is whole before it is seen: `yt8m-export --versioned` renames it into its
place. It is compared with its manifest, loaded and warmed up while the others go on
answering; a version that fails is reported, and the others stay.
"""

import os
import re
import threading

import numpy as np
import tensorflow as tf
from absl import logging

from yt8m.artifacts import manifest
from yt8m.export.saved_models import warmup

LATEST, ALL = "latest", "all"
# What loading and warming up raise for a SavedModel that is damaged or no model.
_UNUSABLE = (OSError, ValueError, TypeError, tf.errors.OpError)


def find(model_dir):
  """Which versions there are.

  Args:
    model_dir: a folder of versions; or a SavedModel, which is its own version 1.

  Returns:
    `{number: directory}`, ascending; empty, where there is nothing.
  """
  if _is_saved_model(model_dir):
    return {1: model_dir}
  names = tf.io.gfile.listdir(model_dir) if tf.io.gfile.isdir(model_dir) else []
  found = {}
  for name in (name.rstrip("/") for name in names):  # gs:// names folders with a slash
    path = os.path.join(model_dir, name)
    if re.fullmatch("[0-9]+", name) and _is_saved_model(path):
      found[int(name)] = path
  return dict(sorted(found.items()))


def check(model_dir):
  """Whether there is a version at all.

  Raises:
    FileNotFoundError: there is none.
  """
  if not find(model_dir):
    raise FileNotFoundError(
        f"--model_dir={model_dir} has no versions: expected SavedModels in folders whose "
        "names are numbers, as `yt8m-export --versioned` writes them, or one SavedModel.")


def _is_saved_model(path):
  return tf.io.gfile.exists(os.path.join(path, "saved_model.pb"))


class Version:
  """A SavedModel, loaded and warmed up.

  Args:
    number: its version.
    directory: compared with its manifest.

  Attributes:
    signatures: `{signature: {input: tf.TensorSpec}}`.

  Raises:
    ValueError, FileNotFoundError: see `manifest.verify`.
    tf.errors.OpError: it cannot be loaded, or a warm-up request that it carries fails.
  """

  def __init__(self, number, directory):
    manifest.verify(directory)
    self.number, self.directory = number, directory
    self._loaded = tf.saved_model.load(directory)
    self.signatures = {
        name: function.structured_input_signature[1]
        for name, function in self._loaded.signatures.items()}
    self._warm_up()

  def call(self, signature, inputs):
    """Returns what a signature answers, `{name: array}`."""
    outputs = self._loaded.signatures[signature](
        **{name: tf.constant(x, self.signatures[signature][name].dtype)
           for name, x in inputs.items()})
    return {name: output.numpy() for name, output in outputs.items()}

  def outputs(self, signature):
    """`{output: tf.TensorSpec}`."""
    return self._loaded.signatures[signature].structured_outputs

  def _warm_up(self):
    """Lets the first request find everything allocated."""
    for name, specs in self.signatures.items():
      try:
        self.call(name, {key: _blank(spec) for key, spec in specs.items()})
      except tf.errors.OpError as error:  # not every model takes an empty batch
        logging.warning("%s: a blank request to %s failed: %s", self.directory, name,
                        error.message.splitlines()[0])
    for name, inputs in warmup.read(self.directory):
      if name not in self.signatures:
        raise ValueError(f"{self.directory} has warm-up requests for a signature "
                         f"{name!r} that it has not: export it again.")
      self.call(name, inputs)


def _blank(spec):
  """No rows; of what is no batch, ones."""
  shape = [size or 0 for size in spec.shape]
  if spec.dtype == tf.string:
    return np.full(shape, b"", object)
  return np.ones(shape, spec.dtype.as_numpy_dtype)


class Versions:
  """The versions that are served; `refresh` looks for others.

  Args:
    model_dir: see `find`.
    policy: `"latest"` serves the highest number that can be loaded, `"all"` every one.
  """

  def __init__(self, model_dir, policy=LATEST):
    self._model_dir, self._policy = model_dir, policy
    self._loaded, self._errors = {}, {}
    self._refreshing = threading.Lock()
    self.refresh()

  def get(self, number=None):
    """A version, the highest by default.

    Raises:
      KeyError: it is not served.
    """
    loaded = self._loaded
    return loaded[max(loaded, default=None) if number is None else number]

  def status(self):
    """`{number: None, or the error for which it is not served}`, highest first."""
    status = {**self._errors, **dict.fromkeys(self._loaded)}
    return dict(sorted(status.items(), reverse=True))

  def refresh(self):
    """Loads versions that have come, and then lets go of those that are to go.

    Requests go on all the while; those that run keep their version until they end.
    Where nothing is left that can be loaded, what is served stays.
    """
    with self._refreshing:
      loaded, errors = {}, {}
      for number, directory in reversed(find(self._model_dir).items()):
        if number in self._loaded:
          loaded[number] = self._loaded[number]
        else:
          try:
            loaded[number] = Version(number, directory)
            logging.info("Version %d of %s is served.", number, directory)
          except _UNUSABLE as error:
            errors[number] = error
            # It may still be on its way: it is tried again, and reported once.
            if str(error) != str(self._errors.get(number)):
              logging.error("Version %d cannot be served: %s", number, error)
        if loaded and self._policy == LATEST:
          break
      self._loaded, self._errors = loaded or self._loaded, errors
