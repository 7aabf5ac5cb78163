# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Lines of the log: plain ones, or with `--log_json` one JSON object each.

Only the standard library is imported here: a command can end with such a line before it
has read its flags.
"""

import datetime
import json
import logging
import math
import os
import re
import time
from typing import Any

from yt8m.core import stderr_filter

_PLAIN = "%(asctime)s %(message)s"
# Attribute of a log record with its numbers, by name.
FIELDS = "yt8m_fields"


# Tells the processes that a command starts how to log.
_VARIABLE = "YT8M_LOG_JSON"


def configure(words: list[str]) -> None:
  """Reads `--log_json` from the words of the command line, before they are parsed.

  >>> from yt8m.core import log_lines
  >>> log_lines.configure(["--train_dir=model", "--log_json"])
  >>> log_lines.is_json()
  True
  >>> log_lines.configure(["--log_json=false"])
  >>> log_lines.is_json()
  False

  Args:
    words: Words of the command line.
  """
  found = re.findall(r"(?:^|\0)--?(no)?log_json(?:=(\w+))?(?=\0|$)", "\0".join(words))
  set_json(bool(found) and not found[-1][0] and (
      found[-1][1].lower() not in ("false", "f", "0", "n", "no")))


def set_json(as_json: bool) -> None:
  """Sets whether the lines of this process and of its children are JSON objects."""
  os.environ[_VARIABLE] = str(int(as_json))


def is_json() -> bool:
  """Returns whether the lines are JSON objects."""
  return os.environ.get(_VARIABLE) == "1"


def variables() -> dict[str, str]:
  """Returns environment variables, by which processes elsewhere log in the same way."""
  return {_VARIABLE: str(int(is_json()))}


def formatter() -> logging.Formatter:
  """Returns a formatter of log records."""
  if is_json():
    return _JsonFormatter()
  return logging.Formatter(_PLAIN, datefmt="%H:%M:%S")


class Handler(logging.Handler):
  """Writes log records to stderr, one line each."""

  def __init__(self):
    super().__init__()
    self.setFormatter(formatter())

  def emit(self, record: logging.LogRecord) -> None:
    try:
      stderr_filter.write(self.format(record) + "\n")
    except Exception:
      self.handleError(record)


def follow(logger: logging.Logger) -> None:
  """Lets a process that a command has started log as the command does.

  Args:
    logger: Logger of the process.
  """
  logger.addHandler(Handler())
  logger.propagate = False


def numbers(**fields: Any) -> dict[str, Any]:
  """Returns the argument `extra` of a log call, for the fields of its JSON object.

  >>> from absl import logging
  >>> from yt8m.core import log_lines
  >>> logging.info("step %d", 3, extra=log_lines.numbers(step=3))

  Args:
    **fields: Numbers or names.
  """
  return {FIELDS: fields}


def line(level: str, message: str) -> str:
  """Returns a line about the end of the command.

  Args:
    level: Name of the level, such as "ERROR".
    message: Text of the line.
  """
  if not is_json():
    return message
  return as_json(time.time(), level, message.removeprefix(f"{level}: "))


def write(level: str, message: str) -> None:
  """Writes a line about the end of the command to stderr."""
  stderr_filter.drain()  # An error of a library may say more.
  stderr_filter.write(line(level, message) + "\n")


def as_json(seconds: float, level: str, message: str, **fields: Any) -> str:
  """Returns a line as a JSON object.

  >>> from yt8m.core import log_lines
  >>> print(log_lines.as_json(0, "INFO", "step", step=3))
  {"time": "1970-01-01T00:00:00.000+00:00", "level": "INFO", "message": "step", "step": 3}

  Args:
    seconds: Seconds since 1970.
    level: Name of the level.
    message: Text of the line.
    **fields: Further fields; numbers that JSON does not have become null.
  """
  when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
  return json.dumps({"time": when.isoformat(timespec="milliseconds"), "level": level,
                     "message": message, **{name: _plain(value)
                                            for name, value in fields.items()}})


def _plain(value):
  if isinstance(value, float):
    return value if math.isfinite(value) else None
  return value


class _JsonFormatter(logging.Formatter):
  """Formats a log record as a JSON object, with its fields and its traceback."""

  def format(self, record: logging.LogRecord) -> str:
    fields = getattr(record, FIELDS, {})
    if record.exc_info:
      fields = {**fields, "traceback": self.formatException(record.exc_info)}
    return as_json(record.created, record.levelname, record.getMessage(), **fields)
