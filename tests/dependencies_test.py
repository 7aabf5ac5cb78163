# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""constraints.txt and docs/licenses.md name the packages that yt8m needs."""

import re

from packaging import requirements
from packaging import utils

from docs import make_licenses

ROOT = make_licenses.ROOT


def test_constraints_fit_the_requirements():
  """Except for TensorFlow Addons, which has environments of its own."""
  lines = (ROOT / "constraints.txt").read_text().splitlines()
  versions = {utils.canonicalize_name(name): version
              for name, version in (line.split("==") for line in lines)}
  assert len(versions) == len(lines)
  declared = make_licenses.declared()
  assert declared[""] and declared["ray"]
  for text in sum((texts for extra, texts in declared.items()
                   if not extra.startswith("addons")), []):
    requirement = requirements.Requirement(text)
    version = versions[utils.canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version), text
  assert set(make_licenses.needed()) <= set(versions)


def test_every_package_that_is_installed_to_run_has_a_licence_in_the_docs():
  """Versions may differ, and with them what they need and how they name licences."""
  rows = re.findall(r"^\| ([\w.-]+) \| (.+) \| (.+) \|$",
                    make_licenses.TARGET.read_text(), re.MULTILINE)
  licences = {name: licence for name, licence, _ in rows[1:]}
  assert all(licences.values())
  missing = set(make_licenses.needed()) - set(licences)
  assert not missing, "run `make docs`"


def test_requirements_that_do_not_apply_are_left_out(monkeypatch):
  metadata = {"a": ["b; extra == 'more'", "c>=1", "d; sys_platform == 'none'"],
              "b": [], "c": ["a[more]"]}
  monkeypatch.setattr(make_licenses, "declared", lambda: {
      "": ["A>=2"], "media": [], "ray": ["c"], "report": [], "tune": []})
  monkeypatch.setattr(make_licenses.metadata, "requires", metadata.get)
  assert make_licenses.needed() == {"a": "yt8m", "c": "a", "b": "a"}
