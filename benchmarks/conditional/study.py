# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Effects of the steps of conditional inference: figures, charts and examples.

  python -m benchmarks.conditional.study --train_dir=model_0,model_1,model_2 \
      --eval_data_pattern="…" --label_sets=label_sets.npz --label_sets_exclude="…" \
      --vocabulary=vocabulary.csv --output_dir=study

Each model is evaluated once for each way to observe labels, and all its steps are
measured in that evaluation. Writes report.md and its charts, which
docs/conditional_study.md contains. Nothing is chosen on the evaluated records: the
step that is analysed in detail is a flag, and the videos and labels that are shown
follow rules that the report states.
"""

import functools
import json
import os
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags
from absl import logging

from benchmarks.conditional import charts
from benchmarks.conditional import label_dependence
from benchmarks.conditional import report
from benchmarks.conditional import step_study
from yt8m.configs import experiment
from yt8m.configs import hparams as hyperparameters
from yt8m.core import files
from yt8m.core import paths
from yt8m.core import progress
from yt8m.core.vocabulary import Vocabulary
from yt8m.data import label_reader
from yt8m.data import label_sets
from yt8m.data import readers
from yt8m.data import records
from yt8m.eval.metrics import streaming
from yt8m.models import losses
from yt8m.models import prediction

_SCORES = {"observation": "scores", "labels_per_step": 0, "min_confidence": 0.0,
           "evidence_weight": 1.0}
_LABELS = {**_SCORES, "observation": "labels", "min_confidence": 0.5}
WAYS = {
    "scores": _SCORES,
    "scores, γ = 0.4": {**_SCORES, "evidence_weight": 0.4},
    "labels, one a step": {**_LABELS, "labels_per_step": 1},
    "labels, no limit": _LABELS}
# Least number of label sets with j: with fewer, the share does not estimate P(c | j).
MIN_COUNT = 20
OBSERVED = 8  # number of labels whose evidence is shown

_TRAIN_DIRS = flags.DEFINE_list("train_dir", None, "Training directories, one per seed.",
                                required=True)
_PATTERN = flags.DEFINE_string("eval_data_pattern", None, "Records to evaluate.",
                               required=True)
_VOCABULARY = flags.DEFINE_string("vocabulary", None, "CSV with the names of classes.",
                                  required=True)
_LABEL_SETS = flags.DEFINE_string("label_sets", None, "File of yt8m-label-sets.",
                                  required=True)
_EXCLUDE = flags.DEFINE_string("label_sets_exclude", None, "Records to leave out.")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Directory for the report.",
                                  required=True)
_NUM_STEPS = flags.DEFINE_integer("num_steps", 5, "Number of steps, K.", 2)
_STEP = flags.DEFINE_integer(
    "step", None, "Step to compare with the first, fixed beforehand; default: the last.",
    2)
_WAY = flags.DEFINE_enum("way", "scores", list(WAYS), "Way to observe that is compared.")
_BATCH = flags.DEFINE_integer("batch_size", 256, "Videos per batch.", 1)


def load(train_dir: str, **hparams: Any,
         ) -> tuple[experiment.Experiment, tf.keras.Model, tf.keras.layers.Layer]:
  """Loads a model and changes hyperparameters of its `conditional`.

  Returns:
    The experiment, the model and its `conditional`.

  Raises:
    ValueError: The model does not have exactly one `conditional`.
  """
  model_config = experiment.Experiment.load(train_dir).model_config
  paths = [path.split(".")[:-1] for path in hyperparameters.changeable(model_config)
           if path.endswith(".observation")]
  if len(paths) != 1:
    raise ValueError(f"--train_dir={train_dir}: the model has {len(paths)} `conditional` "
                     "classifiers. Name models that were trained with one.")
  for name in reversed(paths[0]):
    hparams = {name: hparams}
  config, model, _ = experiment.load(train_dir, hparams=json.dumps(hparams))
  return config, model, functools.reduce(getattr, paths[0], model)


def evaluate(config: experiment.Experiment, model: tf.keras.Model, name: str,
             ) -> tuple[list[streaming.EvaluationMetrics], label_sets.LabelSets]:
  """Returns the metrics of each step and the label sets of the videos."""
  reader = readers.make_reader(config.feature_spec, config.num_classes, config.max_frames)
  call = tf.function(lambda inputs: model(inputs, training=False)["step_predictions"],
                     reduce_retracing=True)
  steps = [streaming.EvaluationMetrics(config.num_classes)
           for _ in range(_NUM_STEPS.value)]
  total = records.estimate_count(
      paths.match(_PATTERN.value, "--eval_data_pattern"))
  report_progress, parts = progress.Periodic(10.0, total), []
  loss = losses.LOSSES[config.flags.get("label_loss", "CrossEntropyLoss")]()
  with records.clear_errors():
    for batch in reader.dataset(_PATTERN.value, _BATCH.value):
      predictions = call(prediction.model_inputs(batch)).numpy()
      labels = batch["labels"].numpy()
      parts.append(label_sets.LabelSets.from_matrix(labels, batch["id"].numpy()))
      for number, metrics in enumerate(steps):
        scores = predictions[:, number]
        metrics.accumulate(scores, labels, loss.call(labels, scores).numpy())
      report_progress(steps[0].num_examples, f"{name}: {steps[0].num_examples} examples")
  return steps, label_sets.concatenate(parts, config.num_classes)


def read_label_sets(config: experiment.Experiment) -> label_sets.LabelSets:
  """Returns the label sets that the flags name."""
  sets = label_sets.LabelSets.load(_LABEL_SETS.value, config.num_classes)
  if not _EXCLUDE.value:
    return sets
  reader = readers.make_reader(config.feature_spec, config.num_classes)
  return sets.without(label_reader.video_ids(
      reader, paths.match(_EXCLUDE.value, "--label_sets_exclude")))


def main(_):
  logging.set_verbosity(logging.INFO)
  step = _STEP.value or _NUM_STEPS.value
  if step > _NUM_STEPS.value:
    raise ValueError(f"--step={step} is beyond --num_steps={_NUM_STEPS.value}.")

  # Evaluate the models, for each way to observe.
  metrics, conditionals = [], []
  for train_dir in _TRAIN_DIRS.value:
    metrics.append({})
    for way, hparams in WAYS.items():
      config, model, conditional = load(
          train_dir, num_steps=_NUM_STEPS.value, **hparams)
      metrics[-1][way], videos = evaluate(config, model, f"{train_dir}, {way}")
      logging.info("%s, %s: GAP by step %s", train_dir, way, ", ".join(
          f"{step_metrics.get()['gap']:.4f}" for step_metrics in metrics[-1][way]))
    conditionals.append(conditional)

  # Count the labels.
  sets = read_label_sets(config)
  logging.info("Counting the labels of %s label sets", f"{len(sets):,}")
  counts = np.bincount(sets.classes, minlength=config.num_classes)
  dependence, _ = label_dependence.dependence(sets, MIN_COUNT)
  information, partner = label_dependence.information(sets)
  frequent = np.argsort(-counts, kind="stable")[:OBSERVED]
  evidence = conditionals[0].evidence(tf.one_hot(frequent, config.num_classes)).numpy()

  # Report the results.
  study = step_study.StepStudy(
      metrics=metrics, way=_WAY.value, step=step, videos=videos, counts=counts,
      dependence=dependence, information=information, partner=partner,
      couplings=np.array([layer.couplings.numpy() for layer in conditionals]),
      coupling=conditional.coupling,
      evidence=dict(zip(frequent.tolist(), evidence, strict=True)),
      names=[*Vocabulary.load(_VOCABULARY.value, config.num_classes).names])
  tf.io.gfile.makedirs(_OUTPUT_DIR.value)
  names = charts.write(_OUTPUT_DIR.value, study)
  path = os.path.join(_OUTPUT_DIR.value, "report.md")
  with files.atomic_write(path) as file:
    file.write(report.as_markdown(study, names))
  print(f"Wrote {path}")


if __name__ == "__main__":
  app.run(main)
