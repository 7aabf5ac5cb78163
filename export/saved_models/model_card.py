# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The model card of a SavedModel, in Markdown: `assets.extra/MODEL_CARD.md`.

It states the recipe, options and data; metrics, calibration and thresholds; bytes;
signatures and how to call them; and limits. Everything is derived from the model, its
checkpoint and its evaluation, so that the same export has the same card.

Reference: Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

import json
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

import yt8m
from yt8m import models
from yt8m.artifacts import thresholds
from yt8m.artifacts.saved_model import DESCRIPTION
from yt8m.artifacts.saved_model import Contract
from yt8m.artifacts.saved_model import SavedModel
from yt8m.artifacts.thresholds import Thresholds
from yt8m.configs import experiment
from yt8m.core import files
from yt8m.core import markdown
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.blending import ensemble_file
from yt8m.export.saved_models import measured
from yt8m.export.saved_models import usage
from yt8m.export.saved_models.origin import Origin
from yt8m.export.saved_models.signatures import Signatures
from yt8m.models.layers import variables

NAME = "assets.extra/MODEL_CARD.md"
_OPTIONS = ("model", "sampling", "normalization", "fusion", "aggregation", "classifier",
            "mixture")
# The flags of `yt8m-train` that determine what the model learned.
_TRAINING = ("train_data_pattern", "segment_labels", "label_sets", "teacher_predictions",
             "label_loss", "optimizer", "base_learning_rate", "learning_rate_schedule",
             "learning_rate_decay", "learning_rate_decay_examples", "batch_size",
             "num_epochs", "max_steps", "weight_averaging", "precision", "seed")

_NUM_CLASSES = 10  # that the card names

# Title and text of a section.
Section = tuple[str, str]


def of_model(directory: str, contract: Contract, signatures: Signatures,
             config: experiment.Experiment, model: models.VideoModel,
             weight_format: str, *, origin: Origin | None = None,
             names: Vocabulary | None = None, limits: Thresholds | None = None) -> str:
  """Returns the card of one model.

  Args:
    directory: Path of the SavedModel, complete but for card and manifest.
    contract: Features, number of frames and number of classes of the model.
    signatures: Signatures of the SavedModel.
    config: Configuration and training flags of the model.
    model: Model with its variables.
    weight_format: One of `compression.WEIGHT_FORMATS`.
    origin: Origin of the weights; None if they are random.
    names: Names of the classes.
    limits: Thresholds of the classes.
  """
  recipe = config.flags.get("model")
  parameters = sum(v.shape.num_elements()
                   for v in map(variables.tf_variable, model.trainable_variables))
  facts = [
      ("recipe", recipe),
      *((name, _option(config.model_config.get(name))) for name in _OPTIONS),
      ("parameters", f"{parameters:,}"),
      ("weights", weight_format)]
  if origin:
    title = f"step {origin.step:,}"
    facts += [("checkpoint", ", ".join(filter(None, [title, origin.date]))),
              ("best checkpoint of its training", origin.best)]
    sections = [("Training", _training(config)), ("Metrics", measured.metrics(origin)),
                ("Calibration", measured.calibrated(origin))]
  else:
    title = "untrained"
    sections = [("Training", "None: the weights are random, for measurements of size and "
                 "speed. The scores have no meaning.")]
  if limits:
    sections.append(("Decisions", measured.decided(limits)))
  sections += _classes(names, origin and origin.evaluation)
  return _card(f"{recipe or 'Model'}, {title}", directory, contract, signatures, facts,
               sections)


