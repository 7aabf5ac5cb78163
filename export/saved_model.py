# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A model as a SavedModel, for servers that have TensorFlow and not this package.

    saved_model.pb, variables/     the graph, and every weight once
    assets/feature_spec.json       what `predict_features` takes
    assets/<vocabulary>.csv        the names of the classes, if there is one
    assets.extra/config.json       the `Experiment`, for our own tools

Its signatures, for a batch of B videos, C classes and the top k of them:

    serving_default    example_bytes (B,) -> video_id (B,), class_indexes (B, k) int32,
                       predictions (B, k), best first
    predict_full       example_bytes (B,) -> video_id (B,), predictions (B, C)
    predict_features   <feature> (B, T, size) uint8 of every feature, num_frames (B,)
                       int32; at video level <feature> (B, size) float32 alone
                       -> predictions (B, C)
    predict_steps      the same and num_steps () int32 -> predictions (B, C) after so many
                       steps of a classifier that works in steps (`conditional`); from 1
                       to the number of steps that it was exported with

`example_bytes` are records as the readers read them; labels need not be in them. At
frame level every output of `serving_default` has an axis of 1 after the first, as the
starter code's export has. B may be 0. A bad record fails its batch, and only that.

Reference: YouTube-8M starter code, `export_model.py`.
"""

import contextlib
import json
import os
import tempfile

import tensorflow as tf

from yt8m import files
from yt8m import frame_reader
from yt8m import video_reader
from yt8m.models.layers import recurrent
from yt8m.models.layers import variables


def save(trained, model, output_dir, top_k=20, vocabulary=None, overwrite=False):
  """Writes a model as a SavedModel, as a whole or not at all.

  Args:
    trained: `Experiment`, says which features and how many frames the model reads.
    model: its `VideoModel`.
    output_dir: must not exist, or be empty.
    top_k: classes that `serving_default` returns.
    vocabulary: path of a file with the names of the classes, taken along as an asset.
    overwrite: replaces what is at `output_dir`.

  Returns:
    `{signature: tf.types.experimental.ConcreteFunction}`.

  Raises:
    ValueError: `top_k` is out of range.
    FileNotFoundError: there is no file `vocabulary`.
    FileExistsError: `output_dir` has files in it.
  """
  if not 1 <= top_k <= trained.num_classes:
    raise ValueError(f"--top_k={top_k} must be between 1 and the number of classes, "
                     f"{trained.num_classes}.")
  if vocabulary and not tf.io.gfile.exists(vocabulary):
    raise FileNotFoundError(f"--vocabulary={vocabulary} does not exist.")
  with contextlib.ExitStack() as stack:
    directory = stack.enter_context(files.atomic_directory(
        output_dir, overwrite, "choose another --output_dir, or add --overwrite"))
    module = tf.Module()
    # Only the values: of a Keras model TensorFlow would store them a second time.
    module.weights = [variables.tf_variable(v) for v in model.weights]
    description = os.path.join(
        stack.enter_context(tempfile.TemporaryDirectory()), "feature_spec.json")
    with open(description, "w") as file:
      json.dump({**_feature_spec(trained).to_config(), "max_frames": trained.max_frames,
                 "num_classes": trained.num_classes}, file, indent=2)
    module.assets = [tf.saved_model.Asset(path)
                     for path in (description, vocabulary) if path]
    with recurrent.portable():  # cuDNN would tie the graph to GPUs
      signatures = make_signatures(trained, model, top_k)
    tf.saved_model.save(
        module, directory, signatures,
        # Gradients are of no use to a server, and loading them is noisy.
        tf.saved_model.SaveOptions(experimental_custom_gradients=False))
    extra = os.path.join(directory, "assets.extra")
    tf.io.gfile.makedirs(extra)
    trained.save(extra)
  return signatures


def make_signatures(trained, model, top_k):
  """Traces the signatures; arguments and result as of `save`."""
  spec = _feature_spec(trained)
  if spec.is_video_level:
    reader = video_reader.VideoLevelReader(spec, trained.num_classes)
    frames, dtype = (), tf.float32
  else:
    reader = frame_reader.FrameLevelReader(
        spec, trained.num_classes, trained.max_frames, pad_to_max_frames=False)
    frames, dtype = (None,), tf.uint8
  features = {name: tf.TensorSpec([None, *frames, size], dtype, name)
              for name, size in zip(spec.names, spec.sizes, strict=True)}
  num_frames = tf.TensorSpec([None], tf.int32, "num_frames")
  example_bytes = tf.TensorSpec([None], tf.string, "example_bytes")

  # One function, so that the graph of the model is in the file once.
  @tf.function(input_signature=[{"features": features, "num_frames": num_frames}])
  def score(inputs):
    rows = tf.size(inputs["num_frames"])
    # No layer need expect an empty batch: it becomes one blank video, left out again.
    inputs = tf.cond(rows > 0, lambda: inputs, lambda: _blank_video(inputs))
    outputs = model(inputs, training=False)
    return {name: outputs[name][:rows] for name in ("predictions", "step_predictions")
            if name in outputs}

  def score_records(example_bytes):
    batch = reader.parse_batch(example_bytes)
    outputs = score({name: batch[name] for name in ("features", "num_frames")})
    return batch["id"], outputs["predictions"]

  @tf.function(input_signature=[example_bytes])
  def serving_default(example_bytes):
    ids, predictions = score_records(example_bytes)
    predictions, classes = tf.math.top_k(predictions, top_k)
    outputs = {"video_id": ids, "class_indexes": classes, "predictions": predictions}
    if spec.is_video_level:
      return outputs
    return {name: tf.expand_dims(output, 1) for name, output in outputs.items()}

  @tf.function(input_signature=[example_bytes])
  def predict_full(example_bytes):
    ids, predictions = score_records(example_bytes)
    return {"video_id": ids, "predictions": predictions}

  def score_features(inputs):
    xs = {name: inputs[name] for name in spec.names}
    if spec.is_video_level:
      lengths = tf.ones([tf.shape(xs[spec.names[0]])[0]], tf.int32)
    else:
      # As records are cut: the first `max_frames` frames.
      xs = {name: x[:, :trained.max_frames] for name, x in xs.items()}
      lengths = _checked_lengths(
          inputs["num_frames"], tf.shape(inputs[spec.names[0]])[1], trained.max_frames)
    return score({"features": xs, "num_frames": lengths})

  @tf.function
  def predict_features(**inputs):
    return {"predictions": score_features(inputs)["predictions"]}

  @tf.function
  def predict_steps(num_steps, **inputs):
    steps = score_features(inputs)["step_predictions"]
    tf.debugging.Assert(
        (num_steps >= 1) & (num_steps <= tf.shape(steps)[1]),
        ["num_steps must be from 1 to", tf.shape(steps)[1], "is", num_steps])
    return {"predictions": steps[:, num_steps - 1]}

  arrays = {**features, **({} if spec.is_video_level else {"num_frames": num_frames})}
  signatures = {"serving_default": serving_default.get_concrete_function(),
                "predict_full": predict_full.get_concrete_function(),
                "predict_features": predict_features.get_concrete_function(**arrays)}
  if "step_predictions" in score.get_concrete_function().structured_outputs:
    signatures["predict_steps"] = predict_steps.get_concrete_function(
        num_steps=tf.TensorSpec([], tf.int32, "num_steps"), **arrays)
  return signatures


def bytes_on_disk(directory):
  """Bytes of all files below a directory."""
  return sum(tf.io.gfile.stat(os.path.join(folder, name)).length
             for folder, _, names in tf.io.gfile.walk(directory) for name in names)


def bytes_of_weights(model):
  """Bytes of the values of a model's weights."""
  return sum(v.shape.num_elements() * v.dtype.size
             for v in map(variables.tf_variable, model.weights))


def _feature_spec(trained):
  """Of what is served: whole videos, also where segments were trained on."""
  return trained.feature_spec.with_segment_labels(False)


def _blank_video(inputs):
  """Inputs of the same kind: one video of one frame, all zeros."""
  return {
      "features": {name: tf.zeros([1] * (x.shape.rank - 1) + [x.shape[-1]], x.dtype)
                   for name, x in inputs["features"].items()},
      "num_frames": tf.ones([1], tf.int32)}


def _checked_lengths(num_frames, given_frames, max_frames):
  """Returns `num_frames`, cut to `max_frames`.

  Raises:
    tf.errors.InvalidArgumentError: a video has no frames, or more than were given.
  """
  check = tf.debugging.Assert(
      tf.reduce_all((num_frames >= 1) & (num_frames <= given_frames)),
      ["num_frames must be between 1 and the", given_frames, "frames given, is",
       num_frames])
  with tf.control_dependencies([check]):
    return tf.minimum(num_frames, max_frames)
