# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Media files that clients post, if `yt8m-serve --media` allows it.

    POST /v1/models/<name>[/versions/<n>]:media    body: the bytes of a media file
    {"predictions": [{"class": 3, "name": "cat", "score": 0.93}, …]}    best first

A file is decoded in a process of its own, with limits of time and memory, one after the
other in each replica. As in training, what is after the last frame that the model reads
is not decoded.
"""

import json
import tempfile
import threading

import numpy as np

from yt8m.artifacts import saved_model
from yt8m.core import feature_spec
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.serving import model_versions
from yt8m.export.serving import request_queue
from yt8m.export.serving import rest_api
from yt8m.extracting import decoder
from yt8m.extracting import model_features

_MOST_WAITING = 16
_MOST_EXTRACTORS = 4
_TOP_K = 20


class MediaFiles:
  """Turns media files into requests to a model, and its scores into answers.

  Args:
    timeout_s: Seconds that decoding a file may take.
    memory_bytes: Bytes of address space that decoding a file may need.
    weights_dir: Path of the directory with files of weights of the extractor.
  """

  def __init__(self, timeout_s: float, memory_bytes: int, weights_dir: str = ""):
    self._decoder = decoder.Decoder(timeout_s, memory_bytes)
    self._weights_dir = weights_dir
    self._features: dict[tuple[feature_spec.FeatureSpec, int],
                         model_features.ModelFeatures] = {}
    self._lock, self._waiting = threading.Lock(), 0

  def request(self, body: bytes, version: model_versions.Version
              ) -> rest_api.PredictRequest:
    """Returns the request to `predict_features` for the bytes of a media file.

    Raises:
      OverloadedError: Too many files wait.
      RestError: 400 if the file gives no features, 501 if the model takes none.
    """
    if self._waiting >= _MOST_WAITING:
      raise request_queue.OverloadedError
    self._waiting += 1
    try:
      with self._lock, tempfile.NamedTemporaryFile(prefix="yt8m-media-") as file:
        file.write(body)
        file.flush()
        reader = self._reader(version)
        try:
          found = reader.extract(self._decoder.decode(reader.request(file.name)))
        except decoder.DecodingFailed as error:
          raise rest_api.RestError(400, f"The media file gives no features: {error}."
                                   ) from error
    finally:
      self._waiting -= 1
    inputs = {name: values[np.newaxis] for name, values in found.items()}
    length = len(next(iter(found.values())))
    return rest_api.PredictRequest(
        saved_model.PREDICT_FEATURES,
        {**inputs, "num_frames": np.array([length], np.int32)}, in_rows=True)

  def _reader(self, version: model_versions.Version) -> model_features.ModelFeatures:
    """Returns what turns files into the features of a version."""
    contract = version.contract
    if contract is None or contract.spec.level == feature_spec.VIDEO:
      raise rest_api.RestError(501, "This model does not read frames of yt8m-extract, so "
                               "it takes no media files.")
    key = contract.spec, contract.max_frames
    if key not in self._features:
      if len(self._features) == _MOST_EXTRACTORS:  # those of versions that are gone
        self._features.clear()
      try:
        self._features[key] = model_features.ModelFeatures(
            contract.spec, contract.max_frames, weights_dir=self._weights_dir)
      except (ValueError, OSError) as error:
        raise rest_api.RestError(501, str(error)) from error
    return self._features[key]

  def close(self) -> None:
    """Ends the process that decodes."""
    self._decoder.stop()


def answer(outputs: rest_api.Arrays, names: Vocabulary | None) -> bytes:
  """Returns the best classes as JSON.

  Args:
    outputs: Outputs of `predict_features` for one video.
    names: Names of the classes, if there are any.
  """
  [scores] = outputs["predictions"]
  names = names or Vocabulary.of({}, len(scores))
  best = np.argsort(-scores, kind="stable")[:_TOP_K]
  return json.dumps({"predictions": [
      {"class": int(index), "name": names.names[index],
       "score": float(str(scores[index]))} for index in best]}).encode()
