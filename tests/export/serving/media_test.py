# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Media files that are posted to the server."""

import asyncio
import dataclasses
import json
import types

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers import descriptors
from tests.helpers import mean_extractor
from tests.helpers import serving
from yt8m.core import registry
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.serving import media
from yt8m.export.serving import model_server
from yt8m.export.serving import model_versions
from yt8m.export.serving import request_queue
from yt8m.extracting import decoder
from yt8m.extracting import model_features

EXTRACTOR = mean_extractor.MeanExtractor()


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
  """A model that was trained on features of `EXTRACTOR`, by its contract."""
  folder = tmp_path_factory.mktemp("model")
  serving.save("aggregation-mean", folder / "1")
  found = model_versions.Versions(str(folder))
  version = found.get()
  version.contract = dataclasses.replace(version.contract, spec=dataclasses.replace(
      version.contract.spec, extractor=EXTRACTOR.identity()))
  version.names = Vocabulary.of({0: "zero"}, descriptors.NUM_CLASSES)
  return found


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
  path = tmp_path_factory.mktemp("clip") / "clip.mp4"
  clips.write(path, [clips.solid(clips.GREEN)] * 15, fps=5, sound=clips.tone(3))
  return path


@pytest.fixture
def files():
  found = media.MediaFiles(60.0, 2**33)
  with registry.allow_code([EXTRACTOR.name]):
    yield found
  found.close()


def post(versions, body, files):
  """Returns status and answer of a POST of a media file."""
  async def scenario():
    server = model_server.ModelServer(
        "m", versions, request_queue.RequestQueue(100), 60, files)
    return await server.answer("POST", "/v1/models/m:media", body)

  status, answer = asyncio.run(scenario())
  return status, json.loads(answer)


def test_a_media_file_has_the_scores_of_its_features(versions, clip, files):
  status, answer = post(versions, clip.read_bytes(), files)
  assert status == 200, answer
  contract = versions.get().contract
  reader = model_features.ModelFeatures(contract.spec, contract.max_frames)
  one = decoder.Decoder(60.0, 2**33)
  found = reader.extract(one.decode(reader.request(str(clip))))
  one.stop()
  outputs = versions.get().call("predict_features", {
      **{name: x[np.newaxis] for name, x in found.items()},
      "num_frames": np.array([3], np.int32)})
  scores = outputs["predictions"][0]
  assert [one["class"] for one in answer["predictions"]] == np.argsort(-scores).tolist()
  np.testing.assert_allclose(
      [one["score"] for one in answer["predictions"]], -np.sort(-scores), atol=1e-6)
  names = {one["class"]: one["name"] for one in answer["predictions"]}
  assert names[0] == "zero" and names[1] == "class 1"


def test_versions_with_other_ranges_have_other_bytes(versions, clip, files):
  version = versions.get()
  inputs = []
  for ranges in ({}, {"rgb": (0.0, 300.0)}, {"rgb": (-9.0, 9.0)}, {}):
    spec = dataclasses.replace(version.contract.spec, ranges=ranges)
    other = types.SimpleNamespace(contract=dataclasses.replace(
        version.contract, spec=spec))
    inputs.append(files.request(clip.read_bytes(), other).inputs["rgb"])
  first, second, third, last = inputs
  assert (first != second).any() and (second != third).any()
  np.testing.assert_array_equal(first, last)


@pytest.mark.parametrize("body", [b"", b"no film" * 99])
def test_what_is_no_media_file_is_a_bad_request(versions, files, body):
  status, answer = post(versions, body, files)
  assert status == 400
  assert answer["error"].startswith("The media file gives no features: it ")
  assert "/tmp" not in answer["error"]  # Clients need not know it.


def test_media_files_need_permission(versions, clip):
  status, answer = post(versions, clip.read_bytes(), None)
  assert status == 501 and "--media" in answer["error"]


def test_a_model_of_other_features_takes_no_media_files(tmp_path, clip, files):
  serving.save("aggregation-mean", tmp_path / "1")
  status, answer = post(model_versions.Versions(str(tmp_path)), clip.read_bytes(), files)
  assert status == 501 and "does not say which extractor" in answer["error"]


def test_files_that_wait_are_limited(versions, clip, files):
  files._waiting = media._MOST_WAITING
  status, answer = post(versions, clip.read_bytes(), files)
  assert status == 503 and "overloaded" in answer["error"]
