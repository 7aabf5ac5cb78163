# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Routes, answers and errors, without a running server."""

import asyncio
import base64
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import serving
from yt8m.artifacts.thresholds import Thresholds
from yt8m.data import tfrecords
from yt8m.export.serving import model_server
from yt8m.export.serving import model_versions
from yt8m.export.serving import request_queue

BATCH = descriptors.batch("frame")


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
  folder = tmp_path_factory.mktemp("model")
  serving.save("aggregation-mean", folder / "3")
  return model_versions.Versions(str(folder))


def ask(versions, method, path, body=b"", timeout_s=60, queue=None, **content):
  """Returns `(status, content of the answer)`."""
  async def scenario():
    server = model_server.ModelServer(
        "m", versions, queue or request_queue.RequestQueue(100), timeout_s)
    return await server.answer(
        method, path, body or json.dumps(content).encode())

  status, answer = asyncio.run(scenario())
  return status, json.loads(answer)


@pytest.mark.parametrize("path", [
    "/v1/models/m:predict", "/v1/models/m/versions/3:predict",
    "/V1/Models/m/Versions/3:predict"])
def test_predict(versions, path):
  status, answer = ask(versions, "POST", path, inputs=[])
  assert status == 200 and answer["outputs"]["video_id"] == []


def test_a_model_with_thresholds_decides(versions, tmp_path):
  values = np.linspace(0.3, 0.6, descriptors.NUM_CLASSES).astype(np.float32)
  serving.save("aggregation-mean", tmp_path / "3",
               limits=Thresholds(values, serving.TOP_K, "f1"))
  deciding = model_versions.Versions(str(tmp_path))
  records = [{"b64": base64.b64encode(x).decode()}
             for x in serving.records(BATCH, "frame").numpy()]
  path, answers = "/v1/models/m:predict", []
  for served in (versions, deciding):
    status, answer = ask(served, "POST", path, instances=records)
    assert status == 200
    answers.append(answer["predictions"])
  for row in answers[1]:
    [scores], [classes], [decided] = (
        row["predictions"], row["class_indexes"], row["decisions"])
    assert decided == [score >= values[c]
                       for score, c in zip(scores, classes, strict=True)]
    del row["decisions"]
  assert answers[1] == answers[0]
  _, metadata = ask(deciding, "GET", "/v1/models/m/metadata")
  [signature] = (metadata["metadata"]["signature_def"]["signature_def"][name]
                 for name in ["serving_default"])
  assert signature["outputs"]["decisions"]["dtype"] == "DT_BOOL"


def test_status(versions):
  expected = {"model_version_status": [
      {"version": "3", "state": "AVAILABLE",
       "status": {"error_code": "OK", "error_message": ""}}]}
  for path in ("/v1/models/m", "/v1/models/m/versions/3"):
    assert ask(versions, "GET", path) == (200, expected)


def test_the_open_inference_protocol(versions):
  assert ask(versions, "GET", "/v2/health/ready") == (200, {"ready": True})
  assert ask(versions, "GET", "/v2/models/m")[1]["versions"] == ["3"]


def test_status_of_a_version_that_failed(versions, monkeypatch):
  monkeypatch.setattr(versions, "_errors", {4: ValueError("damaged")})
  status, answer = ask(versions, "GET", "/v1/models/m")
  assert [x["state"] for x in answer["model_version_status"]] == ["END", "AVAILABLE"]
  assert answer["model_version_status"][0]["status"] == {
      "error_code": "UNKNOWN", "error_message": "damaged"}


def test_clients_do_not_learn_where_the_model_is(versions, monkeypatch):
  directory = versions.model_dir
  monkeypatch.setattr(versions, "_errors", {
      4: ValueError(f"{directory}/4/saved_model.pb is refused, {directory} too")})
  _, answer = ask(versions, "GET", "/v1/models/m/versions/4")
  assert answer["model_version_status"][0]["status"]["error_message"] == (
      "4/saved_model.pb is refused, the model too")


def test_metadata(versions):
  for path in ("/v1/models/m/metadata", "/v1/models/m/versions/3/metadata"):
    status, answer = ask(versions, "GET", path)
    assert status == 200
    assert answer["model_spec"] == {"name": "m", "signature_name": "", "version": "3"}
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    assert list(signatures) == ["predict_features", "predict_full", "serving_default"]
    default = signatures["serving_default"]
    assert default["method_name"] == "tensorflow/serving/predict"
    assert default["inputs"] == {"example_bytes": {
        "dtype": "DT_STRING", "name": "serving_default_example_bytes:0",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}}}
    assert [x["size"] for x in signatures["predict_features"]["inputs"]["rgb"][
        "tensor_shape"]["dim"]] == ["-1", "-1", "8"]


def test_metadata_outlives_the_files(tmp_path):
  serving.save("aggregation-mean", tmp_path / "3")
  versions = model_versions.Versions(str(tmp_path))
  expected = ask(versions, "GET", "/v1/models/m/metadata")
  shutil.rmtree(tmp_path / "3")
  assert ask(versions, "GET", "/v1/models/m/metadata") == expected
  assert expected[0] == 200


def test_a_body_of_too_many_lists_is_not_parsed(versions):
  status, answer = ask(versions, "POST", "/v1/models/m:predict",
                       b'{"inputs": [%s[]]}' % (b"[]," * 2**20))
  assert status == 413 and "lists, objects and texts" in answer["error"]


