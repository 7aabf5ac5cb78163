# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The files of the trials of a search, and of the steps of the demo."""

import json
import os

from tests.fuzz import json_values
from tests.fuzz import mutation
from tests.fuzz import target
from yt8m import demo
from yt8m.eval.metrics import results
from yt8m.eval.tuning import space
from yt8m.eval.tuning import trials

_SETTINGS = {"flags": ["--model=MoeModel"], "search": ["rate=0.1..0.9", "size=2..8",
                                                       "name=a,b"], "seed": 0}
_TRIAL = {"settings": _SETTINGS, "values": {"rate": 0.5, "size": 4, "name": "b"}}


def _read_trial(path):
  output_dir = path.partition("/trials/")[0]
  trial = trials.find(output_dir, 7, _SETTINGS, space.parse(_SETTINGS["search"]))
  return trial and dict(trial.values)


def _expected_trial(data):
  content = json.loads(data.decode())
  settings, values = content["settings"], content["values"]
  assert isinstance(settings, dict) and isinstance(values, dict)
  if settings != _SETTINGS:
    return None
  assert set(values) == {"rate", "size", "name"} and values["name"] in ("a", "b")
  assert type(values["rate"]) is float and 0.1 <= values["rate"] <= 0.9
  assert type(values["size"]) is int and 2 <= values["size"] <= 8
  return values


_OUTCOME = {"state": "pruned", "steps": [2, 4], "values": [0.5, 0.25], "seconds": 9.5}


def _read_outcome(path):
  trial = trials.Trial(0, os.path.dirname(path), {})
  folder = os.path.join(trial.train_dir, "eval", "validate-0")
  os.makedirs(folder, exist_ok=True)
  results.write_history(folder, [{"step": step, "gap": value} for step, value in zip(
      _OUTCOME["steps"], _OUTCOME["values"], strict=True)])
  outcome = trial.outcome("gap")
  return {name: getattr(outcome, name) for name in _OUTCOME}


def _expected_outcome(data):
  content = json.loads(data.decode())
  assert content["state"] in ("finished", "pruned")
  json_values.number(content["seconds"])
  assert content["seconds"] >= 0
  steps, values = content["steps"], content["values"]
  assert (steps, values) == (_OUTCOME["steps"], _OUTCOME["values"])
  assert isinstance(steps, list) and isinstance(values, list)
  assert len(steps) == len(values) > 0
  assert all(type(step) is int and step >= 0 for step in steps)
  list(map(json_values.number, values))
  return {name: content[name] for name in _OUTCOME}


_STEPS = {"num_videos": 2000, "seconds": {"yt8m-train --model=MoeModel": 12.5}}


def _read_steps(path):
  steps = demo.Steps.load(path)
  return steps.num_videos, steps.seconds


def _expected_steps(data):
  content = json.loads(data.decode())
  assert isinstance(content["seconds"], dict)
  list(map(json_values.number, content["seconds"].values()))
  return json_values.whole(content["num_videos"]), content["seconds"]


TARGETS = (
    json_values.of_file("demo.json", [_STEPS], _read_steps, _expected_steps, share=5),
    target.Target(
        name="trial.json", seeds=json_values.dump(_TRIAL), read=_read_trial,
        expected=_expected_trial, mutate=mutation.of_json,
        file="trials/007/trial.json", share=5),
    target.Target(
        name="result.json of a trial", seeds=json_values.dump(_OUTCOME), share=5,
        read=_read_outcome, expected=_expected_outcome, mutate=mutation.of_json,
        file="result.json"),
)
