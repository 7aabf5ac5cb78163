# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Texts: class ids and names, submissions, ratings of segments, lists of files.

The independent readings split lines by hand, and check words by regular expressions.
"""

import collections
import csv
import glob
import math
import os
import re

from tests.fuzz import mutation
from tests.fuzz import target
from yt8m.core import paths
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.metrics import segment_labels
from yt8m.export.submissions import check
from yt8m.export.submissions import segments

_NUM_CLASSES, _NUM_NAMED = 4000, 13
_IDS = (b"Index\n0\n3\n17\n1651\n", b"7\n",
        b"Index,TrainVideoCount,Name\n3,788288,Game\n17,8,Vehicle\n0,5,Food\n")
_VIDEOS = b"""VideoId,LabelConfidencePairs
DiRU,2210 0.803937 2837 0.79531 14 0.5
PzYl,1 0.5 0 0.25
KWgb,7 1
"""
_SEGMENTS = (b"Class,Segments\n1651,PzYl:35 PzYl:0 KWgb:10\n7,KWgb:5\n",
             b"Class,Segments\n3,PzYl:0\n")
_RATINGS = b"PzYl:35,7,1.0\nPzYl:0,7,0.0\nKWgb:10,1651,1\n", b"a:0,0,0.5\n"
_NAMES = (b'Index,TrainVideoCount,KnowledgeGraphId,Name,WikiUrl\n'
          b'0,788288,/m/03bt1gh,Game,https://x.org/a\n2,5399,/m/01mw1,"Nike, Inc.",\n',
          b'index,mid,display_name\n0,/m/09x0r,"Speech"\n11,/m/05z,"Child, ""kid"""\n',
          b"index,name\n7,Crane\n0,Game\n3,Crane\n", b"3,Car\n12,Dog\n")
_HERE = os.path.dirname(__file__)
_PATTERNS = (f"{_HERE}/target.py\n{_HERE}/*_test.py\n".encode(),
             f"{_HERE}/target.py,{_HERE}/targets.py\n".encode())
_WHOLE = re.compile(r"[0-9]{1,9}")
_START = re.compile(r"0|[1-9][0-9]{0,8}")
_SCORE = re.compile(r"([0-9]{1,50000}(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")


def _lines(data):
  """The lines of a text in UTF-8, with or without a byte order mark."""
  text = data.decode("utf-8-sig")
  assert "\0" not in text, "a NUL"
  lines = text.replace("\r\n", "\n").removesuffix("\r").split("\n")
  assert not any("\r" in line for line in lines)
  return lines[:-1] if lines[-1] == "" else lines


def _rows(data):
  """The cells of each line, also of those that a spreadsheet has written."""
  lines = _lines(data)
  first = next((line for line in lines if line), "")
  separator = next((s for s in ";\t" if s in first and "," not in first), ",")
  return [_unquoted(line, separator) for line in lines]


def _unquoted(line, separator):
  if '"' not in line:
    return line.split(separator)
  cells = re.findall(rf'(?:^|{separator})("(?:[^"]|"")*"|[^"{separator}][^{separator}]*|)'
                     rf"(?={separator}|$)", line)
  assert sum(map(len, cells)) + len(cells) - 1 == len(line), "quotes"
  return [cell[1:-1].replace('""', '"') if cell[:1] == '"' else cell for cell in cells]


def _exactly(count, cells):
  """The first cells, if all others are empty, as a spreadsheet adds them."""
  assert len(cells) >= count and not any(map(str.strip, cells[count:])), cells
  return cells[:count]


def _whole(text):
  assert _WHOLE.fullmatch(text), f"{text[:80]!r} is not a whole number"
  return int(text)


def _whole_cell(text):
  """A whole number, also as a spreadsheet writes it."""
  return _whole(text.strip().removesuffix(".0"))


