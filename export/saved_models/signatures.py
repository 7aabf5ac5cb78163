# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The signatures of a SavedModel, which are the same for one model and for an ensemble.

For a batch of B videos, C classes and the k best classes:

    serving_default    example_bytes (B,) -> video_id (B,), class_indexes (B, k) int32,
                       predictions (B, k), best first; with a vocabulary also
                       class_names (B, k) string, with thresholds decisions (B, k) bool
    predict_full       example_bytes (B,) -> video_id (B,), predictions (B, C); with
                       thresholds also decisions (B, C) bool
    predict_features   <feature> (B, T, size) of every feature, num_frames (B,) int32;
                       at video level <feature> (B, size) alone; of the dtype in the
                       spec, by default uint8, at video level float32
                       -> predictions (B, C)
    predict_members    the same, of an ensemble of M members -> predictions (B, C), and
                       their scores, members (B, M, C)
    predict_steps      the same and num_steps () int32 -> predictions (B, C) after
                       num_steps steps, for classifiers that work in steps
                       (`conditional`); from 1 to the exported number of steps

`example_bytes` are records in the format of the readers; they need no labels. At frame
level every output of `serving_default` has a second axis of size 1, as in the starter
code's export. B may be 0. A malformed record fails its batch and no other. A feature
that a video lacks is zeros, as in training. A record that lacks all of them is malformed:
it is of the other level, or has other names.

Reference: YouTube-8M starter code, `export_model.py`.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from yt8m.artifacts.saved_model import PREDICT_FEATURES
from yt8m.artifacts.saved_model import PREDICT_MEMBERS
from yt8m.artifacts.saved_model import Contract
from yt8m.artifacts.thresholds import Thresholds
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.metrics import streaming
from yt8m.models import prediction

# Function from `{"features": {name: x}, "num_frames": (B,)}` to `{"predictions": (B, C)}`
# and, if it works in steps, `"step_predictions"`, (B, steps, C), or, of an ensemble,
# `"members"`, (B, M, C).
Model = Callable[[dict[str, Any]], dict[str, Any]]
# tf.types.experimental.ConcreteFunction by name.
Signatures = dict[str, Any]


def make(contract: Contract, model: Model, top_k: int | None,
         names: Vocabulary | None = None, limits: Thresholds | None = None
         ) -> Signatures:
  """Traces the signatures.

  Args:
    contract: Features, number of frames and number of classes of the model.
    model: Model to trace. It is traced once, and is never called with an empty batch.
    top_k: Number of classes that `serving_default` returns; see
      `streaming.chosen_top_k`.
    names: Names of the classes, which `serving_default` returns.
    limits: Thresholds of the classes, by which the first two signatures decide.

  Raises:
    ValueError: `top_k` is out of range.
  """
  spec = contract.spec
  top_k = streaming.chosen_top_k(top_k, contract.num_classes)
  reader = contract.reader()
  signature = prediction.input_signature(spec)
  example_bytes = tf.TensorSpec([None], tf.string, "example_bytes")

  # One function, so that the file holds the graph of the model once.
  @tf.function(input_signature=[signature])
  def score_batch(inputs):
    return score(model, inputs)

  def score_records(example_bytes):
    batch = reader.parse_batch(example_bytes)
    outputs = score_batch({name: batch[name] for name in ("features", "num_frames")})
    return batch["id"], outputs["predictions"]

  @tf.function(input_signature=[example_bytes])
  def serving_default(example_bytes):
    ids, predictions = score_records(example_bytes)
    predictions, classes = tf.math.top_k(predictions, top_k)
    outputs = {"video_id": ids, "class_indexes": classes, "predictions": predictions}
    if names:
      outputs["class_names"] = tf.gather(tf.constant(names.names), classes)
    if limits:
      outputs["decisions"] = decide(limits, classes, predictions)
    if spec.is_video_level:
      return outputs
    return {name: tf.expand_dims(output, 1) for name, output in outputs.items()}

  @tf.function(input_signature=[example_bytes])
  def predict_full(example_bytes):
    ids, predictions = score_records(example_bytes)
    outputs = {"video_id": ids, "predictions": predictions}
    if limits:
      outputs["decisions"] = decide_all(limits, predictions)
    return outputs

  def score_features(inputs):
    xs = {name: inputs[name] for name in spec.names}
    if spec.is_video_level:
      lengths = tf.ones([tf.shape(xs[spec.names[0]])[0]], tf.int32)
    else:
      # The reader, too, keeps the first `max_frames` frames.
      xs = {name: x[:, :contract.max_frames] for name, x in xs.items()}
      lengths = checked_lengths(
          inputs["num_frames"], tf.shape(inputs[spec.names[0]])[1], contract.max_frames)
    return score_batch({"features": xs, "num_frames": lengths})

  @tf.function
  def predict_features(**inputs):
    return {"predictions": score_features(inputs)["predictions"]}

  @tf.function
  def predict_members(**inputs):
    outputs = score_features(inputs)
    return {name: outputs[name] for name in ("predictions", "members")}

  @tf.function
  def predict_steps(num_steps, **inputs):
    steps = score_features(inputs)["step_predictions"]
    check = tf.debugging.Assert(
        (num_steps >= 1) & (num_steps <= tf.shape(steps)[1]),
        ["num_steps must be from 1 to", tf.shape(steps)[1], "is", num_steps])
    with tf.control_dependencies([check]):  # Else the slice may fail first.
      return {"predictions": steps[:, tf.identity(num_steps) - 1]}

  arrays = dict(signature["features"])
  if not spec.is_video_level:
    arrays["num_frames"] = signature["num_frames"]
  signatures = {"serving_default": serving_default.get_concrete_function(),
                "predict_full": predict_full.get_concrete_function(),
                PREDICT_FEATURES: predict_features.get_concrete_function(**arrays)}
  outputs = score_batch.get_concrete_function().structured_outputs
  if "members" in outputs:
    signatures[PREDICT_MEMBERS] = predict_members.get_concrete_function(**arrays)
  if "step_predictions" in outputs:
    signatures["predict_steps"] = predict_steps.get_concrete_function(
        num_steps=tf.TensorSpec([], tf.int32, "num_steps"), **arrays)
  return signatures


