# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-serve`: serves a model with the REST API of TensorFlow Serving, on Ray Serve.

    yt8m-export --train_dir=model --output_dir=serving/blstm --versioned
    yt8m-serve --model_dir=serving/blstm --model_name=blstm

    curl http://localhost:8501/v1/models/blstm
    curl -d "{\\"instances\\": [{\\"b64\\": \\"$(base64 -w0 record)\\"}]}" \\
        http://localhost:8501/v1/models/blstm:predict

A new version in --model_dir is served without the loss of a request. After Ctrl-C or
SIGTERM, requests that have already arrived are still answered. See `docs/serving.md`.
"""

import json
import os
import socket
import time

from absl import flags
from absl import logging

from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import files
from yt8m.core import network
from yt8m.core import paths
from yt8m.core import registry
from yt8m.core import signals
from yt8m.export.serving import model_versions
from yt8m.media import opening

FLAGS = flags.FLAGS

paths.define("model_dir", "", "Directory of versions that `yt8m-export "
             "--versioned` writes, or one SavedModel; required.",
             must_exist="name a directory that yt8m-export wrote")
command_line.require("model_dir", "name the model to serve")
flags.DEFINE_string("model_name", "default", "Name of the model in the routes.")
flags.DEFINE_enum("versions", model_versions.LATEST,
                  [model_versions.LATEST, model_versions.ALL], "Versions to serve.")
flags.DEFINE_float("poll_seconds", 10.0, "Seconds between two searches for new versions; "
                   "0 never searches.", 0)

# ------------------------------------------------------------------------ the network
flags.DEFINE_string("host", "127.0.0.1", "Address to listen at. 0.0.0.0 is every address "
                    "of the machine: there is no authentication, see docs/serving.md.")
flags.DEFINE_integer("port", 8501, "Port to listen at.", 1, 65535)
flags.DEFINE_float("max_body_mib", 64.0, "Largest request in MiB; larger ones get 413.",
                   0.001)
flags.DEFINE_float("request_timeout_s", 60.0, "Seconds after which a request gets 504.",
                   0.001)
flags.DEFINE_integer("max_queued_requests", 256, "Largest number of requests that wait "
                     "or run in a replica; others get 503.", 1)
flags.DEFINE_bool("access_log", False, "Log every request, as a line of JSON.")

# -------------------------------------------------------------------------- the model
flags.DEFINE_integer("max_batch_size", 128, "Largest number of videos in one call of the "
                     "model. Larger requests are cut, smaller ones share a call.", 1)
flags.DEFINE_float("batch_wait_ms", 0.0, "Milliseconds that a free model waits for more "
                   "requests.", 0)
flags.DEFINE_integer("num_replicas", 1, "Processes that each load the model.", 1)
flags.DEFINE_integer("min_replicas", None, "Smallest number of replicas, if the number "
                     "varies with the load.", 1)
flags.DEFINE_integer("max_replicas", None, "Largest number of replicas, if the number "
                     "varies with the load.", 1)
flags.DEFINE_integer("num_cpus", None, "CPU cores per replica, and threads of "
                     "TensorFlow; default: an equal share of this machine's cores.", 1)
flags.DEFINE_float("num_gpus", 0.0, "GPUs per replica; two replicas with 0.5 share one.",
                   0)
flags.DEFINE_string("ray_address", None, "Address of the Ray cluster to serve on; "
                    "default: this machine. The cluster must see --model_dir.")

flags.DEFINE_bool("media", False, "Answer media files as well, of at most --max_body_mib "
                  "(POST /v1/models/<name>:media). They are decoded in a process of its "
                  "own, which takes at most --request_timeout_s.")
flags.DEFINE_float("media_memory_gib", 8.0, "GiB of addresses that decoding a media file "
                   "may need.", 0.5)
paths.define("weights_dir", "", "Directory with the files of weights of the extractor of "
             "--media, if it needs some.",
             must_exist="name the directory of the files of weights")

_MIDDLEWARES = {"RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH":
                "yt8m.export.serving.http_proxy.middlewares"}
# Seconds that Ray waits for its own processes, which on a busy machine take longer than
# the 5 and 10 that it expects.
_PATIENT_RAY = {"RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "120",
                "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "60"}
# Ray keeps lines back that several replicas log, and shows them when it stops.
_EVERY_LINE = {"RAY_DEDUP_LOGS": "0"}

_STOP_SECS = 30.0  # for Ray to end its processes


def main() -> None:
  if not FLAGS.model_name or set(FLAGS.model_name) & set("/:#?%"):
    raise ValueError(f"--model_name={FLAGS.model_name} must be usable in a URL: choose "
                     "one without /:#?%.")
  if FLAGS.access_log and FLAGS.ray_address:
    raise ValueError("--access_log is written by the proxy that yt8m-serve starts, and "
                     "with --ray_address that of the cluster answers: leave out one.")
  if FLAGS.media:
    opening.load_av()  # An error that every replica would have.
  model_dir = FLAGS.model_dir
  if not files.is_remote(model_dir):
    model_dir = os.path.abspath(model_dir)  # replicas have other working directories
  model_versions.check(model_dir)
  replicas = _replicas()
  num_cpus = FLAGS.num_cpus or max(1, (os.cpu_count() or 1) // replicas[1])
  if not FLAGS.ray_address:
    _check_port(FLAGS.host, FLAGS.port)
  ray_serving = _import_ray_serving(
      max_body_bytes=int(FLAGS.max_body_mib * 2**20), num_replicas=replicas[1],
      body_secs=FLAGS.request_timeout_s, access_log=FLAGS.access_log)
  settings = ray_serving.Settings(
      model_dir=model_dir, versions=FLAGS.versions, model_name=FLAGS.model_name,
      poll_s=FLAGS.poll_seconds, max_batch_size=FLAGS.max_batch_size,
      batch_wait_s=FLAGS.batch_wait_ms / 1000,
      max_queued_requests=FLAGS.max_queued_requests,
      request_timeout_s=FLAGS.request_timeout_s,
      max_body_bytes=int(FLAGS.max_body_mib * 2 ** 20), num_threads=num_cpus,
      allow_code=registry.allowed_code(), quiet=FLAGS.quiet,
      media_bytes=round(FLAGS.media_memory_gib * 2**30) if FLAGS.media else 0,
      weights_dir=os.path.abspath(FLAGS.weights_dir) if FLAGS.weights_dir else "")
  logging.info("Starting %s replicas of %s.", "–".join(map(str, sorted(set(replicas)))),
               model_dir)
  try:
    versions = ray_serving.start(
        settings, FLAGS.host, FLAGS.port, replicas, num_cpus, FLAGS.num_gpus,
        ray_address=FLAGS.ray_address)
    ready = {version: signatures for version, signatures in versions.items()
             if not isinstance(signatures, str)}
    if not ready:
      raise ValueError(versions[max(versions)])
    for version, signatures in ready.items():
      logging.info("Ready: http://%s:%d/v1/models/%s, version %d: %s", FLAGS.host,
                   FLAGS.port, FLAGS.model_name, version, ", ".join(signatures))
    _wait_for_signal()
    logging.info("Stopping, after the requests that have arrived.")
  except RuntimeError as error:
    raise ValueError(f"Ray Serve could not start the server: {error}") from error
  finally:
    ray_serving.stop()


def _wait_for_signal():
  with signals.deferred() as received:
    while not received:
      time.sleep(0.2)


def _replicas() -> tuple[int, int]:
  """Returns the smallest and the largest number of replicas."""
  if (FLAGS.min_replicas, FLAGS.max_replicas) == (None, None):
    return FLAGS.num_replicas, FLAGS.num_replicas
  if FLAGS["num_replicas"].present:
    raise ValueError("--num_replicas is a fixed number; with --min_replicas and "
                     "--max_replicas it varies. Give one or the other.")
  least = FLAGS.min_replicas or 1
  most = FLAGS.max_replicas or least
  if least > most:
    raise ValueError(f"--min_replicas={least} is more than --max_replicas={most}.")
  return least, most


def _check_port(host: str, port: int) -> None:
  try:
    [(family, *_, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    with socket.socket(family, socket.SOCK_STREAM) as probe:
      probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
      probe.bind(address)
  except OSError as error:
    raise ValueError(f"The server cannot listen at --host={host} --port={port}: "
                     f"{error.strerror}. Choose others.") from error


def _import_ray_serving(**proxy):
  if not FLAGS.ray_address:
    network.protect_local_ray(
        **_MIDDLEWARES, **_PATIENT_RAY, **_EVERY_LINE,
        YT8M_SERVE_SETTINGS=json.dumps(proxy))
  try:
    from yt8m.export.serving import ray_serving
  except ImportError as error:
    raise ValueError(f"yt8m-serve requires Ray Serve ({error}): "
                     "pip install 'yt8m[ray]'") from error
  return ray_serving


def run() -> None:
  command.run(main, stop_secs=_STOP_SECS)


if __name__ == "__main__":
  run()
