# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The format of tables, its errors, and the resulting flags."""

import json

import pytest

from yt8m.configs import recipes
from yt8m.eval.ablations import table as ablation_table

CONFIG = {"name": "t", "title": "T", "common": {"batch_size": 16}, "evaluate": {},
          "paired_with": "a",
          "rows": [{"name": "a", "flags": {"model": "MoeModel"}},
                   {"name": "b", "flags": {"model": "MoeModel", "batch_size": 8}}]}


def test_flags_become_arguments():
  assert ablation_table.arguments(
      {"frame_features": True, "segments": False, "batch_size": 8, "pattern": "{data}/*",
       "hparams": {"aggregation": {"units": 4}}}, data="/d") == [
           "--frame_features=true", "--segments=false", "--batch_size=8",
           "--pattern=/d/*", '--hparams={"aggregation": {"units": 4}}']


def test_settings_lay_the_row_over_the_common_flags():
  table = ablation_table.Table.from_config(CONFIG)
  settings = table.settings(table.rows[1], seed=2)
  assert settings["train"] == {"batch_size": 8, "model": "MoeModel", "seed": 2}
  assert settings == json.loads(json.dumps(settings))
  assert settings != table.settings(table.rows[1], seed=1)


def test_settings_lay_the_evaluation_of_a_row_over_the_tables():
  rows = [*CONFIG["rows"], {**CONFIG["rows"][0], "name": "c", "evaluate": {
      "hparams": {"classifier": {"num_steps": 3}}, "top_k": 5}}]
  table = ablation_table.Table.from_config(
      {**CONFIG, "rows": rows, "evaluate": {"top_k": 7, "batch_size": 2}})
  one, other = (table.settings(table.rows[index], 0) for index in (0, 2))
  assert one.pop("evaluate") == {"top_k": 7, "batch_size": 2}
  assert other.pop("evaluate") == {
      "top_k": 5, "batch_size": 2, "hparams": {"classifier": {"num_steps": 3}}}
  assert one == other


def test_settings_change_with_the_recipe(monkeypatch):
  table = ablation_table.Table.from_config(CONFIG)
  before = table.settings(table.rows[0], 0)
  monkeypatch.setitem(recipes.RECIPES, "MoeModel", recipes.Recipe(
      False, {"classifier": {"name": "moe", "num_mixtures": 9}}))
  assert table.settings(table.rows[0], 0) != before


@pytest.mark.parametrize("changes, message", [
    ({"rows": []}, "needs rows"),
    ({"rows": CONFIG["rows"][:1] * 2}, "a name of its own: a, a"),
    ({"rows": [{"name": "a/b", "flags": {}}]}, "'a/b' names a directory"),
    ({"rows": [{"name": "a", "flag": {}}]}, "unknown entry 'flag'; entry 'flags' is mis"),
    ({"paired_with": "c"}, "Unknown paired_with 'c'. Valid: b, a. .* row 'a' of table"),
    ({"colour": 1}, "unknown entry 'colour'"),
    # Tables may be from others: they say neither where to write nor what code to run.
    ({"common": {"train_dir": "/home/me"}}, "table 't': 'train_dir' is not a flag that"),
    ({"common": {"flagfile": "/tmp/flags"}}, "'flagfile' is not a flag"),
    ({"evaluate": {"profile_file": "/home/me/.profile"}}, "'profile_file' is not a flag"),
    ({"evaluate": {"log_dir": "/home/me"}}, "'log_dir' is not a flag"),
    ({"common": {"xml_output_file": "/home/me"}}, "'xml_output_file' is not a flag"),
    ({"evaluate": {"noruntime_oom_exit": 1}}, "'noruntime_oom_exit' is not a flag"),
    ({"sample_data": {"output_dir": "/home/me"}}, "'output_dir' is not a flag"),
    ({"sample_data": {"overwrite": True}}, "'overwrite' is not a flag"),
    ({"rows": [{"name": "a", "flags": {"start_new_model": True}}]},
     "row 'a' of table 't': 'start_new_model' is not a flag"),
    ({"rows": [{"name": "a", "flags": {}, "evaluate": {"allow_code": "x"}}]},
     "'allow_code' is not a flag"),
    ({"common": {"nostart_new_model": False}}, "'nostart_new_model' is not a flag"),
    ({"common": {"strategy": "tpu:grpc://1.2.3.4:5"}}, "'strategy' is not a flag"),
    ({"common": {"train_dir=/home/me": True}}, "'train_dir=/home/me' is not a flag"),
    ({"common": {"-train_dir": "/home/me"}}, "'-train_dir' is not a flag"),
])
def test_wrong_tables_say_what_is_wrong(changes, message):
  with pytest.raises(ValueError, match=message):
    ablation_table.Table.from_config({**CONFIG, **changes})


def test_unknown_names_list_the_valid_ones(tmp_path):
  with pytest.raises(ValueError, match="Unknown --table .* Valid: options-sample, "):
    ablation_table.load("option")
  with pytest.raises(FileNotFoundError):
    ablation_table.load(f"{tmp_path}/none.json")
  (tmp_path / "bad.json").write_text("{")
  with pytest.raises(ValueError, match="bad.json is not a table of models"):
    ablation_table.load(f"{tmp_path}/bad.json")
  table = ablation_table.Table.from_config(CONFIG)
  with pytest.raises(ValueError, match="Unknown --rows 'c'. Valid: b, a. .* table 't'"):
    table.select(["c"])
  assert [row.name for row in table.select(["b"])] == ["b"]


def test_a_file_is_named_after_itself(tmp_path):
  config = {name: value for name, value in CONFIG.items() if name != "name"}
  (tmp_path / "heads.json").write_text(json.dumps(config))
  assert ablation_table.load(f"{tmp_path}/heads.json").name == "heads"
