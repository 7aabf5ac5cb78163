# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-export`: writes a model as a SavedModel, and prints its size and signatures.

    yt8m-export --train_dir=model --output_dir=serving/1

Without training, for measurements of size and speed:

    yt8m-export --model=LstmModel --untrained --output_dir=serving/1

An ensemble that `yt8m-ensemble` chose, as one SavedModel:

    yt8m-export --ensemble=ensemble/ensemble.json --output_dir=serving/1

Thresholds that yt8m-eval chose for the scores of this SavedModel become a part of it:

    yt8m-export --ensemble=ensemble/ensemble.json --thresholds=thresholds.json \
        --output_dir=serving/2

For MediaPipe's YouTube-8M graphs:

    yt8m-export --train_dir=model --output_dir=/tmp/mediapipe/saved_model --mediapipe

For a server that polls a directory, as a numbered version in it; the number is the step
of the checkpoint, or the next number for models without one:

    yt8m-export --train_dir=model --output_dir=serving/blstm --versioned
"""

import os
import re
from collections.abc import Iterable

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m import models
from yt8m.artifacts import identity
from yt8m.artifacts import saved_model
from yt8m.artifacts.thresholds import Thresholds
from yt8m.configs import checkpoints
from yt8m.configs import class_names
from yt8m.configs import experiment
from yt8m.configs import model_flags
from yt8m.configs import recipes
from yt8m.configs import starter_flags
from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import directories
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.core import locks
from yt8m.core import paths
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.blending import ensemble_file
from yt8m.export.saved_models import compression
from yt8m.export.saved_models import ensemble
from yt8m.export.saved_models import mediapipe
from yt8m.export.saved_models import model_card
from yt8m.export.saved_models import origin
from yt8m.export.saved_models import signatures
from yt8m.export.saved_models import writer
from yt8m.export.saved_models.signatures import Signatures
from yt8m.models import building

FLAGS = flags.FLAGS

paths.define("train_dir", "", "Directory that yt8m-train wrote.",
             must_exist="name the directory of a trained model")
checkpoints.define_flag()
paths.define("output_dir", "", "SavedModel to write; required.")
flags.DEFINE_bool("versioned", False, "Write a numbered directory into --output_dir: the "
                  "step, or the next number for a model without a checkpoint.")
flags.DEFINE_bool("overwrite", False, "Replace an existing SavedModel that yt8m-export "
                  "wrote. Nothing else is ever replaced.")
flags.DEFINE_integer("warmup_requests", 0, "Requests that a server sends to the model "
                     "when it loads it; 8 cover all sizes. At most 1,000.",
                     lower_bound=0, upper_bound=1000)
flags.DEFINE_integer("top_k", None, "Number of classes that serving_default returns. "
                     "Default: 20, or all classes if they are fewer.", lower_bound=1)
paths.define("vocabulary", None, "CSV with the names of the classes, as for yt8m-train: "
             "an asset, and the output class_names of serving_default. Default: that of "
             "--train_dir, or of the members of --ensemble.",
             must_exist="name a CSV of class names")
paths.define("thresholds", None, "File that yt8m-eval --choose_thresholds wrote for this "
             "checkpoint or ensemble: an asset, and the output decisions of "
             "serving_default and predict_full.",
             must_exist="name a file of yt8m-eval --choose_thresholds")
flags.DEFINE_enum("weights", "float32", compression.WEIGHT_FORMATS,
                  "Format of the stored weights; the computation is in float32.")
flags.DEFINE_bool("mediapipe", False, "Write MediaPipe's signature in place of ours.")
paths.define("ensemble", None, "ensemble.json of yt8m-ensemble: export its "
             "members as one SavedModel.",
             must_exist="name the one that yt8m-ensemble search wrote")

# ---------------------------------------------------------------- without training
flags.DEFINE_bool("untrained", False,
                  "Export the untrained model that the flags below describe.")
flags.DEFINE_string("feature_names", None, "Names of the features; default: rgb,audio, "
                    "or mean_rgb,mean_audio for a video-level model.")
flags.DEFINE_string("feature_sizes", "1024,128", "Sizes of the features, in the same "
                    "order.")
feature_spec.define_record_flags()
model_flags.define()
starter_flags.define()
command_line.require_one(
    ("train_dir", "untrained", "ensemble"),
    "Give either --train_dir, or --model and --untrained, or --ensemble.")
command_line.require("output_dir", "name the SavedModel to write")

UNTRAINED_FLAGS = ("model", "num_classes", "max_frames", "feature_names",
                   "feature_sizes", "feature_dtypes", *model_flags.MODEL_FLAGS)
MIB = 2 ** 20

# Signatures, directory, and name and bytes of what the directory is compared with.
Export = tuple[Signatures, str, tuple[str, int]]


def main() -> None:
  directories.checked_path(FLAGS.output_dir, "--output_dir")
  if FLAGS.mediapipe:
    _refuse(["top_k", "warmup_requests", "ensemble", "thresholds"],
            "belongs to our own signatures, and --mediapipe writes another one.")
  with locks.hold_output(FLAGS.output_dir, "exports", is_directory=True):
    traced, output_dir, before = (
        _export_ensemble() if FLAGS.ensemble else _export_model())
  for name, num_bytes in (before, ("on disk", files.bytes_on_disk(output_dir))):
    print(f"{name:<17} {num_bytes:>13,} bytes {num_bytes / MIB:>9.2f} MiB")
  for name, function in traced.items():
    inputs, outputs = model_card.describe(function)
    print(f"{name:<17} {inputs}")
    print(f"{'':<14} -> {outputs}")


@model_flags.named_code_allowed("reader")
def _export_model() -> Export:
  if FLAGS.untrained:
    _refuse(["thresholds"], "belongs to a trained model: the scores of an --untrained "
            "one have no meaning.")
    _refuse(["frame_features", "label_loss"], "belongs to a trained model: --model says "
            "whether an --untrained one reads frames, and it has no loss.")
    model_flags.count_classes()
    config, model = _untrained()
    checkpoint_origin = model_identity = limits = None
  else:
    starter_flags.check(experiment.Experiment.load(FLAGS.train_dir), FLAGS.train_dir)
    _refuse([name for name in UNTRAINED_FLAGS
             if name not in ("hparams", "set", *starter_flags.NAMES)],
            f"describes an --untrained model; that of --train_dir={FLAGS.train_dir} is "
            "described by its config.json.")
    # Determined once: training may write another checkpoint at any time.
    checkpoint = checkpoints.find(FLAGS.train_dir, FLAGS.checkpoint)
    experiment.TRAIN_DIR.refuse_links(FLAGS.train_dir)
    config, model, step = experiment.load(
        FLAGS.train_dir, checkpoint, model_flags.hparams_given())
    logging.info("Model of %s at step %d.", FLAGS.train_dir, step)
    experiment.warn_if_unfinished(FLAGS.train_dir, checkpoint)
    checkpoint_origin = origin.Origin.of_checkpoint(FLAGS.train_dir, checkpoint)
    model_identity = identity.of_checkpoint(checkpoint, model_flags.hparams_given())
    limits = _thresholds(config.num_classes, model_identity)
  names = class_names.of_training(
      FLAGS.train_dir, config.num_classes, FLAGS.vocabulary)
  output_dir, earlier = _output_dir(checkpoint_origin and checkpoint_origin.step)
  traced = writer.save(
      config, model, output_dir, top_k=FLAGS.top_k, names=names, limits=limits,
      overwrite=FLAGS.overwrite, weight_format=FLAGS.weights,
      warmup_requests=FLAGS.warmup_requests, origin=checkpoint_origin,
      identity=model_identity, earlier=earlier,
      make_signatures=mediapipe.make if FLAGS.mediapipe else signatures.make)
  return (traced, _written(output_dir, earlier),
          ("weights", writer.bytes_of_weights(model)))


def _thresholds(num_classes: int, model: identity.Identity) -> Thresholds | None:
  """Returns the thresholds of a model, if they are given."""
  if not FLAGS.thresholds:
    return None
  limits = Thresholds.load(FLAGS.thresholds, num_classes)
  limits.check_model(f"--thresholds={FLAGS.thresholds}", model)
  return limits


def _export_ensemble() -> Export:
  _refuse([*UNTRAINED_FLAGS, "frame_features", "label_loss", "checkpoint", "weights"],
          "says how a model is exported, but the members of --ensemble are SavedModels "
          "already. Export them with it first.")
  chosen = ensemble_file.EnsembleFile.load(FLAGS.ensemble)
  num_classes = ensemble.join([member.model for member in chosen.members]).num_classes
  names = (Vocabulary.load(FLAGS.vocabulary, num_classes) if FLAGS.vocabulary else None)
  limits = _thresholds(num_classes, ensemble.identity_of(chosen))
  output_dir, earlier = _output_dir()
  traced = ensemble.save(
      chosen, output_dir, top_k=FLAGS.top_k, names=names, limits=limits,
      overwrite=FLAGS.overwrite, warmup_requests=FLAGS.warmup_requests, earlier=earlier)
  return (traced, _written(output_dir, earlier),
          (f"{len(chosen.members)} members", chosen.bytes))


def _written(output_dir: str, earlier: str | None) -> str:
  """Returns the directory that holds the model."""
  return output_dir if earlier is None or tf.io.gfile.exists(output_dir) else earlier


def _output_dir(step: int | None = None) -> tuple[str, str | None]:
  """Returns the directory to write; with --versioned, a number in --output_dir.

  Args:
    step: Step of the checkpoint; None if there is none.

  Returns:
    The directory, and the newest version if only its number tells it from a new one.
  """
  if not FLAGS.versioned:
    return FLAGS.output_dir, None
  if saved_model.SavedModel(FLAGS.output_dir).exists:
    raise ValueError(f"--output_dir={FLAGS.output_dir} is itself a SavedModel: with "
                     "--versioned name a directory of versions.")
  numbers = []
  if tf.io.gfile.isdir(FLAGS.output_dir):  # names in gs:// directories end with a slash
    names = (name.rstrip("/") for name in tf.io.gfile.listdir(FLAGS.output_dir))
    numbers = [int(name) for name in names if re.fullmatch("[0-9]+", name)]
  newest = max(numbers, default=0)
  if step is not None and step < newest:
    logging.warning("Version %d is not the newest of %s: a server still uses %d.", step,
                    FLAGS.output_dir, newest)
  # It is written first into a directory beside it, whose name is not a number.
  if step is not None:
    return os.path.join(FLAGS.output_dir, str(step)), None
  return (os.path.join(FLAGS.output_dir, str(newest + 1)),
          os.path.join(FLAGS.output_dir, str(newest)) if numbers else None)


def _refuse(names: Iterable[str], reason: str) -> None:
  """Raises an error if one of these flags is given."""
  for name in names:
    if FLAGS[name].present:
      raise ValueError(f"--{name} {reason}")


def _untrained() -> tuple[experiment.Experiment, models.VideoModel]:
  tf.keras.utils.set_random_seed(0)
  frames = recipes.find(FLAGS.model).frame_level
  names = FLAGS.feature_names or ("rgb,audio" if frames else "mean_rgb,mean_audio")
  spec = feature_spec.FeatureSpec.from_flags(
      names, FLAGS.feature_sizes, frames, feature_dtypes=FLAGS.feature_dtypes,
      reader=FLAGS.reader)
  model = building.build(num_classes=FLAGS.num_classes, feature_spec=spec,
                         **model_flags.chosen_options())
  config = experiment.Experiment(
      model.get_config(), FLAGS.max_frames, {"model": FLAGS.model})
  return config, model.build_variables()


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
