# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-calibrate`: corrects the scores of a trained model, without training it again.

    yt8m-calibrate --train_dir=model --held_out_data_pattern='validate*.tfrecord' \
        --label_sets=label_sets.npz --output_dir=calibrated

It learns which labels go together, and how far the scores of the model can be trusted,
from records that the model was not trained on. `calibrated` is a training directory:
yt8m-eval, yt8m-inference and yt8m-export take it as --train_dir. If all records were
needed for training, --num_folds trains some more models with the same flags, each without
a part of the records. Calibration reads what each says about its part:

    yt8m-calibrate --train_dir=model --num_folds=4 --output_dir=calibrated

Models that you have trained in this way are named by --fold:

    yt8m-calibrate --train_dir=model --fold=model0=part0*.tfrecord \
        --fold=model1=part1*.tfrecord --output_dir=calibrated

A SavedModel is calibrated into another one, that of an ensemble with all its members:

    yt8m-calibrate --saved_model=ensemble/1 --held_out_data_pattern='validate*.tfrecord' \
        --output_dir=ensemble/2
"""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import flags
from absl import logging

from yt8m.artifacts import manifest
from yt8m.artifacts import saved_model
from yt8m.configs import checkpoint_files
from yt8m.configs import data_flag
from yt8m.configs import experiment
from yt8m.core import checksum
from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import directories
from yt8m.core import finished
from yt8m.core import locks
from yt8m.core import paths
from yt8m.core import types
from yt8m.core import vocabulary
from yt8m.data import label_sets as label_set_files
from yt8m.eval.metrics import results
from yt8m.eval.predictions import store
from yt8m.eval.predictions import writer
from yt8m.export.prediction import checkpoint
from yt8m.export.prediction import held_out
from yt8m.export.saved_models import calibrated
from yt8m.models.calibration import calibration
from yt8m.models.layers import variables
from yt8m.training import calibrate_flags
from yt8m.training import calibrating
from yt8m.training import cross_fitting
from yt8m.training import fold_models
from yt8m.training import label_start
from yt8m.training import saving

FLAGS = flags.FLAGS
# Where the scores of videos come from that a model was not trained on.
_SOURCES = ("held_out_data_pattern", "num_folds", "fold", "data")
# What is put after --output_dir for the models of --num_folds.
_FOLD_MODELS = ".folds"
_REMEDY = "name another one, or add --overwrite"

Model = checkpoint.Checkpoint | saved_model.SavedModel

calibrate_flags.define()
command_line.require("output_dir", "name the directory to write")
command_line.require_one(
    ("train_dir", "saved_model"),
    "Give either --train_dir or --saved_model: the model to calibrate.")
command_line.require_one(
    _SOURCES, "Give one of " + ", ".join(f"--{name}" for name in _SOURCES)
    + ": calibration needs videos that the model was not trained on.")


def main() -> None:
  data_flag.apply()
  _check_flags()
  with locks.hold_output(FLAGS.output_dir, "calibrates", is_directory=True):
    _calibrate()


def _calibrate() -> None:
  model = _model(FLAGS.train_dir or FLAGS.saved_model, FLAGS.checkpoint)
  _check_model(model)
  named = [(_model(directory), pattern)
           for directory, pattern in calibrate_flags.named_folds()]
  job = _job(model, named)
  if FLAGS.num_folds and finished.check(
      _config_file(), job, FLAGS.overwrite, "--output_dir"):
    _discard_folds()  # The command was killed here, or has ended.
    return
  needs_predictions = FLAGS.predictions_output and not _has_predictions(job)
  folds = named
  if FLAGS.num_folds:
    folds = [(_model(directory), pattern) for directory, pattern in
             fold_models.train(FLAGS.train_dir, FLAGS.num_folds, _fold_dir())]
  if FLAGS.held_out_data_pattern:
    folds = [(model, FLAGS.held_out_data_pattern)]
  for fold, _ in folds:
    if (fold.num_classes, fold.spec) != (model.num_classes, model.spec):
      raise ValueError(f"--fold={fold} has other classes or features than {model}: train "
                       "it with the same flags.")
    if (isinstance(model, saved_model.SavedModel)
        and isinstance(fold, saved_model.SavedModel)
        and fold.num_members not in (0, model.num_members)):
      raise ValueError(f"--fold={fold} has {fold.num_members} members, and {model} has "
                       f"{model.num_members}: build both from the same models.")
  videos = held_out.score(
      folds, "--held_out_data_pattern" if FLAGS.held_out_data_pattern else "--fold",
      FLAGS.batch_size, FLAGS.max_videos)
  if FLAGS.predictions_output and not videos.complete:
    raise ValueError(f"There are more held-out videos than --max_videos="
                     f"{FLAGS.max_videos}, and --predictions_output must have all: "
                     "give a larger number.")
  layer = calibrating.make(
      _label_sets(videos.labels, model), seed=FLAGS.seed, parts=FLAGS.parts,
      cache_dir=FLAGS.label_network_cache, num_members=videos.num_members)
  calibrating.fit(layer, videos.scores, videos.labels, FLAGS.seed, FLAGS.parts,
                  videos.members)
  if needs_predictions:
    _write_predictions(videos, model, job)
  # Last: where the output is, nothing is left to do.
  if isinstance(model, saved_model.SavedModel):
    calibrated.save(model, layer, FLAGS.output_dir, top_k=FLAGS.top_k,
                    overwrite=FLAGS.overwrite)
  else:
    _write_train_dir(model, layer, job)
  logging.info("Wrote %s.", FLAGS.output_dir)
  if FLAGS.num_folds:
    _discard_folds()


def _check_flags() -> None:
  for name, needed, remedy in (
      ("num_folds", "train_dir", "with --saved_model, give --held_out_data_pattern or "
       "--fold"),
      ("keep_folds", "num_folds", "leave it out"),
      ("top_k", "saved_model", "leave it out")):
    if FLAGS[name].value and not FLAGS[needed].value:
      raise ValueError(f"--{name} needs --{needed}: {remedy}.")
  # Errors that are known before hours of training.
  calibrating.check(FLAGS.parts, FLAGS.label_network_cache)
  if FLAGS.predictions_output:
    cross_fitting.check(FLAGS.predictions_output,
                        FLAGS.num_folds or len(calibrate_flags.named_folds()))
    outputs = [os.path.realpath(path) for path in (
        FLAGS.output_dir, FLAGS.predictions_output)]
    if os.path.commonpath(outputs) in outputs:
      raise ValueError(f"--predictions_output={FLAGS.predictions_output} and "
                       f"--output_dir={FLAGS.output_dir} are one in the other: name two "
                       "directories side by side.")
  kind = manifest.SAVED_MODEL if FLAGS.saved_model else experiment.TRAIN_DIR
  # A command that was killed at its end may be repeated: the output is compared then.
  directories.check_replaceable(FLAGS.output_dir, kind, remedy=_REMEDY)


def _config_file() -> str:
  """Returns the file of `--output_dir` that is marked with the job that wrote it."""
  return os.path.join(FLAGS.output_dir, experiment.CONFIG)


def _job(model: Model, folds: Sequence[tuple[Model, str]]) -> types.Config:
  """Returns everything that the outputs depend on.

  Args:
    model: The model to calibrate.
    folds: Model and records of each `--fold`.
  """
  return {"model": model.fingerprint,
          "label_sets": FLAGS.label_sets and checksum.of_ends(FLAGS.label_sets),
          "records": FLAGS.num_folds and results.digest(
              fold_models.records_of(FLAGS.train_dir)),
          "folds": [[fold.fingerprint, results.digest(paths.match(pattern, "--fold"))]
                    for fold, pattern in folds],
          **{name: FLAGS[name].value for name in (
              "num_folds", "label_sets_exclude", "parts", "predictions_output",
              "batch_size", "max_videos", "seed")}}


def _has_predictions(job: types.Config) -> bool:
  """Returns whether this command, killed later, has written `--predictions_output`."""
  directory = FLAGS.predictions_output
  if finished.is_by(os.path.join(directory, store.DESCRIPTION), job):
    logging.info("%s is there already: the same command wrote it.", directory)
    return True
  writer.check(directory, store.TOP_K)
  return False


def _discard_folds() -> None:
  if not FLAGS.keep_folds:
    directories.discard(_fold_dir(), fold_models.FOLDS, "--output_dir")


def _fold_dir() -> str:
  """Returns the directory of the models of `--num_folds`."""
  return FLAGS.output_dir.rstrip("/") + _FOLD_MODELS


def _model(directory: str, name: str | None = None) -> Model:
  """Returns the SavedModel in a directory, or the checkpoint of a training directory."""
  if FLAGS.saved_model:
    model = saved_model.SavedModel(directory)
    model.check_exists()
    return model
  experiment.TRAIN_DIR.refuse_links(directory)
  return checkpoint.Checkpoint.of_directory(directory, name=name)


def _check_model(model: Model) -> None:
  """Raises ValueError if a model is calibrated already."""
  if isinstance(model, saved_model.SavedModel):
    is_calibrated = calibrated.is_calibrated(model)
  else:
    config = experiment.Experiment.load(model.train_dir).model_config
    is_calibrated = bool(config.get("calibration"))
  if is_calibrated:
    raise ValueError(f"{model} is calibrated already: give the model that it was made "
                     "from.")


def _write_train_dir(source: checkpoint.Checkpoint, layer: calibration.Calibration,
                     job: types.Config) -> None:
  """Writes a training directory with the model and its calibration."""
  config, model, step = experiment.load(source.train_dir, source.path)
  changed = dataclasses.replace(config, model_config={
      **config.model_config, "calibration": layer.hparams()})
  result = changed.build_model()
  result.scorer.set_weights(model.scorer.get_weights())
  result.calibration.set_weights(layer.get_weights())
  with directories.atomic_directory(
      FLAGS.output_dir, overwrite=FLAGS.overwrite, owned=experiment.TRAIN_DIR,
      remedy=_REMEDY) as folder:
    changed.save(folder)
    if names := source.vocabulary:
      names.write(os.path.join(folder, vocabulary.FILE))
    saving.Saver(tf.train.Checkpoint(**variables.checkpoint_parts(result)), folder,
                 keep=1).save(step, {})
    # The time of its source: the same command writes the same bytes.
    time = checkpoint_files.listed(source.train_dir).get(source.path, 0.0)
    checkpoint_files.write_list(
        folder, {checkpoint_files.of_step(folder, step): time})
    experiment.write_status(folder, True, step)
    if FLAGS.num_folds:
      config_file = os.path.join(folder, experiment.CONFIG)
      finished.marker(config_file, job)(config_file)


def _write_predictions(videos: held_out.HeldOut, model: Model, job: types.Config
                       ) -> None:
  """Writes `--predictions_output`."""
  label_sets = _label_sets(videos.labels, model) if FLAGS.label_sets else None
  scores = cross_fitting.scores(videos.scores, videos.labels, videos.ids, videos.folds,
                                label_sets, FLAGS.seed, videos.members, parts=FLAGS.parts,
                                cache_dir=FLAGS.label_network_cache)
  top_k = min(store.TOP_K, model.num_classes)
  parts = {f"fold {number}": number for number in np.unique(videos.folds)}

  def read(name):
    rows = videos.folds == parts[name]
    return writer.rows(videos.ids[rows], scores[rows], videos.labels[rows], top_k=top_k)

  writer.write(FLAGS.predictions_output, list(parts), read,
               num_classes=model.num_classes, top_k=top_k, job=job)
  logging.info("Wrote %s.", FLAGS.predictions_output)


def _label_sets(labels: np.ndarray, model: Model) -> label_set_files.LabelSets:
  if not FLAGS.label_sets:
    return label_set_files.LabelSets.from_matrix(labels)
  excluded = (paths.match(FLAGS.label_sets_exclude, "--label_sets_exclude")
              if FLAGS.label_sets_exclude else [])
  return label_start.load_label_sets(model.reader(), FLAGS.label_sets, excluded)


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
