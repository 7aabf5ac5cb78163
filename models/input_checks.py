# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a model is given is compared with what it reads, before anything is computed.

Some mistakes would go unnoticed otherwise: features whose sizes are swapped have the
right sum, and one number of frames broadcasts over the batch.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.core import types


def checked(inputs: Any, spec: feature_spec.FeatureSpec
            ) -> tuple[types.Features, tf.Tensor | None]:
  """Returns the features and numbers of frames of a batch, with the rank of the spec.

  Args:
    inputs: Inputs of a `VideoModel`.
    spec: Features that the model reads.

  Returns:
    The features by name, and the numbers of frames, None for video-level features. What
    has no shape yet is checked when the model runs. Names are not checked.

  Raises:
    ValueError: An entry is missing, or a shape or a type is another one.
  """
  dims = "(batch_size, size)" if spec.is_video_level else "(batch_size, num_frames, size)"
  if not (isinstance(inputs, Mapping) and isinstance(inputs.get("features"), Mapping)
          and (spec.is_video_level or "num_frames" in inputs)):
    frames = "" if spec.is_video_level else ", 'num_frames': (batch_size,)"
    given = sorted(inputs) if isinstance(inputs, Mapping) else type(inputs).__name__
    raise ValueError(f"This model takes {{'features': {{name: {dims}}}{frames}}}, but "
                     f"was given {given}.")
  features = dict(inputs["features"])
  num_frames = None if spec.is_video_level else inputs["num_frames"]
  rank, rows = dims.count(",") + 1, tf.TensorShape([None])
  if num_frames is not None:
    num_frames = tf.ensure_shape(num_frames, [None]) if (
        num_frames.shape.rank is None) else num_frames
    if num_frames.shape.rank != 1:
      raise ValueError(f"num_frames has the shape {tuple(num_frames.shape)}, but must be "
                       "(batch_size,): one number for each video.")
    rows = num_frames.shape
  first = tf.TensorShape([*rows, *[None] * (rank - 2)])
  for name, size in zip(spec.names, spec.sizes, strict=True):
    x = features.get(name)
    if x is None:  # `InputFeatures` names it.
      continue
    if x.dtype.is_integer and x.dtype != tf.uint8:
      raise ValueError(f"The feature {name!r} is {x.dtype.name}: give uint8 for 8-bit "
                       "numbers, which the model dequantises, or floats.")
    if x.shape.rank is None:
      features[name] = x = tf.ensure_shape(x, [None] * (rank - 1) + [size])
    if x.shape.rank != rank:
      raise ValueError(
          f"The feature {name!r} has the shape {tuple(x.shape)}, but this model reads "
          f"{spec.level}-level features of rank {rank}: {dims}.")
    if not tf.TensorShape([size]).is_compatible_with(x.shape[-1:]):
      raise ValueError(f"The feature {name!r} has {x.shape[-1]} values, but this model "
                       f"reads {size} ({dims}).")
    if not first.is_compatible_with(x.shape[:-1]):
      raise ValueError(
          f"The feature {name!r} has the shape {tuple(x.shape)}, but num_frames or "
          f"another feature asks for {tuple(first)} in front: all features have the same "
          "videos, padded to the same number of frames.")
    first = first.merge_with(x.shape[:-1])
  return features, num_frames
