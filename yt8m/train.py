# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-train`: trains a model on records.

    yt8m-train --train_data_pattern='train*.tfrecord' --train_dir=model \
        --feature_names=mean_rgb,mean_audio --feature_sizes=1024,128 --model=MoeModel

To resume a training that was stopped, run the same command again. With `--show_config`,
it shows the model and the value of every flag instead of training.

    yt8m-train --list
    yt8m-train --describe=netvlad --frame_features --feature_names=rgb,audio \
        --feature_sizes=1024,128

show all options, and one of them in full: equation, hyperparameters, reference and number
of parameters.
"""

import contextlib
import json
import math
import sys

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.configs import model_flags
from yt8m.configs import recipes
from yt8m.core import command
from yt8m.core import devices
from yt8m.core import feature_spec
from yt8m.core import locks
from yt8m.core import paths
from yt8m.core import types
from yt8m.core import vocabulary
from yt8m.data import missing_features
from yt8m.data import reader_base
from yt8m.data import readers
from yt8m.data import records
from yt8m.eval.predictions import store
from yt8m.models import losses
from yt8m.training import describing
from yt8m.training import feature_start
from yt8m.training import label_start
from yt8m.training import loop
from yt8m.training import mixup
from yt8m.training import optimizers
from yt8m.training import option_size
from yt8m.training import resume
from yt8m.training import step as train_step
from yt8m.training import strategies
from yt8m.training import teacher
from yt8m.training import validation
from yt8m.training import weight_averaging

keras = tf.keras

FLAGS = flags.FLAGS

# ---------------------------------------------------------------- data
paths.define_pattern(
    "train_data_pattern", "", "Training records: globs, separated by commas.")
flags.DEFINE_string("feature_names", "mean_rgb", "Features of a record, in order.")
flags.DEFINE_string("feature_sizes", "1024", "Sizes of the features, in the same order.")
feature_spec.define_dtypes_flag()
flags.DEFINE_bool("frame_features", False, "Whether records hold frames.")
flags.DEFINE_bool("segment_labels", False, "Whether records hold rated segments.")
flags.DEFINE_integer("batch_size", 1024, "Examples of a step, over all replicas.",
                     lower_bound=1)
flags.DEFINE_integer("num_readers", 8, "Least number of files that are shuffled "
                     "together; of remote or compressed files, number that is read at a "
                     "time.", lower_bound=1)
flags.DEFINE_integer("shuffle_buffer", None, "Number of records to shuffle at a time. "
                     "Default: 16384 of videos, 1024 of frames.", lower_bound=1)
paths.define("vocabulary", None, "CSV with the names of the classes: vocabulary.csv of "
             "YouTube-8M, class_labels_indices.csv of AudioSet, or lines index,name. It "
             "is kept in --train_dir, and all commands show the names.")
flags.DEFINE_bool("skip_corrupt_records", False,
                  "Whether to count damaged records and go on, instead of stopping.")
flags.DEFINE_bool("skip_bad_records", False, "Count records that can be read but not "
                  "used, such as those of wrong types or with NaN, and go on without "
                  "each of them. --skip_corrupt_records is for damaged files instead.")

# ---------------------------------------------------------------- model
model_flags.define()

# ---------------------------------------------------------------- training
paths.define("train_dir", None, "Directory of the model; required.")
flags.register_validator(
    "train_dir", lambda value: value or FLAGS["list"].value or FLAGS["describe"].value,
    "Flag --train_dir must have a value.")
flags.DEFINE_bool("start_new_model", False,
                  "Whether to delete the model in --train_dir instead of resuming it.")
checkpoints.define_flag()
flags.DEFINE_enum("resume", "exact", resume.MODES, "exact: refuses to go on from a "
                  "checkpoint if other records, or flags such as --seed, would leave out "
                  "or repeat examples. approximate: goes on with the same weights and "
                  "the same number of examples.")
flags.DEFINE_bool("show_config", False, "Only print the model and every flag: its value, "
                  "and where it comes from.")
flags.DEFINE_bool("list", False, "Only print all options by kind: recipes, fusions, "
                  "aggregations, classifiers, losses, optimizers and others.")
flags.DEFINE_string("describe", None, "Only print what the option of this name is, its "
                    "hyperparameters, and its number of parameters for the features and "
                    "classes of the other flags. A name that options of several kinds "
                    "have can be given as kind:name.")
flags.DEFINE_string("label_loss", "CrossEntropyLoss",
                    f"Loss of the labels: {', '.join(losses.LOSSES)}.")
flags.DEFINE_float("regularization_penalty", 1.0, "Weight of the penalties of a model.",
                   lower_bound=0)
flags.DEFINE_float("base_learning_rate", 0.01,
                   "Learning rate at the start, or after the warm-up.", lower_bound=0)
flags.DEFINE_enum("learning_rate_schedule", "staircase", optimizers.SCHEDULES,
                  "staircase, as in the starter code: decays by --learning_rate_decay "
                  "every --learning_rate_decay_examples. cosine: decays to 0 at the end "
                  "of training, given by --max_steps, or by --num_epochs and the "
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
                    "Optimizer of the starter code or of tf.keras.optimizers.")
flags.DEFINE_float("clip_gradient_norm", 1.0, "Largest gradient norm; 0: no clipping.",
                   lower_bound=0)
flags.DEFINE_enum("gradient_clipping", "per_variable", optimizers.CLIPPING,
                  "Whether the norm is that of the gradient of each variable, as in the "
                  "starter code, or of all variables together.")
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
                     "that you evaluate on: globs, separated by commas.")
flags.DEFINE_enum("weight_averaging", "none", weight_averaging.KINDS,
                  "ema: exponential moving averages of the weights. swa: means of the "
                  "weights at every --swa_steps-th step. Checkpoints hold both; "
                  "evaluation, prediction and export use the averages.")
flags.DEFINE_float("ema_momentum", 0.999, "Share of an average that a step keeps. An "
                   "average covers about 1 / (1 - momentum) steps, which should be a "
                   "small part of training; ema only.", lower_bound=0.0, upper_bound=1.0)
flags.DEFINE_integer("averaging_start_step", None,
                     "Step whose weights are the first average. Default: 1. Required for "
                     "swa, for example the step after three quarters of training.",
                     lower_bound=1)
flags.DEFINE_integer("swa_steps", 100, "Steps between two averaged steps; swa only.",
                     lower_bound=1)
paths.define("teacher_predictions", None,
             "Predictions (yt8m-ensemble predict, yt8m-calibrate) of all videos of "
             "--train_data_pattern, to learn from besides the labels. A class "
             "without a prediction counts as 0.")
flags.DEFINE_float("teacher_weight", 0.5, "Weight a in the loss of a video, (1 - a) "
                   "loss(scores, labels) + a loss(scores, teacher's scores).",
                   lower_bound=0, upper_bound=1)
flags.DEFINE_float("mixup_alpha", 0.0, "Parameter a of the Beta(a, a) distribution of "
                   "the share of a video that is mixed with another one of its batch; 0: "
                   "no mixing.", lower_bound=0)
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

# ---------------------------------------------------------------- machine
flags.DEFINE_string("strategy", "auto",
                    f"Where to train: {', '.join(strategies.NAMES)}, tpu:<name>.")
flags.DEFINE_integer("num_gpu", 1, "Largest number of GPUs to use.", lower_bound=0)
flags.DEFINE_enum("precision", "float32",
                  ["float32", "mixed_bfloat16", "mixed_float16"],
                  "Precision of the layers.")
flags.DEFINE_bool("jit_compile", None, "Whether to compile the model with XLA. Default: "
                  "on a CPU, models for which that is faster (docs/performance.md).")
flags.DEFINE_bool("deterministic", True, "Whether the same run gives the same variables: "
                  "fixes the order of records and the algorithms of the device.")
flags.DEFINE_bool("log_device_placement", False,
                  "Whether to log the device of every operation.")


@model_flags.named_code_allowed("label_loss", "describe")
def main() -> None:
  if FLAGS.list:
    print(describing.listing())
    return
  if FLAGS.describe:
    print("\n\n".join(_described(*found) for found in describing.find(FLAGS.describe)))
    return
  recipes.RECIPES[FLAGS.model].set_flag_defaults()
  values = {flag.name: flag.value for flag in FLAGS.get_flags_for_module(__name__)
            if flag.name not in ("recipe", "show_config", "list", "describe", "set")}
  values["hparams"] = model_flags.hparams_given()
  spec = feature_spec.FeatureSpec.from_flags(
      FLAGS.feature_names, FLAGS.feature_sizes, FLAGS.frame_features,
      FLAGS.segment_labels, FLAGS.feature_dtypes)
  options = model_flags.chosen_options()
  if FLAGS.show_config:
    model = models.VideoModel(FLAGS.num_classes, spec, **options)
    print(json.dumps(model.get_config(), indent=2))
    for name, value in values.items():
      print(f"{f'--{name}={value}':<50} {model_flags.origin(name)}")
    return
  _check_flags()
  names = experiment.names_of_classes(
      None if FLAGS.start_new_model else FLAGS.train_dir, FLAGS.num_classes,
      FLAGS.vocabulary)
  values["vocabulary"] = names and names.digest  # The path may be of another machine.
  # First, because collectives are set up before anything is computed.
  strategy = strategies.make_strategy(FLAGS.strategy, FLAGS.num_gpu)
  with contextlib.ExitStack() as stack:
    if strategies.is_chief(strategy):
      experiment.TRAIN_DIR.refuse_links(FLAGS.train_dir)
      stack.enter_context(locks.hold(
          FLAGS.train_dir, "trains", remedy="choose another --train_dir"))
    training = _train(strategy, spec, options, values, names)
  if training.stopped_by:  # The exit status of a signal also stops `&&`.
    sys.exit(128 + training.stopped_by)


def _train(strategy: tf.distribute.Strategy, spec: feature_spec.FeatureSpec,
           options: types.Config, values: types.Config,
           names: vocabulary.Vocabulary | None) -> loop.Training:
  """Trains with all flags, and in particular with `options` of the model.

  Args:
    strategy: Where to train.
    spec: Features to train on.
    options: Arguments of the model.
    values: Flags and their values, for `config.json`.
    names: Names of the classes.
  """
  # ---------------------------------------------------------------- machine
  keras.utils.set_random_seed(FLAGS.seed)
  if FLAGS.deterministic:
    tf.config.experimental.enable_op_determinism()
  tf.debugging.set_log_device_placement(FLAGS.log_device_placement)
  keras.mixed_precision.set_global_policy(FLAGS.precision)

  # ---------------------------------------------------------------- data
  reader = readers.make_reader(spec, FLAGS.num_classes, FLAGS.max_frames)
  files = paths.match(FLAGS.train_data_pattern, "--train_data_pattern")
  missing_features.check(files, reader.expected, reader.explain, "--train_data_pattern")
  excluded = (paths.match(FLAGS.label_sets_exclude, "--label_sets_exclude")
              if FLAGS.label_sets_exclude else [])

  def read(batch_size, **arguments):
    return reader.dataset(
        FLAGS.train_data_pattern, batch_size, training=True,
        shuffle_buffer=FLAGS.shuffle_buffer, num_readers=FLAGS.num_readers,
        seed=FLAGS.seed, deterministic=FLAGS.deterministic,
        skip_corrupt_records=FLAGS.skip_corrupt_records,
        skip_bad_records=FLAGS.skip_bad_records, **arguments)

  def make_dataset(epoch, skip_examples, context):
    dataset = read(
        strategies.pipeline_batch_size(context, FLAGS.batch_size),
        # For TPUs, every batch must have the same shape.
        drop_remainder=isinstance(strategy, tf.distribute.TPUStrategy),
        epoch=epoch, skip_examples=skip_examples, input_pipeline=context)
    if taught:
      dataset = taught.attach(dataset)
    if FLAGS.mixup_alpha:
      dataset = mixup.attach(dataset, FLAGS.mixup_alpha, FLAGS.seed, epoch)
    return devices.prefetched(dataset, strategy)

  # ---------------------------------------------------------------- model
  schedule = loop.Schedule(
      FLAGS.batch_size, FLAGS.num_epochs, FLAGS.max_steps, FLAGS.export_model_steps,
      FLAGS.save_checkpoint_secs, FLAGS.log_steps, records.estimate_count(files),
      FLAGS.keep_checkpoints, FLAGS.eval_steps)
  if FLAGS.learning_rate_schedule == "cosine":
    rate = optimizers.cosine_decay(
        FLAGS.base_learning_rate, schedule.total_steps(schedule.epoch_steps),
        math.ceil(FLAGS.warmup_examples / FLAGS.batch_size))
  else:
    rate = optimizers.StaircaseDecay(
        FLAGS.base_learning_rate, FLAGS.learning_rate_decay,
        FLAGS.learning_rate_decay_examples, FLAGS.batch_size)
  with strategy.scope():
    model = models.VideoModel(FLAGS.num_classes, spec, **options).build_variables()
    optimizer = optimizers.make_optimizer(FLAGS.optimizer, rate)
    if FLAGS.precision == "mixed_float16":
      optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
  loss, taught = losses.LOSSES[FLAGS.label_loss](), None
  if FLAGS.teacher_predictions:
    teacher.check(loss, model, FLAGS.teacher_weight, FLAGS.segment_labels)
    taught = teacher.Teacher(
        store.PredictionStore.open(FLAGS.teacher_predictions), FLAGS.num_classes)

  if FLAGS.mixup_alpha:
    mixup.check(loss, model, FLAGS.mixup_alpha,
                FLAGS.batch_size // strategy.num_replicas_in_sync, FLAGS.segment_labels)

  if values["jit_compile"] is None:
    values["jit_compile"] = train_step.gains_from_xla(model)

  # ---------------------------------------------------------------- directory
  chief = strategies.is_chief(strategy)
  described = resume.describe(values, files, strategies.num_workers(strategy))
  resume_from = None if FLAGS.start_new_model else resume.find(
      FLAGS.train_dir, FLAGS.checkpoint, described, FLAGS.resume, chief)
  if chief:
    config = model.get_config()
    experiment.prepare(
        FLAGS.train_dir, experiment.Experiment(config, FLAGS.max_frames, values),
        FLAGS.start_new_model, names)
    logging.info("Model: %s", json.dumps(config, indent=2))
  # The other workers read the directory after the chief has made or emptied it.
  strategies.barrier(strategy)
  if not resume_from:
    sets = label_start.read_label_sets(
        reader, files, FLAGS.prior_examples, FLAGS.label_sets, excluded,
        needed=FLAGS.start_from_prior or model.needs_label_sets,
        labels_required=not taught, skip_corrupt_records=FLAGS.skip_corrupt_records,
        skip_bad_records=FLAGS.skip_bad_records)
    if FLAGS.start_from_prior:
      model.start_from_prior(sets.prior())
    if model.needs_label_sets:
      label_start.start_from_label_sets(model, sets)
    if model.needs_features:
      with records.clear_errors(reader.explain, files):
        feature_start.start_from_features(model, lambda: read(FLAGS.batch_size))

  evaluated = _validation(reader, model, loss, values) if chief else None

  # ---------------------------------------------------------------- training
  step = train_step.TrainStep(
      model, loss, optimizer, strategy,
      regularization_penalty=FLAGS.regularization_penalty,
      clip_gradient_norm=FLAGS.clip_gradient_norm,
      gradient_clipping=FLAGS.gradient_clipping, jit_compile=values["jit_compile"],
      teacher_weight=FLAGS.teacher_weight)
  averages = weight_averaging.make(
      FLAGS.weight_averaging, model, strategy, FLAGS.averaging_start_step,
      momentum=FLAGS.ema_momentum, swa_steps=FLAGS.swa_steps)
  training = loop.Training(
      FLAGS.train_dir, step, make_dataset, schedule, averages, resume_from=resume_from,
      described=described, approximate=FLAGS.resume == "approximate",
      validation=evaluated)
  remedy = ("To resume from the last checkpoint, run the same command again on every "
            "worker.")
  with (records.clear_errors(reader.explain, files),
        strategies.lost_workers_named(strategy, remedy)):
    training.run()
  reader.incidents.log_summary(reader.incidents.new_counts())
  return training


def _described(kind: str, name: str) -> str:
  """Returns what an option is, and its size for the features and classes of the flags.

  Without flags that describe features, they are those of YouTube-8M.
  """
  page = describing.page(kind, name)
  if kind not in option_size.KINDS:
    return page
  if any(FLAGS[flag].present for flag in (
      "feature_names", "feature_sizes", "frame_features", "segment_labels")):
    spec = feature_spec.FeatureSpec.from_flags(
        FLAGS.feature_names, FLAGS.feature_sizes, FLAGS.frame_features,
        FLAGS.segment_labels, FLAGS.feature_dtypes)
  elif kind == "recipe" and not recipes.RECIPES[name].frame_level:
    spec = feature_spec.FeatureSpec.from_flags("mean_rgb,mean_audio", "1024,128")
  else:
    spec = feature_spec.FeatureSpec.from_flags("rgb,audio", "1024,128", True)
  instead = {"model" if kind == "recipe" else kind: name}
  if kind == "mixture":
    instead = {}
  lines = describing.filled(*option_size.described(
      kind, spec, FLAGS.num_classes, model_flags.chosen_options(**instead)))
  return f"{page}\n\n{lines}"


def _validation(reader: reader_base.Reader, model: models.VideoModel,
                loss: losses.LabelLoss, values: types.Config
                ) -> validation.Validation | None:
  """Returns the evaluation of the checkpoints, if there is one."""
  if not FLAGS.eval_data_pattern:
    return None
  return validation.Validation(
      FLAGS.train_dir,
      experiment.Experiment(model.get_config(), FLAGS.max_frames, values), reader,
      (loss, FLAGS.label_loss), validation.Options(
          FLAGS.eval_data_pattern, FLAGS.best_metric, FLAGS.early_stopping_patience,
          FLAGS.batch_size, FLAGS.skip_corrupt_records, FLAGS.skip_bad_records))


def _check_flags() -> None:
  """Raises an error for a flag that has no effect with or without another one."""
  if FLAGS.checkpoint and FLAGS.start_new_model:
    raise ValueError("--checkpoint says where to go on, and --start_new_model starts "
                     "anew: give one of them.")
  for name, is_set, is_met, needed in (
      ("warmup_examples", FLAGS.warmup_examples, FLAGS.learning_rate_schedule == "cosine",
       "--learning_rate_schedule=cosine"),
      ("eval_steps", FLAGS.eval_steps, FLAGS.eval_data_pattern, "--eval_data_pattern"),
      ("early_stopping_patience", FLAGS.early_stopping_patience, FLAGS.eval_data_pattern,
       "--eval_data_pattern"),
      ("label_sets_exclude", FLAGS.label_sets_exclude, FLAGS.label_sets, "--label_sets"),
      ("teacher_weight", FLAGS.teacher_weight != FLAGS["teacher_weight"].default,
       FLAGS.teacher_predictions, "--teacher_predictions")):
    if is_set and not is_met:
      raise ValueError(f"--{name}={FLAGS[name].value} needs {needed}: alone, it has no "
                       "effect.")


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
