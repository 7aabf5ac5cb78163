# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames of floats, as byte strings and as lists of floats, from records to batches."""

import re

import numpy as np
import pytest
import tensorflow as tf

from yt8m.core import feature_spec
from yt8m.data import diagnosis
from yt8m.data import float_frames
from yt8m.data import frame_kinds
from yt8m.data import readers
from yt8m.data import records
from yt8m.data import tfrecords

SIZES = {"rgb": 4, "clip": 3, "speech": 2}
SPEC = feature_spec.FeatureSpec(
    SIZES, SIZES.values(), "frame", ("uint8", "float16", "float32"))
MAX_FRAMES = 6


def frames(length, seed=0):
  rng = np.random.default_rng(seed)
  return {"rgb": rng.integers(1, 256, (length, 4), np.uint8),
          "clip": rng.normal(size=(length, 3)).astype(np.float16),
          "speech": rng.normal(size=(length, 2)).astype(np.float32)}


def write(path, examples):
  with tf.io.TFRecordWriter(str(path)) as writer:
    for example in examples:
      writer.write(example.SerializeToString())
  return str(path)


def read(path, batch_size=4, level="frame", **kwargs):
  spec = feature_spec.FeatureSpec(SPEC.names, SPEC.sizes, level, SPEC.dtypes)
  reader = readers.make_reader(spec, 5, MAX_FRAMES)
  with records.clear_errors(reader.explain):
    return list(reader.dataset(path, batch_size, **kwargs))


def test_values_types_lengths_and_padding_of_both_kinds(tmp_path):
  lengths = (2, 9, 1, 6)
  examples = [tfrecords.frame_example(f"v{i}", [1], frames(length, i), float_lists=i % 2)
              for i, length in enumerate(lengths)]
  batch, = read(write(tmp_path / "x", examples))
  assert {name: x.dtype.name for name, x in batch["features"].items()} == dict(
      zip(SPEC.names, SPEC.dtypes, strict=True))
  assert list(batch["num_frames"]) == [2, 6, 1, 6]
  for row, length in enumerate(lengths):
    for name, x in frames(length, row).items():
      expected = np.zeros((MAX_FRAMES, SIZES[name]), x.dtype)
      expected[:min(length, MAX_FRAMES)] = x[:MAX_FRAMES]
      np.testing.assert_array_equal(batch["features"][name][row], expected)


def test_a_missing_feature_is_zeros_and_the_shortest_counts(tmp_path):
  silent, short = frames(3), frames(5)
  silent["speech"] = silent["speech"][:0]
  short["clip"] = short["clip"][:2]
  batch, = read(write(tmp_path / "x", [
      tfrecords.frame_example("v", [1], silent, float_lists=True),
      tfrecords.frame_example("w", [1], short)]))
  assert list(batch["num_frames"]) == [3, 2]
  assert not np.any(batch["features"]["speech"][0])
  assert not np.any(batch["features"]["speech"][1, 2:])
  assert np.all(batch["features"]["speech"][1, :2])


def test_rated_segments(tmp_path):
  videos = [frames(8, seed) for seed in (0, 1)]
  path = write(tmp_path / "x", [tfrecords.segment_example(
      "v", [], video, [(0, 1, 1.0), (5, 2, 0.0)], float_lists=row > 0)
      for row, video in enumerate(videos)])
  batch, = read(path, level="segment")
  assert list(batch["num_frames"]) == [5, 1, 5, 1]
  for name in SIZES:
    x = batch["features"][name].numpy()
    np.testing.assert_array_equal(x[2], videos[1][name][:5])
    np.testing.assert_array_equal(x[1, :1], videos[0][name][5:6])
    assert x.shape == (4, 5, SIZES[name]) and not x[1, 1:].any()


def test_a_saved_model_reads_both_kinds(tmp_path):
  reader = readers.FrameLevelReader(SPEC, 5, MAX_FRAMES, pad_to_max_frames=False)
  module = tf.Module()
  module.parse = tf.function(
      reader.parse_batch, input_signature=[tf.TensorSpec([None], tf.string)])
  tf.saved_model.save(module, str(tmp_path / "model"))
  parse = tf.saved_model.load(str(tmp_path / "model")).parse
  serialized = [tfrecords.frame_example(
      "v", [], frames(3), float_lists=kind).SerializeToString() for kind in (True, False)]
  batch = parse(serialized)
  np.testing.assert_array_equal(batch["features"]["clip"][0], frames(3)["clip"])
  np.testing.assert_array_equal(*batch["features"]["clip"])
  assert batch["features"]["clip"].dtype == tf.float16
  assert parse([])["features"]["clip"].shape[0] == 0
  bad = example(frames(3) | {"clip": np.ones((3, 1), np.float16)})
  with pytest.raises(tf.errors.InvalidArgumentError, match=(
      "record 0 of the batch is bad. Expected: an id, labels below 5, and frames with "
      "at least one of these features and sizes, all finite: .*4 uint8.*3 float16.*2 f")):
    parse([bad.SerializeToString()])


def with_value(value, dtype=np.float32):
  values = frames(3)
  values["clip"] = values["clip"].astype(dtype)
  values["clip"][1, 2] = value
  return values


def mixed():
  example = tfrecords.frame_example("v", [1], frames(3))
  example.feature_lists.feature_list["clip"].feature[2].CopyFrom(
      tf.train.Feature(float_list=tf.train.FloatList(value=[1, 2, 3])))
  return example


