# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""JSON becomes the array that the signature requires, or an error that says why not."""

import base64
import json

import hypothesis
import hypothesis.extra.numpy
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies

from yt8m.export.serving import json_arrays

FLOATS = hypothesis.extra.numpy.arrays(
    np.float32, hypothesis.extra.numpy.array_shapes(min_dims=0, max_dims=3, min_side=0),
    elements=strategies.floats(width=32))


def read(text, shape, dtype):
  return json_arrays.to_array(json.loads(text), tf.TensorSpec(shape, dtype))


@hypothesis.given(FLOATS)
def test_floats_survive_the_round_trip_bit_by_bit(array):
  text = json_arrays.to_json(array)
  again = np.array(json.loads(text), np.float32).reshape(array.shape)
  np.testing.assert_array_equal(again, array)
  if array.size:
    found = json_arrays.to_array(json.loads(text), tf.TensorSpec(array.shape))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, array)


@hypothesis.given(strategies.lists(strategies.binary()))
def test_bytes_survive_the_round_trip(values):
  array = np.array([*values, None], object)[:-1]
  for as_bytes in (False, True):
    content = json.loads(json_arrays.to_json(array, as_bytes))
    again = json_arrays.to_array(content, tf.TensorSpec([None], tf.string))
    assert again.tolist() == values
    assert not as_bytes or all(set(x) == {"b64"} for x in content)


def test_whole_floats_stay_floats():
  assert type(json.loads(json_arrays.to_json(np.float32([1])))[0]) is float
  assert json_arrays.to_json(np.float32([[0.2, 1]])) == "[[0.200000003, 1.00000000]]"
  assert json_arrays.to_json(np.int32([[1], [2]])) == "[[1], [2]]"
  assert json_arrays.to_json(np.float32([np.nan, np.inf])) == "[NaN, Infinity]"


@pytest.mark.parametrize("text, dtype, expected", [
    ("[[1, 2.5], [3, 4e0]]", tf.float32, [[1, 2.5], [3, 4]]),
    ("[[0, 255]]", tf.uint8, [[0, 255]]),
    ("[[-5]]", tf.int64, [[-5]]),
    ("[[true, false]]", tf.bool, [[True, False]]),
    ("[[NaN, -Infinity]]", tf.float32, [[np.nan, -np.inf]])])
def test_numbers_are_read(text, dtype, expected):
  array = read(text, [None, None], dtype)
  assert array.dtype == dtype.as_numpy_dtype
  np.testing.assert_array_equal(array, expected)


def test_strings_and_bytes_are_read():
  wrapped = base64.b64encode(b"\xff\0").decode()
  assert read(f'["ä", {{"b64": "{wrapped}"}}]', [None], tf.string).tolist() == [
      "ä".encode(), b"\xff\0"]
  # As in TensorFlow Serving, padding may be missing and white space is allowed.
  assert read('[{"b64": "/w\\nA"}]', [None], tf.string).tolist() == [b"\xff\0"]
  assert read('{"b64": "AA=="}', [], tf.string).tolist() == b"\0"


def test_an_empty_list_has_the_other_axes_of_the_signature():
  assert read("[]", [None, None, 8], tf.uint8).shape == (0, 0, 8)
  assert read("[]", [None], tf.string).shape == (0,)


@pytest.mark.parametrize("text, shape, dtype, message", [
    ("[1.5]", [None], tf.int32, "must be of int32, has 1.5"),
    ("[true]", [None], tf.int32, "must be of int32, has true"),
    ("[1, true]", [None], tf.int32, "must be of int32, has true"),
    ("[[0.5, false]]", [None, 2], tf.float32, "must be of float32, has false"),
    ("[1, null]", [None], tf.float32, "must be of float32, has null"),
    ('[1, "2"]', [None], tf.float32, 'must be of float32, has "2"'),
    ("[{}]", [None], tf.float32, "must be of float32, has {}"),
    ("[0, 256]", [None], tf.uint8, "must be of uint8, 0 to 255; has 0 to 256"),
    ("[-1]", [None], tf.uint8, "0 to 255; has -1 to -1"),
    ("[1e39]", [None], tf.float32, "too large for float32"),
    (f"[{10 ** 400}]", [None], tf.float32, "numbers that are too large"),
    (f"[{10 ** 30}]", [None], tf.int64, "numbers that are too large"),
    ("[1]", [None], tf.bool, "must be of bool, has 1"),
    ("[[1], [2, 3]]", [None, None], tf.int32, "lists of different lengths"),
    ("[[1], 2]", [None, None], tf.int32, "lists of different lengths"),
    ("[[1]]", [None], tf.int32,
     r"has the shape \(1, 1\); the signature requires \(None,\)"),
    ("[[1, 2]]", [None, 3], tf.int32, r"the signature requires \(None, 3\)"),
    ("[1]", [None], tf.string, 'must be a string or {"b64": …}, is 1'),
    ('[{"b64": 1}]', [None], tf.string, "must be a string"),
    ('[{"b64": "", "x": ""}]', [None], tf.string, "must be a string"),
    ('[{"b64": "?"}]', [None], tf.string, "base64"),
    ('[["a"], ["b", "c"]]', [None, None], tf.string, "lists of different lengths"),
    ("[" * 33 + '"a"' + "]" * 33, [None], tf.string, "lists nested 33 deep; at most 32"),
    ('["a", ["b"]]', [None], tf.string, "lists of different lengths"),
    (r'["\ud800"]', [None], tf.string, "surrogates")])
def test_what_does_not_fit_is_explained(text, shape, dtype, message):
  with pytest.raises(ValueError, match=message):
    read(text, shape, dtype)


def test_messages_are_short():
  assert len(json_arrays.short(list(range(1000)))) == 81
