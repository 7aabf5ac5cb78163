# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The check finds every kind of error with its line, and none in a valid file."""

import numpy as np
import pytest

from yt8m.export.submissions import check as submission_check
from yt8m.export.submissions import segments
from yt8m.export.submissions import videos

IDS = {"a", "b", "c"}


def check(path, lines, header=videos.HEADER, **options):
  path.write_text("\n".join([header, *lines]) + "\n")
  return submission_check.check(path, **options)


def test_what_the_writers_write_is_good(tmp_path):
  rng = np.random.default_rng(0)
  scores = -np.sort(-rng.random((50, 20), dtype=np.float32), axis=1)
  classes = np.argsort(rng.random((50, 100)), axis=1)[:, :20]
  ids = [f"v{i}" for i in range(50)]
  with videos.SubmissionWriter(tmp_path / "video.csv") as writer:
    writer.write(ids, classes, scores)
  report = submission_check.check(
      tmp_path / "video.csv", classes=range(100), ids=set(ids))
  assert (report.errors, report.lines, report.pairs) == ([], 50, 1000)
  with segments.SegmentSubmissionWriter(tmp_path / "segment.csv") as writer:
    writer.write([f"{i}:5" for i in ids], classes, scores)
  report = submission_check.check(
      tmp_path / "segment.csv", classes=range(100), ids=set(ids))
  assert (report.errors, report.lines) == ([], len(np.unique(classes)))
  assert report.pairs == 1000


@pytest.mark.parametrize("line, error", [
    ("b,1 0.5 2 0.6", "the scores do not descend"),
    ("b,1 0.5 1 0.5", "class 1 is there twice"),
    ("b,9 0.5", "there is no class 9"),
    ("b,-1 0.5", "there is no class -1"),
    ("b,1 1.5", "the score 1.5 is not from 0 to 1"),
    ("b,1 nan", "the score nan is not from 0 to 1"),
    ("b,1 inf", "the score inf is not from 0 to 1"),
    ("b,1 -0.5", "the score -0.5 is not from 0 to 1"),
    ("b,1 0.5 2", "expected class score class score …, got '1 0.5 2'"),
    ("b,x 0.5", "expected class score class score …, got 'x 0.5'"),
    ("b,1\t0.5", "expected class score class score …, got '1\\t0.5'"),
    ("b,1 0.5 ", "there must be one space between two entries, and none at the ends"),
    ("b,1  0.5", "there must be one space between two entries"),
    ("b,٣ 0.5", "expected class score"), ("b,-0 0.5", "expected class score"),
    ("b,1_0 0.5", "expected class score"), ("b,1 +0.5", "expected class score"),
    ("b,1 -0.0", "the score -0 is not from 0 to 1"),
    ("b,99999999999999999999 0.5", "expected class score"),
    ("b,1 0.4 2 0.3 3 0.2", "3 classes, at most 2 are allowed"),
    ("a,1 0.5", "'a' is there already, in line 2"),
    ("d,1 0.5", "the records have no video 'd'"),
    ("b", "expected VideoId,LabelConfidencePairs, got 'b"),
    ("b,1 0.5,2 0.4", "expected VideoId,LabelConfidencePairs, got 'b,1 0.5,2"),
    ("1E+23,1 0.5", "the id '1E+23' is a number that a spreadsheet has made of it"),
    ("odd id,1 0.5", "the records have no video 'odd id': write it as odd%20id"),
])
def test_every_error_of_a_video_has_its_line(tmp_path, line, error):
  lines = ["a,1 0.5", line, "c,1 0.5 3 0.5", "odd%20id,"]
  if not line.startswith("b"):
    lines.append("b,")  # nothing is predicted, and nothing is missing
  report = check(tmp_path / "out.csv", lines, top_k=2, classes=range(9),
                 ids=IDS | {"odd%20id"})
  assert report.num_errors == 1
  assert report.errors[0].startswith(f"line 3: {error}")


