# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Flags of `yt8m-calibrate`."""

import tensorflow as tf
from absl import flags

from yt8m.configs import checkpoints
from yt8m.configs import data_flag
from yt8m.core import paths
from yt8m.data import dataset
from yt8m.training import calibrating
from yt8m.training import label_network_cache

# What is defined here belongs to the command that calls it, and to its --help.
flags.disclaim_key_flags()


def define() -> None:
  """Defines the flags."""
  paths.define("train_dir", "", "Directory of the model.",
               must_exist="name the directory of a trained model")
  paths.define("saved_model", "", "SavedModel of yt8m-export, of one model or of an "
               "ensemble, instead of --train_dir. --output_dir becomes a SavedModel.",
               must_exist="name a directory that yt8m-export wrote")
  checkpoints.define_flag()
  data_flag.define({"held_out_data_pattern": dataset.VALIDATE},
                   chosen="held_out_data_pattern")
  paths.define_pattern("held_out_data_pattern", "", "Records that the model was not "
                       "trained on: globs, separated by commas.")
  flags.DEFINE_integer(
      "num_folds", None, "Instead of --held_out_data_pattern: number of models to train "
      "with the flags of --train_dir, each without this part of its records.",
      lower_bound=2)
  flags.DEFINE_bool("keep_folds", False, "Keep the models of --num_folds beside "
                    "--output_dir, where another calibration finds them.")
  flags.DEFINE_list("parts", list(calibrating.PARTS), "Parts of the calibration to use: "
                    f"{', '.join(calibrating.PARTS)}.")
  flags.DEFINE_multi_string(
      "fold", [], "DIR=PATTERN, instead of --held_out_data_pattern: directory of a model "
      "like the one to calibrate, and records that this one was not trained on. May be "
      "repeated.")
  paths.define("label_sets", None, "File of yt8m-label-sets, with the labels of many "
               "videos. Default: those of the held-out records.")
  paths.define_pattern("label_sets_exclude", None, "Records whose videos are left out of "
                       "--label_sets, such as those of the evaluation.", is_checked=False)
  label_network_cache.define_flag()
  paths.define("output_dir", None, "Directory to write; required.")
  paths.define("predictions_output", None, "Directory to write as well: calibrated "
               "scores of the videos of each fold, by models and calibrations that have "
               "not seen them, as yt8m-train --teacher_predictions reads them.")
  flags.DEFINE_bool("overwrite", False, "Replace an existing --output_dir.")
  flags.DEFINE_integer("batch_size", 256, "Number of videos in a batch.", lower_bound=1)
  flags.DEFINE_integer("top_k", None, "Number of classes that serving_default of the "
                       "SavedModel returns. Default: 20, or all classes if they are "
                       "fewer.", lower_bound=1)
  flags.DEFINE_integer("max_videos", 20_000, "Number of held-out videos to use at most.",
                       lower_bound=100)
  flags.DEFINE_integer("seed", 0, "Seed of all random choices.", lower_bound=0)


def named_folds() -> list[tuple[str, str]]:
  """Returns the directory of each model, and the pattern of records it has not seen."""
  folds = []
  for value in flags.FLAGS.fold:
    words = value.split("=")
    pairs = [(paths.expand("=".join(words[:n])), "=".join(words[n:]))
             for n in range(1, len(words))]
    pairs = [pair for pair in pairs if all(pair)]
    if not pairs:
      raise ValueError(f"--fold={value} is not DIR=PATTERN, such as "
                       "--fold=model0=part0*.tfrecord.")
    # Both may have further equals signs.
    folds.append(next((pair for pair in pairs if tf.io.gfile.isdir(pair[0])), pairs[0]))
  return folds
