# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Requests that a server sends to a model on loading, before it accepts any others.

    assets.extra/tf_serving_warmup_requests   records: `tensorflow.serving.PredictionLog`

The first call of a signature is much slower than later ones, because it prepares them.
With these requests TensorFlow Serving and `yt8m-serve` make that call when they load the
model. The requests send blank videos of different number and length to `serving_default`.

Reference: TensorFlow Serving, "SavedModel Warmup"; prediction_log.proto, predict.proto,
model.proto in tensorflow_serving/apis.
"""

import itertools
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message
from google.protobuf import message_factory

from yt8m.artifacts.saved_model import Contract
from yt8m.data import framing
from yt8m.data import tfrecords

REQUESTS = "assets.extra/tf_serving_warmup_requests"
# 128 videos of 300 frames of 1,152 values, three times.
_MAX_VALUES = 2**27
MAX_REQUESTS = 1000  # limit of TensorFlow Serving
_BATCH_SIZES = (1, 2, 4, 8)
_PACKAGE = "tensorflow.serving"

# The part of TensorFlow Serving's messages that a predict request needs: names, numbers
# and types of the fields. A TensorProto is declared as bytes, and a map as its entries:
# the encoding is the same.
_MESSAGES = {
    "PredictionLog": {"predict_log": (6, "PredictLog")},
    "PredictLog": {"request": (1, "PredictRequest")},
    "PredictRequest": {"model_spec": (1, "ModelSpec"), "inputs": (2, "repeated Input")},
    "ModelSpec": {"signature_name": (3, "string")},
    "Input": {"key": (1, "string"), "value": (2, "bytes")},
}


def write(directory: str, contract: Contract, num_requests: int) -> None:
  """Writes warm-up requests into a SavedModel.

  A request has 1, 2, 4 or 8 videos, of `max_frames` frames or of one. The sequence
  repeats after eight requests (at video level, after four).

  Args:
    directory: Path of the SavedModel.
    contract: Features and number of frames of the model.
    num_requests: Number of requests, at most `MAX_REQUESTS`; 0 writes no file.

  Raises:
    ValueError: `num_requests` is out of range.
  """
  check(num_requests)
  if not num_requests:
    return
  with tf.io.TFRecordWriter(os.path.join(directory, REQUESTS)) as writer:
    for records in itertools.islice(_blank_batches(contract), num_requests):
      log = _PredictionLog()
      request = log.predict_log.request
      request.model_spec.signature_name = "serving_default"
      request.inputs.add(key="example_bytes",
                         value=tf.make_tensor_proto(records).SerializeToString())
      writer.write(log.SerializeToString())


def check(num_requests: int) -> None:
  """Checks that TensorFlow Serving accepts a number of requests.

  Raises:
    ValueError: The number is out of range.
  """
  if not 0 <= num_requests <= MAX_REQUESTS:
    raise ValueError(f"--warmup_requests={num_requests} must be from 0 to "
                     f"{MAX_REQUESTS:,}, the limit of TensorFlow Serving.")


def read(directory: str) -> list[tuple[str, dict[str, np.ndarray]]]:
  """Reads the warm-up requests of any SavedModel.

  Args:
    directory: Path of the SavedModel.

  Returns:
    Signature and inputs of each predict request. Requests of other kinds are left out.

  Raises:
    ValueError: The file is damaged, or holds other records.
  """
  path = os.path.join(directory, REQUESTS)
  if not tf.io.gfile.exists(path):
    return []
  requests = []
  try:
    framing_of_file = framing.inspect(path)
    if framing_of_file.damage or framing_of_file.compression:
      raise ValueError(framing_of_file.damage or "it is compressed")
    for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
      log = _PredictionLog.FromString(record)
      if log.HasField("predict_log"):
        request = log.predict_log.request
        # Like TensorFlow Serving, which uses the default signature if none is named.
        requests.append((request.model_spec.signature_name or "serving_default",
                         {entry.key: _array(entry.value) for entry in request.inputs}))
  except (tf.errors.DataLossError, message.DecodeError, TypeError, ValueError) as error:
    raise ValueError(f"{path} does not hold warm-up requests ({error}): export the "
                     "model again, or remove the file.") from error
  return requests


def _blank_batches(contract: Contract) -> Iterator[list[bytes]]:
  """Yields an endless sequence of batches of serialized records."""
  spec = contract.spec
  sizes = dict(zip(spec.names, spec.sizes, strict=True))
  dtypes = dict(zip(spec.names, spec.dtypes, strict=True))
  if spec.is_video_level:
    blanks = [tfrecords.video_example("blank", [], {
        name: np.zeros(size, np.float32) for name, size in sizes.items()})]
  else:
    blanks = [tfrecords.frame_example("blank", [], {
        name: np.zeros((num_frames, size), dtypes[name]) for name, size in sizes.items()})
        for num_frames in (contract.max_frames, 1)]
  serialized = [blank.SerializeToString(deterministic=True) for blank in blanks]
  for batch_size, record in itertools.cycle(itertools.product(_BATCH_SIZES, serialized)):
    yield [record] * batch_size


def _array(serialized: bytes) -> np.ndarray:
  tensor = tf.make_tensor_proto(0)
  tensor.ParseFromString(serialized)
  # One value and a shape are enough to describe an array of any size.
  if math.prod(max(dim.size, 0) for dim in tensor.tensor_shape.dim) > _MAX_VALUES:
    raise ValueError(f"it has an input of more than {_MAX_VALUES:,} values")
  return tf.make_ndarray(tensor)


def _message_class(message: str) -> Any:
  field = descriptor_pb2.FieldDescriptorProto
  proto = descriptor_pb2.FileDescriptorProto(
      name="yt8m/warmup.proto", package=_PACKAGE, syntax="proto3")
  for name, fields in _MESSAGES.items():
    message_type = proto.message_type.add(name=name)
    for field_name, (number, kind) in fields.items():
      label = field.LABEL_REPEATED if "repeated" in kind else field.LABEL_OPTIONAL
      kind = kind.removeprefix("repeated ")
      is_message = kind in _MESSAGES
      message_type.field.add(
          name=field_name, number=number, label=label,
          type=getattr(field, f"TYPE_{'message' if is_message else kind}".upper()),
          type_name=f".{_PACKAGE}.{kind}" if is_message else None)
  # A separate pool, because the default one may hold TensorFlow Serving's messages.
  pool = descriptor_pool.DescriptorPool()
  pool.AddSerializedFile(proto.SerializeToString())
  return message_factory.GetMessageClass(
      pool.FindMessageTypeByName(f"{_PACKAGE}.{message}"))


_PredictionLog = _message_class("PredictionLog")
