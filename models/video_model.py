# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The model: fusion of modalities, temporal aggregation, classification."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import feature_spec as feature_specs
from yt8m.core import types
from yt8m.models import branch
from yt8m.models import input_checks
from yt8m.models import keras_files
from yt8m.models import keras_loops
from yt8m.models import mixture as mixtures
from yt8m.models import own_model
from yt8m.models import prediction
from yt8m.models import registries
from yt8m.models.calibration import calibration as calibrations
from yt8m.models.layers import base
from yt8m.models.layers import frame_sampling
from yt8m.models.layers import input_features
from yt8m.models.layers import masking

keras = tf.keras


class VideoModel(base.Configured, keras_files.KerasFiles, keras_loops.KerasLoops,
                 keras.Model):
  """Scores every class for every video of a batch.

      x_m = normalise(dequantise(q_m))          input features of modality m
      x_t = fusion(x_1t, …, x_Mt)               (batch_size, num_frames, dim)
      h   = aggregation(x_1, …, x_T)            (batch_size, units)
      p   = classifier(h)                       (batch_size, num_classes)
      p'  = calibration(p)                      at inference, if there is one

  Video-level features have no frames: there is no aggregation, and h = x. A late fusion
  changes the order of the steps (`Branch`), and a mixture takes them several times
  (`Mixture`).

  >>> from yt8m import models
  >>> from yt8m.core import feature_spec
  >>> spec = feature_spec.FeatureSpec(("rgb", "audio"), (1024, 128), "frame")
  >>> model = models.VideoModel(
  ...     3862, spec, aggregation={"name": "lstm", "units": 512})
  >>> model.aggregation.units
  512

  Args:
    num_classes: Number of classes, C.
    feature_spec: `FeatureSpec` of the input, or its config.
    fusion: Option of `registries.FUSIONS`, a name or `{"name": …, **hparams}`.
    aggregation: Option of `registries.AGGREGATIONS`; None for video-level features.
    classifier: Option of `registries.CLASSIFIERS`.
    sampling: Arguments of `FrameSampling`, for example
      `{"num_frames": 30, "method": "random_frames"}`; None to use every frame.
    normalization: Normalisation of the input vectors, see `InputFeatures`.
    mixture: `{"branches": n, **hparams}` for n copies of fusion, aggregation and
      classifier, mixed by a `Mixture` with those hyperparameters; None for one copy.
    calibration: Hyperparameters of a `Calibration`, as `yt8m-calibrate` chooses them;
      None for none.
    model: A Keras model of the user's own, `{"name": "my_module:MyModel", **hparams}`, in
      the place of fusion, aggregation and classifier (`OwnModel`); None for none.

  Call arguments:
    inputs: `{"features": {name: (batch_size, num_frames, size)},
      "num_frames": (batch_size,)}`; for video-level features
      `{"features": {name: (batch_size, size)}}`. Frames from `num_frames` on are padding
      and do not change any output. In training also `"labels"`, (batch_size,
      num_classes) bool, if the classifier sets `uses_labels`, and with mixup `"mixing"`,
      (batch_size, 1). Other entries are ignored.

  Returns:
    `{"predictions": (batch_size, num_classes) float32, …}` with the named
    intermediates of the options.

  Raises:
    ValueError: There is an aggregation but no frames, or there are frames but no
      aggregation, or the mixture lacks its number of branches.

  Attributes:
    options: Config of every option, with all its hyperparameters.
  """

  # Arguments of a subclass of the user's own, which `building` sets.
  built_from: types.Config | None = None

  def __init__(self, num_classes: int,
               feature_spec: feature_specs.FeatureSpec | dict[str, Any],
               fusion: types.OptionConfig = "concat",
               aggregation: types.OptionConfig | None = None,
               classifier: types.OptionConfig = "logistic",
               *, sampling: dict[str, Any] | None = None, normalization: str = "l2",
               mixture: dict[str, Any] | None = None,
               calibration: dict[str, Any] | None = None,
               model: types.OptionConfig | None = None, **kwargs: Any):
    super().__init__(autocast=False, **kwargs)
    if not isinstance(feature_spec, feature_specs.FeatureSpec):
      feature_spec = feature_specs.FeatureSpec.from_config(feature_spec)
    if feature_spec.is_video_level and (aggregation or sampling):
      needs = f"Aggregation {aggregation!r}" if aggregation else f"Sampling {sampling!r}"
      raise ValueError(
          f"{needs} needs frames, but the features are video-level: train with "
          "--frame_features, or choose a video-level model without it.")
    if model and (aggregation or mixture or fusion not in ("concat", None)
                  or classifier not in ("logistic", None)):
      raise ValueError("A model of your own takes the place of fusion, aggregation, "
                       "classifier and mixture: leave out their flags.")
    if not (feature_spec.is_video_level or aggregation or model):
      raise ValueError(
          "Frame-level features need an aggregation: choose a frame-level model or "
          "--aggregation, or drop --frame_features and --segment_labels.")
    self.num_classes, self.feature_spec = num_classes, feature_spec
    steps: dict[str, Any] = dict.fromkeys(
        ("fusion", "aggregation", "classifier")) if model else {
        "fusion": registries.resolve(registries.FUSIONS, fusion),
        "aggregation": (registries.resolve(registries.AGGREGATIONS, aggregation)
                        if aggregation else None),
        "classifier": registries.resolve(registries.CLASSIFIERS, classifier),
    }
    self.options = {**steps, "sampling": dict(sampling) if sampling else None,
                    "normalization": normalization,
                    "mixture": dict(mixture) if mixture else None,
                    **({"calibration": dict(calibration)} if calibration else {}),
                    **({"model": registries.resolve(own_model.MODELS, model)}
                       if model else {})}
    if sampling:
      registries.check_hparams(
          "sampling", frame_sampling.FrameSampling, sampling, ("num_frames",))
    self.sampling = frame_sampling.FrameSampling(**sampling) if sampling else None
    self.input_features = input_features.InputFeatures(
        feature_spec.names, normalization, feature_spec.ranges)
    arguments = {"num_classes": num_classes, "feature_names": list(feature_spec.names),
                 **steps}
    if model:
      self.scorer = own_model.OwnModel(num_classes, feature_spec, self.options["model"])
    elif mixture:
      hparams = dict(mixture)
      num_branches = hparams.pop("branches", None)
      registries.check_hparams("mixture", mixtures.Mixture, hparams)
      self.scorer = mixtures.Mixture(num_branches, arguments, **hparams)
    else:
      self.scorer = branch.Branch(**arguments)
    self.calibration: Any = calibrations.build(num_classes, calibration)

  def call(self, inputs: types.Batch, training: bool = False) -> dict[str, tf.Tensor]:
    # Keras passes `training` to every layer below that takes it.
    modalities, frame_mask = self._modalities(inputs, training)
    more = {"shares": inputs["mixing"]} if training and "mixing" in inputs else {}
    predictions, intermediates = self.scorer(
        modalities, frame_mask=frame_mask,
        labels=inputs.get("labels") if training else None, **more)
    if self.calibration is not None and not training:
      predictions = self.calibration(predictions)
    return {"predictions": predictions, **intermediates}

  def _modalities(self, inputs: types.Batch, training: bool
                  ) -> tuple[list[tf.Tensor], tf.Tensor | None]:
    """Returns the input of the branches, and which frames are not padding."""
    features, num_frames = input_checks.checked(inputs, self.feature_spec)
    frame_mask = None
    if num_frames is not None:
      if self.sampling is not None:
        features, num_frames = self.sampling(features, num_frames, training=training)
      max_frames = tf.shape(features[self.feature_spec.names[0]])[1]
      frame_mask = masking.frame_mask(num_frames, max_frames)
    return self.input_features(features, frame_mask=frame_mask), frame_mask

  @property
  def branches(self) -> list[branch.Branch]:
    """The `Branch` layers: one, or those of the mixture."""
    return getattr(self.scorer, "branches", [self.scorer])

  @property
  def fusion(self) -> Any:
    """The fusion layer of the first branch."""
    return self.branches[0].fusion

  @property
  def aggregation(self) -> Any:
    """The first aggregation layer of the first branch; None for video-level features."""
    return next(iter(self.branches[0].aggregations), None)

  @property
  def classifier(self) -> Any:
    """The first classifier layer of the first branch."""
    return self.branches[0].classifiers[0]

  @property
  def classifiers(self) -> list[Any]:
    """The classifier layers of all branches."""
    return [classifier for one in self.branches for classifier in one.classifiers]

  def start_from_prior(self, prior: np.ndarray) -> None:
    """Sets biases so that an uninformative input scores the class prior.

    Args:
      prior: Share of the videos that have each label, (num_classes,).
    """
    for classifier in self.classifiers:
      if start := getattr(classifier, "start_from_prior", None):
        start(prior)

  @property
  def needs_label_sets(self) -> bool:
    """Whether a classifier must receive label sets before training."""
    return any(getattr(classifier, "needs_label_sets", False)
               for classifier in self.classifiers)

  @property
  def lacks_label_sets(self) -> bool:
    """Whether a classifier has not received the label sets that it needs."""
    self.build_variables()
    return any(classifier.lacks_label_sets() for classifier in self.classifiers
               if getattr(classifier, "needs_label_sets", False))

  def start_from_label_sets(self, label_sets: Any, pretrain: Callable) -> None:
    """Lets the classifiers learn what labels alone can teach. The model must be built.

    Args:
      label_sets: `LabelSets` of many videos.
      pretrain: Function that trains a label network, see `Classifier`.
    """
    for classifier in self.classifiers:
      if start := getattr(classifier, "start_from_label_sets", None):
        start(label_sets, pretrain)

  @property
  def needs_features(self) -> bool:
    """Whether a classifier solves for its weights on all videos before training."""
    return any(getattr(classifier, "needs_features", False)
               for classifier in self.classifiers)

  def start_from_features(self, batches: Callable[[], Iterable[types.Batch]]) -> None:
    """Lets the classifiers solve for weights on all videos. The model must be built.

    The classifiers see their inputs as the initial weights of the layers before them
    make them. Each classifier that needs them passes over the videos on its own.

    Args:
      batches: Function that starts a pass over the training videos, in batches of a
        reader with labels. Labels that are not rated count as absent.
    """
    inputs_of = tf.function(self._classifier_inputs, reduce_retracing=True)
    for index, classifier in enumerate(self.classifiers):
      if getattr(classifier, "needs_features", False):
        classifier.start_from_features(
            lambda index=index: ((inputs_of(prediction.model_inputs(batch))[index],
                                  batch["labels"]) for batch in batches()))

  def _classifier_inputs(self, inputs: types.Batch) -> list[tf.Tensor]:
    modalities, frame_mask = self._modalities(inputs, training=False)
    return [x for branch in self.branches
            for x in branch.classifier_inputs(modalities, frame_mask)]

  def build(self, input_shape: Any = None) -> None:
    """Creates every variable by one inference on zeros.

    Keras calls this method before the first call. Without it, Keras would call the
    layers on symbolic inputs, and warn if one of them refuses those.
    """
    self.built = True  # The call below must not build the model again.
    spec = self.feature_spec
    frames, dtype = ((), tf.float32) if spec.is_video_level else ((2,), tf.uint8)
    # Keras 2 would name the variables by the scope of an outer call as well.
    with tf.init_scope(), tf.name_scope(""):
      self({"features": {name: tf.zeros((1, *frames, size), dtype)
                         for name, size in zip(spec.names, spec.sizes, strict=True)},
            "num_frames": tf.fill([1], 2)}, training=False)

  def build_variables(self) -> "VideoModel":
    """Creates every variable unless they exist, and returns the model.

    Call this method inside `strategy.scope()`.
    """
    if not self.built:  # Keras records the shapes, and `export` needs them.
      frames = () if self.feature_spec.is_video_level else (None,)
      self.build({"features": {name: (None, *frames, size) for name, size in zip(
          self.feature_spec.names, self.feature_spec.sizes, strict=True)},
                  "num_frames": (None,)})
    return self

  def summary(self, *args: Any, expand_nested: bool = True, **kwargs: Any) -> Any:
    """Prints the parts of the model; see `keras.Model.summary`."""
    self.build_variables()
    return super().summary(*args, expand_nested=expand_nested, **kwargs)

  def get_config(self) -> dict[str, Any]:
    if self.built_from:
      return dict(self.built_from)
    return {"name": self.name, "num_classes": self.num_classes,
            "feature_spec": self.feature_spec.to_config(),
            **base.plain(self.options)}
