# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions are read in every form and written like the starter code's script."""

import base64
import gzip
import json
import os

import pytest

from tests.helpers import support
from tests.helpers.full_disk import full_disk
from yt8m.export.submissions import json_predictions

FIRST = {"video_id": "a", "class_indexes": [3, 1], "predictions": [0.5, 0.25]}
SECOND = {"video_id": "ü", "class_indexes": [2, 0], "predictions": [1, 1e-9]}
EXPECTED = [("a", [3, 1], [0.5, 0.25]), ("ü", [2, 0], [1, 1e-9])]


def listed(prediction):
  """Wraps a prediction as a frame-level model does."""
  return {key: [value] for key, value in prediction.items()}


def columns(*predictions):
  return {"outputs": {key: [prediction[key] for prediction in predictions]
                      for key in json_predictions.KEYS}}


def encoded(prediction):
  text = base64.b64encode(prediction["video_id"].encode()).decode()
  return {**prediction, "video_id": {"b64": text}}


def read(path):
  return [prediction for _, _, predictions in json_predictions.read(str(path))
          for prediction in predictions]


@pytest.mark.parametrize("change", [dict, listed, encoded, lambda p: listed(encoded(p))])
@pytest.mark.parametrize("form", ["lines", "rows", "columns"])
@pytest.mark.parametrize("indent", [None, 4])
def test_all_forms_say_the_same(change, form, indent, tmp_path):
  first, second = change(FIRST), change(SECOND)
  values = {"lines": [first, second], "rows": [{"predictions": [first, second]}],
            "columns": [columns(first, second)]}[form]
  if form == "lines":
    text = "\n".join(map(json.dumps, values))
  else:  # TensorFlow Serving writes an answer on several lines.
    text = json.dumps(*values, indent=indent, ensure_ascii=False)
  (tmp_path / "results").write_text(text, encoding="utf-8")
  assert read(tmp_path / "results") == EXPECTED


def test_forms_may_be_mixed_and_lines_blank(tmp_path):
  lines = ["", json.dumps({"predictions": [FIRST]}), "  ", json.dumps(listed(SECOND)),
           json.dumps({"predictions": []}), json.dumps(columns()), ""]
  (tmp_path / "results").write_text("\n".join(lines))
  assert read(tmp_path / "results") == EXPECTED
  found = list(json_predictions.read(str(tmp_path / "results")))
  assert [line for line, _, _ in found] == [2, 4, 5, 6]
  assert [size for _, size, _ in found] == [len(lines[n]) + 1 for n in (1, 3, 4, 5)]


def test_a_file_without_lines_holds_nothing(tmp_path):
  (tmp_path / "results").write_text("\n")
  assert read(tmp_path / "results") == []
  with pytest.raises(FileNotFoundError):
    read(tmp_path / "nothing")


@pytest.mark.parametrize("changes, message", [
    ({"video_id": None}, "the video_id null cannot be written to a CSV"),
    ({"video_id": ""}, "cannot be written to a CSV"),
    ({"video_id": {"b64": "&"}}, "[Bb]ase64|padding"),
    ({"class_indexes": [1.5, 2]}, r"of 'a' must be a list of whole numbers, are \[1.5"),
    ({"class_indexes": [True, 2]}, "must be a list of whole numbers"),
    ({"class_indexes": [-1, 2]}, "must be a list of whole numbers"),
    ({"class_indexes": 1}, "must be a list of whole numbers"),
    ({"predictions": ["0.5", 0.1]}, "of 'a' must be a list of finite numbers"),
    ({"predictions": [float("nan"), 0.1]}, "list of finite numbers, are .NaN, 0.1"),
    ({"predictions": None}, "must be a list of finite numbers"),
    ({"predictions": [10**400, 0.1]}, "must be a list of finite numbers"),
    ({"video_id": "a" * 999, "predictions": None}, "of 'a{80}…' must be"),
    ({"predictions": [0.5]}, "'a' has 2 class_indexes, but 1 predictions"),
    ({"video_id": ["a", "b"]}, "expected lists of one video"),
    ({"video_id": ["a"]}, "expected lists of one video"),
])
def test_what_is_no_prediction_is_explained(changes, message):
  with pytest.raises(ValueError, match=message):
    json_predictions.parse({**FIRST, **changes})


@pytest.mark.parametrize("video_id, text", [
    ("a, b\n", "a%2C%20b%0A"), ({"b64": "Y2Fm6Q=="}, "caf%E9"), ("50%2C", "50%252C"),
    ("\ud800", "%ED%A0%80"), ({"b64": "w7w="}, "ü")])
def test_every_id_has_a_text(video_id, text):
  assert json_predictions.parse({**FIRST, "video_id": video_id})[0] == text
  assert json_predictions.parse(listed({**FIRST, "video_id": video_id}))[0] == text


