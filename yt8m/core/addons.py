# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Addons, on the TensorFlow that they were made for and on today's.

Addons ended in 2024. They import `keras.src.engine`, which Keras 3 no longer has, and
build on optimizers and layers of Keras 2. With the package `tf_keras`, which is Keras 2
for today's TensorFlow, and `TF_USE_LEGACY_KERAS=1`, which makes it `tf.keras`, all that
is missing is that name. Tried with Addons 0.23 on TensorFlow 2.18 and 2.21, Python 3.11;
the operations that Addons compiled do not load there.
"""

import importlib
import importlib.util
import sys
import warnings
from typing import Any

import tensorflow as tf

INSTALL = ("pip install 'yt8m[addons-current]' and set TF_USE_LEGACY_KERAS=1, or pip "
           "install 'yt8m[addons]' for TensorFlow 2.15")


def load() -> Any:
  """Imports TensorFlow Addons.

  Raises:
    ModuleNotFoundError: Addons are not installed.
    ImportError: Addons are installed, but cannot be loaded; the message says why.
  """
  if importlib.util.find_spec("tensorflow_addons") is None:
    raise ModuleNotFoundError(f"TensorFlow Addons are not installed: {INSTALL}.")
  if hasattr(tf.keras, "ops"):
    raise ImportError("TensorFlow Addons are installed, but need Keras 2, and tf.keras "
                      f"is Keras 3: {INSTALL}.")
  if tf.keras.layers.Layer.__module__.startswith("tf_keras."):
    engine: Any = importlib.import_module("tf_keras.src.engine")
    importlib.import_module("tf_keras.src.engine.keras_tensor")
    sys.modules.setdefault("keras.src.engine", engine)
    sys.modules.setdefault("keras.src.engine.keras_tensor", engine.keras_tensor)
  try:
    with warnings.catch_warnings():
      warnings.simplefilter("ignore", UserWarning)  # about the end of Addons
      return importlib.import_module("tensorflow_addons")
  except Exception as error:  # Whatever an old package does on a new one.
    raise ImportError(f"TensorFlow Addons are installed, but cannot be loaded "
                      f"({type(error).__name__}: {error}): {INSTALL}.") from error
