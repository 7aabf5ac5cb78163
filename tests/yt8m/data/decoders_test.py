# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Decoders of local records return what TensorFlow's parser does, or leave it to it."""

import random

import numpy as np
import pytest
import tensorflow as tf

from tests.fuzz import record_targets
from yt8m.core.feature_spec import FeatureSpec
from yt8m.data import frame_decoder
from yt8m.data import framing
from yt8m.data import locators
from yt8m.data import parsing
from yt8m.data import tfrecords
from yt8m.data import vector_decoder
from yt8m.data import wire
from yt8m.data.readers import make_reader

NUM_CLASSES, MAX_FRAMES = 9, 4
VIDEO = FeatureSpec(("mean_rgb", "mean_audio"), (3, 2), "video")
FRAME = FeatureSpec(("rgb", "audio"), (3, 2), "frame")
FLOATS = FeatureSpec(("rgb", "audio"), (3, 2), "frame", ("float32", "float16"))


def make_decoder(spec):
  if spec.is_video_level:
    return vector_decoder.VectorDecoder(spec, 1024)
  return frame_decoder.FrameDecoder(spec, MAX_FRAMES, True, 64)


def decode(spec, path, records):
  with tf.io.TFRecordWriter(str(path)) as writer:
    for record in records:
      writer.write(record)
  found = locators.of_file(0, framing.inspect(str(path)).offsets)
  return make_decoder(spec).read([str(path)], found)


def frames(rng, dtype="uint8", count=3):
  return {name: rng.integers(0, 256, (count, size)).astype(dtype)
          for name, size in zip(FRAME.names, FRAME.sizes, strict=True)}


def examples(spec):
  rng = np.random.default_rng(0)
  if spec is VIDEO:
    return [tfrecords.video_example(name, [1, 3], {
        "mean_rgb": rng.normal(size=3), "mean_audio": rng.normal(size=2)})
            for name in ("DiRU", "é", "x" * 200)]
  if spec is FRAME:
    return [tfrecords.frame_example("DiRU", [0, 8], frames(rng, count=2)),
            tfrecords.frame_example("PzYl", [2], frames(rng, count=6), "video_id")]
  # The second record has lists of floats, the first byte strings.
  return [tfrecords.frame_example("DiRU", [0, 8], {
      "rgb": frames(rng, "float32")["rgb"], "audio": frames(rng, "float16")["audio"]}),
          tfrecords.frame_example("PzYl", [2], {
              "rgb": frames(rng, "float32")["rgb"]}, float_lists=True)]


@pytest.mark.parametrize("spec", [VIDEO, FRAME, FLOATS], ids=["video", "frame", "floats"])
def test_same_as_the_parser_or_left_to_it(spec, tmp_path):
  reader, rng = make_reader(spec, NUM_CLASSES, MAX_FRAMES), random.Random(0)
  parse = tf.function(reader.parse_batch)

  @tf.function
  def parse_rest(rest):
    context, _, _ = tf.io.parse_sequence_example(
        rest, parsing.ID_FEATURES | parsing.LABEL_FEATURES)
    return (reader._valid(context, "labels"), parsing.video_ids(context),
            parsing.label_matrix(context["labels"], NUM_CLASSES))

  # Some of them as they are, which must be decoded.
  good = [example.SerializeToString(deterministic=True) for example in examples(spec)]
  num_decoded = 0
  for number in range(400):
    record = rng.choice(good)
    if number % 4:
      record = record_targets.unframed(
          record_targets.mutate_record(rng, record_targets.framed(record)))
    rest, present, *values = decode(spec, tmp_path / "a", [record])
    if rest[0] == b"":
      assert number % 4, "a good record was not decoded"
      continue
    try:
      valid, ids, labels = parse_rest(tf.constant(list(rest)))
    except tf.errors.InvalidArgumentError:
      with pytest.raises(tf.errors.InvalidArgumentError):  # The labels were not checked.
        parse(tf.constant([record]))
      continue
    if not valid[0]:
      continue
    num_decoded += 1
    expected = parse(tf.constant([record]))
    assert ids[0] == expected["id"][0]
    np.testing.assert_array_equal(labels, expected["labels"])
    for name, x in zip(spec.names, values, strict=True):
      np.testing.assert_array_equal(x, expected["features"][name])
    if spec is not VIDEO:
      there = present[0][present[0] > 0]
      assert min(there.min(), MAX_FRAMES) == expected["num_frames"][0]
  assert num_decoded > 100


