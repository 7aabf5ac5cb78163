# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Members that cannot be combined, and wrong arguments, are explained."""

import os
import shutil

import numpy as np
import pytest

from tests.export.saved_models.ensemble_test import WEIGHTS_OF_TWO
from tests.export.saved_models.ensemble_test import save
from tests.export.saved_models.ensemble_test import save_model
from tests.helpers import full_disk
from yt8m.artifacts.saved_model import Contract
from yt8m.artifacts.saved_model import SavedModel
from yt8m.core import feature_spec
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.blending import ensemble_file
from yt8m.export.saved_models import ensemble as ensemble_model


@pytest.fixture(scope="module")
def members(tmp_path_factory):
  folder = tmp_path_factory.mktemp("members")
  return [save_model(folder / str(seed), ("rgb",), (8,), seed=seed) for seed in range(3)]


def test_members_that_do_not_go_together_are_named(tmp_path):
  make = {
      "frame": dict(names=("rgb",), sizes=(8,)),
      "video": dict(names=("rgb",), sizes=(8,), level="video"),
      "wide": dict(names=("audio", "rgb"), sizes=(4, 16)),
      "many": dict(names=("rgb",), sizes=(8,), num_classes=9)}
  paths = {name: save_model(tmp_path / "members" / name, **options)
           for name, options in make.items()}
  for other, message in (
      ("video", "levels, video and frame"), ("many", "numbers of classes, 9 and 6"),
      ("wide", "read feature 'rgb' with different sizes, 16 and 8")):
    with pytest.raises(ValueError, match=f"members/{other} and .*members/frame "
                       f".*{message}: they cannot be one model"):
      save([paths["frame"], paths[other]], tmp_path / "model", (0.5, 0.5))
  with pytest.raises(FileNotFoundError, match="no/where.* a SavedModel that yt8m-exp"):
    save([paths["frame"], "no/where"], tmp_path / "model", (0.5, 0.5))
  (tmp_path / "members/many/assets/feature_spec.json").write_text("{}")
  with pytest.raises(ValueError, match="many/assets/feature_spec.json is not the des"):
    save([paths["many"]], tmp_path / "model", (1.0,))
  with pytest.raises(ValueError, match="at least one member"):
    ensemble_model.save(ensemble_file.EnsembleFile(()), str(tmp_path / "model"))
  assert os.listdir(tmp_path) == ["members"]


def test_types_of_features_must_agree(tmp_path):
  for dtype in ("uint8", "float16"):
    (tmp_path / dtype / "assets").mkdir(parents=True)
    Contract(feature_spec.FeatureSpec(["clip"], [8], "frame", [dtype]), 7, 6).save(
        str(tmp_path / dtype / "assets"))
  ours, other = (SavedModel(str(tmp_path / dtype)) for dtype in ("uint8", "float16"))
  with pytest.raises(ValueError, match="float16 and .*uint8 read feature 'clip' with "
                     "different types, float16 and uint8: they cannot be one model"):
    ensemble_model.join([ours, other])
  assert ensemble_model.join([other, other]) == other.contract


def test_extractors_and_ranges_must_agree(tmp_path):
  def member(name, **options):
    (tmp_path / name / "assets").mkdir(parents=True)
    Contract(feature_spec.FeatureSpec(["rgb"], [8], "frame", **options), 7, 6).save(
        str(tmp_path / name / "assets"))
    return SavedModel(str(tmp_path / name))

  unknown, mine, theirs = (member(name, **options) for name, options in (
      ("unknown", {}), ("mine", {"extractor": "mine@01"}),
      ("theirs", {"extractor": "theirs@02"})))
  assert ensemble_model.join([unknown, mine]).spec.extractor == "mine@01"
  with pytest.raises(ValueError, match="theirs and .*mine have different extractors, "
                     "theirs@02 and mine@01: they cannot be one model"):
    ensemble_model.join([mine, theirs])
  scaled = member("scaled", ranges={"rgb": (0.0, 6.0)})
  assert ensemble_model.join([scaled, scaled]).spec == scaled.spec
  with pytest.raises(ValueError, match="scaled and .*unknown read feature 'rgb' with "
                     r"different ranges, \(0.0, 6.0\) and None: they cannot be"):
    ensemble_model.join([unknown, scaled])


