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
import sys

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m import models
from yt8m.configs import class_names
from yt8m.configs import data_flag
from yt8m.configs import experiment
from yt8m.configs import hparams
from yt8m.configs import model_flags
from yt8m.configs import recipes
from yt8m.core import command
from yt8m.core import devices
from yt8m.core import feature_spec
from yt8m.core import locks
from yt8m.core import paths
from yt8m.core import types
from yt8m.core import vocabulary
from yt8m.data import dataset
from yt8m.data import incidents
from yt8m.data import reader_base
from yt8m.data import readers
from yt8m.data import records
from yt8m.eval.metrics import gate
from yt8m.eval.metrics import own_metrics
from yt8m.eval.predictions import store
from yt8m.models import building
from yt8m.models import losses
from yt8m.models import named_losses
from yt8m.training import describing
from yt8m.training import feature_start
from yt8m.training import freezing
from yt8m.training import initializing
from yt8m.training import label_start
from yt8m.training import loop
from yt8m.training import mixup
from yt8m.training import optimizers
from yt8m.training import option_size
from yt8m.training import resume
from yt8m.training import step as train_step
from yt8m.training import strategies
from yt8m.training import teacher
from yt8m.training import train_flags
from yt8m.training import training_log
from yt8m.training import validation
from yt8m.training import weight_averaging

keras = tf.keras

FLAGS = flags.FLAGS

train_flags.define_data()
model_flags.define()
train_flags.define_training()
train_flags.define_machine()


@model_flags.named_code_allowed(
    "label_loss", "optimizer", "metrics", "reader", "describe")
