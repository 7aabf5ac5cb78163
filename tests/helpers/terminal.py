# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a terminal, and shows what a user sees there."""

import dataclasses
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

_WIDTH = 100
# Text, line feed and carriage return, or a control sequence.
_PARTS = re.compile(r"\x1b\[(\?)?(\d*)(?:;\d+)*([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


@dataclasses.dataclass
class Seen:
  """What was on a terminal.

  Attributes:
    code: Exit status of the command.
    lines: Lines at the end.
    states: The line of the cursor at each time after something was written.
    controls: Letters of the control sequences.
  """
  code: int = 0
  lines: list[str] = dataclasses.field(default_factory=lambda: [""])
  states: list[str] = dataclasses.field(default_factory=list)
  controls: set[str] = dataclasses.field(default_factory=set)


def run(command, environment=None, width=_WIDTH, **arguments):
  """Runs a command whose stderr, and stdout unless given, are a terminal."""
  terminal, side = pty.openpty()
  fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
  process = subprocess.Popen(
      command, stdin=subprocess.DEVNULL, stderr=side,
      env={**os.environ, "TERM": "xterm", **(environment or {})},
      **{"stdout": side, **arguments})
  os.close(side)
  seen, column, text = Seen(), 0, b""
  while data := _read(terminal):
    text += data
    # A control sequence may arrive in parts.
    whole, escape, rest = text.rpartition(b"\x1b")
    if escape and not re.match(rb"\[[\d;?]*[A-Za-z]", rest):
      text = escape + rest
    else:
      whole, text = text, b""
    column = _write(seen, column, whole.decode(errors="replace"))
  os.close(terminal)
  seen.code = process.wait()
  return seen


def _read(terminal):
  try:
    return os.read(terminal, 65536)
  except OSError:  # Nobody writes any more.
    return b""


def _write(seen, column, text):
  """Writes a text to the screen; returns the new column of the cursor."""
  for query, number, letter, control, plain in _PARTS.findall(text):
    line = seen.lines[-1]
    if plain:
      seen.lines[-1] = line[:column].ljust(column) + plain + line[column + len(plain):]
      column += len(plain)
      seen.states.append(seen.lines[-1])
    elif control == "\r":
      column = 0
    elif control == "\n":
      seen.lines.append("")
    elif letter == "K":
      seen.lines[-1] = "" if number == "2" else line[:column]
    elif letter != "m":  # colours
      seen.controls.add(query + letter)
  return column
