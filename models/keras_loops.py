# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How `fit`, `evaluate`, `predict` and `export` of Keras run a model of this package."""

import inspect
from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.core import types
from yt8m.data import records
from yt8m.models import losses
from yt8m.models import prediction
from yt8m.models.layers import base

keras = tf.keras


class LossPerVideo(base.Configured, keras.losses.Loss):
  """Label loss of which the model computes the value for each video.

  Keras weights the videos, takes the mean, adds the penalties and divides by the number
  of replicas, as it does with every loss.

  Args:
    loss: Keras loss of labels and scores, or its name.

  Call arguments:
    y_true: Not used.
    y_pred: Losses of the videos, (batch_size,).
  """

  def __init__(self, loss: Any, name: str = "loss_per_video", **kwargs: Any):
    super().__init__(name=name, **kwargs)
    try:
      self._loss = keras.losses.get(loss)
    except ValueError as error:
      if not isinstance(loss, str):
        raise
      raise registry.unknown("loss", loss, losses.LOSSES, "Or name one of Keras, such as "
                             "'binary_crossentropy'.") from error
    self.loss = keras.losses.serialize(self._loss)

  def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return y_pred

  def of_outputs(self, outputs: dict[str, tf.Tensor], labels: tf.Tensor,
                 label_weights: tf.Tensor | None) -> tf.Tensor:
    """Returns the losses of the videos, (batch_size,).

    Raises:
      ValueError: There are label weights, but the loss takes none.
    """
    if isinstance(self._loss, losses.LabelLoss):
      return losses.per_video(self._loss.call, outputs, labels, label_weights)
    if label_weights is not None:
      raise ValueError(f"The loss {self._loss!r} takes no weights of labels: compile the "
                       "model with a loss of yt8m.losses, or leave out sample_weight.")
    function = getattr(self._loss, "call", self._loss)
    return losses.per_video(function, outputs, tf.cast(labels, tf.float32))


