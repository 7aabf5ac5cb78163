# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The files of a training directory, and the hyperparameters that change a model."""

import json
import os

from tests.fuzz import json_values
from tests.fuzz import mutation
from tests.fuzz import target
from yt8m.configs import best_checkpoint
from yt8m.configs import experiment
from yt8m.configs import hparams
from yt8m.eval.comparing import report
from yt8m.eval.comparing import trained
from yt8m.eval.metrics import results
from yt8m.training import fold_models

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
_EXPERIMENTS = [{"format": 1, "model": model, "max_frames": 300, "flags": _FLAGS}
                for model in MODELS]


def _read_experiment(path):
  one = experiment.Experiment.load(os.path.dirname(path))
  spec = one.feature_spec
  return (one.model_config, one.max_frames, one.flags, one.num_classes,
          (list(spec.names), list(spec.sizes), spec.level))


def _expected_experiment(data):
  content = json.loads(data.decode())
  model = content["model"]
  assert isinstance(content["flags"], dict)
  return (model, json_values.whole(content["max_frames"]), content["flags"],
          json_values.whole(model["num_classes"]),
          json_values.spec(model["feature_spec"]))


def _build(path):
  model = experiment.Experiment.load(os.path.dirname(path)).build_model()
  return model.num_classes, list(model.feature_spec.sizes)


def _expected_build(data):
  model = json.loads(data.decode())["model"]
  return (json_values.whole(model["num_classes"]),
          json_values.spec(model["feature_spec"])[1])


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


def _read_status(path):
  return experiment.is_finished(os.path.dirname(path))


def _expected_status(data):
  finished = json.loads(data.decode()).get("finished")
  assert finished in (True, False, None) and type(finished) is not int
  return finished


_BEST = {"format": 1, "step": 9, "metric": "gap", "value": 0.5, "data": "validate*"}


def _read_best(path):
  best = best_checkpoint.Best.load(os.path.dirname(path))
  return best.step, best.metric, best.value, best.data


def _expected_best(data):
  content = json.loads(data.decode())
  assert content["format"] == 1 and type(content["format"]) is int
  step, metric, where = content["step"], content["metric"], content["data"]
  assert type(step) is int and step >= 0
  assert isinstance(metric, str) and metric and isinstance(where, str)
  return step, metric, json_values.number(content["value"]), where


_MEASURED = ("avg_hit_at_one", "avg_perr", "avg_loss", "gap", "map", "ece", "brier",
             "log_loss")
_LINES = tuple(
    {"step": step, "data": "validate*", "top_k": 20, "gap": 0.1 * step, "map": 0.5,
     "avg_loss": 2, "ece": 0.01} for step in (1, 5, 9))


def _of_lines(rng, data):
  """Changes one line of a file, or the order of its lines, or its bytes."""
  if rng.random() < 0.1:
    return mutation.of_bytes(rng, data)
  lines = data.split(b"\n")
  at = rng.randrange(len(lines))
  kind = rng.randrange(6)
  if kind == 0:
    rng.shuffle(lines)
  elif kind == 1:
    lines.insert(at, lines[at])
  elif lines[at]:
    lines[at] = mutation.of_json(rng, lines[at])
  return b"\n".join(lines)


def _read_history(path):
  return results.history(os.path.dirname(path))


def _expected_history(data):
  # A line ends wherever Python's texts end one.
  lines = list(map(json.loads, data.decode().splitlines()))
  for line in lines:
    assert isinstance(line, dict)
    assert type(line["step"]) is int and line["step"] >= 0
    for name in {*_MEASURED} & line.keys():
      json_values.number(line[name])
  return sorted(lines, key=lambda line: line["step"])


_FOLDS = {"flags": {"batch_size": 8, "model": "MoeModel"}, "num_folds": 2,
          "files": [["a.tfrecord", "0f"], ["b.tfrecord", "1e"]]}


def _read_folds(path):
  fold_models.prepare(os.path.dirname(path), _FOLDS)
  return True


def _expected_folds(data):
  return json.loads(data.decode()) == _FOLDS


