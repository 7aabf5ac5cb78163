# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One way from modalities to scores: fusion, aggregation and classification."""

import tensorflow as tf

from yt8m.models import registries

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class Branch(keras.layers.Layer):
  """Fuses, aggregates and classifies, in the order that the fusion asks for.

      early:   p = classifier(aggregation(fusion(x_1, …, x_M)))
      late 1:  p = classifier(fusion(aggregation_1(x_1), …, aggregation_M(x_M)))
      late 2:  p = fusion(classifier_1(aggregation_1(x_1)), …)

  A fusion with `stage = "videos"` is late fusion 1, one with `"predictions"` late
  fusion 2: before it, every modality m has options of its own. `None` as the
  aggregation leaves that step out (video-level features).

  Args:
    num_classes: C.
    feature_names: names of the modalities, in their order.
    fusion, aggregation, classifier: configs of the options.

  Call arguments:
    modalities: list of (batch_size, num_frames, dim_m), or (batch_size, dim_m).
    frame_mask: (batch_size, num_frames), bool; None at video level.
    labels: (batch_size, num_classes), bool, in training; for classifiers that use them.

  Returns:
    Scores (batch_size, num_classes), and the intermediates of the options, with the
    name of the modality at the end where each modality has one.
  """

  def __init__(self, num_classes, feature_names, fusion, aggregation, classifier,
               **kwargs):
    super().__init__(autocast=False, **kwargs)
    self.num_classes, self.feature_names = num_classes, list(feature_names)
    self._options = {"fusion": fusion, "aggregation": aggregation,
                     "classifier": classifier}
    self.fusion = registries.build_option(registries.FUSIONS, fusion)
    stage = getattr(self.fusion, "stage", "frames")
    self._steps = {
        "frames": (self._fuse, self._aggregate, self._classify),
        "videos": (self._aggregate, self._fuse, self._classify),
        "predictions": (self._aggregate, self._classify, self._fuse),
    }[stage]
    self.aggregations = self._build(
        registries.AGGREGATIONS, "aggregation", stage != "frames")
    self.classifiers = self._build(
        registries.CLASSIFIERS, "classifier", stage == "predictions",
        num_classes=num_classes)

  def _build(self, options, part, one_a_modality, **arguments):
    """The layers of a step: one, or one for each modality; none if it is left out."""
    config = self._options[part]
    if not config:
      return []
    configs = [config]
    if one_a_modality:
      self.fusion.check_names(self.feature_names)
      configs = [self.fusion.adapt(part, config, name) for name in self.feature_names]
    return [registries.build_option(options, c, **arguments) for c in configs]

  def build(self, *input_shapes):
    self.built = True  # the options build themselves in the first call

  def call(self, modalities, frame_mask=None, labels=None):
    xs, intermediates = modalities, {}
    for step in self._steps:
      xs, frame_mask = step(xs, frame_mask, labels, intermediates)
    [predictions] = xs
    return predictions, intermediates

  def _fuse(self, xs, frame_mask, labels, intermediates):
    x, more = registries.split_intermediates(self.fusion(xs, frame_mask=frame_mask))
    intermediates.update(more)
    return [x], frame_mask

  def _aggregate(self, xs, frame_mask, labels, intermediates):
    if not self.aggregations:
      return xs, frame_mask
    return self._each(self.aggregations, xs, intermediates, frame_mask=frame_mask), None

  def _classify(self, xs, frame_mask, labels, intermediates):
    arguments = {"labels": labels} if self.classifiers[0].uses_labels else {}
    return self._each(self.classifiers, xs, intermediates, **arguments), frame_mask

  def _each(self, layers, xs, intermediates, **arguments):
    """Calls one layer for each x; keeps the intermediates apart by modality."""
    suffixes = [""] if len(layers) == 1 else [f"_{n}" for n in self.feature_names]
    results = []
    for layer, x, suffix in zip(layers, xs, suffixes, strict=True):
      result, more = registries.split_intermediates(layer(x, **arguments))
      results.append(result)
      intermediates.update({key + suffix: value for key, value in more.items()})
    return results

  def start_from_prior(self, prior):
    """Sets biases so that an uninformative input scores the class prior."""
    for classifier in self.classifiers:
      classifier.start_from_prior(prior)

  def start_from_label_sets(self, label_sets):
    """Hands the classifiers `LabelSets`: what labels alone can teach."""
    for classifier in self.classifiers:
      classifier.start_from_label_sets(label_sets)

  def get_config(self):
    return {**super().get_config(), "num_classes": self.num_classes,
            "feature_names": self.feature_names, **self._options}
