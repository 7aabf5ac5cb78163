# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Flags of `yt8m-train` besides those of the model: data, training and machine."""

import math

import tensorflow as tf
from absl import flags

from yt8m.configs import checkpoints
from yt8m.configs import data_flag
from yt8m.core import command_line
from yt8m.core import feature_spec
from yt8m.core import paths
from yt8m.data import dataset
from yt8m.models import losses
from yt8m.training import label_network_cache
from yt8m.training import loop
from yt8m.training import optimizers
from yt8m.training import resume
from yt8m.training import strategies
from yt8m.training import validation
from yt8m.training import weight_averaging

# What is defined here belongs to the command that calls it, and to its --help.
flags.disclaim_key_flags()


def define_data() -> None:
  """Defines the flags of the records to train on."""
  data_flag.define({"train_data_pattern": dataset.TRAIN,
                    "eval_data_pattern": dataset.VALIDATE}, describes=True)
  paths.define_pattern(
      "train_data_pattern", "", "Training records: globs, separated by commas.")
  flags.DEFINE_string("feature_names", "mean_rgb", "Features of a record, in order.")
  flags.DEFINE_string("feature_sizes", "1024",
                      "Sizes of the features, in the same order.")
  feature_spec.define_record_flags()
  flags.DEFINE_bool("frame_features", False, "Whether records hold frames.")
  flags.DEFINE_bool("segment_labels", False, "Whether records hold rated segments.")
  flags.DEFINE_integer("batch_size", 1024, "Examples of a step, over all replicas.",
                       lower_bound=1)
  flags.DEFINE_integer("num_readers", 8, "Least number of files that are shuffled "
                       "together; of remote or compressed files, number that is read at "
                       "a time.", lower_bound=1)
  flags.DEFINE_integer("shuffle_buffer", None, "Number of records to shuffle at a time. "
                       "Default: 16384 of videos, 1024 of frames.", lower_bound=1)
  paths.define("vocabulary", None, "CSV with the names of the classes: vocabulary.csv of "
               "YouTube-8M, class_labels_indices.csv of AudioSet, or lines index,name. "
               "It is kept in --train_dir, and all commands show the names.",
               must_exist="name a CSV of class names")
  flags.DEFINE_bool("skip_corrupt_records", False,
                    "Whether to count damaged records and go on, instead of stopping.")
  flags.DEFINE_bool("skip_bad_records", False, "Count records that can be read but not "
                    "used, such as those of wrong types or with NaN, and go on without "
                    "each of them. --skip_corrupt_records is for damaged files instead.")


