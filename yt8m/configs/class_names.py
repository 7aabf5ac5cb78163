# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The names of the classes of a training: given ones, or those that it keeps."""

import os

import tensorflow as tf

from yt8m.configs import experiment
from yt8m.core.vocabulary import Vocabulary


def of_training(train_dir: str | None, num_classes: int, path: str | None = None
                ) -> Vocabulary | None:
  """Returns the names of the classes for training: given ones, or those kept before.

  Args:
    train_dir: Directory whose training goes on, if there was one; None for a new model.
    num_classes: Number of classes.
    path: Value of `--vocabulary`.

  Raises:
    FileNotFoundError: There is no file at `path`.
    ValueError: It is no vocabulary of these classes.
  """
  if path:
    return Vocabulary.load(path, num_classes)
  # What is kept of another model is replaced, or an error of `check_same_model`.
  if train_dir and tf.io.gfile.exists(os.path.join(train_dir, experiment.CONFIG)):
    before = experiment.Experiment.load(train_dir)
    if before.num_classes == num_classes:
      return before.kept_names(train_dir)
  return None
