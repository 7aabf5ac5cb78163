# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Health and metadata as in the Open Inference Protocol (KServe's version 2).

    GET  /v2                                        name and version of the server
    GET  /v2/health/live, /v2/health/ready          for the probes of an orchestrator
    GET  /v2/models/<name>[/versions/<n>]           inputs and outputs of the model
    GET  /v2/models/<name>[/versions/<n>]/ready     whether it is loaded

Predictions have one form only, that of `rest_api.py`. The protocol has no signatures: the
metadata are those of `serving_default`, or of the first one if there is none.

Reference: kserve/open-inference-protocol, `specification/protocol/inference_rest.md`.
"""

import json
import re
from typing import Any

import tensorflow as tf

import yt8m
from yt8m.export.serving import model_versions
from yt8m.export.serving import rest_api
from yt8m.export.serving import routes
from yt8m.export.serving.rest_api import RestError

LIVE_ANSWER = b'{"live": true}'
_PLATFORM = "tensorflow_savedmodel"
# Names of the other data types are those of TensorFlow in capital letters.
_DATATYPES = {tf.string: "BYTES", tf.float16: "FP16", tf.float32: "FP32",
              tf.float64: "FP64", tf.bfloat16: "BF16"}


def answer(path: str, model_name: str, versions: model_versions.Versions
           ) -> bytes | None:
  """Returns the body of the answer to a GET request, or None if the path is another one.

  Args:
    path: Path of the request.
    model_name: Name of the model in the routes.
    versions: Versions of the model.

  Raises:
    RestError: 404, the model or the version is unknown; 503, it is not loaded.
  """
  if path == routes.SERVER:
    return _json(name="yt8m", version=yt8m.__version__, extensions=[])
  if path == routes.LIVE:
    return LIVE_ANSWER
  if path == routes.READY:
    _loaded(model_name, None, versions)
    return _json(ready=True)
  if match := routes.MODEL.fullmatch(path):
    version = _loaded(model_name, _number(match, model_name, versions), versions)
    if match["ready"]:
      return _json(name=model_name, ready=True)
    return _json(**_metadata(model_name, versions, version))
  return None


def _number(match: re.Match[str], model_name: str, versions: model_versions.Versions
            ) -> int | None:
  """Returns the version that a path names, if any."""
  number = int(match["version"]) if match["version"] else None
  if match["name"] != model_name:
    raise RestError(404, f"Model {match['name']} is not served; {model_name} is.")
  if number is not None and number not in versions.status():
    raise RestError(404, f"Model {model_name} has no version {number}.")
  return number


def _loaded(model_name: str, number: int | None, versions: model_versions.Versions
            ) -> model_versions.Version:
  try:
    return versions.get(number)
  except KeyError as error:
    raise RestError(503, f"No version of {model_name} is loaded." if number is None else
                    f"Version {number} of {model_name} is not loaded.") from error


def _metadata(model_name: str, versions: model_versions.Versions,
              version: model_versions.Version) -> dict[str, Any]:
  signature = (rest_api.DEFAULT_SIGNATURE
               if rest_api.DEFAULT_SIGNATURE in version.signatures
               else min(version.signatures, default=None))
  inputs, outputs = ({}, {}) if signature is None else (
      version.signatures[signature], version.outputs(signature))
  served = sorted(number for number, error in versions.status().items() if not error)
  return {"name": model_name, "versions": list(map(str, served)), "platform": _PLATFORM,
          "inputs": _tensors(inputs), "outputs": _tensors(outputs)}


def _tensors(specs: rest_api.Specs) -> list[dict[str, Any]]:
  return [{"name": name, "datatype": _DATATYPES.get(spec.dtype, spec.dtype.name.upper()),
           "shape": [-1 if size is None else size for size in
                     (spec.shape if spec.shape.rank is not None else [None])]}
          for name, spec in specs.items()]


def _json(**content: Any) -> bytes:
  return json.dumps(content).encode()
