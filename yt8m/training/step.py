# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One training step, the same on one device, several, several workers or a TPU."""

import collections

import tensorflow as tf

from yt8m.models import prediction
from yt8m.models.layers import recurrent
from yt8m.training import optimizers

keras = tf.keras

StepResult = collections.namedtuple(
    "StepResult", ["label_loss", "penalty", "predictions", "labels"])


class TrainStep:
  """Computes gradients on every replica, sums them, clips, and applies.

      L = Σ_replicas Σ_b label_loss_b / B + λ Σ penalties
      g = clip(all_reduce(∂L/∂v))

  Where the batch has scores t of a `Teacher`, the label loss of a video is

      (1 − a) · ℓ(p, y) + a · ℓ(p, t)

  B is the number of examples the replicas really hold, so an uneven last batch
  counts every example alike. Gradients are clipped after the sum: clipping each
  replica's share, as an optimizer's own `clipnorm` does, is another function.

  Args:
    model: `VideoModel`, its variables created.
    loss: a loss of `yt8m.models.losses`.
    optimizer: a Keras optimizer.
    strategy: the `tf.distribute.Strategy` under which model and optimizer were made.
    regularization_penalty: λ.
    clip_gradient_norm: largest norm, 0 to turn clipping off.
    gradient_clipping: `"per_variable"` or `"global"`.
    jit_compile: compile forward and backward pass with XLA.
    teacher_weight: a.
  """

  def __init__(self, model, loss, optimizer, strategy, regularization_penalty=1.0,
               clip_gradient_norm=1.0, gradient_clipping="per_variable",
               jit_compile=False, teacher_weight=0.5):
    if gradient_clipping not in optimizers.CLIPPING:
      raise ValueError(f"Unknown --gradient_clipping={gradient_clipping!r}. Valid: "
                       f"{', '.join(optimizers.CLIPPING)}.")
    self._model, self._loss, self._optimizer = model, loss, optimizer
    self._strategy = strategy
    self._regularization_penalty = regularization_penalty
    self._clip_gradient_norm = clip_gradient_norm
    self._gradient_clipping = gradient_clipping
    self._teacher_weight = teacher_weight
    # Only the two passes are compiled: the all-reduce and the optimizer work on
    # variables of several devices, which XLA does not see; nor does it know cuDNN.
    self._gradients = (
        tf.function(recurrent.portable()(self._forward_backward), jit_compile=True)
        if jit_compile else self._forward_backward)
    with strategy.scope():
      optimizers.build(optimizer, model.trainable_variables)
    self._run = tf.function(self._distributed, reduce_retracing=True)

  def __call__(self, batch):
    """Trains on one batch of the strategy's dataset.

    Returns:
      A `StepResult`: the label loss (mean over the batch) and λ · Σ penalties, both
      scalars; the predictions and labels of each replica as the strategy holds them.
    """
    return self._run(batch)

  def _distributed(self, batch):
    label_losses, penalties, predictions = self._strategy.run(
        self._replica, args=(batch,))
    total = self._strategy.reduce(tf.distribute.ReduceOp.SUM, label_losses, axis=None)
    penalty = self._strategy.reduce(tf.distribute.ReduceOp.SUM, penalties, axis=None)
    return StepResult(total, penalty, predictions, batch["labels"])

  def _replica(self, batch):
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    examples = tf.cast(tf.shape(batch["labels"])[0], tf.float32)
    if replicas > 1:
      examples = context.all_reduce(tf.distribute.ReduceOp.SUM, examples)
    gradients, label_loss, penalty, predictions = self._gradients(
        prediction.training_inputs(batch), batch.get("label_weights"),
        batch.get("teacher"), examples)
    if self._clip_gradient_norm > 0:
      if replicas > 1:
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
      gradients = optimizers.clip_gradients(
          gradients, self._clip_gradient_norm, self._gradient_clipping,
          scale=getattr(self._optimizer, "dynamic_scale", 1.0))
      # `apply_gradients` sums over the replicas, and all of them hold the same now.
      gradients = [gradient / replicas for gradient in gradients]
    self._optimizer.apply_gradients(
        zip(gradients, self._model.trainable_variables, strict=True))
    return label_loss, penalty, predictions

  def _forward_backward(self, inputs, label_weights, teacher, examples):
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    variables = self._model.trainable_variables
    with tf.GradientTape() as tape:
      outputs = self._model(inputs, training=True)
      per_video = self._loss_per_video(outputs, inputs["labels"], label_weights)
      if teacher is not None:
        taught = self._loss.call(teacher, outputs["predictions"], label_weights)
        a = self._teacher_weight
        per_video = (1 - a) * per_video + a * taught
      label_loss = tf.reduce_sum(per_video) / tf.maximum(examples, 1.0)
      penalty = self._regularization_penalty * tf.add_n(
          [tf.cast(p, tf.float32) for p in self._model.losses] or [0.0]) / replicas
      loss = label_loss + penalty
      if hasattr(self._optimizer, "scale_loss"):
        loss = self._optimizer.scale_loss(loss)
    gradients = tape.gradient(
        loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return gradients, label_loss, penalty, outputs["predictions"]

  def _loss_per_video(self, outputs, labels, label_weights):
    """The label loss, or what the classifiers have in its place (`Classifier`).

    Where predictions of several classifiers were combined, the label loss of the
    combination comes in addition.
    """
    own = {name: loss for name, loss in outputs.items()
           if name.startswith("training_loss")}
    if set(own) == {"training_loss"}:
      return own["training_loss"]
    return tf.add_n([self._loss.call(labels, outputs["predictions"], label_weights),
                     *own.values()])
