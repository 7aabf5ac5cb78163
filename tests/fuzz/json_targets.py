# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The JSON files of a training directory, of an ablation and of an ensemble."""

import dataclasses
import hashlib
import json
import math
import os

import numpy as np

from tests.fuzz import mutation
from tests.fuzz import target
from yt8m.artifacts import manifest
from yt8m.artifacts import saved_model
from yt8m.artifacts import thresholds
from yt8m.configs import experiment
from yt8m.configs import hparams
from yt8m.eval.ablations import table
from yt8m.eval.blending import ensemble_file

_SPEC = {"names": ["rgb", "audio"], "sizes": [8, 4], "level": "frame"}
_VIDEO_SPEC = {"names": ["mean_rgb"], "sizes": [8], "level": "video"}
MODELS = (
    {"name": "model", "num_classes": 6, "feature_spec": _VIDEO_SPEC, "fusion": "concat",
     "aggregation": None, "classifier": {"name": "moe", "num_mixtures": 2},
     "sampling": None, "normalization": "l2", "mixture": None},
    {"name": "model", "num_classes": 5, "feature_spec": _SPEC,
     "fusion": {"name": "sum", "units": 4},
     "aggregation": {"name": "dbof", "clusters": 4, "units": 3},
     "classifier": {"name": "hidden", "units": 4, "head": {"name": "logistic"}},
     "sampling": {"num_frames": 3, "method": "random_frames"}, "normalization": "none",
     "mixture": {"branches": 2}})
_FLAGS = {"batch_size": 8, "model": "MoeModel", "feature_names": "rgb", "seed": 0,
          "base_learning_rate": 0.01, "start_from_prior": True, "max_steps": None}


def _dump(*contents):
  return [json.dumps(content).encode() for content in contents]


def _number(value, kinds=(int, float)):
  """The number, if it is one and finite."""
  assert type(value) in kinds, value
  assert math.isfinite(float(value)), value
  return value


def _whole(value):
  assert type(value) is int, value
  assert 0 < value < 2**31, value
  return value


def _spec(config):
  names, sizes = config["names"], config["sizes"]
  assert isinstance(names, list) and isinstance(sizes, list)
  assert names and all(isinstance(name, str) and name for name in names)
  assert len(set(names)) == len(names) == len(sizes)
  assert config["level"] in ("video", "frame", "segment")
  return names, [_whole(size) for size in sizes], config["level"]


def _read_experiment(path):
  one = experiment.Experiment.load(os.path.dirname(path))
  spec = one.feature_spec
  return (one.model_config, one.max_frames, one.flags, one.num_classes,
          (list(spec.names), list(spec.sizes), spec.level))


def _expected_experiment(data):
  content = json.loads(data.decode())
  model = content["model"]
  assert isinstance(content["flags"], dict)
  return (model, _whole(content["max_frames"]), content["flags"],
          _whole(model["num_classes"]), _spec(model["feature_spec"]))


def _build(path):
  model = experiment.Experiment.load(os.path.dirname(path)).build_model()
  return model.num_classes, list(model.feature_spec.sizes)


def _expected_build(data):
  model = json.loads(data.decode())["model"]
  return _whole(model["num_classes"]), _spec(model["feature_spec"])[1]


_HPARAMS_OF = {"classifier": {"name": "conditional"}, "aggregation": "mean",
               "normalization": "l2", "fusion": None}


def _read_hparams(path):
  with open(path, "rb") as file:
    text = file.read().decode("utf-8", "surrogateescape")
  return hparams.change(_HPARAMS_OF, text)


def _expected_hparams(data):
  def merged(old, new):
    old = {"name": old} if isinstance(old, str) else dict(old or {})
    if "name" in new and new["name"] != old.get("name"):
      return new
    return {**old, **{key: merged(old[key], value)
                      if isinstance(value, dict) and isinstance(old.get(key), (dict, str))
                      else value for key, value in new.items()}}

  text = data.decode("utf-8", "surrogateescape")
  changes = json.loads(text) if text else {}
  return {**_HPARAMS_OF, **{
      part: value if part == "normalization" else merged(_HPARAMS_OF.get(part), value)
      for part, value in changes.items()}}


def _read_trained_hparams(path):
  with open(path, "rb") as file:
    text = file.read().decode("utf-8", "surrogateescape")
  return hparams.change_trained(_TRAINED, text)["classifier"]


_TRAINED = {**MODELS[0], "classifier": {"name": "conditional", "num_steps": 4}}


