# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Memory and file handles of a server and an evaluation over many cycles of work.

  python -m benchmarks.soak --minutes=120

Each cycle trains further, which the evaluation beside it notices, exports a new version,
which the server loads, predicts records, and sends requests to the server. Then the
memory and the open files of the processes that live all the time are measured. At the
end, a straight line through the values of each, without the first third, says whether
they grow: they are flat if the slope is within three standard errors of zero, or grows by
less than 2 % an hour.
"""

import base64
import contextlib
import json
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from yt8m.core import commands

_MINUTES = flags.DEFINE_float("minutes", 120, "Minutes after which no cycle begins.")
_STEPS = flags.DEFINE_integer("steps", 50, "Training steps of a cycle.")
_REQUESTS = flags.DEFINE_integer("requests", 200, "Requests of a cycle.")
_KEPT_VERSIONS = 3
_MAX_GROWTH = 0.02  # of the mean, in an hour

Sample = dict[str, float]  # "server MiB", "server files", …


def run(command: str, *arguments: str) -> None:
  """Runs a command to its end.

  Raises:
    RuntimeError: It failed; the message holds its last lines.
  """
  process = subprocess.run(commands.as_process(command, *arguments), capture_output=True,
                           text=True)
  if process.returncode:
    raise RuntimeError(f"{command} ended with {process.returncode}:\n"
                       + process.stderr[-2000:])


@contextlib.contextmanager
def started(log: str, command: str, *arguments: str) -> Iterator[subprocess.Popen]:
  """Starts a command that lives until the block ends."""
  with open(log, "w") as file:
    process = subprocess.Popen(commands.as_process(command, *arguments), stdout=file,
                               stderr=subprocess.STDOUT)
  try:
    yield process
  finally:
    process.terminate()
    process.wait()


def family(pid: int) -> list[int]:
  """Returns a process, its children, and so on."""
  parents = {}
  for name in filter(str.isdigit, os.listdir("/proc")):
    with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
      parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
  found = [pid]
  for ancestor in found:
    found += [child for child, parent in parents.items() if parent == ancestor]
  return found


def measure(name: str, pid: int) -> Sample:
  """Returns the MiB and the open files of a process and its children together."""
  pages = num_files = 0
  for member in family(pid):
    with contextlib.suppress(OSError):
      with open(f"/proc/{member}/statm") as file:
        resident, shared = map(int, file.read().split()[1:3])
        pages += resident - shared
      num_files += len(os.listdir(f"/proc/{member}/fd"))
  return {f"{name} MiB": pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
          f"{name} files": num_files}


def slope(hours: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
  """Returns the slope of a straight line through values, and its standard error.

  >>> from benchmarks import soak
  >>> soak.slope([0, 1, 2, 3], [5, 5, 5, 5])
  (0.0, 0.0)
  """
  x = np.asarray(hours) - np.mean(hours)
  y = np.asarray(values) - np.mean(values)
  gradient = float(x @ y / (x @ x))
  noise = y - gradient * x
  error = math.sqrt(float(noise @ noise) / max(1, len(x) - 2) / float(x @ x))
  return gradient, error


def cycle(number: int, folder: str, port: int) -> None:
  """Trains, exports, predicts and sends requests once."""
  sample = f"{folder}/sample"
  run("yt8m-train", f"--train_dir={folder}/model", "--frame_features",
      f"--train_data_pattern={sample}/frame/train*.tfrecord", "--num_classes=20",
      "--max_frames=20", "--feature_names=rgb,audio", "--feature_sizes=64,16",
      "--model=FrameLevelLogisticModel", "--batch_size=16", "--num_epochs=1000000",
      f"--max_steps={number * _STEPS.value}")
  run("yt8m-export", f"--train_dir={folder}/model", f"--output_dir={folder}/serving",
      "--versioned")
  versions = sorted((name for name in os.listdir(f"{folder}/serving") if name.isdigit()),
                    key=int)
  for version in versions[:-_KEPT_VERSIONS]:
    shutil.rmtree(f"{folder}/serving/{version}")
  run("yt8m-inference", f"--train_dir={folder}/model", "--overwrite",
      f"--input_data_pattern={sample}/frame/test*.tfrecord",
      f"--output_file={folder}/predictions.csv")
  if port:
    send_requests(f"{sample}/frame/test0.tfrecord", port)


def send_requests(path: str, port: int) -> None:
  """Sends the records of a file to the server, one request each, again and again."""
  records = list(tf.data.TFRecordDataset(path).as_numpy_iterator())
  for number in range(_REQUESTS.value):
    record = base64.b64encode(bytes(records[number % len(records)])).decode()
    body = json.dumps({"instances": [{"b64": record}]}).encode()
    with urllib.request.urlopen(
        f"http://127.0.0.1:{port}/v1/models/soak:predict", body, timeout=60) as answer:
      json.load(answer)


def wait_until_ready(port: int, log: str) -> None:
  for _ in range(600):
    with contextlib.suppress(OSError), urllib.request.urlopen(
        f"http://127.0.0.1:{port}/v1/models/soak", timeout=5):
      return
    time.sleep(1)
  with open(log) as file:
    raise RuntimeError("The server is not ready after ten minutes:\n"
                       + file.read()[-2000:])


def report(hours: Sequence[float], samples: Sequence[Sample]) -> bool:
  """Prints slopes as Markdown; returns whether all are flat."""
  first = len(samples) // 3  # Caches fill.
  print("\n| what | mean | slope per hour | standard error | |\n|---|--:|--:|--:|---|")
  all_flat = True
  for name in samples[0]:
    values = [sample[name] for sample in samples[first:]]
    gradient, error = slope(hours[first:], values)
    mean = float(np.mean(values))
    flat = gradient <= max(3 * error, _MAX_GROWTH * mean)
    all_flat &= flat
    print(f"| {name} | {mean:.1f} | {gradient:+.2f} | {error:.2f} | "
          f"{'flat' if flat else 'GROWS'} |")
  return all_flat


def main(argv: Sequence[str]) -> None:
  del argv
  with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
  with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
    run("yt8m-sample-data", f"--output_dir={folder}/sample", "--num_videos=200",
        "--num_classes=20", "--max_frames=20", "--feature_sizes=64,16", "--num_shards=2",
        "--nosegments")
    cycle(1, folder, port=0)
    evaluation = stack.enter_context(started(
        f"{folder}/evaluation.log", "yt8m-eval", f"--train_dir={folder}/model",
        f"--eval_data_pattern={folder}/sample/frame/validate*.tfrecord",
        "--eval_interval_secs=1"))
    server = stack.enter_context(started(
        f"{folder}/server.log", "yt8m-serve", f"--model_dir={folder}/serving",
        "--model_name=soak", f"--port={port}", "--poll_seconds=2", "--num_cpus=1"))
    wait_until_ready(port, f"{folder}/server.log")
    hours, samples, began = [], [], time.monotonic()
    while time.monotonic() - began < 60 * _MINUTES.value or len(samples) < 3:
      cycle(len(samples) + 2, folder, port)
      for name, process in (("server", server), ("evaluation", evaluation)):
        if process.poll() is not None:
          with open(f"{folder}/{name}.log") as log:
            raise RuntimeError(f"The {name} has ended:\n{log.read()[-2000:]}")
      samples.append({**measure("server", server.pid),
                      **measure("evaluation", evaluation.pid)})
      hours.append((time.monotonic() - began) / 3600)
      if len(samples) == 1:
        print("| cycle | minutes | " + " | ".join(samples[0]) + " |\n"
              + "|--:" * (2 + len(samples[0])) + "|")
      print(f"| {len(samples)} | {60 * hours[-1]:.1f} | "
            + " | ".join(f"{value:.1f}" for value in samples[-1].values()) + " |",
            flush=True)
  if not report(hours, samples):
    sys.exit("Something grows, see above.")


if __name__ == "__main__":
  app.run(main)
