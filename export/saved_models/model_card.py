# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a SavedModel is, in Markdown: `assets.extra/MODEL_CARD.md`.

Recipe, options and data; metrics; bytes; signatures and how to call them; limits. All of
it is read off the model, its checkpoint and its evaluation, so that the same export has
the same card.

Reference: Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

import json
import os

import numpy as np
import tensorflow as tf

import yt8m
from yt8m.artifacts.saved_model import DESCRIPTION
from yt8m.core import files
from yt8m.core import markdown
from yt8m.eval.metrics import streaming
from yt8m.export.saved_models import model_usage

NAME = "assets.extra/MODEL_CARD.md"
_OPTIONS = ("sampling", "normalization", "fusion", "aggregation", "classifier", "mixture")
# Of the flags of `yt8m-train`, those that say what was learned, and from what.
_TRAINING = ("train_data_pattern", "segment_labels", "label_sets", "teacher_predictions",
             "label_loss", "optimizer", "base_learning_rate", "learning_rate_schedule",
             "learning_rate_decay", "learning_rate_decay_examples", "batch_size",
             "num_epochs", "max_steps", "weight_averaging", "precision", "seed")


def write(directory, card):
  """Puts a card into a SavedModel."""
  with files.atomic_write(os.path.join(directory, NAME)) as file:
    file.write(card)


def of_model(directory, served, signatures, trained, model, weight_format, origin=None):
  """The card of one model.

  Args:
    directory: the SavedModel, so far as it is written: for its bytes.
    served: its `Served`.
    signatures: `{name: tf.types.experimental.ConcreteFunction}`.
    trained: `Experiment`.
    model: its `VideoModel`.
    weight_format: one of `compression.WEIGHT_FORMATS`.
    origin: `Origin` of the weights; None: they are random.
  """
  recipe = trained.flags.get("model")
  parameters = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
  facts = [
      ("recipe", recipe),
      *((name, _option(trained.model_config.get(name))) for name in _OPTIONS),
      ("parameters", f"{parameters:,}"),
      ("weights", weight_format),
      ("checkpoint", origin and f"step {origin.step:,}" + (
          f", {origin.date}" if origin.date else "")),
  ]
  title = f"{recipe or 'Model'}, " + (
      f"step {origin.step:,}" if origin else "untrained")
  sections = [("Training", _training(trained)), ("Metrics", _metrics(origin))]
  return _card(title, directory, served, signatures, facts, sections if origin else [
      ("Training", "None: the weights are random, for sizing and load tests. The scores "
                   "mean nothing.")])


def of_ensemble(directory, served, signatures, members, averaging, budget_bytes=None,
                scores=None):
  """The card of several models as one.

  Args:
    directory, served, signatures: as of `of_model`.
    members: of each `{"name": …, "bytes": …, "weight": …, "stored_as": …}`; the weight a
      number, or one a class.
    averaging: one of `averaging.AVERAGINGS`.
    budget_bytes: what the ensemble was to stay below, or None.
    scores: `{what: GAP}` on the videos that the ensemble was chosen on, or None.
  """
  by_class = any(np.ndim(member["weight"]) for member in members)
  rows = [[member["name"], f"{np.mean(member['weight']):.4f}", f"{member['bytes']:,}",
           member["stored_as"]] for member in members]
  weight = "weight, mean of the classes" if by_class else "weight"
  table = markdown.make(["member", weight, "bytes", "weights"], rows,
                              ("member", "weights"))
  facts = [("members", str(len(members))), ("mean of", averaging),
           ("budget", budget_bytes and f"{budget_bytes:,} bytes")]
  sections = [("Members", f"{table}\n\nThe cards of the members say what they were "
                          "trained on.")]
  if scores:
    rows = [[name.replace("_", " "), f"{gap:.4f}"] for name, gap in scores.items()]
    sections.append(("Metrics", "On the videos that members and weights were chosen on, "
                     "hence a little too good:\n\n"
                     + markdown.make(["", "GAP"], rows, ("",))))
  return _card(f"Ensemble of {len(members)} models", directory, served, signatures, facts,
               sections)


