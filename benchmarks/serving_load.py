# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Load test of `yt8m-serve` on this machine: latency, rate, wrong and lost answers.

  python benchmarks/serving_load.py --chart=serving-load.png

Exports untrained models, starts the server for each as a user does, and sends requests
from 1, 8 and 64 clients over the loopback interface. Each client keeps its connection,
sends one video a request, and waits for the answer before the next request. The videos
are SYNTHETIC. Every answer is compared with the model in this process, to 1e-6; a
request without an answer counts as lost. The same work without a server, with 1 and 64
videos a call, is printed for comparison. Clients, server and model share the cores of
one machine; clients on another machine would leave more cores to the server.
"""

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

# As a script, only this folder is on the path.
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from yt8m.artifacts.saved_model import Contract  # noqa: E402
from yt8m.core import plots  # noqa: E402
from yt8m.data import tfrecords  # noqa: E402

_MODELS = flags.DEFINE_list("models", "MoeModel,FrameLevelLogisticModel",
                            "Recipes to serve.")
_CLIENTS = flags.DEFINE_list("clients", "1,8,64", "Numbers of clients.")
_SECONDS = flags.DEFINE_float("seconds", 10.0, "Seconds of each measurement.")
_VIDEOS = flags.DEFINE_integer("videos", 64, "Number of different videos.")
_FLAGS = flags.DEFINE_string("server_flags", "", "Further flags of yt8m-serve.")
_CHART = flags.DEFINE_string("chart", None, "PNG for a chart of the table.")

# Quantiles of the number of frames of a YouTube-8M video.
LENGTHS = ([1, 129, 175, 232, 300, 300], [0, 0.05, 0.25, 0.5, 0.75, 1])
ATOL = 1e-6


def make_records(contract: Contract) -> list[bytes]:
  """Returns serialized videos with the features that a model reads."""
  rng = np.random.default_rng(0)
  sizes = dict(zip(contract.spec.names, contract.spec.sizes, strict=True))
  records = []
  for number in range(_VIDEOS.value):
    if contract.spec.is_video_level:
      record = tfrecords.video_example(f"v{number}", [], {
          name: rng.normal(size=size) for name, size in sizes.items()})
    else:
      frames = int(np.interp(rng.random(), LENGTHS[1], LENGTHS[0]))
      record = tfrecords.frame_example(f"v{number}", [], {
          name: rng.integers(256, size=(frames, size), dtype=np.uint8)
          for name, size in sizes.items()})
    records.append(record.SerializeToString())
  return records


@contextlib.contextmanager
def running_server(model_dir: str) -> Iterator[int]:
  """Yields the port of a running server."""
  with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
  with tempfile.TemporaryFile("w+") as log:
    process = subprocess.Popen(
        [sys.executable, "-m", "yt8m.export.serve", f"--model_dir={model_dir}",
         "--model_name=m", f"--port={port}", *_FLAGS.value.split()],
        stdout=log, stderr=log)
    try:
      while not _answers(port):
        if process.poll() is not None:
          log.seek(0)
          raise RuntimeError(log.read())
        time.sleep(0.2)
      yield port
    finally:
      process.send_signal(signal.SIGTERM)
      process.wait()


def _answers(port: int) -> bool:
  connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
  try:
    connection.request("GET", "/v1/models/m")
    return connection.getresponse().status == 200
  except OSError:
    return False
  finally:
    connection.close()


def load(port: int, num_clients: int, bodies: Sequence[str | None]
         ) -> tuple[list[tuple[int, float, bytes | None]], float]:
  """Runs the clients; an empty body requests the status.

  Returns:
    A list of `(number of the body, seconds, answer or None)`, and the total seconds.
  """
  results, barrier = [], threading.Barrier(num_clients + 1)

  def client(number):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    barrier.wait()
    while time.perf_counter() < end:
      video = number % len(bodies)
      number += num_clients
      begin = time.perf_counter()
      try:
        if bodies[video]:
          connection.request("POST", "/v1/models/m:predict", bodies[video])
        else:
          connection.request("GET", "/v1/models/m")
        response = connection.getresponse()
        answer = response.read() if response.status == 200 else None
        response.read()
      except (OSError, http.client.HTTPException):
        answer = None
        connection.close()  # the next request opens a new connection
      results.append((video, time.perf_counter() - begin, answer))
    connection.close()

  threads = [threading.Thread(target=client, args=(i,)) for i in range(num_clients)]
  end = float("inf")
  for thread in threads:
    thread.start()
  begin = time.perf_counter()
  end = begin + _SECONDS.value
  barrier.wait()
  for thread in threads:
    thread.join()
  return results, time.perf_counter() - begin


def is_right(answer: bytes, video_id: str, scores: np.ndarray) -> bool:
  """Returns whether an answer has the best classes of these scores."""
  [row] = json.loads(answer)["predictions"]
  arrays = {name: np.ravel(x) for name, x in row.items()}
  best = -np.sort(-scores)[:len(arrays["predictions"])]
  return (arrays["video_id"].tolist() == [video_id]
          and np.allclose(arrays["predictions"], best, atol=ATOL, rtol=0)
          and np.allclose(scores[arrays["class_indexes"]], best, atol=ATOL, rtol=0))


def rate_without_server(signature: Any, records: list[bytes], batch_size: int) -> float:
  """Returns the requests a second without a server, `batch_size` of them a call."""
  def call(first):
    # By keyword. For a positional argument TensorFlow first formats an error message with
    # the whole input, which takes longer than the prediction.
    signature(example_bytes=tf.constant(records[first:first + batch_size]))

  call(0)
  begin, done = time.perf_counter(), 0
  while time.perf_counter() - begin < _SECONDS.value / 2:
    first = done % len(records)
    call(first)
    done += len(records[first:first + batch_size])
  return done / (time.perf_counter() - begin)


def measure(recipe: str, folder: str) -> list[tuple]:
  """Prints the table of a model and returns its rows."""
  model_dir = os.path.join(folder, recipe)
  subprocess.run(
      [sys.executable, "-m", "yt8m.export.export_model", f"--model={recipe}",
       "--untrained", f"--output_dir={model_dir}/1"], check=True, capture_output=True)
  loaded = tf.saved_model.load(f"{model_dir}/1")
  serve, full = (loaded.signatures[name] for name in ("serving_default", "predict_full"))
  records = make_records(Contract.load(f"{model_dir}/1"))
  scores = [full(example_bytes=tf.constant([record]))["predictions"].numpy()[0]
            for record in records]
  bodies = [json.dumps({"instances": [{"b64": base64.b64encode(record).decode()}]})
            for record in records]
  alone, batched = (rate_without_server(serve, records, size) for size in (1, 64))
  print(f"\n{recipe}: {_VIDEOS.value} SYNTHETIC videos, mean request "
        f"{np.mean(list(map(len, bodies))) / 1024:.0f} KiB. In process: {alone:.0f} "
        f"requests/s one by one, {batched:.0f} in batches of 64.")
  print(f"{'clients':>7} {'what':>8} {'requests':>8} {'wrong':>5} {'lost':>4} "
        f"{'requests/s':>10} {'of one by one':>13} {'p50 ms':>7} {'p99 ms':>7}")
  rows = []
  with running_server(model_dir) as port:
    load(port, 8, bodies)  # shapes that are new to TensorFlow
    for what, requests in (("status", [None]), ("predict", bodies)):
      for num_clients in map(int, _CLIENTS.value):
        results, seconds = load(port, num_clients, requests)
        lost = sum(answer is None for _, _, answer in results)
        wrong = 0 if what == "status" else sum(
            not is_right(answer, f"v{video}", scores[video])
            for video, _, answer in results if answer is not None)
        rate = (len(results) - lost) / seconds
        p50, p99 = np.percentile([seconds for _, seconds, _ in results], [50, 99]) * 1000
        share = "" if what == "status" else f"{rate / alone:.2f}"
        print(f"{num_clients:>7} {what:>8} {len(results):>8} {wrong:>5} {lost:>4} "
              f"{rate:>10.1f} {share:>13} {p50:>7.1f} {p99:>7.1f}", flush=True)
        rows.append((recipe, what, num_clients, rate, p50, p99))
  return rows


def draw(rows: list[tuple], path: str) -> None:
  """Draws rate and latency over the number of clients; needs matplotlib."""
  ticker = plots.matplotlib().ticker
  figure = plots.figure(9, 3.5)
  rates, latencies = figure.subplots(1, 2)
  for recipe in dict.fromkeys(row[0] for row in rows):
    points = [row for row in rows if row[:2] == (recipe, "predict")]
    clients = [row[2] for row in points]
    [line] = rates.plot(clients, [row[3] for row in points], "o-", label=recipe)
    for column, style, name in ((4, "o-", "median"), (5, "o--", "99th percentile")):
      latencies.plot(clients, [row[column] for row in points], style,
                     color=line.get_color(), label=f"{recipe}, {name}")
  rates.set(ylabel="requests/s", ylim=(0, None))
  latencies.set(ylabel="latency, ms", yscale="log")
  latencies.yaxis.set_major_formatter(ticker.ScalarFormatter())
  latencies.yaxis.set_minor_formatter(ticker.LogFormatter(minor_thresholds=(2, 0.5)))
  latencies.tick_params(axis="y", which="minor", labelsize="medium")
  for axes in (rates, latencies):
    axes.set(xscale="log", xlabel="concurrent clients")
    axes.set_xticks(clients, clients)
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.legend(fontsize="small")
  plots.save(figure, path, dpi=150)


def main(_) -> None:
  with tempfile.TemporaryDirectory() as folder:
    rows = [row for recipe in _MODELS.value for row in measure(recipe, folder)]
  if _CHART.value:
    draw(rows, _CHART.value)


if __name__ == "__main__":
  app.run(main)
