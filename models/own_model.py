# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A Keras model of the user's own in the place of fusion, aggregation and classifier."""

from typing import Any

import tensorflow as tf

from yt8m.core import feature_spec as feature_specs
from yt8m.core import registry
from yt8m.core import types
from yt8m.models import registries
from yt8m.models.layers import base

keras = tf.keras

# There are only those of the user: `my_package.my_module:MyModel`.
MODELS = registry.Registry("model", keras.Model)


class OwnModel(base.Layer):
  """Scores videos by a Keras model of the user's own.

  To a `VideoModel` it is a branch whose only step is a classifier.

  Args:
    num_classes: Number of classes, C.
    feature_spec: `FeatureSpec` of the videos, or its config.
    model: Config of the model, `{"name": …, **hparams}`. Its constructor gets
      `num_classes` and `feature_spec` if it takes them.

  Call arguments:
    modalities: List of (batch_size, num_frames, dim_m), or of (batch_size, dim_m).
    frame_mask: (batch_size, num_frames), bool; None for video-level features.
    labels: Not used.

  Returns:
    Scores (batch_size, num_classes), and what else the model returns by name.

  Raises:
    ValueError: The model returns something else.
  """

  fusion = None
  aggregations = ()

  def __init__(self, num_classes: int,
               feature_spec: feature_specs.FeatureSpec | dict[str, Any],
               model: types.OptionConfig, **kwargs: Any):
    super().__init__(autocast=False, **kwargs)
    if isinstance(feature_spec, dict):
      feature_spec = feature_specs.FeatureSpec.from_config(feature_spec)
    self.num_classes, self.feature_spec = num_classes, feature_spec
    self.model = registries.build_option(
        MODELS, model, num_classes=num_classes, feature_spec=feature_spec)

  @property
  def classifiers(self) -> list[Any]:
    """The model, which may have what a `Classifier` has."""
    return [self.model]

  def call(self, modalities: list[tf.Tensor], frame_mask: tf.Tensor | None = None,
           labels: tf.Tensor | None = None) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    inputs: dict[str, Any] = {}
    if frame_mask is not None:
      modalities = [tf.where(frame_mask[:, :, tf.newaxis], x, tf.zeros_like(x))
                    for x in modalities]
      inputs = {"frame_mask": frame_mask,
                "num_frames": tf.reduce_sum(tf.cast(frame_mask, tf.int32), axis=1)}
    inputs["features"] = dict(zip(self.feature_spec.names, modalities, strict=True))
    outputs = self.model(inputs)
    more = dict(outputs) if isinstance(outputs, dict) else {"predictions": outputs}
    scores = more.pop("predictions", None)
    shape = getattr(scores, "shape", None)
    if shape is None or shape.rank != 2 or shape[1] not in (None, self.num_classes):
      returned = sorted(more) if shape is None else f"scores of shape {tuple(shape)}"
      raise ValueError(
          f"--model: {type(self.model).__name__} returns {returned}, but must return "
          f"(batch_size, {self.num_classes}), or that as 'predictions' among others.")
    return tf.cast(scores, tf.float32), more

  def get_config(self) -> dict[str, Any]:
    return {**super().get_config(), "feature_spec": self.feature_spec.to_config()}
