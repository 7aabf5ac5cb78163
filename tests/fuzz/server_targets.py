# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""REST requests, and files of REST answers."""

import base64
import json
import math
import re

import numpy as np
import tensorflow as tf

from tests.fuzz import mutation
from tests.fuzz import target
from yt8m.export.serving import rest_api
from yt8m.export.submissions import json_predictions

_SIGNATURES = {
    "serving_default": {"example_bytes": tf.TensorSpec([None], tf.string)},
    "predict_features": {"rgb": tf.TensorSpec([None, None, 2], tf.uint8),
                         "num_frames": tf.TensorSpec([None], tf.int32)},
    "predict_steps": {"mean_rgb": tf.TensorSpec([None, 2], tf.float32),
                      "num_steps": tf.TensorSpec([], tf.int32)}}
_DEPTHS = {"example_bytes": 1, "rgb": 3, "num_frames": 1, "mean_rgb": 2, "num_steps": 0}
_REQUESTS = (
    {"instances": ["a", {"b64": "/wA="}]},
    {"instances": [{"example_bytes": {"b64": "AAEC"}}]},
    {"inputs": {"example_bytes": ["b", "c"]}},
    {"signature_name": "predict_features", "instances": [
        {"rgb": [[1, 2], [3, 255]], "num_frames": 2},
        {"rgb": [[5, 6], [0, 0]], "num_frames": 1}]},
    {"signature_name": "predict_features",
     "inputs": {"rgb": [[[1, 2]]], "num_frames": [1]}},
    {"signature_name": "predict_steps",
     "inputs": {"mean_rgb": [[0.5, -1.0]], "num_steps": 3}})


def _read_request(path):
  with open(path, "rb") as file:
    request = rest_api.parse_predict(file.read(), _SIGNATURES)
  return (request.signature, request.in_rows,
          {name: array.tolist() for name, array in sorted(request.inputs.items())})


def _expected_request(data):
  content = json.loads(data)
  signature = content.get("signature_name") or "serving_default"
  specs, in_rows = _SIGNATURES[signature], "instances" in content
  value = content["instances" if in_rows else "inputs"]
  if len(specs) == 1:
    [name] = specs
    if in_rows and not any(_is_object(row) for row in value):
      value = [{name: row} for row in value]
    elif not in_rows and not _is_object(value):
      value = {name: value}
  if in_rows:
    assert all(set(row) == set(specs) for row in value)
    value = {name: [row[name] for row in value] for name in specs}
  assert set(value) == set(specs)
  return signature, in_rows, {
      name: _plain(value[name], spec.dtype, _DEPTHS[name])
      for name, spec in sorted(specs.items())}


def _is_object(value):
  return isinstance(value, dict) and set(value) != {"b64"}


def _plain(value, dtype, depth):
  """The value as `tolist` of the array gives it."""
  if depth:
    assert isinstance(value, list)
    return [_plain(one, dtype, depth - 1) for one in value]
  if dtype == tf.string:
    if isinstance(value, str):
      return value.encode()
    [text] = value.values()
    text = re.sub(r"\s", "", text).rstrip("=")
    assert re.fullmatch(r"[A-Za-z0-9+/]*", text)
    return base64.b64decode(text + "=" * (-len(text) % 4))
  if dtype == tf.float32:
    assert type(value) in (int, float)
    return float(np.float32(value))
  assert type(value) is int and dtype.min <= value <= dtype.max
  return value


_PREDICTION = {"video_id": "DiRU", "class_indexes": [2210, 2837],
               "predictions": [0.80, 0.79]}
_ANSWERS = (
    [_PREDICTION, {**_PREDICTION, "video_id": "é"}],
    [{"predictions": [_PREDICTION]}],
    [{"outputs": {"video_id": ["a", "b"], "class_indexes": [[1], [2]],
                  "predictions": [[0.5], [0.25]]}}],
    [{"video_id": [{"b64": "YWJj"}], "class_indexes": [[1]], "predictions": [[1]]}])


def _answer_file(values):
  return "\n".join(map(json.dumps, values)).encode()


def _mutate_answers(rng, data):
  lines = data.split(b"\n")
  if len(lines) == 1 or rng.random() < 0.7:
    at = rng.randrange(len(lines))
    lines[at] = mutation.of_json(rng, lines[at])
    return b"\n".join(lines)
  return mutation.of_text(rng, data)


def _read_answers(path):
  return [prediction for _, _, predictions in json_predictions.read(path)
          for prediction in predictions]


def _expected_answers(data):
  text, values = data.decode("utf-8-sig"), []
  try:
    values = [json.loads(text)]
  except ValueError:
    values = [json.loads(line.removeprefix("\ufeff"))
              for line in text.split("\n") if line.strip()]
  return [one for value in values for one in _predictions(value)]


def _predictions(value):
  if "video_id" not in value and "outputs" in value:
    columns = value["outputs"]
    rows = zip(*(columns[key] for key in json_predictions.KEYS), strict=True)
    return [_prediction(*row) for row in rows]
  rows = value["predictions"] if "video_id" not in value else [value]
  return [_prediction(*(row[key] for key in json_predictions.KEYS)) for row in rows]


def _prediction(video_id, classes, scores):
  if isinstance(video_id, list):
    [video_id], [classes], [scores] = video_id, classes, scores
  if isinstance(video_id, dict):
    video_id = _plain(video_id, tf.string, 0)
  elif isinstance(video_id, str):
    video_id = video_id.encode("utf-8", "surrogatepass")
  assert isinstance(video_id, bytes) and video_id and len(classes) == len(scores)
  assert all(type(one) is int and 0 <= one < 2**31 for one in classes), classes
  assert all(type(score) in (int, float) and math.isfinite(score) for score in scores)
  return target.escaped(video_id), classes, scores


TARGETS = (
    target.Target(
        name="REST request", seeds=[json.dumps(one).encode() for one in _REQUESTS],
        read=_read_request, expected=_expected_request, mutate=mutation.of_json,
        errors=(rest_api.RestError,), share=10, names=(
            "JSON", "inputs", "instances", "ignature", "request", "ody")),
    target.Target(
        name="JSON predictions", seeds=[_answer_file(values) for values in _ANSWERS],
        read=_read_answers, expected=_expected_answers, mutate=_mutate_answers,
        file="answers.json", share=10),
)
