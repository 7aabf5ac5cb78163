# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One line at the bottom of a terminal, updated in place, while a command works.

Lines of the log erase it (`stderr_filter`), and the next update draws it below them.
"""

import contextlib
import os
import threading
from typing import Any

from yt8m.core import stderr_filter


class _State:
  """The line of this process."""
  pid: int | None = None  # of the process that may show it
  terminal = -1
  console: Any = None  # of `rich`
  shown = False


_LOCK = threading.Lock()


def allow() -> None:
  """Lets this process, a command, show a line if stderr is a terminal."""
  terminal = stderr_filter.terminal()
  if terminal is not None and os.environ.get("TERM", "dumb") != "dumb":
    _State.terminal, _State.pid = terminal, os.getpid()


def forbid() -> None:
  """Ends the line."""
  clear()
  _State.pid = None


def is_allowed() -> bool:
  """Returns whether there is a terminal for the line."""
  return _State.pid == os.getpid()


def show(text: str, done: float = 0.0, total: float | None = None) -> None:
  """Shows the line, in place of what it was.

  Args:
    text: Text, which is cut at the width of the terminal.
    done: Amount of work done so far.
    total: Amount of work in all, for a bar; None if it is not known.
  """
  if not is_allowed():
    return
  from rich import progress_bar
  from rich import table
  from rich import text as rich_text
  line = table.Table.grid(padding=(0, 1))
  row: list[Any] = [rich_text.Text(text, no_wrap=True, overflow="ellipsis")]
  if total:
    row.insert(0, progress_bar.ProgressBar(total, min(done, total), width=16))
  line.add_row(*row)
  with _LOCK:
    console = _console()
    # Less than the width: after the last column, a terminal goes on in the next line.
    console.width = (os.get_terminal_size(_State.terminal).columns or 80) - 1
    with console.capture() as captured:
      console.print(line)
    _write(b"\r" + captured.get().rstrip("\n").encode() + b"\x1b[K")
    _State.shown = True


def clear() -> None:
  """Erases the line, before something else is printed, or at the end."""
  with _LOCK:
    if _State.shown and is_allowed():
      _write(b"\r\x1b[K")
      _State.shown = False


def _write(data: bytes) -> None:
  with contextlib.suppress(OSError):  # The terminal may be gone.
    os.write(_State.terminal, data)


def _console() -> Any:
  if _State.console is None:
    from rich import console
    # It only renders: its own live display hides the cursor, which a command that is
    # killed could not show again, and expects that nobody else writes.
    _State.console = console.Console(
        file=open(_State.terminal, "w", encoding="utf-8", closefd=False),
        force_terminal=True)
  return _State.console
