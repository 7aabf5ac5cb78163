# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Flags that name a trained model: a training directory, an archive or a SavedModel."""

import contextlib
import os
from collections.abc import Sequence

from absl import flags

from yt8m.artifacts import model_archive
from yt8m.artifacts import versions
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.configs import model_flags
from yt8m.configs import starter_flags
from yt8m.core import command_line
from yt8m.core import paths
from yt8m.core import temporaries
from yt8m.export.prediction import checkpoint
from yt8m.export.prediction import jobs

FLAGS = flags.FLAGS
# What is defined here belongs to the command that calls it, and to its --help.
flags.disclaim_key_flags()

_SOURCES = ("train_dir", "input_model_tgz", "saved_model")


def define(unless: Sequence[str] = ()) -> None:
  """Defines the flags. Call it last: the starter code's may be those of the command.

  Args:
    unless: Flags with which no model is needed.
  """
  paths.define("train_dir", "", "Directory that yt8m-train wrote.",
               must_exist="name the directory of a trained model")
  command_line.require_one(
      _SOURCES, "Give one of --train_dir, --input_model_tgz and --saved_model.", unless)
  checkpoints.define_flag()
  paths.define("input_model_tgz", "", "Model archive, instead of --train_dir.",
               must_exist="name an archive that --output_model_tgz wrote")
  paths.define("saved_model", "", "SavedModel of yt8m-export, of one model or of an "
               "ensemble, or a directory of versions, whose newest complete one is "
               "taken. Instead of --train_dir.",
               must_exist="name a directory that yt8m-export wrote")
  paths.define("untar_model_dir", "", "Directory to unpack --input_model_tgz into. "
               "Default: a temporary directory.")
  flags.DEFINE_float("max_model_gib", model_archive.DEFAULT_MAX_BYTES / 2**30, "Largest "
                     "number of GiB that --input_model_tgz may unpack to.", 0.0)
  model_flags.define_hparams()
  starter_flags.define()


def given() -> bool:
  """Whether a model is named."""
  return any(FLAGS[name].value for name in _SOURCES)


def check() -> None:
  """Raises ValueError unless the flags go together."""
  if FLAGS.saved_model:
    check_saved_model()


def check_saved_model() -> None:
  """Raises ValueError if there are flags that do not go with `--saved_model`."""
  if FLAGS.checkpoint:
    raise ValueError("--checkpoint is chosen when a --saved_model is exported "
                     "(yt8m-export --checkpoint).")
  if model_flags.hparams_given():
    raise ValueError("--hparams of a --saved_model are chosen when it is exported "
                     "(yt8m-export --hparams or --set).")
  starter_flags.refuse("a --saved_model describes itself, so leave the flag out.")


def chosen(stack: contextlib.ExitStack, compare: bool = True) -> jobs.Source:
  """Returns the model that the flags name.

  Args:
    stack: Stack that removes what is unpacked.
    compare: Whether flags of the starter code must be those of the model.
  """
  if FLAGS.saved_model:
    return versions.newest(FLAGS.saved_model, "--saved_model")
  train_dir = FLAGS.train_dir
  if FLAGS.input_model_tgz:
    train_dir = FLAGS.untar_model_dir or os.path.join(
        stack.enter_context(temporaries.scratch(purpose="yt8m-model")), "model")
    model_archive.unpack(FLAGS.input_model_tgz, train_dir, experiment.TRAIN_DIR,
                         int(FLAGS.max_model_gib * 2**30))
  trained = experiment.Experiment.load(train_dir)  # Refuses one that is not ours.
  if compare:
    starter_flags.check(trained, train_dir)
  model = checkpoint.Checkpoint.of_directory(
      train_dir, model_flags.hparams_given(), FLAGS.checkpoint)
  experiment.warn_if_unfinished(train_dir, model.path)
  return model
