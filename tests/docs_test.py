# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The README and docs/ name files, modules and flags that exist."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = "yt8m|models|eval|export|tests|benchmarks|docs"
# A file of the project, or a folder with "/" at its end; not an output of a command.
PATH = re.compile(
    rf"(?<![\w./$={{-])((?:{FOLDERS})/[\w./-]*(?:\.(?:py|md|png)|/))(?![\w*])")
# Rows of the changelog's table of moved modules, which has the old names.
MOVED = re.compile(r"^\| `.*$", re.MULTILINE)


def read(path):
  text = path.read_text(encoding="utf-8")
  return MOVED.sub("", text) if path.name == "CHANGELOG.md" else text


def flags_of_commands():
  """Returns `{command: flags}` from docs/flags.md, which is generated."""
  sections = re.split(r"^## ", read(ROOT / "docs" / "flags.md"), flags=re.MULTILINE)
  return {section.split()[0]: set(re.findall(r"^\| `--(\w+)`", section, re.MULTILINE))
          for section in sections[1:]}


def commands(text):
  """Yields the commands of indented blocks, with continued lines joined."""
  for line in text.replace("\\\n", " ").splitlines():
    if line.startswith("    "):
      for command in re.split(r"; |&& |do ", line):
        if found := re.match(r"\s*(?:\$ )?(?:PYTHONPATH=\. )?(yt8m-[\w-]+) ", command):
          yield found[1], command


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_named_files_exist(page):
  named = set(PATH.findall(read(page)))
  assert not sorted(name for name in named if not (ROOT / name).exists())
  tests = {path.name for path in (ROOT / "tests").rglob("*_test.py")}
  assert not set(re.findall(r"\w+_test\.py", read(page))) - tests


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page):
  targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(page))
  assert not [target for target in targets
              if "://" not in target and not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_named_modules_exist(page):
  for module in re.findall(r"python -m ((?:yt8m|benchmarks)[\w.]*)", read(page)):
    path = ROOT / f"{module.removeprefix('yt8m.').replace('.', '/')}.py"
    assert path.exists() or (ROOT / "yt8m" / path.name).exists(), module


def test_new_places_of_moved_modules_exist():
  for row in MOVED.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")):
    for module in re.findall(r"`yt8m\.([\w.]+)`", row.split("|")[2]):
      path = module.replace(".", "/")
      assert any((ROOT / folder / end).exists() for folder in ("", "yt8m")
                 for end in (f"{path}.py", f"{path}/__init__.py")), module


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_commands_have_the_flags_that_are_shown(page):
  known = flags_of_commands()
  known["yt8m-tune"] = known["yt8m-tune"] | known["yt8m-train"]  # after --
  for command, line in commands(read(page)):
    shown = re.findall(r"(?<=[\s\"'])--(\w+)", line)
    unknown = {flag for flag in shown
               if not {flag, flag.removeprefix("no")} & known[command]}
    assert not unknown - {"verbosity", "help"}, line
