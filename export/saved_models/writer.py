# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A model as a SavedModel, for servers that have TensorFlow and not this package.

    saved_model.pb, variables/     the graph, and every weight once
    assets/feature_spec.json       what `predict_features` takes
    assets/<vocabulary>.csv        the names of the classes, if there is one
    assets.extra/config.json       the `Experiment`, for our own tools
    assets.extra/weights.json      how the weights are stored (`compression`)
    assets.extra/MODEL_CARD.md     what it is, for people (`model_card`)
    assets.extra/tf_serving_warmup_requests    if asked for (`warmup`)
    manifest.json                  the SHA-256 of each of these files (`manifest`)

Its signatures: `signatures.py`.
"""

import os
import tempfile

import tensorflow as tf

from yt8m.artifacts import manifest
from yt8m.artifacts.saved_model import Served
from yt8m.core import directories
from yt8m.export.saved_models import compression
from yt8m.export.saved_models import model_card
from yt8m.export.saved_models import signatures
from yt8m.export.saved_models import warmup
from yt8m.models.layers import recurrent
from yt8m.models.layers import variables

EXTRA = "assets.extra"
EXISTS = "choose another --output_dir, or add --overwrite"


def save(trained, model, output_dir, top_k=20, vocabulary=None, overwrite=False,
         weight_format="float32", warmup_requests=0, origin=None,
         make_signatures=signatures.make):
  """Writes a model as a SavedModel, as a whole or not at all.

  Args:
    trained: `Experiment`, says which features and how many frames the model reads.
    model: its `VideoModel`.
    output_dir: must not exist, or be empty.
    top_k: classes that `serving_default` returns.
    vocabulary: path of a file with the names of the classes, taken along as an asset.
    overwrite: replaces what is at `output_dir`.
    weight_format: one of `compression.WEIGHT_FORMATS`.
    warmup_requests: how many to `serving_default` are stored, see `warmup.write`.
    origin: `Origin` of the weights, for the model card; None: they are random.
    make_signatures: `signatures.make`, or another function of its arguments and result.

  Returns:
    `{signature: tf.types.experimental.ConcreteFunction}`.

  Raises:
    ValueError: `top_k` or `warmup_requests` is out of range, or the weights cannot be
      stored like that.
    FileNotFoundError: there is no file `vocabulary`.
    FileExistsError: `output_dir` has files in it.
  """
  warmup.check(warmup_requests)
  # Whole videos are served, also where segments were trained on.
  served = Served(trained.feature_spec.with_segment_labels(False), trained.max_frames,
                  trained.num_classes)
  with directories.atomic_directory(
      output_dir, overwrite=overwrite, owned=manifest.SAVED_MODEL,
      remedy=EXISTS) as directory:
    call, stored = compression.compress(model, weight_format)
    with recurrent.portable():  # cuDNN would tie the graph to GPUs
      traced = write(
          directory, served, call, stored, top_k, vocabulary, make_signatures)
    extra = os.path.join(directory, EXTRA)
    trained.save(extra)
    compression.save_format(extra, weight_format)
    warmup.write(directory, served, warmup_requests)
    model_card.write(directory, model_card.of_model(
        directory, served, traced, trained, model, weight_format, origin))
    manifest.write(directory)
  return traced


def write(directory, served, model, weights, top_k=20, vocabulary=None,
          make_signatures=signatures.make):
  """Writes graph, weights and assets into a directory, and makes its `assets.extra`.

  Args:
    directory: exists, and is empty.
    served, model, top_k: see `signatures.make`.
    weights: every `tf.Variable` that the model reads.
    vocabulary, make_signatures: see `save`; as are result and errors.
  """
  if vocabulary and not tf.io.gfile.exists(vocabulary):
    raise FileNotFoundError(f"--vocabulary={vocabulary} does not exist.")
  module = tf.Module()
  # Only the values: of a Keras model TensorFlow would store them a second time.
  module.weights = weights
  traced = make_signatures(served, model, top_k)
  with tempfile.TemporaryDirectory() as temporary:
    module.assets = [tf.saved_model.Asset(path)
                     for path in (served.save(temporary), vocabulary) if path]
    tf.saved_model.save(
        module, directory, traced,
        # Gradients are of no use to a server, and loading them is noisy.
        tf.saved_model.SaveOptions(experimental_custom_gradients=False))
  tf.io.gfile.makedirs(os.path.join(directory, EXTRA))
  return traced


def bytes_of_weights(model):
  """Bytes of the values of a model's weights, uncompressed."""
  return sum(v.shape.num_elements() * v.dtype.size
             for v in map(variables.tf_variable, model.weights))
