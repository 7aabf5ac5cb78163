# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-export`: writes a model as a SavedModel, and shows its size and signatures.

    yt8m-export --train_dir=model --output_dir=serving/1

Without training, for sizing and load tests:

    yt8m-export --model=LstmModel --untrained --output_dir=serving/1

Several SavedModels as one, as `yt8m-ensemble` chose them:

    yt8m-export --ensemble=ensemble/ensemble.json --output_dir=serving/1

For MediaPipe's YouTube-8M graphs:

    yt8m-export --train_dir=model --output_dir=/tmp/mediapipe/saved_model --mediapipe

For a server that watches a directory, each export as a numbered version in it, the step
of the checkpoint or else the next number:

    yt8m-export --train_dir=model --output_dir=serving/blstm --versioned
"""

import os
import re

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.configs import model_flags
from yt8m.configs import recipes
from yt8m.core import command
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.eval.blending import ensemble_file
from yt8m.export.saved_models import compression
from yt8m.export.saved_models import ensemble
from yt8m.export.saved_models import mediapipe
from yt8m.export.saved_models import model_card
from yt8m.export.saved_models import origin
from yt8m.export.saved_models import signatures
from yt8m.export.saved_models import writer

FLAGS = flags.FLAGS

flags.DEFINE_string("train_dir", "", "Directory that yt8m-train wrote.")
flags.DEFINE_string("checkpoint", None,
                    "Path prefix of one of its checkpoints; default: the newest.")
flags.DEFINE_string("output_dir", "", "The SavedModel to write; required.")
flags.DEFINE_bool("versioned", False, "Write a numbered directory in --output_dir: the "
                  "step, or else the next number.")
flags.DEFINE_bool("overwrite", False, "Replace what is there already.")
flags.DEFINE_integer("warmup_requests", 0, "Requests that a server sends through the "
                     "model when it loads it; 8 are of all sizes. At most 1,000.")
flags.DEFINE_integer("top_k", 20, "Classes that serving_default returns.")
flags.DEFINE_string("vocabulary", None,
                    "CSV of the class names, taken along as an asset.")
flags.DEFINE_enum("weights", "float32", compression.WEIGHT_FORMATS,
                  "How the weights are stored; computed is in float32.")
flags.DEFINE_bool("mediapipe", False, "Give it MediaPipe's signature in place of ours.")
flags.DEFINE_string("ensemble", None, "ensemble.json of yt8m-ensemble: export its "
                    "members as one SavedModel.")

# ---------------------------------------------------------------- without training
flags.DEFINE_bool("untrained", False,
                  "Export the model that the flags below describe, untrained.")
flags.DEFINE_string("feature_names", None, "Default: rgb,audio, or mean_rgb,mean_audio "
                    "for a video-level model.")
flags.DEFINE_string("feature_sizes", "1024,128", "Their sizes, in the same order.")
model_flags.define()

UNTRAINED_FLAGS = ("model", "num_classes", "max_frames", "feature_names",
                   "feature_sizes", *model_flags.MODEL_FLAGS)
MIB = 2 ** 20


def main():
  if (bool(FLAGS.train_dir), FLAGS.untrained, bool(FLAGS.ensemble)).count(True) != 1:
    raise ValueError("Give either --train_dir, or --model and --untrained, or "
                     "--ensemble.")
  if not FLAGS.output_dir:
    raise ValueError("--output_dir is missing: name the SavedModel to write.")
  if FLAGS.mediapipe:
    _refuse(["top_k", "warmup_requests", "ensemble"],
            "belongs to our own signatures; --mediapipe has another one.")
  traced, output_dir, before = (
      _export_ensemble() if FLAGS.ensemble else _export_model())
  for name, num_bytes in (before, ("on disk", files.bytes_on_disk(output_dir))):
    print(f"{name:<17} {num_bytes:>13,} bytes {num_bytes / MIB:>9.2f} MiB")
  for name, function in traced.items():
    inputs, outputs = model_card.describe(function)
    print(f"{name:<17} {inputs}")
    print(f"{'':<14} -> {outputs}")


@model_flags.named_code_allowed()
def _export_model():
  """Returns signatures, directory, and what its size is to be compared with."""
  if FLAGS.untrained:
    described, model = _untrained()
    of = None
  else:
    _refuse([name for name in UNTRAINED_FLAGS if name != "hparams"],
            f"describes an --untrained model; that of --train_dir={FLAGS.train_dir} is "
            "described by its config.json.")
    # Looked up once: training may go on.
    checkpoint = FLAGS.checkpoint or checkpoints.latest(FLAGS.train_dir)
    described, model, step = experiment.load(FLAGS.train_dir, checkpoint, FLAGS.hparams)
    logging.info("Model of %s at step %d.", FLAGS.train_dir, step)
    experiment.warn_if_unfinished(FLAGS.train_dir, checkpoint)
    of = origin.Origin.of_checkpoint(FLAGS.train_dir, checkpoint)
  output_dir = _output_dir(of.step if of else None)
  traced = writer.save(
      described, model, output_dir, FLAGS.top_k, FLAGS.vocabulary, FLAGS.overwrite,
      FLAGS.weights, FLAGS.warmup_requests, of,
      mediapipe.make if FLAGS.mediapipe else signatures.make)
  return traced, output_dir, ("weights", writer.bytes_of_weights(model))


def _export_ensemble():
  _refuse([*UNTRAINED_FLAGS, "checkpoint", "weights"],
          "says how a model is exported; the members of --ensemble are SavedModels "
          "already. Export them with it first.")
  chosen = ensemble_file.EnsembleFile.load(FLAGS.ensemble)
  members = [member.model.directory for member in chosen.members]
  output_dir = _output_dir()
  traced = ensemble.save(
      members, chosen.weights, output_dir, chosen.averaging,
      [member.rank_knots for member in chosen.members], FLAGS.top_k, FLAGS.vocabulary,
      chosen.budget_bytes, FLAGS.overwrite, FLAGS.warmup_requests, chosen.scores)
  return traced, output_dir, (
      f"{len(members)} members", sum(map(files.bytes_on_disk, members)))


def _output_dir(step=None):
  """The directory to write; with --versioned, that of the step or the next number."""
  if not FLAGS.versioned:
    return FLAGS.output_dir
  if tf.saved_model.contains_saved_model(FLAGS.output_dir):
    raise ValueError(f"--output_dir={FLAGS.output_dir} is a SavedModel itself: with "
                     "--versioned name a directory of versions.")
  numbers = []
  if tf.io.gfile.isdir(FLAGS.output_dir):  # gs:// names directories with a slash
    names = (name.rstrip("/") for name in tf.io.gfile.listdir(FLAGS.output_dir))
    numbers = [int(name) for name in names if re.fullmatch("[0-9]+", name)]
  newest = max(numbers, default=0)
  if step is not None and step < newest:
    logging.warning("Version %d is not the newest of %s: a server goes on with %d.", step,
                    FLAGS.output_dir, newest)
  # The directory beside it, which it is written into first, has no number for a name.
  return os.path.join(FLAGS.output_dir, str(newest + 1 if step is None else step))


def _refuse(names, reason):
  given = [name for name in names if FLAGS[name].present]
  if given:
    raise ValueError(f"--{given[0]} {reason}")


def _untrained():
  tf.keras.utils.set_random_seed(0)
  frames = recipes.RECIPES[FLAGS.model].frame_level
  names = FLAGS.feature_names or ("rgb,audio" if frames else "mean_rgb,mean_audio")
  spec = feature_spec.FeatureSpec.from_flags(names, FLAGS.feature_sizes, frames)
  model = models.VideoModel(FLAGS.num_classes, spec, **model_flags.chosen_options())
  described = experiment.Experiment(
      model.get_config(), FLAGS.max_frames, {"model": FLAGS.model})
  return described, model.build_variables()


def run():
  command.run(main)


if __name__ == "__main__":
  run()
