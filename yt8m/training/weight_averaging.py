# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Averages of the weights over training steps, to predict with in place of the weights.

Averaging does not change training, which continues with the weights themselves. A
checkpoint holds both:

    weights             the weights
    weights_averaged    the averages in the same order; a weight without average, itself
    num_averaged        number of steps that were averaged, 0 until averaging begins
"""

import abc
from typing import Any

import tensorflow as tf

from yt8m import models
from yt8m.configs import checkpoints
from yt8m.models.layers import variables
from yt8m.training import freezing


class WeightAverages(abc.ABC):
  """Averages `a` of the weights `w` of a model: `a ← keep · a + add · w` after a step.

  Args:
    model: `VideoModel`, made under `strategy`.
    strategy: Strategy that the model is trained under.
    averaged: Weights of the model to average.
    start_step: First step whose weights are averaged.
    frozen: Weights that are not trained; None for none.

  Raises:
    ValueError: `start_step` is below 1.
  """

  def __init__(self, model: models.VideoModel, strategy: tf.distribute.Strategy,
               averaged: list, start_step: int,
               frozen: freezing.Frozen | None = None):
    if start_step < 1:
      raise ValueError(f"--averaging_start_step={start_step} must be at least 1.")
    self._strategy, self._start_step = strategy, start_step
    with strategy.scope():
      averages = {id(w): tf.Variable(tf.zeros(w.shape, w.dtype), trainable=False)
                  for w in averaged}
    weights = {id(w): variables.tf_variable(w) for w in model.weights}
    self._averages = [averages.get(key, w) for key, w in weights.items()]
    # The mean of equal numbers may differ from them in the last bit.
    still = {id(w) for w in averaged if frozen and w in frozen}
    self._pairs = [(average, weights[key]) for key, average in averages.items()
                   if key not in still]
    self._still = [(average, weights[key]) for key, average in averages.items()
                   if key in still]
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
  def _move(self, keep: tf.Tensor, add: tf.Tensor) -> None:
    for average, weight in self._still:
      self._strategy.extended.update(
          average, lambda a, w: a.assign(w), args=(weight,))
    for average, weight in self._pairs:
      self._strategy.extended.update(
          average, lambda a, w, keep, add: a.assign(keep * a + add * w),
          args=(weight, tf.cast(keep, weight.dtype), tf.cast(add, weight.dtype)))
    self._count.assign_add(1)


class ExponentialAverages(WeightAverages):
  """Exponential moving averages.

      a = w after `start_step`,   a ← m a + (1 − m) w    after every later step

  Only trainable weights are averaged. The moving statistics of batch normalization
  already follow the weights with a similar delay.

  Args:
    model: `VideoModel`, made under `strategy`.
    strategy: Strategy that the model is trained under.
    start_step: First step whose weights are averaged (`--averaging_start_step`).
    momentum: Share of an average that a step keeps, m (`--ema_momentum`).
    frozen: Weights that are not trained; None for none.

  Reference: Polyak and Juditsky 1992; Tarvainen and Valpola 2017 (arXiv:1703.01780).
  """

  def __init__(self, model: models.VideoModel, strategy: tf.distribute.Strategy,
               start_step: int = 1, momentum: float = 0.999,
               frozen: freezing.Frozen | None = None):
    super().__init__(model, strategy, model.trainable_variables, start_step, frozen)
    self._momentum = momentum

  def update(self, step: int) -> None:
    if step >= self._start_step:
      begun = self._count > 0
      self._move(tf.where(begun, self._momentum, 0.0),
                 tf.where(begun, 1 - self._momentum, 1.0))


class StochasticAverages(WeightAverages):
  """Stochastic weight averaging: the mean of the weights at every k-th step.

      a ← (n a + w) / (n + 1),   n ← n + 1    after step s, s + k, s + 2 k, …

  All weights of a floating-point type are averaged, with them the moving statistics of
  batch normalization: to first order, the statistics of the mean weights are the mean of
  the statistics, which saves another pass over the data to compute them.

  Args:
    model: `VideoModel`, made under `strategy`.
    strategy: Strategy that the model is trained under.
    start_step: First step whose weights are averaged, s (`--averaging_start_step`).
    period: Number of steps between two averaged steps, k (`--swa_steps`).
    frozen: Weights that are not trained; None for none.

  Reference: Izmailov et al. 2018 (arXiv:1803.05407), algorithm 1 at a constant rate.
  """

  def __init__(self, model: models.VideoModel, strategy: tf.distribute.Strategy,
               start_step: int, period: int = 100,
               frozen: freezing.Frozen | None = None):
    if period < 1:
      raise ValueError(f"--swa_steps={period} must be at least 1.")
    floating = [w for w in model.weights if tf.as_dtype(w.dtype).is_floating]
    super().__init__(model, strategy, floating, start_step, frozen)
    self._period = period

  def update(self, step: int) -> None:
    if step >= self._start_step and (step - self._start_step) % self._period == 0:
      rate = 1.0 / tf.cast(self._count + 1, tf.float32)
      self._move(1 - rate, rate)


KINDS = {"none": None, "ema": ExponentialAverages, "swa": StochasticAverages}


def make(kind: str, model: models.VideoModel, strategy: tf.distribute.Strategy,
         start_step: int | None = None, *, momentum: float = 0.999,
         swa_steps: int = 100, frozen: freezing.Frozen | None = None
         ) -> WeightAverages | None:
  """Returns the averages that `--weight_averaging` names; None for `none`.

  Raises:
    ValueError: `swa` without a start, or a number below 1.
  """
  if kind == "ema":
    return ExponentialAverages(
        model, strategy, 1 if start_step is None else start_step, momentum, frozen)
  if kind == "swa":
    if start_step is None:
      raise ValueError("--weight_averaging=swa needs --averaging_start_step: the step "
                       "from which the weights are worth averaging, such as the one "
                       "after three quarters of training.")
    return StochasticAverages(model, strategy, start_step, swa_steps, frozen)
  return None
