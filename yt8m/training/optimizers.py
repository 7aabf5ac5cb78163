# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Optimizers by name, learning-rate schedules, and gradient clipping."""

import functools
import inspect
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from yt8m.core import addons
from yt8m.core import compat
from yt8m.core import registry
from yt8m.core.types import Config
from yt8m.models import registries
from yt8m.training import adam

keras = tf.keras

# Faster equals of those of Keras, and Keras equivalents of the classes of TensorFlow 1
# that the starter code names, with the defaults of TensorFlow 1 where the two differ.
_OWN_NAMES = {
    "Adam": adam.Adam,
    "AdamW": adam.AdamW,
    "AdadeltaOptimizer": functools.partial(keras.optimizers.Adadelta, rho=0.95,
                                           epsilon=1e-8),
    "AdagradOptimizer": functools.partial(
        keras.optimizers.Adagrad, initial_accumulator_value=0.1, epsilon=1e-30),
    "AdamOptimizer": functools.partial(adam.Adam, epsilon=1e-8),
    "FtrlOptimizer": keras.optimizers.Ftrl,
    "GradientDescentOptimizer": keras.optimizers.SGD,
    "MomentumOptimizer": functools.partial(keras.optimizers.SGD, momentum=0.9),
    "RMSPropOptimizer": functools.partial(keras.optimizers.RMSprop, rho=0.9,
                                          epsilon=1e-10),
}

CLIPPING = ("per_variable", "global")

# Classes of the user's own, and those of Keras by their module.
_OPTIMIZER: Any = keras.optimizers.Optimizer
_OTHERS = registry.Registry("optimizer", _OPTIMIZER)


