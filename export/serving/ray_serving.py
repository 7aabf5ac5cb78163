# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`model_server.py` as a deployment of Ray Serve. This module requires Ray.

Ray Serve provides the HTTP proxy, the replicas, their scaling, and their replacement when
one dies. Limits and errors are implemented here, so that they match TensorFlow Serving's.
"""

import contextlib
import dataclasses
import io
import logging as python_logging
import math
import os
import sys
import threading
from typing import Any
from typing import TextIO

import ray
import tensorflow as tf
from absl import logging
from ray import exceptions as ray_exceptions
from ray import serve
from ray.serve import exceptions as serve_exceptions
from starlette import requests
from starlette import responses

from yt8m.core import log_lines
from yt8m.core import network
from yt8m.export.serving import media
from yt8m.export.serving import metrics
from yt8m.export.serving import model_server
from yt8m.export.serving import model_versions
from yt8m.export.serving import request_body
from yt8m.export.serving import request_queue
from yt8m.export.serving import rest_api
from yt8m.export.serving.gathering import APPLICATION

# The first version whose replicas ask for a token before they unpickle what they receive.
_FIRST_RAY = (2, 58)
_DESCRIBE_SECS = 300
_GRACE_S = 5  # by which the timeouts of Ray Serve exceed ours
# Requests are sent as messages; the store of shared objects stays empty.
_OBJECT_STORE_BYTES = 80 * 2 ** 20

# Signatures of each version, or the reason why it is not served.
Description = dict[int, list[str] | str]


@dataclasses.dataclass(frozen=True)
class Settings:
  """Settings of a replica.

  Attributes:
    model_dir: Directory of versions, or a SavedModel; see `versions.find`.
    versions: Policy of `model_versions.Versions`.
    model_name: Name of the model in the routes.
    poll_s: Seconds between two searches for new versions; 0 never searches.
    max_batch_size: Largest number of rows in one call of the model.
    batch_wait_s: Seconds that a free model waits for more requests.
    max_queued_requests: Largest number of requests that wait or run.
    request_timeout_s: Seconds after which a request fails.
    max_body_bytes: Largest size of a request body.
    num_threads: Number of threads of TensorFlow.
    allow_code: Value of `--allow_code`.
    quiet: Value of `--quiet`.
    media_bytes: Bytes of address space for decoding media files; 0 serves none.
    weights_dir: Path of the directory with files of weights of the extractor.
  """
  model_dir: str
  versions: str
  model_name: str
  poll_s: float
  max_batch_size: int
  batch_wait_s: float
  max_queued_requests: int
  request_timeout_s: float
  max_body_bytes: int
  num_threads: int
  allow_code: tuple[str, ...] = ()
  quiet: bool = False
  media_bytes: int = 0
  weights_dir: str = ""


class Replica:
  """A process that has the model loaded."""

  def __init__(self, settings: Settings):
    log_lines.follow(logging.get_absl_logger())
    logging.set_verbosity(logging.WARNING if settings.quiet else logging.INFO)
    os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # replicas may share a GPU
    tf.config.threading.set_intra_op_parallelism_threads(settings.num_threads)
    self._settings = settings
    self._budget = request_body.Budget(settings.max_body_bytes)
    self._versions = model_versions.Versions(
        settings.model_dir, settings.versions, settings.allow_code)
    if not self._versions.loaded and _has_started():
      raise RuntimeError(f"No version in {settings.model_dir} can be served.")
    self._metrics = metrics.ReplicaMetrics(
        _name(), settings.model_name, self._versions, settings.max_batch_size)
    self._queue = request_queue.RequestQueue(
        settings.max_batch_size, settings.batch_wait_s, settings.max_queued_requests,
        self._metrics.observe)
    self._server = model_server.ModelServer(
        settings.model_name, self._versions, self._queue, settings.request_timeout_s,
        media.MediaFiles(settings.request_timeout_s, settings.media_bytes,
                         settings.weights_dir) if settings.media_bytes else None)
    if settings.poll_s:
      threading.Thread(target=self._poll, daemon=True).start()

  async def __call__(self, request: requests.Request) -> responses.Response:
    try:
      with self._budget.share() as take:
        body = await request_body.read(
            request, self._settings.max_body_bytes, take,
            self._settings.request_timeout_s)
        status, content = await self._server.answer(
            request.method, request.scope["path"], body)
    except rest_api.RestError as error:
      status, content = int(error.status), rest_api.format_error(str(error))
    return responses.Response(
        content, status, {"retry-after": "1"} if status == 503 else None,
        media_type="application/json")

  def describe(self) -> Description:
    """Returns the state of each version, newest first."""
    return {number: str(error) if error else list(self._versions.get(number).signatures)
            for number, error in self._versions.status().items()}

  def measure(self) -> metrics.Families:
    """Returns the metrics of the replica, for `gathering.Gatherer`."""
    return self._metrics.collect(self._queue)

  def _poll(self):
    stop = threading.Event()
    while not stop.wait(self._settings.poll_s):
      try:
        self._versions.refresh()
      except Exception:  # a file system may be unavailable for a while
        logging.exception("Searching for versions in %s", self._settings.model_dir)


def _name() -> str:
  """Returns the name of this replica; empty outside of Ray Serve."""
  try:
    return serve.get_replica_context().replica_tag
  except serve_exceptions.RayServeException:
    return ""


def _has_started() -> bool:
  """Whether this replica replaces another one or is added to others.

  Ray Serve then keeps a replica whose constructor fails from the requests, and tries
  again. At the start of the server, the reason is reported instead (`describe`).
  """
  application = serve.status().applications.get(APPLICATION)
  return application is not None and application.status != "DEPLOYING"


def start(settings: Settings, host: str, port: int, replicas: tuple[int, int],
          num_cpus: int, num_gpus: float, *,
          ray_address: str | None = None) -> Description:
  """Starts the server, and returns when it answers requests.

  Args:
    settings: Settings of the replicas.
    host: Address at which the server listens.
    port: Port at which the server listens.
    replicas: Smallest and largest number of replicas; Ray Serve scales between them.
    num_cpus: Number of CPU cores per replica.
    num_gpus: Number of GPUs per replica.
    ray_address: Address of a Ray cluster; None starts Ray on this machine.

  Returns:
    The state of each version, newest first.

  Raises:
    ConnectionError: There is no cluster at `ray_address`, or Ray does not start.
    RuntimeError: Ray Serve cannot start the server, or is too old.
  """
  if tuple(map(int, ray.__version__.split(".")[:2])) < _FIRST_RAY:
    raise RuntimeError(
        f"Ray {ray.__version__} lets anybody who reaches a replica run code there: "
        "pip install -U 'ray[serve]>=2.58'.")
  if ray_address:
    network.start_ray(ray.init, ray_address, "--ray_address",
                      logging_level=python_logging.ERROR)
  else:
    network.start_ray(
        ray.init, "local", "--ray_address", num_cpus=num_cpus * replicas[1],
        num_gpus=math.ceil(num_gpus * replicas[1]) or None, include_dashboard=False,
        logging_level=python_logging.ERROR, object_store_memory=_OBJECT_STORE_BYTES)
  python_logging.getLogger("ray.serve").setLevel(python_logging.WARNING)
  try:
    return _deploy(settings, host, port, replicas, num_cpus, num_gpus)
  except ray_exceptions.RayError as error:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    raise RuntimeError(f"{type(error).__name__}: {' '.join(lines[:3])} Is the machine "
                       "overloaded? Try again.") from error


def _deploy(settings, host, port, replicas, num_cpus, num_gpus):
  quiet = {"enable_access_log": False, "log_level": "WARNING"}
  serve.start(http_options={"host": host, "port": port,
                            "request_timeout_s": settings.request_timeout_s + _GRACE_S},
              logging_config=quiet)
  least, most = replicas
  scale: dict[str, Any] = (
      {"num_replicas": least} if least == most else
      {"autoscaling_config": {"min_replicas": least, "max_replicas": most}})
  deployment = serve.deployment(
      name=settings.model_name, **scale,
      # The replica itself refuses excess requests: Ray Serve's answer is not JSON.
      max_ongoing_requests=2 * settings.max_queued_requests + 100,
      ray_actor_options={"num_cpus": num_cpus, "num_gpus": num_gpus},
      graceful_shutdown_timeout_s=settings.request_timeout_s + _GRACE_S,
      graceful_shutdown_wait_loop_s=0.1,
      logging_config=quiet)(Replica)
  handle = serve.run(deployment.bind(settings), name=APPLICATION)
  return handle.describe.remote().result(timeout_s=_DESCRIBE_SECS)


class _WithoutRaylet(io.TextIOBase):
  """A stream without the lines in which Ray reports what it has ended itself.

  Args:
    stream: Stream for the other lines.
  """

  def __init__(self, stream: TextIO):
    super().__init__()
    self._stream, self._begun = stream, ""

  def write(self, text: str) -> int:
    *lines, self._begun = (self._begun + text).split("\n")
    for line in lines:
      if "(raylet)" not in line:
        self._stream.write(f"{line}\n")
    return len(text)

  def flush(self) -> None:
    self._stream.flush()


def stop() -> None:
  """Stops the server, if it runs, after the requests that it has received."""
  if ray.is_initialized():
    serve.delete(APPLICATION)
    # All is answered. Ray's own processes are killed now, and it would tell that as
    # failures of their tasks.
    with contextlib.redirect_stdout(_WithoutRaylet(sys.stdout)), (
        contextlib.redirect_stderr(_WithoutRaylet(sys.stderr))):
      serve.shutdown()
      ray.shutdown()
