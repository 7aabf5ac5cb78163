# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-export`: writes a model as a SavedModel, and shows its size and signatures.

    yt8m-export --train_dir=model --output_dir=serving/1

Without training, for sizing and load tests:

    yt8m-export --model=LstmModel --untrained --output_dir=serving/1

Several SavedModels as one, as `yt8m-ensemble` chose them:

    yt8m-export --ensemble=ensemble/ensemble.json --output_dir=serving/1
"""

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m import command
from yt8m import experiment
from yt8m import feature_spec
from yt8m import files
from yt8m import model_flags
from yt8m import models
from yt8m import recipes
from yt8m.eval import ensemble_file
from yt8m.export import compression
from yt8m.export import ensemble_model
from yt8m.export import saved_model

FLAGS = flags.FLAGS

flags.DEFINE_string("train_dir", "", "Directory that yt8m-train wrote.")
flags.DEFINE_string("checkpoint", None,
                    "Path prefix of one of its checkpoints; default: the newest.")
flags.DEFINE_string("output_dir", "", "The SavedModel to write; required.")
flags.DEFINE_bool("overwrite", False, "Replace what is at --output_dir.")
flags.DEFINE_integer("top_k", 20, "Classes that serving_default returns.")
flags.DEFINE_string("vocabulary", None,
                    "CSV of the class names, taken along as an asset.")
flags.DEFINE_enum("weights", "float32", compression.WEIGHT_FORMATS,
                  "How the weights are stored; computed is in float32.")
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
  if FLAGS.ensemble:
    signatures, before = _export_ensemble()
  else:
    signatures, before = _export_model()
  for name, num_bytes in (
      before, ("on disk", files.bytes_on_disk(FLAGS.output_dir))):
    print(f"{name:<17} {num_bytes:>13,} bytes {num_bytes / MIB:>9.2f} MiB")
  for name, function in signatures.items():
    inputs = tf.nest.flatten(function.structured_input_signature)
    print(f"{name:<17} {_tensors((spec.name, spec) for spec in inputs)}")
    print(f"{'':<14} -> {_tensors(function.structured_outputs.items())}")


def _export_model():
  """Returns the signatures, and what the size on disk is to be compared with."""
  if FLAGS.untrained:
    described, model = _untrained()
  else:
    _refuse([name for name in UNTRAINED_FLAGS if name != "hparams"],
            f"describes an --untrained model; that of --train_dir={FLAGS.train_dir} is "
            "described by its config.json.")
    described, model, step = experiment.load(
        FLAGS.train_dir, FLAGS.checkpoint, FLAGS.hparams)
    logging.info("Model of %s at step %d.", FLAGS.train_dir, step)
  signatures = saved_model.save(
      described, model, FLAGS.output_dir, FLAGS.top_k, FLAGS.vocabulary,
      FLAGS.overwrite, FLAGS.weights)
  return signatures, ("weights", saved_model.bytes_of_weights(model))


def _export_ensemble():
  _refuse([*UNTRAINED_FLAGS, "checkpoint", "weights"],
          "says how a model is exported; the members of --ensemble are SavedModels "
          "already. Export them with it first.")
  chosen = ensemble_file.EnsembleFile.load(FLAGS.ensemble)
  members = [member.saved_model for member in chosen.members]
  signatures = ensemble_model.save(
      members, chosen.weights, FLAGS.output_dir, chosen.averaging,
      [member.rank_knots for member in chosen.members], FLAGS.top_k, FLAGS.vocabulary,
      chosen.budget_bytes, FLAGS.overwrite)
  return signatures, (
      f"{len(members)} members", sum(map(files.bytes_on_disk, members)))


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
  described = experiment.Experiment(model.get_config(), FLAGS.max_frames)
  return described, model.build_variables()


def _tensors(named):
  """Writes `(name, tensor)` pairs as `name dtype (shape)`, an unknown size as ?."""
  return ", ".join(
      f"{name} {x.dtype.name} ({', '.join(str(n or '?') for n in x.shape)})"
      for name, x in named)


def run():
  command.run(main)


if __name__ == "__main__":
  run()
