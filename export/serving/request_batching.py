# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs several requests in one call of a signature, and splits the answer again.

A request is cut into pieces of at most `max_rows` rows, and pieces share a call while it
has room, so that the memory of a call is bounded. Rows are concatenated. Videos of
different length are padded along time, but never to more than twice the size that was
sent; no answer depends on the padding, because `num_frames` masks it. Pieces that differ
in an input without rows, such as `num_steps`, never share a call.

A call that fails is repeated piece by piece, so that a malformed record fails only the
request that it came with.
"""

import collections
import dataclasses
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.export.serving import rest_api
from yt8m.export.serving.rest_api import Arrays
from yt8m.export.serving.rest_api import Specs

NUM_FRAMES = "num_frames"
Call = Callable[[Arrays], Arrays]


@dataclasses.dataclass(frozen=True)
class _Piece:
  """Some rows of a request.

  Attributes:
    owner: Index of the request.
    first: Index of the first row in the request.
    inputs: Arrays by name.
    rows: Number of rows.
    frames: Number of frames, padding included.
    kind: Key of the pieces that may share a call; None if the piece must be alone.
  """
  owner: int
  first: int
  inputs: Arrays
  rows: int = 0
  frames: int = 0
  kind: tuple | None = None


def run(call: Call, specs: Specs, outputs: Specs, requests: Sequence[Arrays],
        max_rows: int) -> list[Arrays | Exception]:
  """Answers requests to one signature.

  Args:
    call: Function that calls the signature.
    specs: Inputs of the signature, by name.
    outputs: Outputs of the signature, by name.
    requests: Inputs of each request, as `rest_api.parse_predict` returns them.
    max_rows: Largest number of rows in one call.

  Returns:
    The outputs of each request, or the exception that the call raised. The attribute
    `first_row` of the exception is the row of the request at which the call began.
  """
  batched = [name for name, spec in specs.items() if rest_api.is_batched(spec)]
  if batched and all(map(rest_api.is_batched, outputs.values())):
    pieces = [piece for owner, inputs in enumerate(requests)
              for piece in _cut(owner, inputs, batched, specs, max_rows)]
  else:  # without rows, a request can be neither cut nor merged
    pieces = [_Piece(owner, 0, inputs) for owner, inputs in enumerate(requests)]
  answers = [{} for _ in requests]  # by first row
  for group in _groups(pieces, max_rows):
    for piece, answer in zip(group, _call(call, group, batched), strict=True):
      answers[piece.owner][piece.first] = answer
  return [_join([parts[first] for first in sorted(parts)]) for parts in answers]


def _cut(owner: int, inputs: Arrays, batched: list[str], specs: Specs,
         max_rows: int) -> Iterator[_Piece]:
  for first in range(0, max(len(inputs[batched[0]]), 1), max_rows):
    part = {name: x[first:first + max_rows] if name in batched else x
            for name, x in inputs.items()}
    lengths = {x.shape[1] for name, x in part.items() if _has_time_axis(name, specs)}
    yield _Piece(owner, first, part, len(part[batched[0]]), max(lengths, default=1),
                 _kind(part, batched, specs, lengths))


def _has_time_axis(name: str, specs: Specs) -> bool:
  """Whether an input may be padded along its second axis."""
  shape = specs[name].shape
  return (NUM_FRAMES in specs and rest_api.is_batched(specs[name]) and shape.rank > 1
          and shape[1] is None)


def _kind(inputs: Arrays, batched: list[str], specs: Specs,
          lengths: set[int]) -> tuple | None:
  if lengths:
    num_frames = inputs[NUM_FRAMES]
    # The signature refuses such inputs, but could not detect them after padding.
    if len(lengths) > 1 or ((num_frames < 1) | (num_frames > max(lengths))).any():
      return None
  return tuple((name, x.shape[1 + _has_time_axis(name, specs):]) if name in batched
               else (name, x.shape, x.tobytes()) for name, x in inputs.items())


def _groups(pieces: list[_Piece], max_rows: int) -> Iterator[list[_Piece]]:
  """Yields lists of pieces that share a call."""
  by_kind = collections.defaultdict(list)
  for piece in pieces:
    if piece.kind is None:
      yield [piece]
    else:
      by_kind[piece.kind].append(piece)
  for same in by_kind.values():
    group = []
    # Pieces of similar length are neighbours; those of a request stay in their order.
    for piece in sorted(same, key=lambda piece: (piece.frames, piece.owner)):
      if group and not _has_room([*group, piece], max_rows):
        yield group
        group = []
      group.append(piece)
    yield group


def _has_room(group: list[_Piece], max_rows: int) -> bool:
  rows = sum(piece.rows for piece in group)
  sent = sum(piece.rows * piece.frames for piece in group)
  padded = rows * max(piece.frames for piece in group)
  return rows <= max_rows and padded <= 2 * sent


def _call(call: Call, group: list[_Piece],
          batched: list[str]) -> list[Arrays | Exception]:
  """Returns the outputs, or an exception, for each piece."""
  try:
    outputs = call({
        name: _concatenate([piece.inputs[name] for piece in group])
        if name in batched and len(group) > 1 else x
        for name, x in group[0].inputs.items()})
  except Exception as error:  # any error becomes the answer to this request
    if len(group) == 1:
      error.__dict__["first_row"] = group[0].first
      return [error]
    return [answer for piece in group for answer in _call(call, [piece], batched)]
  if len(group) == 1:
    return [outputs]
  bounds = np.cumsum([piece.rows for piece in group])
  split = {name: np.split(x, bounds[:-1]) for name, x in outputs.items()}
  return [{name: parts[i] for name, parts in split.items()} for i in range(len(group))]


def _concatenate(arrays: list[np.ndarray]) -> np.ndarray:
  """Concatenates along the first axis, after padding the second axis with zeros."""
  if arrays[0].ndim > 1:
    length = max(x.shape[1] for x in arrays)
    rest = [(0, 0)] * (arrays[0].ndim - 2)
    arrays = [np.pad(x, [(0, 0), (0, length - x.shape[1]), *rest]) for x in arrays]
  return np.concatenate(arrays)


def _join(parts: list[Any]) -> Arrays | Exception:
  """Joins the answers to the pieces of a request, or returns the first exception."""
  errors = [part for part in parts if isinstance(part, Exception)]
  if errors or len(parts) == 1:
    return [*errors, *parts][0]
  return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
