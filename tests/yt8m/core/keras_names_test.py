# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
import importlib
import subprocess
import sys

import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m import metrics
from yt8m.core import keras_names
from yt8m.models import losses

keras = tf.keras

# An imitated Keras: `get` of version 3 reads a table, that of version 2 calls a function.
FAKE = {
    "src/__init__.py": "",
    "src/metrics/__init__.py": """
ALL_OBJECTS_DICT = {"mse": dict}

def get(name):
  found = ALL_OBJECTS_DICT[name]
  return found() if isinstance(found, type) else found
""",
    "src/losses.py": """
def deserialize(name, custom_objects=None):
  return {"mse": 1}[name]

def get(name):
  return deserialize(name)
"""}


@pytest.mark.parametrize("name, cls", [
    ("gap", metrics.GlobalAveragePrecision), ("map", metrics.MeanAveragePrecision),
    ("hit@1", metrics.HitAtK), ("hit_at_1", metrics.HitAtK),
    ("perr", metrics.PrecisionAtEqualRecall),
    *((cls.__name__, cls) for cls in (
        metrics.GlobalAveragePrecision, metrics.MeanAveragePrecision, metrics.HitAtK,
        metrics.PrecisionAtEqualRecall))])
def test_a_name_makes_a_new_metric(name, cls):
  first, second = keras.metrics.get(name), keras.metrics.get(name)
  assert type(first) is type(second) is cls
  assert first is not second


def test_every_loss_has_its_name():
  assert sorted(keras_names.NAMES["src.losses"]) == sorted(losses.LOSSES)
  for name in losses.LOSSES:
    assert type(keras.losses.get(name)) is losses.LOSSES[name]


def test_other_names_are_those_of_keras():
  assert "yt8m" not in repr(keras.metrics.get("mse")) + repr(keras.losses.get("mse"))


@pytest.mark.parametrize("first", ["keras", "names"])
def test_both_orders_of_import_and_both_versions(first, tmp_path, monkeypatch):
  for path, text in FAKE.items():
    path = tmp_path / "imitated_keras" / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
  monkeypatch.syspath_prepend(tmp_path)
  monkeypatch.setattr(keras_names, "_KERAS", ("imitated_keras",))
  monkeypatch.setattr(sys, "meta_path", [
      finder for finder in sys.meta_path if not isinstance(finder, keras_names._Finder)])
  try:
    if first == "names":
      keras_names.install()
    modules = [importlib.import_module(f"imitated_keras.src.{name}")
               for name in ("metrics", "losses")]
    for _ in range(2):  # again changes nothing
      keras_names.install()
    assert isinstance(modules[0].get("gap"), metrics.GlobalAveragePrecision)
    assert isinstance(modules[1].get("HingeLoss"), losses.HingeLoss)
    assert modules[0].get("mse") == {} and modules[1].get("mse") == 1
  finally:
    for name in [name for name in sys.modules if name.startswith("imitated_keras")]:
      del sys.modules[name]


def test_importing_yt8m_loads_no_library():
  code = ("import sys, yt8m; dir(yt8m);"
          "print({'tensorflow', 'keras', 'numpy', 'yt8m.metrics'} & set(sys.modules))")
  output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=support.ROOT, env=support.ENVIRONMENT, check=True)
  assert output.stdout.strip() == "set()"
