# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Rated segments: the starter code's values, the ends of videos, bad ratings."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.support import GOLDENS
from tests.helpers.support import load_golden
from tests.helpers.support import needs_goldens
from tests.helpers.support import with_prefix
from yt8m.core.feature_spec import FeatureSpec
from yt8m.data import records
from yt8m.data import tfrecords
from yt8m.data.readers import SegmentReader
from yt8m.data.readers import split_into_segments

SPEC = FeatureSpec(("rgb",), (2,), "segment")


def make_example(video_id, num_frames, segments):
  frames = np.arange(1, 1 + 2 * num_frames, dtype=np.uint8).reshape(num_frames, 2)
  return tfrecords.segment_example(video_id, [0], {"rgb": frames}, segments)


def read(path, examples, reader=None, batch_size=4, **kwargs):
  with tf.io.TFRecordWriter(str(path)) as writer:
    for example in examples:
      writer.write(example.SerializeToString())
  reader = reader or SegmentReader(SPEC, 6, max_frames=12)
  with records.clear_errors():
    return list(reader.dataset(str(path), batch_size, **kwargs))


def keys(batches):
  return [(video_id.decode(), int(start)) for batch in batches for video_id, start in zip(
      batch["id"].numpy(), batch["segment_start_times"], strict=True)]


@needs_goldens
def test_matches_the_starter_code():
  golden, _ = load_golden("reader_segment")
  spec = FeatureSpec(("rgb", "audio"), (16, 8), "segment")
  batch, = SegmentReader(spec, 20, 12).dataset(f"{GOLDENS}/segment_small.tfrecord", 100)
  # seg5, the last row, starts so late that the starter code failed.
  expected = [with_prefix(golden, f"out/{i}/") for i in range(5)]
  expected = {name: np.concatenate([out[name] for out in expected])
              for name in expected[0]}
  np.testing.assert_array_equal(batch["id"][:-1], expected["video_ids"])
  for name in ("labels", "label_weights"):
    np.testing.assert_array_equal(batch[name][:-1], expected[name])
  frames = np.concatenate([batch["features"][name] for name in spec.names], axis=2)
  exists = np.arange(5) < batch["num_frames"].numpy()[:, np.newaxis]
  matrix = np.where(exists[..., np.newaxis], frames * (4 / 255) + (4 / 512 - 2), 0)
  np.testing.assert_allclose(matrix[:-1], expected["video_matrix"], atol=1e-6)
  # The starter code always gives 5, but seg3 (6 frames, from 4) has only two.
  np.testing.assert_array_equal(batch["num_frames"], [5] * 6 + [2, 3])
  assert not frames[~exists].any()
  np.testing.assert_array_equal(
      batch["features"]["rgb"][-1, :3], golden["in/5/rgb"][9:12])
  np.testing.assert_array_equal(np.flatnonzero(batch["labels"][-1]), [8])


def test_one_example_for_each_start_time(tmp_path):
  batches = read(tmp_path / "x", [
      make_example("a", 12, [(5, 1, 1), (0, 2, 0), (5, 3, 0.5)]),
      make_example("b", 12, []),
      make_example("c", 12, [(5, 0, 1)])])
  assert keys(batches) == [("a", 5), ("a", 0), ("c", 5)]
  np.testing.assert_array_equal(
      batches[0]["labels"],
      [[0, 1, 0, .5, 0, 0], [0] * 6, [1, 0, 0, 0, 0, 0]])
  np.testing.assert_array_equal(
      batches[0]["label_weights"],
      [[0, 1, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]])


def test_last_of_two_ratings_of_a_class_counts(tmp_path):
  batch, = read(tmp_path / "x", [make_example("a", 9, [(0, 2, s) for s in (1, 0.25)])])
  assert batch["labels"][0, 2] == 0.25 and np.sum(batch["label_weights"]) == 1


def test_end_of_the_video(tmp_path, caplog):
  reader = SegmentReader(SPEC, 6, max_frames=12)
  batch, = read(tmp_path / "x", [
      make_example("a", 6, [(4, 1, 1), (6, 1, 1), (-1, 1, 1), (5, 1, 1)]),
      make_example("b", 30, [(10, 1, 1), (12, 1, 1)]),
      make_example("c", 0, [(0, 1, 1)])], reader)
  assert keys([batch]) == [("a", 4), ("a", 5), ("b", 10)]
  np.testing.assert_array_equal(batch["num_frames"], [2, 1, 2])
  np.testing.assert_array_equal(
      batch["features"]["rgb"][0], [[9, 10], [11, 12], [0, 0], [0, 0], [0, 0]])
  np.testing.assert_array_equal(batch["features"]["rgb"][2, :2], [[21, 22], [23, 24]])
  assert reader.incidents.counts == {"segments outside their video": 4}
  assert "x, record 0 has a segment that starts at frame 6, where" in caplog.text


