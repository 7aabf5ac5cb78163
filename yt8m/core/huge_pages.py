# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Large arrays in huge pages, for commands.

TensorFlow allocates the result of every operation anew, and glibc returns large arrays to
the kernel at once. With pages of 4 KiB, most of the time of an elementwise operation
then goes into page faults. With pages of 2 MiB, such operations take a third of the
processor time (`docs/performance.md`). glibc reads this setting when a process starts.
"""

import os
import sys

_MODE = "/sys/kernel/mm/transparent_hugepage/enabled"
_TUNABLE = "glibc.malloc.hugetlb"
_FIRST_VERSION = (2, 35)  # of glibc, that has the setting


def restart_with_huge_pages() -> None:
  """Starts Python again, in the same process, with huge pages for large arrays.

  It takes 10 ms, and must come before TensorFlow is imported. Nothing happens where
  huge pages are off, or on already, or where GLIBC_TUNABLES names the setting.
  """
  tunables = os.environ.get("GLIBC_TUNABLES", "")
  if (_TUNABLE in tunables or "tensorflow" in sys.modules
      or not (sys.executable and _can_ask())):
    return
  os.environ["GLIBC_TUNABLES"] = f"{tunables}:{_TUNABLE}=1".lstrip(":")
  os.execv(sys.executable, sys.orig_argv)


def _can_ask() -> bool:
  """Whether the kernel gives huge pages to processes that ask, and glibc can ask."""
  try:
    with open(_MODE, encoding="ascii") as file:
      asked = "[madvise]" in file.read()
    name, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
    numbers = tuple(int(number) for number in version.split(".")[:2])
  except (OSError, ValueError, AttributeError):  # not Linux, or not glibc
    return False
  return asked and name == "glibc" and numbers >= _FIRST_VERSION
