# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is fuzzed: a parser, valid inputs of it, and what it may do with damaged ones."""

import dataclasses
import os
import random
import re
import signal
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from tests.fuzz import mutation

ACCEPTED, REFUSED, FOREIGN, UNCLEAR, WRONG, HANG = OUTCOMES = (
    "accepted", "refused", "foreign", "unclear", "wrong", "hang")
FAULTS = (FOREIGN, UNCLEAR, WRONG, HANG)
# Seconds that a case may take.
_SECONDS = 10
_LONGEST_MESSAGE = 1500


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
  """A parser.

  Attributes:
    name: Name in the table.
    seeds: Valid inputs.
    read: Function from the path of an input to what our code reads there, in plain
      types.
    expected: Function from the bytes of an input that was accepted to what an
      independent reading of it gives. It raises an error for an input that must not be
      accepted.
    mutate: Function that damages an input.
    names: Texts of which an error must have one. Default: the name of the file.
    errors: Classes of the errors that the parser may raise.
    file: Name of the input's file.
    share: Share of all cases, relative to that of other targets.
    takes_all: Whether no input is refused.
  """
  name: str
  seeds: Sequence[bytes]
  read: Callable[[str], Any]
  expected: Callable[[bytes], Any]
  mutate: Callable[[random.Random, bytes], bytes] = mutation.of_bytes
  names: Sequence[str] = ()
  errors: tuple[type[Exception], ...] = (ValueError, OSError)
  file: str = "input"
  share: float = 1.0
  takes_all: bool = False

  def case(self, seed: int, number: int) -> bytes:
    """Returns the input of a case. The first ones are the seeds, undamaged."""
    if number < len(self.seeds):
      return self.seeds[number]
    rng = random.Random(f"{seed}/{self.name}/{number}")
    return self.mutate(rng, rng.choice(self.seeds))


def escaped(video_id: bytes | str) -> str:
  """The text of an id as our outputs hold it (`yt8m.core.video_ids`)."""
  if isinstance(video_id, str):
    return "".join(map(_escaped_character, video_id))
  text, at = "", 0
  while at < len(video_id):
    part = next((part for size in (1, 2, 3, 4)
                 if _is_character(part := video_id[at:at + size])), None)
    if part is None:
      part, one = video_id[at:at + 1], f"%{video_id[at]:02X}"
    elif part == b"%" and re.match(rb"[0-9A-Fa-f]{2}", video_id[at + 1:]):
      one = "%25"
    else:
      one = _escaped_character(part.decode())
    text, at = text + one, at + len(part)
  return text


def _is_character(data):
  try:
    return len(data.decode()) == 1
  except UnicodeDecodeError:
    return False


def _escaped_character(character):
  code = ord(character)
  if (character.isspace() or character in '",\ufeff' or code < 32 or 127 <= code < 160
      or 0xD800 <= code < 0xE000):
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
  return character


class NoVerdict(Exception):
  """Raised by `expected` for an input that it cannot read, but that may be valid."""


class _TimeIsUp(BaseException):
  """No parser catches it, as it is no `Exception`."""


def judge(target: Target, data: bytes, folder: str) -> tuple[str, str]:
  """Gives an input to a parser.

  Args:
    target: The parser.
    data: The input.
    folder: Path of a folder for the file of the input.

  Returns:
    One of `OUTCOMES`, and the error or what was read.
  """
  path = os.path.join(folder, target.file)
  os.makedirs(os.path.dirname(path), exist_ok=True)
  with open(path, "wb") as file:
    file.write(data)
  before = signal.signal(signal.SIGALRM, _stop)
  signal.setitimer(signal.ITIMER_REAL, _SECONDS)
  try:
    result = target.read(path)
  except _TimeIsUp:
    return HANG, f"no answer after {_SECONDS} s"
  except target.errors as error:
    return _judge_message(str(error), target.names or (target.file,))
  except Exception as error:
    text = " ".join(str(error).split())
    return FOREIGN, f"{type(error).__name__}: {text[:200]} … {text[-200:]}"
  finally:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
  try:
    expected = target.expected(data)
  except NoVerdict:
    return ACCEPTED, ""
  except Exception as error:
    return WRONG, f"accepted as {result!r:.300}, but {type(error).__name__}: {error}"
  # Texts tell 1 from 1.0 and True, and take NaN as equal to NaN.
  if repr(result) != repr(expected):
    return WRONG, f"read {result!r:.300}, expected {expected!r:.300}"
  return ACCEPTED, ""


def _judge_message(message, names):
  fault = ("is empty" if not message else
           "has several lines" if len(message.splitlines()) > 1 else
           "is long" if len(message) > _LONGEST_MESSAGE else
           f"has none of {names}" if not any(name in message for name in names) else "")
  return (UNCLEAR, f"the message {fault}: {message[:400]!r}") if fault else (
      REFUSED, message)


def _stop(*_):
  raise _TimeIsUp
