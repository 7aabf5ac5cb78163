# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Ranges of features that are stored in 8 bits are learned from clips for training."""

import json

import numpy as np
import pytest

from tests.helpers import extraction
from yt8m.core import numerics
from yt8m.data import dataset
from yt8m.data import readers
from yt8m.extracting import clips as clip_lists
from yt8m.extracting import features
from yt8m.extracting import job as jobs
from yt8m.extracting import ranges
from yt8m.extracting import streams


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
  return extraction.write_clips(tmp_path_factory.mktemp("clips"), 8)


def learned(videos, extractor=None, clips=None):
  clips = clip_lists.read(videos) if clips is None else clips
  with streams.Decoders(2, 30.0, 4 * 2**30) as decoders:
    return ranges.learned(extractor or extraction.colours(), clips, features.Sampling(),
                          decoders, lambda done: None)


def records(folder):
  data = dataset.Dataset.load(folder)
  reader = readers.make_reader(data.spec, data.num_classes, 300)
  return data.spec, {
      batch["id"][0].numpy().decode(): {
          name: batch["features"][name][0].numpy() for name in data.spec.names}
      for batch in reader.dataset(str(folder / "*.tfrecord"), 1)}


def test_bytes_are_the_floats_to_a_half_of_a_step(videos, tmp_path):
  extractor = extraction.colours()
  found = learned(videos)
  extraction.run(extraction.make_job(videos, tmp_path / "floats"))
  extractor.quantize(found)
  extraction.run(extraction.make_job(videos, tmp_path / "bytes", extractor))
  (_, floats), (spec, of_bytes) = (
      records(tmp_path / name) for name in ("floats", "bytes"))
  assert spec.dtypes == ("uint8", "uint8") and spec.ranges == found
  assert set(floats) == set(of_bytes) and len(floats) == 8
  for name, bounds in found.items():
    step = (bounds[1] - bounds[0]) / 255
    values = np.concatenate([one[name] for one in floats.values()]).astype(np.float32)
    restored = np.concatenate([numerics.dequantize(of_bytes[key][name], bounds)
                               for key in floats])
    assert np.abs(np.clip(values, *bounds) - restored).max() <= step / 2 + 1e-3
    assert values.min() - step <= bounds[0] < bounds[1] <= values.max() + step
    stored = np.concatenate([one[name] for one in of_bytes.values()])
    assert stored.min() == 0 and stored.max() == 255


def test_ranges_of_a_job_that_was_begun(videos, tmp_path):
  assert jobs.ranges_begun(str(tmp_path)) is None
  extractor = extraction.colours()
  extractor.quantize({"rgb": (0.0, 1.5)})
  extraction.make_job(videos, tmp_path, extractor).prepare()
  assert jobs.ranges_begun(str(tmp_path)) == {"rgb": (0.0, 1.5)}
  for ranges_now in ({"rgb": (0.0, 2.5)}, {}):
    other = extraction.colours()
    other.quantize(ranges_now)
    with pytest.raises(ValueError, match=r"ranges was {'rgb': \[0.0, 1.5\]}, is now "):
      extraction.make_job(videos, tmp_path, other).prepare()
  settings = json.loads((tmp_path / jobs.SETTINGS).read_text())
  (tmp_path / jobs.SETTINGS).write_text(json.dumps({"quantize": True}))
  assert jobs.ranges_begun(str(tmp_path)) is None
  (tmp_path / jobs.SETTINGS).write_text("{}")
  assert jobs.ranges_begun(str(tmp_path)) == {}
  for wrong in ([1], {"rgb": 1}, {"rgb": [1]}, {"rgb": ["a", "b"]}):
    (tmp_path / jobs.SETTINGS).write_text(json.dumps({**settings, "ranges": wrong}))
    with pytest.raises(ValueError, match="extraction.json is not settings of yt8m-ext"):
      jobs.ranges_begun(str(tmp_path))


def test_clips_that_fail_are_replaced_by_others(videos, tmp_path, monkeypatch):
  (tmp_path / "a.mp4").write_text("hello")
  (tmp_path / "videos.csv").write_text("path,labels\na.mp4,red\n")
  damaged = clip_lists.read(tmp_path / "videos.csv")
  assert learned(videos, clips=damaged) == learned(videos, clips=[]) == {}
  monkeypatch.setattr(ranges, "NUM_CLIPS", 2)
  some = clip_lists.read(videos)[:3]
  expected = learned(videos, clips=some[1:])
  assert learned(videos, clips=[*damaged, *some[1:]]) == expected
  assert set(expected) == {"rgb", "audio"}
