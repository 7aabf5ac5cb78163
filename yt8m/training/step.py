# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One training step, the same on one device, several, several workers or a TPU."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from yt8m import models
from yt8m.core import compat
from yt8m.core import registry
from yt8m.core.types import Batch
from yt8m.models import losses
from yt8m.models import prediction
from yt8m.models.aggregation import mean
from yt8m.models.classification import binary_relevance
from yt8m.models.layers import mixing
from yt8m.models.layers import recurrent
from yt8m.models.layers import variables
from yt8m.training import freezing
from yt8m.training import optimizer_state
from yt8m.training import optimizers

keras = tf.keras


@dataclasses.dataclass(frozen=True)
class StepResult:
  """Result of one training step.

  Attributes:
    label_loss: Label loss, the mean over the batch, a scalar.
    penalty: λ · Σ penalties, a scalar.
    predictions: Scores of each replica, as the strategy holds them.
    labels: Labels of each replica, likewise.
  """
  label_loss: tf.Tensor
  penalty: tf.Tensor
  predictions: Any
  labels: Any


def gains_from_xla(model: models.VideoModel) -> bool:
  """Returns whether XLA makes a training step faster on this machine.

  On a CPU it does where a step is few products between passes over memory: a logistic
  regression of a vector, or of the mean over frames. It makes large products, recurrent
  layers and batch normalisation slower (docs/performance.md). It may not know how to
  compile a fusion of the user.
  """
  return (not tf.config.list_logical_devices("GPU") and not model.options["mixture"]
          and type(model.fusion).__module__.startswith("yt8m.")
          and type(model.aggregation) in (type(None), mean.Mean)
          and type(model.classifier) is binary_relevance.Logistic)


