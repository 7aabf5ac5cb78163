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
from yt8m.data import records
from yt8m.data import tfrecords
from yt8m.data.readers import VideoLevelReader

SPEC = FeatureSpec(("mean_rgb", "mean_audio"), (3, 2), "video")


def make_example(i, labels=(1,), **features):
  return tfrecords.video_example(f"v{i}", labels, {
      "mean_rgb": np.full(3, i, np.float32), "mean_audio": np.full(2, -i, np.float32)
  } | features)


def read(path, examples, spec=SPEC, batch_size=4, **kwargs):
  with tf.io.TFRecordWriter(str(path)) as writer:
    for example in examples:
      writer.write(example.SerializeToString())
  with records.clear_errors():
    return list(VideoLevelReader(spec, 5).dataset(str(path), batch_size, **kwargs))


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
     "add --frame_features, or name video-level ones."),
])
def test_bad_record_is_named(tmp_path, bad, message):
  path = tmp_path / "some.tfrecord"
  with pytest.raises(records.RecordError, match=f"^{path}, record 3 {message}"):
    read(path, [make_example(0), make_example(0), make_example(0), bad])


def test_missing_feature(tmp_path):
  spec = FeatureSpec(("mean_rgb", "mean_text"), (3, 2), "video")
  with pytest.raises(records.RecordError, match=r"record 0 has no feature mean_text, "
                     r"only id, labels, mean_audio, mean_rgb \(--feature_names\)"):
    read(tmp_path / "x", [make_example(0)], spec)


def test_feature_of_another_type(tmp_path):
  bad = make_example(1)
  bad.features.feature["mean_rgb"].int64_list.value.append(3)
  with pytest.raises(records.RecordError, match="x, record 1.*mean_rgb.*float"):
    read(tmp_path / "x", [make_example(0), bad])


def test_not_an_example(tmp_path):
  with tf.io.TFRecordWriter(str(tmp_path / "x")) as writer:
    writer.write(b"no protocol buffer \xff\x00")
  with pytest.raises(records.RecordError, match="x, record 0"), records.clear_errors():
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
