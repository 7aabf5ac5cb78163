# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Warm-up requests have TensorFlow Serving's format, and the model answers them."""

import gzip
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import serving
from tests.helpers import support
from yt8m.artifacts.saved_model import Contract
from yt8m.export.saved_models import warmup


def contract(level):
  return Contract(descriptors.SPECS[level], descriptors.MAX_FRAMES,
                descriptors.NUM_CLASSES)


@pytest.fixture
def folder(tmp_path):
  (tmp_path / "assets.extra").mkdir()
  return tmp_path


def frames_of(record):
  lists = tf.train.SequenceExample.FromString(record).feature_lists.feature_list
  [count] = {len(of_feature.feature) for of_feature in lists.values()}
  return count


def test_few_and_many_videos_short_and_long(folder):
  warmup.write(str(folder), contract("frame"), 9)
  requests = warmup.read(str(folder))
  assert {signature for signature, _ in requests} == {"serving_default"}
  assert [list(inputs) for _, inputs in requests] == [["example_bytes"]] * 9
  batches = [inputs["example_bytes"] for _, inputs in requests]
  assert [len(batch) for batch in batches] == [1, 1, 2, 2, 4, 4, 8, 8, 1]
  longest = descriptors.MAX_FRAMES
  assert [frames_of(batch[0]) for batch in batches] == [longest, 1] * 4 + [longest]
  warmup.write(str(folder), contract("video"), 5)
  assert [len(inputs["example_bytes"]) for _, inputs in warmup.read(str(folder))] == [
      1, 2, 4, 8, 1]


@pytest.mark.parametrize("case", ["aggregation-mean", "classifier-moe"])
def test_the_model_answers_them(case, tmp_path):
  serving.save(case, tmp_path / "model", warmup_requests=3)
  signatures = tf.saved_model.load(str(tmp_path / "model")).signatures
  for signature, inputs in warmup.read(str(tmp_path / "model")):
    answer = signatures[signature](**{k: tf.constant(x) for k, x in inputs.items()})
    assert np.isfinite(answer["predictions"]).all()
    assert {x.decode() for x in answer["video_id"].numpy().ravel()} == {"blank"}


# TensorFlow Serving's own definitions, cut to these fields, in protocol buffers' language
# of descriptors: a TensorProto is a message here, and `inputs` a map.
OFFICIAL = """
import sys
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from tensorflow.core.framework import tensor_pb2
pool = descriptor_pool.Default()
file = text_format.Parse('''
  name: "tensorflow_serving/apis/cut.proto" package: "tensorflow.serving"
  syntax: "proto3" dependency: "tensorflow/core/framework/tensor.proto"
  message_type { name: "ModelSpec"
    field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "signature_name" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL } }
  message_type { name: "PredictRequest"
    field { name: "model_spec" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL
            type_name: ".tensorflow.serving.ModelSpec" }
    field { name: "inputs" number: 2 type: TYPE_MESSAGE label: LABEL_REPEATED
            type_name: ".tensorflow.serving.PredictRequest.InputsEntry" }
    nested_type { name: "InputsEntry" options { map_entry: true }
      field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
      field { name: "value" number: 2 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".tensorflow.TensorProto" } } }
  message_type { name: "PredictLog"
    field { name: "request" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL
            type_name: ".tensorflow.serving.PredictRequest" } }
  message_type { name: "PredictionLog"
    field { name: "regress_log" number: 3 type: TYPE_MESSAGE label: LABEL_OPTIONAL
            type_name: ".tensorflow.serving.PredictLog" }
    field { name: "predict_log" number: 6 type: TYPE_MESSAGE label: LABEL_OPTIONAL
            type_name: ".tensorflow.serving.PredictLog" } }
''', descriptor_pb2.FileDescriptorProto())
pool.AddSerializedFile(file.SerializeToString())
from yt8m.export.saved_models import warmup  # beside it, in the same process
PredictionLog = message_factory.GetMessageClass(
    pool.FindMessageTypeByName("tensorflow.serving.PredictionLog"))

model, theirs = sys.argv[1:]
ours = warmup.read(model)
logs = [PredictionLog.FromString(record) for record in
        tf.data.TFRecordDataset(model + "/" + warmup.REQUESTS).as_numpy_iterator()]
assert len(logs) == len(ours) == 4
for log, (signature, inputs) in zip(logs, ours):
  assert log.predict_log.request.model_spec.signature_name == signature
  assert set(log.predict_log.request.inputs) == set(inputs)
  for name, tensor in log.predict_log.request.inputs.items():
    assert tf.make_ndarray(tensor).tolist() == inputs[name].tolist()

# What others wrote: of two inputs, without a signature, of a model name; another kind.
log = PredictionLog()
log.predict_log.request.model_spec.name = "blstm"
for name, value in (("a", [[1.5, 2.5]]), ("b", ["x"])):
  log.predict_log.request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
with tf.io.TFRecordWriter(theirs + "/" + warmup.REQUESTS) as writer:
  writer.write(log.SerializeToString())
  writer.write(PredictionLog(regress_log=log.predict_log).SerializeToString())
[(signature, inputs)] = warmup.read(theirs)
assert signature == "serving_default"
assert {name: x.tolist() for name, x in inputs.items()} == {
    "a": [[1.5, 2.5]], "b": [b"x"]}
"""