class TrainStep:
  """Computes gradients on every replica, sums them, clips them, and applies them.

      L = Σ_replicas Σ_b label_loss_b / B + λ Σ penalties
      g = clip(all_reduce(∂L/∂v))

  If the batch has scores t of a `Teacher`, the label loss of a video is

      (1 − a) · ℓ(p, y) + a · ℓ(p, t)

  If it has the shares of `mixup`, y and t are mixed as the videos are.

  B is the number of examples that the replicas really hold, so that an uneven last
  batch weighs every example alike. Gradients are clipped after the sum: clipping the
  share of each replica, as an optimizer's own `clipnorm` does, is another function.

  Of slow variables, a share r of the update of the optimizer counts, whatever it is:

      v ← v + r · (optimizer(v, g) − v)

  Args:
    model: `VideoModel` with its variables created.
    loss: Loss of `yt8m.models.losses`.
    optimizer: Keras optimizer.
    strategy: Strategy under which model and optimizer were made.
    regularization_penalty: Weight of the penalties, λ.
    clip_gradient_norm: Largest norm of a gradient; 0 turns clipping off.
    gradient_clipping: `"per_variable"` or `"global"`.
    jit_compile: Whether to compile forward and backward pass with XLA.
    teacher_weight: Weight of the teacher, a.
    frozen: Weights that are not trained; None for none.
    slow: Slow variables of the model.
    slow_rate: Share of their updates, r.

  Attributes:
    jit_compile: As the argument.
  """

  def __init__(self, model: models.VideoModel, loss: losses.LabelLoss,
               optimizer: keras.optimizers.Optimizer, strategy: tf.distribute.Strategy,
               *, regularization_penalty: float = 1.0, clip_gradient_norm: float = 1.0,
               gradient_clipping: str = "per_variable", jit_compile: bool = False,
               teacher_weight: float = 0.5, frozen: freezing.Frozen | None = None,
               slow: Sequence[Any] = (), slow_rate: float = 1.0):
    if gradient_clipping not in optimizers.CLIPPING:
      raise registry.unknown("--gradient_clipping", gradient_clipping,
                             optimizers.CLIPPING)
    self.model, self.optimizer, self.strategy = model, optimizer, strategy
    self._loss = loss
    self._regularization_penalty = regularization_penalty
    self._clip_gradient_norm = clip_gradient_norm
    self._gradient_clipping = gradient_clipping
    self._teacher_weight = teacher_weight
    self._frozen = frozen or freezing.Frozen(model)
    slow_ids = {id(v) for v in slow if slow_rate != 1}
    self._slow = [variables.tf_variable(v) for v in self._frozen.trained
                  if id(v) in slow_ids]
    self._slow_rate = slow_rate
    self.jit_compile = jit_compile
    # XLA compiles the two passes alone: it cannot compile the all-reduce and the
    # optimizer, whose variables are on several devices, nor kernels of cuDNN.
    self._gradients = (
        tf.function(recurrent.portable()(self._forward_backward), jit_compile=True)
        if jit_compile else self._forward_backward)
    with strategy.scope():
      compat.build_optimizer(optimizer, self._frozen.trained)
    self._state = optimizer_state.SavedState(optimizer)
    # One graph for each shape, the full batch and the last one of an epoch. With
    # `reduce_retracing`, the second shape gets a graph of unknown shape, whose sums are
    # rounded otherwise: a run resumed at the last batch of an epoch would differ.
    self._run: Any = tf.function(self._distributed)

  def __call__(self, batch: Batch) -> StepResult:
    """Trains on one batch of the strategy's dataset."""
    loss, penalty, predictions = self._run(batch)
    self._state.check()
    return StepResult(loss, penalty, predictions, batch["labels"])

  def _distributed(self, batch):
    before = self.strategy.run(
        lambda: [tf.identity(v) for v in self._slow]) if self._slow else []
    label_losses, penalties, predictions = self.strategy.run(self._replica, args=(batch,))
    for variable, value in zip(self._slow, before, strict=True):
      self.strategy.extended.update(variable, self._slow_down, args=(value,))
    total = self.strategy.reduce(tf.distribute.ReduceOp.SUM, label_losses, axis=None)
    penalty = self.strategy.reduce(tf.distribute.ReduceOp.SUM, penalties, axis=None)
    return total, penalty, predictions

  def _slow_down(self, variable, before):
    share = tf.cast(self._slow_rate, variable.dtype)
    variable.assign(before + share * (variable - before))

  def _replica(self, batch):
    context: Any = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    examples = tf.cast(tf.shape(batch["labels"])[0], tf.float32)
    if replicas > 1:
      examples = context.all_reduce(tf.distribute.ReduceOp.SUM, examples)
    shares = {"mixing": batch["mixing"]} if "mixing" in batch else {}
    gradients, label_loss, penalty, predictions = self._gradients(
        {**prediction.training_inputs(batch), **shares}, batch.get("label_weights"),
        batch.get("teacher"), examples)
    if self._clip_gradient_norm > 0:
      if replicas > 1:
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
      gradients = optimizers.clip_gradients(
          gradients, self._clip_gradient_norm, self._gradient_clipping,
          scale=getattr(self.optimizer, "dynamic_scale", 1.0))
      # `apply_gradients` sums over the replicas, which all hold the same sum by now.
      if replicas > 1:
        gradients = [gradient / replicas for gradient in gradients]
    self.optimizer.apply_gradients(
        zip(gradients, self._frozen.trained, strict=True))
    return label_loss, penalty, predictions

  def _forward_backward(self, inputs, label_weights, teacher, examples):
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    labels = mixing.mix(inputs["labels"], inputs.get("mixing"))
    with tf.GradientTape() as tape, self._frozen.hold():
      outputs = self.model(inputs, training=True)
      per_video = losses.per_video(self._loss.call, outputs, labels, label_weights)
      if teacher is not None:
        a = self._teacher_weight
        per_video = (1 - a) * per_video + a * self._loss.call(
            mixing.mix(teacher, inputs.get("mixing")), outputs["predictions"],
            label_weights)
      label_loss = tf.reduce_sum(per_video) / tf.maximum(examples, 1.0)
      penalty = self._regularization_penalty * tf.add_n(
          [tf.cast(p, tf.float32) for p in self.model.losses] or [0.0]) / replicas
      loss = label_loss + penalty
      if hasattr(self.optimizer, "scale_loss"):
        loss = self.optimizer.scale_loss(loss)
    gradients = tape.gradient(
        loss, self._frozen.trained,
        unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return gradients, label_loss, penalty, outputs["predictions"]
