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
from yt8m.models.layers import variables
from yt8m.training import calibrating
from yt8m.training import fold_models
from yt8m.training import label_start
from yt8m.training import saving

FLAGS = flags.FLAGS
_PROGRESS_SECS = 10.0
# Where the scores of videos come from that a model was not trained on.
_SOURCES = ("held_out_data_pattern", "num_folds", "fold")
# What is put after --output_dir for the models of --num_folds.
_FOLD_MODELS = ".folds"

paths.define("train_dir", None, "Directory of the model; required.")
checkpoints.define_flag()
paths.define_pattern("held_out_data_pattern", "", "Records that the model was not "
                     "trained on: globs, separated by commas.")
flags.DEFINE_integer(
    "num_folds", None, "Instead of --held_out_data_pattern: number of models to train "
    "with the flags of --train_dir, each without this part of its records.",
    lower_bound=2)
flags.DEFINE_multi_string(
    "fold", [], "DIR=PATTERN, instead of --held_out_data_pattern: directory of a model "
    "like that of --train_dir, and records that this one was not trained on. May be "
    "repeated.")
paths.define("label_sets", None, "File of yt8m-label-sets, with the labels of many "
             "videos. Default: those of the held-out records.")
paths.define_pattern("label_sets_exclude", None, "Records whose videos are left out of "
                     "--label_sets, such as those of the evaluation.")
paths.define("output_dir", None, "Directory to write; required.")
flags.DEFINE_bool("overwrite", False, "Replace an existing --output_dir.")
flags.DEFINE_integer("batch_size", 256, "Number of videos in a batch.", lower_bound=1)
flags.DEFINE_integer("max_videos", 20_000, "Number of held-out videos to use at most.",
                     lower_bound=100)
flags.DEFINE_integer("seed", 0, "Seed of all random choices.", lower_bound=0)
flags.mark_flag_as_required("train_dir")
flags.mark_flag_as_required("output_dir")


def main() -> None:
  sources = [name for name in _SOURCES if FLAGS[name].value]
  if len(sources) != 1:
    raise ValueError("Give one of " + ", ".join(f"--{name}" for name in _SOURCES)
                     + ": calibration needs videos that the model was not trained on.")
  named = list(_named_folds())
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
  fold_dir = FLAGS.output_dir.rstrip("/") + _FOLD_MODELS
  folds = (fold_models.train(FLAGS.train_dir, FLAGS.num_folds, fold_dir)
           if FLAGS.num_folds else named)
  scores, labels = _held_out(folds, config)
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
  if FLAGS.num_folds:
    directories.discard(fold_dir, fold_models.FOLDS, "--output_dir")
  logging.info("Wrote %s.", FLAGS.output_dir)


def _named_folds() -> Iterator[tuple[str, str]]:
  """Yields the directory of each model, and the pattern of records it has not seen."""
  if FLAGS.held_out_data_pattern:
    yield FLAGS.train_dir, FLAGS.held_out_data_pattern
  for value in FLAGS.fold:
    directory, equals, pattern = value.partition("=")
    if not (equals and directory and pattern):
      raise ValueError(f"--fold={value} is not DIR=PATTERN, such as "
                       "--fold=model0=part0*.tfrecord.")
    yield paths.expand(directory), pattern


def _held_out(folds: list[tuple[str, str]], config: experiment.Experiment
              ) -> tuple[np.ndarray, np.ndarray]:
  """Returns scores and labels of the held-out videos, (n, C) float32 and bool."""
  scores, labels = [], []
  report = progress.Periodic(_PROGRESS_SECS, None, "videos")
  for directory, pattern in folds:
    held_out = bool(FLAGS.held_out_data_pattern)
    files = paths.match(pattern, "--held_out_data_pattern" if held_out else "--fold")
    path = checkpoints.find(directory, FLAGS.checkpoint if held_out else None)
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
        scores.append(predict(batch).numpy())
        labels.append(batch["labels"].numpy() > 0)
        for line in report(sum(map(len, scores))):
          logging.info("Scored held-out videos: %s", line)
        if (most := most - len(labels[-1])) <= 0:
          break
  if not scores:
    raise ValueError(f"No records are in {', '.join(pattern for _, pattern in folds)}: "
                     "name others.")
  return np.concatenate(scores), np.concatenate(labels)


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
