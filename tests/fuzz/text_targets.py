# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The CSVs: class ids, submissions, ratings of segments, and names of classes.

The independent readings are regular expressions of what a line may be.
"""

import collections
import csv
import math
import re

from tests.fuzz import mutation
from tests.fuzz import target
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.metrics import segment_labels
from yt8m.export.submissions import check
from yt8m.export.submissions import segments

_NUM_CLASSES = 4000
_NUM_NAMED = 13
_IDS = b"ids", b"Index\n0\n3\n17\n1651\n", b"7\n"
_VIDEOS = (b"VideoId,LabelConfidencePairs\nDiRU,2210 0.803937 2837 0.79531 14 0.5\n"
           b"PzYl,1 0.5 0 0.25\nKWgb,7 1\n",
           b"VideoId,LabelConfidencePairs\nDiRU,3 1e-05\nPzYl,1 1\n")
_SEGMENTS = (b"Class,Segments\n1651,PzYl:35 PzYl:0 KWgb:10\n7,KWgb:5\n",
             b"Class,Segments\n3,PzYl:0\n")
_RATINGS = b"PzYl:35,7,1.0\nPzYl:0,7,0.0\nKWgb:10,1651,1\n", b"a:0,0,0.5\n"
_NAMES = (b'Index,TrainVideoCount,KnowledgeGraphId,Name,WikiUrl\n'
          b'0,788288,/m/03bt1gh,Game,https://x.org/a\n2,5399,/m/01mw1,"Nike, Inc.",\n',
          b'index,mid,display_name\n0,/m/09x0r,"Speech"\n11,/m/05z,"Child, ""kid"""\n',
          b"index,name\n7,Crane\n0,Game\n3,Crane\n", b"3,Car\n12,Dog\n")
_WHOLE = re.compile(r"[0-9]{1,9}")
_SCORE = re.compile(r"[0-9]{1,400}(\.[0-9]*)?([eE][-+]?[0-9]{1,4})?|\.[0-9]+")


def _lines(data):
  """The lines of a text in UTF-8, with or without a byte order mark."""
  text = data.decode("utf-8-sig")
  assert "\0" not in text, "a NUL"
  lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
  return lines[:-1] if lines[-1] == "" else lines


def _whole(text):
  assert _WHOLE.fullmatch(text), f"{text[:80]!r} is not a whole number"
  return int(text)


def _expected_ids(data):
  # Spreadsheets add quotes, and separators for empty cells.
  lines = [re.sub(r'^"?([^"]*?)"?[,;\t]*$', r"\1", line.strip()).strip()
           for line in _lines(data)]
  numbers = [re.fullmatch(r"(\d{1,9})(\.0*)?", line) for line in lines]
  if numbers and not numbers[0]:
    del numbers[0], lines[0]  # a header
  assert all(number or not line for number, line in zip(numbers, lines, strict=True))
  classes = {int(number[1]) for number in numbers if number}
  assert classes and max(classes) < _NUM_CLASSES
  return tuple(sorted(classes))


def _read_submission(path):
  report = check.check(path, classes=range(_NUM_CLASSES), ids={"DiRU", "PzYl", "KWgb"})
  if report.errors:
    raise ValueError(f"{path}: {report.errors[0]}")
  return report.lines, report.pairs


def _expected_submission(data):
  header, *lines = _lines(data)
  if header == segments.HEADER:
    return _expected_segments_report(lines)
  assert header == "VideoId,LabelConfidencePairs"
  ids, num_pairs = [], 0
  for line in lines:
    video_id, text = line.split(",")
    words = text.split(" ")
    ids.append(video_id)
    assert len(words) % 2 == 0 and words
    classes = [_whole(word) for word in words[::2]]
    assert all(_SCORE.fullmatch(word) for word in words[1::2]), words
    scores = [float(word) for word in words[1::2]]
    assert max(classes) < _NUM_CLASSES and len(set(classes)) == len(classes) <= 20
    assert all(0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)
    num_pairs += len(classes)
  assert sorted(ids) == ["DiRU", "KWgb", "PzYl"], ids
  return len(lines), num_pairs