@pytest.mark.parametrize("bad, message", [
    ("{", "line 3: Expecting property name"),
    ("[" * 100_000, "line 3: .*recursion depth"),
    (b"\xff\xfe\xff", r"line 3: it is not UTF-8 \(.*codec can't decode"),
    (b'{"video_\rid": "a"}', "line 3: Invalid control character"),
    ("7", "line 3: expected an object with video_id, class_indexes, predictions, got 7"),
    ('{"video_id": "a"}', "line 3: expected an object with"),
    ('{"predictions": [3]}', "line 3: expected an object with .*, got 3"),
    ('{"predictions": 3}', "line 3: expected an object with"),
    ('{"outputs": [3]}', "line 3: expected an object with .*, got .3"),
    ('{"error": "no such model"}', 'answered with an error, "no such model"'),
    (json.dumps({"outputs": {**FIRST, "video_id": ["a"]}}),
     "must be lists of one length, have 1, 2, 2"),
    (json.dumps({"outputs": {**FIRST, "video_id": 3}}), "have none, 2, 2"),
])
def test_what_is_wrong_is_named_by_file_and_line(bad, message, tmp_path):
  path = tmp_path / "results-7"
  good = json.dumps(FIRST).encode()
  path.write_bytes(good + b"\n\n" + (bad if isinstance(bad, bytes) else bad.encode()))
  with pytest.raises(ValueError, match=f"results-7, .*{message}"):
    read(path)


def test_a_byte_order_mark_is_read_and_other_kinds_are_named(tmp_path):
  path = tmp_path / "results"
  path.write_bytes(b"\xef\xbb\xbf" + json.dumps(FIRST).encode() + b"\n")
  assert read(path) == EXPECTED[:1]
  path.write_bytes(gzip.compress(json.dumps(FIRST).encode()))
  with pytest.raises(ValueError, match="results is compressed with gzip: unpack it"):
    read(path)


def test_the_line_is_that_of_the_file_in_an_answer_of_many_lines(tmp_path):
  text = json.dumps({"predictions": [FIRST, SECOND]}, indent=2)
  assert text.splitlines()[2] == '    {'
  (tmp_path / "answer").write_text("\n" + text.replace("    {", "    x", 1))
  with pytest.raises(ValueError, match="answer, line 4: Expecting value"):
    read(tmp_path / "answer")


VIDEOS = [
    {"video_id": "c", "class_indexes": [2210, 7], "predictions": [0.8039370179, 1]},
    # A frame-level model, and scores that `%f` and `%g` write in different ways.
    {"video_id": ["b"], "class_indexes": [[3, 0, 1]], "predictions": [[0.5, 2e-5, 3e-7]]},
    {"video_id": "a", "class_indexes": [], "predictions": []}]
# By hand: `"%i %f"` for each pair, separated by spaces.
LINES = ["VideoId,LabelConfidencePairs", "c,2210 0.803937 7 1.000000",
         "b,3 0.500000 0 0.000020 1 0.000000", "a,"]


def write(directory, name, *values):
  path = directory / name
  path.write_text("".join(json.dumps(value) + "\n" for value in values))
  return str(path)


def test_lines_are_the_starter_codes(tmp_path):
  path = write(tmp_path, "results", *VIDEOS)
  assert json_predictions.convert([path], tmp_path / "out.csv") == 3
  assert (tmp_path / "out.csv").read_bytes() == ("\n".join(LINES) + "\n").encode()
  assert list(support.read_submission(tmp_path / "out.csv")) == ["c", "b", "a"]


def test_a_video_that_comes_twice_is_named(tmp_path):
  first = write(tmp_path, "results-1", *VIDEOS)
  second = write(tmp_path, "results-2", {"predictions": []}, VIDEOS[1])
  with pytest.raises(ValueError, match="results-2, line 2: video 'b' comes for the sec"):
    json_predictions.convert([first, second], tmp_path / "out.csv")
  assert not (tmp_path / "out.csv").exists()


def test_what_is_no_prediction_leaves_the_old_csv(tmp_path):
  path = write(tmp_path, "results", VIDEOS[0], {"video_id": "x"})
  (tmp_path / "out.csv").write_text("precious")
  with pytest.raises(FileExistsError, match="--overwrite"):
    json_predictions.convert([path], tmp_path / "out.csv")
  with pytest.raises(ValueError, match="results, line 2: expected an object"):
    json_predictions.convert([path], tmp_path / "out.csv", overwrite=True)
  assert (tmp_path / "out.csv").read_text() == "precious"
  assert sorted(os.listdir(tmp_path)) == ["out.csv", "results"]


def test_no_prediction_is_an_error(tmp_path):
  path = write(tmp_path, "results")
  with pytest.raises(ValueError, match="No prediction in .*results"):
    json_predictions.convert([path], tmp_path / "out.csv")
  assert os.listdir(tmp_path) == ["results"]


def test_a_full_disk_leaves_nothing_behind(tmp_path):
  path = write(tmp_path, "results", *(
      {**VIDEOS[0], "video_id": f"v{number}"} for number in range(2000)))
  with full_disk(after=10_000), pytest.raises(OSError, match="nothing half-written"):
    json_predictions.convert([path], tmp_path / "out.csv")
  assert os.listdir(tmp_path) == ["results"]
