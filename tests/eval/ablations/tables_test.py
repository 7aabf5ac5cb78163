# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The built-in tables use existing flags and cover every option."""

import pytest

from yt8m import models
from yt8m.configs import hparams
from yt8m.configs import model_flags
from yt8m.configs import recipes
from yt8m.eval.ablations import table as ablation_table
from yt8m.models import registries

# Options of the published tables. A new option joins them with its results.
PUBLISHED = {
    "fusion": "attention bilinear concat differential late1 late2 sum",
    "aggregation": "attention_pooling blstm cbhg dbof gru hierarchical_rnn lstm mean "
                   "netfv netvlad nextvlad soft_dbof temporal_graph transformer",
    "classifier": "class_chain conditional gated hidden joint_conditional kernel "
                  "label_embedding label_powerset logistic moe"}
# With one modality there is nothing to fuse, except its differences.
TWO_MODALITIES = {"attention", "bilinear", "late1", "late2", "sum"}


def options(table, row):
  """Returns `{(part, name)}` of the model that a row trains."""
  flags = {**table.common, **row.flags}
  given = {name: ablation_table.arguments({name: flags[name]})[0].partition("=")[2]
           for name in ("fusion", "aggregation", "classifier", "hparams")
           if name in flags}
  chosen = model_flags.model_options(recipes.RECIPES[flags["model"]], given)
  defaults = {"fusion": "concat", "classifier": "logistic"}
  return {(part, registries.resolve(valid, chosen.get(part) or defaults[part])["name"])
          for part, valid in hparams.OPTIONS.items()}


@pytest.mark.parametrize("name, left_out", [
    ("options-sample", set()), ("options-audioset", TWO_MODALITIES)])
def test_every_published_option_has_a_row(name, left_out):
  table = ablation_table.load(name)
  shown = set().union(*(options(table, row) for row in table.rows))
  published = {(part, option) for part, names in PUBLISHED.items()
               for option in names.split() if option not in left_out}
  assert not published - shown, f"add a row to eval/ablations/tables/{name}.json"


def test_every_registered_option_has_a_small_recipe():
  registered = {recipes.SMALL_PREFIX + option for valid in
                (models.FUSIONS, models.AGGREGATIONS, models.CLASSIFIERS)
                for option in valid}
  small = {name for name in recipes.RECIPES if name.startswith(recipes.SMALL_PREFIX)}
  assert small == registered


@pytest.mark.parametrize("name", sorted(ablation_table.BUILT_IN))
def test_rows_differ(name):
  table = ablation_table.load(name)
  settings = [table.settings(row, 0) for row in table.rows]
  assert all(settings.count(one) == 1 for one in settings)
