# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Every kind of vocabulary gives the names by class; what is wrong in it is named."""

import logging

import pytest

from tests.helpers import support
from yt8m.core.vocabulary import Vocabulary

YOUTUBE_8M = ("Index,TrainVideoCount,KnowledgeGraphId,Name,WikiUrl,Vertical1\n"
              '0,788288,/m/03bt1gh,"Nike, Inc.",https://en.wikipedia.org,Games\n'
              '1,539945,/m/01mw1,"Toys ""R"" Us",,\n')
AUDIOSET = ('index,mid,display_name\n0,/m/09x0r,"Nike, Inc."\n'
            '1,/m/05zppz,"Toys ""R"" Us"\n')
PLAIN = 'index,name\n0,"Nike, Inc."\n1,"Toys ""R"" Us"\n'
NAMES = ("Nike, Inc.", 'Toys "R" Us')


def load(path, content, num_classes=2):
  path.write_bytes(content if isinstance(content, bytes) else content.encode())
  return Vocabulary.load(path, num_classes)


@pytest.mark.parametrize("content", [
    YOUTUBE_8M, AUDIOSET, PLAIN, PLAIN.partition("\n")[2], PLAIN.replace("\n", "\r\n"),
    PLAIN.replace("index,name", "\n INDEX , Name "),
    PLAIN.replace("0,", "0.0,"), PLAIN.replace("\n1,", "\n\n  01 ,") + ",\n",
    "name,index\n" + '"Nike,  Inc.",0\n"Toys ""R""\tUs",1\n'])
def test_kinds_of_files(tmp_path, content, caplog):
  with caplog.at_level(logging.INFO):
    assert load(tmp_path / "names.csv", content).names == NAMES
  assert not caplog.records


@pytest.mark.parametrize("content, warning", [
    (b"\xef\xbb\xbf" + PLAIN.encode(), "byte order mark"),
    ('index;name\n0;"Nike, Inc."\n1;"Toys ""R"" Us"\n', "semicolons"),
    (PLAIN[:-1], "no line end")])
def test_files_of_spreadsheets(tmp_path, content, warning, caplog):
  assert load(tmp_path / "names.csv", content).names == NAMES
  assert warning in caplog.text and len(caplog.records) == 1


@pytest.mark.parametrize("content, message", [
    ("", " holds no names of classes: name a CSV"),
    ("index,name\n", " holds no names of classes: name a CSV"),
    ("index,name\n0,a\n0,b\n", "line 3: the index 0 is there for the second time: rem"),
    ("index,name\n2,a\n", "line 2: the index 2 is not below the number of classes, 2: "),
    ("index,name\nx,a\n", "line 2: the index 'x' is not a whole number: correct it"),
    ("index,name\n-1,a\n", "line 2: the index '-1' is not a whole number"),
    ("id,title\n0,a\n", "line 1: it is no header with the columns index and name"),
    ("0,Nike, Inc.\n", "line 1: it has 3 cells instead of 2: put a name with commas in"),
    ("0,/m/09x0r,Speech\n", "line 1: it has 3 cells instead of 2: .* in the first line"),
    ("index,mid,display_name\n0,Speech\n", "line 2: it has 2 cells instead of 3"),
    ('index,name\n0,"a\nb"\n', "line 2: a quote has no other half, or a cell has a line"),
    (b"index,name\n0,caf\xe9\n", r"line 2: it is not UTF-8 \(byte E9"),
    ("index,name\n0,a\n".encode("utf-16"), "is UTF-16 text")])
def test_errors_name_file_line_and_remedy(tmp_path, content, message):
  with pytest.raises(ValueError, match=f"{tmp_path}/names.csv.*{message}"):
    load(tmp_path / "names.csv", content)


def test_classes_without_a_name_are_counted(tmp_path, caplog):
  vocabulary = load(tmp_path / "names.csv", "1,Game\n3,\n", num_classes=4)
  assert vocabulary.names == ("class 0", "Game", "class 2", "class 3")
  assert "names.csv has no names of 3 of the 4 classes" in caplog.text


def test_classes_are_counted_by_the_largest_index(tmp_path):
  path = tmp_path / "names.csv"
  path.write_text("index,name\n7,Crane\n0,Game\n")
  assert Vocabulary.count(path) == 8
  path.write_text("index,name\n")
  with pytest.raises(ValueError, match="names.csv holds no names of classes"):
    Vocabulary.count(path)


def test_equal_names_are_told_apart():
  names = {0: "A", 1: "A", 2: "A (0)", 3: "class 4"}
  found = Vocabulary.of(names, 5).names
  assert found == ("A (0) (0)", "A (1)", "A (0) (2)", "class 4 (3)", "class 4 (4)")


def test_names_are_one_printable_line(tmp_path):
  vocabulary = load(tmp_path / "names.csv", "0, a\x1b[31m\u2028\t b\n1,caf\u00e9\n")
  assert vocabulary.names == ("a [31m b", "caf\u00e9")


def test_what_was_written_is_read_and_found(tmp_path, caplog):
  vocabulary = Vocabulary.of({0: 'a, "b"', 1: "A", 2: "A", 4: "'=é;"}, 5)
  (tmp_path / "model/assets").mkdir(parents=True)
  assert Vocabulary.find(tmp_path / "model", 5) is None
  vocabulary.write(tmp_path / "model/assets/vocabulary.csv")
  vocabulary.write(tmp_path / "vocabulary.csv")
  assert (tmp_path / "vocabulary.csv").read_text() == (
      'index,name\n0,"a, ""b"""\n1,A (1)\n2,A (2)\n3,class 3\n4,\'=é;\n')
  for directory in (tmp_path, tmp_path / "model"):
    found = Vocabulary.find(directory, 5)
    assert found == vocabulary and found.digest == vocabulary.digest
  assert vocabulary.digest != Vocabulary.of({0: 'a, "b"'}, 5).digest
  assert not caplog.records


@support.needs_data
def test_real_files(caplog):
  names = Vocabulary.load(support.DATA / "yt8m/vocabulary.csv", 3862).names
  assert names[:2] == ("Game", "Video game") and 'Toys "R" Us' in names
  assert "no names of 56 of the 3862 classes" in caplog.text
  names = Vocabulary.load(support.DATA / "audioset/class_labels_indices.csv", 527).names
  assert names[1] == "Male speech, man speaking" and len(caplog.records) == 1
