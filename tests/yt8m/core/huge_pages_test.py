# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands ask for huge pages, once, and only where that is possible."""

import os
import subprocess
import sys

import pytest

from yt8m.core import huge_pages


@pytest.fixture
def calls(monkeypatch, tmp_path):
  """Lets the kernel give huge pages on request; returns the restarts."""
  made = []
  (tmp_path / "enabled").write_text("always [madvise] never\n")
  monkeypatch.setattr(huge_pages, "_MODE", str(tmp_path / "enabled"))
  monkeypatch.setattr(os, "execv", lambda *arguments: made.append(arguments))
  monkeypatch.setattr(os, "confstr", lambda name: "glibc 2.36", raising=False)
  monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
  monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
  return made


def test_a_command_starts_again_with_the_setting(calls, monkeypatch):
  monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "yt8m.train", "--seed=1"])
  huge_pages.restart_with_huge_pages()
  huge_pages.restart_with_huge_pages()
  assert calls == [(sys.executable, ["python", "-m", "yt8m.train", "--seed=1"])]
  assert os.environ["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"


def test_other_settings_are_kept(calls, monkeypatch):
  monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=1")
  huge_pages.restart_with_huge_pages()
  assert os.environ["GLIBC_TUNABLES"] == "glibc.malloc.check=1:glibc.malloc.hugetlb=1"


def test_the_user_decides(calls, monkeypatch):
  monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0")
  huge_pages.restart_with_huge_pages()
  assert not calls


@pytest.mark.parametrize("mode, version", [
    ("[always] madvise never", "glibc 2.36"), ("always madvise [never]", "glibc 2.36"),
    ("always [madvise] never", "glibc 2.34"), ("always [madvise] never", "musl 1.2"),
    ("always [madvise] never", None), (None, "glibc 2.36")])
def test_nothing_happens_where_it_would_not_help(calls, monkeypatch, mode, version):
  if mode is None:
    os.remove(huge_pages._MODE)
  else:
    with open(huge_pages._MODE, "w") as file:
      file.write(mode)
  monkeypatch.setattr(os, "confstr", lambda name: version, raising=False)
  huge_pages.restart_with_huge_pages()
  assert not calls


def test_nothing_happens_once_tensorflow_is_there(calls, monkeypatch):
  monkeypatch.setitem(sys.modules, "tensorflow", object())
  huge_pages.restart_with_huge_pages()
  assert not calls


# Kernels decide by their configuration, and other systems have no such pages.
@pytest.mark.skipif(not huge_pages._can_ask(), reason="No huge pages on request here.")
def test_a_command_has_them():
  environment = {k: v for k, v in os.environ.items() if k != "GLIBC_TUNABLES"}
  with subprocess.Popen(
      [sys.executable, "-X", "importtime", "-m", "yt8m.train", "--helpfull"],
      env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
      text=True) as process:
    for line in process.stderr:  # until it imports TensorFlow
      if "tensorflow" in line:
        break
    with open(f"/proc/{process.pid}/environ") as file:
      found = file.read().split("\0")
    process.kill()
  assert "GLIBC_TUNABLES=glibc.malloc.hugetlb=1" in found
