# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A few thousand damaged inputs of every parser; `make fuzz` tries a million."""

import resource

import pytest

from tests.fuzz import driver
from tests.fuzz import target as targets
from tests.fuzz import targets as registry

_CASES = driver.divided(20_000)


@pytest.fixture(autouse=True)
def limited_memory():
  before = resource.getrlimit(resource.RLIMIT_AS)
  driver.limit_memory()
  yield
  resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("name", registry.TARGETS)
def test_damaged_inputs_give_only_our_own_errors(name):
  counts, faults = driver.run_cases(name, 0, range(_CASES[name]))
  assert not faults, faults[:3]
  assert counts[targets.ACCEPTED]
  if registry.TARGETS[name].takes_all:
    assert not counts[targets.REFUSED]
  else:
    assert counts[targets.REFUSED] or _CASES[name] < 20  # A few cases may all be valid.


def test_every_valid_input_is_accepted(tmp_path):
  for name, target in registry.TARGETS.items():
    for seed in target.seeds:
      assert targets.judge(target, seed, str(tmp_path / name)) == (targets.ACCEPTED, "")
