# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Answers do not depend on which requests shared a call."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m.export.serving import request_batching

SPECS = {"rgb": tf.TensorSpec([None, None, 2], tf.uint8),
         "num_frames": tf.TensorSpec([None], tf.int32)}
OUTPUTS = {"sum": tf.TensorSpec([None]), "n": tf.TensorSpec([None], tf.int32)}
BAD = 255


class Model:
  """Sums the valid frames; refuses bad values, and lengths beyond the frames."""

  def __init__(self):
    self.calls = []

  def __call__(self, inputs):
    rgb, n = inputs["rgb"], inputs["num_frames"]
    self.calls.append(rgb.shape[:2])
    for row in range(len(rgb)):
      if not 1 <= n[row] <= rgb.shape[1] or (rgb[row] == BAD).any():
        raise ValueError(f"row {row} is bad")
    sums = [x[:k].sum(dtype=np.float32) for x, k in zip(rgb, n, strict=True)]
    return {"sum": np.float32(sums), "n": n}


def request(rng, rows, frames):
  return {"rgb": rng.integers(0, BAD, (rows, frames, 2), np.uint8),
          "num_frames": rng.integers(1, max(frames, 1) + 1, rows, np.int32)}


def run(requests, max_rows, specs=SPECS, outputs=OUTPUTS, model=None):
  model = model or Model()
  return request_batching.run(model, specs, outputs, requests, max_rows), model


@pytest.mark.parametrize("max_rows", [1, 4, 7, 1000])
def test_answers_are_those_of_requests_alone(max_rows):
  rng = np.random.default_rng(0)
  requests = [request(rng, rows, frames) for rows, frames in
              [(1, 3), (0, 0), (9, 5), (2, 3), (1, 40), (3, 4), (0, 4)]]
  answers, model = run(requests, max_rows)
  for inputs, answer in zip(requests, answers, strict=True):
    alone = Model()(inputs)
    for name in alone:
      assert answer[name].dtype == alone[name].dtype
      np.testing.assert_array_equal(answer[name], alone[name])
  assert max(rows for rows, _ in model.calls) <= max_rows


def test_requests_share_calls_and_large_ones_are_cut():
  rng = np.random.default_rng(1)
  assert run([request(rng, 2, 3) for _ in range(4)], 8)[1].calls == [(8, 3)]
  assert run([request(rng, 5, 3)], 2)[1].calls == [(2, 3), (2, 3), (1, 3)]


def test_padding_is_bounded():
  rng = np.random.default_rng(2)
  _, model = run([request(rng, 1, frames) for frames in (1, 2, 300, 250, 1)], 100)
  assert sorted(model.calls) == [(2, 300), (3, 2)]
  requests = [request(rng, 1, 100_000), *(request(rng, 30, 1) for _ in range(3))]
  _, model = run(requests, 100)
  assert sum(rows * frames for rows, frames in model.calls) == 100_000 + 90


def test_a_bad_row_spoils_its_own_request_only():
  rng = np.random.default_rng(3)
  requests = [request(rng, 2, 3) for _ in range(5)]
  requests[2]["rgb"][1] = BAD
  answers, model = run(requests, 100)
  assert str(answers[2]) == "row 1 is bad" and answers[2].first_row == 0
  for number in (0, 1, 3, 4):
    expected = Model()(requests[number])["sum"]
    np.testing.assert_array_equal(answers[number]["sum"], expected)
  assert model.calls[0] == (10, 3) and len(model.calls) == 6


def test_a_length_that_padding_would_hide_is_refused():
  rng = np.random.default_rng(4)
  short, long = request(rng, 1, 3), request(rng, 1, 5)
  short["num_frames"][:] = 4
  answers, _ = run([short, long], 100)
  assert str(answers[0]) == "row 0 is bad"
  assert answers[1]["n"] == long["num_frames"]


def test_an_error_tells_in_which_rows_of_the_request():
  rng = np.random.default_rng(5)
  inputs = request(rng, 7, 2)
  inputs["rgb"][4] = BAD
  [answer], _ = run([inputs], 3)
  assert isinstance(answer, ValueError) and answer.first_row == 3


def test_what_is_no_batch_is_not_mixed():
  specs = {"x": tf.TensorSpec([None, 2]), "num_steps": tf.TensorSpec([], tf.int32)}
  calls = []

  def model(inputs):
    calls.append((len(inputs["x"]), int(inputs["num_steps"])))
    return {"y": inputs["x"] * inputs["num_steps"]}

  requests = [{"x": np.full((2, 2), i, np.float32), "num_steps": np.int32(steps)}
              for i, steps in enumerate((1, 2, 1))]
  answers, _ = run(requests, 10, specs, {"y": tf.TensorSpec([None, 2])}, model)
  assert sorted(calls) == [(2, 2), (4, 1)]
  assert [answer["y"][0, 0] for answer in answers] == [0, 2, 2]


def test_a_signature_without_rows_is_called_for_each_request():
  calls = []

  def model(inputs):
    calls.append(len(inputs["x"]))
    return {"mean": inputs["x"].mean()}

  requests = [{"x": np.full([5], i, np.float32)} for i in range(3)]
  answers, _ = run(requests, 2, {"x": tf.TensorSpec([None])}, {"mean": tf.TensorSpec([])},
                   model)
  assert calls == [5, 5, 5] and [answer["mean"] for answer in answers] == [0, 1, 2]


def test_strings_are_merged():
  requests = [{"example_bytes": np.array([b"a", b"b\0"], object)},
              {"example_bytes": np.array([b"c"], object)}]
  answers, _ = run(requests, 10, {"example_bytes": tf.TensorSpec([None], tf.string)},
                   {"id": tf.TensorSpec([None], tf.string)},
                   lambda inputs: {"id": inputs["example_bytes"]})
  assert [answer["id"].tolist() for answer in answers] == [[b"a", b"b\0"], [b"c"]]
