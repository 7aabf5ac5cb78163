# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The fuzzer notices every kind of fault."""

import time

import pytest

from tests.fuzz import driver
from tests.fuzz import target as targets


def raising(error):
  def read(path):
    raise error
  return read


@pytest.mark.parametrize("read, outcome", [
    (lambda path: b"valid", "accepted"), (lambda path: b"other", "wrong"),
    (raising(ValueError("input is bad")), "refused"),
    (raising(ValueError("is bad")), "unclear"), (raising(ValueError("")), "unclear"),
    (raising(ValueError("input\nis bad")), "unclear"),
    (raising(KeyError("input")), "foreign"), (raising(MemoryError()), "foreign"),
    (lambda path: time.sleep(60), "hang")])
def test_outcomes(read, outcome, tmp_path, monkeypatch):
  monkeypatch.setattr(targets, "_SECONDS", 0.05)
  target = targets.Target(
      name="x", seeds=[b"valid"], read=read, expected=lambda data: data)
  assert targets.judge(target, b"valid", str(tmp_path))[0] == outcome


def test_what_must_not_be_accepted_is_wrong(tmp_path):
  target = targets.Target(
      name="x", seeds=[b"1"], read=lambda path: 1, expected=lambda data: int(data))
  assert targets.judge(target, b"1", str(tmp_path))[0] == "accepted"
  assert targets.judge(target, b"one", str(tmp_path))[0] == "wrong"


def test_a_case_is_the_same_every_time_and_the_table_adds_up():
  name = "status.json"
  target = driver.registry.TARGETS[name]
  assert [target.case(1, n) for n in range(50)] == [target.case(1, n) for n in range(50)]
  assert target.case(1, 9) != target.case(2, 9)
  whole = driver.run_cases(name, 1, range(40))
  parts = [driver.run_cases(name, 1, numbers) for numbers in (range(15), range(15, 40))]
  assert whole == (parts[0][0] + parts[1][0], parts[0][1] + parts[1][1])
  table = driver.table({name: whole})
  assert "| all | 40 |" in table