def define_training() -> None:
  """Defines the flags of the directory, the options and the steps of training."""
  paths.define("train_dir", None, "Directory of the model; required.")
  command_line.read_nothing_with("list", "describe", "show_config")
  command_line.require(
      "train_dir", "name the directory of the model", unless=("list", "describe"))
  command_line.require("train_data_pattern", "name the records to train on",
                       unless=("list", "describe", "show_config", "data"))
  flags.DEFINE_bool("start_new_model", False,
                    "Whether to delete the model in --train_dir instead of resuming it.")
  checkpoints.define_flag()
  flags.DEFINE_enum("resume", "exact", resume.MODES, "exact: refuses to go on from a "
                    "checkpoint if other records, or flags such as --seed, would leave "
                    "out or repeat examples. approximate: goes on with the same weights "
                    "and the same number of examples.")
  flags.DEFINE_bool("show_config", False, "Only print the model and every flag: its "
                    "value, and where it comes from.")
  flags.DEFINE_bool("list", False, "Only print all options by kind: recipes, fusions, "
                    "aggregations, classifiers, losses, optimizers and others.")
  flags.DEFINE_string("describe", None, "Only print what the option of this name is, its "
                      "hyperparameters, and its number of parameters for the features "
                      "and classes of the other flags. A name that options of several "
                      "kinds have can be given as kind:name.")
  flags.DEFINE_string("label_loss", losses.DEFAULT,
                      f"Loss of the labels: {', '.join(losses.LOSSES)}, or your own "
                      "class or function as my_package.my_module:MyLoss.")
  flags.DEFINE_float("regularization_penalty", 1.0, "Weight of the penalties of a model.",
                     lower_bound=0)
  flags.DEFINE_float("base_learning_rate", 0.01,
                     "Learning rate at the start, or after the warm-up.", lower_bound=0)
  flags.DEFINE_enum("learning_rate_schedule", "staircase", optimizers.SCHEDULES,
                    "staircase, as in the starter code: decays by --learning_rate_decay "
                    "every --learning_rate_decay_examples. cosine: decays to 0 at the "
                    "end of training, given by --max_steps, or by --num_epochs and the "
                    "estimated number of records. A run resumed with another end follows "
                    "the new curve.")
  flags.DEFINE_float("learning_rate_decay", 0.95, "Factor of each decay; staircase only.",
                     lower_bound=0)
  flags.DEFINE_float("learning_rate_decay_examples", 4000000,
                     "Number of examples between two decays; staircase only.",
                     lower_bound=1)
  flags.DEFINE_integer("warmup_examples", 0, "Number of examples over which the learning "
                       "rate rises from 0; cosine only.", lower_bound=0)
  flags.DEFINE_integer("num_epochs", loop.Schedule.num_epochs, "Passes over the data.",
                       lower_bound=1)
  flags.DEFINE_integer("max_steps", None, "Largest number of steps. Default: no limit.",
                       lower_bound=1)
  flags.DEFINE_string("optimizer", "AdamOptimizer",
                      "Optimizer of the starter code or of tf.keras.optimizers, or any "
                      "other Keras optimizer as my_package.my_module:MyClass.")
  flags.DEFINE_float("clip_gradient_norm", 1.0, "Largest gradient norm; 0: no clipping.",
                     lower_bound=0)
  flags.DEFINE_enum("gradient_clipping", "per_variable", optimizers.CLIPPING,
                    "Whether the norm is that of the gradient of each variable, as in "
                    "the starter code, or of all variables together.")
  flags.DEFINE_bool("start_from_prior", True, "Whether classifier biases start at the "
                    "log-odds of the class frequencies.")
  flags.DEFINE_integer("prior_examples", 100000, "Number of records, from all files, to "
                       "count class frequencies and label sets on.", lower_bound=1)
  paths.define("label_sets", None,
               "File of yt8m-label-sets: label sets of more videos than are trained "
               "on, for the class frequencies and for classifiers that learn from "
               "labels alone. Default: those of --prior_examples records.")
  paths.define_pattern("label_sets_exclude", None,
                       "Records whose videos are left out of --label_sets, such as those "
                       "that you evaluate on: globs, separated by commas.",
                       is_checked=False)
  label_network_cache.define_flag()
  flags.DEFINE_enum("weight_averaging", "none", weight_averaging.KINDS,
                    "ema: exponential moving averages of the weights. swa: means of the "
                    "weights at every --swa_steps-th step. Checkpoints hold both; "
                    "evaluation, prediction and export use the averages.")
  flags.DEFINE_float("ema_momentum", 0.999, "Share of an average that a step keeps. An "
                     "average covers about 1 / (1 - momentum) steps, which should be a "
                     "small part of training; ema only.",
                     lower_bound=0.0, upper_bound=1.0)
  flags.DEFINE_integer("averaging_start_step", None,
                       "Step whose weights are the first average. Default: 1. Required "
                       "for swa, for example the step after three quarters of training.",
                       lower_bound=1)
  flags.DEFINE_integer("swa_steps", 100, "Steps between two averaged steps; swa only.",
                       lower_bound=1)
  paths.define("teacher_predictions", None,
               "Predictions (yt8m-ensemble predict, yt8m-calibrate) of all videos of "
               "--train_data_pattern, to learn from besides the labels. A class "
               "without a prediction counts as 0.",
               must_exist="name a directory of yt8m-ensemble predict or yt8m-calibrate")
  flags.DEFINE_float("teacher_weight", 0.5, "Weight a in the loss of a video, (1 - a) "
                     "loss(scores, labels) + a loss(scores, teacher's scores).",
                     lower_bound=0, upper_bound=1)
  flags.DEFINE_float("mixup_alpha", 0.0, "Parameter a of the Beta(a, a) distribution of "
                     "the share of a video that is mixed with another one of its batch; "
                     "0: no mixing.", lower_bound=0)
  paths.define("initialize_from", None,
               "Training directory of a trained model. A new training starts with what "
               "fits of its weights, for classes of the same names (--vocabulary), and "
               "says what that is.")
  flags.DEFINE_string("freeze", None, "What is not trained: fusion, aggregation, "
                      "classifier, or beginnings of paths such as classifier/head, "
                      "separated by commas.")
  flags.DEFINE_float("pretrained_learning_rate_multiplier", 1.0, "Factor of the updates "
                     "of the weights that are taken from --initialize_from.",
                     lower_bound=0)
  flags.DEFINE_integer("seed", 0, "Seed of weights, order of records, and random draws.",
                       lower_bound=0)
  flags.DEFINE_integer("export_model_steps", loop.Schedule.checkpoint_steps,
                       "Number of steps between checkpoints.", lower_bound=1)
  flags.DEFINE_float("save_checkpoint_secs", loop.Schedule.checkpoint_secs,
                     "Largest number of seconds between checkpoints.", lower_bound=0)
  flags.DEFINE_integer("keep_checkpoints", loop.Schedule.keep_checkpoints,
                       "Number of checkpoints to keep, the newest ones; the best one "
                       "stays besides.", lower_bound=1)
  validation.define_flags()
  flags.DEFINE_integer("log_steps", loop.Schedule.log_steps,
                       "Number of steps between progress lines.", lower_bound=1)


