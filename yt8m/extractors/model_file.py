# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A user's own image network as an extractor: SavedModel, Keras model or TFLite file."""

import os
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.artifacts import saved_model
from yt8m.core import checksum
from yt8m.core import fields
from yt8m.core import registry
from yt8m.extractors import base
from yt8m.extractors import efficientnet
from yt8m.extractors import keras_file
from yt8m.extractors import tflite_file

ENDINGS = (".keras", ".tflite")
# What 0 and 255 of a pixel become.
RANGES = {"0,1": (0.0, 1.0), "-1,1": (-1.0, 1.0), "0,255": (0.0, 255.0)}
_SIGNATURE = "serving_default"


def is_model(path: str) -> bool:
  """Whether a path names a model that `ModelFileExtractor` loads, by its name only."""
  return path.endswith(ENDINGS) or saved_model.SavedModel(path).exists


class ModelFileExtractor(base.Extractor):
  """Features of frames by a model file.

  The model takes one input, (n, height, width, 3), and gives one output, (n, size), or a
  map (n, h, w, size), whose mean over space counts. It is read from disk with the checks
  of all models: its graph may only compute.

  Args:
    path: Path of a SavedModel directory (its signature `serving_default`), of a `.keras`
      file, or of a `.tflite` file.
    input_range: One of `RANGES`: what the numbers 0 to 255 of a pixel become for a model
      that takes floats. A model that takes uint8 gets them as they are.

  Raises:
    FileNotFoundError: There is no such model.
    ValueError: The model takes or gives something else, or is refused.
  """
  modalities = (base.RGB,)
  dtypes = {base.RGB: "float16"}

  def __init__(self, path: str, input_range: str = "0,1"):
    super().__init__()
    if input_range not in RANGES:
      raise registry.unknown("--input_range", input_range, RANGES)
    self.name, self._range = os.path.basename(os.path.normpath(path)), input_range
    self._path = path
    function, shape, dtype = _load(path)
    if len(shape) != 4 or shape[3] != 3 or shape[0] not in (None, 1):
      raise ValueError(f"{path} takes {shape}, but a model of frames takes (any number, "
                       "height, width, 3).")
    if dtype not in (tf.uint8, tf.float32, tf.float16):
      raise ValueError(f"{path} takes {dtype.name}, but a model of frames takes floats "
                       "or uint8.")
    self._function, self._dtype, self._one = function, dtype, shape[0] == 1
    if shape[1] and shape[2]:
      self.frame_size = shape[1], shape[2]
    height, width = self.frame_size or (efficientnet.SIDE, efficientnet.SIDE)
    self.sizes = {base.RGB: self.extract_frames(
        np.zeros((1, height, width, 3), np.uint8)).shape[1]}

  def extract_frames(self, rgb: np.ndarray) -> np.ndarray:
    if self.frame_size is not None:
      rgb = efficientnet.resized(rgb, *self.frame_size).numpy()
    if not len(rgb) or (self._one and len(rgb) != 1):
      rows = [self.extract_frames(frame[np.newaxis]) for frame in rgb]
      return np.concatenate([np.empty((0, self.sizes[base.RGB]), np.float32), *rows])
    x = tf.cast(rgb, self._dtype)
    if self._dtype != tf.uint8:
      low, high = RANGES[self._range]
      x = x * ((high - low) / 255.0) + low
    try:
      features = np.asarray(self._function(x), np.float32)
    except (*fields.UNFIT, tf.errors.OpError, RuntimeError) as error:
      raise ValueError(f"{self._path} cannot compute features of {len(rgb)} frames of "
                       f"{rgb.shape[1]} x {rgb.shape[2]} ({fields.reason(error)[:300]})."
                       ) from error
    if features.ndim == 4:
      features = features.mean((1, 2))
    if features.ndim != 2 or len(features) != len(rgb):
      raise ValueError(f"{self._path} gives {features.shape} for {len(rgb)} frames, but "
                       "an extractor gives (frames, size).")
    return features

  def digests(self) -> Sequence[str]:
    if os.path.isdir(self._path):
      return [saved_model.SavedModel(self._path).fingerprint]
    return [checksum.of_file(self._path)]

  @property
  def config(self) -> dict[str, Any]:
    return {**super().config, "input_range": self._range}


Loaded = tuple[Callable[[tf.Tensor], Any], tuple[int | None, ...], tf.DType]


def _load(path: str) -> Loaded:
  """Returns a model as a function, and the shape and type of its input."""
  if path.endswith(".tflite"):
    return tflite_file.load(path)
  if path.endswith(".keras"):
    return _of_keras(path)
  return _of_saved_model(path)


def _of_keras(path: str) -> Loaded:
  if not os.path.isfile(path):
    raise FileNotFoundError(f"{path} does not exist.")
  model = keras_file.load(path)
  if len(model.inputs) != 1 or len(model.outputs) != 1:
    raise ValueError(f"{path} has {len(model.inputs)} inputs and {len(model.outputs)} "
                     "outputs, but an extractor has one of both.")
  shape = tuple(model.inputs[0].shape)
  dtype = tf.as_dtype(model.inputs[0].dtype)
  return (tf.function(lambda x: model(x, training=False), input_signature=[
      tf.TensorSpec(shape, dtype)]), shape, dtype)


def _of_saved_model(path: str) -> Loaded:
  directory = saved_model.SavedModel(path)
  directory.check_exists()
  loaded = directory.load()
  if _SIGNATURE not in getattr(loaded, "signatures", ()):
    raise ValueError(f"{path} has no signature {_SIGNATURE}: export the model again.")
  signature = loaded.signatures[_SIGNATURE]
  inputs = signature.structured_input_signature[1]
  if len(inputs) != 1 or len(signature.structured_outputs) != 1:
    given = ", ".join(sorted(signature.structured_outputs))
    raise ValueError(f"{path} takes {', '.join(inputs)} and gives {given}, but an "
                     "extractor has one of both.")
  [(name, spec)] = inputs.items()
  shape = tuple(spec.shape) if spec.shape.rank is not None else ()

  def call(x):
    # Looked up here: signatures live only as long as the object that was loaded.
    [output] = loaded.signatures[_SIGNATURE](**{name: x}).values()
    return output

  return call, shape, spec.dtype