@pytest.mark.parametrize("method, path, status, text", [
    ("POST", "/v1/models/no:predict", 404, "Servable not found for request: Latest(no)"),
    ("POST", "/v1/models/m/versions/7:predict", 404,
     "Servable not found for request: Specific(m, 7)"),
    ("GET", "/v1/models/no", 404, "Could not find any versions of model no"),
    ("GET", "/v1/models/m/versions/7", 404, "Could not find version 7 of model m"),
    ("GET", "/v1/models/m/versions/7/metadata", 404,
     "Servable not found for request: Specific(m, 7)"),
    ("GET", "/v1/models/m:predict", 400, "Malformed request: GET /v1/models/m:predict"),
    ("POST", "/v1/models/m", 400, "Malformed request: POST /v1/models/m"),
    ("DELETE", "/v1/models/m", 400, "Malformed request: DELETE /v1/models/m"),
    ("GET", "/v1/models/m/versions/x", 400, "Malformed request"),
    ("GET", "/v1/models/m/versions/" + 5000 * "9", 400, "Malformed request"),
    ("GET", "/v1/models/../../etc/passwd", 400, "Malformed request"),
    ("GET", "/v2/models/m/versions/7", 404, "Model m has no version 7."),
    ("POST", "/v2/models/m/infer", 501, "predictions are at /v1/models/m:predict"),
    ("GET", "/v2/models", 404, "Not found: /v2/models."),
    ("POST", "/v2/models/m", 404, "Not found: /v2/models/m."),
    ("POST", "/v1/models/m:classify", 501, "classify is not served; predict is."),
    ("GET", "/", 404, "Not found: /. The model is at /v1/models/m."),
    ("POST", "/v1/models/m:predict", 400, "one of the keys")])
def test_errors(versions, method, path, status, text):
  found, answer = ask(versions, method, path)
  assert found == status and text in answer["error"]


def test_what_is_no_json_is_refused(versions):
  status, answer = ask(versions, "POST", "/v1/models/m:predict", b"{")
  assert status == 400 and answer["error"].startswith("JSON Parse error: ")


def test_a_bad_record_is_explained(versions):
  good = serving.records(BATCH, "frame").numpy()[0].decode("latin-1")
  status, answer = ask(versions, "POST", "/v1/models/m:predict",
                       instances=["no record", good])
  assert status == 400
  assert answer["error"].startswith(
      "Record 0 of the request is no tf.train.Example or SequenceExample")
  status, answer = ask(
      versions, "POST", "/v1/models/m:predict", signature_name="predict_features",
      inputs={**{name: x.numpy().tolist() for name, x in BATCH["features"].items()},
              "num_frames": [99] * 5})
  assert status == 400
  assert answer["error"].startswith("assertion failed: [num_frames must be between 1")


@pytest.mark.parametrize("record, message", [
    (tfrecords.video_example("v", [], {"rgb": 8 * [1.0], "audio": 4 * [1.0]}),
     "Record 1 of the request has no frames of feature rgb, only audio, id, labels, rgb. "
     "These are video-level records, and the model reads frame-level ones"),
    (tfrecords.frame_example("v", [9], {"rgb": np.zeros((2, 8), np.uint8)}),
     "Record 1 of the request has label 9, outside the 6 classes"),
    (tf.train.SequenceExample(
        context={"feature": {"id": {"int64_list": {"value": [1]}}}}),
     "Record 1 of the request has integers in id, expected byte strings. Write"),
    (tfrecords.video_example("v", [], {}),
     "record 1 of the batch is bad. Expected: an id, labels below 6, and frames with at "
     "least one of these features")])
def test_a_record_that_the_model_cannot_read_is_explained(versions, record, message):
  records = [serving.records(BATCH, "frame").numpy()[0], record.SerializeToString()]
  status, answer = ask(
      versions, "POST", "/v1/models/m:predict",
      instances=[{"b64": base64.b64encode(r).decode()} for r in records])
  assert status == 400 and message in answer["error"]


@pytest.mark.parametrize("error, status", [
    (tf.errors.ResourceExhaustedError(None, None, "out of memory"), 503),
    (tf.errors.InternalError(None, None, "kernel"), 500),
    (ZeroDivisionError("secret"), 500),
    (request_queue.OverloadedError(), 503)])
def test_failures_have_their_status(versions, error, status):
  class Failing:
    async def predict(self, version, request):
      raise error

  found, answer = ask(versions, "POST", "/v1/models/m:predict", inputs=[],
                      queue=Failing())
  assert found == status and list(answer) == ["error"] and "secret" not in answer["error"]


def test_a_late_answer_is_none(versions):
  class Hanging:
    async def predict(self, version, request):
      await asyncio.Event().wait()

  assert ask(versions, "POST", "/v1/models/m:predict", inputs=[], queue=Hanging(),
             timeout_s=0.5) == (504, {"error": "No answer within 0.5 s."})


def test_errors_name_the_rows_of_a_cut_request():
  error = tf.errors.InvalidArgumentError(
      None, None, "Graph execution error:\n\nDetected at node a defined at (most recent "
      "call last):\n<stack traces unavailable>\nrecord 1 is bad\n\t [[{{node a}}]] "
      "[Op:__inference_f]")
  assert model_server._reason(error) == "record 1 is bad"
  error.first_row = 128
  assert model_server._reason(error) == (
      "In the rows from 128 on: record 1 is bad")
