# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Records: protocol buffers with a valid checksum, and whole TFRecord files."""

import functools
import math

import numpy as np
import tensorflow as tf
from google.protobuf import message

from tests.fuzz import mutation
from tests.fuzz import target
from yt8m.core import feature_spec
from yt8m.data import readers
from yt8m.data import records
from yt8m.data import tfrecords

_NUM_CLASSES, _MAX_FRAMES = 9, 4
_SPECS = {
    "video": feature_spec.FeatureSpec(("mean_rgb", "mean_audio"), (3, 2), "video"),
    "frame": feature_spec.FeatureSpec(("rgb", "audio"), (3, 2), "frame")}


def _frames(num_frames):
  rng = np.random.default_rng(num_frames)
  return {name: rng.integers(0, 256, (num_frames, size), np.uint8)
          for name, size in zip(*_sizes("frame"), strict=True)}


def _sizes(level):
  return _SPECS[level].names, _SPECS[level].sizes


_EXAMPLES = {
    "video": [tfrecords.video_example("DiRU", [1, 3], {
        "mean_rgb": [0.5, -1.0, 0.25], "mean_audio": [1.0, 0.0]}),
        tfrecords.video_example("é", [], {
            "mean_rgb": [0.0] * 3, "mean_audio": [2.0, 1.5]})],
    "frame": [tfrecords.frame_example("DiRU", [0, 8], _frames(2)),
              tfrecords.frame_example("PzYl", [2], _frames(6), "video_id")]}

_TENSOR_KINDS = ("bytes_list", "float_list", "int64_list")
_ODD = {"bytes_list": (b"", b"\xff", b"a,b", b"a\nb", b"abc", b"x" * 999),
        "float_list": (0.0, math.nan, math.inf, -1e38),
        "int64_list": (-1, 0, 9, 2**31, 2**63 - 1, -2**63)}


def mutate_record(rng, data):
  """Changes features of a record as other writers of records do, or any bytes."""
  data = unframed(data)
  if rng.random() < 0.3:
    return framed(mutation.of_bytes(rng, data))
  record = tf.train.SequenceExample.FromString(data)
  for _ in range(rng.choice((1, 1, 2))):
    _change(rng, record)
  data = record.SerializeToString(deterministic=True)
  if rng.random() < 0.05:
    data += data  # merged by the rules of protocol buffers
  return framed(data)


def _change(rng, record):
  features = record.context.feature
  lists = record.feature_lists.feature_list
  if lists and rng.random() < 0.6:
    name = rng.choice(sorted(lists))
    frames = lists[name].feature
    kind = rng.randrange(6)
    if kind == 0:
      del lists[name]
    elif kind == 1:
      lists[rng.choice(("RGB", "id", "x", ""))].CopyFrom(lists[name])
    elif kind == 2 and frames:
      del frames[rng.randrange(len(frames)):]
    elif kind == 3:
      frames.add()
    elif frames:
      _change_feature(rng, frames[rng.randrange(len(frames))])
    return
  name = rng.choice([*sorted(features), "labels"])
  kind = rng.randrange(5)
  if kind == 0 and name in features:
    del features[name]
  elif kind == 1 and name in features:
    features[rng.choice(("id", "video_id", "label", "mean_rgb", "rgb", ""))].CopyFrom(
        features[name])
  else:
    _change_feature(rng, features[name])


def _change_feature(rng, feature):
  kind = feature.WhichOneof("kind") or rng.choice(_TENSOR_KINDS)
  if rng.random() < 0.2:
    feature.Clear()
    kind = rng.choice(_TENSOR_KINDS)
    getattr(feature, kind).SetInParent()
  values = getattr(feature, kind).value
  odd = rng.choice(_ODD[kind])
  where = rng.randrange(4)
  if where == 0 or not values:
    values.append(odd)
  elif where == 1:
    del values[rng.randrange(len(values)):]
  elif where == 2:
    values.extend(values)
  else:
    values[rng.randrange(len(values))] = odd


@functools.cache
def _parser(level):
  reader = readers.make_reader(_SPECS[level], _NUM_CLASSES, **(
      {} if level == "video" else {"max_frames": _MAX_FRAMES}))
  return tf.function(reader._parse_explaining, input_signature=[
      tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.string)])


def _read_record(level, path):
  with open(path, "rb") as file:
    data = unframed(file.read())
  with records.clear_errors(files=[path]):
    batch = _parser(level)([data], [f"{path}, record 0"])[0]
  return _plain_batch(batch)[0]


def _plain_batch(batch):
  """The rows of a batch as `_expected_record` returns them."""
  rows = []
  for row in range(len(batch["id"])):
    num_frames = int(batch["num_frames"][row])
    features = {name: x[row].numpy() for name, x in batch["features"].items()}
    if next(iter(features.values())).ndim == 2:
      features = {name: x[:num_frames] for name, x in features.items()}
    rows.append((batch["id"][row].numpy(), num_frames,
                 np.flatnonzero(batch["labels"][row]).tolist(),
                 {name: x.tolist() for name, x in features.items()}))
  return rows


