# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The path from modalities to scores: fusion, aggregation and classification."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.core import types
from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import masking
from yt8m.models.layers import mixing


class Branch(base.Layer):
  """Fuses, aggregates and classifies, in the order that the fusion requires.

      early:   p = classifier(aggregation(fusion(x_1, …, x_M)))
      late 1:  p = classifier(fusion(aggregation_1(x_1), …, aggregation_M(x_M)))
      late 2:  p = fusion(classifier_1(aggregation_1(x_1)), …)

  The fusion's attribute `stage` selects the order: "frames" (early, the default),
  "videos" (late 1) or "predictions" (late 2). Each modality has its own options in the
  steps before a late fusion. Without an aggregation, as for video-level features, that
  step is skipped.

  Args:
    num_classes: Number of classes, C.
    feature_names: Names of the modalities, in the order of the call argument.
    fusion: Config of the fusion.
    aggregation: Config of the aggregation, or None.
    classifier: Config of the classifier.

  Call arguments:
    modalities: List of (batch_size, num_frames, dim_m), or of (batch_size, dim_m).
    frame_mask: (batch_size, num_frames), bool; None for video-level features.
    labels: (batch_size, num_classes), bool; None except in training. Only classifiers
      that set `uses_labels` receive them.
    shares: (batch_size, 1), by which the vectors that classifiers read are mixed
      (`mixing.mix`); None except in training with mixup.

  Returns:
    Scores (batch_size, num_classes), and the intermediates of the options. If each
    modality has an option of its own, its name is appended to theirs.
  """

  def __init__(self, num_classes: int, feature_names: Sequence[str],
               fusion: types.OptionConfig, aggregation: types.OptionConfig | None,
               classifier: types.OptionConfig, **kwargs: Any):
    super().__init__(autocast=False, **kwargs)
    self.num_classes, self.feature_names = num_classes, list(feature_names)
    self.aggregation, self.classifier = aggregation, classifier
    self.fusion = registries.build_option(registries.FUSIONS, fusion)
    stage = getattr(self.fusion, "stage", "frames")
    self._steps = {
        "frames": (self._fuse, self._aggregate, self._classify),
        "videos": (self._aggregate, self._fuse, self._classify),
        "predictions": (self._aggregate, self._classify, self._fuse),
    }[stage]
    # Here, because Keras adds lines to the errors of a call.
    registries.check_fusion(self.fusion, len(self.feature_names),
                            frames=bool(aggregation) and stage == "frames")
    self.aggregations = self._build_options(
        registries.AGGREGATIONS, aggregation, stage != "frames")
    self.classifiers = self._build_options(
        registries.CLASSIFIERS, classifier, stage == "predictions",
        num_classes=num_classes)
    if (stage == "frames" and getattr(self.fusion, "keeps_values_apart", False)
        and self.aggregations and getattr(self.aggregations[0], "is_by_value", False)):
      # The same function, without an array of all frames of all modalities.
      self._steps = (self._aggregate_apart, self._fuse, self._classify)

  @property
  def layers(self) -> list[Any]:
    """The options, which `summary(expand_nested=True)` lists."""
    return [self.fusion, *self.aggregations, *self.classifiers]

  def _build_options(self, options: registry.Registry, config: types.OptionConfig | None,
                     one_per_modality: bool, **arguments: Any) -> list[Any]:
    """Returns the layers of a step: none, one, or one for each modality."""
    if not config:
      return []
    configs = [config]
    if one_per_modality:
      self.fusion.check_names(self.feature_names)
      configs = [self.fusion.adapt(options.kind, config, name)
                 for name in self.feature_names]
    return [registries.build_option(options, c, **arguments) for c in configs]

  def build(self, modalities_shape: Any, *other_shapes: Any) -> None:
    """Leaves the options to build themselves in the first call."""

  def compute_output_shape(self, modalities_shape: Any, *other_shapes: Any) -> Any:
    """Returns the shape of the scores, for `summary`."""
    return (None, self.num_classes)

  def call(self, modalities: list[tf.Tensor], frame_mask: tf.Tensor | None = None,
           labels: tf.Tensor | None = None, shares: tf.Tensor | None = None
           ) -> types.Outputs:
    xs, intermediates, is_there = modalities, {}, _is_there(modalities)
    for step in self._steps:
      if step == self._classify:
        xs = [mixing.mix(x, shares) for x in xs]
      xs, frame_mask = step(xs, frame_mask, labels, is_there, intermediates)
    [predictions] = xs
    return predictions, intermediates

  def classifier_inputs(self, modalities: list[tf.Tensor],
                        frame_mask: tf.Tensor | None = None) -> list[tf.Tensor]:
    """Returns the input of each classifier at inference, (batch_size, dim)."""
    xs, is_there = modalities, _is_there(modalities)
    for step in self._steps[:self._steps.index(self._classify)]:
      xs, frame_mask = step(xs, frame_mask, None, is_there, {})
    return xs

  def _fuse(self, xs, frame_mask, labels, is_there, intermediates):
    arguments = ({"is_there": is_there} if getattr(self.fusion, "uses_is_there", False)
                 else {})
    x, more = registries.split_intermediates(
        registries.call_on_frames(self.fusion, xs, frame_mask, **arguments))
    intermediates.update(more)
    return [x], frame_mask

  def _aggregate(self, xs, frame_mask, labels, is_there, intermediates):
    if not self.aggregations:
      return xs, frame_mask
    xs = self._each(self.aggregations, xs, intermediates, lambda layer, x: (
        registries.call_on_frames(layer, x, frame_mask)))
    if len(xs) > 1:  # A modality that a video lacks has no vector either.
      xs = [tf.where(is_there[:, m:m + 1], x, tf.zeros_like(x))
            for m, x in enumerate(xs)]
    return xs, None

  def _aggregate_apart(self, xs, frame_mask, labels, is_there, intermediates):
    [aggregation] = self.aggregations
    return [aggregation(x, frame_mask=frame_mask) for x in xs], None

  def _classify(self, xs, frame_mask, labels, is_there, intermediates):
    arguments = ({"labels": labels}
                 if getattr(self.classifiers[0], "uses_labels", False) else {})
    xs = self._each(self.classifiers, xs, intermediates,
                    lambda layer, x: layer(x, **arguments))
    for x in xs:
      if x.shape.rank != 2 or x.shape[1] != self.num_classes:
        raise ValueError(
            f"The classifier {type(self.classifiers[0]).__name__} returns scores of "
            f"shape {tuple(x.shape)}, but must return (batch_size, {self.num_classes}), "
            "one for each class: let its constructor take num_classes.")
    # Half precision has too few bits near 0 and 1.
    return [tf.cast(x, tf.float32) for x in xs], frame_mask

  def _each(self, layers, xs, intermediates, call):
    """Calls one layer for each x and collects the intermediates."""
    suffixes = [""] if len(layers) == 1 else [f"_{n}" for n in self.feature_names]
    results = []
    for layer, x, suffix in zip(layers, xs, suffixes, strict=True):
      result, more = registries.split_intermediates(call(layer, x))
      results.append(result)
      intermediates.update({key + suffix: value for key, value in more.items()})
    return results


def _is_there(modalities: list[tf.Tensor]) -> tf.Tensor:
  """Returns which modalities each video has, (batch_size, M) bool."""
  return tf.concat(
      [tf.reshape(masking.is_there(x), [-1, 1]) for x in modalities], axis=1)
