# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Whether anything answers at an address of the network."""

import socket

# Ray tries a dead address for minutes, in silence.
_SECONDS = 10.0


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
  if "://" in address or ":" not in address:
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