class KerasLoops:
  """Mixin that fits a `VideoModel` by `compile` and `fit`.

  The model takes batches of a reader as they are, or tuples `(inputs, labels)` and
  `(inputs, labels, sample_weight)`, such as those of `yt8m.datasets`. The sample weights
  are (batch_size,), one for each video, or (batch_size, num_classes), one for each label
  (`label_weights` of a reader of segments).

      L = Σ_b w_b ℓ(p_b, y_b) / B + Σ penalties

  Classifiers that learn from labels receive them, and their own loss takes the place of
  `compile(loss=…)`, as in `yt8m-train`. Metrics see `predictions`, which `predict`
  returns.
  """

  def compile(self, optimizer: Any = "rmsprop", loss: Any = None, *args: Any,
              jit_compile: bool = False, **kwargs: Any) -> None:
    """Configures the model for training.

    Args:
      optimizer: Keras optimizer or its name.
      loss: One loss of labels and scores, or its name. Default: cross entropy, as
        in `yt8m-train`.
      *args: Further arguments of `keras.Model.compile`.
      jit_compile: Whether to compile steps with XLA.
      **kwargs: Further arguments of `keras.Model.compile`.

    Raises:
      ValueError: There are several losses.
    """
    if isinstance(loss, (dict, list, tuple)):
      raise ValueError(f"A {type(self).__name__} has one output for one loss: write "
                       f"loss='CrossEntropyLoss', for example, instead of {loss!r}.")
    if not isinstance(loss, LossPerVideo):
      loss = LossPerVideo(losses.CrossEntropyLoss() if loss is None else loss)
    self._loss_per_video = loss
    keras_model: Any = super()
    keras_model.compile(optimizer, loss, *args, jit_compile=jit_compile, **kwargs)

  # Keras restores the arguments of `compile` by itself only if `compile` is its own.

  def compile_from_config(self, config: dict[str, Any]) -> None:
    model: Any = self
    self.compile(**keras.utils.deserialize_keras_object(config))
    model.optimizer.build(model.trainable_variables)

  def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Trains the model, see `keras.Model.fit`.

    Raises:
      NotImplementedError: The model belongs to several workers.
      RecordError: A record of the dataset cannot be used; it is named.
      ValueError: A classifier needs label sets and has received none.
    """
    model: Any = self
    if isinstance(model.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
      # Keras 3 itself raises in the middle of `fit`, without a remedy.
      raise NotImplementedError(
          "Keras cannot fit a model under MultiWorkerMirroredStrategy. Train with the "
          "command yt8m-train on every worker, which reads TF_CONFIG itself.")
    if model.lacks_label_sets:
      raise ValueError(
          "The classifier of this model learns label sets first, and has received none: "
          "call yt8m.start_from_labels(model, dataset) before fit.")
    if isinstance(x, tf.data.Dataset):
      kwargs.setdefault("shuffle", False)  # Keras warns that it cannot shuffle one.
    if "validation_data" in kwargs:
      kwargs["validation_data"] = self._averageable(kwargs["validation_data"])
    keras_model: Any = super()
    with records.clear_errors():
      return keras_model.fit(self._averageable(x), *args, **kwargs)

  def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Measures loss and metrics of `compile`, see `keras.Model.evaluate`."""
    keras_model: Any = super()
    with records.clear_errors():
      return keras_model.evaluate(self._averageable(x), *args, **kwargs)

  def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Returns the scores, (num_videos, num_classes), see `keras.Model.predict`."""
    keras_model: Any = super()
    with records.clear_errors():
      return keras_model.predict(self._averageable(x), *args, **kwargs)

  def export(self, *args: Any, **kwargs: Any) -> None:
    """Writes a SavedModel whose inputs have the types of the features.

    See `keras.Model.export`, and `yt8m.export_model` for one that `yt8m.load` reads.
    Keras alone would declare bytes as floats, which the model does not dequantise.
    """
    model: Any = self
    keras_model: Any = super()
    model.build_variables()
    inputs = prediction.input_signature(model.feature_spec)
    if model.feature_spec.is_video_level:
      del inputs["num_frames"]
    signature = [inputs]
    if "input_signature" in inspect.signature(keras_model.export).parameters:
      keras_model.export(*args, **{"input_signature": signature, **kwargs})
      return
    # Keras 2 would declare the shapes of the first call, with its number of frames.
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", model.__call__, signature)
    archive.write_out(*args, **kwargs)

  def _averageable(self, data: Any) -> Any:
    """Returns a dataset whose batches Keras can average over replicas.

    That is how Keras 3 finds the shapes of a batch. There is no mean of texts, such as
    ids, which are left out, nor of truth values, which become numbers.
    """
    model: Any = self
    if not (isinstance(data, tf.data.Dataset)
            and model.distribute_strategy.num_replicas_in_sync > 1):
      return data

    def convert(*element):
      element = [{key: value for key, value in part.items() if key != "id"}
                 if isinstance(part, dict) else part for part in element]
      element = tf.nest.map_structure(
          lambda x: tf.cast(x, tf.uint8) if x.dtype == tf.bool else x, tuple(element))
      return element if len(element) > 1 else element[0]

    return data.map(convert, num_parallel_calls=tf.data.AUTOTUNE)

  def train_step(self, data: Any) -> dict[str, Any]:
    inputs, labels, weights = self._checked_parts(data)
    keras_model: Any = super()
    return keras_model.train_step(({**inputs, "labels": labels}, labels, weights))

  def test_step(self, data: Any) -> dict[str, Any]:
    keras_model: Any = super()
    return keras_model.test_step(self._checked_parts(data))

  def _checked_parts(self, data: Any) -> tuple[types.Batch, tf.Tensor, Any]:
    """Returns the parts of a batch, see `_parts`, whose labels are those of the classes.

    Raises:
      ValueError: There are no labels, or they or the weights have another shape, which
        would broadcast.
      InvalidArgumentError: A label is not in [0, 1].
    """
    inputs, labels, weights = _parts(data)
    model: Any = self
    num_classes = model.num_classes
    if labels.shape.rank is None:  # of a generator; a wrong one fails in the step
      labels = tf.ensure_shape(labels, [None, num_classes])
    if not labels.shape.is_compatible_with([None, num_classes]):
      raise ValueError(
          f"The labels have the shape {tuple(labels.shape)}, but must be (batch_size, "
          f"{num_classes}): for each video, 1 or True at the numbers of its classes.")
    shapes = [None], [None, 1], [None, num_classes]
    if weights is not None and not any(map(weights.shape.is_compatible_with, shapes)):
      raise ValueError(
          f"sample_weight has the shape {tuple(weights.shape)}, but must be "
          f"(batch_size,) or (batch_size, {num_classes}).")
    if labels.dtype != tf.bool:
      check = tf.debugging.Assert(
          tf.reduce_all((labels >= 0) & (labels <= 1)),
          ["The labels must be in [0, 1], 1 at the numbers of the classes of a video, "
           "but range from", tf.reduce_min(labels), "to", tf.reduce_max(labels)])
      with tf.control_dependencies([] if check is None else [check]):
        labels = tf.identity(labels)
    return inputs, labels, weights

  def predict_step(self, data: Any) -> tf.Tensor:
    keras_model: Any = super()
    return keras_model.predict_step(data)["predictions"]

  def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None,
                   sample_weight: Any = None, training: bool = True) -> tf.Tensor:
    _, labels, weights = _parts((x, y, sample_weight))
    weights, label_weights = _row_and_label_weights(weights)
    per_video = self._loss_per_video.of_outputs(y_pred, labels, label_weights)
    keras_model: Any = super()
    return keras_model.compute_loss(x, per_video, per_video, weights)

  def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
                      ) -> dict[str, Any]:
    _, labels, weights = _parts((x, y, sample_weight))
    weights, label_weights = _row_and_label_weights(weights)
    scores = y_pred["predictions"]
    if label_weights is not None:  # A class that is not rated counts as not predicted.
      scores *= tf.cast(label_weights, scores.dtype)
    keras_model: Any = super()
    return keras_model.compute_metrics(
        x, tf.cast(labels, tf.float32), scores, weights)


def _parts(data: Any) -> tuple[types.Batch, tf.Tensor, tf.Tensor | None]:
  """Returns inputs, labels, and weights or None; the batch of a reader has them all.

  Raises:
    ValueError: There are no labels.
  """
  inputs, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
  if labels is None:
    labels = inputs.get("labels")
    weights = inputs.get("label_weights") if weights is None else weights
  if labels is None:
    raise ValueError("There are no labels: give batches of a reader, or tuples (inputs, "
                     "labels), where inputs is {'features': {name: …}, 'num_frames': …}.")
  return inputs, labels, weights


def _row_and_label_weights(weights: tf.Tensor | None
                           ) -> tuple[tf.Tensor | None, tf.Tensor | None]:
  """Returns weights of the videos, (batch_size,), and of their labels."""
  if weights is None or weights.shape.rank == 1:
    return weights, None
  if weights.shape[1] == 1:
    return weights[:, 0], None
  return None, weights
