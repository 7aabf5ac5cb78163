# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""SavedModel directories. tests/export/prediction/stores_test.py compares scores."""

import collections
import json
import pickle
import shutil

import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import small_job
from yt8m.artifacts import manifest
from yt8m.artifacts import saved_model
from yt8m.core import checksum


def a_contract(level="video"):
  return saved_model.Contract(descriptors.SPECS[level], descriptors.MAX_FRAMES, 3)


@pytest.fixture
def directory(tmp_path):
  """Writes the files of a SavedModel that cannot be loaded."""
  folder = tmp_path / "model"
  for name, content in {
      "saved_model.pb": b"graph", "variables/variables.index": b"i",
      "variables/variables.data-00000-of-00001": bytes(range(256)) * 999,
      "assets.extra/config.json": b"{}"}.items():
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
  (folder / "assets").mkdir()
  a_contract().save(str(folder / "assets"))
  manifest.write(str(folder))
  return folder


def test_the_contract_goes_with_the_model(tmp_path):
  assets = tmp_path / "assets"
  assets.mkdir()
  for level in descriptors.SPECS:
    assert a_contract(level).save(str(assets)) == str(assets / "feature_spec.json")
    model = saved_model.SavedModel(str(tmp_path))
    assert model.contract == a_contract(level)
    assert (model.spec, model.max_frames, model.num_classes) == (
        descriptors.SPECS[level], descriptors.MAX_FRAMES, 3)
  for text in ("{", "[]", '{"names": ["rgb"]}',
               json.dumps({"names": ["rgb"], "sizes": [8], "level": "video"})):
    (assets / "feature_spec.json").write_text(text)
    with pytest.raises(ValueError, match="feature_spec.json is not the description of"):
      _ = saved_model.SavedModel(str(tmp_path)).contract
  with pytest.raises(FileNotFoundError, match="a SavedModel that yt8m-export wrote"):
    _ = saved_model.SavedModel(str(assets)).contract


def test_every_byte_is_read_once(directory, monkeypatch):
  read = collections.Counter()
  of_file = checksum.of_file
  monkeypatch.setattr(checksum, "of_file", lambda path, *others: (
      read.update([path]) or of_file(path, *others)))
  model = saved_model.SavedModel(str(directory), "name")
  model.verify()
  fingerprint = model.fingerprint
  with pytest.raises(ValueError, match="not the graph of"):
    model.load()
  assert set(read.values()) == {1} and len(read) == 5
  # The form in stores of earlier versions.
  assert fingerprint == checksum.of_tree(
      str(directory), ("saved_model.pb", "variables", "assets"))


def test_another_process_reads_for_itself(directory):
  model = saved_model.SavedModel(str(directory), "name")
  before = model.fingerprint
  (directory / "saved_model.pb").write_bytes(b"grapg")
  sent = pickle.loads(pickle.dumps(model))
  assert sent == model and hash(sent) == hash(model)
  assert model.fingerprint == before != sent.fingerprint


def test_the_fingerprint_is_of_what_the_model_computes(directory, tmp_path):
  fingerprint = saved_model.SavedModel(str(directory)).fingerprint
  copy = tmp_path / "copy"
  shutil.copytree(directory, copy)
  shutil.rmtree(copy / "assets.extra")
  assert saved_model.SavedModel(str(copy)).fingerprint == fingerprint
  (copy / "variables" / "variables.index").write_bytes(b"j")
  assert saved_model.SavedModel(str(copy)).fingerprint != fingerprint


def test_a_directory_without_a_model(tmp_path):
  model = saved_model.SavedModel(str(tmp_path))
  assert not model.exists and str(model) == str(tmp_path)
  with pytest.raises(FileNotFoundError, match="holds no SavedModel .*export one with"):
    _ = model.fingerprint


def test_a_damaged_model_is_not_loaded(directory):
  assert saved_model.SavedModel(str(directory)).exists
  (directory / "saved_model.pb").write_bytes(b"grapg")
  with pytest.raises(ValueError, match=r"\(saved_model.pb\) changed since manifest.json"):
    saved_model.SavedModel(str(directory)).predictor()


@pytest.mark.parametrize("path, change", [
    ("variables/variables.index", lambda content: content[:20]),
    ("variables/variables.index", lambda content: b"no index"),
    ("saved_model.pb", lambda content: content.replace(
        b"StatefulPartitionedCall", b"StatefulPartitionedCalm")),
    ("assets/feature_spec.json", lambda content: content.replace(
        b'"num_classes": 6', b'"num_classes": 7')),
    ("assets/feature_spec.json", lambda content: content.replace(b"audio", b"AUDIO"))])
def test_damage_without_a_manifest_is_one_line(tmp_path, path, change):
  """Models of earlier versions have no manifest."""
  directory = tmp_path / "model"
  small_job.export(directory)
  (directory / "manifest.json").unlink()
  before = (directory / path).read_bytes()
  (directory / path).write_bytes(change(before))
  assert (directory / path).read_bytes() != before
  with pytest.raises(ValueError, match=f"{directory}.*(export the model again|refused)"):
    saved_model.SavedModel(str(directory)).predictor()


def test_a_model_of_others_has_no_contract_and_no_scores(tmp_path):
  directory = str(tmp_path / "module")
  tf.saved_model.save(tf.Module(), directory)
  model = saved_model.SavedModel(directory)
  assert model.exists and model.load() is not None
  with pytest.raises(ValueError, match="has no signature predict_features.*--mediapipe"):
    model.predictor()


def test_brackets_and_stars_in_its_path(tmp_path):
  """TensorFlow's own loader takes them for a pattern."""
  directory = tmp_path / "a [1], {x} *?" / "model"
  small_job.export(directory)
  loaded = saved_model.SavedModel(str(directory)).load()
  assert "serving_default" in loaded.signatures
