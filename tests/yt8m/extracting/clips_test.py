# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`videos.csv`: what is read of it, and what is said about faults."""

import os

import pytest

from yt8m.extracting import clips


def read(tmp_path, text, encoding="utf-8"):
  path = tmp_path / "videos.csv"
  path.write_text(text, encoding=encoding)
  return clips.read(path)


def test_columns_may_come_in_any_order(tmp_path):
  found = read(tmp_path, (
      "Labels,END,path,split,id,start\n"
      "cat; a  dog ;cat;,12.5,a/one.mp4,Train,first,2\n"
      "\n"
      ",,two.mp4\n"))
  assert found == [
      clips.Clip(str(tmp_path / "a/one.mp4"), ("cat", "a dog"), "first", 2.0, 12.5,
                 "train"),
      clips.Clip(str(tmp_path / "two.mp4"), (), "two")]
  assert clips.class_names(found) == ["a dog", "cat"]


def test_ids_come_from_paths_and_starts(tmp_path):
  found = read(tmp_path, "path,start\na b/x.mp4,0\na b/x.mp4,1.5\n/abs/y.tar.gz,\n")
  assert [clip.id for clip in found] == ["a%20b/x", "a%20b/x@1.5", "/abs/y.tar"]
  assert found[2].path == "/abs/y.tar.gz"


def test_quotes_and_files_of_spreadsheets(tmp_path):
  found = read(tmp_path, '"path","labels"\r\n"a,b.mp4","say ""x"";cat"\r\n', "utf-8-sig")
  assert found == [clips.Clip(str(tmp_path / "a,b.mp4"), ('say "x"', "cat"), "a%2Cb")]
  found = read(tmp_path, 'path;labels\na.mp4;"cat;dog"\n')
  assert found[0].labels == ("cat", "dog")


def test_paths_do_not_depend_on_the_current_folder(tmp_path, monkeypatch):
  expected = read(tmp_path, "path\na.mp4\n")
  monkeypatch.chdir(tmp_path)
  assert clips.read("videos.csv") == expected
  monkeypatch.setenv("HOME", str(tmp_path))
  assert read(tmp_path, "path\n~/a.mp4\n")[0].path == os.path.join(tmp_path, "a.mp4")


def test_labels_are_as_in_a_vocabulary(tmp_path):
  """Characters that nobody sees would make two classes of one."""
  assert read(tmp_path, "path,labels\na.mp4,cat\u200b;cat\n")[0].labels == ("cat",)


def test_columns_that_are_not_used_are_named(tmp_path, caplog):
  caplog.set_level("WARNING")
  found = read(tmp_path, "path,Note,labels\na.mp4,good,cat\n")
  assert found[0].labels == ("cat",)
  assert "columns that are not used: note." in caplog.text


HEADER = "path,labels,id,start,end,split\n"


@pytest.mark.parametrize(("text", "said"), [
    ("", "names no videos: it needs a header"),
    ("path\n", "names no videos"),
    ("a.mp4,cat\n", "line 1: the header has no column path, but there must be a header "
     "and lines such as clips/a.mp4,cat;dog"),
    ("path,id,path\n", "line 1: the header has the column path twice: leave one"),
    (HEADER + "a.mp4\nb.mp4,cat,a\n", "line 3: the id a is also that of line 2: give "),
    (HEADER + "a.mp4\na.mov\n", "line 3: the id a is also that of line 2"),
    (HEADER + "\n,cat\n", "line 3: it has no path: fill the column path."),
    (HEADER + "gs://x/a.mp4\n", "line 2: gs://x/a.mp4 is remote: copy media files"),
    (HEADER + "file:///x/a.mp4\n", "line 2: file:///x/a.mp4: write the path"),
    (HEADER + "a.mp4,,,1:30\n", "line 2: the start '1:30' is no number of seconds of a"),
    (HEADER + "a.mp4,,,-1\n", "line 2: the start '-1' is no number of seconds"),
    (HEADER + "a.mp4,,,,nan\n", "line 2: the end 'nan' is no number of seconds"),
    (HEADER + "a.mp4,,,,1e999\n", "line 2: the end '1e999' is no number of seconds"),
    (HEADER + "a.mp4,,,2,2\n", "line 2: the end, 2 s, is not after the start, 2 s: "),
    (HEADER + "a.mp4,,,,0\n", "line 2: the end, 0 s, is not after the start, 0 s"),
    (HEADER + "a.mp4,,,,,dev\n", "line 2: the split 'dev' is none of train, validate, "
     "test: name one of them"),
    (HEADER + "a.mp4,,,1e308\n", "line 2: the start '1e308' is no number of seconds"),
    ("path,labels\na.mp4,cat,dog\n", "line 2: it has 3 cells, and the header 2: put "
     "labels with semicolons, and any cell that holds what separates the columns, in"),
    ("path;labels\na.mp4;cat;dog\n", "line 2: it has 3 cells, and the header 2"),
    ('path,labels\n"a.mp4,cat\n', "line 2")])
def test_faults_name_the_line_and_a_remedy(tmp_path, text, said):
  with pytest.raises(ValueError) as error:
    read(tmp_path, text)
  message = str(error.value)
  assert said in message and "videos.csv" in message and "\n" not in message


def test_missing_file(tmp_path):
  with pytest.raises(FileNotFoundError):
    clips.read(tmp_path / "videos.csv")
