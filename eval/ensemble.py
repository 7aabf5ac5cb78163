# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-ensemble`: chooses the models that blend best under a budget of bytes.

    yt8m-ensemble search --members='members/*' --output_dir=ensemble \
        --eval_data_pattern='validate*.tfrecord' --num_models=6 --budget_bytes=1GiB
    yt8m-ensemble evaluate --ensemble=ensemble/ensemble.json \
        --eval_data_pattern='test*.tfrecord'
    yt8m-export --ensemble=ensemble/ensemble.json --output_dir=serving/1

Members are SavedModels of yt8m-export. `predict` writes the predictions of those that
have none yet, which the other two do on their own; `search` writes ensemble.json, what
it tried, and a picture of it; `evaluate` measures the blend on other videos. Each goes
on where it stopped.
"""

import dataclasses
import os
from collections.abc import Sequence

from absl import flags

from yt8m.artifacts import saved_model
from yt8m.core import command
from yt8m.eval.blending import averaging
from yt8m.eval.blending import builder
from yt8m.eval.blending import candidates
from yt8m.eval.blending import evaluation
from yt8m.eval.blending import search as ensemble_search
from yt8m.eval.predictions import members as member_predictions
from yt8m.eval.predictions import store as prediction_store

FLAGS = flags.FLAGS

flags.DEFINE_list("members", [], "SavedModels of yt8m-export: globs of directories.")
flags.DEFINE_string("ensemble", None, "ensemble.json, which search wrote; for evaluate.")
flags.DEFINE_string("eval_data_pattern", None, "Records with labels: globs, separated by "
                    "commas; required.")
flags.DEFINE_string("output_dir", None, "Where search writes ensemble.json and its "
                    "pictures.")
flags.DEFINE_string("predictions_dir", None, "Where the predictions of every member are "
                    "kept; one for every --eval_data_pattern. Default: predictions in "
                    "--output_dir, or evaluation beside --ensemble.")

# ---------------------------------------------------------------- predictions
flags.DEFINE_integer("stored_classes", 50, "Classes kept a video, the best; 0: all.",
                     lower_bound=0)
flags.DEFINE_integer("batch_size", 256, "Videos at a time.", lower_bound=1)

# ---------------------------------------------------------------- search
flags.DEFINE_integer("num_models", 6, "Members of the ensemble.", lower_bound=1)
flags.DEFINE_string("budget_bytes", "1GiB", "Bytes on disk that they may have together: "
                    "a number, or with KiB, MiB, GiB.")
flags.DEFINE_enum("search", "beam", ensemble_search.METHODS,
                  "How the members are chosen.")
flags.DEFINE_integer("beam_width", 10, "Ensembles kept at each level of the beam search.",
                     lower_bound=1)

# ---------------------------------------------------------------- blend
flags.DEFINE_enum("averaging", "probabilities", averaging.AVERAGINGS,
                  "What of the members is averaged.")
flags.DEFINE_bool("learn_weights", True, "Learn the weights of the members, in place of "
                  "the same for all.")
flags.DEFINE_bool("class_weights", False, "Learn them class by class.")
flags.DEFINE_float("weight_regularization", 0.01, "λ: how far they may be from equal.",
                   lower_bound=0.0)
flags.DEFINE_integer("num_folds", 5, "Folds of videos by which the GAP of the learned "
                     "weights is measured on videos that they were not learned on.",
                     lower_bound=2)
flags.DEFINE_integer("seed", 0, "Of the folds.")
flags.mark_flag_as_required("eval_data_pattern")

ACTIONS = ("predict", "search", "evaluate")


def main(action: str) -> None:
  if action == "evaluate":
    return _evaluate()
  if not FLAGS.members or not FLAGS.output_dir:
    raise ValueError(f"yt8m-ensemble {action} needs --members and --output_dir.")
  options = builder.Options(
      budget_bytes=candidates.parse_bytes(FLAGS.budget_bytes),
      **{field.name: FLAGS[field.name].value
         for field in dataclasses.fields(builder.Options)
         if field.name != "budget_bytes"})
  models = candidates.find(FLAGS.members)
  if action == "search":
    # Before hours of predicting.
    builder.check(models, options)
  stores = _predict(models, os.path.join(FLAGS.output_dir, "predictions"))
  if action == "search":
    print(builder.build(models, stores, FLAGS.output_dir, options))
  return None


def _evaluate() -> None:
  if not FLAGS.ensemble:
    raise ValueError("yt8m-ensemble evaluate needs --ensemble, the ensemble.json that "
                     "search wrote.")
  compared = evaluation.Evaluation(FLAGS.ensemble)
  stores = _predict(compared.models, os.path.join(compared.folder, "evaluation"))
  print(compared.report(stores, FLAGS.seed))


def _predict(models: Sequence[saved_model.SavedModel], default_dir: str,
             ) -> dict[str, prediction_store.PredictionStore]:
  """Returns the predictions of every model by name, and writes those that are missing."""
  directory = FLAGS.predictions_dir or default_dir
  return {
      model.name: member_predictions.write(
          model.directory, FLAGS.eval_data_pattern, os.path.join(directory, model.name),
          FLAGS.stored_classes, dense=not FLAGS.stored_classes,
          batch_size=FLAGS.batch_size)
      for model in models}


def run() -> None:
  command.run(main, ACTIONS)


if __name__ == "__main__":
  run()
