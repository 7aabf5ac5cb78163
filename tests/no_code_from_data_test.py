# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""No module uses what turns the bytes of a file into code."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("yt8m", "models", "eval", "export", "benchmarks")
                 for path in (ROOT / folder).rglob("*.py"))
# Modules that read objects by pickle, or run code from data.
MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "joblib",
           "yaml"}
# Functions that do, by their whole name, or by its last part.
WHOLE_NAMES = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
LAST_PARTS = {"load_model", "model_from_json", "deserialize", "deserialize_keras_object",
              "enable_unsafe_deserialization", "import_meta_graph"}
# What may be used in one place, which checks what it reads.
ALLOWED = {
    # Besides the registry, only names that stand in the source.
    "importlib.import_module": {"yt8m/core/registry.py", "yt8m/core/addons.py",
                                "yt8m/core/keras_names.py", "yt8m/core/lazy.py",
                                "models/__init__.py",
                                "benchmarks/run_all.py"},
    # Keras 2 itself, which `compile` calls with the names of metrics and losses.
    "deserialize": {"yt8m/core/keras_names.py"},
    # Called by `keras.models.load_model` of the user alone, which does the same.
    "keras.utils.deserialize_keras_object": {"models/keras_loops.py"},
    "tf.saved_model.load": {"yt8m/artifacts/saved_model.py", "benchmarks"},
    "tarfile.open": {"yt8m/artifacts/model_archive.py",
                     "yt8m/artifacts/archive_reader.py"},
}


def faults(source, path):
  """Yields each use of something refused."""
  for node in ast.walk(ast.parse(source)):
    if isinstance(node, (ast.Import, ast.ImportFrom)):
      names = [getattr(node, "module", None), *(alias.name for alias in node.names)]
      imported = {name.split(".")[0] for name in names if name}
      yield from (f"{path}:{node.lineno}: import {name}" for name in imported & MODULES)
    if isinstance(node, ast.Call):
      yield from (f"{path}:{node.lineno}: {fault}" for fault in call_faults(node, path))


def call_faults(call, path):
  name = ast.unparse(call.func)
  keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
  if name in WHOLE_NAMES or (
      name.split(".")[-1] in LAST_PARTS and name not in ALLOWED):
    yield name
  if name == "np.load" and keywords.get("allow_pickle") != "False":
    yield "np.load without allow_pickle=False"
  if keywords.get("shell") == "True":
    yield f"{name} through a shell"
  if name in ALLOWED and not any(map(str(path).startswith, ALLOWED[name])):
    yield name


@pytest.mark.parametrize("source", [
    "import pickle", "from yaml import load", "eval(x)", "np.load(file)",
    "np.load(file, allow_pickle=True)", "keras.models.load_model(path)",
    "keras.layers.deserialize(config)", "subprocess.run(x, shell=True)",
    "importlib.import_module(name)", "tf.saved_model.load(path)", "os.system(x)"])
def test_a_fault_is_found(source):
  assert len(list(faults(source, "yt8m/x.py"))) == 1


def test_no_module_runs_code_from_data():
  found = [fault for path in SOURCES
           for fault in faults(path.read_text(), path.relative_to(ROOT))]
  assert len(SOURCES) > 150 and found == []
