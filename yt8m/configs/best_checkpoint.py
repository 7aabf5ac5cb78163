# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`best.json` of a training directory: which checkpoint was the best, and at what.

    {"format": 1, "step": 176, "metric": "gap", "value": 0.64, "data": "validate*"}
"""

import dataclasses
import os

import tensorflow as tf

from yt8m.core import fields
from yt8m.core import files
from yt8m.core import types
from yt8m.core.types import PathLike

FILE = "best.json"
_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Best:
  """The best checkpoint of a training.

  Attributes:
    step: Step of the checkpoint.
    metric: Name of the metric, such as "gap".
    value: Its value.
    data: Pattern of the records on which it was measured.
  """
  step: int
  metric: str
  value: float
  data: str

  def save(self, train_dir: PathLike) -> None:
    """Writes the file, as a whole or not at all."""
    files.write_json(os.path.join(train_dir, FILE),
                     {"format": _FORMAT, **dataclasses.asdict(self)})

  @classmethod
  def load(cls, train_dir: PathLike) -> "Best | None":
    """Reads the file; None if there is none.

    Raises:
      ValueError: The file is not what training writes.
    """
    path = os.path.join(train_dir, FILE)
    if not tf.io.gfile.exists(path):
      return None
    return files.read_json(
        path, kind="a note of yt8m-train about the best checkpoint",
        remedy="Delete it, and the newest checkpoint is used", parse=cls._parse)

  @classmethod
  def _parse(cls, content: types.Config) -> "Best":
    fields.check(content, {
        "format": fields.one_of([_FORMAT]), "step": fields.SIZE, "metric": fields.NAME,
        "value": fields.NUMBER, "data": fields.TEXT})
    return cls(**{key: content[key] for key in ("step", "metric", "value", "data")})

  def __str__(self) -> str:
    return (f"step {self.step}, {fields.printable(self.metric)} {self.value:.4f} on "
            f"{fields.printable(self.data, None)}")


def forget(train_dir: PathLike) -> None:
  """Removes the file, if there is one."""
  path = os.path.join(train_dir, FILE)
  if tf.io.gfile.exists(path):
    tf.io.gfile.remove(path)