_COMPARED = {
    "config.json": _EXPERIMENTS[0], "best.json": _BEST, "metrics.jsonl": list(_LINES),
    "metrics-9.json": {"num_parameters": 54, "gap": 0.9}}


def _read_compared(path):
  """Reads a training directory whose files are the entries of an object."""
  folder = os.path.dirname(path)
  with open(path, "rb") as file:
    contents = _files(file.read())
  for name, content in contents.items():
    below = "" if name in ("config.json", "best.json") else "eval/validate-1"
    os.makedirs(os.path.join(folder, below), exist_ok=True)
    with open(os.path.join(folder, below, name), "w") as file:
      file.write(content)
  run = trained.load(folder, "run")
  table = report.table([run], ["gap", "ece"])
  if not all(line.isprintable() for line in table.split("\n")):
    raise AssertionError(table)
  line = run.chosen("validate-1", "gap") or {}
  return run.best_step, run.num_parameters, line.get("step"), line.get("gap")


def _files(data):
  """The files of the object, whose mutations are in the files and not in their names."""
  try:
    content = json.loads(data)
  except (ValueError, RecursionError):
    content = {}
  if not isinstance(content, dict):
    content = {}
  lines = content.get("metrics.jsonl")
  texts = {name: json.dumps(content.get(name)) for name in _COMPARED}
  texts["metrics.jsonl"] = "\n".join(map(json.dumps, lines if isinstance(lines, list)
                                         else [lines]))
  return texts


def _expected_compared(data):
  texts = _files(data)
  _expected_experiment(texts["config.json"].encode())
  step = _expected_best(texts["best.json"].encode())[0]
  lines = _expected_history(texts["metrics.jsonl"].encode())
  for line in lines:
    for name in {"step", *_MEASURED} & line.keys():
      assert abs(line[name]) < 1e15
  count = json.loads(texts["metrics-9.json"]).get("num_parameters")
  assert count is None or type(count) is int and 0 <= count < 1e15
  best = [line for line in lines if line["step"] == step] or sorted(
      (line for line in lines if "gap" in line),
      key=lambda line: (-line["gap"], line["step"]))
  line = best[0] if best else {}
  return step, count, line.get("step"), line.get("gap")


TARGETS = (
    json_values.of_file(
        "config.json", _EXPERIMENTS, _read_experiment, _expected_experiment, share=10),
    target.Target(
        name="model of config.json", seeds=json_values.dump(*_EXPERIMENTS), read=_build,
        expected=_expected_build, mutate=mutation.of_json, file="config.json",
        share=0.2),
    target.Target(
        name="--hparams", mutate=mutation.of_json, names=("--hparams",), share=10,
        seeds=json_values.dump(
            {"classifier": {"num_steps": 3}}, {"aggregation": {"name": "lstm"}},
            {"normalization": "none", "sampling": {"num_frames": 4}}),
        read=_read_hparams, expected=_expected_hparams),
    target.Target(
        name="--hparams of a trained model", mutate=mutation.of_json, share=5,
        names=("--hparams",),
        seeds=json_values.dump({"classifier": {"num_steps": 3}}, {}),
        read=_read_trained_hparams, expected=_expected_trained_hparams),
    json_values.of_file(
        "status.json", [{"finished": True, "total_steps": 9}], _read_status,
        _expected_status, share=5),
    json_values.of_file("best.json", [_BEST], _read_best, _expected_best, share=5),
    target.Target(
        name="metrics.jsonl", seeds=[b"\n".join(json_values.dump(*_LINES)) + b"\n"],
        read=_read_history, expected=_expected_history, mutate=_of_lines,
        file="metrics.jsonl", share=5),
    json_values.of_file(
        "folds.json", [_FOLDS], _read_folds, _expected_folds, share=5,
        names=("folds.json", "models of another training")),
    target.Target(
        name="trainings of yt8m-compare", seeds=json_values.dump(_COMPARED),
        read=_read_compared, expected=_expected_compared, mutate=mutation.of_json,
        file="input.json", names=tuple(_COMPARED), share=2),
)
