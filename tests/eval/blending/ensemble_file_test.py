# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`ensemble.json`: round trip, moved folders, and invalid files."""

import json

import numpy as np
import pytest

from yt8m.artifacts import saved_model
from yt8m.eval.blending import ensemble_file


def an_ensemble(folder, weights=(0.25, 0.75)):
  """An ensemble of two directories of 10 and 20 bytes."""
  for name, size in (("a", 10), ("b", 20)):
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "saved_model.pb").write_bytes(b"x" * size)
  return ensemble_file.EnsembleFile(
      tuple(ensemble_file.Member(saved_model.SavedModel(str(folder / name), name), weight)
            for name, weight in zip("ab", weights, strict=True)),
      "logits", 100, {"equal_weights": 0.5}, {"method": "beam"})


def test_round_trip(tmp_path):
  ensemble = an_ensemble(tmp_path / "members")
  ensemble.save(tmp_path / "ensemble.json")
  assert ensemble_file.EnsembleFile.load(tmp_path / "ensemble.json") == ensemble
  assert ensemble.bytes == 30
  np.testing.assert_array_equal(ensemble.weights, [0.25, 0.75])


def test_weights_by_class(tmp_path):
  ensemble = an_ensemble(tmp_path, ([0.25, 1.0, 0.5], [0.75, 0.0, 0.5]))
  ensemble.save(tmp_path / "ensemble.json")
  loaded = ensemble_file.EnsembleFile.load(tmp_path / "ensemble.json")
  assert loaded.weights.shape == (2, 3)


def test_moves_together_with_its_members(tmp_path):
  (tmp_path / "old").mkdir()
  an_ensemble(tmp_path / "old" / "members").save(tmp_path / "old" / "ensemble.json")
  (tmp_path / "old").rename(tmp_path / "new")
  [first, _] = ensemble_file.EnsembleFile.load(tmp_path / "new" / "ensemble.json").members
  assert first.model.directory == str(tmp_path / "new" / "members" / "a")


def test_a_remote_file_names_local_members(tmp_path):
  ensemble = an_ensemble(tmp_path)
  ensemble.save("ram://ensembles/ensemble.json")
  assert ensemble_file.EnsembleFile.load("ram://ensembles/ensemble.json") == ensemble


@pytest.mark.parametrize("change, message", [
    (lambda content: content.pop("members"), "not an ensemble"),
    (lambda content: content.update(format=2), "not an ensemble"),
    (lambda content: content.update(colour="red"), "not an ensemble"),
    (lambda content: content["members"][0].pop("bytes"), "not an ensemble"),
    (lambda content: content["members"][0].update(weight=0.5), "sum to 1"),
    (lambda content: content["members"][0].update(weight=[0.5, 0.5]), "not an ensemble"),
    (lambda content: [content["members"][i].update(weight=w)
                      for i, w in enumerate((-0.5, 1.5))], "at least 0"),
    (lambda content: content.update(members=[]), "0 members"),
    # A name becomes a directory of predictions.
    *[(lambda content, name=name: content["members"][0].update(name=name), "name is ")
      for name in ("../escape", "/escape", "..", ".", "a\0", "")],
    (lambda content: content["search"].update(candidates=[{
        "name": "../a", "saved_model": "a", "bytes": 1, "gap": 0.5}]), "name is '../a'"),
    (lambda content: content["search"].update(candidates=[{"name": "a"}]), "no entry"),
])
def test_what_is_no_ensemble_is_refused(change, message, tmp_path):
  path = tmp_path / "ensemble.json"
  an_ensemble(tmp_path).save(path)
  content = json.loads(path.read_text())
  change(content)
  path.write_text(json.dumps(content))
  with pytest.raises(ValueError, match=f"ensemble.json.*{message}"):
    ensemble_file.EnsembleFile.load(path)


def test_text_that_is_no_json_is_refused(tmp_path):
  (tmp_path / "ensemble.json").write_text("{")
  with pytest.raises(ValueError, match="not an ensemble that yt8m-ensemble wrote"):
    ensemble_file.EnsembleFile.load(tmp_path / "ensemble.json")
  with pytest.raises(FileNotFoundError):
    ensemble_file.EnsembleFile.load(tmp_path / "other.json")


def test_a_name_is_decided_by_the_search_whoever_is_left_of_the_pool(tmp_path):
  models = [saved_model.SavedModel(str(tmp_path / path), name) for path, name in (
      ("v1/blstm", "v1-blstm"), ("v1/netvlad", "v1-netvlad"))]
  ensemble_file.EnsembleFile(tuple(
      ensemble_file.Member(model, 0.5, stored_as="int8") for model in models)
      ).save(tmp_path / "ensemble.json")
  loaded = ensemble_file.EnsembleFile.load(tmp_path / "ensemble.json")
  assert [member.model for member in loaded.members] == models
  assert [member.stored_as for member in loaded.members] == ["int8"] * 2


# What version 1 of yt8m-ensemble search wrote, and what yt8m-export made of it.
@pytest.mark.parametrize("content, expected", [
    ({"format": 1, "members": [
        {"name": "a", "saved_model": "../members/a/1", "bytes": 10, "weight": 0.25},
        {"name": "b", "saved_model": "../members/b/1", "bytes": 20, "weight": 0.75}],
      "averaging": "probabilities", "budget_bytes": 100, "scores": {"best_member": 0.5},
      "search": {"method": "beam", "candidates": []}}, "members/a/1"),
    ({"format": 1, "averaging": "logits", "members": [
        {"name": "a", "saved_model": "/m/a", "bytes": 1, "weight": [0.5, 1.0],
         "stored_as": "int8"},
        {"name": "b", "saved_model": "/m/b", "bytes": 1, "weight": [0.5, 0.0],
         "stored_as": "float32"}]}, "/m/a")])
def test_files_of_earlier_versions(content, expected, tmp_path):
  path = tmp_path / "ensemble" / "ensemble.json"
  path.parent.mkdir()
  path.write_text(json.dumps(content))
  loaded = ensemble_file.EnsembleFile.load(path)
  assert loaded.averaging == content["averaging"]
  assert loaded.weights.tolist() == [entry["weight"] for entry in content["members"]]
  assert loaded.members[0].model == saved_model.SavedModel(
      str(tmp_path / expected), "a")
