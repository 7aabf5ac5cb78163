# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The loss that `--label_loss` names, with its hyperparameters."""

import functools
import inspect
import json
import types
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from yt8m.models import losses
from yt8m.models import registries


class _PlainLoss(losses.LabelLoss):
  """Loss of a plain function, or of a Keras loss, of labels and predictions.

  Args:
    function: Function of labels, as float32, and predictions, to one value for each
      video, (batch_size,), or to terms, (batch_size, num_classes), that are summed.
    name: Its name on the command line, for errors.
  """

  soft_labels = False

  def __init__(self, function: Callable[..., tf.Tensor], name: str):
    super().__init__()
    self.function, self._typed = function, name

  def call(self, labels: Any, predictions: tf.Tensor,
           label_weights: tf.Tensor | None = None) -> tf.Tensor:
    values = self.terms(tf.cast(labels, tf.float32), tf.cast(predictions, tf.float32))
    if values.shape.rank == 2:
      weights = 1.0 if label_weights is None else tf.cast(label_weights, values.dtype)
      return tf.reduce_sum(values * weights, axis=-1)
    if values.shape.rank != 1 or label_weights is not None:
      raise ValueError(
          f"--label_loss={self._typed} returns the shape {tuple(values.shape)}, but "
          "must return (batch_size,), or (batch_size, num_classes), as rated segments "
          "need.")
    return values

  def terms(self, labels: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    return tf.cast(self.function(labels, predictions), tf.float32)


def from_name(name: str, hparams: Mapping[str, Any] | None = None) -> Any:
  """Returns the loss that `--label_loss` names, with a `call` that takes label weights.

  >>> from yt8m.models import named_losses
  >>> named_losses.from_name("AsymmetricLoss", {"margin": 0.1}).margin
  0.1

  Args:
    name: Registered name, or the user's own function or Keras loss.
    hparams: Its hyperparameters that are not the default ones.

  Raises:
    ValueError: There is no such loss, it is not allowed, or a hyperparameter is unknown
      or missing, or has another type.
  """
  entry, hparams = losses.LOSSES[name], hparams or {}
  registries.check_values(f"--label_loss={name}", hyperparameters(entry), hparams)
  if isinstance(entry, types.FunctionType):
    return _PlainLoss(functools.partial(entry, **hparams), name)
  loss = entry(**hparams) if isinstance(entry, type) else entry
  takes_weights = "label_weights" in inspect.signature(loss.call).parameters
  return loss if takes_weights else _PlainLoss(loss.call, name)


def hyperparameters(entry: Any) -> dict[str, inspect.Parameter]:
  """Returns the hyperparameters of an entry of `losses.LOSSES`.

  Those of a class are the parameters of its constructor, those of a function what it
  takes after labels and predictions.
  """
  if isinstance(entry, types.FunctionType):
    return {p.name: p for p in list(inspect.signature(entry).parameters.values())[2:]
            if p.kind not in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL, p.VAR_KEYWORD)}
  if not isinstance(entry, type):
    return {}
  return {name: parameter
          for name, parameter in registries.hyperparameters(entry).items()
          if name not in ("name", "reduction")}


def described(name: str, hparams: Mapping[str, Any]) -> str:
  """Returns a loss as one text, by which results of the same loss are known.

  >>> from yt8m.models import named_losses
  >>> named_losses.described("AsymmetricLoss", {"margin": 0.1})
  'AsymmetricLoss(margin=0.1)'
  """
  values = ", ".join(f"{key}={json.dumps(hparams[key])}" for key in sorted(hparams))
  return f"{name}({values})" if values else name
