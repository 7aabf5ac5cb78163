# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Ratings are the same from the records and from the cache."""

import os

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.support import GOLDENS
from tests.helpers.support import load_golden
from tests.helpers.support import needs_goldens
from yt8m.data import tfrecords
from yt8m.eval.metrics import segment_labels

FEATURES = {"rgb": np.zeros((10, 4), np.uint8)}


def record(video_id, ratings):
  return tfrecords.segment_example(video_id, [1], FEATURES, ratings)


def write_records(path, examples):
  with tf.io.TFRecordWriter(str(path)) as writer:
    for example in examples:
      writer.write(example.SerializeToString())
  return str(path)


@needs_goldens
def test_the_cache_equals_the_one_made_for_the_starter_code(tmp_path):
  golden, meta = load_golden("e2e")
  path = tmp_path / "labels"
  rated = segment_labels.load_rated_segments(f"{GOLDENS}/e2e_seg*.tfrecord", path)
  starters = golden["segeval/label_cache"].tobytes().decode().splitlines()
  assert sorted(path.read_text().splitlines()) == sorted(starters)
  assert segment_labels.read_cache(path) == rated
  assert sum(map(len, rated.values())) == meta["num_rated"]


def test_records_give_ratings_by_class_and_segment(tmp_path):
  one = write_records(tmp_path / "one", [
      record("a", [(0, 7, 1.), (5, 7, 0.), (0, 3, 0.)]), record("none", [])])
  two = write_records(tmp_path / "two", [record("b", [(5, 7, .5), (5, 7, 1.)])])
  expected = {7: {"a:0": 1., "a:5": 0., "b:5": 1.}, 3: {"a:0": 0.}}
  assert segment_labels.read_rated_segments(f"{one}, {two}") == expected
  assert segment_labels.read_rated_segments(f"{tmp_path}/*") == expected


def test_the_id_may_be_called_video_id(tmp_path):
  example = record("a", [(0, 7, 1.)])
  context = example.context.feature
  context["video_id"].CopyFrom(context.pop("id"))
  path = write_records(tmp_path / "records", [example])
  assert segment_labels.read_rated_segments(path) == {7: {"a:0": 1.}}


def test_a_cache_spares_the_records(tmp_path):
  path = write_records(tmp_path / "records", [record("a", [(0, 7, .3)])])
  cache = tmp_path / "labels"
  first = segment_labels.load_rated_segments(path, cache)
  os.remove(path)
  assert segment_labels.load_rated_segments(path, cache) == first
  assert segment_labels.load_rated_segments("", cache) == first
  assert os.listdir(tmp_path) == ["labels"]


def test_no_ratings_at_all_is_an_error(tmp_path):
  with pytest.raises(ValueError, match="--eval_data_pattern, or a --label_cache that"):
    segment_labels.load_rated_segments("", tmp_path / "missing")
  with pytest.raises(ValueError, match=r"No file matches .*missing\*' \(--eval_data_"):
    segment_labels.load_rated_segments(f"{tmp_path}/missing*", tmp_path / "labels")
  video_level = tfrecords.video_example("a", [1], {"mean_rgb": np.zeros(4)})
  path = write_records(tmp_path / "records", [record("a", []), video_level])
  with pytest.raises(ValueError, match="None of the 2 records .* has rated segments"):
    segment_labels.load_rated_segments(path, tmp_path / "labels")
  assert os.listdir(tmp_path) == ["records"]


@pytest.mark.parametrize("key", ["segment_scores", "segment_start_times", "id"])
def test_an_incomplete_record_is_named(tmp_path, key):
  incomplete = record("a", [(0, 7, 1.)])
  del incomplete.context.feature[key]
  path = write_records(tmp_path / "records", [record("b", [(0, 7, 1.)]), incomplete])
  with pytest.raises(ValueError, match="records, record 1"):
    segment_labels.read_rated_segments(path)


def test_a_damaged_file_is_named_or_left(tmp_path):
  path = tmp_path / "records"
  write_records(path, [record("a", [(0, 7, 1.)]), record("b", [(0, 7, 1.)])])
  path.write_bytes(path.read_bytes()[:-10])
  with pytest.raises(ValueError, match="records, record 1 is cut off"):
    segment_labels.load_rated_segments(str(path), tmp_path / "labels")
  assert not (tmp_path / "labels").exists()
  rated = segment_labels.load_rated_segments(str(path), skip_corrupt_records=True)
  assert rated == {7: {"a:0": 1.}}


def test_a_record_of_another_kind_is_named(tmp_path):
  path = str(tmp_path / "records")
  with tf.io.TFRecordWriter(path) as writer:
    writer.write(b"\xff")
  with pytest.raises(ValueError, match="records, record 0 is no tf.train.Example"):
    segment_labels.read_rated_segments(path)


@pytest.mark.parametrize("line", [
    "a:0,7", "a:0,seven,1.0", "a:0,7,one", "", "a:0,7,٣", "a:0,٧,1", "a:٠,7,1",
    "a:0,7, .5", "a:0,7,+5", "a:0,7,1_0", "a:0,7,-1", "a:0,7,1e999", ":0,7,1"])
def test_a_damaged_cache_line_is_named(tmp_path, line):
  path = tmp_path / "labels"
  path.write_text(f"a:0,7,1.0\n{line}\n", encoding="utf-8")
  with pytest.raises(ValueError, match="labels, line 2: expected id:start,class,score, .*"
                     "Delete the file to have it written again"):
    segment_labels.read_cache(path)
