# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The images name commands, flags, ports and files that exist. None is built here."""

import json
import pathlib
import re

import pytest

from yt8m.core import commands

yaml = pytest.importorskip("yaml", reason="it comes with pip install 'yt8m[ray]'")

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCKER = ROOT / "docker"
IMAGES = {path.name: path.read_text() for path in DOCKER.glob("*.Dockerfile")}


def known_flags(command):
  text = (ROOT / "yt8m/core/help" / f"{command}.txt").read_text()
  return set(re.findall(r"^  --(\w+)", text, re.MULTILINE))


def lines_of(text, instruction):
  """Returns the JSON arguments of an instruction, with its continued lines."""
  joined = text.replace("\\\n", "")
  return [json.loads(found) for found in re.findall(
      rf"{instruction}.*?(\[.*\])$", joined, re.MULTILINE)]


def compose():
  return yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]


@pytest.mark.parametrize("name", IMAGES)
def test_images_run_commands_with_flags_that_exist(name):
  found = [words for instruction in ("^ENTRYPOINT", "^CMD")
           for words in lines_of(IMAGES[name], instruction)]
  words = [word for words in found for word in words]
  assert words[0] in commands.COMMANDS
  flags = {word[2:].partition("=")[0] for word in words[1:]}
  assert flags <= {*known_flags(words[0]), "help"}


@pytest.mark.parametrize("name", IMAGES)
def test_images_get_the_extras_and_files_that_exist(name):
  [extras] = re.findall(r"yt8m\[(\w+)\] @", IMAGES[name])
  assert f'"{extras}": [' in (ROOT / "setup.py").read_text()
  kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().split()
          if line.startswith("!")}
  assert kept <= {path.name for path in ROOT.iterdir()}
  setup = (ROOT / "setup.py").read_text()
  needed = set(re.findall(r'"(yt8m|models|eval|export|README\.md)[/"]', setup))
  assert needed | {"setup.py", "pyproject.toml", "constraints.txt"} <= kept


def test_the_server_is_asked_where_it_listens():
  serve = compose()["serve"]
  assert (DOCKER / serve["build"]["context"]).resolve() == ROOT
  image = (ROOT / serve["build"]["dockerfile"]).read_text()
  port = re.search(r"--port=(\d+)", image)[1]
  assert f"EXPOSE {port}\n" in image and f"127.0.0.1:{port}/v2/health/ready" in image
  assert serve["ports"] == [f"127.0.0.1:{port}:{port}"]  # no authentication
  assert {word[2:].partition("=")[0] for word in serve["command"]} <= (
      known_flags("yt8m-serve"))
  [job] = yaml.safe_load((DOCKER / "prometheus.yaml").read_text())["scrape_configs"]
  assert job["static_configs"] == [{"targets": [f"serve:{port}"]}]
  routes = (ROOT / "export/serving/routes.py").read_text()
  assert f'METRICS = "{job["metrics_path"]}"' in routes
