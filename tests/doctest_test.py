# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Every example in a docstring runs on its own and prints what it says."""

import doctest
import importlib

import pytest

from tests import layout_test

MODULES = sorted(name for name, path in layout_test.MODULES.items()
                 if ">>> " in (layout_test.ROOT / path).read_text())


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  module = importlib.import_module(name)
  examples = doctest.DocTestFinder(exclude_empty=True).find(module, globs={})
  runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
  for example in examples:
    runner.run(example)
  assert runner.tries, f"no example of {name} was found"
  assert not runner.failures