def main() -> None:
  if FLAGS.list:
    return print(describing.listing())
  if FLAGS.describe:
    return print(describing.description(FLAGS.describe))
  data_flag.apply()
  recipes.find(FLAGS.model).set_flag_defaults()
  model_flags.count_classes()
  # Not how it was started: a training that is resumed leaves the same files.
  values = {flag.name: flag.value for flag in FLAGS.get_flags_for_module(__name__)
            if flag.name not in ("recipe", "show_config", "list", "describe", "set",
                                 "start_new_model", "data")}
  values["hparams"] = model_flags.hparams_given()
  values["freeze"] = freezing.normalised(FLAGS.freeze)
  values["metrics"] = ",".join(FLAGS.metrics) or None
  hparams_of_model, of_training = hparams.split(values["hparams"])
  spec = feature_spec.FeatureSpec.from_flags(
      FLAGS.feature_names, FLAGS.feature_sizes, FLAGS.frame_features,
      FLAGS.segment_labels, FLAGS.feature_dtypes, FLAGS.reader)
  options = model_flags.chosen_options(hparams=hparams_of_model)
  if FLAGS.show_config:
    model = building.build(
        num_classes=FLAGS.num_classes, feature_spec=spec, **options)
    print(json.dumps(model.get_config(), indent=2))
    for name, value in values.items():
      print(f"{f'--{name}={value}':<50} {model_flags.origin(name)}")
    return
  train_flags.check()
  own = own_metrics.OwnMetrics(FLAGS.metrics)
  gate.known(FLAGS.best_metric, "--best_metric", own.less_is_better)
  names = class_names.of_training(
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
    training = _train(strategy, spec, options, values, of_training, names, own)
  if training.stopped_by:  # The exit status of a signal also stops `&&`.
    sys.exit(128 + training.stopped_by)


def _train(strategy: tf.distribute.Strategy, spec: feature_spec.FeatureSpec,
           options: types.Config, values: types.Config,
           of_training: dict[str, types.Config], names: vocabulary.Vocabulary | None,
           own: own_metrics.OwnMetrics) -> loop.Training:
  """Trains with all flags, and in particular with `options` of the model.

  Args:
    strategy: Where to train.
    spec: Features to train on.
    options: Arguments of the model.
    values: Flags and their values, for `config.json`.
    of_training: Hyperparameters of the loss and of the optimizer.
    names: Names of the classes.
    own: Metrics of the user's own.
  """
  # ---------------------------------------------------------------- machine
  keras.utils.set_random_seed(FLAGS.seed)
  if FLAGS.deterministic:
    tf.config.experimental.enable_op_determinism()
  tf.debugging.set_log_device_placement(FLAGS.log_device_placement)
  keras.mixed_precision.set_global_policy(FLAGS.precision)

  # ---------------------------------------------------------------- data
  files = paths.match(FLAGS.train_data_pattern, "--train_data_pattern")
  dataset.Dataset.check_names(files, names)
  spec = dataset.Dataset.with_extractor(spec, files)
  reader = readers.make_reader(spec, FLAGS.num_classes, FLAGS.max_frames)
  reader.check_features(files, "--train_data_pattern")
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
  with strategy.scope():
    model = building.build(num_classes=FLAGS.num_classes, feature_spec=spec, **options)
    model.build_variables()
    optimizer = optimizers.make_optimizer(
        FLAGS.optimizer, train_flags.learning_rate(schedule), of_training["optimizer"])
    if FLAGS.precision == "mixed_float16":
      optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
  frozen = freezing.of_flag(model, values["freeze"])
  loss, taught = named_losses.from_name(FLAGS.label_loss, of_training["label_loss"]), None
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
  described = resume.describe(
      values | resume.settings(FLAGS.label_loss, FLAGS.optimizer, of_training), files,
      strategies.num_workers(strategy))
  resume_from = None if FLAGS.start_new_model else resume.find(
      FLAGS.train_dir, FLAGS.checkpoint, described, FLAGS.resume, chief)
  start = initializing.begin(
      FLAGS.initialize_from, FLAGS.train_dir, model, names, resume_from)
  described |= {initializing.RECORD: start.record} if start.record else {}
  if chief:
    config = model.get_config()
    if FLAGS.start_new_model:  # Nothing is deleted for records that cannot be read.
      with records.clear_errors(reader.explain, files):
        next(iter(read(1)), None)
    experiment.prepare(
        FLAGS.train_dir, experiment.Experiment(
            config, FLAGS.max_frames, values, start.record), FLAGS.start_new_model, names)
    for line in [*option_size.of_model(model), *training_log.plan(
        schedule, files, FLAGS.train_data_pattern, FLAGS.train_dir),
        *start.report, *frozen.report]:
      logging.info("%s", line)
  # The other workers read the directory after the chief has made or emptied it.
  strategies.barrier(strategy)
  if not resume_from:
    start.assign()  # Classifiers that solve for weights read the layers before them.
    sets = label_start.read_label_sets(
        reader, files, FLAGS.prior_examples, FLAGS.label_sets, excluded,
        needed=FLAGS.start_from_prior or model.needs_label_sets,
        labels_required=not taught, skip_corrupt_records=FLAGS.skip_corrupt_records,
        skip_bad_records=FLAGS.skip_bad_records)
    if FLAGS.start_from_prior:
      model.start_from_prior(sets.prior())
    if model.needs_label_sets:
      label_start.start_from_label_sets(model, sets, FLAGS.label_network_cache)
    if model.needs_features:
      with records.clear_errors(reader.explain, files):
        feature_start.start_from_features(model, lambda: read(FLAGS.batch_size))
    start.assign()

  evaluated = _validation(
      reader, model, (loss, named_losses.described(
          FLAGS.label_loss, of_training["label_loss"])), values, own) if chief else None

  # ---------------------------------------------------------------- training
  step = train_step.TrainStep(
      model, loss, optimizer, strategy,
      regularization_penalty=FLAGS.regularization_penalty,
      clip_gradient_norm=FLAGS.clip_gradient_norm,
      gradient_clipping=FLAGS.gradient_clipping, jit_compile=values["jit_compile"],
      teacher_weight=FLAGS.teacher_weight, frozen=frozen, slow=start.taken_variables(),
      slow_rate=FLAGS.pretrained_learning_rate_multiplier)
  averages = weight_averaging.make(
      FLAGS.weight_averaging, model, strategy, FLAGS.averaging_start_step,
      momentum=FLAGS.ema_momentum, swa_steps=FLAGS.swa_steps, frozen=frozen)
  training = loop.Training(
      FLAGS.train_dir, step, make_dataset, schedule, averages, resume_from=resume_from,
      described=described, approximate=FLAGS.resume == "approximate",
      validation=evaluated)
  remedy = ("To resume from the last checkpoint, run the same command again on every "
            "worker.")
  try:
    with (records.clear_errors(reader.explain, files),
          strategies.lost_workers_named(strategy, remedy)):
      training.run()
  except loop.NoExamplesError as error:
    if not reader.incidents.counts:
      raise
    raise ValueError(
        f"All records of --train_data_pattern={FLAGS.train_data_pattern} were left out, "
        f"or its files are empty ({incidents.in_words(reader.incidents.counts)}). The "
        "warnings above name the first ones.") from error
  reader.incidents.log_summary(reader.incidents.counts)
  return training


def _validation(reader: reader_base.Reader, model: models.VideoModel,
                loss: tuple[losses.LabelLoss, str], values: types.Config,
                own: own_metrics.OwnMetrics) -> validation.Validation | None:
  """Returns the evaluation of the checkpoints, if there is one."""
  if not FLAGS.eval_data_pattern:
    return None
  return validation.Validation(
      FLAGS.train_dir,
      experiment.Experiment(model.get_config(), FLAGS.max_frames, values), reader,
      loss, validation.Options(
          FLAGS.eval_data_pattern, FLAGS.best_metric, FLAGS.early_stopping_patience,
          FLAGS.batch_size, FLAGS.skip_corrupt_records, FLAGS.skip_bad_records, own))


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
