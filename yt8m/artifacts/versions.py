# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The versions of a model: `<model_dir>/<number>/`, each a SavedModel.

`yt8m-export --versioned` renames a version into its place, so that it is complete when it
becomes visible.
"""

import os
import re

import tensorflow as tf
from absl import logging

from yt8m.artifacts.saved_model import GRAPH
from yt8m.artifacts.saved_model import SavedModel
from yt8m.core import fields


def find(model_dir: str) -> dict[int, SavedModel]:
  """Returns the versions in a directory by number, in ascending order.

  Args:
    model_dir: Directory of versions; or a SavedModel, which is its own version 1.
  """
  if SavedModel(model_dir).exists:
    return {1: SavedModel(model_dir)}
  names = tf.io.gfile.listdir(model_dir) if tf.io.gfile.isdir(model_dir) else []
  versions = {
      int(name): SavedModel(os.path.join(model_dir, name))
      # On gs://, names of directories end with a slash.
      for name in (name.rstrip("/") for name in names) if re.fullmatch("[0-9]+", name)}
  return {number: versions[number] for number in sorted(versions)
          if versions[number].exists}


def newest(path: str, flag: str) -> SavedModel:
  """Returns a SavedModel, or the newest complete one of a directory of versions.

  A version that is not complete is named in a warning.

  Args:
    path: SavedModel, or directory of versions of it.
    flag: Name of the flag in errors, e.g. `"--saved_model"`.

  Raises:
    FileNotFoundError: There is neither.
    ValueError: There are versions, but none is complete.
  """
  model = SavedModel(path)
  if model.exists:
    return model
  found = find(path)
  if not found:
    raise FileNotFoundError(
        f"{flag}={path} holds no SavedModel ({GRAPH} is not there), nor versions of one "
        "in folders whose names are numbers: export one with yt8m-export.")
  for number, version in reversed(found.items()):
    try:
      version.verify()
    except (OSError, ValueError) as error:
      logging.warning("Version %d is not complete: %s", number, fields.reason(error))
      continue
    logging.info("Version %d is the newest complete one in %s.", number, path)
    return version
  raise ValueError(f"{flag}={path} has no complete version, only damaged or half-copied "
                   f"ones: {', '.join(map(str, found))}. Copy or export one again.")
