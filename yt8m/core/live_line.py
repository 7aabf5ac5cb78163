# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One line at the bottom of a terminal, updated in place, while a command works.

Lines of the log erase it (`stderr_filter`), and the next update draws it below them.
"""

import os
import threading
from typing import Any

from yt8m.core import stderr_filter


class _State:
  """The line of this process."""
  live: Any = None  # a `rich.live.Live`
  pid: int | None = None  # of the process that may show it
  terminal: int | None = None


# The calls of `rich` are safe in threads one by one only.
_LOCK = threading.Lock()


def allow() -> None:
  """Lets this process, a command, show a line if stderr is a terminal."""
  _State.terminal = stderr_filter.terminal()
  if _State.terminal is not None and os.environ.get("TERM", "dumb") != "dumb":
    _State.pid = os.getpid()


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
  row: list[Any] = [rich_text.Text(text, no_wrap=True, overflow="ellipsis")]
  if total:
    row.insert(0, progress_bar.ProgressBar(total, min(done, total), width=16))
  line = table.Table.grid(padding=(0, 1))
  line.add_row(*row)
  with _LOCK:
    live = _live()
    live.console.width = os.get_terminal_size(_State.terminal or 2).columns or 80
    live.update(line, refresh=True)


def clear() -> None:
  """Erases the line, before something else is printed, or at the end."""
  with _LOCK:
    if _State.live is not None and is_allowed():
      _State.live.stop()
    _State.live = None


def _live() -> Any:
  if _State.live is None:
    from rich import console
    from rich import live

    class Console(console.Console):
      """Leaves the cursor visible: a command that is killed could not show it again."""

      def show_cursor(self, show: bool = True) -> bool:
        return False

    file = os.fdopen(os.dup(_State.terminal or 2), "w", encoding="utf-8")
    _State.live = live.Live(
        console=Console(file=file, force_terminal=True), auto_refresh=False,
        transient=True, redirect_stdout=False, redirect_stderr=False)
    _State.live.start()
  return _State.live
