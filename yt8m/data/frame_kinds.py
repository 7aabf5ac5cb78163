# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Whether records hold the frames of a feature as floats or as bytes.

TensorFlow's parser must be told, and refuses a record of the other kind. So this module
looks at the encoding of the records, in a graph without Python, for SavedModels:

    SequenceExample            0A <context>  12 <feature lists>
    feature lists              0A <entry>  0A <entry> …
    entry                      0A <name>  12 <frames>
    frames                     0A <frame>  0A <frame> …
    frame                      0A <bytes_list>  or  12 <float_list>

Each `<…>` is a length, in digits of base 128 with the lowest first, and as many bytes.

Reference: protobuf.dev, "Encoding"; tensorflow/core/example/example.proto.
"""

from collections.abc import Callable
from collections.abc import Iterable

import tensorflow as tf

_FIRST, _SECOND = 0x0A, 0x12
_DIGITS = 5
_MAX_FIELDS = 1024  # that a search looks at, so that no record can take long

# Start and end of the content of a field of each record, (batch_size,) int64.
Span = tuple[tf.Tensor, tf.Tensor]


def hold_floats(serialized: tf.Tensor, names: Iterable[str]) -> dict[str, tf.Tensor]:
  """Returns whether the first frames of features are lists of floats.

  Args:
    serialized: `SequenceExample`s, (batch_size,) string. Any other content is no error.
    names: Names of the features.

  Returns:
    `{name: (batch_size,) bool}`, False for a record without frames of the feature.
  """
  end = tf.cast(tf.strings.length(serialized), tf.int64)
  lists = _find(serialized, (tf.zeros_like(end), end),
                lambda tag, content: tf.equal(tag, _SECOND))
  return {name: _holds_floats(serialized, lists, name) for name in names}


def _holds_floats(serialized: tf.Tensor, lists: Span, name: str) -> tf.Tensor:
  def is_named(tag, entry):
    key_tag, (start, stop) = _field(serialized, entry)
    key = tf.strings.substr(serialized, start, stop - start)
    return tf.equal(tag, _FIRST) & tf.equal(key_tag, _FIRST) & tf.equal(key, name)

  entry = _find(serialized, lists, is_named)
  _, key = _field(serialized, entry)
  _, frames = _field(serialized, (key[1], entry[1]))
  _, frame = _field(serialized, frames)
  kind, _ = _field(serialized, frame)
  return tf.equal(kind, _SECOND)


def _field(serialized: tf.Tensor, span: Span) -> tuple[tf.Tensor, Span]:
  """Returns tag and content of the first field in a span; 0 and its end without one."""
  start, end = span
  head = tf.io.decode_raw(
      tf.strings.substr(serialized, start, tf.minimum(end - start, 1 + _DIGITS)),
      tf.uint8, fixed_length=1 + _DIGITS)
  tag, digits = head[:, 0], tf.cast(head[:, 1:], tf.int64)
  counts = tf.math.cumprod(tf.cast(digits >= 128, tf.int64), axis=1, exclusive=True)
  scale = tf.constant([128**i for i in range(_DIGITS)], tf.int64)
  length = tf.reduce_sum(digits % 128 * scale * counts, axis=1)
  first = tf.minimum(start + 1 + tf.reduce_sum(counts, axis=1), end)
  return tag, (first, tf.minimum(first + length, end))


def _find(serialized: tf.Tensor, span: Span,
          matches: Callable[[tf.Tensor, Span], tf.Tensor]) -> Span:
  """Returns the content of the first field in a span that matches; its end if none."""
  end = span[1]

  def step(start, found):
    tag, content = _field(serialized, (start, end))
    found = matches(tag, content)
    return tf.where(found, start, content[1]), found

  start, found = tf.while_loop(
      lambda start, found: tf.reduce_any((start < end) & ~found), step,
      (span[0], tf.zeros_like(end, tf.bool)), maximum_iterations=_MAX_FIELDS)
  return _field(serialized, (tf.where(found, start, end), end))[1]
