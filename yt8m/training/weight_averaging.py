# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Averages of the weights over training steps, to predict with in place of the weights.

Averaging does not change training, which goes on with the weights themselves. A
checkpoint holds both:

    weights             the weights
    weights_averaged    the averages in the same order; a weight without average, itself
    num_averaged        how often an average was taken, 0 until averaging begins
"""

import abc
from typing import Any

import tensorflow as tf

from yt8m import models
from yt8m.configs import checkpoints
from yt8m.models.layers import variables
from yt8m.training import optimizers

KINDS = ("none", "ema", "swa")


class WeightAverages(abc.ABC):
  """Averages `a` of the weights `w` of a model.

  Args:
    model: `VideoModel`, made under `strategy`.
    averages: Variables of the averages, by the `id` of their weights.
    strategy: Strategy that the model is trained under.
    start_step: Step after which averaging begins.

  Raises:
    ValueError: `start_step` is below 1.
  """

  def __init__(self, model: models.VideoModel, averages: dict[int, tf.Variable],
               strategy: tf.distribute.Strategy, start_step: int):
    if start_step < 1:
      raise ValueError(f"--averaging_start_step={start_step} must be at least 1.")
    self._strategy, self._start_step = strategy, start_step
    self._averages = [averages.get(id(w), variables.tf_variable(w))
                      for w in model.weights]
    self._pairs = [(averages[id(w)], variables.tf_variable(w))
                   for w in model.weights if id(w) in averages]
    self._count = tf.Variable(
        tf.zeros([], tf.int64), trainable=False, name=checkpoints.NUM_AVERAGED)

  @abc.abstractmethod
  def update(self, step: int) -> None:
    """Updates the averages after a step; call it after every step, with its number."""

  def checkpoint_parts(self) -> dict[str, Any]:
    """Returns what a checkpoint must hold besides the model."""
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

  The start is ours. Keras 2 starts with the weights before the first step and Keras 3
  with those after it, which then still count mⁿ, 37 % after 1 / (1 − m) steps.

  Only trainable weights are averaged. The moving statistics of batch normalization
  already follow the weights with the same delay, and stay as they are.

  Args:
    model: `VideoModel`, made under `strategy`.
    optimizer: Optimizer made with `ema_momentum`, its slots built for `model`.
    strategy: Strategy that the model is trained under.
    start_step: Step after which averaging begins.

  Reference: Polyak and Juditsky 1992; Tarvainen and Valpola 2017 (arXiv:1703.01780).
  """

  def __init__(self, model: models.VideoModel, optimizer: tf.keras.optimizers.Optimizer,
               strategy: tf.distribute.Strategy, start_step: int = 1):
    averages = {id(w): a for w, a in zip(
        model.trainable_variables, optimizers.moving_averages(optimizer), strict=True)}
    super().__init__(model, averages, strategy, start_step)
    self._started = False

  def update(self, step: int) -> None:
    if step >= self._start_step and not self._started:
      if not self._count.numpy():  # not resumed
        self._move(1.0)
      self._started = True


class StochasticAverages(WeightAverages):
  """Stochastic weight averaging: the mean of the weights at every k-th step.

      a ← (n a + w) / (n + 1),   n ← n + 1    after step s, s + k, s + 2 k, …

  All weights of a floating-point type are averaged, with them the moving statistics of
  batch normalization: to first order, the statistics of the mean weights are the mean of
  the statistics, which saves another pass over the data to compute them.

  Args:
    model: `VideoModel`, made under `strategy`.
    strategy: Strategy that the model is trained under.
    start_step: First step whose weights are averaged, s.
    period: Number of steps between two averaged steps, k.

  Reference: Izmailov et al. 2018 (arXiv:1803.05407), algorithm 1 at a constant rate.
  """

  def __init__(self, model: models.VideoModel, strategy: tf.distribute.Strategy,
               start_step: int, period: int = 100):
    if period < 1:
      raise ValueError(f"--swa_steps={period} must be at least 1.")
    self._period = period
    with strategy.scope():
      averages = {
          id(w): tf.Variable(tf.zeros(w.shape, w.dtype), trainable=False)
          for w in model.weights if tf.as_dtype(w.dtype).is_floating}
    super().__init__(model, averages, strategy, start_step)

  def update(self, step: int) -> None:
    if step >= self._start_step and (step - self._start_step) % self._period == 0:
      self._move(1.0 / tf.cast(self._count + 1, tf.float32))


def make(kind: str, model: models.VideoModel, optimizer: tf.keras.optimizers.Optimizer,
         strategy: tf.distribute.Strategy, start_step: int | None = None,
         swa_steps: int = 100) -> WeightAverages | None:
  """Returns the averages that `--weight_averaging` names; None for `none`.

  Raises:
    ValueError: `swa` without a start, or a number below 1.
  """
  if kind == "ema":
    return ExponentialAverages(
        model, optimizer, strategy, 1 if start_step is None else start_step)
  if kind == "swa":
    if start_step is None:
      raise ValueError("--weight_averaging=swa needs --averaging_start_step: the step "
                       "from which the weights are worth averaging, such as the one "
                       "after three quarters of training.")
    return StochasticAverages(model, strategy, start_step, swa_steps)
  return None