def integers():
  example = tfrecords.frame_example("v", [1], frames(1))
  example.feature_lists.feature_list["clip"].feature[0].CopyFrom(
      tf.train.Feature(int64_list=tf.train.Int64List(value=[1, 2, 3])))
  return example


def example(values, float_lists=False):
  return tfrecords.frame_example("v", [1], values, float_lists=float_lists)


MIXED = ("has floats in frame 2 of feature clip, but byte strings in frame 0: all frames "
         "of a feature must be of one kind.")
INTS = ("has integers in frame 0 of feature clip, expected one byte string, of 2 bytes a "
        "value, or floats.")
FAULTS = {
    "has 10 bytes in frame 0 of feature clip, expected 6 for 3 values of float16 "
    "(--feature_sizes).": example(frames(3) | {"clip": np.ones((3, 5), np.float16)}),
    "has 12 bytes in frame 0 of feature clip, expected 6 for 3 values of float16 "
    "(--feature_sizes). They would be right for float32 (--feature_dtypes).":
        example(frames(3) | {"clip": np.ones((3, 3), np.float32)}),
    "has 5 floats in frame 0 of feature clip, expected 3 (--feature_sizes).":
        example(frames(3) | {"clip": np.ones((3, 5), np.float16)}, True),
    "has nan as value 2 of frame 1 of feature clip.": example(with_value(np.nan), True),
    "has -inf as value 2 of frame 1 of feature clip.":
        example(with_value(-np.inf, np.float16)),
    "has 1e+06 as value 2 of frame 1 of feature clip, too large for float16 "
    "(--feature_dtypes).": example(with_value(1e6), True),
    MIXED: mixed(), INTS: integers(),
}


@pytest.mark.parametrize("message", FAULTS)
def test_faults(message):
  reader = readers.make_reader(SPEC, 5)
  fault = diagnosis.examine(FAULTS[message].SerializeToString(), reader.explain)
  assert fault and fault.text.startswith(f"(id v) {message}")
  assert reader.explain(tf.train.SequenceExample.FromString(
      example(frames(2)).SerializeToString())) is None


def test_a_bad_record_is_named(tmp_path):
  path = write(tmp_path / "x", [example(frames(2)), mixed()])
  with pytest.raises(records.RecordError, match=re.escape(
      f"{path}, record 1 (id v) has floats in frame 2 of feature clip")):
    read(path)


def test_the_graph_notices_what_can_be_parsed():
  parsed = [x for message, x in FAULTS.items() if message not in (MIXED, INTS)]
  serialized = [x.SerializeToString() for x in (*parsed, example(frames(2)))]
  find = tf.function(lambda x: float_frames.parse(x, x, SPEC)["clip"].good)
  assert list(find(tf.constant(serialized))) == [False] * len(parsed) + [True]


def test_floats_where_8_bits_are_expected_name_the_flag():
  reader = readers.make_reader(feature_spec.FeatureSpec(["rgb"], [4], "frame"), 5)
  record = example({"rgb": np.ones((2, 4), np.float32)}, True)
  fault = diagnosis.examine(record.SerializeToString(), reader.explain)
  assert fault and fault.text.startswith(
      "has floats in frame 0 of feature rgb, expected one byte string, of one byte a "
      "value. For floats, give --feature_dtypes.")


class TestKinds:

  def test_any_content(self):
    serialized = example(frames(3), True).SerializeToString()
    other = tf.train.SequenceExample.FromString(serialized)
    other.context.feature["clip"].float_list.value.append(1)
    del other.feature_lists.feature_list["clip"]
    rng = np.random.default_rng(0)
    cases = [serialized, serialized[:40], other.SerializeToString(), b"", b"\x12\xff",
             b"\xff" * 50, b"\x12\x00" * 5000, rng.bytes(500), bytes(100)]
    found = frame_kinds.hold_floats(tf.constant(cases), ["clip"])["clip"]
    assert found.numpy()[0] and not found.numpy()[2:].any()

  def test_names_that_are_part_of_others(self):
    record = tfrecords.frame_example("v", [1], {
        "x": np.ones((1, 2), np.float32), "xx": np.ones((200, 90), np.float32)})
    more = tfrecords.frame_example("v", [1], {"xx": np.ones((1, 1), np.float16)})
    record.feature_lists.feature_list["xx"].CopyFrom(
        tfrecords.frame_example("v", [], {"xx": np.ones((2, 90), np.float32)},
                                float_lists=True).feature_lists.feature_list["xx"])
    serialized = tf.constant([record.SerializeToString(), more.SerializeToString()])
    found = frame_kinds.hold_floats(serialized, ["x", "xx", "y"])
    assert {name: list(x.numpy()) for name, x in found.items()} == {
        "x": [False, False], "xx": [True, False], "y": [False, False]}


def test_video_level_vectors_as_float16(tmp_path):
  path = write(tmp_path / "x", [
      tfrecords.video_example("v", [1], {"clip": [0.1, 70000.0 * bad]})
      for bad in (0, 1)])
  spec = feature_spec.FeatureSpec(["clip"], [2], "video", ["float16"])
  reader = readers.make_reader(spec, 5)
  batch, = reader.dataset(path, 4, skip_bad_records=True)
  assert batch["features"]["clip"].dtype == tf.float16
  np.testing.assert_array_equal(batch["features"]["clip"], np.float16([[0.1, 0]]))
  with pytest.raises(records.RecordError, match="record 1 .* 70000 .* for float16"), (
      records.clear_errors(reader.explain)):
    list(reader.dataset(path, 4))