def of_ensemble(directory: str, contract: Contract, signatures: Signatures,
                ensemble: ensemble_file.EnsembleFile,
                names: Vocabulary | None = None, limits: Thresholds | None = None
                ) -> str:
  """Returns the card of an ensemble.

  Args:
    directory: Path of the SavedModel, complete but for card and manifest.
    contract: Features, number of frames and number of classes of the ensemble.
    signatures: Signatures of the SavedModel.
    ensemble: Members, weights and scores, as in the SavedModel's `ensemble.json`.
    names: Names of the classes.
    limits: Thresholds of the classes.
  """
  members, budget = ensemble.members, ensemble.budget_bytes
  weight = "weight, mean of the classes" if ensemble.weights.ndim > 1 else "weight"
  table = markdown.make(
      ["member", weight, "bytes", "weights"],
      [[member.model.name, f"{np.mean(member.weight):.4f}", f"{member.model.bytes:,}",
        member.stored_as or ""] for member in members], ("member", "weights"))
  facts = [("members", str(len(members))), ("mean of", ensemble.averaging),
           ("budget", f"{budget:,} bytes" if budget else None)]
  sections = [("Members", f"{table}\n\nThe cards of the members state their training "
               "data.")]
  if ensemble.scores:
    rows = [[name.replace("_", " "), f"{gap:.4f}"]
            for name, gap in ensemble.scores.items()]
    sections.append(("Metrics", "On the videos on which members and weights were chosen, "
                     "and therefore slightly too high:\n\n"
                     + markdown.make(["", "GAP"], rows, ("",))))
  sections.append(("Calibration", measured.NOT_CALIBRATED))
  if limits:
    sections.append(("Decisions", measured.decided(limits)))
  sections += _classes(names)
  return _card(f"Ensemble of {len(members)} models", directory, contract, signatures,
               facts, sections)


def of_calibrated(directory: str, contract: Contract, signatures: Signatures,
                  model: SavedModel, hparams: dict[str, Any],
                  names: Vocabulary | None = None) -> str:
  """Returns the card of a SavedModel with a calibration behind it.

  Args:
    directory: Path of the new SavedModel, complete but for card and manifest.
    contract: Features, number of frames and number of classes of the model.
    signatures: Signatures of the new SavedModel.
    model: SavedModel that was calibrated. Its card is repeated below.
    hparams: Hyperparameters of the calibration.
    names: Names of the classes.
  """
  path = os.path.join(model.directory, NAME)
  sections = [("Calibration", "The scores were corrected by `yt8m-calibrate`, which "
               "chose all weights of the calibration on videos that the model had not "
               "been trained on.")]
  if tf.io.gfile.exists(path):
    with files.open_to_read(path) as file:
      below = "\n".join(f"##{line}" if line.startswith("#") else line
                        for line in file.read().splitlines())
    sections.append(("Before calibration", below))
  facts = [("calibration", f"`{json.dumps(hparams, sort_keys=True)}`")]
  return _card("Calibrated model", directory, contract, signatures, facts,
               sections + _classes(names))


def describe(function: Any) -> tuple[str, str]:
  """Returns inputs and outputs of a signature, each as `name dtype (shape)`, ….

  Args:
    function: `tf.types.experimental.ConcreteFunction` of the signature. An axis of any
      size is shown as `?`.
  """
  inputs = tf.nest.flatten(function.structured_input_signature)
  return (_tensors((spec.name, spec) for spec in inputs),
          _tensors(function.structured_outputs.items()))


def _tensors(named: Iterable[tuple[str, Any]]) -> str:
  return ", ".join(
      f"{name} {x.dtype.name} ({', '.join(str(n or '?') for n in x.shape)})"
      for name, x in named)


