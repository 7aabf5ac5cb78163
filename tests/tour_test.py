# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""docs/tour.md has the commands that its program runs, and none of them has failed."""

from docs import make_tour


def test_the_page_is_what_the_program_writes():
  text = make_tour.PAGE.read_text(encoding="utf-8")
  at = 0
  for paragraph, commands in make_tour.STEPS:
    at = text.index(paragraph.split()[0], at)
    for command in commands:
      at = text.index(f"$ {command}\n", at)
  *work, mistakes = text.split("A mistake is one line")
  assert mistakes.count("ERROR: ") == 2
  for word in ("ERROR", "Traceback", "command not found", "/tmp/"):
    assert word not in "".join(work)


def test_long_outputs_are_shortened():
  lines = make_tour._shortened("\n".join(map(str, range(99)))).split("\n")
  assert lines[:2] == ["0", "1"] and lines[-1] == "98" and "…" in lines
  assert make_tour._shortened("\x1b[31m" + "x" * 200) == "x" * 130 + "…"