@pytest.mark.parametrize("line, error", [
    ("2,a:0 a:0", "segment a:0 is there twice"),
    ("2,a:0 b:5 c:5", "3 segments, at most 2 are allowed"),
    ("2,a:3", "'a:3' is not id:start with a start that is a multiple of 5"),
    ("2,a", "'a' is not id:start"), ("2,a:-5", "'a:-5' is not id:start"),
    ("2,a:05", "'a:05' is not id:start"), ("2,a:٥", "'a:٥' is not id:start"),
    ("2,a:0 ", "there must be one space between two entries"),
    ("2,d:5", "the records have no video 'd'"),
    ("1,a:0", "'1' is there already, in line 2"),
    ("9,a:0", "there is no class 9"), ("x,a:0", "there is no class x"),
    ("2.0,a:0", "class 2.0 must be written 2"),
])
def test_every_error_of_a_segment_has_its_line(tmp_path, line, error):
  report = check(tmp_path / "out.csv", ["1,a:0", line], segments.HEADER,
                 segment_max_pred=2, classes={1, 2}, ids=IDS)
  assert report.num_errors == 1
  assert report.errors[0].startswith(f"line 3: {error}")


def test_missing_videos_are_named(tmp_path):
  report = check(tmp_path / "out.csv", ["b,1 0.5"], ids={*IDS, "d", "e"})
  assert report.errors == ["4 of 5 videos are missing: a, c, d, …"]


def test_a_header_that_is_none(tmp_path):
  report = check(tmp_path / "out.csv", ["a,1 0.5"], header="id,x")
  assert report.errors == ["line 1: the header must be VideoId,LabelConfidencePairs, or "
                           "for segments Class,Segments, is 'id,x'"]


@pytest.mark.parametrize("content, errors", [
    (b"\xef\xbb\xbfVideoId,LabelConfidencePairs\r\na,1 0.5\r\n",
     ["line 1: the file begins with a byte order mark"]),
    (b"VideoId;LabelConfidencePairs\r\na;1 0,5 2 0,25\r\n",
     ["line 1: cells are separated by semicolons", "line 2: expected class score"]),
    (b'"VideoId","LabelConfidencePairs"\n"a","1 0.5"\n', ["line 1: cells are in quote"]),
    (b"VideoId,LabelConfidencePairs,,\na,1 0.5,,\n", ["line 1: the header must be"]),
    (b"VideoId,LabelConfidencePairs\na,1 0.5,,\n", ["line 2: expected VideoId,Label"]),
    (b"VideoId,LabelConfidencePairs\na,1 0.5 2 0.", ["line 2: the last line has"]),
    (b"VideoId,LabelConfidencePairs\n1E+23,1 0.5\n", ["line 2: the id '1E+23' is a num"]),
    (b"VideoId,LabelConfidencePairs\nodd id,1 0.5\n", ["line 2: the id 'odd id' must"]),
    (b"VideoId,LabelConfidencePairs\ncaf\xe9,\n", ["line 2: it is not UTF-8 (byte E9"]),
    (b"Class,Segments\r\n1," + b"v0123:5 " * 4095 + b"v0123:1\r\n",
     ["line 2: segment v0123:5", "line 2: 'v0123:1' is not", "line 2: a cell has 32,7"]),
])
def test_what_a_spreadsheet_or_a_cut_changed_is_named(tmp_path, content, errors):
  (tmp_path / "out.csv").write_bytes(content)
  report = submission_check.check(tmp_path / "out.csv")
  assert len(report.errors) == len(errors)
  for found, error in zip(report.errors, errors, strict=True):
    assert found.startswith(error)


def test_classes_without_a_line_are_named(tmp_path, caplog):
  report = check(tmp_path / "out.csv", ["1,a:0"], segments.HEADER, classes={1, 2, 3})
  assert report.errors == [] and "2 of 3 classes have no line: 2, 3" in caplog.text


def test_many_errors_are_counted(tmp_path):
  report = check(tmp_path / "out.csv", [f"v{i},1 2" for i in range(50)])
  assert report.num_errors == 50 and len(report.errors) == 20
  assert report.errors[-1] == "line 21: the score 2 is not from 0 to 1"


def test_there_must_be_a_file(tmp_path):
  with pytest.raises(FileNotFoundError):
    submission_check.check(tmp_path / "out.csv")