def decide(limits: Thresholds, classes: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
  """Returns which of the best classes are decided, as `Thresholds.decide` does.

  Args:
    limits: Thresholds of the classes.
    classes: Classes, (batch_size, k), best first.
    predictions: Scores of these classes, (batch_size, k).

  Returns:
    (batch_size, k) bool.
  """
  is_high = predictions >= tf.gather(tf.constant(limits.values), classes)
  return is_high & (tf.range(tf.shape(classes)[1]) < limits.top_k)


def decide_all(limits: Thresholds, predictions: tf.Tensor) -> tf.Tensor:
  """Returns which of all classes are decided.

  Args:
    limits: Thresholds of the classes.
    predictions: Scores, (batch_size, num_classes).

  Returns:
    (batch_size, num_classes) bool.
  """
  scores, classes = tf.math.top_k(predictions, limits.top_k)
  rows = tf.repeat(tf.range(tf.shape(classes)[0])[:, tf.newaxis], limits.top_k, axis=1)
  decided = tf.cast(decide(limits, classes, scores), tf.int32)
  return tf.scatter_nd(
      tf.stack([rows, classes], axis=2), decided, tf.shape(predictions)) > 0


def score(model: Model, inputs: dict[str, Any]) -> dict[str, tf.Tensor]:
  """Scores a batch that may be empty with a model that does not support empty batches.

  Args:
    model: Model that scores the batch.
    inputs: Features and numbers of frames of the batch; see `Model`.

  Returns:
    The outputs of the model that signatures return.
  """
  rows = tf.size(inputs["num_frames"])
  # An empty batch is replaced by one blank video, whose row is removed again.
  inputs = tf.cond(rows > 0, lambda: inputs, lambda: _blank_video(inputs))
  outputs = model(inputs)
  return {name: outputs[name][:rows]
          for name in ("predictions", "members", "step_predictions") if name in outputs}


def _blank_video(inputs: dict[str, Any]) -> dict[str, Any]:
  """Returns inputs of the same kind for one video of one frame, all zeros."""
  return {
      "features": {name: tf.zeros([1] * (x.shape.rank - 1) + [x.shape[-1]], x.dtype)
                   for name, x in inputs["features"].items()},
      "num_frames": tf.ones([1], tf.int32)}


def checked_lengths(num_frames: tf.Tensor, given_frames: tf.Tensor,
                    max_frames: int) -> tf.Tensor:
  """Returns the numbers of frames, limited to `max_frames`.

  Args:
    num_frames: Number of frames of each video, (batch_size,).
    given_frames: Number of frames of the feature tensors, a scalar.
    max_frames: Number of frames that the model reads.

  Raises:
    tf.errors.InvalidArgumentError: A video has no frames, or more than were given.
  """
  check = tf.debugging.Assert(
      tf.reduce_all((num_frames >= 1) & (num_frames <= given_frames)),
      ["num_frames must be between 1 and the", given_frames, "frames given, is",
       num_frames])
  with tf.control_dependencies([check]):
    return tf.minimum(num_frames, max_frames)
