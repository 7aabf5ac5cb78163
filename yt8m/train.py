# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-train`: trains a model on records.

    yt8m-train --train_data_pattern='train*.tfrecord' --train_dir=model \
        --feature_names=mean_rgb,mean_audio --feature_sizes=1024,128 --model=MoeModel

The same command again resumes where it stopped.
"""

import json

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m import command
from yt8m import experiment
from yt8m import feature_spec
from yt8m import label_statistics
from yt8m import losses
from yt8m import model_flags
from yt8m import models
from yt8m import optimizers
from yt8m import readers
from yt8m import recipes
from yt8m import record_count
from yt8m import records
from yt8m import strategies
from yt8m import train_step
from yt8m import training

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
flags.DEFINE_float("base_learning_rate", 0.01, "Learning rate at the start.")
flags.DEFINE_float("learning_rate_decay", 0.95, "Factor of a decay.")
flags.DEFINE_float("learning_rate_decay_examples", 4000000,
                   "Examples between two decays.")
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


def main():
  recipe = recipes.RECIPES[FLAGS.model]
  for name, value in recipe.flags.items():
    if not FLAGS[name].present:
      FLAGS[name].value = value

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

  # Every worker looks at the directory after the chief has made or emptied it.
  if chief:
    prepare_directory(trained)
  strategies.barrier(strategy)
  resuming = tf.train.latest_checkpoint(FLAGS.train_dir) is not None
  with strategy.scope():
    model = trained.build_model()
    rate = optimizers.StaircaseDecay(
        FLAGS.base_learning_rate, FLAGS.learning_rate_decay,
        FLAGS.learning_rate_decay_examples, FLAGS.batch_size)
    optimizer = optimizers.make_optimizer(FLAGS.optimizer, rate)
    if FLAGS.precision == "mixed_float16":
      optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
  if FLAGS.start_from_prior and not resuming:
    model.start_from_prior(
        label_statistics.class_prior(
            reader, files, FLAGS.prior_examples, FLAGS.skip_corrupt_records))
  step = train_step.TrainStep(
      model, losses.LOSSES[FLAGS.label_loss](), optimizer, strategy,
      FLAGS.regularization_penalty, FLAGS.clip_gradient_norm,
      FLAGS.gradient_clipping, FLAGS.jit_compile)

  def make_dataset(epoch, skip_examples, context):
    return reader.dataset(
        FLAGS.train_data_pattern,
        strategies.pipeline_batch_size(context, FLAGS.batch_size), training=True,
        shuffle_buffer=FLAGS.shuffle_buffer, num_readers=FLAGS.num_readers,
        # Replicas, XLA and TPUs want every batch to have the same shape.
        drop_remainder=strategy.num_replicas_in_sync > 1 or FLAGS.jit_compile,
        seed=FLAGS.seed, epoch=epoch, skip_examples=skip_examples,
        deterministic=FLAGS.deterministic,
        skip_corrupt_records=FLAGS.skip_corrupt_records, input_pipeline=context)

  schedule = training.Schedule(
      FLAGS.batch_size, FLAGS.num_epochs, FLAGS.max_steps, FLAGS.export_model_steps,
      FLAGS.save_checkpoint_secs, FLAGS.log_steps,
      record_count.estimate_record_count(files))
  with records.clear_errors():
    training.Training(FLAGS.train_dir, model, optimizer, step, strategy, make_dataset,
                      schedule).run()


def prepare_directory(trained):
  """Makes --train_dir, or empties it, or checks that it holds the same model."""
  train_dir = FLAGS.train_dir
  if FLAGS.start_new_model:
    experiment.delete(train_dir)
  if tf.train.latest_checkpoint(train_dir):
    experiment.check_same_model(experiment.Experiment.load(train_dir), trained, train_dir)
  tf.io.gfile.makedirs(train_dir)
  trained.save(train_dir)
  logging.info("Model: %s", json.dumps(trained.model, indent=2))


def run():
  command.run(main)


if __name__ == "__main__":
  run()
