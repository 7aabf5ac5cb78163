# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Health and metadata of the Open Inference Protocol."""

import json

import pytest

import yt8m
from tests.helpers import descriptors
from tests.helpers import serving
from yt8m.export.serving import model_versions
from yt8m.export.serving import open_inference
from yt8m.export.serving import rest_api


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
  folder = tmp_path_factory.mktemp("model")
  serving.save("aggregation-mean", folder / "3")
  return model_versions.Versions(str(folder))


def ask(path, versions):
  return json.loads(open_inference.answer(path, "m", versions))


def test_a_loaded_model_is_ready(versions):
  assert ask("/v2", versions) == {
      "name": "yt8m", "version": yt8m.__version__, "extensions": []}
  assert ask("/v2/health/live", versions) == {"live": True}
  assert ask("/v2/health/ready", versions) == {"ready": True}
  for path in ("/v2/models/m/ready", "/v2/models/m/versions/3/ready"):
    assert ask(path, versions) == {"name": "m", "ready": True}


@pytest.mark.parametrize("path", ["/v2/models/m", "/v2/models/m/versions/3"])
def test_metadata_are_those_of_the_default_signature(versions, path):
  answer = ask(path, versions)
  outputs = {x["name"]: (x["datatype"], x["shape"]) for x in answer.pop("outputs")}
  assert answer == {
      "name": "m", "versions": ["3"], "platform": "tensorflow_savedmodel",
      "inputs": [{"name": "example_bytes", "datatype": "BYTES", "shape": [-1]}]}
  assert outputs == {"video_id": ("BYTES", [-1, 1]),
                     "class_indexes": ("INT32", [-1, 1, serving.TOP_K]),
                     "predictions": ("FP32", [-1, 1, serving.TOP_K])}


def test_metadata_of_a_model_without_the_default_signature(versions, monkeypatch):
  version = versions.get()
  monkeypatch.setattr(version, "signatures", {
      name: specs for name, specs in version.signatures.items()
      if name == "predict_features"})
  inputs = {x["name"]: x for x in ask("/v2/models/m", versions)["inputs"]}
  sizes = descriptors.batch("frame")["features"]
  assert set(inputs) == {*sizes, "num_frames"}
  assert inputs["rgb"]["datatype"] == "UINT8" and inputs["rgb"]["shape"][:2] == [-1, -1]


@pytest.mark.parametrize("path", [
    "/v2/health/ready", "/v2/models/m", "/v2/models/m/ready", "/v2/models/m/versions/4",
    "/v2/models/m/versions/4/ready"])
def test_without_a_loaded_model_nothing_but_the_server_is_ready(tmp_path, path):
  (tmp_path / "4").mkdir()
  (tmp_path / "4" / "saved_model.pb").write_bytes(b"damaged")
  versions = model_versions.Versions(str(tmp_path))
  assert ask("/v2/health/live", versions) == {"live": True}
  with pytest.raises(rest_api.RestError, match="(No version|Version 4) of m is") as error:
    open_inference.answer(path, "m", versions)
  assert error.value.status == 503


@pytest.mark.parametrize("path, text", [
    ("/v2/models/x", "Model x is not served; m is"),
    ("/v2/models/x/ready", "Model x is not served; m is"),
    ("/v2/models/m/versions/9", "Model m has no version 9")])
def test_what_is_unknown_is_not_found(versions, path, text):
  with pytest.raises(rest_api.RestError, match=text) as error:
    open_inference.answer(path, "m", versions)
  assert error.value.status == 404


def test_other_paths_are_left_to_others(versions):
  for path in ("/v2/", "/v2/models", "/v2/models/m/config", "/v1/models/m", "/V2"):
    assert open_inference.answer(path, "m", versions) is None
