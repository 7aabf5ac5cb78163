# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How every command starts, logs and fails."""

import functools
import logging as python_logging
import os
import sys
import time
import traceback
import types
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import app
from absl import flags
from absl import logging

from yt8m.core import command_line
from yt8m.core import live_line
from yt8m.core import log_lines
from yt8m.core import registry
from yt8m.core import signals
from yt8m.core import stderr_filter

flags.DEFINE_list(
    "allow_code", [], "Module prefixes, separated by commas. A name such as "
    "my_package.my_module:MyClass in a file, like the config.json of --train_dir, is "
    "imported only from modules below these prefixes. Also names of operations, such as "
    "PyFunc, that the graph of a SavedModel may hold. Allow only code that you trust. If "
    "this flag is given, names on the command line must be below the prefixes as well.")
flags.DEFINE_bool("log_json", False, "Log each line as a JSON object: time, level, "
                  "message, and the numbers in the line.")
flags.DEFINE_bool("quiet", False, "Log warnings and errors only.")

# Flags of every command.
_COMMON_FLAGS = ("allow_code", "log_json", "quiet")

# Errors that a user can fix: flags, files, records, a diverging model, permissions of a
# remote file system, or one that cannot be reached or is unknown (http://…).
USER_ERRORS = (ValueError, OSError, FloatingPointError, tf.errors.PermissionDeniedError,
               tf.errors.NotFoundError, tf.errors.UnauthenticatedError,
               tf.errors.FailedPreconditionError, tf.errors.UnimplementedError)

_LONGEST_TEXT = 200

# TensorFlow warns about this whenever it loads a SavedModel without gradients. Ours have
# none, because they are not trained further.
_NO_GRADIENTS = "unsaved custom gradients"


def run(main: Callable[..., Any], actions: Sequence[str] = (),
        stop_secs: float = 5.0, arguments: str = "", named_by_path: bool = False
        ) -> None:
  """Runs `main()` as a command: progress on stderr, an error as one clear line.

  `--help` lists the flags of the module of `main`. `--verbosity=1` shows where in the
  code an error was raised, and the log of TensorFlow. SIGINT, SIGTERM and SIGHUP end it
  as in `signals.py`.

  Args:
    main: Function without arguments, or of the action.
    actions: Words of which the command line must have one, as in `yt8m-ensemble search`.
    stop_secs: Seconds that it may take to clean up after a signal.
    arguments: What the words are that are no flags, of which `main` gets at least one,
      such as "training directories"; "" if there are none.
    named_by_path: Whether these words are paths or patterns of what is there.
  """
  # A GPU has room for other processes: its memory grows on demand. TensorFlow reads this
  # when it first needs a GPU.
  os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
  log_lines.configure(sys.argv[1:])  # for errors in flags
  signals.install()
  syntax = command_line.Syntax.of_modules(actions, arguments, named_by_path)
  try:
    with signals.raising(stop_secs):
      _make_main(sys.modules[main.__module__])
      app.run(functools.partial(_run_guarded, main),
              flags_parser=functools.partial(syntax.read, flags.FLAGS))
  except signals.Stopped as stopped:
    signals.end(stopped.number)
  except BaseException as error:
    # What a signal interrupts may turn Stopped into an error of its own.
    if number := signals.received():
      signals.end(number)
    if isinstance(error, SystemExit) and isinstance(error.code, str):
      log_lines.write("ERROR", error.code)
      sys.exit(1)
    raise


def _make_main(module):
  """Lets `--help` show the text and flags of `module`, also in a console script."""
  sys.modules["__main__"].__doc__ = module.__doc__
  for flag in flags.FLAGS.get_flags_for_module(module.__name__):
    flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
  for name in _COMMON_FLAGS:
    flags.FLAGS.register_key_flag_for_module(sys.argv[0], flags.FLAGS[name])


def _run_guarded(main, words):
  values = flags.FLAGS
  debugging = logging.get_verbosity() >= logging.DEBUG
  log_lines.set_json(values.log_json)
  if values.quiet and debugging:
    sys.exit("ERROR: --quiet and --verbosity=1 contradict each other: leave out one.")
  if values.log_json:
    sys.excepthook = _report_exception
  if not debugging:
    _log_plainly()
  logging.set_verbosity(logging.WARNING if values.quiet else
                        max(logging.get_verbosity(), logging.INFO))
  if not (debugging or values.quiet or values.log_json):
    live_line.allow()
  try:
    with registry.allow_code(_allowed_code()):
      main(*words[1:])
  except USER_ERRORS as error:
    if debugging:
      raise
    sys.exit(f"ERROR: {error}\n(--verbosity=1 shows where.)")
  except (MemoryError, tf.errors.ResourceExhaustedError) as error:
    if debugging:
      raise
    sys.exit(f"ERROR: There is not enough memory ({_beginning(error)}): choose a smaller "
             "--batch_size or model, or a machine with more.\n(--verbosity=1 shows "
             "where.)")
  finally:
    live_line.forbid()


def _beginning(error: Exception) -> str:
  """Returns the beginning of an error of TensorFlow, without the rest of its lines."""
  text = " ".join(str(error).split()) or type(error).__name__
  return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def typed_values(*names: str) -> list[str]:
  """Returns the values that the command line gives to a flag, without flag files.

  Args:
    *names: Name of the flag, and its aliases.
  """
  found = []
  for word, following in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
    name, equals, value = word.partition("=")
    if name.startswith("-") and name.lstrip("-") in names:
      found.append(value if equals else following)
  return found


def _allowed_code() -> list[str]:
  """Returns the prefixes of --allow_code.

  Raises:
    ValueError: The flag comes from a flag file, whose author need not be the user.
  """
  flag, typed = flags.FLAGS["allow_code"], typed_values("allow_code")
  # The last one counts. The value, too: what is typed may be taken for the value of a
  # flag at the end of the file.
  if flag.present and (flag.present > len(typed)
                       or flag.value != flag.parser.parse(typed[-1])):
    raise ValueError("--allow_code in a --flagfile does not count: type it on the "
                     "command line.")
  return flags.FLAGS.allow_code


def _log_plainly() -> None:
  """Logs only time and message, and from TensorFlow only warnings and errors."""
  root, handler = python_logging.getLogger(), log_lines.Handler()
  root.removeHandler(logging.get_absl_handler())
  root.addHandler(handler)
  handler.addFilter(lambda record: (record.levelno > python_logging.INFO
                                    and _NO_GRADIENTS not in str(record.msg))
                    or "/tensorflow/" not in record.pathname)
  sys.unraisablehook = functools.partial(_report_unraisable, sys.unraisablehook)


def _report_exception(kind: type[BaseException], error: BaseException,
                      trace: types.TracebackType | None) -> None:
  """Logs an error of the program itself as one JSON object."""
  lines = traceback.format_exception(kind, error, trace)
  stderr_filter.write(log_lines.as_json(
      time.time(), "CRITICAL", lines[-1].strip(), traceback="".join(lines)) + "\n")


def _report_unraisable(report: Callable[[Any], object], unraisable: Any) -> None:
  """Reports an error that nobody can catch, unless it only looks like one.

  The thread pool of a strategy of several workers may find its pipe closed when Python
  ends, and would print a traceback after the message that the user should read.
  """
  if getattr(unraisable.object, "__qualname__", "") != "Pool.__del__":
    report(unraisable)  # Of `signals`, for a signal that came in a `__del__`.