def parsed(data):
  """Returns the first record of a file; raises `NoVerdict` where TensorFlow differs."""
  try:
    record = tf.train.SequenceExample.FromString(unframed(data))
  except message.DecodeError as error:  # TensorFlow's own parser is less strict
    raise target.NoVerdict from error
  if (record.SerializeToString(deterministic=True) != unframed(data)
      and any(len(frame.bytes_list.value) > 1 for frames in
              record.feature_lists.feature_list.values() for frame in frames.feature)):
    # Protocol buffers merge two lists within one frame; TensorFlow takes them for two
    # frames.
    raise target.NoVerdict
  return record


def _expected_record(level, data):
  record = parsed(data)
  context = record.context.feature
  video_id = expected_id(record)
  labels = ()
  if "labels" in context and context["labels"].WhichOneof("kind"):
    assert context["labels"].WhichOneof("kind") == "int64_list"
    labels = context["labels"].int64_list.value
  assert all(0 <= label < _NUM_CLASSES for label in labels)
  features, num_frames = {}, 1
  for name, size in zip(*_sizes(level), strict=True):
    if level == "video":
      kind = context[name].WhichOneof("kind") if name in context else None
      assert kind in (None, "float_list"), kind
      features[name] = list(context[name].float_list.value) or [0.0] * size
      assert len(features[name]) == size
      continue
    features[name] = expected_frames(record, name, size)
  if level == "frame":
    # A feature that is missing counts as zeros.
    num_frames = min(_MAX_FRAMES, *(len(x) or _MAX_FRAMES for x in features.values()))
    if not any(features.values()):
      num_frames = 1  # of zeros, so that the video keeps its row
    features = {name: (values or [[0] * size] * num_frames)[:num_frames]
                for (name, values), size in zip(
                    features.items(), _sizes(level)[1], strict=True)}
  return video_id, num_frames, sorted(set(labels)), features


def expected_id(record):
  """Returns the id, from the first of two keys that has one."""
  ids = []
  for key in ("id", "video_id"):
    feature = record.context.feature[key]
    assert feature.WhichOneof("kind") in (None, "bytes_list")
    assert len(feature.bytes_list.value) <= 1
    ids += feature.bytes_list.value
  return next(filter(None, ids))


def expected_frames(record, name, size):
  """Returns the frames of a feature, as lists of bytes."""
  values = []
  for frame in record.feature_lists.feature_list[name].feature:
    [value] = frame.bytes_list.value
    assert len(value) == size
    values.append(list(value))
  return values


def _crc(data):
  """The masked CRC-32C of TFRecord files."""
  crc = 0xFFFFFFFF
  for byte in data:
    crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
  crc ^= 0xFFFFFFFF
  return ((crc >> 15 | crc << 17) + 0xA282EAD8 & 0xFFFFFFFF).to_bytes(4, "little")


def _crc_table():
  table = []
  for byte in range(256):
    for _ in range(8):
      byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    table.append(byte)
  return table


_CRC_TABLE = _crc_table()


def framed(data, length=None):
  """The bytes of a record in a TFRecord file; `length` is what its header says."""
  header = (len(data) if length is None else length).to_bytes(8, "little")
  return header + _crc(header) + data + _crc(data)


def unframed(data):
  """The first record of a file, which is whole."""
  return data[12:12 + int.from_bytes(data[:8], "little")]


def seeds(level):
  # In the same order in every process, so that a case is the same, too.
  return [framed(example.SerializeToString(deterministic=True))
          for example in _EXAMPLES[level]]


def _mutate_file(rng, data):
  """Damages a file of three records: bytes, order, and lengths with valid checksums."""
  if rng.random() < 0.7:
    return mutation.of_bytes(rng, data)
  parts = seeds("video")
  length = rng.choice((0, 1, 2**31, 2**40, 2**63, 2**64 - 1, 2**64 - 16))
  parts.insert(rng.randrange(3), rng.choice((
      framed(b""), framed(b"\0" * 5), framed(b"abc", length), b"\0" * 40,
      framed(parts[0]))))
  return b"".join(parts)


@functools.cache
def _file_reader():
  return readers.make_reader(_SPECS["video"], _NUM_CLASSES).file_reader(2)


def _read_file(path):
  with records.clear_errors():
    return [row for batch in _file_reader()(path) for row in _plain_batch(batch)]


def _expected_file(data):
  rows, at = [], 0
  while at < len(data):
    header = data[at:at + 8]
    length = int.from_bytes(header, "little")
    assert len(header) == 8 and data[at + 8:at + 12] == _crc(header)
    record = data[at + 12:at + 12 + length]
    assert len(record) == length and data[at + 12 + length:at + 16 + length] == _crc(
        record)
    rows.append(_expected_record("video", framed(record)))
    at += 16 + length
  return rows


TARGETS = (
    *(target.Target(
        name=f"{level} record", mutate=mutate_record, file="input.tfrecord", share=0.4,
        seeds=seeds(level), read=functools.partial(_read_record, level),
        expected=functools.partial(_expected_record, level)) for level in _SPECS),
    target.Target(
        name="TFRecord file", mutate=_mutate_file, file="input.tfrecord", share=0.02,
        seeds=[b"".join(seeds("video"))], read=_read_file, expected=_expected_file),
)
