# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A SavedModel with a calibration behind it, as one SavedModel.

The graph is that of the model, followed by `Calibration`, so an ensemble is calibrated
like a single model: what is corrected is the blend. The calibration of an ensemble also
reads the scores of the members. No checkpoint is needed. To the
files of `writer.py` it adds

    assets.extra/calibration.json  hyperparameters of the calibration
"""

import hashlib
import os
from typing import Any

import tensorflow as tf

from yt8m.artifacts import identity
from yt8m.artifacts.saved_model import PREDICT_FEATURES
from yt8m.artifacts.saved_model import PREDICT_MEMBERS
from yt8m.artifacts.saved_model import SavedModel
from yt8m.core import files
from yt8m.eval.blending import ensemble_file
from yt8m.export.saved_models import compression
from yt8m.export.saved_models import model_card
from yt8m.export.saved_models import signatures
from yt8m.export.saved_models import writer
from yt8m.models.calibration.calibration import Calibration
from yt8m.models.layers import variables

_RECORD = "calibration.json"  # in `assets.extra`


def is_calibrated(model: SavedModel) -> bool:
  """Whether `save` wrote a SavedModel."""
  return tf.io.gfile.exists(os.path.join(model.directory, writer.EXTRA, _RECORD))


def save(model: SavedModel, calibration: Calibration, output_dir: str, *,
         top_k: int | None = None, overwrite: bool = False) -> signatures.Signatures:
  """Writes a calibrated model as a SavedModel, completely or not at all.

  Args:
    model: SavedModel of one model or of an ensemble.
    calibration: Calibration of its scores, with its variables.
    output_dir: Path of the SavedModel, which must not exist or be empty.
    top_k: Number of classes that `serving_default` returns; None means 20, or all.
    overwrite: Whether a SavedModel of ours at `output_dir` is replaced.

  Returns:
    The signatures of the SavedModel.

  Raises:
    ValueError: `top_k` is out of range.
    FileExistsError: There is something at `output_dir` that must stay.
  """
  contract, names = model.contract, model.vocabulary
  with writer.new_directory(output_dir, overwrite) as directory:
    signature = PREDICT_MEMBERS if calibration.num_members else PREDICT_FEATURES
    loaded = model.load(signature)  # Its signatures live as long as this.
    predict = loaded.signatures[signature]
    inputs = predict.structured_input_signature[1]

    def score(batch: dict[str, Any]) -> dict[str, tf.Tensor]:
      xs = {**batch["features"], "num_frames": batch["num_frames"]}
      outputs = predict(**{name: xs[name] for name in inputs})
      return {"predictions": calibration(
          outputs["predictions"], outputs.get("members"))}

    traced = writer.write(
        directory, contract, score,
        [*predict.variables, *map(variables.tf_variable, calibration.weights)], top_k,
        names)
    files.write_json(os.path.join(directory, writer.EXTRA, _RECORD),
                     calibration.hparams())
    source = os.path.join(model.directory, writer.EXTRA)
    compression.save_format(os.path.join(directory, writer.EXTRA),
                            compression.load_format(source))
    path = os.path.join(source, ensemble_file.NAME)
    if tf.io.gfile.exists(path):
      ensemble_file.EnsembleFile.load(path).save(
          os.path.join(directory, writer.EXTRA, ensemble_file.NAME))
    writer.finish(directory, contract, 0, model_card.of_calibrated(
        directory, contract, traced, model, calibration.hparams(), names),
        identity.of_parts(dict(model.identity), calibration.hparams(), [
            hashlib.sha256(weight.tobytes()).hexdigest()
            for weight in calibration.get_weights()]))
  return traced
