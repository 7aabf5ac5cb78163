# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Requests and the values of all replicas become one valid text for Prometheus."""

import types

import pytest

pytest.importorskip("prometheus_client", reason="it comes with pip install 'yt8m[ray]'")
from prometheus_client import parser  # noqa: E402

from yt8m.export.serving import metrics  # noqa: E402
from yt8m.export.serving import routes  # noqa: E402


def values(text):
  """Returns the samples as `{(name, *sorted labels): value}`, after parsing."""
  found, families = {}, list(parser.text_string_to_metric_families(text.decode()))
  assert len({family.name for family in families}) == len(families)
  for family in families:
    for sample in family.samples:
      key = (sample.name, *sorted(sample.labels.items()))
      assert key not in found
      found[key] = sample.value
  return found


def test_requests_and_errors_are_counted():
  requests = metrics.RequestMetrics()
  for status, unavailable in [(200, False), (200, False), (400, False), (503, False),
                              (503, True), (599, False), (None, False)]:
    requests.begin()
    requests.end("predict", status, 0.02, unavailable)
  requests.refuse(431)
  requests.begin()
  found = values(requests.text([]))
  assert found["yt8m_requests_running",] == 1 and found["yt8m_replicas",] == 0
  codes = {dict(labels)["code"]: value for (name, *labels), value in found.items()
           if name == "yt8m_requests_total" and ("route", "predict") in labels}
  assert codes == {"200": 2, "400": 1, "503": 2, "599": 1}
  kinds = {dict(labels)["kind"]: value for (name, *labels), value in found.items()
           if name == "yt8m_errors_total"}
  assert {kind for kind, value in kinds.items() if value} == {
      "bad_request", "overloaded", "unavailable", "other", "disconnected",
      "large_headers"}
  assert set(kinds) > {"timeout", "internal"}  # at 0 from the start
  assert found["yt8m_request_seconds_count", ("route", "predict")] == 7
  below = {le: found["yt8m_request_seconds_bucket", ("le", le), ("route", "predict")]
           for le in ("0.01", "0.025")}
  assert below == {"0.01": 0, "0.025": 7}


def replica(name, rows, status=None):
  versions = types.SimpleNamespace(status=lambda: status or {3: None})
  measured = metrics.ReplicaMetrics(name, "m", versions, max_batch_size=6)
  for number in rows:
    measured.observe(types.SimpleNamespace(number=3), "serving_default", number, 0.5)
  return measured.collect(types.SimpleNamespace(num_requests=len(rows)))


def test_the_values_of_replicas_stay_apart_and_add_up():
  found = values(metrics.RequestMetrics().text(
      [replica("a", [1, 6]), replica("b", [2], {4: ValueError("damaged"), 3: None})]))
  assert found["yt8m_replicas",] == 2

  def of(name, **labels):
    return {dict(found_labels)["replica"]: value
            for (found_name, *found_labels), value in found.items()
            if found_name == name and set(labels.items()) <= set(found_labels)}

  labels = {"model": "m", "version": "3", "signature": "serving_default"}
  assert of("yt8m_batch_videos_count", **labels) == {"a": 2, "b": 1}
  assert of("yt8m_batch_videos_sum", **labels) == {"a": 7, "b": 2}
  assert of("yt8m_batch_videos_bucket", le="4.0", **labels) == {"a": 1, "b": 1}
  assert of("yt8m_batch_videos_bucket", le="6.0", **labels) == {"a": 2, "b": 1}
  assert of("yt8m_batch_seconds_sum", **labels) == {"a": 1, "b": 0.5}
  assert of("yt8m_queued_requests", model="m") == {"a": 2, "b": 1}
  assert of("yt8m_model_version", version="3") == {"a": 1, "b": 1}
  assert of("yt8m_model_version", version="4") == {"b": 0}


@pytest.mark.parametrize("size", [1, 2, 64, 100])
def test_the_largest_batch_has_a_bucket(size):
  versions = types.SimpleNamespace(status=dict)
  measured = metrics.ReplicaMetrics("a", "m", versions, size)
  measured.observe(types.SimpleNamespace(number=1), "s", size, 0.0)
  found = values(metrics.RequestMetrics().text(
      [measured.collect(types.SimpleNamespace(num_requests=0))]))
  buckets = {dict(labels)["le"]: value for (name, *labels), value in found.items()
             if name == "yt8m_batch_videos_bucket"}
  assert buckets[str(float(size))] == 1 and len(buckets) == len(set(buckets))


@pytest.mark.parametrize("path, kind", [
    ("/v1/models/m:predict", "predict"), ("/V1/Models/any/versions/7:predict", "predict"),
    ("/v1/models/m", "status"), ("/v1/models/m/versions/7", "status"),
    ("/v1/models/m/metadata", "metadata"), ("/v2", "metadata"),
    ("/v2/models/m", "metadata"), ("/v2/models/m/versions/7", "metadata"),
    ("/v2/models/m/ready", "health"), ("/v2/models/m/versions/7/ready", "health"),
    ("/v2/health/live", "health"), ("/v2/health/ready", "health"),
    ("/metrics", "metrics"), ("/metrics/x", "other"), ("/v1/models/a/b", "other"),
    ("/", "other"), ("/v1/models/m:pre\ndict", "other")])
def test_a_path_has_one_of_few_kinds(path, kind):
  assert routes.kind(path) == kind and kind in routes.KINDS
