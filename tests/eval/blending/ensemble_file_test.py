# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`ensemble.json`: round trip, moved folders, and files that are none."""

import json

import numpy as np
import pytest

from yt8m.eval.blending import ensemble_file


def an_ensemble(folder, weights=(0.25, 0.75)):
  return ensemble_file.EnsembleFile(
      tuple(ensemble_file.EnsembleMember(name, str(folder / name), size, weight)
            for name, size, weight in zip("ab", (10, 20), weights, strict=True)),
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
  assert first.saved_model == str(tmp_path / "new" / "members" / "a")


@pytest.mark.parametrize("change, message", [
    (lambda content: content.pop("members"), "no ensemble"),
    (lambda content: content.update(format=2), "no ensemble"),
    (lambda content: content.update(colour="red"), "no ensemble"),
    (lambda content: content["members"][0].pop("bytes"), "no ensemble"),
    (lambda content: content["members"][0].update(weight=0.5), "sum to 1"),
    (lambda content: content["members"][0].update(weight=[0.5, 0.5]), "no ensemble"),
    (lambda content: [content["members"][i].update(weight=w)
                      for i, w in enumerate((-0.5, 1.5))], "at least 0"),
    (lambda content: content.update(members=[]), "0 members"),
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
  with pytest.raises(ValueError, match="no ensemble that yt8m-ensemble wrote"):
    ensemble_file.EnsembleFile.load(tmp_path / "ensemble.json")
  with pytest.raises(FileNotFoundError):
    ensemble_file.EnsembleFile.load(tmp_path / "other.json")
