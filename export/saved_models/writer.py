# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A model as a SavedModel, for servers that have TensorFlow but not this package.

    saved_model.pb, variables/     the graph, and every weight once
    assets/feature_spec.json       the features that the model reads
    assets/vocabulary.csv          the names of the classes, if given
    assets/thresholds.json         the thresholds of the classes, if given
    assets.extra/config.json       the `Experiment`, for our own tools
    assets.extra/weights.json      the format of the weights (`compression`)
    assets.extra/identity.json     what thresholds name the model by (`identity`)
    assets.extra/MODEL_CARD.md     a description for people (`model_card`)
    assets.extra/tf_serving_warmup_requests    if requested (`warmup`)
    manifest.json                  the SHA-256 of all these files (`manifest`)

For its signatures see `signatures.py`.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2

from yt8m import models
from yt8m.artifacts import identity as identities
from yt8m.artifacts import manifest
from yt8m.artifacts import saved_model
from yt8m.artifacts import thresholds
from yt8m.artifacts.thresholds import Thresholds
from yt8m.configs import experiment
from yt8m.core import directories
from yt8m.core import files
from yt8m.core import temporaries
from yt8m.core import vocabulary
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.saved_models import compression
from yt8m.export.saved_models import model_card
from yt8m.export.saved_models import signatures
from yt8m.export.saved_models import warmup
from yt8m.export.saved_models.origin import Origin
from yt8m.models.layers import recurrent
from yt8m.models.layers import variables

EXTRA = manifest.EXTRA
MakeSignatures = Callable[
    [saved_model.Contract, signatures.Model, int | None, Vocabulary | None,
     Thresholds | None],
    signatures.Signatures]

# Earlier versions wrote no manifest.
_WITHOUT_MANIFEST = directories.Kind(
    manifest.SAVED_MODEL.name, f"assets/{saved_model.DESCRIPTION}", manifest.CONTENTS)


def save(config: experiment.Experiment, model: models.VideoModel, output_dir: str, *,
         top_k: int | None = None, names: Vocabulary | None = None,
         limits: Thresholds | None = None, overwrite: bool = False,
         weight_format: str = "float32", warmup_requests: int = 0,
         origin: Origin | None = None, identity: identities.Identity | None = None,
         earlier: str | None = None,
         make_signatures: MakeSignatures = signatures.make) -> signatures.Signatures:
  """Writes a model as a SavedModel, completely or not at all.

  Args:
    config: Configuration of the model.
    model: Model with its variables.
    output_dir: Path of the SavedModel, which must not exist or be empty.
    top_k: Number of classes that `serving_default` returns; None means 20, or all.
    names: Names of the classes, which become an asset and an output.
    limits: Thresholds of the classes, which become an asset and an output.
    overwrite: Whether a SavedModel of ours at `output_dir` is replaced.
    weight_format: One of `compression.WEIGHT_FORMATS`.
    warmup_requests: Number of stored warm-up requests; see `warmup.write`.
    origin: Origin of the weights, for the model card; None if they are random.
    identity: Identity of the checkpoint; None if there is none.
    earlier: Path of a SavedModel; if it is the same one, no other is written.
    make_signatures: Function that traces the signatures.

  Returns:
    The signatures of the SavedModel.

  Raises:
    ValueError: `top_k` or `warmup_requests` is out of range, or the weights cannot be
      stored in that format.
    FileExistsError: There is something at `output_dir` that must stay.
  """
  warmup.check(warmup_requests)
  # A model that was trained on segments, too, is served for whole videos.
  contract = saved_model.Contract(config.feature_spec.with_segment_labels(False),
                                  config.max_frames, config.num_classes)
  with new_directory(output_dir, overwrite, earlier) as directory:
    call, stored = compression.compress(model, weight_format)
    with recurrent.portable():  # cuDNN would tie the graph to GPUs
      traced = write(directory, contract, call, stored, top_k, names, limits,
                     make_signatures=make_signatures)
    extra = os.path.join(directory, EXTRA)
    config.save(extra)
    compression.save_format(extra, weight_format)
    finish(directory, contract, warmup_requests, model_card.of_model(
        directory, contract, traced, config, model, weight_format, origin=origin,
        names=names, limits=limits), identity)
  return traced


