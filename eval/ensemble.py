# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-ensemble`: chooses the models that blend best within a budget of bytes.

    yt8m-ensemble search --members='members/*' --output_dir=ensemble \
        --eval_data_pattern='validate*.tfrecord' --num_models=6 --budget_bytes=1GiB
    yt8m-ensemble evaluate --ensemble=ensemble/ensemble.json \
        --eval_data_pattern='test*.tfrecord'
    yt8m-export --ensemble=ensemble/ensemble.json --output_dir=serving/1

Members are SavedModels of yt8m-export. `predict` writes the predictions of those that
have none yet, which the other two do as well; `search` writes ensemble.json, the scores
of all subsets that it tried, and a picture of them; `evaluate` measures the ensemble on
other videos. Each of them continues where it was stopped.
"""

import dataclasses
import os
from collections.abc import Sequence

from absl import flags

from yt8m.artifacts import saved_model
from yt8m.configs import data_flag
from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import directories
from yt8m.core import locks
from yt8m.core import paths
from yt8m.data import dataset
from yt8m.eval.blending import averaging
from yt8m.eval.blending import builder
from yt8m.eval.blending import candidates
from yt8m.eval.blending import choosing
from yt8m.eval.blending import evaluation
from yt8m.eval.blending import search as ensemble_search
from yt8m.eval.predictions import store as prediction_store
from yt8m.export.prediction import runners
from yt8m.export.prediction import stores
from yt8m.export.saved_models import ensemble as saved_ensemble

FLAGS = flags.FLAGS

paths.define_pattern("members", None, "SavedModels of yt8m-export: globs of directories, "
                     "separated by commas.")
paths.define("ensemble", None, "ensemble.json that search wrote; for evaluate.",
             must_exist="name the one that yt8m-ensemble search wrote")
data_flag.define({"eval_data_pattern": dataset.VALIDATE}, chosen="eval_data_pattern")
paths.define_pattern("eval_data_pattern", None, "Record files with labels: globs, "
                     "separated by commas; required.")
paths.define("output_dir", None, "Directory to which search writes ensemble.json "
             "and its picture.")
paths.define("predictions_dir", None, "Directory for the predictions of every "
             "member; each --eval_data_pattern needs its own. Default: "
             "predictions in --output_dir, or evaluation beside --ensemble.")

# ---------------------------------------------------------------- predictions
flags.DEFINE_integer("stored_classes", 50, "Number of classes kept of a video, the best; "
                     "0 keeps all.", lower_bound=0)
flags.DEFINE_integer("batch_size", 256, "Number of videos that are predicted at a time.",
                     lower_bound=1)
runners.define_flags()

# ---------------------------------------------------------------- search
flags.DEFINE_integer("num_models", 6, "Most members that may be chosen.", lower_bound=1)
flags.DEFINE_string("budget_bytes", "1GiB", "Bytes on disk that the members may take "
                    "together: a number, or a number with KiB, MiB or GiB.")
flags.DEFINE_enum("search", "beam", ensemble_search.METHODS,
                  "Method by which the members are chosen; repetition is the selection "
                  "of Caruana et al. (2004).")
flags.DEFINE_integer("beam_width", 10, "Number of subsets kept at each level of the beam "
                     "search.", lower_bound=1)

# ---------------------------------------------------------------- blend
flags.DEFINE_enum("averaging", "probabilities", averaging.AVERAGINGS,
                  "Transformation of the scores of which the mean is taken.")
flags.DEFINE_bool("learn_weights", True, "Search with learned weights, instead of equal "
                  "ones.")
flags.DEFINE_bool("class_weights", False, "Learn the weights class by class.")
flags.DEFINE_float("weight_regularization", 0.01, "λ, the strength that keeps the "
                   "weights near equal ones.", lower_bound=0.0)
flags.DEFINE_integer("num_folds", 5, "Number of folds of videos, at most one for each "
                     "video, for the GAP of learned weights on videos that they were not "
                     "learned on.", lower_bound=2)
flags.DEFINE_integer("seed", 0, "Seed of the folds.", lower_bound=0)
command_line.require(
    "eval_data_pattern", "name the records to predict", unless=("data",))
command_line.require(
    "members", "name the SavedModels to choose from", actions=("predict", "search"))
command_line.require(
    "output_dir", "name the directory to write", actions=("predict", "search"))
command_line.require(
    "ensemble", "name the ensemble.json that search wrote", actions=("evaluate",))

ACTIONS = ("predict", "search", "evaluate")


def main(action: str) -> None:
  data_flag.apply()
  if action == "evaluate":
    return _evaluate()
  values = {**FLAGS.flag_values_dict(),
            "budget_bytes": candidates.parse_bytes(FLAGS.budget_bytes)}
  options = choosing.Options(**{
      field.name: values[field.name] for field in dataclasses.fields(choosing.Options)})
  models = candidates.find(paths.patterns(FLAGS.members, "--members"))
  # All errors that are known before hours of predicting.
  saved_ensemble.join(models)
  if action == "search":
    choosing.check([model.name for model in models],
                   [model.bytes for model in models], options)
    builder.check_outputs(FLAGS.output_dir)
  os.makedirs(FLAGS.output_dir, exist_ok=True)
  doing = "searches" if action == "search" else "predicts"
  with locks.hold(FLAGS.output_dir, doing, "choose another --output_dir"):
    predictions = _predict(models, os.path.join(FLAGS.output_dir, "predictions"))
    if action == "search":
      print(builder.build(models, predictions, FLAGS.output_dir, options))
  return None


def _evaluate() -> None:
  compared = evaluation.Evaluation(FLAGS.ensemble)
  saved_ensemble.join(compared.models)
  predictions = _predict(
      compared.models, os.path.join(compared.folder, "evaluation"))
  print(compared.report(predictions, FLAGS.seed))


def _predict(models: Sequence[saved_model.SavedModel], default_dir: str,
             ) -> dict[str, prediction_store.PredictionStore]:
  """Returns the predictions of every model by name, and writes those that are missing."""
  directory = FLAGS.predictions_dir or default_dir
  if not FLAGS.predictions_dir:  # Nobody named it: it must be where it seems to be.
    for name in ("", *(model.name for model in models)):
      directories.checked_path(os.path.join(directory, name), "--predictions_dir")
  return {
      model.name: stores.write(
          model, FLAGS.eval_data_pattern, os.path.join(directory, model.name),
          top_k=FLAGS.stored_classes or None, batch_size=FLAGS.batch_size,
          runner=runners.chosen())
      for model in models}


def run() -> None:
  command.run(main, ACTIONS)


if __name__ == "__main__":
  run()
