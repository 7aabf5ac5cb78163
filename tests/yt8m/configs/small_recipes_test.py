# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Small recipes: each has its option, is small, and scores videos."""

import numpy as np
import pytest

from yt8m import models
from yt8m.configs import recipes
from yt8m.core import feature_spec

SPEC = feature_spec.FeatureSpec(("rgb", "audio"), (128, 64), "frame")


@pytest.mark.parametrize("part, name", [
    (part, name) for part, options in recipes.SMALL.items() for name in options])
def test_small_recipe(part, name):
  recipe = recipes.RECIPES[f"small-{name}"]
  model = models.VideoModel(30, SPEC, **recipe.options).build_variables()
  assert model.get_config()[part]["name"] == name
  assert sum(v.numpy().size for v in model.trainable_variables) < 300_000
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