def define_machine() -> None:
  """Defines the flags of the devices and of the precision."""
  flags.DEFINE_string("strategy", "auto",
                      f"Where to train: {', '.join(strategies.NAMES)}, tpu:<name>.")
  flags.DEFINE_integer("num_gpu", 1, "Largest number of GPUs to use.", lower_bound=0)
  flags.DEFINE_enum("precision", "float32",
                    ["float32", "mixed_bfloat16", "mixed_float16"],
                    "Precision of the layers.")
  flags.DEFINE_bool("jit_compile", None, "Whether to compile the model with XLA. "
                    "Default: on a CPU, models for which that is faster "
                    "(docs/performance.md).")
  flags.DEFINE_bool("deterministic", True, "Whether the same run gives the same "
                    "variables: fixes the order of records and the algorithms of the "
                    "device.")
  flags.DEFINE_bool("log_device_placement", False,
                    "Whether to log the device of every operation.")


def learning_rate(schedule: loop.Schedule
                  ) -> tf.keras.optimizers.schedules.LearningRateSchedule:
  """Returns the learning rate that the flags describe.

  Args:
    schedule: When training ends.

  Raises:
    ValueError: It depends on the end of training, which is unknown or too early.
  """
  values = flags.FLAGS
  if values.learning_rate_schedule == "cosine":
    return optimizers.cosine_decay(
        values.base_learning_rate, schedule.total_steps(schedule.epoch_steps),
        math.ceil(values.warmup_examples / values.batch_size))
  return optimizers.StaircaseDecay(
      values.base_learning_rate, values.learning_rate_decay,
      values.learning_rate_decay_examples, values.batch_size)


def check() -> None:
  """Refuses a flag that has no effect with or without another one.

  Raises:
    ValueError: There is one.
  """
  values = flags.FLAGS
  if values.checkpoint and values.start_new_model:
    raise ValueError("--checkpoint says where to go on, and --start_new_model starts "
                     "anew: give one of them.")
  for name, is_set, is_met, needed in (
      ("warmup_examples", values.warmup_examples,
       values.learning_rate_schedule == "cosine", "--learning_rate_schedule=cosine"),
      ("eval_steps", values.eval_steps, values.eval_data_pattern, "--eval_data_pattern"),
      ("early_stopping_patience", values.early_stopping_patience,
       values.eval_data_pattern, "--eval_data_pattern"),
      ("metrics", values.metrics, values.eval_data_pattern, "--eval_data_pattern"),
      ("label_sets_exclude", values.label_sets_exclude, values.label_sets,
       "--label_sets"),
      ("teacher_weight", values.teacher_weight != values["teacher_weight"].default,
       values.teacher_predictions, "--teacher_predictions"),
      ("pretrained_learning_rate_multiplier",
       values.pretrained_learning_rate_multiplier != 1, values.initialize_from,
       "--initialize_from")):
    if is_set and not is_met:
      raise ValueError(f"--{name}={values[name].value} needs {needed}: alone, it has no "
                       "effect.")
  label_network_cache.check(values.label_network_cache)
