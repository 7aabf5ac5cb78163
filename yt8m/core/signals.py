# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How SIGINT, SIGTERM and SIGHUP end a command: one line, the status, nothing left.

While a command runs, the first signal raises `Stopped` in the main thread, so that
context managers clean up. Before and after, it ends the process. A thread of its own
watches over this, because Python handles no signal while the main thread waits inside
TensorFlow: if the command has not ended in time, or with a second signal, the thread ends
it.

Only the standard library is imported here: a command can be stopped while it still loads
TensorFlow.
"""

import contextlib
import os
import select
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from yt8m.core import log_lines
from yt8m.core import stderr_filter

STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGTERM")
                     if hasattr(signal, name))
# `timeout` signals a process and then its group; a terminal that closes, too. Signals
# that follow each other faster than this are one.
_ONE_SIGNAL_SECS = 0.5
_HINT = "nothing half-written is left. The same command continues the work."


class Stopped(KeyboardInterrupt):
  """A signal stopped the command.

  Like KeyboardInterrupt, it is no Exception, so that no error handling swallows it.

  Args:
    number: Number of the signal.
  """

  def __init__(self, number: int):
    super().__init__(number)
    self.number = number


class _State:
  """What the handlers, the thread and the command share in this process."""
  first: int | None = None  # the number of the first signal
  handled = False  # by Python; the thread may see it earlier, or alone
  pid: int | None = None  # the process in which `install` was called
  raises = False
  deferred: list[int] | None = None
  settled = False  # a block of `deferred` ended in its own way after a signal
  ending = False
  secs = 5.0  # after which a command that was stopped is ended
  temporaries: set[str] = set()


def install() -> None:
  """Handles the signals in this process, which is a command and not a library.

  It may be called again, after something else has set handlers. Signals that are ignored
  stay so (`nohup`).
  """
  if threading.current_thread() is not threading.main_thread():
    return
  _set_handlers()
  if _State.pid != os.getpid():
    _State.pid = os.getpid()
    sys.unraisablehook = _raise_later
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader,), daemon=True).start()


@contextlib.contextmanager
def raising(secs: float = 5.0) -> Iterator[None]:
  """Lets the first signal raise `Stopped` in the block.

  Args:
    secs: Seconds that the block may take to clean up.
  """
  _State.raises, _State.secs = True, secs
  try:
    yield
  finally:
    _State.raises = False


@contextlib.contextmanager
def deferred(secs: float = 60.0) -> Iterator[list[int]]:
  """Yields a list that gets the number of the first signal; nothing is raised.

  For a block that looks at the list often, and ends in its own way. In a command, a
  second signal ends the process at once.

  Args:
    secs: Seconds after which the process is ended if the main thread is still inside a
      call that does not return.
  """
  received, earlier = [], _State.secs
  _State.deferred, _State.secs = received, secs
  handlers = _set_handlers()
  try:
    yield received
  finally:
    _State.settled |= bool(received)
    _State.deferred, _State.secs = None, earlier
    if _State.pid != os.getpid():  # not a command, but a program of someone else
      for number, handler in handlers.items():
        signal.signal(number, handler)


@contextlib.contextmanager
def kept_from_ray() -> Iterator[None]:
  """Handles the signals during and after a block in which Ray sets its own handler."""
  try:
    yield
  except SystemExit as error:  # That is what Ray's handler of SIGTERM raises.
    raise Stopped(signal.SIGTERM) from error
  finally:
    if _State.pid == os.getpid():
      install()


def received() -> int | None:
  """Returns the number of the signal that ends the command, or None.

  None also if a block of `deferred` has taken care of it.
  """
  return None if _State.settled else _State.first


def check() -> None:
  """Raises `Stopped` in threads other than the main thread if a signal was received."""
  is_main = threading.current_thread() is threading.main_thread()
  if (number := received()) and _State.deferred is None and not is_main:
    raise Stopped(number)


def remove_if_stopped(path: str) -> None:
  """Notes something half-written, which goes if the process is stopped.

  Its context manager removes it as well. This is for a context manager that does not end:
  a signal interrupts it, or the main thread hangs.
  """
  _State.temporaries.add(path)


def keep(path: str) -> None:
  """Takes back `remove_if_stopped`, once the path is finished or removed."""
  _State.temporaries.discard(path)


@contextlib.contextmanager
def hidden_from_children() -> Iterator[None]:
  """Lets processes that are started in the block get no SIGINT and SIGHUP.

  Ctrl-C reaches every process of a terminal. The parent alone decides what it means.
  """
  blocked = {number for number in STOP_SIGNALS if number != signal.SIGTERM}
  earlier = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)  # inherited
  try:
    yield
  finally:
    signal.pthread_sigmask(signal.SIG_SETMASK, earlier)


def end(number: int, hint: str = _HINT) -> None:
  """Ends the process because of a signal: one line, and the status that shells expect.

  Args:
    number: Number of the signal.
    hint: What the user should know, for the line.
  """
  if _State.ending:  # in the other thread
    time.sleep(60)
  _State.ending = True
  terminate_children()
  for path in [*_State.temporaries, *_generated_code()]:
    with contextlib.suppress(OSError):
      (shutil.rmtree if os.path.isdir(path) else os.remove)(path)
  with contextlib.suppress(Exception):
    sys.stdout.flush()
  with contextlib.suppress(OSError):  # The terminal may be gone.
    text = f"Stopped by {signal.Signals(number).name}: {hint}"
    stderr_filter.drain()
    stderr_filter.write(log_lines.line("WARNING", text) + "\n")
  # Not sys.exit: it would wait for threads, and TensorFlow aborts if its own still run.
  os._exit(128 + number)


def _generated_code() -> list[str]:
  """Returns the temporary files of code that TensorFlow removes at a usual exit."""
  return [module.__file__ for name, module in list(sys.modules.items())
          if name.startswith("__autograph_generated_file") and module.__file__]


def terminate_children() -> None:
  """Sends SIGTERM to the processes that `multiprocessing` started for this one."""
  with contextlib.suppress(Exception):
    process = sys.modules.get("multiprocessing.process")  # not loaded: no children
    for child in process.active_children() if process else ():
      child.terminate()


def _set_handlers() -> dict[signal.Signals, Any]:
  """Handles the signals that are not ignored; returns the handlers that they had."""
  return {number: signal.signal(number, _handle) for number in STOP_SIGNALS
          if signal.getsignal(number) != signal.SIG_IGN}


def _handle(number, frame):
  is_first, _State.handled = not _State.handled, True
  _State.first = _State.first or number
  if _State.deferred is not None:
    _State.deferred.append(number)
  elif is_first and not _State.raises:
    end(number)
  elif is_first:
    # Before the exception: context managers wait for the children.
    terminate_children()
    raise Stopped(number)


def _raise_later(unraisable: Any) -> None:
  """Sends a signal again whose `Stopped` Python has dropped: it came in a `__del__`."""
  if not issubclass(unraisable.exc_type, Stopped):
    sys.__unraisablehook__(unraisable)
    return
  _State.handled = False
  threading.Timer(0.05, os.kill, (os.getpid(), unraisable.exc_value.number)).start()


def _watch(reader: int) -> None:
  """Ends the process after the second signal, or if it takes too long."""
  number, began = os.read(reader, 1)[0], time.monotonic()
  while number not in STOP_SIGNALS:  # such as SIGCHLD, if someone handles it
    number, began = os.read(reader, 1)[0], time.monotonic()
  _State.first = _State.first or number
  while True:
    left = began + _State.secs - time.monotonic()
    if left <= 0 and not (_State.deferred or _State.settled):
      end(number)
    if select.select([reader], [], [], max(0.1, left))[0]:
      second = os.read(reader, 1)[0]
      if second in STOP_SIGNALS and time.monotonic() > began + _ONE_SIGNAL_SECS:
        os._exit(128 + second)
