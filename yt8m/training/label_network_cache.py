# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Keeps trained label networks in files: training one takes minutes, and it only depends
on the label sets, the size of the network and the seed.

    <directory>/<digest of all of these>.npz
"""

import hashlib
import json
import os
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import flags
from absl import logging

from yt8m.core import fields
from yt8m.core import files
from yt8m.core import paths
from yt8m.data import label_sets as label_set_files

# What is defined here belongs to the command that calls it, and to its --help.
flags.disclaim_key_flags()

# Changes whenever the same arguments give other weights.
_VERSION = 1


def define_flag() -> None:
  """Defines `--label_network_cache`."""
  paths.define("label_network_cache", None,
               "Directory of label networks. One that the same label sets have trained "
               "before, in any command, is read there; others are trained and kept "
               "there. Default: none are kept.")


def check(directory: str | None) -> None:
  """Makes the directory of `--label_network_cache`, before anything is computed.

  Args:
    directory: Value of the flag; None: no directory.

  Raises:
    ValueError: It cannot be made.
  """
  if not directory:
    return
  try:
    tf.io.gfile.makedirs(directory)
  except (OSError, tf.errors.OpError) as error:
    raise ValueError(f"--label_network_cache={directory} cannot be made "
                     f"({fields.reason(error)}): name another directory, or leave it out."
                     ) from error


def load_or_train(directory: str | None, label_sets: label_set_files.LabelSets,
                  settings: dict[str, Any], shapes: Sequence[tuple[int, ...]],
                  train: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
  """Returns the weights of a network from a file, or else from its training.

  A network that cannot be kept is returned all the same, with a warning.

  Args:
    directory: Directory of the files, local or remote; None: no files.
    label_sets: Label sets to learn from.
    settings: Everything else that the weights depend on, for JSON.
    shapes: Shapes of the weights.
    train: Function that trains the network.

  Raises:
    ValueError: The directory cannot be made, or the file of the network is damaged.
  """
  if not directory:
    return train()
  check(directory)
  path = os.path.join(directory, f"{_digest(label_sets, settings)}.npz")
  if files.exists(path):
    weights = read(path, shapes)
    logging.info("Read the label network of these label sets from %s.", path)
    return weights
  weights = train()
  try:
    with files.atomic_write(path, "wb") as file:
      np.savez(file, *weights)
  except (OSError, tf.errors.OpError) as error:
    logging.warning("The label network is not kept in --label_network_cache=%s: %s.",
                    directory, fields.reason(error))
  return weights


def read(path: str, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
  """Returns the weights in a file.

  Args:
    path: Path of the file.
    shapes: Shapes of the weights.

  Raises:
    ValueError: The file is damaged, or of another network.
  """
  try:
    with files.open_to_read(path, "rb") as file:
      arrays = np.load(file, allow_pickle=False)
      weights = [arrays[f"arr_{number}"] for number in range(len(shapes))]
  except Exception as error:  # any, depending on which bytes of a .npz are damaged
    raise ValueError(f"{path} is not the file of a label network "
                     f"({fields.reason(error)}): delete it.") from error
  if not all(isinstance(array, np.ndarray) and array.shape == shape
             and array.dtype == np.float32 and np.isfinite(array).all()
             for array, shape in zip(weights, shapes, strict=True)):
    raise ValueError(f"{path} is damaged: its weights are not finite numbers of the "
                     "shapes of the network. Delete it.")
  return weights


def _digest(label_sets, settings):
  digest = hashlib.sha256(json.dumps(
      [_VERSION, label_sets.num_classes, settings], sort_keys=True).encode())
  for values in (label_sets.classes, label_sets.sizes):
    digest.update(np.ascontiguousarray(values, np.int64).tobytes())
  return digest.hexdigest()[:32]