@keras.utils.register_keras_serializable(package="yt8m")
class StaircaseDecay(keras.optimizers.schedules.LearningRateSchedule):
  """Decays by examples, in steps: `lr = base · decay^⌊step · batch / examples⌋`.

  The floor is taken of whole numbers, so that the rate changes at exactly the step where
  the starter code changes it.

  Args:
    base_learning_rate: `--base_learning_rate`.
    decay: `--learning_rate_decay`.
    decay_examples: `--learning_rate_decay_examples`.
    batch_size: Number of examples of a step, over all replicas.

  Reference: YouTube-8M starter code, `train.build_graph`.
  """

  def __init__(self, base_learning_rate: float, decay: float, decay_examples: float,
               batch_size: int):
    if decay_examples < 1:
      raise ValueError(f"--learning_rate_decay_examples={decay_examples} must be "
                       "at least 1.")
    self.base_learning_rate, self.decay = base_learning_rate, decay
    self.decay_examples, self.batch_size = int(decay_examples), int(batch_size)

  def __call__(self, step: tf.Tensor) -> tf.Tensor:
    examples = tf.cast(step, tf.int64) * self.batch_size
    exponent = tf.cast(examples // self.decay_examples, tf.float32)
    return self.base_learning_rate * tf.pow(tf.constant(self.decay, tf.float32),
                                            exponent)

  def get_config(self) -> Config:
    return {"base_learning_rate": self.base_learning_rate, "decay": self.decay,
            "decay_examples": self.decay_examples, "batch_size": self.batch_size}


def cosine_decay(
    base_learning_rate: float, total_steps: int | None, warmup_steps: int = 0,
) -> keras.optimizers.schedules.LearningRateSchedule:
  """Rises linearly from 0, then falls to 0 along half a cosine, and stays there.

      lr = base · step / warmup                                            step < warmup
      lr = base · (1 + cos(π · (step − warmup) / (total − warmup))) / 2    later

  Args:
    base_learning_rate: `--base_learning_rate`, reached after the warm-up.
    total_steps: Step at which the rate is 0; None if unknown, which is an error.
    warmup_steps: Number of steps of the rise, which count as part of the total.

  Raises:
    ValueError: The total is unknown, or not above the number of steps of the warm-up.

  Reference: Loshchilov and Hutter 2016 (arXiv:1608.03983), equation 5, one period.
  """
  if not total_steps:
    raise ValueError("--learning_rate_schedule=cosine needs the number of steps, which "
                     "cannot be estimated from these records: add --max_steps.")
  if warmup_steps >= total_steps:
    raise ValueError(f"--warmup_examples are {warmup_steps} steps, and training has "
                     f"{total_steps}: lower them, or raise --num_epochs or --max_steps.")
  schedule: Any = keras.optimizers.schedules.CosineDecay
  if not warmup_steps:
    return schedule(base_learning_rate, total_steps)
  return schedule(0.0, total_steps - warmup_steps, warmup_target=base_learning_rate,
                  warmup_steps=warmup_steps)


SCHEDULES = {"staircase": StaircaseDecay, "cosine": cosine_decay}


def make_optimizer(
    name: str, learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    hparams: Mapping[str, Any] | None = None) -> keras.optimizers.Optimizer:
  """Builds the optimizer that `--optimizer` names.

  >>> from yt8m.training import optimizers
  >>> optimizers.make_optimizer("AdamOptimizer", 0.1, {"beta_1": 0.8}).beta_1
  0.8

  Args:
    name: A name of the starter code (`AdamOptimizer`), of `tf.keras.optimizers`
      (`AdamW`), or, if TensorFlow Addons is installed, of `tfa.optimizers` (`LAMB`). Or
      any Keras optimizer as `my_package.my_module:MyClass`.
    learning_rate: Learning rate, or its schedule.
    hparams: Its hyperparameters that are not the default ones.

  Raises:
    ValueError: Unknown name, an error that lists the valid ones; or the user's own class
      is not allowed, or no optimizer that can be trained with; or a hyperparameter is
      unknown or missing, or has another type.
  """
  entry, hparams = find(name), hparams or {}
  registries.check_values(f"--optimizer={name}", hyperparameters(entry), hparams)
  try:
    optimizer = entry(learning_rate=learning_rate, **hparams)
  except TypeError as error:
    raise ValueError(f"--optimizer={name} cannot be built: {error}. Its constructor must "
                     "take learning_rate.") from error
  if ":" in name:
    _check(optimizer, name, learning_rate)
  return optimizer


def find(name: str) -> Callable[..., Any]:
  """Returns the function of a learning rate and hyperparameters that makes an optimizer.

  Raises:
    ValueError: There is none of this name, or it is not allowed.
  """
  if ":" in name:
    entry = _OTHERS[name]
    if not isinstance(entry, type):
      raise ValueError(f"--optimizer={name} is an object: name its class, which is given "
                       "the learning rate and its schedule.")
    return entry
  candidates, reason = available()
  if name not in candidates:
    raise registry.unknown(
        "optimizer", name, sorted(candidates), "Choose one with --optimizer, or name "
        f"your own class as my_package.my_module:MyClass.{reason}")
  return candidates[name]


def hyperparameters(entry: Callable[..., Any]) -> dict[str, inspect.Parameter]:
  """Returns what `--set optimizer.…` can set of an entry, by name.

  The learning rate, clipping and averages of weights, which all optimizers have, are
  those of the flags.
  """
  changes = entry.keywords if isinstance(entry, functools.partial) else {}
  source: Any = entry.func if isinstance(entry, functools.partial) else entry
  common = {"learning_rate", *_keywords(_OPTIMIZER)} - {"weight_decay"}
  found = {name: parameter.replace(default=changes.get(name, parameter.default))
           for name, parameter in _keywords(source).items() if name not in common}
  if "weight_decay" in found:  # Keras has None for none.
    found["weight_decay"] = found["weight_decay"].replace(annotation=float | None)
  return found


def _keywords(cls: Any) -> dict[str, inspect.Parameter]:
  """Returns what a constructor takes by name, and what those above it are passed on."""
  found: dict[str, inspect.Parameter] = {}
  for base in cls.__mro__:
    if "__init__" not in vars(base):
      continue
    own = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
    for p in own:
      if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
        found.setdefault(p.name, p)
    if not any(p.kind == p.VAR_KEYWORD for p in own):
      break
  return found


def _check(optimizer: Any, name: str, learning_rate: Any) -> None:
  """Checks what a training step needs of an optimizer that is not one of ours.

  Raises:
    ValueError: It lacks something; the error says what to write.
  """
  if (callable(learning_rate)
      and compat.schedule_or_rate(optimizer) is not learning_rate):
    raise ValueError(
        f"--optimizer={name} does not use the learning rate that it is given: pass "
        "learning_rate on, super().__init__(learning_rate=learning_rate, …), so that "
        "--base_learning_rate and its schedule count.")
  if type(optimizer).update_step is _OPTIMIZER.update_step:
    raise ValueError(f"--optimizer={name} has no update_step(gradient, variable, "
                     "learning_rate), which updates a variable: write one.")


def available() -> tuple[dict[str, Callable[..., Any]], str]:
  """Returns the optimizers by name, and why those of Addons are not among them or ""."""
  candidates, reason = dict(_classes(keras.optimizers, keras.optimizers.Optimizer)), ""
  try:
    # Addons build on the optimizers before Keras 2.11.
    optimizers_of_addons: Any = addons.load().optimizers
    for base in (keras.optimizers.legacy.Optimizer, keras.optimizers.Optimizer):
      candidates = {**dict(_classes(optimizers_of_addons, base)), **candidates}
  except ImportError as error:
    reason = f" Those of Addons are not available: {error}"
  return candidates | _OWN_NAMES, reason


def _classes(module: Any, base: Any) -> Iterator[tuple[str, Callable]]:
  """Yields the subclasses of `base` in a module that need nothing but a learning rate."""
  for name, entry in vars(module).items():
    if isinstance(entry, type) and issubclass(entry, base) and entry is not base:
      if all(p.name == "learning_rate" for p in parameters(entry).values()
             if p.default is p.empty):
        yield name, entry


def parameters(optimizer: Callable[..., Any]) -> dict[str, inspect.Parameter]:
  """Returns the named parameters of an optimizer's constructor."""
  return {name: p for name, p in inspect.signature(optimizer).parameters.items()
          if p.kind is p.POSITIONAL_OR_KEYWORD}


def current_learning_rate(optimizer: Any) -> float:
  """Returns the rate of the next update."""
  # With --precision=mixed_float16, a LossScaleOptimizer wraps the optimizer.
  return compat.learning_rate(getattr(optimizer, "inner_optimizer", optimizer))


def clip_gradients(gradients: list, norm: float, mode: str = "per_variable",
                   scale: float | tf.Tensor = 1.0) -> list:
  """Clips gradients that are already summed over all replicas.

      per_variable: g_v · min(1, norm / ‖g_v‖)          (the starter code)
      global:       g_v · min(1, norm / sqrt(Σ_v ‖g_v‖²))

  Args:
    gradients: Dense or sparse gradients.
    norm: Largest norm allowed; 0 or less turns clipping off.
    mode: `"per_variable"` or `"global"`.
    scale: Loss scale that the gradients still contain; the norm is scaled alike.
  """
  if norm <= 0:
    return gradients
  if mode == "global":
    return tf.clip_by_global_norm(gradients, norm * scale)[0]
  return [_clip_by_norm(gradient, norm * scale) for gradient in gradients]


def _clip_by_norm(gradient: Any, norm: Any) -> Any:
  """Does what `tf.clip_by_norm` does, in one pass over a gradient that is short."""
  if isinstance(gradient, tf.IndexedSlices):
    return tf.clip_by_norm(gradient, norm)
  length = tf.sqrt(2 * tf.nn.l2_loss(gradient))
  # If the length is no number, neither is the result.
  return tf.cond(length <= norm, lambda: gradient, lambda: gradient * (norm / length))
