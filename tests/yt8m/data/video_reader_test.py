# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Video-level records: the starter code's values, and bad records."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.support import DATA
from tests.helpers.support import GOLDENS
from tests.helpers.support import load_golden
from tests.helpers.support import needs_data
from tests.helpers.support import needs_goldens
from tests.helpers.support import with_prefix
from yt8m.core.feature_spec import FeatureSpec
from yt8m.data import missing_features
from yt8m.data import records
from yt8m.data import tfrecords
from yt8m.data.readers import VideoLevelReader

SPEC = FeatureSpec(("mean_rgb", "mean_audio"), (3, 2), "video")


def make_example(i, labels=(1,), **features):
  return tfrecords.video_example(f"v{i}", labels, {
      "mean_rgb": np.full(3, i, np.float32), "mean_audio": np.full(2, -i, np.float32)
  } | features)


def read(path, examples, spec=SPEC, batch_size=4, reader=None, **kwargs):
  with tf.io.TFRecordWriter(str(path)) as writer:
    for example in examples:
      writer.write(example if isinstance(example, bytes) else example.SerializeToString())
  reader = reader or VideoLevelReader(spec, 5)
  with records.clear_errors(reader.explain):
    return list(reader.dataset(str(path), batch_size, **kwargs))


@needs_goldens
@pytest.mark.parametrize("names", ["rgb_audio", "rgb"])
def test_matches_the_starter_code(names):
  golden = with_prefix(load_golden("reader_video")[0], f"{names}/")
  names = [f"mean_{name}" for name in names.split("_")]
  spec = FeatureSpec(names, (16, 8)[:len(names)], "video")
  batch, = VideoLevelReader(spec, 20).dataset(f"{GOLDENS}/video_small.tfrecord", 8)
  np.testing.assert_array_equal(batch["id"], golden["video_ids"])
  np.testing.assert_array_equal(
      np.concatenate([batch["features"][name] for name in names], axis=1),
      golden["video_matrix"])
  np.testing.assert_array_equal(batch["labels"], golden["labels"])
  np.testing.assert_array_equal(batch["num_frames"], golden["num_frames"])


@needs_data
def test_real_records():
  spec = FeatureSpec(("mean_rgb", "mean_audio"), (1024, 128), "video")
  pattern = str(DATA / "yt8m/video/heldout/validate0048.tfrecord")
  batches = list(VideoLevelReader(spec, 3862).dataset(pattern, 100))
  num_labels = np.concatenate([np.sum(b["labels"], axis=1) for b in batches])
  assert len(num_labels) == sum(1 for _ in tf.data.TFRecordDataset(pattern))
  assert num_labels.min() >= 1 and 2.5 < num_labels.mean() < 3.5
  assert np.std(batches[0]["features"]["mean_rgb"]) == pytest.approx(0.46, abs=0.1)


def test_shapes_are_static_without_the_remainder(tmp_path):
  with tf.io.TFRecordWriter(str(tmp_path / "x")) as writer:
    for i in range(5):
      writer.write(make_example(i).SerializeToString())
  dataset = VideoLevelReader(SPEC, 5).dataset(
      str(tmp_path / "x"), 2, drop_remainder=True)
  shapes = tf.nest.map_structure(lambda spec: spec.shape.as_list(), dataset.element_spec)
  assert shapes == {"id": [2], "features": {"mean_rgb": [2, 3], "mean_audio": [2, 2]},
                    "num_frames": [2], "labels": [2, 5]}
  assert len(list(dataset)) == 2


def test_labels_are_optional(tmp_path):
  example = make_example(0)
  del example.features.feature["labels"]
  batch, = read(tmp_path / "x", [example])
  assert not np.any(batch["labels"])


