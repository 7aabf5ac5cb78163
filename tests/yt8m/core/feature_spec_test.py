# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Feature names and sizes, from flags and from configurations."""

import dataclasses
import json

import pytest

from yt8m.core import feature_spec

FeatureSpec = feature_spec.FeatureSpec


def test_flags_of_the_starter_code():
  spec = FeatureSpec.from_flags("mean_rgb, mean_audio", "1024,128")
  assert spec == FeatureSpec(("mean_rgb", "mean_audio"), (1024, 128), "video")
  assert spec.is_video_level and spec.total_size == 1152
  assert FeatureSpec.from_flags("rgb", "8", frame_features=True).level == "frame"
  assert FeatureSpec.from_flags("rgb", "8", True, True).level == "segment"


def test_config_round_trip():
  spec = FeatureSpec(("rgb", "audio"), (1024, 128), "frame")
  assert FeatureSpec.from_config(json.loads(json.dumps(spec.to_config()))) == spec


def test_types_are_kept_and_default_ones_left_out():
  spec = FeatureSpec.from_flags("rgb, clip", "1024,512", True,
                                feature_dtypes="uint8, float16")
  assert spec.dtypes == ("uint8", "float16") and spec.frame_bytes == 2048
  assert FeatureSpec.from_config(json.loads(json.dumps(spec.to_config()))) == spec
  assert spec.with_segment_labels(True).dtypes == spec.dtypes
  assert FeatureSpec(["rgb"], [8], "frame").dtypes == ("uint8",)
  assert FeatureSpec(["rgb"], [8], "video").dtypes == ("float32",)
  assert FeatureSpec(["rgb"], [8], "frame", ["uint8"]).to_config() == {
      "names": ["rgb"], "sizes": [8], "level": "frame"}


@pytest.mark.parametrize("dtypes, frames, message", [
    ("uint8", True,
     "--feature_names has 2 entries .* --feature_dtypes has 1 .*give one type for each"),
    ("uint8,int8", True, "gives b the type 'int8', but must be one of uint8, float16"),
    ("float32,uint8", False, "gives b the type uint8, in which only frames are stored"),
])
def test_errors_of_types_name_the_feature(dtypes, frames, message):
  with pytest.raises(ValueError, match=message):
    FeatureSpec.from_flags("a,b", "8,8", frames, feature_dtypes=dtypes)


def test_ranges_of_bytes():
  spec = feature_spec.FeatureSpec(
      ("rgb", "audio"), (8, 4), "frame", ("uint8", "float16"), extractor="mine@01",
      ranges={"rgb": (0, 6)})
  config = json.loads(json.dumps(spec.to_config()))
  assert config["ranges"] == {"rgb": [0.0, 6.0]}
  assert feature_spec.FeatureSpec.from_config(config) == spec
  assert spec.of_names(["rgb"]).ranges == {"rgb": (0.0, 6.0)}
  assert spec.of_names(["audio"]).ranges == {} and hash(spec)
  other = dataclasses.replace(spec, ranges={})
  assert other != spec and "ranges" not in other.to_config()
  with pytest.raises(ValueError, match="The feature rgb of these records is stored as "
                     "bytes for -1.99219 to 2.00781, and .* trained on bytes for 0 to 6"):
    spec.check_extractor(other, "these records")
  with pytest.raises(ValueError, match="is stored as float16, and .* bytes for 0 to 6"):
    spec.check_extractor(dataclasses.replace(
        spec, dtypes=("float16", "float16"), ranges={}), "these records")
  with pytest.raises(ValueError, match="extract the videos again without --quantize"):
    dataclasses.replace(spec, dtypes=("float16", "float16"), ranges={}).check_extractor(
        spec, "these records")
  spec.check_extractor(spec, "these records")
  spec.check_extractor(other.of_names(["audio"]), "these records")


@pytest.mark.parametrize("ranges", [
    {"rgb": (1, 1)}, {"rgb": (2, 1)}, {"rgb": (0, float("inf"))}, {"rgb": (0, 1, 2)},
    {"audio": (0, 1)}, {"other": (0, 1)}])
def test_ranges_that_are_none(ranges):
  with pytest.raises(ValueError, match=f"range of the feature {next(iter(ranges))} is "):
    feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), "frame", ("uint8", "float16"),
                             ranges=ranges)


def test_segment_labels_can_be_asked_for_or_dropped():
  frame = FeatureSpec(("rgb",), (8,), "frame")
  assert frame.with_segment_labels(True).level == "segment"
  assert frame.with_segment_labels(None) == frame
  assert frame.with_segment_labels(True).with_segment_labels(False) == frame
  video = FeatureSpec(("rgb",), (8,), "video")
  assert video.with_segment_labels(False) == video
  with pytest.raises(ValueError, match="--segment_labels needs .*: leave it out"):
    video.with_segment_labels(True)


@pytest.mark.parametrize("names, sizes, message", [
    ("rgb,audio", "1024", "--feature_names has 2 entries .* --feature_sizes has 1"),
    ("", "", "--feature_names is empty"),
    ("rgb,rgb", "8,8", "a name twice"),
    ("rgb", "0", "must be positive"),
    ("rgb", "1k", "--feature_sizes='1k' must be whole numbers"),
])
def test_errors_name_the_flag(names, sizes, message):
  with pytest.raises(ValueError, match=message):
    FeatureSpec.from_flags(names, sizes)