def _expected_ids(data):
  rows = [row for row in _rows(data) if any(map(str.strip, row))]
  num_columns, column = 1, 0
  if rows and not re.match(r"[-+.\d]", rows[0][0].strip()):
    header = [cell.strip() for cell in rows.pop(0)]
    if "Index" in header:
      num_columns, column = len(header), header.index("Index")
  classes = {_whole_cell(_exactly(num_columns, row)[column]) for row in rows}
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
    words = text.split(" ") if text else []
    ids.append(video_id)
    assert len(words) % 2 == 0
    classes = [_whole(word) for word in words[::2]]
    assert all(_SCORE.fullmatch(word) for word in words[1::2]), words
    scores = [float(word) for word in words[1::2]]
    assert all(one < _NUM_CLASSES for one in classes)
    assert len(set(classes)) == len(classes) <= 20
    assert all(0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)
    num_pairs += len(classes)
  assert sorted(ids) == ["DiRU", "KWgb", "PzYl"], ids
  return len(lines), num_pairs


def _expected_segments_report(lines):
  classes, num_segments = set(), 0
  for line in lines:
    class_id, text = line.split(",")
    assert str(_whole(class_id)) == class_id
    assert int(class_id) < _NUM_CLASSES and class_id not in classes
    classes.add(class_id)
    words = text.split(" ") if text else []
    assert len(set(words)) == len(words)
    for word in words:
      video_id, start = word.split(":")
      assert video_id in ("DiRU", "PzYl", "KWgb") and _START.fullmatch(start)
      assert int(start) % 5 == 0
    num_segments += len(words)
  return len(lines), num_segments


def _read_segments(path):
  return list(segments.read_segment_submission(path))


def _expected_segments(data):
  rows = []
  for number, cells in enumerate(_rows(data)):
    class_id, text = _exactly(2, cells)
    if number == 0 and (class_id, text) == ("Class", "Segments"):
      continue
    words = text.split()
    assert all(re.fullmatch(r"\S+:[0-9]+", word) for word in words), words
    rows.append((_whole_cell(class_id), words))
  assert len({class_id for class_id, _ in rows}) == len(rows), "a class twice"
  return rows


def _expected_ratings(data):
  ratings = {}
  for line in _lines(data):
    segment_id, class_id, score = line.rstrip().rsplit(",", 2)
    assert _SCORE.fullmatch(score) and math.isfinite(float(score)), score
    video_id, start = segment_id.rsplit(":", 1)
    assert video_id and _WHOLE.fullmatch(start), segment_id
    ratings.setdefault(_whole(class_id), {})[target.escaped(segment_id)] = float(score)
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
  if not re.fullmatch(r"[0-9]{1,18}(\.0)?", rows[0][0]):
    header = list(map(str.lower, rows.pop(0)))
    columns = (header.index("index"), header.index(
        "display_name" if "display_name" in header else "name"))
    assert not any(cell for row in rows for cell in row[len(header):])
  else:
    assert not any(cell for row in rows for cell in row[2:])
  numbers = [re.fullmatch(r"([0-9]{1,18})(\.0)?", row[columns[0]]) for row in rows]
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


def _expected_patterns(data):
  found = set()
  for line in map(str.strip, _lines(data)):
    for pattern in [line] if os.path.exists(line) else line.split(","):
      if pattern.strip():
        matches = set(glob.glob(os.path.expanduser(pattern.strip())))
        assert not all(map(os.path.isdir, matches)), pattern
        found |= {path for path in matches if not os.path.isdir(path)}
  assert found
  return sorted(found)


def _text_target(name, seeds, read, expected, **options):
  return target.Target(**{
      "name": name, "seeds": seeds, "read": read, "expected": expected, "share": 10,
      "mutate": mutation.of_text, "file": "input.csv", **options})


TARGETS = (
    _text_target("class ids", _IDS,
                 lambda path: segments.read_class_ids(path, _NUM_CLASSES), _expected_ids),
    _text_target("submission (--check)", (_VIDEOS, _SEGMENTS[0]), _read_submission,
                 _expected_submission),
    _text_target("segment submission", _SEGMENTS, _read_segments, _expected_segments),
    _text_target("ratings of segments", _RATINGS, segment_labels.read_cache,
                 _expected_ratings),
    _text_target("names of classes", _NAMES, _read_names, _expected_names, share=5),
    _text_target("list of patterns", _PATTERNS,
                 lambda path: paths.match(f"@{path}", "--data_pattern"),
                 _expected_patterns, share=2, names=("--data_pattern", "input.csv")),
)
