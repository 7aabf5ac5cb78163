# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""TensorFlow, imported when it is first used.

It takes seconds to import. What a command says about its command line, such as a file
that does not exist, does not wait for it.
"""

import importlib
from typing import Any


class _Module:
  """A module by its name; its attributes import it."""

  def __init__(self, name: str):
    self._name = name

  def __getattr__(self, attribute: str) -> Any:
    return getattr(importlib.import_module(self._name), attribute)


tensorflow = _Module("tensorflow")
