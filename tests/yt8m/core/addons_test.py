# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Addons that are missing or cannot be loaded: the error says why, and what to do."""

import importlib.util
import sys

import pytest
import tensorflow as tf

from yt8m.core import addons
from yt8m.training import optimizers


def test_addons_that_are_not_installed(monkeypatch):
  monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
  with pytest.raises(ModuleNotFoundError, match=r"not installed: pip install .*addons"):
    addons.load()
  with pytest.raises(ValueError, match="'LazyAdm'.*not installed.*addons-current"):
    optimizers.make_optimizer("LazyAdm", 0.1)


# What the error says depends on the Keras that is installed: one test for each.
@pytest.mark.skipif(not hasattr(tf.keras, "ops"), reason="tf.keras is Keras 2")
def test_addons_beside_keras_3(monkeypatch):
  monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
  with pytest.raises(ValueError, match="LazyAdam.*is Keras 3.*TF_USE_LEGACY_KERAS"):
    optimizers.make_optimizer("LazyAdam", 0.1)


# The other one of the two.
@pytest.mark.skipif(hasattr(tf.keras, "ops"), reason="tf.keras is Keras 3")
def test_addons_that_break(monkeypatch):
  monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
  monkeypatch.setitem(sys.modules, "tensorflow_addons", None)
  with pytest.raises(ImportError, match="cannot be loaded"):
    addons.load()
