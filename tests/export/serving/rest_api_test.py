# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Requests and answers in both forms, as in TensorFlow Serving's own tests."""

import json

import numpy as np
import pytest
import tensorflow as tf

from yt8m.export.serving import rest_api

SIGNATURES = {
    "serving_default": {"example_bytes": tf.TensorSpec([None], tf.string)},
    "predict_features": {"rgb": tf.TensorSpec([None, None, 2], tf.uint8),
                         "num_frames": tf.TensorSpec([None], tf.int32)},
    "predict_steps": {"rgb": tf.TensorSpec([None, 2], tf.float32),
                      "num_steps": tf.TensorSpec([], tf.int32)},
}


def parse(**content):
  return rest_api.parse_predict(json.dumps(content).encode(), SIGNATURES)


@pytest.mark.parametrize("key, in_rows", [("instances", True), ("inputs", False)])
def test_a_single_input_needs_no_name(key, in_rows):
  request = parse(**{key: ["a", {"b64": "/wA="}]})
  assert request.signature == "serving_default"
  assert request.inputs["example_bytes"].tolist() == [b"a", b"\xff\0"]
  assert request.in_rows == in_rows


@pytest.mark.parametrize("content, where", [
    ({"instances": ["a", "ChQKCgoCaWQSBAoCCgA="]}, r"instances\[1\]"),
    ({"instances": [{"b64": "Q2hRS0Nnb0NhV1FTQkFvQ0NnQT0="}]}, r"instances\[0\]"),
    ({"inputs": {"example_bytes": ["ChQKCgoCaWQSBAoCCgA="]}}, r"inputs\[0\]"),
])
def test_base64_in_place_of_a_record_is_explained(content, where):
  with pytest.raises(rest_api.RestError, match=(
      where + ': example_bytes is base64 text .* send {"b64": .* encoded once')):
    parse(**content)


def test_rows_and_columns_say_the_same():
  frames = [[[1, 2], [3, 4]], [[5, 6], [0, 0]]]
  rows = parse(signature_name="predict_features", instances=[
      {"rgb": rgb, "num_frames": n} for rgb, n in zip(frames, (2, 1), strict=True)])
  columns = parse(signature_name="predict_features",
                  inputs={"num_frames": [2, 1], "rgb": frames})
  for name, dtype in (("rgb", np.uint8), ("num_frames", np.int32)):
    assert rows.inputs[name].dtype == columns.inputs[name].dtype == dtype
    np.testing.assert_array_equal(rows.inputs[name], columns.inputs[name])
  named = parse(instances=[{"example_bytes": "a"}, {"example_bytes": {"b64": "/w=="}}])
  assert named.inputs["example_bytes"].tolist() == [b"a", b"\xff"]
  assert parse(inputs={"example_bytes": ["a"]}).inputs["example_bytes"].tolist() == [b"a"]


def test_what_has_no_rows_goes_in_columns():
  request = parse(signature_name="predict_steps",
                  inputs={"rgb": [[1, 2], [3, 4]], "num_steps": 3})
  assert request.inputs["num_steps"].shape == ()
  with pytest.raises(rest_api.RestError, match="'num_steps' .* sent as 'inputs'"):
    parse(signature_name="predict_steps", instances=[{"rgb": [1, 2], "num_steps": 3}])


def test_an_empty_batch_goes_in_columns():
  assert parse(inputs=[]).inputs["example_bytes"].shape == (0,)
  empty = parse(signature_name="predict_features", inputs={"rgb": [], "num_frames": []})
  assert empty.inputs["rgb"].shape == (0, 0, 2)
  with pytest.raises(rest_api.RestError, match="at least one instance.*'inputs'"):
    parse(instances=[])


FEATURES = {"signature_name": "predict_features"}
ROW = {"rgb": [[1, 2]], "num_frames": 1}