def new_directory(output_dir: str, overwrite: bool, earlier: str | None = None
                  ) -> contextlib.AbstractContextManager[str]:
  """Returns a context that yields a directory, which becomes `output_dir` at its end.

  Args:
    output_dir: Path of the SavedModel, which must not exist or be empty.
    overwrite: Whether a SavedModel of ours at `output_dir` is replaced.
    earlier: Path of a SavedModel; if it is the same one, no other is written.

  Raises:
    FileExistsError: There is something at `output_dir` that must stay.
  """
  if not files.is_remote(output_dir):
    # A killed process may have renamed away the one that is looked for here.
    temporaries.sweep(os.path.realpath(output_dir))
  has_manifest = tf.io.gfile.exists(os.path.join(output_dir, manifest.NAME))
  return directories.atomic_directory(
      output_dir, overwrite=overwrite, earlier=earlier,
      owned=manifest.SAVED_MODEL if has_manifest else _WITHOUT_MANIFEST,
      remedy="choose another --output_dir, or add --overwrite")


def write(directory: str, contract: saved_model.Contract, model: signatures.Model,
          weights: Sequence[tf.Variable], top_k: int | None, names: Vocabulary | None,
          limits: Thresholds | None = None, *,
          make_signatures: MakeSignatures = signatures.make) -> signatures.Signatures:
  """Writes graph, weights and assets into a directory, and creates its `assets.extra`.

  Args:
    directory: Path of an empty directory.
    contract: Features, number of frames and number of classes of the model.
    model: Model to trace; see `signatures.make`.
    weights: All variables that the model reads.
    top_k: Number of classes that `serving_default` returns; None means 20, or all.
    names: Names of the classes, which become an asset and an output.
    limits: Thresholds of the classes, which become an asset and an output.
    make_signatures: Function that traces the signatures.

  Raises:
    ValueError: `top_k` is out of range.
  """
  module: Any = tf.Module()
  # Only the variables: TensorFlow would store those of a Keras model a second time.
  module.weights = weights
  traced = make_signatures(contract, model, top_k, names, limits)
  with temporaries.scratch(purpose="yt8m-assets") as temporary:
    assets = [contract.save(temporary)]
    if names:
      assets.append(os.path.join(temporary, vocabulary.FILE))
      names.write(assets[-1])
    if limits:
      assets.append(os.path.join(temporary, thresholds.FILE))
      limits.write(assets[-1])
    module.assets = list(map(tf.saved_model.Asset, assets))
    tf.saved_model.save(
        module, directory, traced,
        # Servers need no gradients, and loading them logs warnings.
        tf.saved_model.SaveOptions(experimental_custom_gradients=False))
  _make_reproducible(directory)
  tf.io.gfile.makedirs(os.path.join(directory, EXTRA))
  return traced


def _make_reproducible(directory: str) -> None:
  """Gives a SavedModel the same bytes each time: TensorFlow adds a random identifier."""
  path = os.path.join(directory, "fingerprint.pb")
  fields = fingerprint_pb2.FingerprintDef.DESCRIPTOR.fields_by_name
  if "uuid" not in fields or not tf.io.gfile.exists(path):  # as in TensorFlow 2.15
    return
  with files.open_to_read(path, "rb") as file:
    fingerprint: Any = fingerprint_pb2.FingerprintDef.FromString(file.read())
  fingerprint.uuid = ""
  digest = hashlib.sha256(fingerprint.SerializeToString(deterministic=True)).hexdigest()
  fingerprint.uuid = str(int(digest[:32], 16))
  with files.atomic_write(path, "wb") as file:
    file.write(fingerprint.SerializeToString(deterministic=True))


def finish(directory: str, contract: saved_model.Contract, warmup_requests: int,
           card: str, identity: identities.Identity | None) -> None:
  """Adds warm-up requests, identity, model card, and last the manifest to a SavedModel.

  Args:
    directory: Path of the SavedModel, complete but for these.
    contract: Features, number of frames and number of classes of the model.
    warmup_requests: Number of stored warm-up requests; see `warmup.write`.
    card: Text of the model card.
    identity: Identity of the model; None for one without a checkpoint, whose identity is
      its fingerprint.
  """
  warmup.write(directory, contract, warmup_requests)
  with files.atomic_write(os.path.join(directory, model_card.NAME)) as file:
    file.write(card)
  if identity:
    identities.save(directory, identity)
  manifest.write(directory)


def bytes_of_weights(model: models.VideoModel) -> int:
  """Returns the number of bytes of a model's weights, uncompressed."""
  return sum(v.shape.num_elements() * v.dtype.size
             for v in map(variables.tf_variable, model.weights))