def _expected_trained_hparams(data):
  text = data.decode("utf-8", "surrogateescape")
  changes = json.loads(text) if text else {}
  new = changes.get("classifier", {})
  valid = [path.split(".")[1] for path in hparams.changeable(_TRAINED)]
  assert set(new) <= {"name", *valid}
  return {**_TRAINED["classifier"], **new}


_TABLE = {
    "title": "Heads", "note": "Text", "paired_with": "moe",
    "sample_data": {"num_videos": 10}, "common": {"num_classes": 5, "frame": True},
    "evaluate": {"top_k": 3},
    "rows": [{"name": "moe", "flags": {"model": "MoeModel"}},
             {"name": "logistic", "flags": {"model": "LogisticModel", "hparams": {}},
              "evaluate": {"top_k": 4}, "calibrate": {"num_folds": 4},
              "paired_with": "moe",
              "figures": {"GAP, published": "0.8"}}]}


def _read_table(path):
  one = table.load(path)
  for row in one.rows:
    one.settings(row, 0)
    table.arguments({**row.flags, **row.evaluate, **row.calibrate}, sample="x")
  one.data_patterns()
  return _plain_table(dataclasses.asdict(one))


def _plain_table(content):
  assert isinstance(content["title"], str) and isinstance(content["note"], str)
  for flags in [content["common"], content["evaluate"], content["sample_data"] or {}] + [
      row[key] for row in content["rows"]
      for key in ("flags", "evaluate", "calibrate", "figures")]:
    assert isinstance(flags, dict)
  assert all(isinstance(row["name"], str) for row in content["rows"])
  return sorted(content.items())


def _expected_table(data):
  content = {"name": "input", "paired_with": None, "sample_data": None, "note": "",
             **json.loads(data.decode())}
  content["rows"] = [{"evaluate": {}, "calibrate": {}, "paired_with": None, "figures": {},
                      **row} for row in content["rows"]]
  for row in content["rows"]:
    row["flags"] = row.pop("flags")
    for key in ("evaluate", "calibrate", "paired_with", "figures"):
      row[key] = row.pop(key)
  return _plain_table(content)


def _member(name, weight, **others):
  return {"name": name, "saved_model": f"models/{name}", "bytes": 99, "weight": weight,
          **others}


_ENSEMBLES = (
    {"format": 1, "averaging": "probabilities", "budget_bytes": 2**30,
     "members": [_member("a", 0.25), _member("b", 0.75)],
     "scores": {"blend": 0.85}, "search": {"candidates": []}},
    {"format": 1, "averaging": "ranks", "budget_bytes": None,
     "members": [_member("a", [0.5, 0.1], rank_knots=[0.0, 0.5, 1.0]),
                 _member("b", [0.5, 0.9], rank_knots=[0.0, 1.0], stored_as="float16")],
     "scores": {}, "search": {}})


def _read_ensemble(path):
  one = ensemble_file.EnsembleFile.load(path)
  return ([(member.model.name, os.path.basename(member.model.directory), member.weight,
            member.rank_knots, member.stored_as) for member in one.members],
          one.weights.shape, one.averaging, one.budget_bytes, one.scores, one.search)


def _expected_ensemble(data):
  content, members = json.loads(data.decode()), []
  assert content["format"] == 1 and type(content["format"]) is int
  for entry in content["members"]:
    weights = entry["weight"] if isinstance(entry["weight"], list) else [entry["weight"]]
    assert all(_number(weight) >= 0 for weight in weights)
    for knot in entry.get("rank_knots") or ():
      _number(knot)
    assert isinstance(entry["name"], str)
    name = os.path.basename(os.path.normpath(os.path.join("x", entry["saved_model"])))
    members.append((entry["name"], name, entry["weight"],
                    entry.get("rank_knots"), entry.get("stored_as")))
  first = members[0][2]
  shape = (len(members), len(first)) if isinstance(first, list) else (len(members),)
  averaging = content.get("averaging", "probabilities")
  assert averaging in ("probabilities", "logits", "ranks")
  for score in content.get("scores", {}).values():
    _number(score)
  return (members, shape, averaging, content.get("budget_bytes"),
          content.get("scores", {}), content.get("search", {}))


_CONTRACT = {**_SPEC, "max_frames": 300, "num_classes": 3862}


def _read_contract(path):
  one = saved_model.Contract.load(os.path.dirname(os.path.dirname(path)))
  spec = one.spec
  return ((list(spec.names), list(spec.sizes), spec.level), one.max_frames,
          one.num_classes)