@pytest.mark.parametrize(("bad", "message"), [
    (make_example(1, mean_audio=np.zeros(4)),
     "has 4 values of feature mean_audio, expected 2"),
    (make_example(1, labels=[0, 5]), "has label 5, outside the 5 classes"),
    (make_example(1, labels=[-1]), "has label -1, outside the 5 classes"),
    (tfrecords.frame_example("f", [1], {"rgb": np.zeros((1, 3), np.uint8)}),
     "has no feature mean_rgb, but frames of rgb. If these are frame-level records, "
     "add --frame_features, with a --model and --feature_names of frames, or name "
     "video-level ones."),
])
def test_bad_record_is_named(tmp_path, bad, message):
  path = tmp_path / "some.tfrecord"
  with pytest.raises(records.RecordError, match=f"^{path}, record 3 {message}"):
    read(path, [make_example(0), make_example(0), make_example(0), bad])


def test_missing_features_are_zeros(tmp_path):
  examples = [make_example(i) for i in range(1, 5)]
  examples[1].features.feature["mean_audio"].float_list.ClearField("value")
  del examples[2].features.feature["mean_audio"]
  del examples[3].features.feature["mean_audio"]
  del examples[3].features.feature["mean_rgb"]
  reader = VideoLevelReader(SPEC, 5)
  batch, = read(tmp_path / "x", examples, reader=reader)
  np.testing.assert_array_equal(
      batch["features"]["mean_audio"], [[-1, -1], [0, 0], [0, 0], [0, 0]])
  np.testing.assert_array_equal(batch["features"]["mean_rgb"][:, 0], [1, 2, 3, 0])
  assert reader.incidents.counts == {
      "videos without any feature": 1, "videos with a missing feature": 2}


def test_a_feature_that_no_record_has_is_a_wrong_name(tmp_path):
  reader = VideoLevelReader(FeatureSpec(("mean_rgb", "mean_text"), (3, 2), "video"), 5)
  read(tmp_path / "x", [make_example(0)])
  with pytest.raises(ValueError, match=r"x, record 0 has no feature mean_text, and nor "
                     r"has any .* only mean_audio, mean_rgb \(--feature_names\)"):
    missing_features.check(
        [str(tmp_path / "x")], reader.expected, reader.explain, "--data")


def feature(**values):
  return tf.train.Feature(**{
      kind: {"bytes_list": tf.train.BytesList, "int64_list": tf.train.Int64List,
             "float_list": tf.train.FloatList}[kind](value=value)
      for kind, value in values.items()})


FAULTS = {
    "wrong types": ("mean_rgb", feature(int64_list=[3, 3, 3]),
                    "has integers in mean_rgb, expected floats"),
    "no id": ("id", feature(bytes_list=[]), "has neither id nor video_id"),
    "several ids": ("id", feature(bytes_list=[b"a", b"b"]),
                    "has 2 values of id, expected one"),
    "labels out of range": ("labels", feature(int64_list=[9]), "has label 9, outside"),
    "values that are not finite": (
        "mean_audio", feature(float_list=[1, np.nan]),
        r"\(id v0\) has nan as value 1 of feature mean_audio"),
}


def faulty(kind):
  example = make_example(0)
  name, value, _ = FAULTS[kind]
  example.features.feature[name].CopyFrom(value)
  return example


@pytest.mark.parametrize("kind", FAULTS)
def test_fault_is_named(tmp_path, kind):
  with pytest.raises(records.RecordError, match=f"/x, record 1 {FAULTS[kind][2]}"):
    read(tmp_path / "x", [make_example(0), faulty(kind)])


@pytest.mark.parametrize(("key", "value", "message"), [
    ("labels", feature(float_list=[1]), "has floats in labels, expected class numbers "
     "from 0 to 4"),
    ("labels", feature(bytes_list=[b"Car"]), "has byte strings in labels"),
    ("id", feature(int64_list=[17]), "has integers in id, expected byte strings"),
    ("video_id", feature(bytes_list=[b"a", b"b"]), "has 2 values of video_id"),
    ("mean_rgb", feature(bytes_list=[b"123"]), "has byte strings in mean_rgb"),
    ("mean_rgb", feature(float_list=[1, np.inf, 1]), r"\(id v0\) has inf as value 1"),
])
def test_wrong_values_are_named(tmp_path, key, value, message):
  example = make_example(0)
  example.features.feature[key].CopyFrom(value)
  with pytest.raises(records.RecordError, match=f"/x, record 0 {message}"):
    read(tmp_path / "x", [example])