def test_names_of_classes_are_those_of_the_members_or_given(members, tmp_path):
  cards = {}
  for name, words in (("first", "ab"), ("same", "ab"), ("other", "ac")):
    shutil.copytree(members[0], tmp_path / name)
    (tmp_path / name / "manifest.json").unlink()
    cards[name] = Vocabulary.of(dict(enumerate(words)), 6)
    cards[name].write(tmp_path / name / "assets/vocabulary.csv")
  models = {name: SavedModel(str(tmp_path / name)) for name in cards}
  unnamed = SavedModel(members[1])
  with pytest.raises(ValueError, match="/other and .*/first have different names of the "
                     "same class, 'c' and 'b': .*--vocabulary"):
    save([str(tmp_path / "first"), members[1], str(tmp_path / "other")],
         tmp_path / "model")
  assert not (tmp_path / "model").exists()
  assert ensemble_model.common_names([unnamed]) is None
  assert ensemble_model.common_names(
      [unnamed, models["same"], models["first"]]) == cards["first"]
  save([str(tmp_path / "first"), str(tmp_path / "other")], tmp_path / "model",
       WEIGHTS_OF_TWO, names=cards["other"])
  assert SavedModel(str(tmp_path / "model")).vocabulary == cards["other"]
  card = (tmp_path / "model/assets.extra/MODEL_CARD.md").read_text()
  assert "The first of 6:" in card and "| 1 | c |" in card


def test_a_damaged_member_is_named(members, tmp_path):
  damaged = tmp_path / "members" / "damaged"
  shutil.copytree(members[0], damaged)
  [weights] = damaged.glob("variables/variables.data*")
  weights.write_bytes(weights.read_bytes()[:-1] + b"?")
  with pytest.raises(ValueError, match=r"damaged: 1 file \(variables/variables.data.*\) "
                                       "changed since manifest.json"):
    save([members[1], str(damaged)], tmp_path / "model", WEIGHTS_OF_TWO)
  assert os.listdir(tmp_path) == ["members"]


@pytest.mark.parametrize("options, message", [
    (dict(weights=np.ones((3, 5))), r"shape \(3, 5\); 3 members and 6 classes require "
     r"\(3,\) or \(3, 6\)"),
    (dict(weights=(0.5, 0.6, -0.1)), "negative or not a number"),
    (dict(weights=(0.5, 0.5, np.nan)), "negative or not a number"),
    (dict(averaging="medians"), "Unknown --averaging 'medians'"),
    (dict(averaging="ranks"), "rank_knots of each of the 3 members"),
    (dict(averaging="ranks", rank_knots=[[0, 1], [0, 1], [1, 0]]), "ascending"),
    (dict(averaging="ranks", rank_knots=[[0, 1], [0, 1], None]), "two or more"),
    (dict(top_k=7), "--top_k=7 must be between 1 and"),
    (dict(warmup_requests=-1), "--warmup_requests=-1 must be from 0 to 1,000"),
])
def test_impossible_requests_leave_nothing_behind(members, options, message, tmp_path):
  with pytest.raises((ValueError, FileNotFoundError), match=message):
    save(members, tmp_path / "model", **options)
  assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_nothing_behind(members, tmp_path):
  # One limit stops TensorFlow's writer, and one ours of a file that is written later.
  for after in (500, 60_000):
    with full_disk.full_disk(after), pytest.raises(
        OSError, match="File too large after .* bytes; nothing half-written is left"):
      save(members, tmp_path / "model", (0.5, 0.3, 0.2))
    assert os.listdir(tmp_path) == []