def test_the_messages_are_tensorflow_servings(folder, tmp_path):
  warmup.write(str(folder), contract("frame"), 4)
  (tmp_path / "theirs" / "assets.extra").mkdir(parents=True)
  subprocess.run([sys.executable, "-c", OFFICIAL, str(folder), str(tmp_path / "theirs")],
                 check=True, env=support.ENVIRONMENT)


def test_the_same_model_gives_the_same_bytes(folder):
  path = folder / warmup.REQUESTS
  warmup.write(str(folder), contract("frame"), 4)
  before = path.read_bytes()
  warmup.write(str(folder), contract("frame"), 4)
  assert path.read_bytes() == before


def test_none_is_no_file(folder):
  warmup.write(str(folder), contract("frame"), 0)
  assert not (folder / warmup.REQUESTS).exists()
  assert warmup.read(str(folder)) == []


@pytest.mark.parametrize("number", [-1, 1001])
def test_more_than_a_server_takes_are_refused(number, folder):
  with pytest.raises(ValueError, match=f"--warmup_requests={number} must be from 0 to 1"):
    warmup.write(str(folder), contract("frame"), number)


@pytest.mark.parametrize("damage", [
    lambda content: content[:-3],
    lambda content: content[:200] + b"?" + content[201:],
    lambda content: b"no records" * 9])
def test_a_damaged_file_is_named(damage, folder):
  warmup.write(str(folder), contract("frame"), 2)
  path = folder / warmup.REQUESTS
  path.write_bytes(damage(path.read_bytes()))
  with pytest.raises(ValueError, match="warmup_requests does not hold warm-up"):
    warmup.read(str(folder))


def test_a_compressed_file_is_named(folder):
  warmup.write(str(folder), contract("frame"), 2)
  path = folder / warmup.REQUESTS
  path.write_bytes(gzip.compress(path.read_bytes()))
  with pytest.raises(ValueError, match="requests .it is compressed.: export the model "
                     "again, or remove the file"):
    warmup.read(str(folder))
  path.unlink()
  assert warmup.read(str(folder)) == []


def test_records_of_another_kind_are_named(folder):
  with tf.io.TFRecordWriter(str(folder / warmup.REQUESTS)) as writer:
    writer.write(b"\x32\x05no proto")
  with pytest.raises(ValueError, match="does not hold warm-up requests"):
    warmup.read(str(folder))


def test_lengths_and_shapes_are_bounded(folder):
  path = folder / warmup.REQUESTS
  # A record of 2**40 bytes whose checksum is right ends a process that reads it.
  length = (2**40).to_bytes(8, "little")
  crc = _masked_crc32c(length)
  path.write_bytes(length + crc + b"x" * 12)
  with pytest.raises(ValueError, match="does not hold warm-up requests .*is cut off or"):
    warmup.read(str(folder))
  tensor = tf.make_tensor_proto([0])
  tensor.tensor_shape.dim[0].size = 2**40
  log = warmup._PredictionLog()
  log.predict_log.request.inputs.add(key="x", value=tensor.SerializeToString())
  with tf.io.TFRecordWriter(str(path)) as writer:
    writer.write(log.SerializeToString())
  with pytest.raises(ValueError, match="has an input of more than 134,217,728 values"):
    warmup.read(str(folder))


def _masked_crc32c(content):
  crc = 0xFFFFFFFF
  for byte in content:
    crc ^= byte
    for _ in range(8):
      crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
  crc ^= 0xFFFFFFFF
  masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
  return masked.to_bytes(4, "little")
