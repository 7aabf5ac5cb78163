# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-calibrate`: corrects the scores of a trained model, without training it again.

    yt8m-calibrate --train_dir=model --held_out_data_pattern='validate*.tfrecord' \
        --label_sets=label_sets.npz --output_dir=calibrated

It learns which labels go together, and how far the scores of the model can be trusted,
from records that the model was not trained on. `calibrated` is a training directory:
yt8m-eval, yt8m-inference and yt8m-export take it as --train_dir. If all records are
needed for training, train some more models, each without a part of the records, and name
these by --fold instead:

    yt8m-calibrate --train_dir=model --fold=model0=part0*.tfrecord \
        --fold=model1=part1*.tfrecord --output_dir=calibrated
"""

import dataclasses
import os
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from absl import flags
from absl import logging

from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.core import command
from yt8m.core import directories
from yt8m.core import paths
from yt8m.core import progress
from yt8m.data import label_sets as label_set_files
from yt8m.data import readers
from yt8m.data import records
from yt8m.eval.predictions import by_length
from yt8m.eval.predictions import store
from yt8m.eval.predictions import writer
from yt8m.models.layers import variables
from yt8m.training import calibrating
from yt8m.training import cross_fitting
from yt8m.training import label_start
from yt8m.training import saving

FLAGS = flags.FLAGS
_PROGRESS_SECS = 10.0

paths.define("train_dir", None, "Directory of the model; required.")
checkpoints.define_flag()
paths.define_pattern("held_out_data_pattern", "", "Records that the model was not "
                     "trained on: globs, separated by commas.")
flags.DEFINE_multi_string(
    "fold", [], "DIR=PATTERN, instead of --held_out_data_pattern: directory of a model "
    "like that of --train_dir, and records that this one was not trained on. May be "
    "repeated.")
paths.define("label_sets", None, "File of yt8m-label-sets, with the labels of many "
             "videos. Default: those of the held-out records.")
paths.define_pattern("label_sets_exclude", None, "Records whose videos are left out of "
                     "--label_sets, such as those of the evaluation.")
paths.define("output_dir", None, "Directory to write; required.")
paths.define("predictions_output", None, "Directory to write as well: calibrated scores "
             "of the videos of each --fold, by models and calibrations that have not "
             "seen them, as yt8m-train --teacher_predictions reads them.")
flags.DEFINE_bool("overwrite", False, "Replace an existing --output_dir.")
flags.DEFINE_integer("batch_size", 256, "Number of videos in a batch.", lower_bound=1)
flags.DEFINE_integer("max_videos", 20_000, "Number of held-out videos to use at most.",
                     lower_bound=100)
flags.DEFINE_integer("seed", 0, "Seed of all random choices.", lower_bound=0)
flags.mark_flag_as_required("train_dir")
flags.mark_flag_as_required("output_dir")


def main() -> None:
  folds = list(_folds())
  if FLAGS.predictions_output:
    cross_fitting.check(FLAGS.predictions_output, len(folds))
  owned = experiment.TRAIN_DIR if FLAGS.overwrite else None
  directories.check_replaceable(
      FLAGS.output_dir, owned, remedy="name another one, or add --overwrite")
  experiment.TRAIN_DIR.refuse_links(FLAGS.train_dir)
  config, model, step = experiment.load(
      FLAGS.train_dir, checkpoints.find(FLAGS.train_dir, FLAGS.checkpoint))
  if config.model_config.get("calibration"):
    raise ValueError(f"--train_dir={FLAGS.train_dir} is calibrated already: give the "
                     "directory of yt8m-train.")
  names = config.kept_names(FLAGS.train_dir)
  scores, labels, ids, fold_of_video = _held_out(folds, config)
  layer = calibrating.make(_label_sets(labels, config), seed=FLAGS.seed)
  calibrating.fit(layer, scores, labels, FLAGS.seed)

  calibrated = dataclasses.replace(config, model_config={
      **config.model_config, "calibration": layer.hparams()})
  result = calibrated.build_model()
  result.scorer.set_weights(model.scorer.get_weights())
  result.calibration.set_weights(layer.get_weights())
  with directories.atomic_directory(
      FLAGS.output_dir, overwrite=FLAGS.overwrite, owned=experiment.TRAIN_DIR) as folder:
    calibrated.save(folder)
    if names:
      names.write(os.path.join(folder, experiment.vocabulary.FILE))
    saving.Saver(tf.train.Checkpoint(**variables.checkpoint_parts(result)), folder,
                 keep=1).save(step, {})
    experiment.write_status(folder, True, step)
  logging.info("Wrote %s.", FLAGS.output_dir)
  if FLAGS.predictions_output:
    _write_predictions(scores, labels, ids, fold_of_video, config)


def _folds() -> Iterator[tuple[str, str]]:
  """Yields the directory of each model, and the pattern of records it has not seen."""
  if bool(FLAGS.fold) == bool(FLAGS.held_out_data_pattern):
    raise ValueError("Give either --held_out_data_pattern or --fold: records that the "
                     "model was not trained on.")
  if FLAGS.held_out_data_pattern:
    yield FLAGS.train_dir, FLAGS.held_out_data_pattern
  for value in FLAGS.fold:
    directory, equals, pattern = value.partition("=")
    if not (equals and directory and pattern):
      raise ValueError(f"--fold={value} is not DIR=PATTERN, such as "
                       "--fold=model0=part0*.tfrecord.")
    yield paths.expand(directory), pattern


def _held_out(folds: list[tuple[str, str]], config: experiment.Experiment
              ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
  """Returns scores and labels of the held-out videos, their ids, and their folds.

  Shapes: (n, C) float32 and bool; (n,) bytes; and (n,) int.
  """
  scores, labels, ids, fold_of_video = [], [], [], []
  report = progress.Periodic(_PROGRESS_SECS, None, "videos")
  for number, (directory, pattern) in enumerate(folds):
    flag = "--fold" if FLAGS.fold else "--held_out_data_pattern"
    files = paths.match(pattern, flag)
    path = checkpoints.find(directory, None if FLAGS.fold else FLAGS.checkpoint)
    fold, model, _ = experiment.load(directory, path)
    if (fold.num_classes, fold.feature_spec) != (config.num_classes, config.feature_spec):
      raise ValueError(f"--fold={directory} has other classes or features than "
                       f"--train_dir={FLAGS.train_dir}: train it with the same flags.")
    reader = readers.make_reader(
        config.feature_spec, config.num_classes, config.max_frames, of_model=True)
    predict = by_length.evaluation_function(model, FLAGS.batch_size)
    most = -(-FLAGS.max_videos // len(folds))
    with records.clear_errors(reader.explain, files):
      for batch in reader.dataset(pattern, FLAGS.batch_size):
        if most <= 0:
          _check_none_left_out()
          break
        scores.append(predict(batch).numpy())
        labels.append(batch["labels"].numpy() > 0)
        ids.append(batch["id"].numpy())
        fold_of_video.append(np.full(len(ids[-1]), number))
        most -= len(ids[-1])
        for line in report(sum(map(len, scores))):
          logging.info("Scored held-out videos: %s", line)
  if not scores:
    raise ValueError(f"No records are in {', '.join(pattern for _, pattern in folds)}: "
                     "name others.")
  return (np.concatenate(scores), np.concatenate(labels), np.concatenate(ids),
          np.concatenate(fold_of_video))


def _check_none_left_out() -> None:
  """Raises an error if videos are left out that predictions must have."""
  if FLAGS.predictions_output:
    raise ValueError("There are more held-out videos than --max_videos="
                     f"{FLAGS.max_videos}, and --predictions_output must have all: "
                     "give a larger number.")


def _write_predictions(scores: np.ndarray, labels: np.ndarray, ids: np.ndarray,
                       fold_of_video: np.ndarray, config: experiment.Experiment) -> None:
  """Writes `--predictions_output`, from what `_held_out` returns."""
  label_sets = _label_sets(labels, config) if FLAGS.label_sets else None
  calibrated = cross_fitting.scores(
      scores, labels, ids, fold_of_video, label_sets, FLAGS.seed)
  top_k = min(store.TOP_K, config.num_classes)
  parts = {f"fold {number}": number for number in np.unique(fold_of_video)}

  def read(name):
    rows = fold_of_video == parts[name]
    return writer.rows(ids[rows], calibrated[rows], labels[rows], top_k=top_k)

  writer.write(FLAGS.predictions_output, list(parts), read,
               num_classes=config.num_classes, top_k=top_k)
  logging.info("Wrote %s.", FLAGS.predictions_output)


def _label_sets(labels: np.ndarray, config: experiment.Experiment
                ) -> label_set_files.LabelSets:
  if not FLAGS.label_sets:
    return label_set_files.LabelSets.from_matrix(labels)
  excluded = (paths.match(FLAGS.label_sets_exclude, "--label_sets_exclude")
              if FLAGS.label_sets_exclude else [])
  reader = readers.make_reader(config.feature_spec, config.num_classes)
  return label_start.load_label_sets(reader, FLAGS.label_sets, excluded)


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
