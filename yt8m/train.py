# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-train`: trains a model on records.

    yt8m-train --train_data_pattern='train*.tfrecord' --train_dir=model \
        --feature_names=mean_rgb,mean_audio --feature_sizes=1024,128 --model=MoeModel

The same command again resumes where it stopped.
"""

import json
import math
import sys

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m import models
from yt8m.configs import experiment
from yt8m.configs import model_flags
from yt8m.configs import recipes
from yt8m.core import command
from yt8m.core import feature_spec
from yt8m.data import label_reader
from yt8m.data import label_sets
from yt8m.data import readers
from yt8m.data import records
from yt8m.eval.predictions import store
from yt8m.models import losses
from yt8m.training import label_network_pretraining
from yt8m.training import loop
from yt8m.training import optimizers
from yt8m.training import step as train_step
from yt8m.training import strategies
from yt8m.training import teacher
from yt8m.training import weight_averaging

keras = tf.keras

FLAGS = flags.FLAGS

# ---------------------------------------------------------------- data
flags.DEFINE_string(
    "train_data_pattern", "", "Training records: globs, separated by commas.")
flags.DEFINE_string("feature_names", "mean_rgb", "Features of a record, in order.")
flags.DEFINE_string("feature_sizes", "1024", "Their sizes, in the same order.")
flags.DEFINE_bool("frame_features", False, "Whether records hold frames.")
flags.DEFINE_bool("segment_labels", False, "Whether records hold rated segments.")
flags.DEFINE_integer("batch_size", 1024, "Examples a step, over all replicas.")
flags.DEFINE_integer("num_readers", 8, "Files read at the same time.")
flags.DEFINE_integer("shuffle_buffer", None, "Records that are shuffled at a time; "
                     "default: 16384 of videos, 1024 of frames.")
flags.DEFINE_bool("skip_corrupt_records", False,
                  "Count damaged records and go on, instead of stopping.")

# ---------------------------------------------------------------- model
model_flags.define()

# ---------------------------------------------------------------- training
flags.DEFINE_string("train_dir", None, "Directory of the model; required.")
flags.DEFINE_bool("start_new_model", False,
                  "Delete the model in --train_dir instead of resuming it.")
flags.DEFINE_string("label_loss", "CrossEntropyLoss",
                    ", ".join(losses.LOSSES.names()) + ".")
flags.DEFINE_float("regularization_penalty", 1.0, "Weight of the models' penalties.")
flags.DEFINE_float("base_learning_rate", 0.01,
                   "Learning rate at the start, or after the warm-up.")
flags.DEFINE_enum("learning_rate_schedule", "staircase", optimizers.SCHEDULES,
                  "staircase, of the starter code: by --learning_rate_decay every "
                  "--learning_rate_decay_examples. cosine: to 0 at the end of training, "
                  "by --num_epochs and --max_steps. How many records an epoch has is "
                  "estimated from the size of the files (exact if all have one size), "
                  "and where there are more the rate stays 0. A run resumed with "
                  "another end goes on along the new curve.")
flags.DEFINE_float("learning_rate_decay", 0.95, "Factor of a decay; staircase only.")
flags.DEFINE_float("learning_rate_decay_examples", 4000000,
                   "Examples between two decays; staircase only.")
flags.DEFINE_integer("warmup_examples", 0, "Examples over which the rate rises from 0; "
                     "cosine only.", lower_bound=0)
flags.DEFINE_integer("num_epochs", 5, "Passes over the data.")
flags.DEFINE_integer("max_steps", None, "Steps in all; no limit if not set.")
flags.DEFINE_string("optimizer", "AdamOptimizer",
                    "A name of the starter code or of tf.keras.optimizers.")
flags.DEFINE_float("clip_gradient_norm", 1.0, "Largest gradient norm; 0: no clipping.")
flags.DEFINE_enum("gradient_clipping", "per_variable", optimizers.CLIPPING,
                  "Norm of each variable (the starter code), or of all together.")
flags.DEFINE_bool("start_from_prior", True,
                  "Start classifier biases at the log-odds of the class frequencies.")
flags.DEFINE_integer("prior_examples", 100000,
                     "Records, spread over the files, that these are counted on.")
flags.DEFINE_string("label_sets", None,
                    "File of yt8m-label-sets: label sets of more videos than are trained "
                    "on, for the class frequencies and for classifiers that learn from "
                    "labels alone; default: those of --prior_examples records. See "
                    "--label_sets_exclude.")
flags.DEFINE_string("label_sets_exclude", None,
                    "Records, such as those that are evaluated on, whose videos are left "
                    "out of --label_sets: globs, separated by commas.")
flags.DEFINE_enum("weight_averaging", "none", weight_averaging.KINDS,
                  "ema: exponential moving averages of the weights, by the optimizer of "
                  "Keras. swa: their mean at every --swa_steps-th step. Checkpoints hold "
                  "them beside the weights; what evaluates, predicts or exports takes "
                  "them.")
flags.DEFINE_float("ema_momentum", 0.999, "Share that an average keeps in a step: it "
                   "looks back over about 1 / (1 - momentum) steps, which should be few "
                   "of all; ema only.", lower_bound=0.0, upper_bound=1.0)
flags.DEFINE_integer("averaging_start_step", None,
                     "Step whose weights are the first average; default: 1. swa needs "
                     "one, such as that where three quarters of training are done.")
flags.DEFINE_integer("swa_steps", 100, "Steps between two weights averaged; swa only.")
flags.DEFINE_string("teacher_predictions", None,
                    "Directory of predictions (yt8m-ensemble predict) of every video of "
                    "--train_data_pattern, to be learnt besides the labels. A class "
                    "that it has no score of counts as 0.")
flags.DEFINE_float("teacher_weight", 0.5, "a, where the label loss of a video becomes "
                   "(1 - a) loss(scores, labels) + a loss(scores, teacher's scores).")
flags.DEFINE_integer("seed", 0, "Seed of weights, order of records and draws.")
flags.DEFINE_integer("export_model_steps", 1000, "Steps between checkpoints.")
flags.DEFINE_float("save_checkpoint_secs", 900, "Seconds between checkpoints at most.")
flags.DEFINE_integer("log_steps", 10, "Steps between progress lines.")

# ---------------------------------------------------------------- machine
flags.DEFINE_string("strategy", "auto",
                    "Where to train: " + ", ".join(strategies.NAMES) + ", tpu:<name>.")
flags.DEFINE_integer("num_gpu", 1, "GPUs to use at most.")
flags.DEFINE_enum("precision", "float32",
                  ["float32", "mixed_bfloat16", "mixed_float16"], "Of the layers.")
flags.DEFINE_bool("jit_compile", False, "Compile the model with XLA.")
flags.DEFINE_bool("deterministic", True, "Same run, same variables: fixes the order "
                  "of records and the algorithms of the device.")
flags.DEFINE_bool("log_device_placement", False, "Log the device of every operation.")
flags.mark_flag_as_required("train_dir")


@model_flags.named_code_allowed("label_loss")
def main():
  recipes.RECIPES[FLAGS.model].set_flag_defaults()

  # Where it is trained: first, as collectives are set up before anything is computed
  strategy = strategies.make_strategy(FLAGS.strategy, FLAGS.num_gpu)
  chief = strategies.is_chief(strategy)
  keras.utils.set_random_seed(FLAGS.seed)
  if FLAGS.deterministic:
    tf.config.experimental.enable_op_determinism()
  tf.debugging.set_log_device_placement(FLAGS.log_device_placement)
  keras.mixed_precision.set_global_policy(FLAGS.precision)

  # What is trained
  spec = feature_spec.FeatureSpec.from_flags(
      FLAGS.feature_names, FLAGS.feature_sizes, FLAGS.frame_features,
      FLAGS.segment_labels)
  model = models.VideoModel(FLAGS.num_classes, spec, **model_flags.chosen_options())
  trained = experiment.Experiment(
      model.get_config(), FLAGS.max_frames,
      {f.name: f.value for f in FLAGS.get_flags_for_module(__name__)
       if f.name != "recipe"})

  # What it is trained on
  reader = readers.make_reader(spec, FLAGS.num_classes, FLAGS.max_frames)
  files = records.match_files(FLAGS.train_data_pattern, "--train_data_pattern")
  excluded = excluded_records()
  schedule = loop.Schedule(
      FLAGS.batch_size, FLAGS.num_epochs, FLAGS.max_steps, FLAGS.export_model_steps,
      FLAGS.save_checkpoint_secs, FLAGS.log_steps,
      records.estimate_count(files))
  rate = learning_rate(schedule)

  # Every worker looks at the directory after the chief has made or emptied it.
  if chief:
    prepare_directory(trained)
  strategies.barrier(strategy)
  resuming = tf.train.latest_checkpoint(FLAGS.train_dir) is not None
  with strategy.scope():
    model = trained.build_model()
    optimizer = optimizers.make_optimizer(
        FLAGS.optimizer, rate,
        FLAGS.ema_momentum if FLAGS.weight_averaging == "ema" else None)
    if FLAGS.precision == "mixed_float16":
      optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
  if not resuming:
    start_from_labels(model, reader, files, excluded)
  loss = losses.LOSSES[FLAGS.label_loss]()
  distilled = make_teacher(loss, model)
  step = train_step.TrainStep(
      model, loss, optimizer, strategy, FLAGS.regularization_penalty,
      FLAGS.clip_gradient_norm, FLAGS.gradient_clipping, FLAGS.jit_compile,
      FLAGS.teacher_weight)
  averages = weight_averaging.make(
      FLAGS.weight_averaging, model, optimizer, strategy, FLAGS.averaging_start_step,
      FLAGS.swa_steps)

  def make_dataset(epoch, skip_examples, context):
    dataset = reader.dataset(
        FLAGS.train_data_pattern,
        strategies.pipeline_batch_size(context, FLAGS.batch_size), training=True,
        shuffle_buffer=FLAGS.shuffle_buffer, num_readers=FLAGS.num_readers,
        # Replicas, XLA and TPUs want every batch to have the same shape.
        drop_remainder=strategy.num_replicas_in_sync > 1 or FLAGS.jit_compile,
        seed=FLAGS.seed, epoch=epoch, skip_examples=skip_examples,
        deterministic=FLAGS.deterministic,
        skip_corrupt_records=FLAGS.skip_corrupt_records, input_pipeline=context)
    return distilled.attach(dataset) if distilled else dataset

  with records.clear_errors():
    training = loop.Training(FLAGS.train_dir, model, optimizer, step, strategy,
                             make_dataset, schedule, averages)
    training.run()
  if training.stopped_by:  # as a shell reports it, so that `&&` stops too
    sys.exit(128 + training.stopped_by)


def make_teacher(loss, model):
  """The `Teacher` of --teacher_predictions; None without."""
  if not FLAGS.teacher_predictions:
    if FLAGS["teacher_weight"].present:
      raise ValueError(f"--teacher_weight={FLAGS.teacher_weight} needs "
                       "--teacher_predictions.")
    return None
  teacher.check(loss, model, FLAGS.teacher_weight, FLAGS.segment_labels)
  return teacher.Teacher(
      store.PredictionStore.open(FLAGS.teacher_predictions),
      FLAGS.num_classes)


def learning_rate(schedule):
  """The learning rate as a function of the step alone, the same on every worker."""
  if FLAGS.learning_rate_schedule == "cosine":
    return optimizers.cosine_decay(
        FLAGS.base_learning_rate, schedule.total_steps(schedule.epoch_steps),
        math.ceil(FLAGS.warmup_examples / FLAGS.batch_size))
  if FLAGS.warmup_examples:
    raise ValueError(f"--warmup_examples={FLAGS.warmup_examples} needs "
                     "--learning_rate_schedule=cosine.")
  return optimizers.StaircaseDecay(
      FLAGS.base_learning_rate, FLAGS.learning_rate_decay,
      FLAGS.learning_rate_decay_examples, FLAGS.batch_size)


def excluded_records():
  """Returns the files of --label_sets_exclude."""
  if not FLAGS.label_sets_exclude:
    return []
  if not FLAGS.label_sets:
    raise ValueError(f"--label_sets_exclude={FLAGS.label_sets_exclude} needs "
                     "--label_sets: nothing else is filtered by it.")
  return records.match_files(FLAGS.label_sets_exclude, "--label_sets_exclude")


def start_from_labels(model, reader, files, excluded):
  """Lets the classifier start from what labels say without features."""
  if not (FLAGS.start_from_prior or model.needs_label_sets):
    return
  if FLAGS.label_sets:
    sets = label_sets.LabelSets.load(FLAGS.label_sets, FLAGS.num_classes)
    if excluded:
      sets = without_videos(sets, reader, excluded)
  else:
    sets = label_reader.collect_label_sets(
        reader, files, FLAGS.prior_examples, FLAGS.skip_corrupt_records)
  if FLAGS.start_from_prior:
    model.start_from_prior(sets.prior())
  if model.needs_label_sets:
    label_network_pretraining.start_from_label_sets(model, sets)


def without_videos(sets, reader, excluded):
  """Leaves the videos of the records `excluded` out of `LabelSets`."""
  others = sets.without(label_reader.video_ids(
      reader, excluded, FLAGS.skip_corrupt_records))
  if not len(others):
    raise ValueError(f"--label_sets_exclude={FLAGS.label_sets_exclude} leaves none of "
                     f"the {len(sets):,} label sets of --label_sets={FLAGS.label_sets}.")
  logging.info("Left out %s of %s label sets: their videos are in --label_sets_exclude.",
               f"{len(sets) - len(others):,}", f"{len(sets):,}")
  return others


def prepare_directory(trained):
  """Makes --train_dir, or empties it, or checks that it holds the same model."""
  experiment.prepare(FLAGS.train_dir, trained, FLAGS.start_new_model)
  logging.info("Model: %s", json.dumps(trained.model_config, indent=2))


def run():
  command.run(main)


if __name__ == "__main__":
  run()
