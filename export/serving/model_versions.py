# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The versions of a served model that are loaded.

A new version is compared with its manifest, loaded and warmed up while the others answer
requests. A version that fails is reported, and the others stay.
"""

import os
import threading
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2

from yt8m.artifacts import versions
from yt8m.artifacts.saved_model import GRAPH
from yt8m.artifacts.saved_model import Contract
from yt8m.artifacts.saved_model import SavedModel
from yt8m.core import files
from yt8m.core import registry
from yt8m.data import diagnosis
from yt8m.export.saved_models import warmup
from yt8m.export.serving import record_bytes
from yt8m.export.serving.rest_api import Arrays
from yt8m.export.serving.rest_api import Specs

LATEST, ALL = "latest", "all"


def check(model_dir: str) -> None:
  """Checks that a directory has at least one version.

  Raises:
    FileNotFoundError: There is none.
  """
  if not versions.find(model_dir):
    raise FileNotFoundError(
        f"--model_dir={model_dir} has no versions: expected SavedModels in directories "
        "whose names are numbers, as `yt8m-export --versioned` writes them, or one "
        "SavedModel.")


class Version:
  """A version of the model, loaded and warmed up.

  Args:
    number: Number of the version.
    model: SavedModel of the version, compared with its manifest.

  Attributes:
    signatures: Inputs of each signature, by name.
    signature_defs: Signatures in the JSON format of protobuf.
    contract: What the model reads; None if yt8m-export did not write it.
    names: Names of the classes; None if there are none.

  Raises:
    FileNotFoundError: A file of the SavedModel is missing.
    ValueError: A file of the SavedModel is damaged.
    tf.errors.OpError: The SavedModel cannot be loaded, or a stored warm-up request fails.
  """

  def __init__(self, number: int, model: SavedModel):
    self.number, self.directory = number, model.directory
    self._loaded = model.load()
    # Now, because the files may be gone when somebody asks.
    self.signature_defs = _signature_defs(model.directory)
    self.contract = _contract(model)
    self.names = model.vocabulary if self.contract else None
    self._reader = self.contract.reader() if self.contract else None
    self.signatures: dict[str, Specs] = {
        name: function.structured_input_signature[1]
        for name, function in self._loaded.signatures.items()}
    self._warm_up()

  def call(self, signature: str, inputs: Arrays) -> Arrays:
    """Returns the outputs of a signature for inputs, arrays by name."""
    outputs = self._loaded.signatures[signature](
        **{name: tf.constant(x, self.signatures[signature][name].dtype)
           for name, x in inputs.items()})
    return {name: output.numpy() for name, output in outputs.items()}

  def outputs(self, signature: str) -> Specs:
    """Returns the outputs of a signature, by name."""
    return self._loaded.signatures[signature].structured_outputs

  def fault(self, inputs: Arrays) -> str:
    """Returns what is wrong with the first bad record of a request, or `""`."""
    if self._reader:
      for row, record in enumerate(inputs.get(record_bytes.INPUT, np.empty(0)).flat):
        fault = diagnosis.examine(record, self._reader.explain)
        if fault:
          return f"Record {row} of the request {fault.text}"
    return ""

  def _warm_up(self):
    """Calls every signature once, because the first call is slow."""
    for name, specs in self.signatures.items():
      try:
        self.call(name, {key: _blank(spec) for key, spec in specs.items()})
      except tf.errors.OpError as error:  # not every model accepts an empty batch
        logging.warning("%s: a blank request to %s failed: %s", self.directory, name,
                        error.message.splitlines()[0])
    for name, inputs in warmup.read(self.directory):
      if name not in self.signatures:
        raise ValueError(f"{self.directory} has warm-up requests for the signature "
                         f"{name!r}, which it does not have: export it again.")
      self.call(name, inputs)


def _contract(model: SavedModel) -> Contract | None:
  """Returns the contract of a model, None if yt8m-export did not write it."""
  try:
    return model.contract
  except (OSError, ValueError):
    return None


def _signature_defs(directory: str) -> dict[str, Any]:
  with files.open_to_read(os.path.join(directory, GRAPH), "rb") as file:
    graph = saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs[0]
  # By position, because protobuf has renamed the argument for fields with defaults.
  return {name: json_format.MessageToDict(signature, True, True)
          for name, signature in sorted(graph.signature_def.items())
          if signature.method_name}


def _blank(spec: tf.TensorSpec) -> np.ndarray:
  """Returns an array without rows; ones, if the input has no rows."""
  shape = [size or 0 for size in spec.shape]
  if spec.dtype == tf.string:
    return np.full(shape, b"", object)
  return np.ones(shape, spec.dtype.as_numpy_dtype)


def _first_line(error: Exception) -> str:
  return (str(error) or repr(error)).strip().splitlines()[0]


class Versions:
  """The versions that are served; `refresh` updates them.

  Args:
    model_dir: Directory of versions, or a SavedModel; see `versions.find`.
    policy: `LATEST` serves the highest number that can be loaded, `ALL` every number.
    allow_code: Value of `--allow_code`.
  """

  def __init__(self, model_dir: str, policy: str = LATEST,
               allow_code: tuple[str, ...] = ()):
    self._model_dir, self._policy, self._allow_code = model_dir, policy, allow_code
    self._loaded: dict[int, Version] = {}
    self._errors: dict[int, Exception] = {}
    self._refreshing = threading.Lock()
    self.refresh()

  def get(self, number: int | None = None) -> Version:
    """Returns a version, by default the highest one.

    Raises:
      KeyError: The version is not served.
    """
    loaded: dict[Any, Version] = self._loaded
    return loaded[max(loaded, default=None) if number is None else number]

  @property
  def model_dir(self) -> str:
    """Path that `versions.find` searches; no client should learn it."""
    return self._model_dir

  @property
  def loaded(self) -> bool:
    """Whether any version is served."""
    return bool(self._loaded)

  def status(self) -> dict[int, Exception | None]:
    """Returns the error of each version, None if it is served; highest number first."""
    status = {**self._errors, **dict.fromkeys(self._loaded)}
    return dict(sorted(status.items(), reverse=True))

  def refresh(self) -> None:
    """Loads new versions, and then drops those that are no longer to be served.

    Requests are answered all the time, and a running request keeps its version. If no
    version can be loaded, those that are served stay.
    """
    with self._refreshing:
      loaded, errors = {}, {}
      with registry.allow_code(self._allow_code):
        found = versions.find(self._model_dir)
      for number, model in reversed(found.items()):
        if number in self._loaded:
          loaded[number] = self._loaded[number]
        else:
          try:
            loaded[number] = Version(number, model)
            logging.info("Version %d of %s is served.", number, model.directory)
          except Exception as error:  # any, of files that are damaged or half copied
            errors[number] = error
            # It may still be being copied: it is tried again, but reported only once.
            if str(error) != str(self._errors.get(number)):
              logging.error("Version %d cannot be served, and is tried again: %s",
                            number, _first_line(error))
        if loaded and self._policy == LATEST:
          break
      self._loaded, self._errors = loaded or self._loaded, errors
