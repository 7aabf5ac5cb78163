# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the targets of JSON files share: seeds, and strict readings of values."""

import json
import math

from tests.fuzz import mutation
from tests.fuzz import target


def dump(*contents):
  return [json.dumps(content).encode() for content in contents]


def number(value, kinds=(int, float)):
  """The number, if it is one and finite."""
  assert type(value) in kinds, value
  assert math.isfinite(float(value)), value
  return value


def whole(value):
  assert type(value) is int, value
  assert 0 < value < 2**31, value
  return value


def spec(config):
  names, sizes = config["names"], config["sizes"]
  assert isinstance(names, list) and isinstance(sizes, list)
  assert names and all(isinstance(name, str) and name for name in names)
  assert len(set(names)) == len(names) == len(sizes)
  assert config["level"] in ("video", "frame", "segment")
  return names, [whole(size) for size in sizes], config["level"]


def ranges(config):
  """Returns the ranges of bytes of a spec."""
  found = config.get("ranges", {})
  assert isinstance(found, dict)
  for bounds in found.values():
    assert isinstance(bounds, list)
    low, high = bounds
    assert number(low) < number(high)
  dtypes = config.get("dtypes") or ["uint8"] * len(config["names"])
  assert all(dtypes[config["names"].index(name)] == "uint8" for name in found)
  assert not found or config["level"] != "video"
  return {name: (float(low), float(high)) for name, (low, high) in found.items()}


def of_file(name, contents, read, expected, **options):
  return target.Target(name=name, seeds=dump(*contents), read=read, expected=expected,
                       mutate=mutation.of_json, file=name, **options)
