# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Where the weights of an export come from, and how well they did."""

import dataclasses
import datetime
import json
import os

import tensorflow as tf

from yt8m.configs import checkpoints
from yt8m.core import files


@dataclasses.dataclass(frozen=True)
class Origin:
  """A checkpoint and its evaluation.

  Attributes:
    step: of the checkpoint.
    date: when it was written, in UTC, as `checkpoint` beside it says; None, if it does
      not say.
    evaluation: the newest `eval/metrics-<step>.json`, of this step if there is one; None,
      if nothing was evaluated.
  """
  step: int
  date: str | None = None
  evaluation: dict | None = None

  @classmethod
  def of_checkpoint(cls, train_dir, path):
    """What is known of a checkpoint.

    Args:
      train_dir: written by `yt8m-train`.
      path: path prefix of the checkpoint.

    Raises:
      ValueError: the evaluation is not one that `yt8m-eval` wrote.
    """
    step = checkpoints.step_of(path)
    return cls(step, _date(path), _evaluation(train_dir, step))


def _date(path):
  state = tf.train.get_checkpoint_state(os.path.dirname(path))
  times = dict(zip(map(os.path.basename, state.all_model_checkpoint_paths),
                   state.all_model_checkpoint_timestamps, strict=False)) if state else {}
  if os.path.basename(path) not in times:
    return None
  written = datetime.datetime.fromtimestamp(
      times[os.path.basename(path)], datetime.timezone.utc)
  return written.strftime("%Y-%m-%d %H:%M UTC")


def _evaluation(train_dir, step):
  found = tf.io.gfile.glob(os.path.join(train_dir, "eval", "metrics-*.json"))
  paths = {checkpoints.step_of(path.removesuffix(".json")): path for path in found}
  if not paths:
    return None
  path = paths.get(step, paths[max(paths)])
  with files.open_to_read(path) as file:
    text = file.read()
  try:
    evaluation = json.loads(text)
    evaluation["step"]
    return evaluation
  except (ValueError, KeyError, TypeError) as error:
    raise ValueError(f"{path} is no evaluation that yt8m-eval wrote ({error!r}): remove "
                     "it, or evaluate again.") from error
