# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`thresholds.json`: from which score on a class is decided to be a label of a video.

    {"format": 1, "target": "f1", "num_classes": 3, "top_k": 3, "step": 9000, …,
     "thresholds": [0.31, null, 0.5]}

    d_c = (rank of c <= k) and (s_c >= t_c)

A class of a video is decided if it is among the best `top_k` of the video and its score
is at least the threshold of the class. A class whose threshold is null is never decided.
"""

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.artifacts import identity
from yt8m.core import fields
from yt8m.core import files
from yt8m.core.types import PathLike

FILE = "thresholds.json"
_FORMAT = 1
_REMEDY = "Choose thresholds of this model with yt8m-eval --choose_thresholds"

_SHARE = fields.Kind("a number from 0 to 1", lambda value: fields.NUMBER.accepts(value)
                     and 0 <= value <= 1)
_LONGEST_TARGET = 100
# It is shown on terminals and in tables of Markdown.
_TARGET = fields.Kind(f"a printable text of up to {_LONGEST_TARGET} characters",
                      lambda value: fields.NAME.accepts(value) and value.isprintable()
                      and len(value) <= _LONGEST_TARGET and "|" not in value)
_KINDS = {
    "format": fields.one_of([_FORMAT]), "target": _TARGET,
    "num_classes": fields.COUNT, "top_k": fields.COUNT,
    "thresholds": fields.list_of(_SHARE | fields.NULL, "numbers from 0 to 1, or null")}
# How they were chosen. A file that somebody wrote by hand may lack this.
_CHOSEN = {
    **identity.KINDS, "data": fields.TEXT, "data_digest": fields.TEXT,
    "num_examples": fields.SIZE,
    "min_positives": fields.COUNT, "global_threshold": _SHARE | fields.NULL,
    "num_by_global": fields.SIZE, "num_never_decided": fields.SIZE,
    "achieved": fields.object_of(_SHARE, "numbers from 0 to 1")}


@dataclasses.dataclass(frozen=True, eq=False)
class Thresholds:
  """The thresholds of C classes.

  Attributes:
    values: Thresholds, (C,) float32; infinity for classes that are never decided.
    top_k: Number of classes of a video, the best, that may be decided.
    target: What the thresholds were chosen for, such as "f1".
    chosen: How they were chosen, as in the file: the `Identity` of the model, `data`,
      `data_digest`, `num_examples`, `min_positives`, `global_threshold`,
      `num_by_global`, `num_never_decided` and `achieved`. Each may be missing.
  """
  values: np.ndarray
  top_k: int
  target: str
  chosen: Mapping[str, Any] = dataclasses.field(default_factory=dict)

  @classmethod
  def load(cls, path: PathLike, num_classes: int | None = None) -> "Thresholds":
    """Reads a file.

    Args:
      path: Path of the file, local or remote.
      num_classes: Number of classes of the model; None allows any.

    Raises:
      FileNotFoundError: There is no file at `path`.
      ValueError: The file holds no thresholds, or those of other classes.
    """
    kind = "a file of thresholds" + (
        "" if num_classes is None else f" of {num_classes} classes")
    return files.read_json(path, kind=kind, remedy=_REMEDY,
                           parse=lambda content: cls._parse(content, num_classes))

  @classmethod
  def find(cls, saved_model: PathLike, num_classes: int) -> "Thresholds | None":
    """Reads those that a SavedModel keeps; None if it has none."""
    path = os.path.join(saved_model, "assets", FILE)
    return cls.load(path, num_classes) if tf.io.gfile.exists(path) else None

  @classmethod
  def _parse(cls, content: dict[str, Any], num_classes: int | None) -> "Thresholds":
    fields.check(content, _KINDS, _CHOSEN)
    values, count = content["thresholds"], content["num_classes"]
    if len(values) != count:
      raise ValueError(f"it has {len(values)} thresholds, but num_classes {count}")
    if num_classes not in (None, count):
      raise ValueError(f"it is for {count} classes")
    if content["top_k"] > count:
      raise ValueError(f"its top_k is {content['top_k']} of {count} classes")
    return cls(np.array([np.inf if x is None else x for x in values], np.float32),
               content["top_k"], content["target"],
               {name: content[name] for name in _CHOSEN if name in content})

  def write(self, path: PathLike) -> None:
    """Writes a file from which `load` reads the same thresholds."""
    files.write_json(path, {
        "format": _FORMAT, "target": self.target, "num_classes": len(self.values),
        "top_k": self.top_k, **self.chosen, "thresholds": list(map(number, self.values))},
        indent=1)

  @property
  def digest(self) -> str:
    """The beginning of a SHA-256 of what the decisions depend on."""
    content = f"{self.top_k} ".encode() + self.values.astype("<f4").tobytes()
    return hashlib.sha256(content).hexdigest()[:16]

  def decide(self, classes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Returns which of the best classes of each video are decided.

    Args:
      classes: Classes, (n, k), best first.
      scores: Scores of these classes, (n, k).

    Returns:
      (n, k) bool.
    """
    decided = np.asarray(scores, np.float32) >= self.values[classes]
    decided[:, self.top_k:] = False
    return decided

  def check_model(self, where: str, model: identity.Identity) -> None:
    """Raises ValueError if they were chosen for the scores of another model.

    Args:
      where: Name of the thresholds in the error, such as `"--thresholds=t.json"`.
      model: Identity of the model that is used.
    """
    # A model that yt8m-calibrate wrote has the step of the one before it.
    wrong = [name for name in identity.KINDS if name in self.chosen
             and (name not in model or self.chosen[name] != model[name])]
    if not wrong:
      return
    if wrong[0] not in model or "step" not in model:
      raise ValueError(
          f"{where} was chosen for another model, whose scores are others. {_REMEDY} "
          "--saved_model; if it is not exported yet, export it without --thresholds "
          "first.")
    raise ValueError(
        f"{where} was chosen for {wrong[0]} {self.chosen[wrong[0]]!r}, but this model "
        f"has {model[wrong[0]]!r}, and other scores. {_REMEDY}, with "
        f"--checkpoint={model['step']}"
        + (" and the same --hparams." if model["hparams"] else "."))


def number(threshold: np.ndarray | float) -> float | None:
  """Returns the shortest number that is this float32; None for infinity."""
  value = float(str(np.float32(threshold)))
  return value if np.isfinite(value) else None
