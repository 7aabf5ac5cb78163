# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The layout: one import name, imports in one direction, complete packages."""

import ast
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.helpers import support

ROOT = support.ROOT
FOLDERS = ("yt8m", "models", "eval", "export")

# Lowest first. A module imports from its own layer and from those below it. Packages
# in one string share a layer and do not import each other.
LAYERS = (
    "yt8m.core",
    "yt8m.data yt8m.media",
    "yt8m.models",
    "yt8m.configs",
    "yt8m.artifacts yt8m.inspecting yt8m.synthetic",
    "yt8m.extractors",
    "yt8m.extracting",
    "yt8m.eval",
    "yt8m.training",
    "yt8m.export",
    "yt8m.api",
    "yt8m.predicting",
    "commands",
)

# Modules of the Python API outside yt8m/api, so that `from yt8m.metrics import …` works.
API_MODULES = ("yt8m.losses", "yt8m.metrics")


def sources():
  """Source files. The links below `yt8m`, which repeat other folders, are left out."""
  return sorted(
      path.relative_to(ROOT) for folder in FOLDERS
      for path in (ROOT / folder).rglob("*.py")
      if not any(parent.is_symlink() for parent in path.parents))


def module_name(path):
  """Returns `yt8m.models.branch` for models/branch.py."""
  parts = path.with_suffix("").parts
  parts = parts[:-1] if parts[-1] == "__init__" else parts
  return ".".join(parts if parts[0] == "yt8m" else ("yt8m", *parts))


MODULES = {module_name(path): path for path in sources()}


def imported_modules(name):
  """Returns the modules of this project that a module imports."""
  found = set()
  for node in ast.walk(ast.parse((ROOT / MODULES[name]).read_text())):
    if isinstance(node, ast.ImportFrom) and node.module:
      for alias in node.names:
        full = f"{node.module}.{alias.name}"
        found.add(full if full in MODULES else node.module)
    elif isinstance(node, ast.Import):
      found |= {alias.name for alias in node.names}
  return {name for name in found if name.split(".")[0] in FOLDERS}


def package(name):
  """Returns the package in `LAYERS` that a module belongs to.

  Modules at the top level of yt8m, eval and export are commands, except those of the
  Python API.
  """
  if name in API_MODULES:
    return "yt8m.api"
  path = MODULES[name]
  parent = module_name(path.parent / "__init__.py")
  if path.name != "__init__.py" and parent in ("yt8m", "yt8m.eval", "yt8m.export"):
    return "commands"
  return ".".join(name.split(".")[:2])


# `yt8m` itself imports them.
IMPORTED_FIRST = {f"yt8m.core.{name}" for name in (
    "command_line", "commands", "current_folder", "early_errors", "fields", "files",
    "help_text", "huge_pages", "keras_names", "lazy", "log_lines", "option_pages",
    "paths", "signals", "stderr_filter", "temporaries", "text_lines", "types")}


def layer(name):
  if name == "yt8m":
    return -1
  if name in IMPORTED_FIRST:
    return -2
  return next(i for i, packages in enumerate(LAYERS) if package(name) in packages.split())


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_down(name):
  imported = imported_modules(name)
  assert not [other for other in imported if not other.startswith("yt8m")]
  assert not [other for other in imported if layer(other) > layer(name)]
  assert not [other for other in imported if layer(other) == layer(name)
              and package(other) != package(name)]


def test_packages_import_each_other_in_one_direction_only():
  """Imports between folders, such as eval.metrics and eval.blending, have no cycle."""
  arrows = {}
  for name in MODULES:
    if package(name) == "commands" or name == "yt8m":
      continue
    folder = module_name(MODULES[name].parent / "__init__.py")
    arrows.setdefault(folder, set()).update(
        module_name(MODULES[other].parent / "__init__.py")
        for other in imported_modules(name))
  for folder in arrows:
    arrows[folder] -= {folder, "yt8m", folder.rpartition(".")[0]}
  done = set()
  while ready := [folder for folder in arrows if folder not in done
                  and arrows[folder] & arrows.keys() <= done]:
    done |= set(ready)
  assert done == set(arrows), sorted(set(arrows) - done)


