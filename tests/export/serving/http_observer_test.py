# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Requests are counted and logged, and what needs no replica is answered."""

import asyncio
import json

import pytest

pytest.importorskip("prometheus_client", reason="it comes with pip install 'yt8m[ray]'")
from tests.export.serving import metrics_test  # noqa: E402
from yt8m.export.serving import http_observer  # noqa: E402
from yt8m.export.serving import metrics  # noqa: E402


def answering(status, body=b"{}", **entries):
  async def app(scope, receive, send):
    scope.update(entries)
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})

  return app


async def raises(scope, receive, send):
  raise RuntimeError


async def waits_for_the_client(scope, receive, send):
  assert (await receive())["type"] == "http.disconnect"


async def must_not_be_asked(scope, receive, send):
  raise AssertionError("The replica was asked.")


class Client:
  """Asks an observer, and keeps what it counts."""

  def __init__(self, of_replicas=(), access_log=False):
    self.metrics, self.access_log = metrics.RequestMetrics(), access_log
    self.of_replicas = list(of_replicas)

  def ask(self, app, path="/v1/models/m", method="GET"):
    sent = []

    async def gather():
      return self.of_replicas

    async def send(message):
      sent.append(message)

    async def receive():
      return {"type": "http.disconnect"}

    observer = http_observer.Observer(app, self.metrics, gather, self.access_log)
    asyncio.run(observer({"type": "http", "method": method, "path": path,
                          "client": ("10.0.0.1", 5)}, receive, send))
    return sent

  def counted(self, name):
    return {labels: value for labels, value in
            metrics_test.values(self.metrics.text([])).items()
            if labels[0] == name and value}


def test_answers_are_passed_and_counted():
  client = Client()
  assert client.ask(answering(200))[1]["body"] == b"{}"
  client.ask(answering(404), path="/no/such")
  client.ask(answering(503))
  client.ask(answering(503, **{http_observer.UNAVAILABLE: True}))
  client.ask(answering(404, **{http_observer.UNAVAILABLE: False}))
  assert client.counted("yt8m_requests_total") == {
      ("yt8m_requests_total", ("code", "200"), ("route", "status")): 1,
      ("yt8m_requests_total", ("code", "404"), ("route", "other")): 1,
      ("yt8m_requests_total", ("code", "404"), ("route", "status")): 1,
      ("yt8m_requests_total", ("code", "503"), ("route", "status")): 2}
  assert client.counted("yt8m_errors_total") == {
      ("yt8m_errors_total", ("kind", "not_found")): 2,
      ("yt8m_errors_total", ("kind", "overloaded")): 1,
      ("yt8m_errors_total", ("kind", "unavailable")): 1}
  assert not client.counted("yt8m_requests_running")


def test_head_is_get_for_the_application_and_head_for_the_web_server():
  client, seen = Client(), []

  async def app(scope, receive, send):
    seen.append(scope["method"])
    await answering(503, **{http_observer.UNAVAILABLE: True})(scope, receive, send)

  assert client.ask(app, "/v2/health/ready", "HEAD")[0]["status"] == 503
  assert seen == ["GET"]
  assert client.counted("yt8m_errors_total") == {
      ("yt8m_errors_total", ("kind", "unavailable")): 1}
  for path in ("/metrics", "/v2/health/live"):
    assert client.ask(must_not_be_asked, path, "HEAD")[0]["status"] == 200


def test_paths_of_clients_are_no_labels():
  client = Client()
  for number in range(50):
    client.ask(answering(404), path=f"/v1/models/{number}:predict")
    client.ask(answering(404), path=f"/{number}")
  assert len(client.counted("yt8m_requests_total")) == 2


def test_a_client_that_left_is_no_error_of_the_server():
  client = Client()
  client.ask(waits_for_the_client)
  assert client.counted("yt8m_errors_total") == {
      ("yt8m_errors_total", ("kind", "disconnected")): 1}
  assert not client.counted("yt8m_requests_total")


def test_an_error_in_the_proxy_is_counted_and_raised():
  client = Client()
  with pytest.raises(RuntimeError):
    client.ask(raises)
  assert not client.counted("yt8m_requests_running")
  assert client.counted("yt8m_request_seconds_count")


def test_metrics_and_liveness_need_no_replica():
  client = Client([metrics_test.replica("a", [1])])
  start, body = client.ask(must_not_be_asked, "/metrics")
  assert start["status"] == 200
  assert dict(start["headers"])[b"content-type"].startswith(b"text/plain; version=0.0.4")
  assert metrics_test.values(body["body"])["yt8m_replicas",] == 1
  _, body = client.ask(must_not_be_asked, "/v2/health/live")
  assert json.loads(body["body"]) == {"live": True}


@pytest.mark.parametrize("path", ["/metrics", "/v2/health/live"])
def test_only_get_is_answered_so(path):
  assert Client().ask(answering(404), path, "POST")[0]["status"] == 404


def test_a_line_of_the_log_holds_what_a_client_sent(capsys):
  client = Client(access_log=True)
  client.ask(answering(200, b"12345"), "/v1/models/m\n{\"forged\": 1}\x1b[2J" + 500 * "x")
  [line] = capsys.readouterr().err.splitlines()
  entry = json.loads(line)
  assert entry["path"].startswith("/v1/models/m\n") and len(entry["path"]) == 200
  assert (entry["client"], entry["method"], entry["status"], entry["bytes"]) == (
      "10.0.0.1", "GET", 200, 5)
  assert entry["seconds"] >= 0 and entry["time"].endswith("+00:00")
  Client().ask(answering(200))
  assert not capsys.readouterr().err