class TestSkipBadRecords:

  def examples(self):
    examples = [make_example(i) for i in range(1, 12)]
    for place, kind in zip((0, 3, 4, 9, 13), FAULTS, strict=True):
      examples.insert(place, faulty(kind))
    return examples

  @pytest.mark.parametrize("drop_remainder", [True, False])
  def test_are_left_out_one_by_one_and_counted(self, tmp_path, caplog, drop_remainder):
    reader = VideoLevelReader(SPEC, 5)
    batches = read(tmp_path / "x", self.examples(), reader=reader, batch_size=3,
                   drop_remainder=drop_remainder, skip_bad_records=True)
    assert [len(b["id"]) for b in batches] == [3, 3, 3, 2][:3 if drop_remainder else 4]
    expected = [f"v{i}".encode() for i in range(1, 10 if drop_remainder else 12)]
    assert [i for b in batches for i in b["id"].numpy()] == expected
    assert reader.incidents.counts == {
        f"bad records left out, with {kind}": 1 for kind in FAULTS}
    assert ("x, record 13 (id v0) has nan as value 1 of feature mean_audio"
            in caplog.text)

  def test_resumes_at_the_same_example(self, tmp_path):
    examples = self.examples()
    whole = read(tmp_path / "x", examples, batch_size=1, training=True,
                 skip_bad_records=True)
    for done in (1, 4, 10):
      rest = read(tmp_path / "x", examples, batch_size=1, training=True,
                  skip_bad_records=True, skip_examples=done)
      assert [b["id"] for b in rest] == [b["id"] for b in whole[done:]]

  def test_bytes_that_are_no_protocol_buffer(self, tmp_path):
    reader = VideoLevelReader(SPEC, 5)
    broken = [make_example(0), b"no protocol buffer \xff\x00", make_example(1)]
    batch, = read(tmp_path / "x", broken, reader=reader, skip_bad_records=True)
    assert list(batch["id"].numpy()) == [b"v0", b"v1"]
    assert reader.incidents.counts == {
        "bad records left out, with broken protocol buffers": 1}

  def test_nothing_is_good(self, tmp_path):
    assert not read(tmp_path / "x", [faulty("no id")] * 9, skip_bad_records=True)


def test_not_an_example(tmp_path):
  with tf.io.TFRecordWriter(str(tmp_path / "x")) as writer:
    writer.write(b"no protocol buffer \xff\x00")
  with pytest.raises(records.RecordError, match="x, record 0 is no tf.train.Example or "
                     "SequenceExample"), records.clear_errors(lambda record: None):
    list(VideoLevelReader(SPEC, 5).dataset(str(tmp_path / "x"), 1))


def test_parse_batch_in_a_saved_model(tmp_path):
  reader = VideoLevelReader(SPEC, 5)
  module = tf.Module()
  module.parse = tf.function(
      reader.parse_batch, input_signature=[tf.TensorSpec([None], tf.string)])
  tf.saved_model.save(module, str(tmp_path))
  parse = tf.saved_model.load(str(tmp_path)).parse
  batch = parse([make_example(i).SerializeToString() for i in (7, 8)])
  np.testing.assert_array_equal(batch["features"]["mean_rgb"], [[7] * 3, [8] * 3])
  with pytest.raises(tf.errors.InvalidArgumentError, match="record 1 of the batch is"):
    parse([make_example(0).SerializeToString(),
           make_example(1, labels=[9]).SerializeToString()])
  silent, other = make_example(2), make_example(3)
  del silent.features.feature["mean_audio"]
  batch = parse([silent.SerializeToString()])
  assert not np.any(batch["features"]["mean_audio"])
  frames = tfrecords.frame_example("v", [], {"mean_rgb": np.zeros((2, 3), np.uint8)})
  del other.features.feature["mean_audio"], other.features.feature["mean_rgb"]
  for bad in (frames, other):
    with pytest.raises(tf.errors.InvalidArgumentError, match="record 0 of the batch is "
                       "bad. Expected: .* at least one of the float features"):
      parse([bad.SerializeToString()])
