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


def of_file(name, contents, read, expected, **options):
  return target.Target(name=name, seeds=dump(*contents), read=read, expected=expected,
                       mutate=mutation.of_json, file=name, **options)
