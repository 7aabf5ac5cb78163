# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-serve` as a user starts it, called over HTTP and stopped by SIGTERM."""

import base64
import concurrent.futures
import gzip
import http.client
import json
import os
import shutil
import signal
import socket
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import processes
from tests.helpers import served
from tests.helpers import serving
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.serving import http_protocol

MAX_BODY_MIB, TIMEOUT_S = 2, served.TIMEOUT_S
needs_ray = served.needs_ray


def take(batch, rows):
  """Repeats the rows of a batch."""
  return {key: {name: tf.gather(x, rows) for name, x in value.items()}
          if isinstance(value, dict) else tf.gather(value, rows)
          for key, value in batch.items()}


NAMES = Vocabulary.of({0: "café", 3: 'Toys "R" Us'}, descriptors.NUM_CLASSES)
BATCH = take(descriptors.batch("frame", rows=32), np.arange(512) % 32)
RECORDS = [{"b64": base64.b64encode(record).decode()}
           for record in serving.records(BATCH, "frame").numpy()]
BAD = {"b64": base64.b64encode(b"no record").decode()}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
  running = served.Server(
      tmp_path_factory.mktemp("serve"), "aggregation-lstm", "--model_name=lstm",
      "--poll_seconds=0.3", "--max_batch_size=100", f"--max_body_mib={MAX_BODY_MIB}",
      f"--request_timeout_s={TIMEOUT_S}", names=NAMES)
  yield running
  running.end()


@pytest.fixture(scope="module")
def scores(server):
  return serving.at_home(server.model, BATCH)


def assert_best(predictions, expected):
  """Returns whether the rows of `serving_default` are the best scores."""
  assert len(predictions) == len(expected)
  for row, answer in enumerate(predictions):
    assert answer["video_id"] == [f"v{row}"]
    [classes], [best] = answer["class_indexes"], answer["predictions"]
    assert answer["class_names"] == [[NAMES.names[index] for index in classes]]
    np.testing.assert_allclose(best, -np.sort(-expected[row])[:serving.TOP_K], atol=1e-6)
    np.testing.assert_allclose(best, expected[row][classes], atol=1e-6)


def features(rows):
  batch = take(BATCH, rows)
  return {name: x.numpy().tolist() for name, x in serving.arrays(batch, "frame").items()}


@needs_ray
@pytest.mark.parametrize("size", [1, 3, 512])
def test_both_signatures_answer_as_at_home(server, scores, size):
  rows = np.arange(size)
  status, answer = server.predict(instances=RECORDS[:size])
  assert status == 200
  assert_best(answer["predictions"], scores[:size])
  status, answer = server.predict(signature_name="predict_full",
                                  inputs={"example_bytes": RECORDS[:size]})
  assert status == 200
  assert answer["outputs"]["video_id"] == [f"v{row}" for row in rows]
  np.testing.assert_allclose(answer["outputs"]["predictions"], scores[:size], atol=1e-6)
  arrays = features(rows)
  status, columns = server.predict(signature_name="predict_features", inputs=arrays)
  assert status == 200
  np.testing.assert_allclose(columns["outputs"], scores[:size], atol=1e-6)
  instances = [{name: x[row] for name, x in arrays.items()} for row in rows]
  status, answer = server.predict(signature_name="predict_features", instances=instances)
  assert status == 200
  np.testing.assert_allclose(answer["predictions"], scores[:size], atol=1e-6)


@needs_ray
def test_an_empty_batch(server):
  assert server.predict(inputs=[]) == (200, {"outputs": {
      "video_id": [], "class_indexes": [], "class_names": [], "predictions": []}})
  assert server.predict(signature_name="predict_features", inputs={
      "rgb": [], "audio": [], "num_frames": []}) == (200, {"outputs": []})


@needs_ray
def test_concurrent_requests_get_their_own_answers_beside_bad_ones(server, scores):
  def client(number):
    found = []
    for step in range(6):
      row = (5 * number + step) % 32
      kind = (number + step) % 4
      if kind == 0:
        status, answer = server.predict(instances=[RECORDS[row], BAD])
        found.append(status == 400 and "Record 1 of the request is" in answer["error"])
      elif kind == 1:
        status, answer = server.predict(signature_name="predict_features",
                                        inputs=features([row]))
        found.append(status == 200 and np.allclose(
            answer["outputs"], scores[[row]], atol=1e-6))
      else:
        status, answer = server.predict(signature_name="predict_full",
                                        inputs=[RECORDS[row]])
        found.append(status == 200 and answer["outputs"]["video_id"] == [f"v{row}"]
                     and np.allclose(answer["outputs"]["predictions"], scores[[row]],
                                     atol=1e-6))
    return found

  with concurrent.futures.ThreadPoolExecutor(16) as pool:
    found = list(pool.map(client, range(16)))
  assert len(found) == 16 and all(all(x) and len(x) == 6 for x in found)


@needs_ray
def test_errors_have_their_status_and_the_server_lives_on(server, scores):
  predict = "/v1/models/lstm:predict"
  for expected, method, path, body in [
      (404, "POST", "/v1/models/other:predict", b"{}"),
      (404, "POST", "/v1/models/lstm/versions/77:predict", b"{}"),
      (404, "GET", "/v1/models/lstm/versions/77", None),
      (404, "GET", "/elsewhere", None),
      (400, "GET", predict, None),
      (400, "DELETE", "/v1/models/lstm", None),
      (400, "POST", predict, b"not JSON"),
      (400, "POST", predict, b"[" * 50_000),
      (400, "POST", predict, b'{"signature_name": "no", "inputs": []}'),
      (400, "POST", predict, b'{"instances": [1]}'),
      (413, "POST", predict, b" " * (MAX_BODY_MIB * 2 ** 20 + 1))]:
    status, answer = server.ask(method, path, body)
    assert (status, list(answer)) == (expected, ["error"]), (path, answer)
  status, answer = server.predict(instances=[RECORDS[0]])
  assert status == 200
  assert_best(answer["predictions"], scores[:1])


