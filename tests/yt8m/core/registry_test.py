# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The registry: duplicates, suggestions, classes of the user's own."""

import collections

import pytest

from yt8m.core import registry


def test_register_look_up_and_list():
  colours = registry.Registry("colour")
  assert colours.register("red")(int) is int
  colours.register("blue", float)
  assert colours["red"] is int and colours["blue"] is float
  assert list(colours) == ["blue", "red"] and "red" in colours


def test_a_name_is_taken_once():
  colours = registry.Registry("colour")
  colours.register("red", int)
  with pytest.raises(ValueError, match="colour 'red' is registered already"):
    colours.register("red", float)


def test_an_unknown_name_lists_the_closest_first():
  colours = registry.Registry("colour")
  for name in ("blue", "green", "red"):
    colours.register(name, int)
  with pytest.raises(ValueError, match="Unknown colour 'gren'. Valid: green, blue, red"):
    colours["gren"]


def test_a_class_of_the_users_own():
  colours = registry.Registry("colour")
  assert colours["collections:OrderedDict"] is collections.OrderedDict
  with pytest.raises(ValueError, match="could not be imported.*PYTHONPATH"):
    colours["no_such_package:Thing"]
  with pytest.raises(ValueError, match="could not be imported"):
    colours["collections:NoSuchThing"]
