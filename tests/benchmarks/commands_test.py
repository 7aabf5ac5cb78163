# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The two commands that measure everything, with tiny sizes."""

import json
import pathlib

import pytest

from benchmarks.suite import report
from tests.helpers import support


@pytest.mark.long
def test_run_all(tmp_path):
  arguments = ["--quick", f"--output_dir={tmp_path}"]
  first = support.run_command(
      "benchmarks.run_all", *arguments,
      "--parts=peers,metrics,readers,waits,ensemble,inference")
  assert "Metrics (" in first.stdout and "load" in first.stdout
  support.run_command("benchmarks.run_all", *arguments, "--parts=memory,precisions")
  results = json.loads((tmp_path / "results.json").read_text())
  # The parts of the first run are kept, in the order of a whole run.
  assert list(results["parts"]) == ["readers", "waits", "metrics", "ensemble",
                                    "inference", "precisions", "memory", "peers"]
  assert all(part["rows"] for part in results["parts"].values())
  assert results["parts"]["memory"]["rows"][0]["MiB"] > 100
  assert "QUICK" in (tmp_path / "results.md").read_text()
  assert (tmp_path / "results.png").exists()


@pytest.mark.parametrize("arguments,message", [
    (["--parts=stpes"], "no part 'stpes'"),
    (["--update_docs", "--quick"], "drop one of them")])
def test_bad_flags(tmp_path, arguments, message):
  process = support.run_command("benchmarks.run_all", f"--output_dir={tmp_path}",
                                *arguments, check=False)
  assert process.returncode and message in process.stderr


@pytest.mark.parametrize("arguments,message", [
    (["--other=/nowhere"], "is no checkout"), (["--other=.", "--models="], "--models"),
    (["--other=.", "--models=Moe"], "'Moe' is none of")])
def test_bad_flags_of_versions(arguments, message):
  process = support.run_command("benchmarks.versions", *arguments, check=False)
  assert process.returncode and message in process.stderr


@pytest.mark.long
def test_versions():
  process = support.run_command(
      "benchmarks.versions", f"--other={pathlib.Path(__file__).parents[2]}",
      "--models=LogisticModel", "--turns=1")
  values = process.stdout.strip().splitlines()[-3].split("|")
  assert values[1].strip() == "LogisticModel"
  assert 0.5 < float(values[-2]) < 2.0  # the same memory


@pytest.mark.long
def test_gpu(tmp_path):
  support.run_command(
      "benchmarks.gpu", "--quick", "--steps=2", f"--output_dir={tmp_path}",
      "--models=FrameLevelLogisticModel", "--precision=float32",
      "--precision=mixed_bfloat16", "--strategy=mirrored", "--nojit_compile")
  results = json.loads((tmp_path / "gpu.json").read_text())
  assert [row["remark"] for row in results["rows"]] == ["", ""]
  assert all(row["videos/s"] > 0 and row["% of peak"] > 0 for row in results["rows"])
  assert not results["left out"]
  assert "| model | precision | XLA |" in (tmp_path / "gpu.md").read_text()


def test_gpu_names_what_it_leaves_out(tmp_path):
  support.run_command(
      "benchmarks.gpu", "--quick", f"--output_dir={tmp_path}", "--minutes=0",
      "--models=FrameLevelLogisticModel", "--nojit_compile", "--precision=float32")
  assert "Left out for lack of time: FrameLevelLogisticModel" in (
      tmp_path / "gpu.md").read_text()


def test_pages_have_the_sections():
  page = (pathlib.Path(support.ROOT) / "docs/performance.md").read_text()
  for section in ("benchmarks", "gpu"):
    assert report.replace_section(page, section, "new") != page