@needs_ray
def test_a_body_of_unknown_length_is_limited(server):
  def chunks():
    for _ in range(4 * MAX_BODY_MIB):
      yield b" " * 2 ** 20

  try:
    status, _ = server.ask("POST", "/v1/models/lstm:predict", chunks())
    assert status == 413
  except (BrokenPipeError, ConnectionResetError):
    pass  # refused before the whole body was sent
  assert server.ask("GET", "/v1/models/lstm")[0] == 200


@needs_ray
def test_status_and_metadata(server):
  status, answer = server.ask("GET", "/v1/models/lstm")
  assert status == 200 and answer["model_version_status"][-1] == {
      "version": "1", "state": "AVAILABLE",
      "status": {"error_code": "OK", "error_message": ""}}
  status, answer = server.ask("GET", "/v1/models/lstm/metadata")
  assert status == 200 and set(answer["metadata"]["signature_def"]["signature_def"]) == {
      "serving_default", "predict_full", "predict_features"}


@needs_ray
def test_a_new_version_takes_over_without_a_lost_request(server):
  def newest():
    return server.ask("GET", "/v1/models/lstm")[1]["model_version_status"][0]["version"]

  def client(_):
    statuses = []
    while newest() == "1":
      statuses.append(server.predict(instances=RECORDS[:1])[0])
    return [*statuses, server.predict(instances=RECORDS[:1])[0]]

  with concurrent.futures.ThreadPoolExecutor(4) as pool:
    statuses = pool.map(client, range(4))
    shutil.copytree(server.model_dir / "1", server.model_dir / "2.copying")
    os.rename(server.model_dir / "2.copying", server.model_dir / "2")
    assert {x for some in statuses for x in some} == {200}
  assert server.ask("POST", "/v1/models/lstm/versions/1:predict", b"{}")[0] == 404
  # Ray sends the log of a replica on in its own time.
  server.wait_for(lambda: "Version 2" in server.log.read_text())


@needs_ray
def test_a_damaged_version_is_reported_and_the_older_one_serves_on(server, scores):
  shutil.copytree(server.model_dir / "1", server.model_dir / "3.copying")
  with (server.model_dir / "3.copying" / "fingerprint.pb").open("ab") as file:
    file.write(b"x")
  os.rename(server.model_dir / "3.copying", server.model_dir / "3")

  def state():
    versions = server.ask("GET", "/v1/models/lstm")[1]["model_version_status"]
    return {x["version"]: x["state"] for x in versions}

  server.wait_for(lambda: state() == {"3": "END", "2": "AVAILABLE"})
  status, answer = server.predict(instances=[RECORDS[0]])
  assert status == 200
  assert_best(answer["predictions"], scores[:1])


@needs_ray
def test_bodies_may_be_compressed(server, scores):
  def ask(body):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    connection.request("POST", "/v1/models/lstm:predict", gzip.compress(body),
                       {"Content-Encoding": "gzip"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())

  status, answer = ask(json.dumps({"instances": RECORDS[:3]}).encode())
  assert status == 200
  assert_best(answer["predictions"], scores[:3])
  assert ask(bytes(MAX_BODY_MIB * 2**20 + 1))[0] == 413


@pytest.mark.long
@needs_ray
def test_a_connection_with_unfinished_headers_is_closed(server):
  with socket.create_connection(("127.0.0.1", server.port)) as connection:
    connection.sendall(b"POST /v1/models/lstm:predict HTTP/1.1\r\nHost: localhost\r\nX: ")
    connection.settimeout(3 * http_protocol._HEADERS_S)
    assert connection.recv(1) == b""
  assert server.ask("GET", "/v1/models/lstm")[0] == 200


@needs_ray
def test_no_port_but_that_of_the_token_is_open_to_the_network(server):
  offspring = {server.process.pid, *processes.descendants(server.process.pid)}
  open_to_all = [command for address, command in processes.listening(offspring)
                 if set(address) <= {"0"}]
  # Ray's servers for its own calls want the token; those of metrics do not.
  assert all(command.startswith("ray::ServeReplica") for command in open_to_all)


@pytest.mark.long
@needs_ray
def test_a_lost_replica_costs_no_answer_that_is_not_json(server):
  with concurrent.futures.ThreadPoolExecutor(5) as pool:
    answers = [pool.submit(server.predict, instances=RECORDS[:1]) for _ in range(40)]
    [replica] = [pid for pid in processes.descendants(server.process.pid)
                 if processes.command(pid).startswith("ray::ServeReplica")]
    os.kill(replica, signal.SIGKILL)
    answers = [answer.result(timeout=2 * TIMEOUT_S) for answer in answers]
  assert {status for status, _ in answers} <= {200, 503}
  server.wait_for(lambda: server.predict(instances=RECORDS[:1])[0] == 200)


@needs_ray
def test_sigterm_answers_what_has_come_and_ends_well(server, scores):
  with concurrent.futures.ThreadPoolExecutor(1) as pool:
    # The signal arrives during or after the request; either way it is answered.
    answer = pool.submit(server.predict, instances=RECORDS)
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    status, answer = answer.result(timeout=TIMEOUT_S)
  assert status == 200
  assert_best(answer["predictions"], scores)
  assert server.process.wait(timeout=120) == 0, server.log.read_text()
  assert "Traceback" not in server.log.read_text()