def _expected_contract(data):
  content = json.loads(data.decode())
  return (_spec(content), _whole(content["max_frames"]), _whole(content["num_classes"]))


_FILE = b"weights"
_MANIFEST = {"format": 1, "files": {"data.bin": {
    "bytes": len(_FILE), "sha256": hashlib.sha256(_FILE).hexdigest()}}}


def _read_manifest(path):
  with open(os.path.join(os.path.dirname(path), "data.bin"), "wb") as file:
    file.write(_FILE)
  manifest.verify(os.path.dirname(path))
  return _MANIFEST["files"]


def _expected_manifest(data):
  content = json.loads(data.decode())
  assert content["format"] == 1 and type(content["format"]) is int
  return content["files"]


_THRESHOLDS = (
    {"format": 1, "target": "f1", "num_classes": 3, "top_k": 2, "step": 9,
     "hparams": None, "data": "validate*", "num_examples": 70, "min_positives": 10,
     "global_threshold": 0.25, "achieved": {"micro_f1": 0.5},
     "thresholds": [0.25, None, 1]},
    {"format": 1, "target": "by hand", "num_classes": 1, "top_k": 1, "thresholds": [0]})


def _read_thresholds(path):
  one = thresholds.Thresholds.load(path)
  return list(map(thresholds.number, one.values)), one.top_k, one.target, one.chosen


def _expected_thresholds(data):
  content = json.loads(data.decode())
  assert content.pop("format") == 1
  values = [None if value is None else float(np.float32(_number(value)))
            for value in content.pop("thresholds")]
  assert all(value is None or 0 <= value <= 1 for value in values)
  assert len(values) == _whole(content.pop("num_classes")) >= _whole(content["top_k"])
  top_k, name = content.pop("top_k"), content.pop("target")
  assert isinstance(name, str) and name
  known = ("step", "hparams", "checkpoint_digest", "data", "data_digest", "num_examples",
           "min_positives", "global_threshold", "num_by_global", "num_never_decided",
           "achieved")
  return ([value and float(str(np.float32(value))) for value in values], top_k, name,
          {key: value for key, value in content.items() if key in known})


def _read_status(path):
  return experiment.is_finished(os.path.dirname(path))


def _expected_status(data):
  finished = json.loads(data.decode()).get("finished")
  assert finished in (True, False, None) and type(finished) is not int
  return finished


def _json_target(name, contents, read, expected, **options):
  return target.Target(name=name, seeds=_dump(*contents), read=read, expected=expected,
                       mutate=mutation.of_json, file=name, **options)


_EXPERIMENTS = [{"format": 1, "model": model, "max_frames": 300, "flags": _FLAGS}
                for model in MODELS]

TARGETS = (
    _json_target("config.json", _EXPERIMENTS, _read_experiment, _expected_experiment,
                 share=10),
    target.Target(
        name="model of config.json", seeds=_dump(*_EXPERIMENTS), read=_build,
        expected=_expected_build, mutate=mutation.of_json, file="config.json",
        share=0.2),
    target.Target(
        name="--hparams", mutate=mutation.of_json, names=("--hparams",), share=10,
        seeds=_dump({"classifier": {"num_steps": 3}}, {"aggregation": {"name": "lstm"}},
                    {"normalization": "none", "sampling": {"num_frames": 4}}),
        read=_read_hparams, expected=_expected_hparams),
    target.Target(
        name="--hparams of a trained model", mutate=mutation.of_json, share=5,
        names=("--hparams",), seeds=_dump({"classifier": {"num_steps": 3}}, {}),
        read=_read_trained_hparams, expected=_expected_trained_hparams),
    target.Target(
        name="ablation table", seeds=_dump(_TABLE), read=_read_table,
        expected=_expected_table, mutate=mutation.of_json, file="input.json", share=10,
        names=("input",)),
    _json_target("ensemble.json", _ENSEMBLES, _read_ensemble, _expected_ensemble,
                 share=10),
    target.Target(
        name="feature_spec.json", seeds=_dump(_CONTRACT), read=_read_contract,
        expected=_expected_contract, mutate=mutation.of_json,
        file="assets/feature_spec.json", share=5),
    _json_target("manifest.json", [_MANIFEST], _read_manifest, _expected_manifest,
                 names=("manifest.json", "data.bin"), share=5),
    _json_target("thresholds.json", _THRESHOLDS, _read_thresholds, _expected_thresholds,
                 share=5),
    _json_target("status.json", [{"finished": True, "total_steps": 9}], _read_status,
                 _expected_status, share=5),
)
