# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The registry: duplicates, suggestions, and classes of the user."""

import collections
import sys

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
  with pytest.raises(ValueError, match="Unknown colour 'gren'. Valid: green, blue, red. "
                     "Or name your own class as my_package.my_module:MyClass"):
    colours["gren"]


def test_an_unknown_name_may_be_anything():
  assert str(registry.unknown("--strategy", None, [])) == (
      "Unknown --strategy None. Valid: none.")
  assert str(registry.unknown("cell", "gru", ("LSTM", "GRU"), "Use --hparams.")) == (
      "Unknown cell 'gru'. Valid: LSTM, GRU. Use --hparams.")


def test_a_class_of_the_users_own_must_be_allowed():
  colours = registry.Registry("colour", dict)
  with registry.allow_code(["collections"]):
    assert colours["collections:OrderedDict"] is collections.OrderedDict
    with pytest.raises(ValueError, match="could not be imported"):
      colours["collections:NoSuchThing"]
  with registry.allow_code(["no_such_package"]):
    with pytest.raises(ValueError, match="could not be imported.*PYTHONPATH"):
      colours["no_such_package:Thing"]
  with registry.allow_code(["collections:OrderedDict"]):  # a single name
    assert colours["collections:OrderedDict"] is collections.OrderedDict
    with pytest.raises(ValueError, match="--allow_code=collections"):
      colours["collections:Counter"]
  with pytest.raises(ValueError, match="colour 'collections:OrderedDict' is code from "
                                       "outside .* add --allow_code=collections"):
    colours["collections:OrderedDict"]
  assert registry.allowed_code() == ()


@pytest.mark.parametrize("prefix", ["", "thi", "this.other", "this2", "."])
def test_the_prefix_is_checked_before_anything_is_imported(prefix):
  colours = registry.Registry("colour")
  sys.modules.pop("this", None)
  with registry.allow_code([prefix]):
    with pytest.raises(ValueError, match="add --allow_code=this"):
      colours["this:d"]
  assert "this" not in sys.modules


@pytest.mark.parametrize("name", [
    "tests.yt8m.core.registry_test:collections",  # a module
    "tests.yt8m.core.registry_test:CODE",  # an object
    "tests.yt8m.core.registry_test:test_a_name_is_taken_once",  # a function
    "tests.yt8m.core.registry_test:Red",  # another class
    "tests.yt8m.core.registry_test:OrderedDict",  # a class from elsewhere
])
def test_only_classes_of_the_right_kind_below_the_prefix_are_allowed(name):
  colours = registry.Registry("colour", dict)
  with registry.allow_code(["tests.yt8m"]):
    assert colours["tests.yt8m.core.registry_test:Blue"] is Blue
    with pytest.raises(ValueError, match="must be a dict .* below --allow_code=tests.yt"):
      colours[name]


CODE, OrderedDict = "code", collections.OrderedDict


class Blue(dict):
  """A registered class, for the test above."""


class Red:
  """A class that is not registered."""
