# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The identity of a model survives its file, and tells models apart."""

import json

import pytest

from tests.helpers import small_job
from yt8m.artifacts import identity
from yt8m.artifacts.saved_model import SavedModel
from yt8m.eval.blending import ensemble_file
from yt8m.export.prediction import checkpoint
from yt8m.export.saved_models import ensemble

CHECKPOINT = {"step": 7, "hparams": None, "checkpoint_digest": "ab"}


@pytest.mark.parametrize("content", [CHECKPOINT, {"model_digest": "cd"}])
def test_a_round_trip(content, tmp_path):
  (tmp_path / "assets.extra").mkdir()
  assert identity.load(tmp_path) is None
  identity.save(tmp_path, content)
  assert identity.load(tmp_path) == content


@pytest.mark.parametrize("content", [
    {}, CHECKPOINT | {"step": "7"}, CHECKPOINT | {"hparams": {}}, {"model_digest": ""},
    {"model_digest": 7}, [CHECKPOINT]])
def test_what_is_no_identity(content, tmp_path):
  (tmp_path / "assets.extra").mkdir()
  (tmp_path / "assets.extra/identity.json").write_text(json.dumps(content))
  with pytest.raises(ValueError, match="identity.json is not the identity of a model .*"
                     "Copy or export the model again"):
    identity.load(tmp_path)


def test_a_checkpoint_has_its_step_its_weights_and_its_hyperparameters(tmp_path):
  models = [checkpoint.Checkpoint.of_directory(
      small_job.write_model(tmp_path / str(seed), seed), hparams)
            for seed, hparams in ((0, None), (1, None), (0, "{}"))]
  first, other, changed = (model.identity for model in models)
  assert first["step"] == 7 and first["hparams"] is None
  assert first["checkpoint_digest"] != other["checkpoint_digest"]
  assert changed == {**first, "hparams": "{}"}


def test_an_ensemble_has_its_members_weights_and_averaging(tmp_path):
  for seed in range(2):
    small_job.export(tmp_path / f"m{seed}", seed=seed)
  paths = [str(tmp_path / "m0"), str(tmp_path / "m1")]

  def of(paths=paths, weights=(0.25, 0.75), **attributes):
    return ensemble.identity_of(
        ensemble.from_directories(paths, weights, **attributes))["model_digest"]

  others = [of(paths[::-1]), of(weights=(0.75, 0.25)), of(averaging="logits"),
            of(paths[:1], [1.0]), of(weights=([0.25] * 3, [0.75] * 3))]
  assert len({of(), *others}) == 6
  # Where it lies, how it was found and what it takes do not count.
  assert of(budget_bytes=2**30, scores={"best_member": 0.5}) == of()
  found = ensemble.from_directories(paths, (0.25, 0.75))
  found.save(tmp_path / "ensemble.json")
  again = ensemble_file.EnsembleFile.load(tmp_path / "ensemble.json")
  assert ensemble.identity_of(again)["model_digest"] == of()
  # Thresholds, names and the number of classes that are returned do not either.
  for name, options in (("plain", {}), ("other", {"top_k": 2})):
    ensemble.save(found, str(tmp_path / name), **options)
    assert SavedModel(str(tmp_path / name)).identity == {"model_digest": of()}
  # A model of an earlier version has no such file.
  assert SavedModel(paths[0]).identity == {
      "model_digest": SavedModel(paths[0]).fingerprint}
