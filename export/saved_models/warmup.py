# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Requests that a server sends through a model before it takes any others.

    assets.extra/tf_serving_warmup_requests   records: `tensorflow.serving.PredictionLog`

The first call of a signature prepares what others find ready, and takes longer by far.
With these requests TensorFlow Serving and `yt8m-serve` put it behind them when they load
the model. They ask `serving_default` about blank videos, few and many, short and long.

Reference: TensorFlow Serving, "SavedModel Warmup"; prediction_log.proto, predict.proto,
model.proto in tensorflow_serving/apis.
"""

import itertools
import os

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message
from google.protobuf import message_factory

from yt8m.data import tfrecords

REQUESTS = "assets.extra/tf_serving_warmup_requests"
MAX_REQUESTS = 1000  # more are an error to TensorFlow Serving
_BATCH_SIZES = (1, 2, 4, 8)
_PACKAGE = "tensorflow.serving"

# What a predict request needs of TensorFlow Serving's messages: fields, their numbers and
# types. A TensorProto stands as its bytes, a map as its entries: the same on the wire.
_MESSAGES = {
    "PredictionLog": {"predict_log": (6, "PredictLog")},
    "PredictLog": {"request": (1, "PredictRequest")},
    "PredictRequest": {"model_spec": (1, "ModelSpec"), "inputs": (2, "repeated Input")},
    "ModelSpec": {"signature_name": (3, "string")},
    "Input": {"key": (1, "string"), "value": (2, "bytes")},
}


def write(directory, served, num_requests):
  """Writes warm-up requests into a SavedModel.

  A request has 1, 2, 4 or 8 videos, of `max_frames` frames or of one; they come round
  again after eight requests (after four, where a video is one vector).

  Args:
    directory: the SavedModel.
    served: its `Served`.
    num_requests: from 1 to `MAX_REQUESTS`; 0 writes no file.

  Raises:
    ValueError: `num_requests` is out of range.
  """
  check(num_requests)
  if not num_requests:
    return
  with tf.io.TFRecordWriter(os.path.join(directory, REQUESTS)) as writer:
    for records in itertools.islice(_blank_batches(served), num_requests):
      writer.write(_predict("serving_default", {"example_bytes": records}))


def check(num_requests):
  """Refuses a number of requests that TensorFlow Serving would not take.

  Raises:
    ValueError: it is out of range.
  """
  if not 0 <= num_requests <= MAX_REQUESTS:
    raise ValueError(f"--warmup_requests={num_requests} must be from 0 to "
                     f"{MAX_REQUESTS:,}; TensorFlow Serving takes no more.")


def read(directory):
  """Reads the warm-up requests of a SavedModel, of ours or anyone's.

  Args:
    directory: the SavedModel.

  Returns:
    A list of `(signature, {name of an input: array})`; empty, where none are stored.
    Requests of other kinds than predict are left out.

  Raises:
    ValueError: the file is damaged, or holds other records.
  """
  path = os.path.join(directory, REQUESTS)
  if not tf.io.gfile.exists(path):
    return []
  requests = []
  try:
    for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
      log = _message("PredictionLog").FromString(record)
      if log.HasField("predict_log"):
        requests.append(_parsed(log.predict_log.request))
  except (tf.errors.DataLossError, message.DecodeError, TypeError, ValueError) as error:
    raise ValueError(f"{path} holds no warm-up requests ({error}): export the model "
                     "again, or remove the file.") from error
  return requests


def _blank_batches(served):
  """Yields lists of serialized records, without end."""
  spec = served.spec
  if spec.is_video_level:
    blanks = [tfrecords.video_example("blank", [], {
        name: np.zeros(size, np.float32) for name, size in _sizes(spec)})]
  else:
    blanks = [tfrecords.frame_example("blank", [], {
        name: np.zeros((num_frames, size), np.uint8) for name, size in _sizes(spec)})
        for num_frames in (served.max_frames, 1)]
  serialized = [blank.SerializeToString(deterministic=True) for blank in blanks]
  for batch_size, record in itertools.cycle(itertools.product(_BATCH_SIZES, serialized)):
    yield [record] * batch_size


def _sizes(spec):
  return zip(spec.names, spec.sizes, strict=True)


def _predict(signature, inputs):
  """A serialized `PredictionLog`."""
  log = _message("PredictionLog")()
  request = log.predict_log.request
  request.model_spec.signature_name = signature
  for name, value in inputs.items():
    request.inputs.add(key=name, value=tf.make_tensor_proto(value).SerializeToString())
  return log.SerializeToString()


def _parsed(request):
  # TensorFlow Serving takes the default where none is named.
  signature = request.model_spec.signature_name or "serving_default"
  return signature, {entry.key: _array(entry.value) for entry in request.inputs}


def _array(serialized):
  tensor = tf.make_tensor_proto(0)
  tensor.ParseFromString(serialized)
  return tf.make_ndarray(tensor)


def _message(name):
  return message_factory.GetMessageClass(
      _POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


def _make_pool():
  """A pool of its own: the default one may hold TensorFlow Serving's messages."""
  field = descriptor_pb2.FieldDescriptorProto
  proto = descriptor_pb2.FileDescriptorProto(
      name="yt8m/warmup.proto", package=_PACKAGE, syntax="proto3")
  for name, fields in _MESSAGES.items():
    described = proto.message_type.add(name=name)
    for field_name, (number, kind) in fields.items():
      label = field.LABEL_REPEATED if "repeated" in kind else field.LABEL_OPTIONAL
      kind = kind.removeprefix("repeated ")
      of_message = {"type": field.TYPE_MESSAGE, "type_name": f".{_PACKAGE}.{kind}"}
      described.field.add(
          name=field_name, number=number, label=label,
          **of_message if kind in _MESSAGES
          else {"type": getattr(field, f"TYPE_{kind.upper()}")})
  pool = descriptor_pool.DescriptorPool()
  pool.AddSerializedFile(proto.SerializeToString())
  return pool


_POOL = _make_pool()
