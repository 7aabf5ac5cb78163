# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What yt8m-extract reads besides media: `videos.csv`, `dataset.json` and its parts."""

import json
import os

from tests.fuzz import json_values
from tests.fuzz import mutation
from tests.fuzz import target
from yt8m.core import files
from yt8m.data import dataset
from yt8m.extracting import clips
from yt8m.extracting import job
from yt8m.extracting import splits

_DATASET = {
    "format": 1, "features": {
        "names": ["rgb", "audio"], "sizes": [8, 4], "level": "frame",
        "dtypes": ["float16", "uint8"], "extractor": "mine@0123456789abcdef",
        "ranges": {"audio": [-4.5, 6]}},
    "num_classes": 3, "max_frames": 300, "fps": 1.0,
    "num_videos": {"train": 8, "validate": 1, "test": 0},
    "extraction": {"missing": "fail"}}


def _read_dataset(path):
  one = dataset.Dataset.load(os.path.dirname(path))
  spec = one.spec
  return ((list(spec.names), list(spec.sizes), spec.level), spec.extractor, spec.ranges,
          one.num_classes, one.max_frames, one.fps, dict(one.num_videos), one.extraction)


def _expected_dataset(data):
  content = json.loads(data.decode())
  assert content["format"] == 1 and type(content["format"]) is int
  features, counts = content["features"], content["num_videos"]
  assert set(counts) <= {"train", "validate", "test"}
  assert all(type(count) is int and count >= 0 for count in counts.values())
  extractor = features.get("extractor")
  assert extractor is None or (isinstance(extractor, str) and extractor)
  assert json_values.number(content["fps"]) > 0
  assert isinstance(content["extraction"], dict)
  return (json_values.spec(features), extractor, json_values.ranges(features),
          json_values.whole(content["num_classes"]),
          json_values.whole(content["max_frames"]), float(content["fps"]), counts,
          content["extraction"])


_PART = {"videos": [["a", 3, ["cat", "dog"]], ["b", 1, []]],
         "failed": [["/v/c.mp4", "c", "it is empty"]]}


def _read_part(path):
  one = files.read_json(path, kind="a part", remedy="Delete it",
                        parse=job.Result.from_config)
  return one.videos, one.failed


_SETTINGS = {"seed": 0, "extractor": "mine@01", "ranges": {"rgb": [0, 6.5]}}


def _read_settings(path):
  return job.ranges_begun(os.path.dirname(path))


def _expected_settings(data):
  content = json.loads(data.decode())
  assert isinstance(content, dict)
  found = content.get("ranges", {})
  assert isinstance(found, dict)
  for bounds in found.values():
    assert isinstance(bounds, list)
    low, high = map(json_values.number, bounds)
    assert low < high
  if content.get("quantize") and not found:
    return None
  return {name: tuple(bounds) for name, bounds in found.items()}


_LIST = (b"path,labels,id,start,end,split\n"
         b"a.mp4,cat;dog,one,,,\n"
         b'"b, c.mkv",dog,,1.5,20,train\n'
         b"d/e.webm,,,0,,test\n")


def _read_list(path):
  found = clips.read(path)
  divided = splits.divide(found, {"train": 0.8, "validate": 0.1, "test": 0.1})
  assert sum(map(len, divided.values())) == len(found)
  assert len({clip.id for clip in found}) == len(found)
  for clip in found:
    assert os.path.isabs(clip.path) and clip.id and clip.start >= 0
    assert clip.end is None or clip.end > clip.start
    assert all(label.isprintable() and label.strip() == label for label in clip.labels)
  return [(clip.id, clip.labels) for clip in found]


def _no_verdict(_):
  raise target.NoVerdict


TARGETS = (
    json_values.of_file("dataset.json", [_DATASET], _read_dataset, _expected_dataset,
                        share=3),
    json_values.of_file(
        "extraction.json", [_SETTINGS], _read_settings, _expected_settings, share=2),
    target.Target(
        name="part of an extraction", seeds=json_values.dump(_PART), read=_read_part,
        expected=_no_verdict, mutate=mutation.of_json, file="train-00-of-01.json"),
    target.Target(name="videos.csv", seeds=[_LIST], read=_read_list,
                  expected=_no_verdict, file="videos.csv", share=2),
)
