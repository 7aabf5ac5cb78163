# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Late fusion: of the vectors of the modalities, or of their predictions."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from yt8m.core import types
from yt8m.models import registries
from yt8m.models.layers import base


class LateFusion(base.Layer):
  """Base of the fusions that follow separate steps for each modality.

  A subclass sets `stage`, the step after which it fuses: "videos" or "predictions".
  `Branch` then builds the steps before it once for each modality.

  A subclass takes `aggregation`, `classifier`, or both: hyperparameters that differ
  between modalities, `{modality: {hyperparameter: value}}`, for example
  `{"audio": {"clusters": 32}}`.
  """

  # Whether the call takes `is_there`.
  uses_is_there = False
  aggregation: dict[str, dict[str, Any]] = {}
  classifier: dict[str, dict[str, Any]] = {}

  def check_names(self, feature_names: Sequence[str]) -> None:
    """Raises a ValueError if hyperparameters are given for an unknown modality."""
    for kind in ("aggregation", "classifier"):
      unknown = sorted(set(getattr(self, kind)) - set(feature_names))
      if unknown:
        raise ValueError(
            f"The fusion changes the {kind} of {unknown[0]!r}, but the features are "
            f"{', '.join(feature_names)} (--feature_names, --hparams).")

  def adapt(self, kind: str, config: types.OptionConfig, name: str) -> dict[str, Any]:
    """Returns the config of the aggregation or classifier of the modality `name`."""
    return {**registries.normalise_config(config), **getattr(self, kind).get(name, {})}


@registries.FUSIONS.register("late1")
class LateFusion1(LateFusion):
  """Aggregates every modality separately, then fuses the vectors.

      h_m = aggregation_m(x_m1, …, x_mT),   h = fusion(h_1, …, h_M)

  Args:
    fusion: Config of the fusion of the vectors, a name or `{"name": …, **hparams}`.
    aggregation: Hyperparameters that differ between modalities, see `LateFusion`.

  Call arguments:
    features: List of (batch_size, dim_m), the vectors h_m.
    frame_mask: None, because vectors have no frames.

  Returns:
    The result of the wrapped fusion, (batch_size, dim).

  Raises:
    ValueError: The wrapped fusion needs frames, or is a late fusion itself.
  """

  stage = "videos"

  def __init__(self, fusion: types.OptionConfig = "concat",
               aggregation: dict[str, dict[str, Any]] | None = None, **kwargs: Any):
    super().__init__(**kwargs)
    self.aggregation = dict(aggregation or {})
    self.fusion = registries.build_option(registries.FUSIONS, fusion)
    if isinstance(self.fusion, LateFusion):
      raise ValueError(
          f"Fusion 'late1' cannot wrap {self.fusion.option_config['name']!r}, which is "
          "late itself: give it concat, sum or bilinear.")

  def check_input(self, num_modalities: int, frames: bool) -> None:
    """Raises a ValueError unless the wrapped fusion can fuse the vectors."""
    registries.check_fusion(self.fusion, num_modalities, frames)

  def build(self, features_shape: Any, *other_shapes: Any) -> None:
    with tf.name_scope(self.fusion.name):  # Part of the names of variables in Keras 2.
      self.fusion.build(features_shape)

  def call(self, features: list[tf.Tensor], frame_mask: tf.Tensor | None = None) -> Any:
    return registries.call_on_frames(self.fusion, features, frame_mask)


@registries.FUSIONS.register("late2")
class LateFusion2(LateFusion):
  """Classifies by every modality separately, then averages the predictions.

      p_c = Σ_m w_mc p_mc,   w_·c = softmax_m(θ_·c) over the modalities m of the video

  θ starts at 0, so that w starts as the plain mean. Training learns how far to trust
  each modality.

  Args:
    per_class: Whether every class has its own weights.
    aggregation: Hyperparameters that differ between modalities, see `LateFusion`.
    classifier: The same for the classifiers.

  Call arguments:
    features: List of (batch_size, num_classes), the scores of the modalities.
    frame_mask: None, because scores have no frames.
    is_there: Whether a video has each modality, (batch_size, modalities), bool; None if
      it has all.

  Returns:
    (batch_size, num_classes) float32, and the intermediate `modality_weights`,
    (modalities, num_classes), or (modalities, 1), of a video that has all.
  """

  stage = "predictions"
  uses_is_there = True

  def __init__(self, per_class: bool = True,
               aggregation: dict[str, dict[str, Any]] | None = None,
               classifier: dict[str, dict[str, Any]] | None = None, **kwargs: Any):
    super().__init__(**kwargs)
    self.per_class = per_class
    self.aggregation, self.classifier = dict(aggregation or {}), dict(classifier or {})

  def build(self, features_shape: Any, *other_shapes: Any) -> None:
    classes = features_shape[0][-1] if self.per_class else 1
    self.theta = self.add_weight(
        name="theta", shape=(len(features_shape), classes), initializer="zeros")

  def call(self, features: list[tf.Tensor], frame_mask: tf.Tensor | None = None,
           is_there: tf.Tensor | None = None) -> types.Outputs:
    theta = tf.cast(self.theta, tf.float32)
    weights = video_weights = tf.nn.softmax(theta, axis=0)
    if is_there is not None:
      missing = tf.where(is_there, 0.0, -1e9)[:, :, tf.newaxis]
      video_weights = tf.nn.softmax(theta + missing, axis=1)
    scores = tf.stack([tf.cast(p, tf.float32) for p in features], axis=1)
    return tf.reduce_sum(video_weights * scores, axis=1), {"modality_weights": weights}
