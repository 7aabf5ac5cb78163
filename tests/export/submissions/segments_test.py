# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The CSV of the segment task equals that of the starter code, in bounded memory."""

import os

import numpy as np
import pytest

from tests.helpers import e2e
from tests.helpers.support import DATA
from tests.helpers.support import needs_data
from tests.helpers.support import needs_goldens
from yt8m.core.feature_spec import SEGMENT_FRAMES
from yt8m.export.prediction import jobs
from yt8m.export.submissions import segments as segment_submission

WriterClass = segment_submission.SegmentSubmissionWriter


@needs_goldens
@needs_data
@pytest.mark.parametrize("key, segment_max_pred", [
    ("csv/out_seg", 100_000), ("csv/out_seg_cap5", 5)])
def test_a_whole_submission_equals_the_starter_codes(tmp_path, key, segment_max_pred):
  class_ids = segment_submission.read_class_ids(
      DATA / "yt8m" / "segment_label_ids.csv", num_classes=3862)
  path = tmp_path / "out.csv"
  best = jobs.TopClasses(3862, 20, class_ids)
  with WriterClass(path, segment_max_pred) as writer:
    for video_id, frames in e2e.records("seg"):
      starts = range(0, len(frames), SEGMENT_FRAMES)
      writer.write([f"{video_id.decode()}:{start}" for start in starts], *best(np.stack([
          e2e.frame_level_logistic(frames[start:start + SEGMENT_FRAMES])
          for start in starts])))
  assert path.read_text() == e2e.golden_text(key)


def write(path, batches, top_k=20, class_ids=None, **options):
  with WriterClass(path, **options) as writer:
    for segment_ids, predictions in batches:
      best = jobs.TopClasses(np.shape(predictions)[1], top_k, class_ids)
      writer.write(segment_ids, *best(np.asarray(predictions, np.float32)))
  return path.read_text().splitlines()[1:]


def plain_loop(segment_ids, predictions, top_k, segment_max_pred):
  lists = {}
  for segment_id, row in zip(segment_ids, predictions, strict=True):
    for class_id in np.argsort(-row, kind="stable")[:top_k]:
      lists.setdefault(class_id, []).append((-row[class_id], segment_id))
  return [f"{class_id}," + " ".join(
      segment_id for _, segment_id in sorted(entries, key=lambda e: e[0])
      [:segment_max_pred]) for class_id, entries in lists.items()]


@pytest.mark.parametrize("segment_max_pred", [1, 7, 1000])
def test_cutting_on_the_way_changes_nothing(tmp_path, monkeypatch, segment_max_pred):
  rng = np.random.default_rng(1)
  segment_ids = [f"v{i // 7}:{i % 7 * 5}" for i in range(300)]
  # Few different scores, some below 0: ties within and between batches.
  predictions = rng.integers(-3, 4, (300, 12)).astype(np.float32) / 4
  batches = [(segment_ids[i:i + 16], predictions[i:i + 16]) for i in range(0, 300, 16)]
  monkeypatch.setattr(segment_submission._BestSegments, "_MIN_WAITING", 40)
  lines = write(tmp_path / "out.csv", batches, top_k=3,
                segment_max_pred=segment_max_pred)
  assert lines == plain_loop(segment_ids, predictions, 3, segment_max_pred)


def test_memory_is_bounded_by_segment_max_pred(monkeypatch):
  monkeypatch.setattr(segment_submission._BestSegments, "_MIN_WAITING", 100)
  best = segment_submission._BestSegments(capacity=3)
  rng = np.random.default_rng(2)
  for batch in range(200):
    best.add([f"{batch}:{i}" for i in range(10)],
             rng.integers(0, 5, (10, 2)), rng.random((10, 2)))
    assert len(best._entries[0]) <= 3 * 5
    assert len(best._segment_ids) <= 3 * 5 + 120 / 2
  assert all(len(segments) == 3 for _, segments in best.by_class())


def test_only_the_classes_of_the_task_are_written(tmp_path):
  lines = write(tmp_path / "out.csv", [(["a:0"], [[.9, .2, .8, .1]]),
                                       ([b"b:5"], [[.9, .3, .8, .1]])],
                class_ids=[1, 3], top_k=4)
  assert lines == ["1,b:5 a:0", "3,a:0 b:5"]


def test_no_segments_give_a_header(tmp_path):
  path = tmp_path / "out.csv"
  assert write(path, []) == []
  assert write(path, [([], np.empty((0, 30)))], overwrite=True) == []
  assert path.read_bytes() == b"Class,Segments\n"
  assert list(segment_submission.read_segment_submission(path)) == []


