# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The model: fusion of modalities, temporal aggregation, classification."""

import tensorflow as tf

from yt8m import feature_spec as feature_specs
from yt8m.models import registries
from yt8m.models.layers import frame_sampling
from yt8m.models.layers import input_features
from yt8m.models.layers import masking

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class VideoModel(keras.Model):
  """Scores every class for every video of a batch.

      x_m = normalise(dequantise(q_m))          input features, one a modality
      x_t = fusion(x_1t, …, x_Mt)               (batch_size, num_frames, dim)
      h   = aggregation(x_1, …, x_T)            (batch_size, units)
      p   = classifier(h)                       (batch_size, num_classes)

  Video-level features have no frames: there is no aggregation, and h = x.

  >>> spec = feature_spec.FeatureSpec(("rgb", "audio"), (1024, 128), "frame")
  >>> model = VideoModel(3862, spec, aggregation={"name": "lstm", "units": 512})

  Args:
    num_classes: C.
    feature_spec: `FeatureSpec` of the input, or its config.
    fusion: option of `registries.FUSIONS`, as a name or `{"name": …, **hparams}`.
    aggregation: option of `registries.AGGREGATIONS`; None at video level.
    classifier: option of `registries.CLASSIFIERS`.
    sampling: None to look at every frame, or the arguments of `FrameSampling`,
      e.g. `{"num_frames": 30, "method": "random_frames"}`.
    normalization: of the input vectors, see `InputFeatures`.

  Call arguments:
    inputs: `{"features": {name: (batch_size, num_frames, size)},
      "num_frames": (batch_size,)}`; at video level `{name: (batch_size, size)}` and
      no `num_frames` needed. Other entries are not looked at. Frames from
      `num_frames` on are padding and change no output.

  Returns:
    `{"predictions": (batch_size, num_classes) float32, …}` with the named
    intermediates of the options.

  Raises:
    ValueError: an aggregation without frames, or frames without an aggregation.
  """

  def __init__(self, num_classes, feature_spec, fusion="concat", aggregation=None,
               classifier="logistic", sampling=None, normalization="l2", **kwargs):
    super().__init__(autocast=False, **kwargs)
    if not isinstance(feature_spec, feature_specs.FeatureSpec):
      feature_spec = feature_specs.FeatureSpec.from_config(feature_spec)
    if feature_spec.is_video_level and (aggregation or sampling):
      raise ValueError(
          f"Aggregation {aggregation!r} needs frames, but the features are video-level: "
          "add --frame_features, or choose a video-level model.")
    if not feature_spec.is_video_level and not aggregation:
      raise ValueError(
          "Frame-level features need an aggregation: choose a frame-level model or "
          "--aggregation, or drop --frame_features and --segment_labels.")
    self.num_classes, self.feature_spec = num_classes, feature_spec
    self._options = {
        "fusion": registries.resolve(registries.FUSIONS, fusion),
        "aggregation": (registries.resolve(registries.AGGREGATIONS, aggregation)
                        if aggregation else None),
        "classifier": registries.resolve(registries.CLASSIFIERS, classifier),
        "sampling": dict(sampling) if sampling else None,
        "normalization": normalization,
    }
    self.sampling = (frame_sampling.FrameSampling(**sampling) if sampling else None)
    self.input_features = input_features.InputFeatures(
        feature_spec.names, normalization)
    self.fusion = registries.build_option(registries.FUSIONS, fusion)
    self.aggregation = (registries.build_option(registries.AGGREGATIONS, aggregation)
                        if aggregation else None)
    self.classifier = registries.build_option(
        registries.CLASSIFIERS, classifier, num_classes=num_classes)

  def call(self, inputs, training=False):
    features, frame_mask = inputs["features"], None
    if not self.feature_spec.is_video_level:
      num_frames = inputs["num_frames"]
      if self.sampling is not None:
        features, num_frames = self.sampling(features, num_frames, training=training)
      max_frames = tf.shape(features[self.feature_spec.names[0]])[1]
      frame_mask = masking.frame_mask(num_frames, max_frames)

    # Keras hands `training` on to every layer below that asks for it.
    modalities = self.input_features(features, frame_mask=frame_mask)
    x, intermediates = registries.split_intermediates(
        self.fusion(modalities, frame_mask=frame_mask))
    if self.aggregation is not None:
      x, more = registries.split_intermediates(
          self.aggregation(x, frame_mask=frame_mask))
      intermediates = {**intermediates, **more}
    predictions, more = registries.split_intermediates(self.classifier(x))
    return {"predictions": predictions, **intermediates, **more}

  def build(self, input_shape):
    # Layers build themselves in the first call; without this method Keras would try
    # them on symbolic inputs first, and warn where one of them refuses its input.
    self.built = True

  def build_variables(self, num_frames=2):
    """Creates every variable by one call on zeros; returns self.

    Call it inside `strategy.scope()`.
    """
    spec, frames = self.feature_spec, ()
    dtype = tf.float32
    if not spec.is_video_level:
      frames, dtype = (num_frames,), tf.uint8
    self({"features": {name: tf.zeros((1, *frames, size), dtype)
                       for name, size in zip(spec.names, spec.sizes, strict=True)},
          "num_frames": tf.fill([1], num_frames)})
    return self

  def get_config(self):
    return {"name": self.name, "num_classes": self.num_classes,
            "feature_spec": self.feature_spec.to_config(), **self._options}

