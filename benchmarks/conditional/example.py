# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Draws what each part of a calibration makes of the scores of one video.

  yt8m-ablation --table=classifiers --rows=logistic,logistic+calibrated --seeds=1 \
      --data_dir=$DATA --output_dir=ablation --keep_checkpoints
  python -m benchmarks.conditional.example --train_dir=$CALIBRATED \
      --eval_data_pattern="$DATA/yt8m/video/heldout/*.tfrecord" \
      --vocabulary=$DATA/yt8m/vocabulary.csv --output=docs/label-dependence.png

with CALIBRATED=ablation/classifiers/logistic+calibrated/seed-0/calibrated. Of the videos
with at least three labels, the one is drawn whose average precision gains most.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from yt8m.configs import experiment
from yt8m.core import plots
from yt8m.core import vocabulary
from yt8m.eval.metrics import average_precision
from yt8m.export.prediction import checkpoint
from yt8m.models.layers import log_odds

_TRAIN_DIR = flags.DEFINE_string("train_dir", None, "Calibrated model.", required=True)
_PATTERN = flags.DEFINE_string("eval_data_pattern", None, "Records.", required=True)
_VOCABULARY = flags.DEFINE_string("vocabulary", None, "CSV of names.", required=True)
_OUTPUT = flags.DEFINE_string("output", "docs/label-dependence.png", "Picture.")
_BATCH_SIZE, _SHOWN, _LEAST_LABELS = 256, 8, 3
_STEPS = ("the head alone", "+ mean field", "+ posterior of label sets", "+ calibrator")


def steps(model: tf.keras.Model, batch: dict[str, tf.Tensor]) -> list[np.ndarray]:
  """Returns the scores after each of `_STEPS`, (batch_size, num_classes) each."""
  calibration, model.calibration = model.calibration, None
  scores = model(batch)["predictions"]
  model.calibration = calibration
  logits = log_odds.logit(scores)
  field = calibration.mean_field(logits)
  marginals, _ = calibration.posterior(logits)
  return [step.numpy() for step in (
      scores, tf.sigmoid(field), calibration.blend(marginals[0], field),
      calibration(scores))]


def draw(found: list[np.ndarray], labels: np.ndarray, names: Sequence[str]) -> None:
  figure, most = plots.figure(13, 3.2), max(scores.max() for scores in found)
  for axis, title, scores in zip(
      figure.subplots(1, len(_STEPS)), _STEPS, found, strict=True):
    best = np.argsort(-scores)[:_SHOWN][::-1]
    axis.barh([plots.literal(names[int(label)]) for label in best], scores[best], color=[
        "tab:blue" if labels[label] else "lightgrey" for label in best])
    axis.set(title=title, xlim=(0, 1.05 * most), xlabel="score")
    axis.tick_params("y", labelsize="small")
  plots.save(figure, _OUTPUT.value)


def main(argv: Sequence[str]) -> None:
  del argv
  source = checkpoint.Checkpoint.of_directory(_TRAIN_DIR.value)
  _, model, _ = experiment.load(source.train_dir, source.path)
  best = (0.0, None)
  for batch in source.reader().dataset(_PATTERN.value, _BATCH_SIZE):
    found, labels = steps(model, batch), batch["labels"].numpy() > 0
    for row in np.flatnonzero(labels.sum(1) >= _LEAST_LABELS):
      before, *_, after = (average_precision.average_precision(scores[row], labels[row])
                           for scores in found)
      if after - before > best[0]:
        best = after - before, ([scores[row] for scores in found], labels[row],
                                batch["id"][row].numpy().decode())
  if best[1] is None:
    raise ValueError(f"{_PATTERN.value} has no video with {_LEAST_LABELS} labels that "
                     "gains.")
  found, labels, name = best[1]
  draw(found, labels, vocabulary.Vocabulary.load(_VOCABULARY.value, len(labels)).names)
  print(f"Wrote {_OUTPUT.value}: video {name}, average precision +{best[0]:.2f}")


if __name__ == "__main__":
  app.run(main)
