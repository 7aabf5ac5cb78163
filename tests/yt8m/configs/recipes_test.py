# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Members have the published sizes; every small recipe has its option and is small."""

import numpy as np
import pytest

from tests.helpers import descriptors
from yt8m import models
from yt8m.configs import hparams
from yt8m.configs import model_flags
from yt8m.configs import recipes
from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.export.saved_models import writer

# Sizes of the SavedModels with 3,862 classes, in MiB, rounded.
SIZES = {"concat-BLSTM-MoE2": 162, "attention-BLSTM-MoE2": 163,
         "concat-BLSTM-CG-MoE2": 168, "concat-NetVLAD-diff-C64-MoE4": 138,
         "sum-NetVLAD-C64-MoE4": 136, "concat-NetVLAD-C128-MoE4": 200}
# Size of the graph's file; benchmarks/member_sizes.py runs the export.
GRAPH = 0.25


def test_all_members_have_a_size():
  assert list(SIZES) == list(recipes.MEMBERS) and sum(SIZES.values()) == 967


@pytest.mark.parametrize("member", SIZES)
def test_size(member):
  spec = feature_spec.FeatureSpec(("rgb", "audio"), (1024, 128), "frame")
  model = models.VideoModel(
      3862, spec, **recipes.RECIPES[member].options).build_variables()
  assert round(writer.bytes_of_weights(model) / 2 ** 20 + GRAPH) == SIZES[member]


@pytest.mark.parametrize("part, name", [
    (part, name) for part, options in hparams.OPTIONS.items() for name in options])
def test_small_recipe(part, name):
  recipe = recipes.RECIPES[f"small-{name}"]
  spec = feature_spec.FeatureSpec(("rgb", "audio"), (128, 64), "frame")
  model = models.VideoModel(30, spec, **recipe.options).build_variables()
  assert model.get_config()[part]["name"] == name
  assert sum(v.numpy().size for v in model.trainable_variables) < 300_000
  descriptors.randomize(model)  # Some heads start with the same scores for all videos.
  rng = np.random.default_rng(0)
  scores = model({
      "features": {"rgb": rng.integers(0, 256, (2, 9, 128), np.uint8),
                   "audio": rng.integers(0, 256, (2, 9, 64), np.uint8)},
      "num_frames": np.array([9, 4])})["predictions"]
  assert scores.shape == (2, 30) and np.ptp(scores) > 0


def test_help_names_the_small_recipes_once():
  listing = recipes.listing()
  assert "small-<option>" in listing and "small-lstm" not in listing
  assert "MoeModel" in listing


def without_classifier():
  return {"fusion": "sum"}


def of_units(units):
  return {"classifier": {"name": "hidden", "units": units}}


def of_five_units(units=5):
  return of_units(units)


def test_a_recipe_of_the_users_own_needs_no_arguments():
  names = [f"{__name__}:{f.__name__}" for f in (of_units, of_five_units)]
  with registry.allow_code(names):
    with pytest.raises(ValueError, match=f"--model={names[0]} cannot be called without "
                       "arguments, as a recipe is: .*'units'"):
      recipes.find(names[0])
    assert recipes.find(names[1]).options == of_units(5)


def test_a_recipe_without_a_classifier_gives_none():
  name = f"{__name__}:without_classifier"
  with registry.allow_code([name]), pytest.raises(
      ValueError, match=f"classifier_model={name} has no classifier; choose a video"):
    model_flags.model_options(recipes.find("LstmModel"), {
        "video_level_classifier_model": name})
