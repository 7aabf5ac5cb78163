# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The metrics of the server, in the text format of Prometheus.

The proxy counts requests, because each passes it, also those that no replica answers.
A replica measures what only it knows: its calls, its queue and its versions. The proxy
asks all replicas (`gathering.py`) and writes both. What comes from a replica is labelled
with its name, so that a sum over replicas is right also when one of them ends.

No value of a label comes from a request: they are words of this package, and versions
and signatures that are loaded.
"""

from collections.abc import Iterable

import prometheus_client
from prometheus_client import metrics_core

from yt8m.export.serving import model_versions
from yt8m.export.serving import request_queue

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Families = list[metrics_core.Metric]

UNAVAILABLE = "unavailable"  # the proxy found no replica that answers
DISCONNECTED = "disconnected"  # the client left before the answer
_OTHER = "other"
_KINDS = {400: "bad_request", 404: "not_found", 408: "slow_body", 413: "too_large",
          415: "encoding", 431: "large_headers", 500: "internal", 501: "not_served",
          503: "overloaded", 504: "timeout"}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class RequestMetrics:
  """What the proxy counts."""

  def __init__(self):
    self._registry = prometheus_client.CollectorRegistry()
    self._requests = prometheus_client.Counter(
        "yt8m_requests", "Requests that were answered.", ["route", "code"],
        registry=self._registry)
    self._errors = prometheus_client.Counter(
        "yt8m_errors", "Requests that were not answered with success.", ["kind"],
        registry=self._registry)
    self._seconds = prometheus_client.Histogram(
        "yt8m_request_seconds", "Seconds from the headers of a request to the end of its "
        "answer.", ["route"], buckets=_SECONDS, registry=self._registry)
    self._running = prometheus_client.Gauge(
        "yt8m_requests_running", "Requests without an answer yet.",
        registry=self._registry)
    for kind in (*_KINDS.values(), UNAVAILABLE, DISCONNECTED, _OTHER):
      self._errors.labels(kind)  # A rate needs the 0 before the first error.

  def begin(self) -> None:
    """Counts a request that has come."""
    self._running.inc()

  def end(self, route: str, status: int | None, seconds: float,
          unavailable: bool = False) -> None:
    """Counts a request that has ended.

    Args:
      route: Kind of the path, one of `routes.KINDS`.
      status: HTTP status of the answer; None if the client left before it.
      seconds: Seconds since the request came.
      unavailable: Whether the answer says that no replica answers.
    """
    self._running.dec()
    self._seconds.labels(route).observe(seconds)
    if status is None:
      self._errors.labels(DISCONNECTED).inc()
      return
    self._requests.labels(route, str(status)).inc()
    if status >= 400:
      self._errors.labels(UNAVAILABLE if unavailable else
                          _KINDS.get(status, _OTHER)).inc()

  def refuse(self, status: int) -> None:
    """Counts what is no request, by the HTTP status of its answer."""
    self._requests.labels("other", str(status)).inc()
    self._errors.labels(_KINDS[status]).inc()

  def text(self, of_replicas: Iterable[Families]) -> bytes:
    """Returns all metrics as text.

    Args:
      of_replicas: Metrics of each replica that answers.
    """
    of_replicas = list(of_replicas)
    replicas = metrics_core.GaugeMetricFamily(
        "yt8m_replicas", "Replicas that answer.", len(of_replicas))
    families = {}
    for metric in [*self._registry.collect(), replicas, *sum(of_replicas, [])]:
      family = families.setdefault(metric.name, metrics_core.Metric(
          metric.name, metric.documentation, metric.type))
      # When a metric was made is of no use, and doubles the number of lines.
      family.samples.extend(sample for sample in metric.samples
                            if not sample.name.endswith("_created"))
    return prometheus_client.generate_latest(_Collected(families.values()))


class _Collected(prometheus_client.CollectorRegistry):
  """Metrics that have been collected, in place of a registry."""

  def __init__(self, metrics: Iterable[metrics_core.Metric]):
    super().__init__()
    self._metrics = metrics

  def collect(self) -> Iterable[metrics_core.Metric]:
    return self._metrics


class ReplicaMetrics:
  """What a replica measures.

  Args:
    replica: Name of the replica.
    model_name: Name of the model in the routes.
    versions: Versions of the model.
    max_batch_size: Largest number of rows in one call of the model.
  """

  def __init__(self, replica: str, model_name: str, versions: model_versions.Versions,
               max_batch_size: int):
    self._labels, self._versions = (replica, model_name), versions
    self._registry = prometheus_client.CollectorRegistry()
    labels = ["replica", "model", "version", "signature"]
    sizes = [2**i for i in range(max_batch_size.bit_length()) if 2**i < max_batch_size]
    self._rows = prometheus_client.Histogram(
        "yt8m_batch_videos", "Videos in a call of the model.", labels,
        buckets=(*sizes, max_batch_size), registry=self._registry)
    self._seconds = prometheus_client.Histogram(
        "yt8m_batch_seconds", "Seconds of a call of the model.", labels,
        buckets=_SECONDS, registry=self._registry)
    self._queue = prometheus_client.Gauge(
        "yt8m_queued_requests", "Requests that wait for the model or run.",
        ["replica", "model"], registry=self._registry)

  def observe(self, version: model_versions.Version, signature: str, rows: int,
              seconds: float) -> None:
    """Counts a call of the model, as `request_queue.Observe` says."""
    labels = (*self._labels, str(version.number), signature)
    self._rows.labels(*labels).observe(rows)
    self._seconds.labels(*labels).observe(seconds)

  def collect(self, queue: request_queue.RequestQueue) -> Families:
    """Returns the metrics as they are now.

    Args:
      queue: Queue of the replica.
    """
    self._queue.labels(*self._labels).set(queue.num_requests)
    versions = metrics_core.GaugeMetricFamily(
        "yt8m_model_version", "Versions in the directory of the model: 1 is served, 0 "
        "cannot be.", labels=["replica", "model", "version"])
    for number, error in self._versions.status().items():
      versions.add_metric((*self._labels, str(number)), float(error is None))
    return [*self._registry.collect(), versions]

