# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Flags of the model: precedence, the starter code's flags, clear errors."""

import json

import pytest
from absl import logging

from yt8m import models
from yt8m.configs import hparams
from yt8m.configs import model_flags
from yt8m.configs import recipes
from yt8m.core import feature_spec


def options(model, **given):
  return model_flags.model_options(recipes.RECIPES[model], given)


def test_starter_models_have_the_starter_defaults():
  spec = feature_spec.FeatureSpec(("rgb",), (8,), "frame")
  dbof = models.VideoModel(4, spec, **options("DbofModel"))
  assert (dbof.aggregation.clusters, dbof.aggregation.units) == (8192, 1024)
  assert (dbof.aggregation.pooling, dbof.aggregation.activation) == ("max", "sigmoid")
  assert dbof.aggregation.use_batch_norm
  assert (dbof.sampling.num_frames, dbof.sampling.method) == (30, "random_frames")
  assert dbof.classifier.num_mixtures == 2
  lstm = models.VideoModel(4, spec, **options("LstmModel"))
  assert (lstm.aggregation.units, lstm.aggregation.num_layers) == (1024, 2)
  assert isinstance(lstm.classifier, models.MixtureOfExperts)
  assert lstm.sampling is None


def test_starter_flags_reach_their_hyperparameter():
  made = options("DbofModel", iterations=5, sample_random_frames=False,
                 dbof_cluster_size=12, dbof_hidden_size=8, dbof_add_batch_norm=False,
                 dbof_pooling_method="average", dbof_activation="relu6",
                 moe_num_mixtures=4)
  assert made["sampling"] == {"num_frames": 5, "method": "random_sequence"}
  assert made["aggregation"] == {
      "name": "dbof", "clusters": 12, "units": 8, "use_batch_norm": False,
      "pooling": "average", "activation": "relu6"}
  assert made["classifier"] == {"name": "moe", "num_mixtures": 4}
  made = options("LstmModel", lstm_cells=7, lstm_layers=1,
                 video_level_classifier_model="LogisticModel")
  assert made["aggregation"] == {"name": "lstm", "units": 7, "num_layers": 1}
  assert made["classifier"] == "logistic"


def test_explicit_zero_and_false_count():
  """`x or FLAGS.x` in the starter code ignored explicit zeros."""
  made = options("DbofModel", dbof_add_batch_norm=False)
  assert made["aggregation"]["use_batch_norm"] is False
  spec = feature_spec.FeatureSpec(("rgb",), (8,), "video")
  with pytest.raises(ValueError, match="num_mixtures is 0"):
    models.VideoModel(4, spec, **options("MoeModel", moe_num_mixtures=0))


def test_a_flag_without_effect_is_warned_about(caplog):
  logging.use_python_logging()
  made = options("LogisticModel", lstm_cells=5)
  assert made == {"classifier": "logistic"}
  assert "--lstm_cells has no effect" in caplog.text


def test_options_and_hparams_compose():
  made = options("LstmModel", aggregation="dbof", classifier="hidden", fusion="sum",
                 normalization="rms",
                 hparams='{"aggregation": {"units": 3}, "classifier": {"head": '
                         '{"name": "moe", "num_mixtures": 3}}, "fusion": {"units": 5}}')
  assert made == {
      "aggregation": {"name": "dbof", "units": 3}, "fusion": {"name": "sum", "units": 5},
      "classifier": {"name": "hidden", "head": {"name": "moe", "num_mixtures": 3}},
      "normalization": "rms"}
  spec = feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), "frame")
  model = models.VideoModel(4, spec, **made).build_variables()
  assert model.classifier.head.num_mixtures == 3


def test_settings_lie_over_hparams_and_defaults():
  def merged(settings, text=None):
    return hparams.with_settings(text, settings)

  assert merged([]) is None and merged([], '{"a":1}') == '{"a":1}'
  text = merged(["classifier.head.num_mixtures=4", "classifier.head=moe",
                 "classifier.units=8", "normalization=rms"],
                '{"classifier": {"units": 7, "dropout": 0.1}, "fusion": {"units": 5}}')
  made = options("concat-hidden2048-logistic", fusion="sum", hparams=text)
  assert made["classifier"] == {
      "name": "hidden", "units": 8, "dropout": 0.1, "input_dropout": 0.3,
      "head": {"name": "moe", "num_mixtures": 4}}
  assert made["fusion"] == {"name": "sum", "units": 5}
  assert made["normalization"] == "rms"
  # Neither the order on the command line nor the flag makes a difference.
  assert merged(["aggregation.units=1", "aggregation.clusters=2"]) == merged(
      ["aggregation.clusters=2", "aggregation.units=1"])
  assert merged(["classifier.num_steps=3"]) == '{"classifier": {"num_steps": 3}}'
  # The head of `gated` is a mixture of experts, and the fusion is `concat`, by default.
  made = options("LogisticModel", classifier="gated",
                 hparams=merged(["classifier.head.num_mixtures=4", "fusion.units=3"]))
  assert made["classifier"]["head"] == {"name": "moe", "num_mixtures": 4}
  assert made["fusion"] == {"name": "concat", "units": 3}


