# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`dataset.json`: a round trip, and what is said about hostile values."""

import dataclasses
import json
import re

import pytest

from yt8m.core import feature_spec
from yt8m.core import vocabulary
from yt8m.data import dataset
from yt8m.data import readers

SPEC = feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), feature_spec.FRAME,
                                ("float16", "uint8"), extractor="mine@0123456789abcdef")


def make(directory, **changes):
  values = {"spec": SPEC, "num_classes": 3, "max_frames": 20, "fps": 2.0,
            "num_videos": {"train": 5, "validate": 0, "test": 1},
            "extraction": {"missing": "fail"}}
  return dataset.Dataset(str(directory), **{**values, **changes})


@pytest.mark.parametrize("level", [feature_spec.FRAME, feature_spec.VIDEO])
def test_round_trip(tmp_path, level):
  spec = feature_spec.FeatureSpec(("mean_rgb",), (8,), level, extractor="a@b")
  for one in (make(tmp_path), make(tmp_path, spec=spec, extraction={})):
    one.write()
    read = dataset.Dataset.load(tmp_path)
    assert read == one and read.spec.extractor == one.spec.extractor


def test_patterns(tmp_path):
  one = make(tmp_path / "a,[b]")
  assert one.pattern("train") == str(tmp_path / "a,[b]" / "train-*.tfrecord")
  assert one.vocabulary == str(tmp_path / "a,[b]" / "vocabulary.csv")
  for split in ("validate", "dev"):
    with pytest.raises(ValueError, match=f"split '{split}'.*test, train"):
      one.pattern(split)


def test_beside_records(tmp_path):
  make(tmp_path).write()
  path = str(tmp_path / "train-00-of-01.tfrecord")
  assert dataset.Dataset.beside([path]) == make(tmp_path)
  assert dataset.Dataset.beside([str(tmp_path / "other" / "a.tfrecord")]) is None
  assert dataset.Dataset.beside([]) is None
  plain = feature_spec.FeatureSpec(("rgb",), (8,), feature_spec.FRAME)
  assert dataset.Dataset.with_extractor(plain, [path]).extractor == SPEC.extractor
  assert dataset.Dataset.with_extractor(plain, ["a.tfrecord"]).extractor is None
  scaled = dataclasses.replace(SPEC, dtypes=("uint8", "uint8"), ranges={
      "rgb": (0.0, 6.0), "audio": (-1.0, 1.0)})
  make(tmp_path, spec=scaled).write()
  assert dataset.Dataset.load(tmp_path).spec == scaled
  assert dataset.Dataset.with_extractor(plain, [path]).ranges == {"rgb": (0.0, 6.0)}


def test_records_of_another_extractor_are_refused_with_both_names(tmp_path):
  make(tmp_path).write()
  path = str(tmp_path / "train-00-of-01.tfrecord")
  other = feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), feature_spec.FRAME,
                                   extractor="theirs@ffff")
  with pytest.raises(ValueError, match="made by the extractor mine@0123.*those of theirs"
                     "@ffff: extract the videos again.*--extractor"):
    readers.make_reader(other, 3, 20).check_features([path], "--eval_data_pattern")


def test_records_of_other_classes_are_refused(tmp_path):
  make(tmp_path).write()
  path = str(tmp_path / "train-00-of-01.tfrecord")
  check = dataset.Dataset.check_names
  check([path], vocabulary.Vocabulary(("x",)))  # The records have no names.
  vocabulary.Vocabulary(("cat", "dog", "owl")).write(tmp_path / vocabulary.FILE)
  for names in (("cat", "dog", "owl"), ("cat", "dog", "owl", "more")):
    check([path], vocabulary.Vocabulary(names))
  check([path], None)
  check([str(tmp_path / "other" / "a.tfrecord")], vocabulary.Vocabulary(("x",)))
  with pytest.raises(ValueError, match=f"Class 1 of {re.escape(str(tmp_path))} is dog, "
                     "and class 1 of the model fox: .*yt8m-extract --vocabulary"):
    check([path], vocabulary.Vocabulary(("cat", "fox", "owl")))


def test_missing_file(tmp_path):
  with pytest.raises(FileNotFoundError) as error:
    dataset.Dataset.load(tmp_path)
  assert "dataset.json" in str(error.value) and "has finished" in str(error.value)


@pytest.mark.parametrize("change", [
    {"format": 2}, {"format": True}, {"format": None}, {"num_classes": 0},
    {"num_classes": -3}, {"num_classes": 2.0}, {"num_classes": 10**12},
    {"num_classes": "3"}, {"max_frames": 0}, {"max_frames": True}, {"fps": "1"},
    {"fps": 0}, {"fps": -1.0}, {"fps": float("nan")}, {"fps": float("inf")},
    {"num_videos": {"train": -1}}, {"num_videos": {"train": True}}, {"num_videos": []},
    {"num_videos": {"../train": 3}}, {"features": {}}, {"features": []},
    {"features": {"names": ["rgb"], "sizes": [-8], "level": "frame"}},
    {"features": {"names": ["rgb"], "sizes": [8], "level": "frame", "extractor": 3}},
    {"features": {"names": ["rgb"], "sizes": [8], "level": "frame", "extractor": ""}},
    {"extraction": None}])
def test_hostile_values(tmp_path, change):
  make(tmp_path).write()
  path = tmp_path / dataset.FILE
  content = json.loads(path.read_text())
  path.write_text(json.dumps({**content, **change}))
  with pytest.raises(ValueError, match=re.escape(str(path))) as error:
    dataset.Dataset.load(tmp_path)
  message = str(error.value)
  assert "not a description of records by yt8m-extract" in message
  assert "\n" not in message and len(message) < 600
  for missing in change:
    if missing != "features":
      path.write_text(json.dumps({
          name: value for name, value in content.items() if name != missing}))
      with pytest.raises(ValueError, match=f"no entry '{missing}'"):
        dataset.Dataset.load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "3", "[" * 100000, '"x"', "\xff"])
def test_other_files(tmp_path, text):
  (tmp_path / dataset.FILE).write_bytes(text.encode("latin-1"))
  with pytest.raises(ValueError, match="dataset.json"):
    dataset.Dataset.load(tmp_path)
