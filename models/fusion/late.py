# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Late fusion: of the vectors of the modalities, or of their predictions."""

import tensorflow as tf

from yt8m.models import registries

keras = tf.keras


class LateFusion(keras.layers.Layer):
  """Base of the fusions before which every modality goes its own way.

  A subclass says at which `stage` it fuses: `"videos"` or `"predictions"`; `Branch`
  builds the steps before it once a modality.

  Args:
    aggregation, classifier: hyperparameters that differ by modality, `{modality:
      {hyperparameter: value}}`, e.g. `{"audio": {"clusters": 32}}`.
  """

  def __init__(self, aggregation=None, classifier=None, **kwargs):
    super().__init__(**kwargs)
    self.changes = {"aggregation": dict(aggregation or {}),
                    "classifier": dict(classifier or {})}

  def check_names(self, feature_names):
    """Refuses hyperparameters for modalities that are not there (ValueError)."""
    for part, changes in self.changes.items():
      unknown = sorted(set(changes) - set(feature_names))
      if unknown:
        raise ValueError(
            f"The fusion changes the {part} of {unknown[0]!r}, but the features are "
            f"{', '.join(feature_names)} (--feature_names, --hparams).")

  def adapt(self, part, config, name):
    """Config of the aggregation or classifier of the modality `name`."""
    return {**registries.normalise_config(config), **self.changes[part].get(name, {})}


@registries.FUSIONS.register("late1")
@keras.utils.register_keras_serializable(package="yt8m")
class LateFusion1(LateFusion):
  """Aggregates every modality on its own, then fuses the vectors.

      h_m = aggregation_m(x_m1, …, x_mT),   h = fusion(h_1, …, h_M)

  Args:
    fusion: the fusion of the vectors, a name or `{"name": …, **hparams}`.
    aggregation: see `LateFusion`.

  Call arguments:
    features: list of (batch_size, dim_m), the vectors h_m.
    frame_mask: None, as vectors have no frames.

  Returns:
    What the wrapped fusion makes of the vectors, (batch_size, dim).

  Raises:
    ValueError: a fusion that needs frames, or that is late itself.
  """

  stage = "videos"

  def __init__(self, fusion="concat", aggregation=None, **kwargs):
    super().__init__(aggregation=aggregation, **kwargs)
    self.fusion_config = registries.resolve(registries.FUSIONS, fusion)
    self.fusion = registries.build_option(registries.FUSIONS, self.fusion_config)
    if isinstance(self.fusion, LateFusion):
      raise ValueError(f"Fusion 'late1' cannot wrap {self.fusion_config['name']!r}, "
                       "which is late itself: give it concat, sum or bilinear.")

  def build(self, *input_shapes):
    self.built = True

  def call(self, features, frame_mask=None):
    return self.fusion(features, frame_mask=frame_mask)

  def get_config(self):
    return {**super().get_config(), "fusion": self.fusion_config,
            "aggregation": self.changes["aggregation"]}


@registries.FUSIONS.register("late2")
@keras.utils.register_keras_serializable(package="yt8m")
class LateFusion2(LateFusion):
  """Classifies by every modality on its own, then averages the predictions.

      p_c = Σ_m w_mc p_mc,   w_·c = softmax_m(θ_·c)

  θ starts at 0: the plain mean. What is learned is how far to trust each modality.

  Args:
    per_class: whether every class weighs the modalities for itself.
    aggregation, classifier: see `LateFusion`.

  Call arguments:
    features: list of (batch_size, num_classes), the scores of the modalities.
    frame_mask: None, as scores have no frames.

  Returns:
    (batch_size, num_classes) float32, and the intermediate `modality_weights`,
    (modalities, num_classes), or (modalities, 1).
  """

  stage = "predictions"

  def __init__(self, per_class=True, aggregation=None, classifier=None, **kwargs):
    super().__init__(aggregation=aggregation, classifier=classifier, **kwargs)
    self.per_class = per_class

  def build(self, features_shape, *other_shapes):
    classes = features_shape[0][-1] if self.per_class else 1
    self.theta = self.add_weight(
        name="theta", shape=(len(features_shape), classes), initializer="zeros")
    self.built = True

  def call(self, features, frame_mask=None):
    weights = tf.nn.softmax(tf.cast(self.theta, tf.float32), axis=0)
    scores = tf.stack([tf.cast(p, tf.float32) for p in features], axis=1)
    return tf.reduce_sum(weights * scores, axis=1), {"modality_weights": weights}

  def get_config(self):
    return {**super().get_config(), "per_class": self.per_class, **self.changes}
