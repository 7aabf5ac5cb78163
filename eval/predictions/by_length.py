# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of videos in batches of similar length, so that little padding is computed.

    window     batches of a reader, in the order of the records
    cut        batches of videos of similar length, each padded to a multiple of `STEP`
    scatter    the scores of every batch of the window, in the order of the records

Masks make this exact: the frames that are left out are padding, which changes no score
of an option of this library by more than rounding (1e-6). The cuts depend on the lengths
in the window alone, so the same records always have the same scores.
"""

import itertools
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.core import types
from yt8m.models import prediction

# Frames. Batches are padded to a multiple, so that few shapes are traced.
STEP = 25
# Batches whose videos are ordered by length together. Each takes 44 MB of bytes with 128
# videos of 300 frames. With the lengths of YouTube-8M, 14 % of the frames are left out;
# with eight batches it would be 18 %.
WINDOW = 4
# Videos that an evaluation predicts at a time.
BATCH_SIZE = 128
_ALIGNMENT = 64  # bytes, of the memory of tensors

Predict = Callable[[types.Batch], types.Scores]


def scores(predict: Predict, batches: Sequence[types.Batch], batch_size: int
           ) -> list[types.Scores]:
  """Returns the scores of each batch of a window, (rows, num_classes) float32.

  Args:
    predict: Function from `features` and `num_frames` of a batch to its scores.
    batches: Batches of a reader. Those without frames, or with few, are predicted as
      they are.
    batch_size: Largest number of videos that are predicted at a time.
  """
  if max(map(_width, batches), default=0) <= STEP:
    return [predict(prediction.model_inputs(batch)) for batch in batches]
  lengths = np.concatenate([batch["num_frames"] for batch in batches])
  order = np.argsort(lengths, kind="stable")
  found = [predict(_gathered(batches, order[rows], lengths[order[rows]]))
           for rows in cuts(len(lengths), batch_size)]
  together = tf.gather(tf.concat(found, axis=0), np.argsort(order))
  return tf.split(together, [len(batch["num_frames"]) for batch in batches])


def in_windows(predict: Predict, batches: Iterable[types.Batch], batch_size: int
               ) -> Iterator[tuple[types.Batch, types.Scores]]:
  """Yields every batch, without its features, with its scores.

  Args:
    predict: Function from `features` and `num_frames` of a batch to its scores.
    batches: Batches of a reader, of which `WINDOW` are held at a time.
    batch_size: Largest number of videos that are predicted at a time.
  """
  batches = iter(batches)
  while window := list(itertools.islice(batches, WINDOW)):
    found = scores(predict, window, batch_size)
    for batch in window:
      del batch["features"]  # Otherwise two windows would take memory.
    yield from zip(window, found, strict=True)


def applies(spec: feature_spec.FeatureSpec, allowed_code: Sequence[str]) -> bool:
  """Returns whether videos of similar length may be scored together.

  At video level they have no length. A class of the user's own may compute something
  that depends on the padding.

  Args:
    spec: Features of the model.
    allowed_code: Modules whose classes the model may use.
  """
  return not (spec.is_video_level or allowed_code)


def evaluation_function(model: Any, batch_size: int) -> Any:
  """Returns the function from a batch to its scores that an evaluation uses.

  It may be used again after other weights have been restored into the model. Like that
  of `compiled`, it has the attribute `functions`.

  Args:
    model: `VideoModel`.
    batch_size: Number of examples of the batches that will come.
  """
  predict = compiled(model, batch_size, BATCH_SIZE)
  call: Any = for_evaluation(predict, model.feature_spec)
  call.functions = predict.functions
  return call


def for_evaluation(predict: Predict, spec: feature_spec.FeatureSpec) -> Predict:
  """Returns a function that an evaluation uses in place of another one.

  Args:
    predict: Function from `features` and `num_frames` of a batch to its scores.
    spec: Features of the model.
  """
  if not applies(spec, registry.allowed_code()):
    return predict
  return lambda batch: scores(predict, [batch], BATCH_SIZE)[0]


def compiled(model: Any, *static_rows: int) -> Any:
  """Compiles the function from a batch to the scores of a model at inference.

  TensorFlow runs graphs whose shapes are known up to a third faster. So there is one for
  each width of full batches, `max_frames / STEP` of them, and another for all batches
  with another number of rows, such as the last of a file.

  Args:
    model: `VideoModel`.
    *static_rows: Numbers of rows of full batches.

  Returns:
    The function. Its attribute `functions` holds the two `tf.function`s, whose traces
    can be counted.
  """
  def predict(inputs):
    return model(inputs, training=False)["predictions"]

  static = tf.function(predict)
  of_any_shape = tf.function(
      predict, input_signature=[prediction.input_signature(model.feature_spec)])

  def call(batch: types.Batch) -> types.Scores:
    inputs = prediction.model_inputs(batch)
    if len(inputs["num_frames"]) in static_rows:
      return static(inputs)
    return of_any_shape(inputs)

  call.functions = static, of_any_shape
  return call


def _width(batch: types.Batch) -> int:
  """Returns the number of frames of a batch with its padding; 0 if it has no frames."""
  shapes = [x.shape for x in batch["features"].values()]
  return max(shape[1] for shape in shapes) if len(shapes[0]) == 3 else 0


def cuts(num_videos: int, batch_size: int) -> Iterator[slice]:
  """Yields slices of `batch_size` videos; the first may be smaller.

  >>> from yt8m.eval.predictions import by_length
  >>> list(by_length.cuts(5, 2))
  [slice(0, 1, None), slice(1, 3, None), slice(3, 5, None)]
  """
  first = num_videos % batch_size
  if first:
    yield slice(0, first)
  for start in range(first, num_videos, batch_size):
    yield slice(start, start + batch_size)


def _gathered(batches, rows, lengths):
  """Returns the inputs of a model for rows of the joined batches, in this order."""
  # A reader may pad to less than the next multiple.
  width = min(-(-int(lengths.max()) // STEP) * STEP, max(map(_width, batches)))
  starts = np.cumsum([0, *(len(batch["num_frames"]) for batch in batches)])
  features = {}
  for name, first in batches[0]["features"].items():
    joined = _aligned((len(rows), width, first.shape[2]), first.dtype.as_numpy_dtype)
    arrays = [np.asarray(batch["features"][name]) for batch in batches]
    for place, (row, length) in enumerate(zip(rows, lengths, strict=True)):
      number = np.searchsorted(starts, row, side="right") - 1
      joined[place, :length] = arrays[number][row - starts[number], :length]
      joined[place, length:] = 0
    # Other ways to make a tensor of an array copy it once more.
    features[name] = tf.experimental.dlpack.from_dlpack(joined.__dlpack__())
  return {"features": features, "num_frames": tf.constant(lengths, tf.int32)}


def _aligned(shape, dtype):
  """Returns a new array in memory that TensorFlow can use as it is."""
  num_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
  memory = np.empty(num_bytes + _ALIGNMENT, np.uint8)
  start = -memory.ctypes.data % _ALIGNMENT
  return memory[start:start + num_bytes].view(dtype).reshape(shape)