def _card(title: str, directory: str, contract: Contract, signatures: Signatures,
          facts: list[tuple[str, Any]], sections: list[Section]) -> str:
  weights = files.bytes_on_disk(os.path.join(directory, "variables"))
  # Not the size of all files: fingerprint.pb holds a random number of varying length.
  graph = tf.io.gfile.stat(os.path.join(directory, "saved_model.pb")).length
  assets = sorted({*tf.io.gfile.listdir(os.path.join(directory, "assets"))}
                  - {DESCRIPTION, thresholds.FILE})
  facts = [
      ("reads", _features(contract)),
      ("extractor of these features", contract.spec.extractor),
      ("answers", f"scores of {contract.num_classes:,} classes, each between 0 and 1"),
      ("names of classes", ", ".join(f"assets/{name}" for name in assets)),
      *facts,
      ("bytes", f"{weights:,} of weights, {graph:,} of the graph"),
      ("written by", f"yt8m {yt8m.__version__}, TensorFlow {tf.__version__}"),
  ]
  table = markdown.make(
      ["", ""], [[name, str(fact)] for name, fact in facts if fact], ("",))
  columns = ["signature", "inputs", "outputs"]
  rows = [[name, *describe(function)] for name, function in signatures.items()]
  sections = [*sections, ("Signatures", markdown.make(columns, rows, columns)),
              ("How to call it", usage.examples(contract, signatures)),
              ("Limits", _limits(contract))]
  return "\n\n".join([
      f"# {title}",
      "A multi-label classifier of videos, which are given as features that were "
      "extracted beforehand. It is a TensorFlow SavedModel.",
      table, *(f"## {name}\n\n{text}" for name, text in sections)]) + "\n"


def _features(contract: Contract) -> str:
  spec = contract.spec
  sizes = ", ".join(f"{name} ({size:,})"
                    for name, size in zip(spec.names, spec.sizes, strict=True))
  if spec.is_video_level:
    return f"one vector per video: {sizes}"
  return (f"features of every frame: {sizes}; the first {contract.max_frames} frames of "
          "a video")


def _option(config: Any) -> str | None:
  """Returns the config of an option as text, such as `moe {"num_mixtures": 2}`."""
  if not isinstance(config, dict):
    return config
  hparams = {key: value for key, value in config.items() if key != "name"}
  return " ".join(filter(None, [
      config.get("name"), f"`{json.dumps(hparams, sort_keys=True)}`" if hparams else ""]))


def _training(config: experiment.Experiment) -> str:
  rows = [[f"--{name}", f"`{value}`"]
          for name, value in ((name, config.flags.get(name)) for name in _TRAINING)
          if str(value) not in ("None", "False", "", "none")]
  others = "All flags are in `assets.extra/config.json`."
  return f"{markdown.make(['', ''], rows, ('',))}\n\n{others}" if rows else others


def _classes(names: Vocabulary | None, evaluation: dict[str, Any] | None = None
             ) -> list[Section]:
  """Returns a section that names some classes: the most frequent, if that is known."""
  if not names:
    return []
  shown = [name.replace("|", r"\|") for name in names.names]
  counts = (evaluation or {}).get("num_positives")
  if not counts:
    rows = [[str(index), shown[index]] for index in range(min(_NUM_CLASSES, len(shown)))]
    table = markdown.make(["class", "name"], rows, ("name",))
    return [("Classes", f"The first of {len(shown):,}:\n\n{table}")]
  precisions = (evaluation or {})["average_precision"]
  best = sorted(counts, key=lambda index: (-counts[index], int(index)))[:_NUM_CLASSES]
  table = markdown.make(
      ["class", "name", "positives", "average precision"],
      [[index, shown[int(index)], f"{counts[index]:,}",
        f"{precisions[index]:.4f}"] for index in best], ("name",))
  return [("Classes", f"The most frequent of {len(shown):,} in the evaluation above:\n\n"
           + table)]


def _limits(contract: Contract) -> str:
  error = (", and no error" if contract.spec.extractor is None else
           "; records are refused if the `dataset.json` beside them names another one")
  limits = [
      "The features must come from the extractor of the training data, with the same "
      f"quantisation and scale. Other features give meaningless scores{error}.",
      "The model knows no other classes. Scores rank the classes; they are probabilities "
      "only as far as stated under Calibration.",
      "A malformed record fails its whole request.",
  ]
  if not contract.spec.is_video_level:
    limits.append(f"Frames after the first {contract.max_frames} are ignored.")
  return "\n".join(f"- {limit}" for limit in limits)
