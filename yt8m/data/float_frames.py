# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames of floats, such as embeddings of other models, from records to arrays.

A frame is a byte string of the little-endian values, or a list of floats; a record may
hold either. 8-bit frames need none of this: see `frame_reader`.
"""

import dataclasses

import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.data import frame_kinds

# Type of the same number of bytes, because TensorFlow pads no strings of float16.
_DECODED = {tf.float16: tf.uint16, tf.float32: tf.float32}


@dataclasses.dataclass(frozen=True)
class FloatFrames:
  """Frames of one feature of a batch.

  Attributes:
    values: Frames, (batch_size, num_frames, size) float16 or float32; 0 after the last.
    counts: Number of frames of each record, (batch_size,) int32.
    good: Whether all frames of a record have the right size and are finite,
      (batch_size,) bool.
  """
  values: tf.Tensor
  counts: tf.Tensor
  good: tf.Tensor


def parse(serialized: tf.Tensor, names: tf.Tensor, spec: feature_spec.FeatureSpec
          ) -> dict[str, FloatFrames]:
  """Parses the float features of records, whichever way each record holds each of them.

  Args:
    serialized: `SequenceExample`s, (batch_size,) string.
    names: Names of the records in errors, (batch_size,) string.
    spec: Features, of which those of 8-bit numbers are left out.

  Raises:
    tf.errors.InvalidArgumentError: A record has frames of two kinds, or of neither.
  """
  features = {name: (size, dtype) for name, size, dtype in zip(
      spec.names, spec.sizes, spec.dtypes, strict=True) if dtype != feature_spec.UINT8}
  if not features:
    return {}
  hold_floats = frame_kinds.hold_floats(serialized, features)
  return {name: _parse(serialized, names, hold_floats[name], name, size,
                       tf.as_dtype(dtype))
          for name, (size, dtype) in features.items()}


def _parse(serialized, names, hold_floats, feature, size, dtype):
  # An empty string is a record without frames, and takes no time.
  values, counts, good = _parse_bytes(
      tf.where(hold_floats, "", serialized), names, feature, size, dtype)
  others, more_counts, more_good = _parse_floats(
      tf.where(hold_floats, serialized, ""), names, feature, size, dtype)
  length = tf.maximum(tf.shape(values)[1], tf.shape(others)[1])
  values, others = (tf.pad(x, tf.convert_to_tensor(
      [[0, 0], [0, length - tf.shape(x)[1]], [0, 0]])) for x in (values, others))
  values = tf.where(hold_floats[:, tf.newaxis, tf.newaxis], others, values)
  good &= more_good & tf.reduce_all(tf.math.is_finite(values), axis=[1, 2])
  return FloatFrames(tf.ensure_shape(values, [serialized.shape[0], None, size]),
                     counts + more_counts, good)


def _parse_bytes(serialized, names, feature, size, dtype):
  _, lists, lengths = tf.io.parse_sequence_example(
      serialized, sequence_features={
          feature: tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True)},
      example_names=names)
  strings, counts = lists[feature], tf.cast(lengths[feature], tf.int32)
  num_bytes = size * dtype.size
  exists = tf.sequence_mask(counts, tf.shape(strings)[1])
  good = tf.reduce_all(tf.equal(
      tf.strings.length(strings), tf.where(exists, num_bytes, 0)), axis=1)
  decoded = tf.io.decode_raw(strings, _DECODED[dtype], fixed_length=num_bytes)
  return tf.bitcast(decoded, dtype), counts, good


def _parse_floats(serialized, names, feature, size, dtype):
  _, lists, _ = tf.io.parse_sequence_example(
      serialized, sequence_features={feature: tf.io.RaggedFeature(tf.float32)},
      example_names=names)
  frames, sizes = lists[feature].values, lists[feature].values.row_lengths()
  fits = tf.equal(sizes, size)
  values = tf.cond(
      tf.reduce_all(fits), lambda: tf.reshape(frames.flat_values, [-1, size]),
      lambda: frames.to_tensor(shape=[None, size]))
  rows = lists[feature].with_values(tf.cast(values, dtype))
  return (rows.to_tensor(shape=[None, None, size]),
          tf.cast(rows.row_lengths(), tf.int32),
          tf.reduce_all(lists[feature].with_values(fits), axis=1))
