# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Whether anything answers at an address of the network, and joining Ray there."""

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from yt8m.core import current_folder
from yt8m.core import signals

# Whoever can use Ray's own ports can run code. A token that only our processes know
# closes them, and they listen at 127.0.0.1, as do those of Ray's metrics. (The variable
# has the name of the systems where that is the default.)
_PROTECTED = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32),
              "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
# Ray tries a dead address for minutes, in silence.
_SECONDS = 10.0
_RAY_SECONDS = 30.0  # of which starting Python takes a few


def protect_local_ray(**variables: str) -> None:
  """Closes the ports of a Ray that this process will start on this machine.

  Call it before Ray is imported, which reads these variables then. Those that the user
  has set stay.

  Args:
    **variables: Further environment variables.
  """
  for name, value in {**_PROTECTED, **variables}.items():
    os.environ.setdefault(name, value)


def start_ray(init: Callable[..., Any], address: str, flag: str, **options: Any) -> None:
  """Starts Ray on this machine, or joins a cluster.

  The processes that it starts need not have the current folder of this one.

  Args:
    init: `ray.init`. Ray is an extra, which this folder does not import.
    address: Value of the flag; `"local"` starts Ray.
    flag: Name of the flag in errors, e.g. `"--ray_address"`.
    **options: Other arguments of `init`.

  Raises:
    ConnectionError: There is no cluster at the address, or Ray does not start.
    ValueError: The port is not a number.
  """
  check_ray(address, flag)
  try:
    # Ray would have its processes import from the current folder, and sets handlers of
    # signals that print stacks.
    with current_folder.left(), signals.kept_from_ray():
      init(address, **options)
  except Exception as error:  # Ray raises many types, also `Exception` itself.
    if isinstance(error, (ValueError, OSError)):
      raise
    [reason, *_] = str(error).splitlines() or [type(error).__name__]
    raise ConnectionError(
        f"Ray did not start: {reason.rstrip('.')}. Is the machine overloaded, or the "
        "disk of its temporary files (TMPDIR) full? Try again.") from error


def check_ray(address: str, flag: str, seconds: float = _RAY_SECONDS) -> None:
  """Checks that Ray answers at `host:port`, and not something else that listens there.

  As in `check_reachable`, other forms are not checked.

  Args:
    address: Value of the flag.
    flag: Name of the flag in errors, e.g. `"--ray_address"`.
    seconds: Largest number of seconds to wait for an answer.

  Raises:
    ConnectionError: Nothing listens there, or what does gives no answer.
    ValueError: The port is not a number.
  """
  check_reachable(address, flag)
  if not _is_checked(address):
    return
  try:
    # In a process of its own: Ray's wait for an answer cannot be ended from Python. What
    # it answers is left to `ray.init`.
    subprocess.run([sys.executable, "-m", "ray.scripts.scripts", "status",
                    f"--address={address}"], timeout=seconds, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
  except subprocess.TimeoutExpired as error:
    raise ConnectionError(
        f"{flag}={address}: something listens there, but has not answered as Ray does in "
        f"{seconds:g} s. Is this the address that `ray start --head` printed?") from error


def check_reachable(address: str, flag: str, seconds: float = _SECONDS) -> None:
  """Checks that something listens at `host:port`.

  Other forms, such as `"local"`, `"auto"` or `"ray://host:port"`, are not checked: Ray
  itself answers for these within half a minute.

  Args:
    address: Value of the flag.
    flag: Name of the flag in errors, e.g. `"--ray_address"`.
    seconds: Largest number of seconds to wait.

  Raises:
    ConnectionError: Nothing listens there.
    ValueError: The port is not a number.
  """
  if not _is_checked(address):
    return
  host, _, port = address.rpartition(":")
  if not port.isdecimal() or int(port) > 65535:
    raise ValueError(f"{flag}={address}: {port!r} is not a port. Write it as host:port.")
  try:
    socket.create_connection((host.strip("[]"), int(port)), seconds).close()
  except OSError as error:
    raise ConnectionError(
        f"{flag}={address}: nothing answers there ({error}). Is the cluster running, and "
        "is this the address that `ray start --head` printed?") from error


def _is_checked(address: str) -> bool:
  return "://" not in address and ":" in address
