# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`--help` and `--version`: at once, with status 0, and of every flag."""

import json
import re
import subprocess
import sys

import pytest
import tensorflow as tf

import yt8m
from tests.helpers import support
from yt8m import models
from yt8m.configs import recipes
from yt8m.core import commands
from yt8m.core import help_text
from yt8m.core import option_pages


def run(folder, words):
  """Runs Python where TensorFlow cannot be imported."""
  (folder / "tensorflow.py").write_text("raise SystemExit('TensorFlow was imported')")
  return subprocess.run(
      [sys.executable, *words], capture_output=True, text=True,
      env={**support.ENVIRONMENT, "PYTHONPATH": f"{folder}:{support.ROOT}"})


@pytest.mark.parametrize("command", commands.COMMANDS)
def test_every_flag_is_explained(command):
  with open(f"{help_text.FOLDER}/{command}.txt", encoding="utf-8") as file:
    shown = set(re.findall(r"^  --(\w+)", file.read(), re.MULTILINE))
  page = (support.ROOT / "docs" / "flags.md").read_text(encoding="utf-8")
  section = re.search(rf"^## {command}$(.*?)(^## |\Z)", page, re.MULTILINE | re.DOTALL)
  assert section and shown == set(re.findall(r"^\| `--(\w+)`", section[1], re.MULTILINE))


@pytest.mark.parametrize("words", [["--help"], ["search", "-h"], ["--helpshort"]])
def test_help_needs_no_tensorflow(tmp_path, words):
  done = run(tmp_path, ["-m", "yt8m.eval.ensemble", *words])
  assert done.returncode == 0, done.stderr
  assert done.stdout.startswith("`yt8m-ensemble`:")
  assert "--budget_bytes=1GiB" in done.stdout
  # Examples keep their lines.
  assert " \\\n        --eval_data_pattern" in done.stdout


def test_a_script_knows_its_name(tmp_path):
  script = tmp_path / "yt8m-train"
  script.write_text("import yt8m\nprint('started')")
  done = run(tmp_path, [str(script), "--help"])
  assert done.returncode == 0 and done.stdout.startswith("`yt8m-train`:")
  words = ["--train_dir=m", "--train_data_pattern=/"]
  assert run(tmp_path, [str(script), *words]).stdout == "started\n"


@pytest.mark.parametrize("module", commands.COMMANDS.values())
def test_version_needs_no_tensorflow(tmp_path, module):
  done = run(tmp_path, ["-m", module, "--version"])
  # Of the package, since one may be installed under another name.
  version = re.fullmatch(
      rf"yt8m {re.escape(yt8m.__version__)}, TensorFlow (\d+\.\d+\.\S+)\n", done.stdout)
  assert done.returncode == 0 and version, done


@pytest.mark.parametrize("flag, names", [
    ("fusion", models.FUSIONS), ("aggregation", models.AGGREGATIONS),
    ("classifier", models.CLASSIFIERS),
    ("model", [name for name in recipes.RECIPES if not name.startswith("small-")])])
def test_help_names_the_valid_options(flag, names):
  with open(f"{help_text.FOLDER}/yt8m-train.txt", encoding="utf-8") as file:
    text = re.search(rf"\n  --{flag}\b(.*?)\n\n", file.read(), re.DOTALL)[1]
  assert set(names) <= set(re.findall(r"[\w-]+", text))


@pytest.mark.parametrize("words, begin, holds", [
    (["--list"], "recipe (--model)", "netvlad"),
    (["--describe=netvlad"], "aggregation netvlad (--aggregation)", "Parameters: "),
    (["--describe", "aggregation:lstm"], "aggregation lstm (", "Reference: "),
    (["--list", "--log_json"], "recipe (--model)", "netvlad")])
def test_options_need_no_tensorflow(tmp_path, words, begin, holds):
  done = run(tmp_path, ["-m", "yt8m.train", *words])
  assert done.returncode == 0, done.stderr
  assert done.stdout.startswith(begin) and holds in done.stdout


def test_an_unknown_option_needs_no_tensorflow(tmp_path):
  done = run(tmp_path, ["-m", "yt8m.train", "--describe=netvald"])
  assert done.returncode == 1 and done.stderr.startswith(
      "ERROR: Unknown option 'netvald' (--describe). Close: netvlad")


def test_what_cannot_be_written(tmp_path):
  words = [sys.executable, "-m", "yt8m.train", "--list"]
  environment = {**support.ENVIRONMENT, "PYTHONPATH": str(support.ROOT)}
  with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                        env=environment) as process:
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == 0
  with open("/dev/full", "w") as full:
    done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True,
                          env=environment)
  assert done.returncode == 1
  assert done.stderr == "ERROR: Cannot write to stdout: No space left on device.\n"
  done = subprocess.run(words, capture_output=True, text=True,
                        env={**environment, "PYTHONIOENCODING": "ascii"})
  assert done.returncode == 0 and "netvlad" in done.stdout


@pytest.mark.parametrize("words, version", [
    (["--describe=netvlad"], "2.15.1"),  # It has other optimizers.
    (["--describe=netvlad", "--num_classes=3"], tf.__version__),
    (["--describe=aggregation:mine:Layer"], tf.__version__),
    (["--train_dir=m", "--describe=netvlad"], tf.__version__)])
def test_other_descriptions_are_made(words, version):
  assert option_pages.asked_for(words, version) is None


def test_kept_descriptions_are_those_of_the_command():
  done = support.run_command("yt8m.train", "--describe=netvlad", "--num_classes=3862")
  with open(option_pages.FILE, encoding="utf-8") as file:
    kept = json.load(file)["pages"]["aggregation"]["netvlad"]
  assert done.stdout == kept + "\n"


def test_programs_of_others_are_left_alone(tmp_path):
  done = run(tmp_path, ["-c", "import yt8m; print('started')", "--help"])
  assert done.stdout == "started\n"