@pytest.mark.parametrize("content, message", [
    ({}, "one of the keys 'instances' and 'inputs', has neither"),
    ({"instances": ["a"], "inputs": ["a"]}, "has instances and inputs"),
    ({"instances": "a"}, "'instances' must be a list"),
    ({"signature_name": 5, "inputs": []}, "'signature_name' must be a string, is 5"),
    ({"signature_name": "x", "inputs": []},
     '"x" not found in signature def. Valid: serving_default, predict_features'),
    ({"instances": ["a", 1]}, r"instances\[1\]\['example_bytes'\] must be a string"),
    ({"instances": ["a", {"example_bytes": "b"}]}, r"instances\[0\] must be an object"),
    ({"instances": [{"example_bytes": "a"}, {"x": "b"}]},
     r"instances\[1\] .* has the keys \['x'\]"),
    ({"inputs": {"x": ["a"]}}, r"inputs must be an object with the keys \['example_b"),
    ({**FEATURES, "instances": [[1, 2]]}, r"instances\[0\] must be an object.*\[\[?1, 2"),
    ({**FEATURES, "inputs": [[1, 2]]}, "inputs must be an object"),
    ({**FEATURES, "instances": [ROW, {"rgb": [[1, 2]]}]}, r"instances\[1\] .*num_frames"),
    ({**FEATURES, "instances": [ROW, {**ROW, "rgb": [[1, 256]]}]},
     r"instances\[1\]\['rgb'\] must be of uint8"),
    ({**FEATURES, "instances": [ROW, {**ROW, "rgb": [[1, 2], [3, 4]]}]},
     r"instances\[1\]\['rgb'\] has the shape \(2, 2\), but that of instances\[0\]"),
    ({**FEATURES, "instances": [ROW, {**ROW, "rgb": [[1]]}]},
     r"instances\[1\]\['rgb'\] has the shape \(1, 1\); the signature requires"),
    ({**FEATURES, "inputs": {"rgb": [[[1, 2]]], "num_frames": [1.0]}},
     r"inputs\['num_frames'\] must be of int32"),
    ({**FEATURES, "inputs": {"rgb": [[[1, 2]]], "num_frames": [1, 1]}},
     "differ in their number of rows: rgb 1, num_frames 2")])
def test_bad_requests_are_explained(content, message):
  with pytest.raises(rest_api.RestError, match=message) as raised:
    parse(**content)
  assert raised.value.status == 400


@pytest.mark.parametrize("body", [
    b"", b"{", b"\xff\xfe{", b"[1]", b"null", b"[" * 100_000,
    b'{"inputs": ' + b"9" * 9999])
def test_what_is_no_json_object_is_refused(body):
  with pytest.raises(rest_api.RestError) as raised:
    rest_api.parse_predict(body, SIGNATURES)
  assert raised.value.status == 400


def formatted(in_rows, **outputs):
  outputs = {name: np.array(x) for name, x in outputs.items()}
  return json.loads(rest_api.format_answer(outputs, in_rows))


def test_one_output_goes_without_its_name():
  assert formatted(True, scores=[[1, 2], [3, 4]]) == {"predictions": [[1, 2], [3, 4]]}
  assert formatted(False, scores=[[1, 2], [3, 4]]) == {"outputs": [[1, 2], [3, 4]]}
  assert formatted(True, scores=np.zeros((0, 2))) == {"predictions": []}
  assert formatted(True, scores=np.float32([0.5, 1])) == {"predictions": [0.5, 1.0]}


def test_several_outputs_have_their_names():
  outputs = dict(id=np.array([b"a", b"\xff"], object), scores=np.float32([[1], [2]]),
                 raw_bytes=np.array([b"a", b"b"], object))
  b64 = [{"b64": "YQ=="}, {"b64": "Yg=="}]
  assert formatted(False, **outputs) == {"outputs": {
      "id": ["a", {"b64": "/w=="}], "scores": [[1], [2]], "raw_bytes": b64}}
  assert formatted(True, **outputs) == {"predictions": [
      {"id": "a", "scores": [1], "raw_bytes": b64[0]},
      {"id": {"b64": "/w=="}, "scores": [2], "raw_bytes": b64[1]}]}


def test_outputs_without_rows_go_in_columns():
  for outputs in ({"a": [1, 2], "b": [1]}, {"a": 1, "b": [1]}, {"a": 1}):
    assert formatted(False, **outputs)["outputs"]
    with pytest.raises(rest_api.RestError, match="no row for every instance.*'inputs'"):
      formatted(True, **outputs)


def test_errors_are_json():
  assert json.loads(rest_api.format_error('a "b"\n')) == {"error": 'a "b"\n'}


@pytest.mark.parametrize("leaf", ["", "1", '"a"', '{"b64": "YQ=="}', "null"])
@pytest.mark.parametrize("depth", [32, 33, 64, 65, 500, 980, 20_000])
def test_lists_at_any_depth_are_refused(depth, leaf):
  deep = "[" * depth + leaf + "]" * depth
  for form in ('{"inputs": %s}', '{"instances": %s}', "%s", '{"signature_name": %s}',
               '{"signature_name": "predict_features", "inputs": {"rgb": %s, '
               '"num_frames": [1]}}'):
    with pytest.raises(rest_api.RestError) as error:
      rest_api.parse_predict((form % deep).encode(), SIGNATURES)
    assert error.value.status == 400 and len(str(error.value)) < 400
