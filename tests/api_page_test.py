# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""docs/api.md holds the docstrings of today, and all that the Python page uses."""

import re

import yt8m
from docs import make_api
from tests.helpers import support


def test_the_page_is_current():
  page = make_api.TARGET.read_text(encoding="utf-8")
  assert page == make_api.document(), "run `make docs`"


def test_everything_public_is_there():
  names = {name for name, _ in make_api.entries()}
  functions = {f"yt8m.{name}" for name, where in yt8m._API.items() if ":" in where}
  assert functions <= names
  text = (support.ROOT / "docs" / "python.md").read_text(encoding="utf-8")
  used = set(re.findall(r"\byt8m\.(?:datasets|metrics|losses|models)\.\w+", text))
  assert used and used <= names
