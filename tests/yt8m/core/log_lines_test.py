# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Lines of the log as JSON objects."""

import json
import logging
import re

import pytest

from yt8m.core import log_lines


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
  monkeypatch.setenv("YT8M_LOG_JSON", "0")


@pytest.mark.parametrize("words, expected", [
    (["--log_json"], True), (["-log_json"], True), (["--log_json=true"], True),
    (["--x", "--log_json=1"], True), ([], False), (["--nolog_json"], False),
    (["--log_json", "--nolog_json"], False), (["--log_json=False"], False),
    (["--log_jsonx"], False), (["log_json"], False)])
def test_the_flag_is_known_before_flags_are_parsed(words, expected):
  log_lines.configure(words)
  assert log_lines.is_json() == expected


def logged(*arguments, level=logging.INFO, **options):
  logger = logging.getLogger("test.log_lines")
  log_lines.follow(logger)
  logger.setLevel(logging.INFO)
  logger.log(level, *arguments, **options)
  logger.handlers.clear()


def test_a_record_with_numbers_is_one_object(capsys):
  log_lines.set_json(True)
  logged("step %d\nloss", 3, extra=log_lines.numbers(step=3, gap=float("nan")))
  [line] = capsys.readouterr().err.splitlines()
  found = json.loads(line)
  assert found.pop("time").endswith("+00:00")
  assert found == {"level": "INFO", "message": "step 3\nloss", "step": 3, "gap": None}


def test_a_traceback_is_a_field(capsys):
  log_lines.set_json(True)
  try:
    raise OSError("no file")
  except OSError:
    logged("failed", level=logging.ERROR, exc_info=True)
  [line] = capsys.readouterr().err.splitlines()
  found = json.loads(line)
  assert found["level"] == "ERROR" and "OSError: no file" in found["traceback"]


def test_plain_lines_have_the_time_and_the_text(capsys):
  logged("step %d", 3, extra=log_lines.numbers(step=3))
  assert re.fullmatch(r"\d\d:\d\d:\d\d step 3\n", capsys.readouterr().err)


def test_an_error_at_the_end_has_no_prefix_in_json():
  assert log_lines.line("ERROR", "ERROR: no") == "ERROR: no"
  log_lines.set_json(True)
  assert json.loads(log_lines.line("ERROR", "ERROR: no"))["message"] == "no"
