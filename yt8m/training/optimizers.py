# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Optimizers by name, the learning-rate schedule, and gradient clipping."""

import difflib
import functools
import importlib
import inspect

import tensorflow as tf

from yt8m.models.layers import variables as tf_variables

keras = tf.keras

# The starter code names classes of TensorFlow 1. Their Keras twins, with the
# defaults of TensorFlow 1 where the two differ.
_STARTER_NAMES = {
    "AdadeltaOptimizer": functools.partial(keras.optimizers.Adadelta, rho=0.95,
                                           epsilon=1e-8),
    "AdagradOptimizer": functools.partial(
        keras.optimizers.Adagrad, initial_accumulator_value=0.1, epsilon=1e-30),
    "AdamOptimizer": functools.partial(keras.optimizers.Adam, epsilon=1e-8),
    "FtrlOptimizer": keras.optimizers.Ftrl,
    "GradientDescentOptimizer": keras.optimizers.SGD,
    "MomentumOptimizer": functools.partial(keras.optimizers.SGD, momentum=0.9),
    "RMSPropOptimizer": functools.partial(keras.optimizers.RMSprop, rho=0.9,
                                          epsilon=1e-10),
}

CLIPPING = ("per_variable", "global")
SCHEDULES = ("staircase", "cosine")


@keras.utils.register_keras_serializable(package="yt8m")
class StaircaseDecay(keras.optimizers.schedules.LearningRateSchedule):
  """Decays by examples seen, in steps: `lr = base · decay^⌊step · batch / examples⌋`.

  The floor is taken in whole numbers, so that the rate changes at exactly the step
  the starter code changes it.

  Args:
    base_learning_rate: `--base_learning_rate`.
    decay: `--learning_rate_decay`.
    decay_examples: `--learning_rate_decay_examples`.
    batch_size: examples a step, over all replicas.

  Reference: YouTube-8M starter code, `train.build_graph`.
  """

  def __init__(self, base_learning_rate, decay, decay_examples, batch_size):
    if decay_examples < 1:
      raise ValueError(f"--learning_rate_decay_examples={decay_examples} must be "
                       "at least 1.")
    self.base_learning_rate, self.decay = base_learning_rate, decay
    self.decay_examples, self.batch_size = int(decay_examples), int(batch_size)

  def __call__(self, step):
    examples = tf.cast(step, tf.int64) * self.batch_size
    exponent = tf.cast(examples // self.decay_examples, tf.float32)
    return self.base_learning_rate * tf.pow(tf.constant(self.decay, tf.float32),
                                            exponent)

  def get_config(self):
    return {"base_learning_rate": self.base_learning_rate, "decay": self.decay,
            "decay_examples": self.decay_examples, "batch_size": self.batch_size}


def cosine_decay(base_learning_rate, total_steps, warmup_steps=0):
  """Rises linearly from 0, then falls to 0 along half a cosine, and stays there.

      lr = base · step / warmup                                            step < warmup
      lr = base · (1 + cos(π · (step − warmup) / (total − warmup))) / 2    later

  Args:
    base_learning_rate: `--base_learning_rate`, reached after the warm-up.
    total_steps: step at which it is 0.
    warmup_steps: steps of the rise, a part of them.

  Raises:
    ValueError: the total is not known, or the warm-up leaves nothing of it.

  Reference: Loshchilov and Hutter 2016 (arXiv:1608.03983), equation 5, one period.
  """
  if not total_steps:
    raise ValueError("--learning_rate_schedule=cosine needs the number of steps, which "
                     "these records do not tell: add --max_steps.")
  if warmup_steps >= total_steps:
    raise ValueError(f"--warmup_examples are {warmup_steps} steps, and training has "
                     f"{total_steps}: lower them, or raise --num_epochs or --max_steps.")
  if not warmup_steps:
    return keras.optimizers.schedules.CosineDecay(base_learning_rate, total_steps)
  return keras.optimizers.schedules.CosineDecay(
      0.0, total_steps - warmup_steps, warmup_target=base_learning_rate,
      warmup_steps=warmup_steps)


def make_optimizer(name, learning_rate, ema_momentum=None):
  """Builds the optimizer that `--optimizer` names.

  Args:
    name: a name of the starter code (`AdamOptimizer`), of `tf.keras.optimizers`
      (`AdamW`), or, where TensorFlow Addons is installed, of `tfa.optimizers`
      (`LAMB`).
    learning_rate: a float or a schedule.
    ema_momentum: m of the moving averages of the weights that it is to keep, see
      `moving_averages`; None for none.

  Raises:
    ValueError: unknown name; lists the valid ones. Or it keeps no moving averages.
  """
  make = _named(name)
  if ema_momentum is None:
    return make(learning_rate=learning_rate)
  if "use_ema" not in inspect.signature(make).parameters:
    raise ValueError(f"--optimizer={name} keeps no moving averages of the weights: "
                     "choose one of tf.keras.optimizers, or --weight_averaging=swa.")
  return make(learning_rate=learning_rate, use_ema=True, ema_momentum=ema_momentum)


def _named(name):
  if name in _STARTER_NAMES:
    return _STARTER_NAMES[name]
  candidates = {**_optimizer_classes(_addons()), **_optimizer_classes(keras.optimizers)}
  if name in candidates:
    return candidates[name]
  names = sorted({*_STARTER_NAMES, *candidates})
  closest = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
  raise ValueError(
      f"Unknown optimizer {name!r} (--optimizer). Valid: "
      f"{', '.join(closest + [n for n in names if n not in closest])}.")


def _addons():
  try:
    return importlib.import_module("tensorflow_addons").optimizers
  except ImportError:  # Addons ended in 2024 and exists for Keras 2 only.
    return None


def _optimizer_classes(module):
  """Classes of a module that need nothing but a learning rate."""
  if module is None:
    return {}
  bases = [keras.optimizers.Optimizer]
  if module is not keras.optimizers:  # Addons build on the optimizers before Keras 2.11.
    bases.append(keras.optimizers.legacy.Optimizer)
  return {name: entry for name, entry in vars(module).items()
          if isinstance(entry, type) and issubclass(entry, tuple(bases))
          and entry not in bases and _needs_only_a_learning_rate(entry)}


def _needs_only_a_learning_rate(optimizer_class):
  parameters = inspect.signature(optimizer_class).parameters.values()
  return all(p.name == "learning_rate" for p in parameters
             if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD)


def build(optimizer, variables):
  """Creates the slots of an optimizer, so that a checkpoint can restore them."""
  if hasattr(optimizer, "build"):
    optimizer.build(variables)
  else:  # Keras before 2.11, and Addons
    optimizer._create_all_weights(variables)


def slots_and_counters(optimizer):
  """Every variable of an optimizer but `moving_averages`, in a fixed order."""
  variables = optimizer.variables
  averages = {id(average) for average in moving_averages(optimizer)}
  return [v for v in map(tf_variables.tf_variable,
                         variables() if callable(variables) else variables)
          if id(v) not in averages]


def moving_averages(optimizer):
  """Those of the trainable variables that a Keras optimizer keeps with `use_ema`.

  Keras hands them out in no other way than by overwriting the variables with them.
  """
  return [tf_variables.tf_variable(v) for v in getattr(
      _without_loss_scale(optimizer), "_model_variables_moving_average", [])]


def _without_loss_scale(optimizer):
  return getattr(optimizer, "inner_optimizer", optimizer)


def current_learning_rate(optimizer):
  """The rate of the next update, as a float."""
  optimizer = _without_loss_scale(optimizer)
  # What Keras 2 calls `learning_rate` is that of the last update.
  rate = getattr(optimizer, "_learning_rate", optimizer.learning_rate)
  return float(tf.convert_to_tensor(
      rate(optimizer.iterations) if callable(rate) else rate))


def clip_gradients(gradients, norm, mode="per_variable", scale=1.0):
  """Clips gradients that are summed over all replicas already.

      per_variable: g_v · min(1, norm / ‖g_v‖)          (the starter code)
      global:       g_v · min(1, norm / sqrt(Σ_v ‖g_v‖²))

  Args:
    gradients: list of dense or sparse gradients.
    norm: the largest norm allowed; 0 or less turns clipping off.
    mode: `"per_variable"` or `"global"`.
    scale: loss scale the gradients still carry; the norm is scaled alike.
  """
  if norm <= 0:
    return gradients
  if mode == "global":
    return tf.clip_by_global_norm(gradients, norm * scale)[0]
  return [tf.clip_by_norm(gradient, norm * scale) for gradient in gradients]
