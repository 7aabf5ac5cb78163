# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Several requests in one call of a signature, and the answer split again.

A request is cut into pieces of at most `max_rows` rows, and pieces share a call while it
has room: the memory of a call is bounded, whatever is asked. Rows are concatenated;
videos of different length are padded in time, which no answer depends on, as
`num_frames` masks it, but never to more than twice what was sent. Pieces stay apart
that differ in what is no batch, such as `num_steps`.

A call that fails is repeated piece by piece: a malformed record spoils the request that
it came with, and no other.
"""

import collections
import dataclasses

import numpy as np

from yt8m.export.serving import rest_api

NUM_FRAMES = "num_frames"


@dataclasses.dataclass(frozen=True)
class _Piece:
  """Rows of the request number `owner`, from its row `first` on.

  Pieces of one `kind` may share a call; one of the kind None shares with nobody.
  """
  owner: int
  first: int
  inputs: dict
  rows: int
  frames: int
  kind: tuple | None


def run(call, specs, outputs, requests, max_rows):
  """Answers requests to one signature.

  Args:
    call: function of `{input: array}` that returns `{output: array}`.
    specs, outputs: `{name: tf.TensorSpec}` of its inputs and outputs.
    requests: list of `{input: array}`, as `rest_api.parse_predict` checked them.
    max_rows: of a call.

  Returns:
    A list of `{output: array}`, or of the exception that the call raised; its attribute
    `first_row` is the row of the request that the call began with.
  """
  batched = [name for name, spec in specs.items() if rest_api.is_batched(spec)]
  whole = not batched or not all(map(rest_api.is_batched, outputs.values()))
  pieces = [piece for owner, inputs in enumerate(requests)
            for piece in _cut(owner, inputs, batched, specs, None if whole else max_rows)]
  answers = [[] for _ in requests]
  for group in _groups(pieces, max_rows):
    for piece, answer in zip(group, _call(call, group, batched), strict=True):
      answers[piece.owner].append((piece.first, answer))
  return [_join(parts) for parts in answers]


def _cut(owner, inputs, batched, specs, max_rows):
  """Yields the pieces of a request; None for `max_rows` leaves it whole, and alone."""
  if max_rows is None:
    yield _Piece(owner, 0, inputs, 0, 0, None)
    return
  rows = len(inputs[batched[0]])
  for first in range(0, max(rows, 1), max_rows):
    part = {name: x[first:first + max_rows] if name in batched else x
            for name, x in inputs.items()}
    yield _Piece(owner, first, part, len(part[batched[0]]), _num_frames(part, specs),
                 _kind(part, batched, specs))


def _is_in_time(name, specs):
  """Whether an input may be padded along its second axis."""
  shape = specs[name].shape
  return (NUM_FRAMES in specs and rest_api.is_batched(specs[name]) and shape.rank > 1
          and shape[1] is None)


def _num_frames(inputs, specs):
  return max((x.shape[1] for name, x in inputs.items() if _is_in_time(name, specs)),
             default=1)


def _kind(inputs, batched, specs):
  lengths = {x.shape[1] for name, x in inputs.items() if _is_in_time(name, specs)}
  if lengths:
    num_frames = inputs[NUM_FRAMES]
    # The signature refuses these, and would not notice once they are padded.
    if len(lengths) > 1 or ((num_frames < 1) | (num_frames > max(lengths))).any():
      return None
  return tuple((name, x.shape[1 + _is_in_time(name, specs):]) if name in batched
               else (name, x.shape, x.tobytes()) for name, x in inputs.items())


def _groups(pieces, max_rows):
  """Yields lists of pieces that share a call."""
  by_kind = collections.defaultdict(list)
  for piece in pieces:
    if piece.kind is None:
      yield [piece]
    else:
      by_kind[piece.kind].append(piece)
  for same in by_kind.values():
    group = []
    # Similar lengths beside each other; the pieces of a request stay in their order.
    for piece in sorted(same, key=lambda piece: (piece.frames, piece.owner)):
      if group and not _has_room([*group, piece], max_rows):
        yield group
        group = []
      group.append(piece)
    yield group


def _has_room(group, max_rows):
  rows = sum(piece.rows for piece in group)
  sent = sum(piece.rows * piece.frames for piece in group)
  padded = rows * max(piece.frames for piece in group)
  return rows <= max_rows and padded <= 2 * sent


def _call(call, group, batched):
  """Returns an answer, or an exception, for each piece."""
  try:
    outputs = call(_merge(group, batched))
  except Exception as error:  # whatever it is, it is this call's
    if len(group) == 1:
      error.first_row = group[0].first
      return [error]
    return [answer for piece in group for answer in _call(call, [piece], batched)]
  if len(group) == 1:
    return [outputs]
  bounds = np.cumsum([piece.rows for piece in group])
  split = {name: np.split(x, bounds[:-1]) for name, x in outputs.items()}
  return [{name: parts[i] for name, parts in split.items()} for i in range(len(group))]


def _merge(group, batched):
  first = group[0].inputs
  if len(group) == 1:
    return first
  return {name: _concatenate([piece.inputs[name] for piece in group])
          if name in batched else x for name, x in first.items()}


def _concatenate(arrays):
  """Along the first axis; shorter ones are padded with zeros along the second."""
  if arrays[0].ndim > 1:
    length = max(x.shape[1] for x in arrays)
    rest = [(0, 0)] * (arrays[0].ndim - 2)
    arrays = [np.pad(x, [(0, 0), (0, length - x.shape[1]), *rest]) for x in arrays]
  return np.concatenate(arrays)


def _join(answers):
  """The answers for the pieces of a request as one, or the first exception.

  Args:
    answers: pairs of the first row of a piece and its answer.
  """
  parts = [answer for _, answer in sorted(answers, key=lambda pair: pair[0])]
  for part in parts:
    if isinstance(part, Exception):
      return part
  if len(parts) == 1:
    return parts[0]
  return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
