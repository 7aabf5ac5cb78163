# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Starts, watches and kills processes in tests (Linux only)."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

from tests.helpers import support


@contextlib.contextmanager
def started(module, *arguments, log, environment=None):
  """Starts a command that writes to `log`; kills it and its children at the end."""
  with open(log, "w") as file:
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)], stdout=file,
        stderr=subprocess.STDOUT, cwd=support.ROOT,
        env={**support.ENVIRONMENT, **(environment or {})})
  try:
    yield process
  finally:
    offspring = descendants(process.pid)
    process.kill()
    process.wait()
    for pid in offspring:
      with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_for(condition, process, seconds=240):
  """Waits until `condition()` is true while the process runs; returns its value."""
  deadline = time.monotonic() + seconds
  while process.poll() is None and time.monotonic() < deadline:
    if value := condition():
      return value
    time.sleep(0.01)
  raise AssertionError(f"It ended with {process.poll()}, or not in {seconds} s, before "
                       "it came so far.")


def free_ports(count):
  """Returns ports of this host that nothing listens at."""
  sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
  ports = [s.getsockname()[1] for s in sockets]
  for s in sockets:
    s.close()
  return ports


def descendants(pid):
  """Returns the children of a process, their children, and so on."""
  parents = {int(name): _parent(name) for name in os.listdir("/proc") if name.isdigit()}
  found = [pid]
  for ancestor in found:
    found += [child for child, parent in parents.items() if parent == ancestor]
  return found[1:]


def command(pid):
  """Returns the command line of a process, or an empty string."""
  with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
    return file.read().decode(errors="replace")
  return ""


def _parent(pid):
  with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
    return int(file.read().rpartition(")")[2].split()[1])
  return None


def listening(pids):
  """Yields address, as the kernel writes it, and command of each listening socket."""
  sockets = {}
  for pid in pids:
    with contextlib.suppress(OSError):
      for descriptor in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
          sockets[os.readlink(f"/proc/{pid}/fd/{descriptor}")] = pid
  for table in ("/proc/net/tcp", "/proc/net/tcp6"):
    with open(table) as file:
      for line in file.readlines()[1:]:
        fields = line.split()
        pid = sockets.get(f"socket:[{fields[9]}]")
        if fields[3] == "0A" and pid:
          yield fields[1].partition(":")[0], command(pid)
