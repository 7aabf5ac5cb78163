# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""CSVs are read as they were meant; what a spreadsheet or a cut did to them is named."""

import logging

import pytest

from yt8m.core import csv_files
from yt8m.core import text_lines


def read(path, content):
  """Returns the cells of all lines, and the faults."""
  path.write_bytes(content)
  faults = []
  return [line.cells for line in csv_files.read(path, faults.append)], faults


CELLS = [["Class", "Segments"], ["7", "a:0 b:5"]]


@pytest.mark.parametrize("content, faults", [
    (b"Class,Segments\n7,a:0 b:5\n", []),
    (b"Class,Segments\r\n7,a:0 b:5\r\n", []),
    (b"\xef\xbb\xbfClass,Segments\r\n7,a:0 b:5\r\n", ["byte order mark"]),
    (b"Class;Segments\n7;a:0 b:5\n", ["semicolons"]),
    (b"Class\tSegments\n7\ta:0 b:5\n", ["tabs"]),
    (b'"Class","Segments"\n"7","a:0 b:5"\n', ["quotes"]),
    (b"Class,Segments\n7,a:0 b:5", ["no line end"]),
    (b'\xef\xbb\xbf"Class";"Segments"\r\n7;"a:0 b:5"', ["mark", "semi", "quotes", "end"]),
])
def test_harmless_faults_are_named_once(tmp_path, content, faults, caplog):
  cells, found = read(tmp_path / "x.csv", content)
  assert cells == CELLS
  assert len(found) == len(faults)
  assert all(text in fault.text and fault.harmless
             for text, fault in zip(faults, found, strict=True))
  with caplog.at_level(logging.WARNING):
    assert len(list(csv_files.read(tmp_path / "x.csv"))) == 2
  assert len(caplog.records) == len(faults)


@pytest.mark.parametrize("content, line, text", [
    (b"a,b\ncaf\xe9,1\n", 2, r"it is not UTF-8 \(byte E9 at position 3\)"),
    (b'a,b\n"c,1\nd,2\n', 2, "a quote has no other half"),
    (b"a,b\rc,1\r", 1, "a carriage return or a zero byte"),
    (b"a,b\nc\0,1\n", 2, "a carriage return or a zero byte"),
    (b"a,b\n1," + b"x" * 32_767 + b"\n", 2, "a cell has 32,767 characters"),
    (b"a,b\n1," + b"x" * 32_766 + b"\n", 2, "a cell has 32,767 characters"),
])
def test_other_faults_are_errors_that_name_the_line(tmp_path, content, line, text):
  _, faults = read(tmp_path / "x.csv", content)
  assert [fault.line for fault in faults if not fault.harmless] == [line]
  with pytest.raises(ValueError, match=f"x.csv, line {line}: {text}"):
    list(csv_files.read(tmp_path / "x.csv"))


def test_a_file_with_longer_cells_was_not_cut(tmp_path):
  content = b"".join(b"1," + b"x" * size + b"\n" for size in (32_767, 140_000))
  assert read(tmp_path / "x.csv", content)[1] == []
  quoted = b'1,"' + b"x" * 140_000 + b'"\n'
  cells, [fault] = read(tmp_path / "x.csv", quoted)
  assert len(cells[0][1]) == 140_000 and "quotes" in fault.text


def test_a_quote_inside_a_cell_is_a_character(tmp_path):
  assert read(tmp_path / "x.csv", b'he said "x",1\n') == ([['he said "x"', "1"]], [])


def test_further_cells_may_only_be_empty():
  assert csv_files.Line(1, "", ["a", "b", "", " "]).first(2) == ["a", "b"]
  assert csv_files.Line(1, "", ["a", "b", "c"]).first(2) is None
  assert csv_files.Line(1, "", ["a"]).first(2) is None


def test_an_empty_file_has_no_lines(tmp_path):
  assert read(tmp_path / "x.csv", b"") == ([], [])


@pytest.mark.parametrize("start, text", [
    (b"\xff\xfea\0", "is UTF-16 text"), (b"\xfe\xff\0a", "is UTF-16 text"),
    (b"PK\x03\x04", "is an Excel workbook"), (b"\x1f\x8b", "is compressed with gzip")])
def test_other_kinds_of_files_are_named(tmp_path, start, text):
  (tmp_path / "x.csv").write_bytes(start)
  with pytest.raises(ValueError, match=f"x.csv {text}"):
    list(text_lines.read(tmp_path / "x.csv"))
