# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The example of docs/adding_an_option.md: one new file and one import are enough."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.helpers import small_job
from tests.helpers import support
from yt8m.core import feature_spec

PAGE = support.ROOT / "docs" / "adding_an_option.md"
FLAGS = ("--model=FrameLevelLogisticModel", "--frame_features", "--batch_size=4",
         "--feature_names=x", f"--feature_sizes={small_job.SIZE}", "--max_frames=14",
         f"--num_classes={small_job.NUM_CLASSES}", "--max_steps=1",
         '--hparams={"aggregation": {"units": 7}}')
ROUND_TRIPS = """
import json, sys
import numpy as np
import tensorflow as tf
from tests.helpers import descriptors
from yt8m import models

model = descriptors.build("aggregation-projected_max")
descriptors.randomize(model)
scores = model(descriptors.batch("frame"))["predictions"]
config = json.loads(json.dumps(model.get_config()))
assert config["aggregation"] == {"name": "projected_max",
                                 "units": model.aggregation.units}, config
clone = models.VideoModel.from_config(config).build_variables()
clone.set_weights(model.get_weights())
model.save(sys.argv[1])
for other in (clone, tf.keras.models.load_model(sys.argv[1])):
  assert type(other.aggregation) is models.ProjectedMax
  np.testing.assert_array_equal(other(descriptors.batch("frame"))["predictions"], scores)
"""


def code_blocks():
  """The new file, and the import line."""
  return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
  [path] = small_job.write_record_files(tmp_path_factory.mktemp("records"), [8],
                                         feature_spec.FRAME)
  return path


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
  """A copy of the project with the example in it."""
  root = tmp_path_factory.mktemp("copy")
  for folder in ("yt8m", "models", "eval", "export", "tests"):
    shutil.copytree(support.ROOT / folder, root / folder, symlinks=True,
                    ignore=shutil.ignore_patterns("__pycache__"))
  shutil.copy(support.ROOT / "pyproject.toml", root)
  file, import_line = code_blocks()
  (root / "models" / "aggregation" / "projected_max.py").write_text(file)
  init = root / "models" / "__init__.py"
  lines = init.read_text().splitlines(keepends=True)
  place = next(i for i, line in enumerate(lines)
               if line.startswith("from ") and line > import_line)
  init.write_text("".join([*lines[:place], import_line, *lines[place:]]))
  return root


def run(root, *arguments):
  process = subprocess.run(
      [sys.executable, *arguments], cwd=root, capture_output=True, text=True,
      env={**support.ENVIRONMENT, "PYTHONPATH": str(root)})
  assert process.returncode == 0, process.stdout + process.stderr
  return process.stdout + process.stderr


@pytest.mark.long
def test_the_conformance_suite_finds_and_accepts_it(copy):
  output = run(copy, "-m", "pytest", "-q", "tests/conformance_test.py", "-k",
               "projected_max or has_a_case")
  assert int(re.search(r"(\d+) passed", output)[1]) > 10


@pytest.mark.long
def test_it_survives_a_config_and_a_keras_file(copy, tmp_path):
  run(copy, "-c", ROUND_TRIPS, str(tmp_path / "model.keras"))


@pytest.mark.long
def test_it_is_found_by_name_and_trains(copy, records, tmp_path):
  run(copy, "-m", "yt8m.train", f"--train_data_pattern={records}", *FLAGS,
      "--aggregation=projected_max", f"--train_dir={tmp_path}")
  assert '"name": "projected_max"' in (tmp_path / "config.json").read_text()
  assert list(tmp_path.glob("*.index"))


def test_linters_accept_it(copy):
  run(copy, "-m", "ruff", "check", "models")


@pytest.mark.long
def test_it_works_from_a_package_of_the_users_own(records, tmp_path, monkeypatch):
  package = tmp_path / "my_package"
  package.mkdir()
  (package / "__init__.py").touch()
  file, _ = code_blocks()
  lines = [line for line in file.splitlines(keepends=True) if "register(" not in line]
  (package / "my_module.py").write_text("".join(lines))
  monkeypatch.syspath_prepend(str(tmp_path))  # which commands inherit
  train_dir = tmp_path / "model"
  support.run_command(
      "yt8m.train", f"--train_data_pattern={records}", *FLAGS,
      "--aggregation=my_package.my_module:ProjectedMax", "--allow_code=my_package",
      f"--train_dir={train_dir}")
  evaluation = ("yt8m.eval.evaluate", f"--eval_data_pattern={records}",
                f"--train_dir={train_dir}", "--run_once", "--top_k=3")
  process = support.run_command(*evaluation, "--allow_code=my_package")
  assert "GAP: " in process.stdout + process.stderr
  process = support.run_command(*evaluation, check=False)
  assert process.returncode and "--allow_code=my_package" in process.stderr
