# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Requests and answers of TensorFlow Serving's REST predict API.

    {"signature_name": "predict_features",                     optional
     "instances": [{"rgb": [[…], …], "num_frames": 2}, …]}     row form, or
    {"inputs": {"rgb": [[[…], …], …], "num_frames": [2, …]}}   column form

The answers are `{"predictions": […]}` in row form and `{"outputs": …}` in column form.
The only input of a signature may be given without its name, and an only output is
returned without its name. Arrays and bytes: see `json_arrays.py`.

Reference: tensorflow/serving, `g3doc/api_rest.md` and `util/json_tensor.cc`. As there,
row form needs at least one instance: an empty batch is sent in column form.
"""

import dataclasses
import http
import json
from collections.abc import Mapping
from typing import Any
from typing import NoReturn

import numpy as np
import tensorflow as tf

from yt8m.export.serving import json_arrays
from yt8m.export.serving import record_bytes

DEFAULT_SIGNATURE = "serving_default"
_ROWS, _COLUMNS = "instances", "inputs"

Arrays = dict[str, np.ndarray]
Specs = Mapping[str, tf.TensorSpec]


class RestError(Exception):
  """An error that the client receives as an answer.

  Args:
    status: HTTP status.
    text: Message of the answer, `{"error": text}`.
  """

  def __init__(self, status: int, text: str):
    super().__init__(text)
    self.status = http.HTTPStatus(status)


@dataclasses.dataclass(frozen=True)
class PredictRequest:
  """A request to a signature.

  Attributes:
    signature: Name of the signature.
    inputs: Arrays by name, with the dtypes and shapes of the signature.
    in_rows: Whether request and answer are in row form.
  """
  signature: str
  inputs: Arrays
  in_rows: bool


def parse_predict(body: bytes, signatures: Mapping[str, Specs]) -> PredictRequest:
  """Parses the body of a predict request.

  Args:
    body: Body of the HTTP request.
    signatures: Inputs of each signature, by name.

  Raises:
    RestError: 400. The message names the instance and the input that are wrong.
  """
  try:
    return _parse(body, signatures)
  except RecursionError as error:
    raise RestError(400, "JSON Parse error: lists or objects are nested too deeply: at "
                    f"most {json_arrays.MAX_DEPTH} are accepted.") from error


def _parse(body: bytes, signatures: Mapping[str, Specs]) -> PredictRequest:
  try:
    content = json.loads(body)
  except ValueError as error:
    raise RestError(400, f"JSON Parse error: {error}") from error
  if not isinstance(content, dict):
    raise RestError(
        400, f"The request must be a JSON object, is {json_arrays.short(content)}.")

  signature = content.get("signature_name") or DEFAULT_SIGNATURE
  if not isinstance(signature, str):
    raise RestError(
        400, f"'signature_name' must be a string, is {json_arrays.short(signature)}.")
  if signature not in signatures:
    raise RestError(400, f"Serving signature name: {json_arrays.short(signature)} not "
                    f"found in signature def. Valid: {', '.join(signatures)}.")
  forms = [form for form in (_ROWS, _COLUMNS) if form in content]
  if len(forms) != 1:
    raise RestError(400, "The request must have one of the keys 'instances' and "
                    f"'inputs', has {' and '.join(forms) or 'neither'}.")

  specs = signatures[signature]
  read = _read_rows if forms == [_ROWS] else _read_columns
  bools = b"true" in body or b"false" in body
  inputs = read(content[forms[0]], specs, bools)
  _check_records(inputs, forms == [_ROWS])
  rows = {name: len(inputs[name]) for name, spec in specs.items() if is_batched(spec)}
  if len(set(rows.values())) > 1:
    raise RestError(400, "The inputs differ in their number of rows: "
                    f"{', '.join(f'{name} {n}' for name, n in rows.items())}.")
  return PredictRequest(signature, inputs, forms == [_ROWS])


def _read_rows(instances: Any, specs: Specs, bools: bool) -> Arrays:
  if not isinstance(instances, list) or not instances:
    raise RestError(400, "'instances' must be a list of at least one instance. (Send an "
                    "empty batch as 'inputs'.)")
  if len(specs) == 1 and not any(map(_is_object, instances)):
    columns = {next(iter(specs)): instances}
  else:
    for row, instance in enumerate(instances):
      _check_names(f"instances[{row}]", instance, specs)
    columns = {name: [instance[name] for instance in instances] for name in specs}
  arrays = {}
  for name, values in columns.items():
    try:
      arrays[name] = json_arrays.to_array(values, specs[name], bools)
    except ValueError as error:
      _raise_row_error(name, values, specs[name], error)
  return arrays


def _raise_row_error(name: str, values: list, spec: tf.TensorSpec,
                     error: ValueError) -> NoReturn:
  """Raises an error that names the first wrong row, if a single row is wrong."""
  row_spec = tf.TensorSpec(spec.shape[1:], spec.dtype)
  shapes = []
  for row, value in enumerate(values):
    where = f"instances[{row}][{name!r}]"
    shapes.append(_to_array(where, value, row_spec).shape)
    if shapes[-1] != shapes[0]:
      raise RestError(400, f"{where} has the shape {shapes[-1]}, but that of "
                      f"instances[0] is {shapes[0]}: all must be equal. Pad them, or "
                      "send them in separate requests.")
  raise RestError(400, f"instances: {name!r} {error} (Inputs that are the same for all "
                  "rows are sent as 'inputs'.)") from error


def _read_columns(inputs: Any, specs: Specs, bools: bool) -> Arrays:
  if len(specs) == 1 and not _is_object(inputs):
    inputs = {next(iter(specs)): inputs}
  _check_names("inputs", inputs, specs)
  return {name: _to_array(f"inputs[{name!r}]", inputs[name], spec, bools)
          for name, spec in specs.items()}


def _to_array(where: str, value: Any, spec: tf.TensorSpec, bools: bool = True
              ) -> np.ndarray:
  try:
    return json_arrays.to_array(value, spec, bools)
  except ValueError as error:
    raise RestError(400, f"{where} {error}") from error


def _check_records(inputs: Arrays, in_rows: bool) -> None:
  """Refuses what is certainly no record, before it fails the batch of other clients."""
  for row, record in enumerate(inputs.get(record_bytes.INPUT, np.empty(0)).flat):
    if fault := record_bytes.fault(record):
      where = f"instances[{row}]" if in_rows else f"inputs[{row}]"
      raise RestError(400, f"{where}: {record_bytes.INPUT} {fault}")


def _is_object(value: Any) -> bool:
  return isinstance(value, dict) and not json_arrays.is_b64(value)


def _check_names(where: str, value: Any, specs: Specs) -> None:
  if not isinstance(value, dict) or value.keys() != specs.keys():
    found = (f"has the keys {str(sorted(value))[:80]}" if isinstance(value, dict)
             else f"is {json_arrays.short(value)}")
    raise RestError(
        400, f"{where} must be an object with the keys {sorted(specs)}, {found}.")


def is_batched(spec: tf.TensorSpec) -> bool:
  """Whether a tensor has one row per video of a batch of any size."""
  return bool(spec.shape.rank) and spec.shape[0] is None


def format_answer(outputs: Arrays, in_rows: bool) -> bytes:
  """Writes the outputs of a signature as JSON.

  Args:
    outputs: Arrays by name.
    in_rows: Whether the answer is in row form.

  Raises:
    RestError: 400. The outputs have no rows, because they differ in their first axis.
  """
  if not in_rows:
    return f'{{"outputs": {_named(outputs)}}}'.encode()
  shapes = {name: x.shape for name, x in outputs.items()}
  rows = {shape[:1] for shape in shapes.values()}
  if () in rows or len(rows) > 1:
    raise RestError(400, "The outputs have no row for every instance: "
                    f"{shapes}. Send the request in column form, as 'inputs'.")
  [(num_rows,)] = rows
  texts = (_named({name: x[row, ...] for name, x in outputs.items()})
           for row in range(num_rows))
  return f'{{"predictions": [{", ".join(texts)}]}}'.encode()


def _named(outputs: Arrays) -> str:
  """Returns JSON of several outputs with their names, or of one without its name."""
  texts = {name: json_arrays.to_json(x, as_bytes=name.endswith("_bytes"))
           for name, x in outputs.items()}
  if len(texts) == 1:
    return next(iter(texts.values()))
  named = (f"{json.dumps(name)}: {text}" for name, text in texts.items())
  return f"{{{', '.join(named)}}}"


def format_error(text: str) -> bytes:
  """Returns the body of an error answer."""
  return json.dumps({"error": text}).encode()