def _expected_segments_report(lines):
  classes, num_segments = set(), 0
  for line in lines:
    class_id, text = line.split(",")
    assert _whole(class_id) < _NUM_CLASSES and _whole(class_id) not in classes
    classes.add(_whole(class_id))
    words = text.split(" ")
    assert len(set(words)) == len(words)
    for word in words:
      video_id, start = word.split(":")
      assert video_id in ("DiRU", "PzYl", "KWgb") and _whole(start) % 5 == 0
    num_segments += len(words)
  return len(lines), num_segments


def _read_segments(path):
  return list(segments.read_segment_submission(path))


def _expected_segments(data):
  lines = _lines(data)
  if lines and lines[0].strip() == segments.HEADER:
    del lines[0]
  rows = []
  for line in lines:
    class_id, text = line.split(",")
    rows.append((_whole(class_id.strip()), text.split()))
  assert len({class_id for class_id, _ in rows}) == len(rows), "a class twice"
  return rows


def _read_ratings(path):
  return segment_labels.read_cache(path)


def _expected_ratings(data):
  ratings = {}
  for line in _lines(data):
    segment_id, class_id, score = line.rstrip().rsplit(",", 2)
    assert _SCORE.fullmatch(score) and math.isfinite(float(score)), score
    assert re.fullmatch(r".+:\d+", segment_id), segment_id
    assert re.fullmatch(r"\d{1,9}", class_id)  # of any script
    ratings.setdefault(int(class_id), {})[target.escaped(segment_id)] = float(score)
  return ratings


def _read_names(path):
  return Vocabulary.load(path, _NUM_NAMED).names


def _expected_names(data):
  lines = [line for line in _lines(data) if line]
  separator = next((s for s in ";\t" if s in lines[0] and "," not in lines[0]), ",")
  rows = [[cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
          for line in lines]
  rows = [row for row in rows if any(row)]
  columns = (0, 1)
  if not re.fullmatch(r"\d{1,18}(\.0)?", rows[0][0]):
    header = list(map(str.lower, rows.pop(0)))
    columns = (header.index("index"), header.index(
        "display_name" if "display_name" in header else "name"))
    assert not any(cell for row in rows for cell in row[len(header):])
  else:
    assert not any(cell for row in rows for cell in row[2:])
  numbers = [re.fullmatch(r"(\d{1,18})(\.0)?", row[columns[0]]) for row in rows]
  assert numbers and all(numbers), "not an index"
  indexes = [int(number[1]) for number in numbers]
  assert max(indexes) < _NUM_NAMED and len(set(indexes)) == len(indexes)
  given = {index: re.sub(r"\s+", " ", "".join(
      c if c.isprintable() else " " for c in row[columns[1]])).strip()
           for index, row in zip(indexes, rows, strict=True)}
  names = [given.get(index) or f"class {index}" for index in range(_NUM_NAMED)]
  counts = collections.Counter(names)
  names = [name if counts[name] == 1 else f"{name} ({index})"
           for index, name in enumerate(names)]
  if len(set(names)) < _NUM_NAMED:
    raise target.NoVerdict
  return tuple(names)


def _text_target(name, seeds, read, expected, share=10.0):
  return target.Target(name=name, seeds=seeds, read=read, expected=expected,
                       mutate=mutation.of_text, file="input.csv", share=share)


TARGETS = (
    _text_target("class ids", _IDS[1:],
                 lambda path: segments.read_class_ids(path, _NUM_CLASSES), _expected_ids),
    _text_target("submission (--check)", (_VIDEOS[0], _SEGMENTS[0]), _read_submission,
                 _expected_submission),
    _text_target("segment submission", _SEGMENTS, _read_segments, _expected_segments),
    _text_target("ratings of segments", _RATINGS, _read_ratings, _expected_ratings),
    _text_target("names of classes", _NAMES, _read_names, _expected_names, share=5.0),
)