def test_no_folder_is_importable_under_its_bare_name():
  """A user's own models.py or eval.py must not clash with ours."""
  code = ("import sys; import yt8m.models, yt8m.eval.evaluate;"
          "import yt8m.export.submissions.videos;"
          "print([m for m in ('models', 'eval', 'export') if m in sys.modules])")
  output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=ROOT, check=True)
  assert output.stdout.strip() == "[]"
  assert not {"models", "eval", "export"} & set(sys.modules)


def test_wheel_of_the_source_archive_holds_every_file(tmp_path):
  """The wheel works without the checkout, and its import name covers all four folders."""
  subprocess.run(
      [sys.executable, "-c", "from setuptools import build_meta;"
       f"build_meta.build_sdist({str(tmp_path)!r})"], check=True, capture_output=True,
      cwd=copy_of_checkout(tmp_path))
  [archive] = tmp_path.glob("*.tar.gz")
  subprocess.run(
      [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
       "--no-build-isolation", "--wheel-dir", str(tmp_path), str(archive)],
      check=True, capture_output=True)
  [wheel] = tmp_path.glob("*.whl")
  site = tmp_path / "site"
  subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                  "--target", str(site), str(wheel)], check=True, capture_output=True)
  data = [path.relative_to(ROOT) for pattern in (
      "yt8m/core/help/*.txt", "eval/ablations/tables/*.json")
          for path in ROOT.glob(pattern)]
  assert data
  for path in (*sources(), *data):
    installed = path if path.parts[0] == "yt8m" else pathlib.Path("yt8m") / path
    assert (site / installed).exists(), path
  output = subprocess.run(
      [sys.executable, "-c", "import yt8m.models as m; print(m.__file__)"],
      capture_output=True, text=True, cwd=tmp_path, check=True,
      env={**support.ENVIRONMENT, "PYTHONPATH": str(site)})
  assert str(site) in output.stdout


def test_checkout_without_links_works(tmp_path):
  """Git on a system without symbolic links checks them out as files with the target."""
  copy = copy_of_checkout(tmp_path)
  for folder in FOLDERS[1:]:
    link = copy / "yt8m" / folder
    assert link.is_symlink()
    target = link.readlink()
    link.unlink()
    link.write_text(str(target))
  output = subprocess.run(
      [sys.executable, "-c", "import yt8m.eval.metrics as m; print(m.__file__)"],
      capture_output=True, text=True, cwd=tmp_path, check=True,
      env={**support.ENVIRONMENT, "PYTHONPATH": str(copy)})
  assert output.stdout.strip() == str(copy / "eval/metrics/__init__.py")


def copy_of_checkout(tmp_path):
  """Copies the files that setup.py needs, so that no `build/` appears in the checkout."""
  copy = tmp_path / "checkout"
  copy.mkdir()
  for folder in FOLDERS:
    shutil.copytree(ROOT / folder, copy / folder, symlinks=True,
                    ignore=shutil.ignore_patterns("__pycache__"))
  for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
    shutil.copy(ROOT / name, copy / name)
  return copy


def test_help_of_an_installed_command_shows_its_flags(tmp_path):
  """The console script is not the module that defines the flags."""
  script = tmp_path / "yt8m-eval"
  script.write_text("from yt8m.eval.evaluate import run\nrun()\n")
  for arguments in ([str(script)], ["-m", "yt8m.eval.evaluate"]):
    output = subprocess.run(
        [sys.executable, *arguments, "--help"], capture_output=True, text=True,
        env=support.ENVIRONMENT, cwd=ROOT).stdout
    assert "evaluates a trained model on records" in output
    assert "--eval_data_pattern" in output and "--run_once" in output