def test_orders_of_entries_and_other_entries(tmp_path):
  example = tfrecords.video_example("a", [1], {
      "mean_rgb": [1.0, 2.0, 3.0], "mean_audio": [4.0, 5.0], "other": [6.0] * 50})
  entries = [tf.train.Features(feature={name: value}).SerializeToString()
             for name, value in example.features.feature.items()]
  rng, records = random.Random(0), []
  for _ in range(10):
    rng.shuffle(entries)
    records.append(wire.field(wire.FIRST, b"".join(entries)))
  rest, present, rgb, audio = decode(VIDEO, tmp_path / "a", records)
  assert present.all()
  np.testing.assert_array_equal(rgb, [[1, 2, 3]] * 10)
  np.testing.assert_array_equal(audio, [[4, 5]] * 10)
  for one in rest:
    features = tf.train.Example.FromString(one).features.feature
    assert sorted(features) == ["id", "labels", "other"]


def test_a_name_may_be_longer_than_the_last_entry(tmp_path):
  spec = FeatureSpec(("clip_vit_large_patch14_embedding",), (300,), "video")
  example = tfrecords.video_example("a", [1], {spec.names[0]: np.arange(300)})
  entries = [tf.train.Features(feature={
      name: example.features.feature[name]}).SerializeToString()
             for name in ("id", *spec.names, "labels")]
  # More than the memory has at first, so that it ends with the last record.
  records = [wire.field(wire.FIRST, b"".join(entries))] * 600
  assert 600 * len(records[0]) > 2 * locators.RUN_BYTES
  rest, present, vectors = decode(spec, tmp_path / "a", records)
  assert all(rest) and present.all()
  np.testing.assert_array_equal(vectors, [np.arange(300)] * 600)


@pytest.mark.parametrize("other", [
    {"mean_rgb": [1.0, 2.0]}, {"mean_rgb": [1.0, float("nan"), 2.0]}, {}])
def test_a_record_that_must_be_parsed_leaves_the_others_alone(tmp_path, other):
  good = {"mean_rgb": [1.0, 2.0, 3.0], "mean_audio": [4.0, 5.0]}
  rest, present, rgb, _ = decode(VIDEO, tmp_path / "a", [
      tfrecords.video_example("a", [1], features).SerializeToString()
      for features in (good, other, good)])
  assert [bool(one) for one in rest] == [True, False, True]
  assert present[[0, 2]].all()
  np.testing.assert_array_equal(rgb[[0, 2]], [[1, 2, 3]] * 2)


def test_missing_vectors_are_zeros(tmp_path):
  rest, present, rgb, audio = decode(VIDEO, tmp_path / "a", [
      tfrecords.video_example("a", [1], features).SerializeToString()
      for features in ({"mean_rgb": [1.0, 2.0, 3.0]}, {"mean_audio": [4.0, 5.0]})])
  assert all(rest) and present.tolist() == [[True, False], [False, True]]
  np.testing.assert_array_equal(rgb, [[1, 2, 3], [0, 0, 0]])
  np.testing.assert_array_equal(audio, [[0, 0], [4, 5]])


def test_frames_of_one_feature_may_be_more_than_a_short_batch_has_place_for(tmp_path):
  rng = np.random.default_rng(0)
  decoder = frame_decoder.FrameDecoder(FRAME, 300, False, 4)
  path = str(tmp_path / "a")
  with tf.io.TFRecordWriter(path) as writer:
    for features in (frames(rng, count=4), frames(rng, count=9)):
      writer.write(tfrecords.frame_example("a", [1], features).SerializeToString())
    writer.write(tfrecords.frame_example(
        "b", [1], {"audio": frames(rng, count=40)["audio"]}).SerializeToString())
  found = locators.of_file(0, framing.inspect(path).offsets)
  rest, counts, rgb, audio = decoder.read([path], found[:2])
  assert counts.tolist() == [[4, 4], [9, 9]]
  assert all(rest) and rgb.shape == (2, 9, 3) and audio.shape == (2, 9, 2)
  assert not rgb[0, 4:].any() and rgb[0, :4].any()
  assert list(decoder.read([path], found[2:])[0]) == [b""]
