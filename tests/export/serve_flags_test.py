# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Wrong flags of `yt8m-serve`, and a missing Ray, are explained."""

import json
import re
import socket
import subprocess
import sys

from tests.helpers import serving
from tests.helpers import support

# Wrong flags are reported before Ray starts, so one process can try them all.
FLAGS_CODE = """
import json
import sys
from absl import flags
from absl.testing import flagsaver
from yt8m.export import serve

class Ray:
  Settings = staticmethod(lambda **settings: settings)
  def start(settings, *_, **options):
    if settings["model_name"] == "late":
      raise RuntimeError("RayError: Is the machine overloaded? Try again.")
    return {3: "three is damaged", 2: "two is damaged"}
  stop = staticmethod(lambda: print("stopped", file=sys.stderr))

flags.FLAGS(["yt8m-serve"])
serve._import_ray_serving = lambda **limits: Ray
errors = []
for given in json.loads(sys.argv[1]):
  with flagsaver.as_parsed(**given):
    try:
      serve.main()
    except (ValueError, OSError) as error:
      errors.append(str(error))
print(json.dumps(errors))
"""


def test_what_cannot_be_served_is_explained(tmp_path):
  (tmp_path / "saved_model.pb").touch()
  model = {"model_dir": str(tmp_path)}
  with socket.socket() as taken:
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    cases = [
        ({"model_dir": "/no/such"}, "--model_dir=/no/such has no versions"),
        ({**model, "model_name": "a/b"}, "choose one without /:"),
        ({**model, "num_replicas": "2", "max_replicas": "3"}, "Give one or the other"),
        ({**model, "min_replicas": "3", "max_replicas": "2"},
         "--min_replicas=3 is more than --max_replicas=2"),
        ({**model, "access_log": "true", "ray_address": "auto"},
         "--access_log is written by .* leave out one"),
        ({**model, "port": str(taken.getsockname()[1])}, "cannot listen at .*: Addr"),
        ({**model, "host": "no.such.host.invalid"}, "The server cannot listen at"),
        ({**model, "port": str(serving.free_port()), "model_name": "late"},
         "Ray Serve could not start the server: RayError: Is .* Try again"),
        ({**model, "port": str(serving.free_port())}, "three is damaged")]
    process = subprocess.run(
        [sys.executable, "-c", FLAGS_CODE, json.dumps([given for given, _ in cases])],
        env=support.ENVIRONMENT, capture_output=True, text=True)
  assert process.returncode == 0, process.stderr
  errors = json.loads(process.stdout)
  assert len(errors) == len(cases)
  for error, (_, message) in zip(errors, cases, strict=True):
    assert re.search(message, error)
  assert process.stderr.splitlines()[-1] == "stopped"


def test_without_ray_it_says_what_to_install(tmp_path):
  (tmp_path / "saved_model.pb").touch()
  code = ("import sys; sys.modules['ray'] = None; from yt8m.export import serve; "
          "serve.run()")
  process = subprocess.run(
      [sys.executable, "-c", code, f"--model_dir={tmp_path}",
       f"--port={serving.free_port()}"],
      env=support.ENVIRONMENT, capture_output=True, text=True)
  assert process.returncode == 1
  assert "pip install 'yt8m[ray]'" in process.stderr
