# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The identity of a model: what thresholds name the model by whose scores they are for.

    {"step": 9000, "hparams": null, "checkpoint_digest": "0b1c2d…"}    of a checkpoint
    {"model_digest": "9f86d0…"}                                        of any other model

A SavedModel keeps its identity in `assets.extra/identity.json`. That of an exported
checkpoint is the identity of the checkpoint, so the same thresholds hold for both. It
depends neither on the format of the weights nor on what is added to the scores: names of
classes, thresholds, and the number of classes that are returned.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from yt8m.artifacts import manifest
from yt8m.configs import checkpoint_files
from yt8m.core import fields
from yt8m.core import files
from yt8m.core.types import PathLike

_FILE = os.path.join(manifest.EXTRA, "identity.json")
_CHECKPOINT = {"step": fields.SIZE, "hparams": fields.TEXT | fields.NULL,
               "checkpoint_digest": fields.NAME}
_OTHER = {"model_digest": fields.NAME}
# Entries of either kind.
KINDS = {**_CHECKPOINT, **_OTHER}

Identity = Mapping[str, Any]


def of_checkpoint(path: str, hparams: str | None) -> Identity:
  """Returns the identity of a checkpoint.

  Args:
    path: Path prefix of the checkpoint.
    hparams: Value of `--hparams`, which may change scores.
  """
  return {"step": checkpoint_files.step_of(path), "hparams": hparams,
          "checkpoint_digest": checkpoint_files.digest(path)}


def of_parts(*parts: Any) -> Identity:
  """Returns the identity of a model by all that its scores depend on, for JSON."""
  content = json.dumps(parts, sort_keys=True)
  return {"model_digest": hashlib.sha256(content.encode()).hexdigest()}


def save(saved_model: PathLike, identity: Identity) -> None:
  """Writes the identity of a model into the directory of its SavedModel."""
  files.write_json(os.path.join(saved_model, _FILE), identity)


def load(saved_model: PathLike) -> Identity | None:
  """Returns the identity that a SavedModel keeps; None if it keeps none.

  Raises:
    ValueError: The file is no identity.
  """
  path = os.path.join(saved_model, _FILE)
  if not tf.io.gfile.exists(path):
    return None
  return files.read_json(path, kind="the identity of a model that yt8m-export wrote",
                         remedy="Copy or export the model again", parse=_parse)


def _parse(content: dict[str, Any]) -> Identity:
  kinds = _OTHER if "model_digest" in content else _CHECKPOINT
  fields.check(content, kinds)
  return {name: content[name] for name in kinds}
