# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Requests and answers of TensorFlow Serving's REST predict API.

    {"signature_name": "predict_features",                     optional
     "instances": [{"rgb": [[…], …], "num_frames": 2}, …]}     row form, or
    {"inputs": {"rgb": [[[…], …], …], "num_frames": [2, …]}}   column form

are answered by `{"predictions": […]}` and `{"outputs": …}`. A signature with one input
takes its value without the name; one output is given without its name. Arrays and bytes:
`json_arrays.py`.

Reference: tensorflow/serving, `g3doc/api_rest.md` and `util/json_tensor.cc`. There, too,
row form wants at least one instance: an empty batch is sent in column form.
"""

import dataclasses
import http
import json

from yt8m.export.serving import json_arrays
from yt8m.export.serving.json_arrays import short

DEFAULT_SIGNATURE = "serving_default"
_ROWS, _COLUMNS = "instances", "inputs"


class RestError(Exception):
  """What a client is told in place of an answer.

  Args:
    status: of HTTP.
    text: becomes `{"error": text}`.
  """

  def __init__(self, status, text):
    super().__init__(text)
    self.status = http.HTTPStatus(status)


@dataclasses.dataclass(frozen=True)
class PredictRequest:
  """What a client asks a signature.

  Attributes:
    signature: its name.
    inputs: `{name: array}`, of the dtypes and shapes of the signature.
    in_rows: whether it came, and is to be answered, in row form.
  """
  signature: str
  inputs: dict
  in_rows: bool


def parse_predict(body, signatures):
  """Reads the body of a request.

  Args:
    body: bytes.
    signatures: `{signature: {input: tf.TensorSpec}}`.

  Returns:
    A `PredictRequest`.

  Raises:
    RestError: 400; the text names the instance and the input that is to blame.
  """
  try:
    content = json.loads(body)
  except (ValueError, RecursionError) as error:
    raise RestError(400, f"JSON Parse error: {error}") from error
  if not isinstance(content, dict):
    raise RestError(400, f"The request must be a JSON object, is {short(content)}.")

  signature = content.get("signature_name") or DEFAULT_SIGNATURE
  if not isinstance(signature, str):
    raise RestError(400, f"'signature_name' must be a string, is {short(signature)}.")
  if signature not in signatures:
    raise RestError(400, f'Serving signature name: "{short(signature)}" not found in '
                    f"signature def. Valid: {', '.join(signatures)}.")
  forms = [form for form in (_ROWS, _COLUMNS) if form in content]
  if len(forms) != 1:
    raise RestError(400, "The request must have one of the keys 'instances' and "
                    f"'inputs', has {' and '.join(forms) or 'neither'}.")

  specs = signatures[signature]
  read = _read_rows if forms == [_ROWS] else _read_columns
  inputs = read(content[forms[0]], specs)
  _check_batch(inputs, specs)
  return PredictRequest(signature, inputs, forms == [_ROWS])


def _read_rows(instances, specs):
  if not isinstance(instances, list) or not instances:
    raise RestError(400, "'instances' must be a list of at least one instance. (An empty "
                    "batch is sent as 'inputs'.)")
  if len(specs) == 1 and not any(map(_is_object, instances)):
    columns = {next(iter(specs)): instances}
  else:
    for row, instance in enumerate(instances):
      _check_names(f"instances[{row}]", instance, specs)
    columns = {name: [instance[name] for instance in instances] for name in specs}
  arrays = {}
  for name, values in columns.items():
    try:
      arrays[name] = json_arrays.to_array(values, specs[name])
    except ValueError as error:
      _blame_row(name, values, specs[name])
      raise RestError(400, f"instances: {name!r} {error} (What does not differ from row "
                      "to row is sent as 'inputs'.)") from error
  return arrays


def _blame_row(name, values, spec):
  """Raises an error about the first row that is to blame, if one is."""
  row_spec = type(spec)(spec.shape[1:], spec.dtype)
  shapes = []
  for row, value in enumerate(values):
    where = f"instances[{row}][{name!r}]"
    try:
      shapes.append(json_arrays.to_array(value, row_spec).shape)
    except ValueError as error:
      raise RestError(400, f"{where} {error}") from error
    if shapes[-1] != shapes[0]:
      raise RestError(400, f"{where} has the shape {shapes[-1]}, but that of "
                      f"instances[0] is {shapes[0]}: all must be equal. Pad them, or "
                      "send them in requests of their own.")


def _read_columns(inputs, specs):
  if len(specs) == 1 and not _is_object(inputs):
    inputs = {next(iter(specs)): inputs}
  _check_names("inputs", inputs, specs)
  arrays = {}
  for name, spec in specs.items():
    try:
      arrays[name] = json_arrays.to_array(inputs[name], spec)
    except ValueError as error:
      raise RestError(400, f"inputs[{name!r}] {error}") from error
  return arrays


def _is_object(value):
  return isinstance(value, dict) and not json_arrays.is_b64(value)


def _check_names(where, value, specs):
  if not isinstance(value, dict) or value.keys() != specs.keys():
    has = f"the keys {sorted(value)}" if isinstance(value, dict) else value
    raise RestError(400, f"{where} must be an object with the keys {sorted(specs)}, has "
                    f"{short(has)}.")


def _check_batch(inputs, specs):
  rows = {name: len(inputs[name]) for name, spec in specs.items() if is_batched(spec)}
  if len(set(rows.values())) > 1:
    raise RestError(400, "The inputs differ in their number of rows: "
                    f"{', '.join(f'{name} {n}' for name, n in rows.items())}.")


def is_batched(spec):
  """Whether a tensor has one row for every video of a batch, of any size."""
  return bool(spec.shape.rank) and spec.shape[0] is None


def format_answer(outputs, in_rows):
  """Writes what a signature answered.

  Args:
    outputs: `{name: array}`.
    in_rows: whether in row form.

  Returns:
    JSON, bytes.

  Raises:
    RestError: 400; the outputs differ in their first axis, so that there are no rows.
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


def _named(outputs):
  """JSON of several outputs with their names, of one without."""
  texts = {name: json_arrays.to_json(x, as_bytes=name.endswith("_bytes"))
           for name, x in outputs.items()}
  if len(texts) == 1:
    return next(iter(texts.values()))
  named = (f"{json.dumps(name)}: {text}" for name, text in texts.items())
  return f"{{{', '.join(named)}}}"


def format_error(text):
  """The body of an answer that is none."""
  return json.dumps({"error": text}).encode()
