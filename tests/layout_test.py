# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The house itself: one import name, arrows that point one way, complete packaging."""

import ast
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests import support

ROOT = support.ROOT
FOLDERS = ("yt8m", "models", "eval", "export")
TRAINING = ("yt8m/demo.py", "yt8m/train.py", "yt8m/training.py")


def sources():
  return sorted(path.relative_to(ROOT) for folder in FOLDERS
                for path in (ROOT / folder).rglob("*.py"))


def imports(path):
  """Full names of what a file imports of this package."""
  names = set()
  for node in ast.walk(ast.parse((ROOT / path).read_text())):
    if isinstance(node, ast.ImportFrom) and node.module:
      names |= {f"{node.module}.{alias.name}" for alias in node.names}
    elif isinstance(node, ast.Import):
      names |= {alias.name for alias in node.names}
  return {name for name in names if name.split(".")[0] in FOLDERS}


# What a file may not import, by where it stands.
FORBIDDEN = {
    "models": ("yt8m.eval", "yt8m.export", "yt8m.readers", "yt8m.train",
               "yt8m.training", "yt8m.experiment", "yt8m.losses"),
    "eval": ("yt8m.train", "yt8m.training", "yt8m.train_step"),
    "export": ("yt8m.train", "yt8m.training", "yt8m.train_step"),
    "yt8m": ("yt8m.eval", "yt8m.export", "yt8m.training", "yt8m.train"),
}


@pytest.mark.parametrize("path", [str(path) for path in sources()])
def test_arrows_point_one_way(path):
  if path in TRAINING:
    return
  forbidden = FORBIDDEN[path.split("/")[0]]
  wrong = [name for name in imports(path) for prefix in forbidden
           if name == prefix or name.startswith(prefix + ".")]
  assert not wrong
  assert not [name for name in imports(path)
              if name.split(".")[0] in ("models", "eval", "export")]


def test_no_folder_is_importable_under_its_bare_name():
  """A user's own models.py or eval.py must not clash with ours."""
  code = ("import sys; import yt8m.models, yt8m.eval.evaluation, yt8m.export.submission;"
          "print([m for m in ('models', 'eval', 'export') if m in sys.modules])")
  output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=ROOT, check=True)
  assert output.stdout.strip() == "[]"
  assert not {"models", "eval", "export"} & set(sys.modules)


def test_wheel_holds_every_source_file(tmp_path):
  """And works without the checkout: the one import name covers the four folders."""
  subprocess.run(
      [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
       "--no-build-isolation", "--wheel-dir", str(tmp_path),
       str(copy_of_checkout(tmp_path))],
      check=True, capture_output=True)
  [wheel] = tmp_path.glob("*.whl")
  site = tmp_path / "site"
  subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                  "--target", str(site), str(wheel)], check=True, capture_output=True)
  for path in sources():
    installed = path if path.parts[0] == "yt8m" else pathlib.Path("yt8m") / path
    assert (site / installed).exists(), path
  output = subprocess.run(
      [sys.executable, "-c", "import yt8m.models as m; print(m.__file__)"],
      capture_output=True, text=True, cwd=tmp_path, check=True,
      env={**support.ENVIRONMENT, "PYTHONPATH": str(site)})
  assert str(site) in output.stdout


def copy_of_checkout(tmp_path):
  """The files setup.py needs, so that building leaves no `build/` in the checkout."""
  copy = tmp_path / "checkout"
  copy.mkdir()
  for folder in FOLDERS:
    shutil.copytree(ROOT / folder, copy / folder,
                    ignore=shutil.ignore_patterns("__pycache__"))
  for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
    shutil.copy(ROOT / name, copy / name)
  return copy


def test_every_command_of_setup_is_a_target_of_build():
  commands = support.commands()
  build = (ROOT / "BUILD").read_text()
  for module in commands.values():
    path = module.removeprefix("yt8m.").replace(".", "/") + ".py"
    path = path if (ROOT / path).exists() else f"yt8m/{path}"
    assert (ROOT / path).exists() and f'"{path}"' in build, module


def test_help_of_an_installed_command_shows_its_flags(tmp_path):
  """A console script is not the module that defines the flags."""
  script = tmp_path / "yt8m-eval"
  script.write_text("from yt8m.eval.evaluate import run\nrun()\n")
  for arguments in ([str(script)], ["-m", "yt8m.eval.evaluate"]):
    output = subprocess.run(
        [sys.executable, *arguments, "--help"], capture_output=True, text=True,
        env=support.ENVIRONMENT, cwd=ROOT).stdout
    assert "evaluates a trained model on records" in output
    assert "--eval_data_pattern" in output and "--run_once" in output
