# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What an operator of `yt8m-serve` sees: metrics of all replicas, the log, the end."""

import contextlib
import http.client
import json
import os
import signal
import threading

import pytest

from tests.helpers import processes
from tests.helpers import served

pytest.importorskip("prometheus_client", reason="it comes with pip install 'yt8m[ray]'")
from tests.export.serving import metrics_test  # noqa: E402

pytestmark = [pytest.mark.long, served.needs_ray]
NUM_REQUESTS = 40


@pytest.fixture(scope="module")
def server(tmp_path_factory):
  running = served.Server(
      tmp_path_factory.mktemp("serve"), "aggregation-mean", "--model_name=mean",
      "--num_replicas=2", "--access_log")
  yield running
  running.end()


def measured(server):
  status, headers, text = server.get("GET", "/metrics")
  assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0")
  return metrics_test.values(text)


def of_replicas(found, name):
  return {dict(labels)["replica"]: value for (found_name, *labels), value
          in found.items() if found_name == name}


def test_the_metrics_hold_all_replicas(server):
  for _ in range(NUM_REQUESTS):
    assert server.predict(inputs=[])[0] == 200
  assert server.predict(instances=[])[0] == 400
  assert server.ask("GET", "/v1/models/unknown")[0] == 404
  server.wait_for(lambda: sum(of_replicas(
      measured(server), "yt8m_batch_videos_count").values()) == NUM_REQUESTS)
  found = measured(server)
  assert found["yt8m_replicas",] == 2
  versions = of_replicas(found, "yt8m_model_version")
  assert set(versions.values()) == {1} and len(versions) == 2
  assert set(of_replicas(found, "yt8m_batch_videos_count")) <= set(versions)
  assert of_replicas(found, "yt8m_queued_requests") == dict.fromkeys(versions, 0)
  assert found["yt8m_requests_total", ("code", "200"), ("route", "predict")] == (
      NUM_REQUESTS)
  assert found["yt8m_errors_total", ("kind", "bad_request")] == 1
  assert found["yt8m_errors_total", ("kind", "not_found")] == 1
  assert found["yt8m_requests_running",] == 1  # the one that asks
  assert "unknown" not in str(list(found))


def test_probes_and_metadata(server):
  assert server.ask("GET", "/v2/health/live") == (200, {"live": True})
  assert server.ask("GET", "/v2/health/ready") == (200, {"ready": True})
  assert server.ask("GET", "/v2/models/mean/versions/1/ready") == (
      200, {"name": "mean", "ready": True})
  assert server.ask("GET", "/v2/models/mean")[1]["versions"] == ["1"]


def test_a_lost_replica_is_no_longer_in_the_metrics(server):
  before = set(of_replicas(measured(server), "yt8m_model_version"))
  replica = next(pid for pid in processes.descendants(server.process.pid)
                 if processes.command(pid).startswith("ray::ServeReplica"))
  os.kill(replica, signal.SIGKILL)
  server.wait_for(lambda: len(set(of_replicas(
      measured(server), "yt8m_model_version")) - before) == 1)
  server.wait_for(lambda: measured(server)["yt8m_replicas",] == 2)
  assert len(set(of_replicas(measured(server), "yt8m_model_version")) & before) == 1


def entries(log):
  """Returns the entries of the access log."""
  return [json.loads(line[line.index("{"):]) for line in log.splitlines()
          if "(ProxyActor" in line and '{"time": ' in line]


def test_a_stop_is_quiet_and_answers_in_json(server):
  assert server.predict(inputs=[])[0] == 200
  answers = []

  def client():
    # Until the port is closed, maybe within an answer: Ray kills its proxy.
    with contextlib.suppress(OSError, http.client.HTTPException):
      while True:
        answers.append(server.get("GET", "/v2/health/ready"))

  thread = threading.Thread(target=client)
  thread.start()
  server.process.send_signal(signal.SIGTERM)
  assert server.process.wait(timeout=120) == 0, server.log.read_text()
  thread.join()
  for status, headers, body in answers:
    assert headers["content-type"] == "application/json"
    assert (status, *json.loads(body)) in [(200, "ready"), (503, "error")]
    assert status == 200 or headers["retry-after"] == "1"
  assert answers[-1][0] == 503
  log = server.log.read_text()
  _, _, after = log.partition("Stopping, after the requests that have arrived.\n")
  assert not [line for line in after.splitlines() if not entries(line)]
  [entry] = [x for x in entries(log) if x["path"] == "/v1/models/mean:predict"][-1:]
  assert (entry["client"], entry["method"], entry["status"]) == ("127.0.0.1", "POST", 200)
