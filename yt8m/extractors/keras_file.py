# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Loads a `.keras` file whose configuration names nothing but layers of image networks.

Keras builds objects of any class that such a file names. Some layers of Keras itself load
code or files: `Lambda`, `TFSMLayer`, `TextVectorization`. So the classes are compared
with a list before Keras sees the file.
"""

import json
import zipfile
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from yt8m.core import fields

keras = tf.keras

_LAYERS = frozenset("""
    Activation Add Attention Average AveragePooling2D BatchNormalization CenterCrop
    Concatenate Conv2D Conv2DTranspose Cropping2D Dense DepthwiseConv2D Dropout ELU
    EinsumDense Flatten GaussianDropout GaussianNoise GlobalAveragePooling2D
    GlobalMaxPooling2D GroupNormalization Identity InputLayer LayerNormalization LeakyReLU
    MaxPooling2D Maximum Minimum MultiHeadAttention Multiply Normalization PReLU Permute
    ReLU Rescaling Reshape Resizing SeparableConv2D Softmax SpatialDropout2D Subtract
    UnitNormalization UpSampling2D ZeroPadding2D""".split())
_OTHERS = frozenset(("Functional", "Sequential", "DTypePolicy", "__keras_tensor__"))
# Modules of which every class computes only.
_MODULES = ("initializers", "regularizers", "constraints")
_CONFIG = "config.json"
_LONGEST = 2**26  # bytes of a configuration


def load(path: str) -> Any:
  """Loads a Keras model.

  Args:
    path: Path of a `.keras` file.

  Raises:
    FileNotFoundError: There is no such file.
    ValueError: It is no such file, or names a class that is not in the list.
  """
  try:
    with zipfile.ZipFile(path) as archive:
      if archive.getinfo(_CONFIG).file_size > _LONGEST:
        raise ValueError(f"its {_CONFIG} is too large")
      config = json.loads(archive.read(_CONFIG))
    config.pop("compile_config", None)  # which is not loaded
    refused = sorted(set(_refused(config)))
  except (*fields.UNFIT, zipfile.BadZipFile, NotImplementedError) as error:
    raise ValueError(f"{path} is not a model that Keras saved ({fields.reason(error)}): "
                     "save it again.") from error
  if refused:
    raise ValueError(
        f"{path} is refused: it names {', '.join(refused[:5])}, and only layers of image "
        "networks are loaded. If you trust this model, load it in Python and write it "
        "with model.export(directory): of a SavedModel, what it computes is checked.")
  try:
    return keras.models.load_model(path, compile=False, safe_mode=True)
  except Exception as error:  # any, depending on what is damaged
    raise ValueError(f"{path} cannot be loaded ({fields.reason(error)}): save it again "
                     "with this version of Keras.") from error


def _refused(value: Any) -> Iterator[str]:
  """Yields the classes in a configuration that are not in the list."""
  if isinstance(value, list):
    for inner in value:
      yield from _refused(inner)
  if not isinstance(value, dict):
    return
  name, module = value.get("class_name"), str(value.get("module"))
  if "class_name" in value and not (
      _is_of_keras(module) and (
          name in _LAYERS and "layers" in module.split(".")
          or name in _OTHERS
          or set(module.split(".")) & set(_MODULES))
      or name == "__keras_tensor__"):
    yield fields.printable(f"{module}.{name}", 100)
  for inner in value.values():
    yield from _refused(inner)


def _is_of_keras(module: str) -> bool:
  return module == "keras" or module.startswith("keras.")