@pytest.mark.parametrize("text, value", [
    ("16", 16), ("1e-3", 1e-3), ("true", True), ("null", None), ("centres", "centres"),
    ("a=b", "a=b"), ('{"rgb": {"units": 4}}', {"rgb": {"units": 4}}), ("NaN", "NaN"),
    ("", "")])
def test_the_value_of_a_setting_is_json_or_text(text, value):
  made = json.loads(hparams.with_settings(None, [f"aggregation.x={text}"]))
  assert made == {"aggregation": {"x": value}}


@pytest.mark.parametrize("setting, message", [
    ("agregation.units=3", "Unknown part of a model 'agregation'. Valid: aggregation, "),
    ("aggregation.units", "--set='aggregation.units' has no value. Write it as --set "),
    ("aggregation=netvlad", "choose the aggregation, write --aggregation=netvlad"),
    ("aggregation..units=3", "is no hyperparameter. Write it as --set"),
    ("normalization.x=3", "is no hyperparameter"),
    ("sampling=3", "is no hyperparameter"),
    ("=3", "Unknown part of a model ''"),
])
def test_a_setting_of_another_form_is_an_error(setting, message):
  with pytest.raises(ValueError) as error:
    hparams.with_settings(None, [setting])
  assert message in str(error.value)


def test_a_setting_of_what_the_model_lacks_is_an_error():
  with pytest.raises(ValueError, match="has no aggregation, which --aggregation "):
    options("LogisticModel", hparams='{"aggregation": {"units": 3}}')


def test_naming_the_recipes_own_option_keeps_its_hyperparameters():
  made = options("concat-hidden2048-logistic", classifier="hidden")
  assert made["classifier"]["units"] == 2048


def test_an_option_within_an_option_is_merged_or_replaced_by_name():
  config = {"name": "hidden", "head": {"name": "moe", "num_mixtures": 3}}
  assert hparams.merge(config, {"head": {"l2_penalty": 0.5}})["head"] == {
      "name": "moe", "num_mixtures": 3, "l2_penalty": 0.5}
  assert hparams.merge(config, {"head": {"name": "logistic"}})["head"] == {
      "name": "logistic"}
  assert hparams.merge({**config, "head": "moe"}, {"head": {"num_mixtures": 5}})[
      "head"] == {"name": "moe", "num_mixtures": 5}
  assert hparams.merge(config, {"name": "moe"}) == {"name": "moe"}
  assert config["head"] == {"name": "moe", "num_mixtures": 3}


@pytest.mark.parametrize("given, message", [
    (dict(fusion="concatenate"), "Unknown fusion 'concatenate'. Valid: concat, "),
    (dict(hparams="{'a': 1}"), "--hparams=.* is not JSON"),
    (dict(hparams="[1]"), "--hparams=.* is not a JSON object. Write it as"),
    (dict(hparams='{"pooling": {}}'), "--hparams has 'pooling'"),
    (dict(video_level_classifier_model="LstmModel"),
     "LstmModel reads frames; choose a video-level model, e.g. MoeModel"),
    (dict(video_level_classifier_model="Moe"), "Unknown model 'Moe'. Valid: MoeModel"),
])
def test_errors_name_flag_and_remedy(given, message):
  with pytest.raises(ValueError, match=message):
    options("DbofModel", **given)


def test_an_unknown_hyperparameter_lists_the_valid_ones():
  spec = feature_spec.FeatureSpec(("rgb",), (8,), "frame")
  made = options("LstmModel", hparams='{"aggregation": {"cells": 3}}')
  with pytest.raises(ValueError, match="'lstm' has no hyperparameter cells. Valid: "
                                       "layer_norm, num_layers, "):
    models.VideoModel(4, spec, **made)


def test_level_of_features_and_of_model_must_fit():
  frame = feature_spec.FeatureSpec(("rgb",), (8,), "frame")
  video = feature_spec.FeatureSpec(("rgb",), (8,), "video")
  with pytest.raises(ValueError, match="'lstm'.* train with --frame_features"):
    models.VideoModel(4, video, **options("LstmModel"))
  with pytest.raises(ValueError, match="Sampling {'num_frames': 3} needs frames"):
    models.VideoModel(4, video, **options(
        "MoeModel", hparams='{"sampling": {"num_frames": 3}}'))
  with pytest.raises(ValueError, match="drop --frame_features"):
    models.VideoModel(4, frame, **options("MoeModel"))
