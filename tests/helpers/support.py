# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Shared by many tests: the places of real data and goldens, and loading of goldens."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.helpers import forked_commands

ROOT = pathlib.Path(__file__).resolve().parents[2]
_SHARED = ROOT.parent / "shared"
DATA = pathlib.Path(os.environ.get("YT8M_DATA", _SHARED / "data"))
GOLDENS = pathlib.Path(os.environ.get("YT8M_GOLDENS", _SHARED / "goldens"))

# Environment of the commands that tests run: quiet, and on the CPU.
ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1",
               "PYTHONPATH": str(ROOT)}

# Real records are not part of the project. Tests that need them skip without them.
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no real records at {DATA}: set YT8M_DATA")
# The same holds for the reference values.
needs_goldens = pytest.mark.skipif(
    not GOLDENS.is_dir(), reason=f"no reference values at {GOLDENS}: set YT8M_GOLDENS")


def load_golden(name):
  """Returns the arrays of a golden file as a dict, and its `meta` as another."""
  with np.load(GOLDENS / f"{name}.npz") as archive:
    arrays = {key: archive[key] for key in archive.files}
  return arrays, json.loads(str(arrays.pop("meta")))


def with_prefix(arrays, prefix):
  """Returns the entries whose keys start with `prefix`, without the prefix."""
  return {key[len(prefix):]: value for key, value in arrays.items()
          if key.startswith(prefix)}


def run_command(module, *arguments, check=True, environment=None):
  """Runs a command as a user types it and returns the completed process."""
  process = forked_commands.run(
      module, [str(argument) for argument in arguments],
      {**ENVIRONMENT, **(environment or {})}, timeout=300)
  if check and process.returncode:
    raise AssertionError(f"{module} failed:\n{process.stdout}\n{process.stderr}")
  return process


def run_script(name):
  """Returns the last line that a script of tests/helpers prints, as JSON.

  It is a process of its own, because the number of logical devices cannot be changed.
  """
  output = subprocess.run(
      [sys.executable, str(ROOT / "tests/helpers" / name)], capture_output=True,
      text=True, timeout=300, cwd=ROOT, env=ENVIRONMENT)
  assert output.returncode == 0, output.stderr[-3000:]
  return json.loads(output.stdout.splitlines()[-1])


def run_without_matplotlib(module, *arguments):
  """Runs a command as it is installed without extras; returns the completed process."""
  code = ("import runpy, sys; sys.modules['matplotlib'] = None\n"
          "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)")
  process = subprocess.run(
      [sys.executable, "-c", code, module, *map(str, arguments)], capture_output=True,
      text=True, env=ENVIRONMENT, cwd=ROOT, timeout=300)
  if process.returncode:
    raise AssertionError(f"{module} failed:\n{process.stdout}\n{process.stderr}")
  return process


def evaluated(train_dir, name):
  """Returns the newest file with a name, such as metrics-*.json, of all evaluations."""
  return max(pathlib.Path(train_dir, "eval").glob(f"*/{name}"),
             key=lambda path: path.stat().st_mtime_ns)


def read_submission(path):
  """Returns `{id: (classes, scores)}` of a submission CSV of videos, in its order."""
  header, *lines = pathlib.Path(path).read_text().splitlines()
  assert header == "VideoId,LabelConfidencePairs"
  submission = {}
  for line in lines:
    video_id, _, pairs = line.partition(",")
    submission[video_id] = (np.array(pairs.split()[0::2], np.int64),
                            np.array(pairs.split()[1::2], np.float64))
  return submission
