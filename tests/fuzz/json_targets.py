# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The JSON files of an ablation, of an ensemble, of a SavedModel and of an evaluation."""

import dataclasses
import hashlib
import json
import os

import numpy as np

from tests.fuzz import json_values
from tests.fuzz import mutation
from tests.fuzz import target
from yt8m.artifacts import identity
from yt8m.artifacts import manifest
from yt8m.artifacts import saved_model
from yt8m.artifacts import thresholds
from yt8m.eval.ablations import table
from yt8m.eval.blending import ensemble_file
from yt8m.eval.metrics import gate

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
    assert all(json_values.number(weight) >= 0 for weight in weights)
    for knot in entry.get("rank_knots") or ():
      json_values.number(knot)
    assert isinstance(entry["name"], str)
    name = os.path.basename(os.path.normpath(os.path.join("x", entry["saved_model"])))
    members.append((entry["name"], name, entry["weight"],
                    entry.get("rank_knots"), entry.get("stored_as")))
  first = members[0][2]
  shape = (len(members), len(first)) if isinstance(first, list) else (len(members),)
  averaging = content.get("averaging", "probabilities")
  assert averaging in ("probabilities", "logits", "ranks")
  for score in content.get("scores", {}).values():
    json_values.number(score)
  return (members, shape, averaging, content.get("budget_bytes"),
          content.get("scores", {}), content.get("search", {}))


_CONTRACT = {"names": ["rgb", "audio"], "sizes": [8, 4], "level": "frame",
             "max_frames": 300, "num_classes": 3862}


def _read_contract(path):
  one = saved_model.Contract.load(os.path.dirname(os.path.dirname(path)))
  spec = one.spec
  return ((list(spec.names), list(spec.sizes), spec.level), one.max_frames,
          one.num_classes)


def _expected_contract(data):
  content = json.loads(data.decode())
  return (json_values.spec(content), json_values.whole(content["max_frames"]),
          json_values.whole(content["num_classes"]))


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
  values = [None if value is None else float(np.float32(json_values.number(value)))
            for value in content.pop("thresholds")]
  assert all(value is None or 0 <= value <= 1 for value in values)
  num_classes = json_values.whole(content.pop("num_classes"))
  assert len(values) == num_classes >= json_values.whole(content["top_k"])
  top_k, name = content.pop("top_k"), content.pop("target")
  assert isinstance(name, str) and name
  known = (*identity.KINDS, "data", "data_digest", "num_examples",
           "min_positives", "global_threshold", "num_by_global", "num_never_decided",
           "achieved")
  return ([value and float(str(np.float32(value))) for value in values], top_k, name,
          {key: value for key, value in content.items() if key in known})


_IDENTITIES = ({"step": 9, "hparams": None, "checkpoint_digest": "0123abcd"},
               {"model_digest": "0123abcd"})


def _read_identity(path):
  return identity.load(os.path.dirname(os.path.dirname(path)))


def _expected_identity(data):
  content = json.loads(data.decode())
  found = {name: content[name] for name in (
      ["model_digest"] if "model_digest" in content else _IDENTITIES[0])}
  if "step" in found:
    assert type(found["step"]) is int and found["step"] >= 0
    assert found["hparams"] is None or isinstance(found["hparams"], str)
  digest = found["model_digest" if "model_digest" in found else "checkpoint_digest"]
  assert isinstance(digest, str) and digest
  return found


_REGRESSIONS = ("gap:0.002,avg_loss:0.1",)
_BASELINE = {"step": 9, "gap": 0.7, "avg_loss": 1.5, "map": 0.3, "top_k": 20,
             "label_loss": None, "num_positives": {"0": 3, "2": 1}}


def _read_baseline(path):
  baseline = gate.Baseline.load(path, _REGRESSIONS)
  return [(found.name, found.sign, found.bound) for found in
          baseline.requirements([3, 0, 1], {"top_k": 20, "label_loss": None})]


def _expected_baseline(data):
  content = json.loads(data.decode())
  assert content["num_positives"] == {"0": 3, "2": 1}
  assert content.get("top_k") == 20 and content.get("label_loss") is None
  return [("gap", ">=", json_values.number(content["gap"]) - 0.002),
          ("avg_loss", "<=", json_values.number(content["avg_loss"]) + 0.1)]


TARGETS = (
    target.Target(
        name="ablation table", seeds=json_values.dump(_TABLE), read=_read_table,
        expected=_expected_table, mutate=mutation.of_json, file="input.json", share=10,
        names=("input",)),
    json_values.of_file(
        "ensemble.json", _ENSEMBLES, _read_ensemble, _expected_ensemble, share=10),
    target.Target(
        name="feature_spec.json", seeds=json_values.dump(_CONTRACT), read=_read_contract,
        expected=_expected_contract, mutate=mutation.of_json,
        file="assets/feature_spec.json", share=5),
    json_values.of_file(
        "manifest.json", [_MANIFEST], _read_manifest, _expected_manifest,
        names=("manifest.json", "data.bin"), share=5),
    json_values.of_file(
        "thresholds.json", _THRESHOLDS, _read_thresholds, _expected_thresholds, share=5),
    target.Target(
        name="identity.json", seeds=json_values.dump(*_IDENTITIES), read=_read_identity,
        expected=_expected_identity, mutate=mutation.of_json,
        file="assets.extra/identity.json", share=5),
    target.Target(
        name="--baseline", seeds=json_values.dump(_BASELINE), read=_read_baseline,
        expected=_expected_baseline, mutate=mutation.of_json, file="metrics-9.json",
        share=5),
)