def describe(function):
  """The inputs and the outputs of a signature, as `name dtype (shape)`, ? any size.

  Returns:
    `(inputs, outputs)`, two strings.
  """
  inputs = tf.nest.flatten(function.structured_input_signature)
  return (_tensors((spec.name, spec) for spec in inputs),
          _tensors(function.structured_outputs.items()))


def _tensors(named):
  return ", ".join(
      f"{name} {x.dtype.name} ({', '.join(str(n or '?') for n in x.shape)})"
      for name, x in named)


def _card(title, directory, served, signatures, facts, sections):
  weights = files.bytes_on_disk(os.path.join(directory, "variables"))
  # Not of all files: fingerprint.pb holds a random number, in as many digits as it has.
  graph = tf.io.gfile.stat(os.path.join(directory, "saved_model.pb")).length
  facts = [
      ("reads", _features(served)),
      ("answers", f"scores of {served.num_classes:,} classes, each between 0 and 1"),
      ("names of classes", _vocabulary(directory)),
      *facts,
      ("bytes", f"{weights:,} of weights, {graph:,} of the graph"),
      ("written by", f"yt8m {yt8m.__version__}, TensorFlow {tf.__version__}"),
  ]
  table = markdown.make(
      ["", ""], [[name, str(fact)] for name, fact in facts if fact], ("",))
  sections = [*sections, ("Signatures", _signatures(signatures)),
              ("How to call it", model_usage.text(served, signatures)),
              ("Limits", _limits(served))]
  return "\n\n".join([
      f"# {title}",
      "A multi-label classifier of videos that are given as features extracted before: a "
      "TensorFlow SavedModel.",
      table, *(f"## {name}\n\n{text}" for name, text in sections)]) + "\n"


def _features(served):
  sizes = ", ".join(f"{name} ({size:,})" for name, size in zip(
      served.spec.names, served.spec.sizes, strict=True))
  if served.spec.is_video_level:
    return f"one vector a video: {sizes}"
  return (f"features of every frame: {sizes}; the first {served.max_frames} frames of a "
          "video")


def _vocabulary(directory):
  names = tf.io.gfile.listdir(os.path.join(directory, "assets"))
  return ", ".join(f"assets/{name}" for name in sorted({*names} - {DESCRIPTION}))


def _option(config):
  """`"moe {"num_mixtures": 2}"` of a config of an option."""
  if not isinstance(config, dict):
    return config
  hparams = {key: value for key, value in config.items() if key != "name"}
  return " ".join(filter(None, [
      config.get("name"), f"`{json.dumps(hparams, sort_keys=True)}`" if hparams else ""]))


def _training(trained):
  given = [(name, trained.flags.get(name)) for name in _TRAINING]
  rows = [[f"--{name}", f"`{value}`"] for name, value in given
          if str(value) not in ("None", "False", "", "none")]
  others = "All flags are in `assets.extra/config.json`."
  return f"{markdown.make(['', ''], rows, ('',))}\n\n{others}" if rows else others


def _metrics(origin):
  if not (origin and origin.evaluation):
    return "Not evaluated before the export."
  found = origin.evaluation
  rows = [[label, f"{found[name]:.4f}"] for name, label in streaming.TITLES.items()
          if name in found]
  of_other = "" if found["step"] == origin.step else (
      f", **of step {found['step']:,}**, not of this one")
  hparams = f", with --hparams=`{found['hparams']}`" if found.get("hparams") else ""
  data = f" of `{found['data']}`" if found.get("data") else ""
  return (f"By `yt8m-eval` on {found.get('num_examples', 0):,} examples{data}{of_other}"
          f"{hparams}:\n\n{markdown.make(['', 'value'], rows, ('',))}")


def _signatures(signatures):
  rows = [[name, *describe(function)] for name, function in signatures.items()]
  titles = ["signature", "inputs", "outputs"]
  return markdown.make(titles, rows, titles)


def _limits(served):
  limits = [
      "The features must come from the extractor of the training data, quantised and "
      "scaled as there; others give scores without meaning, and no error.",
      "It knows its classes and nothing else; a score below others is a rank, and no "
      "calibrated probability.",
      "A bad record fails its whole request.",
  ]
  if not served.spec.is_video_level:
    limits.append(f"Frames after the first {served.max_frames} are not looked at.")
  return "\n".join(f"- {limit}" for limit in limits)
