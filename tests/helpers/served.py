# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A running `yt8m-serve` with a small model."""

import http.client
import importlib.util
import json
import subprocess
import sys
import time

import pytest

from tests.helpers import serving
from tests.helpers import support

TIMEOUT_S = 60
# Ray is an extra: without it, the other tests still run.
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason="Ray is not installed: pip install 'yt8m[ray]'")


class Server:
  """The running command."""

  def __init__(self, folder, case, *flags, **options):
    self.port = serving.free_port()
    self.model_dir, self.log = folder / "versions", folder / "log"
    self.model_dir.mkdir()
    self.model = serving.save(case, self.model_dir / "1", **options)
    self.name = next(flag.partition("=")[2] for flag in flags if "--model_name" in flag)
    with self.log.open("w") as log:
      self.process = subprocess.Popen(
          [sys.executable, "-m", "yt8m.export.serve", f"--model_dir={self.model_dir}",
           f"--port={self.port}", "--num_cpus=1", *flags],
          stdout=log, stderr=log, env=support.ENVIRONMENT)
    self.wait_for(lambda: "Ready:" in self.log.read_text())

  def wait_for(self, condition, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
      assert self.process.poll() is None and time.monotonic() < end, self.log.read_text()
      time.sleep(0.1)

  def get(self, method, path, body=None):
    """Returns status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
    try:
      connection.request(method, path, body)
      answer = connection.getresponse()
      return answer.status, dict(answer.getheaders()), answer.read()
    finally:
      connection.close()

  def ask(self, method, path, body=None, **content):
    """Returns `(status, content)` of an answer, which must be JSON."""
    status, _, text = self.get(
        method, path, body or (json.dumps(content) if content else None))
    return status, json.loads(text)

  def predict(self, **content):
    return self.ask("POST", f"/v1/models/{self.name}:predict", **content)

  def end(self):
    if self.process.poll() is None:
      self.process.terminate()
      self.process.wait(timeout=120)