@pytest.mark.parametrize("batch_size", [1, 7, 50])
def test_batches_and_skipping(tmp_path, batch_size):
  examples = [make_example(f"v{i}", 12, [(s, 1, 1) for s in range(i % 4)])
              for i in range(40)]
  whole = read(tmp_path / "x", examples, batch_size=batch_size)
  expected = [(f"v{i}", s) for i in range(40) for s in range(i % 4)]
  assert keys(whole) == expected
  rest = read(tmp_path / "x", examples, batch_size=batch_size, skip_examples=11)
  assert keys(rest) == expected[11:]
  full = read(tmp_path / "x", examples, batch_size=batch_size, drop_remainder=True)
  assert {len(batch["id"]) for batch in full} == {batch_size}


@pytest.mark.parametrize(("bad", "message"), [
    (make_example("v", 5, [(0, 6, 1)]), "has label 6, outside the 6 classes"),
    (make_example("v", 5, [(0, -2, 1)]), "has label -2, outside the 6 classes"),
    (tfrecords.video_example("v", [0], {"mean_rgb": [1.0]}),
     "has no frames of feature rgb, only id, labels, mean_rgb. If these are "
     "video-level records"),
])
def test_bad_record_is_named(tmp_path, bad, message):
  with pytest.raises(records.RecordError, match=f"x, record 1 {message}"):
    read(tmp_path / "x", [make_example("v", 5, [(0, 1, 1)]), bad])


def test_incomplete_ratings(tmp_path):
  bad = make_example("v", 5, [(0, 1, 1), (0, 2, 1)])
  bad.context.feature["segment_scores"].float_list.value.pop()
  with pytest.raises(records.RecordError, match="record 0 has 2 segment_start_times, "
                     "2 segment_labels and 1 segment_scores"):
    read(tmp_path / "x", [bad])


@needs_goldens
@pytest.mark.parametrize("case", [1, 2])
def test_cuts_like_the_starter_code(case):
  golden, _ = load_golden("csv_get_segments")
  features, num_frames, ids = split_into_segments(
      golden[f"{case}/in"], golden[f"{case}/num_frames"])
  np.testing.assert_array_equal(features, golden[f"{case}/out/video_batch"])
  np.testing.assert_array_equal(num_frames, golden[f"{case}/out/num_frames_batch"])
  np.testing.assert_array_equal(ids, golden[f"{case}/out/video_segment_ids"])


@needs_goldens
def test_lengths_that_failed_in_the_starter_code():
  golden, _ = load_golden("csv_get_segments")
  frames, num_frames = golden["0/in"], golden["0/num_frames"]
  features, counts, ids = split_into_segments(frames, num_frames)
  assert features.shape == (3 + 1 + 1 + 2, 5, 3)
  np.testing.assert_array_equal(
      ids, [(0, 0), (0, 5), (0, 10), (1, 0), (2, 0), (3, 0), (3, 5)])
  np.testing.assert_array_equal(counts, [5, 5, 2, 5, 1, 5, 3])
  for segment, count, (row, start) in zip(features, counts, ids, strict=True):
    np.testing.assert_array_equal(segment[:count], frames[row, start:start + count])


@pytest.mark.parametrize("segment_frames", [1, 3, 4])
def test_segments_put_together_are_the_videos(segment_frames):
  num_frames = [7, 1, 4, 6]
  video = np.arange(4 * 7 * 2, dtype=np.uint8).reshape(4, 7, 2) + 1
  video[np.arange(7) >= np.array(num_frames)[:, np.newaxis]] = 0
  cut, counts, ids = tf.function(split_into_segments)(
      {"rgb": video}, num_frames, segment_frames)
  assert cut["rgb"].dtype == tf.uint8
  for row, length in enumerate(num_frames):
    mine = ids[:, 0] == row
    np.testing.assert_array_equal(
        np.concatenate(cut["rgb"][mine])[:length], video[row, :length])
    assert np.sum(counts[mine]) == length


def test_bad_records_are_left_out_one_by_one(tmp_path):
  examples = [make_example(f"v{i}", 12, [(0, 1, 1), (5, 2, 0)]) for i in range(9)]
  uneven = make_example("v", 12, [(0, 1, 1)])
  uneven.context.feature["segment_scores"].float_list.value.append(1)
  for place, bad in ((0, make_example("", 12, [(0, 1, 1)])), (4, uneven),
                     (9, make_example("v", 12, [(0, 6, 1)]))):
    examples.insert(place, bad)
  reader = SegmentReader(SPEC, 6, max_frames=12)
  batches = read(tmp_path / "x", examples, reader, skip_bad_records=True)
  assert keys(batches) == [(f"v{i}", start) for i in range(9) for start in (0, 5)]
  assert reader.incidents.counts == {
      f"bad records left out, with {kind}": 1
      for kind in ("no id", "incomplete ratings", "labels out of range")}
