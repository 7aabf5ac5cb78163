# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Averages of the weights along the path of training, to be evaluated in their place.

Training goes on with the weights themselves, so that it is the same with and without.
A checkpoint holds both:

    weights             as trained
    weights_averaged    the averages, in the same order; what has none, as trained
    num_averaged        0 until averaging begins
"""

import tensorflow as tf

from yt8m.configs import checkpoints
from yt8m.models.layers import variables
from yt8m.training import optimizers

KINDS = ("none", "ema", "swa")


class WeightAverages:
  """Averages `a` beside the weights `w` of a model.

  Args:
    model: `VideoModel`, made under `strategy`.
    averages: `{id(weight): tf.Variable}` of the weights that are averaged.
    strategy: `tf.distribute.Strategy`.
    start_step: step after which averaging begins.
  """

  def __init__(self, model, averages, strategy, start_step):
    if start_step < 1:
      raise ValueError(f"--averaging_start_step={start_step} must be at least 1.")
    self._strategy, self._start_step = strategy, start_step
    self._averages = [averages.get(id(w), variables.tf_variable(w))
                      for w in model.weights]
    self._pairs = [(averages[id(w)], variables.tf_variable(w))
                   for w in model.weights if id(w) in averages]
    self._count = tf.Variable(
        0, dtype=tf.int64, trainable=False, name=checkpoints.NUM_AVERAGED)

  def update(self, step):
    """Is called after every step, with the number of steps so far."""
    # A base class: the two kinds differ in just this.
    raise NotImplementedError

  def checkpoint_parts(self):
    """What a checkpoint must hold besides the model."""
    return {checkpoints.AVERAGES: self._averages,
            checkpoints.NUM_AVERAGED: self._count}

  @tf.function
  def _move(self, rate):
    """a ← (1 − rate) a + rate w."""
    for average, weight in self._pairs:
      r = tf.cast(rate, weight.dtype)
      self._strategy.extended.update(
          average, lambda a, w, r: a.assign((1 - r) * a + r * w), args=(weight, r))
    self._count.assign_add(1)


class ExponentialAverages(WeightAverages):
  """Exponential moving averages, which the Keras optimizer keeps (`use_ema`).

      a ← m a + (1 − m) w    after every step,   a = w after `start_step`

  The start is ours: Keras 2 begins at the weights before the first step and Keras 3 at
  those after it, both of which have the weight mⁿ, 37 % after 1 / (1 − m) steps.

  Averaged are the trainable weights. The moving statistics of batch normalisation
  follow the weights at that very lag already, and stay as they are.

  Args:
    optimizer: made with `ema_momentum`, its slots built for `model`.
    Others: see `WeightAverages`.

  Reference: Polyak and Juditsky 1992; Tarvainen and Valpola 2017 (arXiv:1703.01780).
  """

  def __init__(self, model, optimizer, strategy, start_step=1):
    averages = {id(w): a for w, a in zip(
        model.trainable_variables, optimizers.moving_averages(optimizer), strict=True)}
    super().__init__(model, averages, strategy, start_step)
    self._started = False

  def update(self, step):
    if step >= self._start_step and not self._started:
      if not self._count.numpy():  # not resumed
        self._move(1.0)
      self._started = True


class StochasticAverages(WeightAverages):
  """Stochastic weight averaging: the mean of the weights at every k-th step.

      a ← (n a + w) / (n + 1),   n ← n + 1    after step s, s + k, s + 2 k, …

  Every weight of a floating type is averaged, the moving statistics of batch
  normalisation with the rest: to first order those of the mean are the mean of those
  over the same steps, and the pass over the data that would compute them anew is saved.

  Args:
    start_step: s.
    period: k.
    Others: see `WeightAverages`.

  Reference: Izmailov et al. 2018 (arXiv:1803.05407), algorithm 1 at a constant rate.
  """

  def __init__(self, model, strategy, start_step, period=100):
    if period < 1:
      raise ValueError(f"--swa_steps={period} must be at least 1.")
    self._period = period
    with strategy.scope():
      averages = {
          id(w): tf.Variable(tf.zeros(w.shape, w.dtype), trainable=False)
          for w in model.weights if tf.as_dtype(w.dtype).is_floating}
    super().__init__(model, averages, strategy, start_step)

  def update(self, step):
    if step >= self._start_step and (step - self._start_step) % self._period == 0:
      self._move(1.0 / tf.cast(self._count + 1, tf.float32))


def make(kind, model, optimizer, strategy, start_step=None, swa_steps=100):
  """Returns the averages that `--weight_averaging` names, None for `none`.

  Raises:
    ValueError: `swa` without a start, or a number below 1.
  """
  if kind == "ema":
    return ExponentialAverages(
        model, optimizer, strategy, 1 if start_step is None else start_step)
  if kind == "swa":
    if start_step is None:
      raise ValueError("--weight_averaging=swa needs --averaging_start_step: the step "
                       "from which the weights are worth averaging, such as that where "
                       "three quarters of training are done.")
    return StochasticAverages(model, strategy, start_step, swa_steps)
  return None
