# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`model_server.py` as a deployment of Ray Serve. This file wants Ray.

Ray Serve brings the HTTP proxy, the replicas, their scaling and their replacement when
one dies. Limits and errors are ours, so that they look like TensorFlow Serving's.
"""

import dataclasses
import logging as python_logging
import math
import os
import threading

import ray
import tensorflow as tf
from absl import logging
from ray import serve
from starlette import responses

from yt8m.export.serving import model_server
from yt8m.export.serving import model_versions
from yt8m.export.serving import request_queue
from yt8m.export.serving import rest_api

APPLICATION = "yt8m"
_GRACE_S = 5  # what Ray Serve's own timeouts wait beyond ours
# Requests go by messages; the store of shared objects stays empty.
_OBJECT_STORE_BYTES = 80 * 2 ** 20


@dataclasses.dataclass(frozen=True)
class Settings:
  """What a replica serves, and how.

  Attributes:
    model_dir, versions: see `model_versions.Versions`.
    model_name: in the routes.
    poll_s: seconds between two looks for new versions; 0 never looks.
    max_batch_size, batch_wait_s, max_queued_requests: see `RequestQueue`.
    request_timeout_s: after which a request is given up.
    max_body_bytes: of a request.
    num_threads: of TensorFlow.
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


class Replica:
  """One process that has the model loaded."""

  def __init__(self, settings):
    logging.set_verbosity(logging.INFO)
    os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # replicas may share a GPU
    tf.config.threading.set_intra_op_parallelism_threads(settings.num_threads)
    self._settings = settings
    self._versions = model_versions.Versions(settings.model_dir, settings.versions)
    self._server = model_server.ModelServer(
        settings.model_name, self._versions,
        request_queue.RequestQueue(settings.max_batch_size, settings.batch_wait_s,
                                   settings.max_queued_requests),
        settings.request_timeout_s)
    if settings.poll_s:
      threading.Thread(target=self._poll, daemon=True).start()

  async def __call__(self, request):
    try:
      body = await read_body(request, self._settings.max_body_bytes)
    except rest_api.RestError as error:
      status, content = int(error.status), rest_api.format_error(str(error))
    else:
      status, content = await self._server.answer(
          request.method, request.scope["path"], body)
    return responses.Response(content, status, media_type="application/json")

  def describe(self):
    """`{version: [signature, …], or why it is not served}`, the newest first."""
    return {number: str(error) if error else list(self._versions.get(number).signatures)
            for number, error in self._versions.status().items()}

  def _poll(self):
    stop = threading.Event()
    while not stop.wait(self._settings.poll_s):
      try:
        self._versions.refresh()
      except Exception:  # a file system may be away for a while
        logging.exception("Looking for versions in %s", self._settings.model_dir)


async def read_body(request, max_bytes):
  """Returns the body of a request, and reads little more of it than it may have.

  Raises:
    rest_api.RestError: 413.
  """
  too_large = rest_api.RestError(
      413, f"The body has more than {max_bytes:,} bytes. Send fewer videos at once, or "
      "start the server with a larger --max_body_mib.")
  length = request.headers.get("content-length", "0")
  if not length.isdigit() or int(length) > max_bytes:
    raise too_large
  body = bytearray()
  async for chunk in request.stream():
    body += chunk
    if len(body) > max_bytes:
      raise too_large
  return bytes(body)


def start(settings, host, port, replicas, num_cpus, num_gpus, ray_address=None):
  """Starts the server, and returns when it answers.

  Args:
    settings: `Settings`.
    host, port: where it listens.
    replicas: `(min, max)`; if they differ, Ray Serve scales between them.
    num_cpus, num_gpus: of a replica.
    ray_address: of a cluster; None starts Ray on this machine.

  Returns:
    What `Replica.describe` says.

  Raises:
    RuntimeError: Ray Serve could not start it.
  """
  if ray_address:
    ray.init(ray_address, logging_level="ERROR")
  else:
    ray.init("local", num_cpus=num_cpus * replicas[1],
             num_gpus=math.ceil(num_gpus * replicas[1]) or None,
             include_dashboard=False, logging_level="ERROR",
             object_store_memory=_OBJECT_STORE_BYTES)
  python_logging.getLogger("ray.serve").setLevel(python_logging.WARNING)
  quiet = {"enable_access_log": False, "log_level": "WARNING"}
  serve.start(http_options={"host": host, "port": port,
                            "request_timeout_s": settings.request_timeout_s + _GRACE_S},
              logging_config=quiet)
  least, most = replicas
  scale = ({"num_replicas": least} if least == most else
           {"autoscaling_config": {"min_replicas": least, "max_replicas": most}})
  deployment = serve.deployment(
      Replica, name=settings.model_name, **scale,
      # The replica refuses what is too much itself: Ray Serve's answer is no JSON.
      max_ongoing_requests=2 * settings.max_queued_requests + 100,
      ray_actor_options={"num_cpus": num_cpus, "num_gpus": num_gpus},
      graceful_shutdown_timeout_s=settings.request_timeout_s + _GRACE_S,
      graceful_shutdown_wait_loop_s=0.1,
      logging_config=quiet)
  handle = serve.run(deployment.bind(settings), name=APPLICATION)
  return handle.describe.remote().result(timeout_s=60)


def stop():
  """Lets requests that have come end, and stops the server; nothing, if none runs."""
  if ray.is_initialized():
    serve.delete(APPLICATION)
    serve.shutdown()
    ray.shutdown()
