# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The model: fusion of modalities, temporal aggregation, classification."""

import json

import tensorflow as tf

from yt8m.core import feature_spec as feature_specs
from yt8m.models import branch
from yt8m.models import mixture as mixtures
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

  Video-level features have no frames: there is no aggregation, and h = x. Late fusion
  changes the order of the steps (`Branch`); a mixture takes them several times.

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
    mixture: None, or `{"branches": n, **hparams}`: n copies of fusion, aggregation and
      classifier, mixed by `Mixture` of those hyperparameters.

  Call arguments:
    inputs: `{"features": {name: (batch_size, num_frames, size)},
      "num_frames": (batch_size,)}`; at video level `{name: (batch_size, size)}` and
      no `num_frames` needed. Frames from `num_frames` on are padding and change no
      output. In training also `"labels"`, (batch_size, num_classes) bool, if the
      classifier `uses_labels`. Other entries are not looked at.

  Returns:
    `{"predictions": (batch_size, num_classes) float32, …}` with the named
    intermediates of the options.

  Raises:
    ValueError: an aggregation without frames, frames without an aggregation, or a
      mixture without a number of branches.
  """

  def __init__(self, num_classes, feature_spec, fusion="concat", aggregation=None,
               classifier="logistic", sampling=None, normalization="l2",
               mixture=None, **kwargs):
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
    parts = {
        "fusion": registries.resolve(registries.FUSIONS, fusion),
        "aggregation": (registries.resolve(registries.AGGREGATIONS, aggregation)
                        if aggregation else None),
        "classifier": registries.resolve(registries.CLASSIFIERS, classifier),
    }
    self._options = {**parts, "sampling": dict(sampling) if sampling else None,
                     "normalization": normalization,
                     "mixture": dict(mixture) if mixture else None}
    if sampling:
      registries.check_hparams(
          "sampling", frame_sampling.FrameSampling, sampling, ("num_frames",))
    self.sampling = (frame_sampling.FrameSampling(**sampling) if sampling else None)
    self.input_features = input_features.InputFeatures(
        feature_spec.names, normalization)
    if mixture:
      self.scorer = self._build_mixture(parts, **mixture)
    else:
      self.scorer = branch.Branch(num_classes, feature_spec.names, **parts)

  def _build_mixture(self, parts, branches=None, **hparams):
    if not isinstance(branches, int) or branches < 2:
      raise ValueError(f"The mixture has branches={branches!r}; give a number of two or "
                       'more (--hparams=\'{"mixture": {"branches": 3}}\').')
    registries.check_hparams("mixture", mixtures.Mixture, hparams)
    return mixtures.Mixture(
        [branch.Branch(self.num_classes, self.feature_spec.names, **parts)
         for _ in range(branches)], **hparams)

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
    predictions, intermediates = self.scorer(
        modalities, frame_mask=frame_mask,
        labels=inputs.get("labels") if training else None)
    return {"predictions": predictions, **intermediates}

  @property
  def branches(self):
    """The `Branch` layers: one, or those of the mixture."""
    return getattr(self.scorer, "branches", [self.scorer])

  @property
  def fusion(self):
    """The fusion layer of the first branch."""
    return self.branches[0].fusion

  @property
  def aggregation(self):
    """Its first aggregation layer; None at video level."""
    return next(iter(self.branches[0].aggregations), None)

  @property
  def classifier(self):
    """Its first classifier layer."""
    return self.branches[0].classifiers[0]

  def start_from_prior(self, prior):
    """Sets biases so that an uninformative input scores the class prior.

    Args:
      prior: (num_classes,) share of the videos that have each label.
    """
    self.scorer.start_from_prior(prior)

  @property
  def needs_label_sets(self):
    """Whether a classifier must see label sets before training."""
    return any(classifier.needs_label_sets
               for branch in self.branches for classifier in branch.classifiers)

  def start_from_label_sets(self, label_sets):
    """Lets the classifiers learn what labels alone can teach; of a built model.

    Args:
      label_sets: `LabelSets` of many videos.
    """
    self.scorer.start_from_label_sets(label_sets)

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
    # Keras 2 wraps the dictionaries that a model holds; here they become plain again.
    options = json.loads(json.dumps(self._options, default=dict))
    return {"name": self.name, "num_classes": self.num_classes,
            "feature_spec": self.feature_spec.to_config(), **options}

