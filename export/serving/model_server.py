# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The routes of TensorFlow Serving's REST API, independent of any HTTP server.

    POST /v1/models/<name>[/versions/<n>]:predict     predictions, see rest_api.py
    POST /v1/models/<name>[/versions/<n>]:media       of a media file, see media.py
    GET  /v1/models/<name>[/versions/<n>]             status of the versions
    GET  /v1/models/<name>[/versions/<n>]/metadata    signatures
    GET  /v2…                                         see open_inference.py

Every other request is answered by an error, `{"error": …}`, with the status of TensorFlow
Serving. No part of a request is used as a file name.

Reference: tensorflow/serving, `model_servers/http_rest_api_handler.cc`.
"""

import asyncio
import json
import re

import tensorflow as tf
from absl import logging

from yt8m.export.serving import media
from yt8m.export.serving import model_versions
from yt8m.export.serving import open_inference
from yt8m.export.serving import request_body
from yt8m.export.serving import request_queue
from yt8m.export.serving import rest_api
from yt8m.export.serving import routes
from yt8m.export.serving.rest_api import RestError

# HTTP status of each error of TensorFlow, as in TensorFlow Serving; others are 500.
_STATUS_OF_ERROR = {
    tf.errors.InvalidArgumentError: 400, tf.errors.FailedPreconditionError: 400,
    tf.errors.OutOfRangeError: 400, tf.errors.UnimplementedError: 501,
    tf.errors.ResourceExhaustedError: 503, tf.errors.UnavailableError: 503}


class ModelServer:
  """Answers requests to one model.

  Args:
    name: Name of the model in the routes.
    versions: Versions of the model.
    queue: Queue that runs the requests.
    timeout_s: Seconds after which a request fails.
    files: What reads media files; None if they are not served.
  """

  def __init__(self, name: str, versions: model_versions.Versions,
               queue: request_queue.RequestQueue, timeout_s: float,
               files: media.MediaFiles | None = None):
    self._name, self._versions, self._queue = name, versions, queue
    self._timeout_s, self._files = timeout_s, files

  async def answer(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """Returns HTTP status and JSON body of the answer; never raises an error."""
    try:
      return 200, await asyncio.wait_for(
          self._answer(method, path, body), self._timeout_s)
    except RestError as error:
      status, text = error.status, str(error)
    except (TimeoutError, asyncio.TimeoutError):
      status, text = 504, f"No answer within {self._timeout_s:g} s."
    except request_queue.OverloadedError:
      status, text = 503, "The server is overloaded. Try again later."
    except tf.errors.OpError as error:
      status, text = _STATUS_OF_ERROR.get(type(error), 500), _reason(error)
    except Exception:
      logging.exception("%s %s", method, path)
      status, text = 500, "Internal error; see the log of the server."
    return int(status), rest_api.format_error(text)

  async def _answer(self, method: str, path: str, body: bytes) -> bytes:
    if method == "POST" and (match := routes.PREDICT.fullmatch(path)):
      if match["verb"] == "media":
        return await self._predict_media(self._version(match), body)
      if match["verb"] != "predict":
        raise RestError(501, f"{match['verb']} is not served; predict is.")
      return await self._predict(self._version(match), body)
    if method == "GET" and (match := routes.STATUS.fullmatch(path)):
      if not match["metadata"]:
        return self._status(match)
      return self._metadata(self._version(match))
    if method == "GET" and (
        content := open_inference.answer(path, self._name, self._versions)):
      return content
    if routes.INFER.fullmatch(path):
      raise RestError(501, "infer is not served; predictions are at "
                      f"/v1/models/{self._name}:predict.")
    if path.lower().startswith("/v1/"):
      raise RestError(400, f"Malformed request: {method} {path}")
    raise RestError(404, f"Not found: {path}. The model is at "
                    f"/v1/models/{self._name}.")

  def _version(self, match: re.Match[str]) -> model_versions.Version:
    number = int(match["version"]) if match["version"] else None
    if match["name"] == self._name:
      try:
        return self._versions.get(number)
      except KeyError:
        pass
    servable = (f"Latest({match['name']})" if number is None
                else f"Specific({match['name']}, {number})")
    raise RestError(404, f"Servable not found for request: {servable}")

  async def _predict(self, version: model_versions.Version, body: bytes) -> bytes:
    # In threads: parsing megabytes of JSON would block all other requests.
    request = await asyncio.to_thread(_parse, body, version)
    try:
      outputs = await self._queue.predict(version, request)
    except tf.errors.InvalidArgumentError as error:
      fault = await asyncio.to_thread(version.fault, request.inputs)
      if not fault:
        raise
      raise RestError(400, fault) from error
    return await asyncio.to_thread(rest_api.format_answer, outputs, request.in_rows)

  async def _predict_media(self, version: model_versions.Version, body: bytes) -> bytes:
    if self._files is None:
      raise RestError(501, "media files are not served: start yt8m-serve with --media.")
    request = await asyncio.to_thread(self._files.request, body, version)
    outputs = await self._queue.predict(version, request)
    return media.answer(outputs, version.names)

  def _status(self, match: re.Match[str]) -> bytes:
    status = self._versions.status()
    if match["name"] != self._name:
      raise RestError(404, f"Could not find any versions of model {match['name']}")
    if match["version"]:
      number = int(match["version"])
      if number not in status:
        raise RestError(404, f"Could not find version {number} of model {self._name}")
      status = {number: status[number]}
    return json.dumps({"model_version_status": [
        {"version": str(number), "state": "END" if error else "AVAILABLE",
         "status": {"error_code": "UNKNOWN" if error else "OK",
                    "error_message": self._without_paths(error) if error else ""}}
        for number, error in status.items()]}, indent=1).encode()

  def _without_paths(self, error: Exception) -> str:
    """Returns the message of an error for clients, who need not know the directory."""
    model_dir = self._versions.model_dir.rstrip("/")
    return str(error).replace(f"{model_dir}/", "").replace(model_dir, "the model")

  def _metadata(self, version: model_versions.Version) -> bytes:
    return json.dumps({
        "model_spec": {"name": self._name, "signature_name": "",
                       "version": str(version.number)},
        "metadata": {"signature_def": {
            "signature_def": version.signature_defs}}}, indent=1).encode()


def _parse(body: bytes, version: model_versions.Version) -> rest_api.PredictRequest:
  request_body.check(body)
  return rest_api.parse_predict(body, version.signatures)


def _reason(error: tf.errors.OpError) -> str:
  """Returns the message of an error of TensorFlow, without locations in the graph."""
  text = re.sub(r"Graph execution error:\s*|Detected at node .*\n|<stack traces .*\n", "",
                error.message)
  text = re.split(r"\s*\[\[\{\{node|\s*\[Op:", text)[0].strip()
  first = getattr(error, "first_row", 0)
  return f"In the rows from {first} on: {text}" if first else text
