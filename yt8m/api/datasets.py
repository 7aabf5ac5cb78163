# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Records as datasets for `fit`, `evaluate` and `predict` of Keras.

    train = yt8m.datasets.frame_level(
        "frame/train*.tfrecord", {"rgb": 1024, "audio": 128}, num_classes=3862,
        shuffle=True)
    model.fit(train, epochs=5)
"""

import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.core import paths
from yt8m.core import types
from yt8m.data import framing
from yt8m.data import readers
from yt8m.synthetic import writer

BATCH_SIZE = 128
# Bytes of the records up to which they are counted before they are read.
_LARGEST_COUNTED = 2**34

Size = feature_spec.Size


def video_level(pattern: types.PathLike, features: Mapping[str, Size],
                num_classes: int, batch_size: int = BATCH_SIZE, *, shuffle: bool = False,
                seed: int = 0, with_ids: bool = False, **options: Any) -> tf.data.Dataset:
  """Reads video-level records: one vector of floats for each feature.

  Args:
    pattern: Comma-separated globs of TFRecord files, compressed or not.
    features: Size of each feature by its key in the records, for example
      `{"mean_rgb": 1024, "mean_audio": 128}`.
    num_classes: Number of classes, C.
    batch_size: Number of videos in a batch.
    shuffle: Whether files and records are shuffled, in another way in each epoch. If
      not, one file is read after the other.
    seed: Seed of these orders.
    with_ids: Whether the inputs hold the ids of the videos as `"id"`. TPUs take no texts.
    **options: Further arguments of `Reader.dataset`, such as `skip_bad_records`.

  Returns:
    A dataset of `(inputs, labels)`. The inputs are `{"features": {name: (batch_size,
    size) float32}, "num_frames": (batch_size,) int32}`, the labels (batch_size,
    num_classes) bool.

  Raises:
    ValueError: No file matches, or a feature is missing in the records.
  """
  return _dataset(pattern, features, feature_spec.VIDEO, num_classes, batch_size,
                  shuffle, seed, with_ids, {}, options)


def frame_level(pattern: types.PathLike, features: Mapping[str, Size],
                num_classes: int, batch_size: int = BATCH_SIZE, *, max_frames: int = 300,
                shuffle: bool = False, seed: int = 0, with_ids: bool = False,
                **options: Any) -> tf.data.Dataset:
  """Reads frame-level records: one vector for each frame and feature.

  Args:
    pattern: Comma-separated globs of TFRecord files, compressed or not.
    features: Size of each feature by its key in the records, for example
      `{"rgb": 1024, "audio": 128}`, or size and type of values that are not 8-bit
      numbers: `{"clip": (512, "float16")}`.
    num_classes: Number of classes, C.
    batch_size: Number of videos in a batch.
    max_frames: Number of frames that are read from the start of a video, and to which
      the features are padded.
    shuffle: Whether files and records are shuffled, in another way in each epoch. If
      not, one file is read after the other.
    seed: Seed of these orders.
    with_ids: Whether the inputs hold the ids of the videos as `"id"`. TPUs take no texts.
    **options: Further arguments of `Reader.dataset`, such as `skip_bad_records`.

  Returns:
    A dataset of `(inputs, labels)`. The inputs are `{"features": {name: (batch_size,
    max_frames, size)}, "num_frames": (batch_size,) int32}`, the labels (batch_size,
    num_classes) bool.

  Raises:
    ValueError: No file matches, or a feature is missing in the records.
  """
  return _dataset(pattern, features, feature_spec.FRAME, num_classes, batch_size,
                  shuffle, seed, with_ids, {"max_frames": max_frames}, options)


def segments(pattern: types.PathLike, features: Mapping[str, Size],
             num_classes: int, batch_size: int = BATCH_SIZE, *, max_frames: int = 300,
             shuffle: bool = False, seed: int = 0, with_ids: bool = False,
             **options: Any) -> tf.data.Dataset:
  """Reads the rated segments of frame-level records, five frames each.

  The arguments are those of `frame_level`.

  Returns:
    A dataset of `(inputs, labels, weights)`: inputs as those of `frame_level`, scores of
    the raters and whether a class was rated, both (batch_size, num_classes) float32.

  Raises:
    ValueError: No file matches, or a feature is missing in the records.
  """
  return _dataset(pattern, features, feature_spec.SEGMENT, num_classes, batch_size,
                  shuffle, seed, with_ids, {"max_frames": max_frames}, options)


def write_sample(directory: types.PathLike, *, overwrite: bool = False, **config: Any
                 ) -> None:
  """Writes a synthetic data set, as `yt8m-sample-data` does.

  The records are in `<directory>/video` and `<directory>/frame`, in files that begin with
  `train`, `validate` and `test`; see docs/sample_data.md.

  Args:
    directory: Path of the data set, which must not exist.
    overwrite: Whether an earlier sample data set is replaced.
    **config: Fields of `SampleDataConfig`, such as `num_videos` and `num_classes`.
  """
  writer.write(writer.SampleDataConfig(**config), os.fspath(directory), overwrite)


def as_batch(element: Any) -> types.Batch:
  """Returns an element of a dataset as the dictionary of `Reader.dataset`.

  Args:
    element: Such a dictionary, or `(inputs, labels)`, or `(inputs, labels, weights)`.
  """
  inputs, labels, weights = tf.keras.utils.unpack_x_y_sample_weight(element)
  batch = dict(inputs)
  if labels is not None:
    batch["labels"] = labels
  if weights is not None:
    batch["label_weights"] = weights
  return batch


def labeled(elements: Iterable[Any], num_classes: int) -> Iterator[types.Batch]:
  """Yields the elements of a dataset as `as_batch` does, if they have labels.

  Raises:
    ValueError: There are none, or they are not (batch_size, num_classes).
  """
  for element in elements:
    batch = as_batch(element)
    labels: Any = batch.get("labels")
    shape = np.shape(labels)
    if len(shape) != 2 or shape[1] != num_classes:
      found = "no labels" if labels is None else f"labels of shape {shape}"
      raise ValueError(f"The data have {found}: give batches (inputs, labels) with "
                       f"labels (batch_size, {num_classes}), a column for each class.")
    yield batch


def _dataset(pattern, features, level, num_classes, batch_size, shuffle, seed, with_ids,
             arguments, options):
  if not isinstance(pattern, (str, os.PathLike)):
    raise ValueError(f"The data pattern is {pattern!r}, but must be one text: separate "
                     "several globs by commas.")
  pattern = os.fspath(pattern)
  spec = feature_spec.FeatureSpec.of(features, level)
  reader = readers.make_reader(spec, num_classes, **arguments)
  name = "the data pattern"
  files = paths.match(pattern, name)
  reader.check_features(files, name)
  dataset = reader.dataset(pattern, batch_size, training=shuffle, seed=seed, epoch=None,
                           **{"num_readers": 8 if shuffle else 1, **options})
  keys = ("features", "num_frames", *(("id",) if with_ids else ()))

  def for_keras(batch):
    labels = (batch[key] for key in ("labels", "label_weights") if key in batch)
    return {key: batch[key] for key in keys}, *labels

  dataset = dataset.map(for_keras, num_parallel_calls=tf.data.AUTOTUNE)
  # Keras shows the progress of an epoch, and warns if it does not know its length.
  num_batches = -(-_count(files) // batch_size)
  if num_batches and not (options or spec.level == feature_spec.SEGMENT):
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(num_batches))
  return dataset


def _count(files: Sequence[str]) -> int:
  """Returns the number of records, or 0 if it takes long to count them."""
  if sum(tf.io.gfile.stat(path).length for path in files) > _LARGEST_COUNTED:
    return 0
  found = [framing.inspect(path) for path in files]
  return (0 if any(one.damage or one.num_records < 0 for one in found)
          else sum(one.num_records for one in found))