def test_a_failed_prediction_leaves_nothing(tmp_path):
  with (pytest.raises(ZeroDivisionError), WriterClass(tmp_path / "out.csv") as writer):
    writer.write(["a:0"], np.zeros((1, 1), int), np.ones((1, 1)))
    _ = 1 / 0
  assert os.listdir(tmp_path) == []


def test_bad_arguments_are_named(tmp_path):
  path = tmp_path / "out.csv"
  with pytest.raises(ValueError, match="--segment_max_pred=0 must be at least 1"):
    WriterClass(path, segment_max_pred=0)
  with pytest.raises(ValueError, match="1 ids for 2 predictions"):
    write(path, [(["a:0"], np.ones((2, 30)))])
  path.write_text("old")
  with pytest.raises(FileExistsError, match="--overwrite"):
    write(path, [])
  assert path.read_text() == "old"


def test_class_ids_come_from_a_file(tmp_path):
  path = tmp_path / "ids.csv"
  path.write_text("Index\n7\n3\n\n7\n")
  assert segment_submission.read_class_ids(path, 8) == (3, 7)
  with pytest.raises(ValueError, match="ids.csv: class 7, but .* 7 classes"):
    segment_submission.read_class_ids(path, 7)
  path.write_text("Index\n")
  with pytest.raises(ValueError, match="ids.csv: no class .*--segment_label_ids_file"):
    segment_submission.read_class_ids(path, 7)


@pytest.mark.parametrize("content", [
    b"\xef\xbb\xbf1\r\n2\r\n", b"\xef\xbb\xbfIndex\r\n2.0\r\n1.0\r\n", b'"1"\n"2"\n',
    b"1;\n2;\n;\n", b"Index,Name\n1,\"Game, video\"\n2,x\n", b"classes\n2\n1"])
def test_a_spreadsheet_loses_no_class(tmp_path, content):
  path = tmp_path / "ids.csv"
  path.write_bytes(content)
  assert segment_submission.read_class_ids(path, 8) == (1, 2)


@pytest.mark.parametrize("content, error", [
    (b"1\n2.5\n", "line 2: expected the number of one class, got '2.5'"),
    (b"1,2,3\n", "line 1: expected the number of one class, got '1,2,3'"),
    (b"Index\n1\nx\n", "line 3: expected the number of one class, got 'x'"),
    (b"Name,Index\nGame\n", "line 2: expected the number of one class, got 'Game'"),
    (b"Index\n3\n1,7\n", "line 3: expected the number of one class, got '1,7'"),
    ("٣\n".encode(), "line 1: expected the number of one class, got '٣'"),
    (b"-1\n", "line 1: expected"), (b"1\n\xb2\n", "line 2: it is not UTF-8"),
    (b"\xff\xfe1\0\n\0", "is UTF-16 text"), (b"9" * 5000, "line 1: expected"),
])
def test_a_line_that_is_no_class_is_named(tmp_path, content, error):
  path = tmp_path / "ids.csv"
  path.write_bytes(content)
  with pytest.raises(ValueError, match=f"ids.csv.* {error}"):
    segment_submission.read_class_ids(path, 8)


@pytest.mark.parametrize("header, end", [("Class,Segments\n", "\n"), ("", ""),
                                         ("Class,Segments\r\n", "\r\n")])
def test_submissions_are_read_with_and_without_header(tmp_path, header, end):
  path = tmp_path / "out.csv"
  path.write_text(f"{header}7,a:0 b:5\n3,c:10{end}", newline="")
  assert list(segment_submission.read_segment_submission(path)) == [
      (7, ["a:0", "b:5"]), (3, ["c:10"])]


@pytest.mark.parametrize("line", ["x,a:0", "7", "7,a", "7,a:0,b:5", "7,a:٥",
                                  "VideoId,LabelConfidencePairs"])
def test_a_malformed_line_is_named(tmp_path, line):
  path = tmp_path / "out.csv"
  path.write_text(f"Class,Segments\n{line}\n")
  with pytest.raises(ValueError, match="out.csv, line 2: expected class,id:start"):
    list(segment_submission.read_segment_submission(path))


def test_submissions_of_a_spreadsheet_are_read_unless_it_cut_them(tmp_path):
  path = tmp_path / "out.csv"
  path.write_bytes(b'\xef\xbb\xbf"Class";"Segments"\r\n7.0;a:0 b:5\r\n')
  assert list(segment_submission.read_segment_submission(path)) == [(7, ["a:0", "b:5"])]
  path.write_text("Class,Segments\n7," + " ".join(["v0123:5"] * 4096) + "\n")
  with pytest.raises(ValueError, match="out.csv, line 2: a cell has 32,767 characters"):
    list(segment_submission.read_segment_submission(path))
