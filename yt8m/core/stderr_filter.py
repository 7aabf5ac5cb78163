# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Leaves out of stderr what libraries tell everybody, such as "oneDNN is on".

TensorFlow writes such lines to file descriptor 2, some of them while it is loaded, when
no setting holds yet. A process of its own reads what is written to that descriptor, and
passes on all but the lines of `_KNOWN`: what is written last arrives even if the command
crashes. Processes that the command starts write to the same pipe.

This file is also the program of that process. Only the standard library is imported here.
"""

import atexit
import contextlib
import os
import re
import secrets
import select
import signal
import subprocess
import sys

# Names the pipe of the filter to child processes, which need no second filter.
_VARIABLE = "YT8M_FILTERED_STDERR"
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_DRAIN_SECS = 2.0
# Part of a line that is not continued for this long is no line of `_KNOWN`.
_PART_SECS = 0.1

# Ray puts the name of a process before its lines, in colour on a terminal.
_COLOUR = rb"(?:\x1b\[\d+m)?"
_OF_RAY = (_COLOUR + rb"(?:\(.{1,100}? pid=\d+.{0,60}?\)" + _COLOUR + b" )?" + _COLOUR)
# Level, time and thread, in the format of absl or in that of TensorFlow before 2.17.
_PLACE = rb"(?:%s\d{4} [\d:.]+ +\d+ |[\d-]+ [\d:.]+: %s )(?:[\w/]+/)?"
_ANY = _PLACE % (b"[IWE]", b"[IWE]")
_KNOWN = re.compile(_OF_RAY + b"(?:" + b"|".join((
    # Of every SavedModel that is written.
    rb"INFO:tensorflow:",
    rb"WARNING: All log messages before absl::InitializeLog\(\) is called are written",
    # All of level INFO; one of them has a second line.
    _PLACE % (b"I", b"I") + rb"\w+\.cc:\d+\] ",
    rb"To enable the following instructions: .* rebuild TensorFlow with",
    # There is no GPU.
    _ANY + rb"cuda_\w+\.cc:\d+\] failed call to cuInit: .*UNKNOWN ERROR \(303\)",
    _ANY + rb"cuda_\w+\.cc:\d+\] failed call to cuInit: .*CUDA_ERROR_NO_DEVICE",
    # There is a GPU, and TensorFlow registers its libraries twice.
    _ANY + rb"cuda_\w+\.cc:\d+\] Unable to register cu\w+ factory: ",
    _ANY + rb"computation_placer\.cc:\d+\] computation placer already registered",
    _ANY + rb"\w+\.cc:\d+\] TF-TRT Warning: Could not find TensorRT",
    # Of float16 features on a processor without instructions for them.
    _ANY + rb"util\.cc:\d+\] oneDNN supports DT_HALF only on platforms with AVX-512",
    # Of an error that Python raises as well; its place in the graph is in a second line.
    _ANY + rb"local_rendezvous\.cc:\d+\] Local rendezvous is aborting with status: ",
    rb"\t \[\[\{\{(?:function_)?node ",
    # At the end of every dataset.
    _ANY + rb"node_def_util\.cc:\d+\] NodeDef mentions attribute \w+ which is not in the",
)) + b")")


_JSON_OF_RAY = re.compile(b"^" + _OF_RAY + rb'(?=\{"time": )')


class _State:
  """What there is once for a process."""
  pid: int | None = None  # of the process that has installed the filter
  original = 2  # a descriptor of what stderr was
  token = b""  # which the filter answers, and does not pass on
  answers = -1


def install(words: list[str], without_ray: bool = False) -> None:
  """Filters stderr from now on, unless that of the parent process is filtered already.

  With `--verbosity=1`, nothing is left out. Call it before TensorFlow is loaded.

  Args:
    words: Words of the command line.
    without_ray: Whether JSON objects lose what Ray puts before them.
  """
  if _State.pid == os.getpid() or _is_verbose(words):
    return
  try:
    if os.environ.get(_VARIABLE) == _identity(2):
      return
    original = os.dup(2)
  except OSError:  # There is no stderr.
    return
  reader, writer = os.pipe()
  answers, answering = os.pipe()
  token = secrets.token_bytes(16).replace(b"\n", b".")
  try:
    subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, token.hex(), str(answering),
         str(int(without_ray))],
        stdin=reader, stdout=original, pass_fds=[answering],
        # Ctrl-C and the end of a terminal reach every process of its session.
        start_new_session=True).returncode = 0  # It is not waited for.
    os.dup2(writer, 2)
    os.environ[_VARIABLE] = _identity(2)
    os.environ.setdefault(_LEVEL, "1")
    _State.pid, _State.original = os.getpid(), original
    _State.token, _State.answers = token, answers
    atexit.register(drain)
  except OSError:  # Too many processes: then nothing is left out.
    os.close(original)
  for descriptor in (reader, writer, answering):
    os.close(descriptor)


def write(text: str) -> None:
  """Writes lines of the command itself to stderr, which need no filter.

  So they stand in their order among those of stdout. On a terminal they replace the line
  that is updated in place.

  Args:
    text: Lines, with their ends.
  """
  if _State.pid != os.getpid():
    sys.stderr.write(text)
    sys.stderr.flush()
    return
  data = _start(_State.original) + text.encode(errors="backslashreplace")
  with contextlib.suppress(OSError):  # Nobody reads it any more.
    while data:
      data = data[os.write(_State.original, data):]


def drain() -> None:
  """Waits until everything that was written to stderr so far has arrived."""
  if _State.pid != os.getpid():
    return
  with contextlib.suppress(OSError, ValueError):
    sys.stderr.flush()
    os.write(2, _State.token)
    if select.select([_State.answers], [], [], _DRAIN_SECS)[0]:
      os.read(_State.answers, 1)


def terminal() -> int | None:
  """Returns a descriptor of stderr if that is a terminal, whose lines are filtered."""
  if _State.pid == os.getpid() and os.isatty(_State.original):
    return _State.original
  return None


def _is_verbose(words: list[str]) -> bool:
  found = re.findall(r"(?:^|\0)--?(?:v|verbosity)[=\0](-?\d+)", "\0".join(words))
  return bool(found) and int(found[-1]) > 0


def _identity(descriptor: int) -> str:
  status = os.fstat(descriptor)
  return f"{status.st_dev}:{status.st_ino}"


def _start(descriptor: int) -> bytes:
  """Returns what erases the line that is updated in place, before another line."""
  live = os.isatty(descriptor) and os.environ.get("TERM") != "dumb"
  return b"\r\x1b[K" if live else b""


def _main(token: bytes, answering: int, without_ray: bool, source: int = 0,
          target: int = 1) -> None:
  """Passes on what it reads, line by line, until nobody writes any more.

  Args:
    token: Text that is answered and not passed on.
    answering: Descriptor that gets a byte for each token.
    without_ray: Whether JSON objects lose what Ray puts before them.
    source: Descriptor to read.
    target: Descriptor to write to.
  """
  for name in ("SIGHUP", "SIGINT", "SIGTERM"):  # It ends when the command has ended.
    signal.signal(getattr(signal, name), signal.SIG_IGN)
  start = _start(target)
  part, begun = b"", False  # of a line, and whether some of it is written already

  def write(text):
    data = text if begun else start + text
    while data:
      data = data[os.write(target, data):]

  data = b"\n"
  while data:
    data = os.read(source, 65536)
    asked = token in part + data
    *lines, part = (part + data).replace(token, b"").split(b"\n")
    for line in lines:
      if begun or not _KNOWN.match(line):
        write((_JSON_OF_RAY.sub(b"", line) if without_ray else line) + b"\n")
      begun = False
    if part and (begun or not _KNOWN.match(part)) and (
        asked or not data or not select.select([source], [], [], _PART_SECS)[0]):
      write(part)
      part, begun = b"", True
    if asked:
      os.write(answering, b"\0")


if __name__ == "__main__":
  with contextlib.suppress(OSError):  # Nobody reads it any more.
    _main(bytes.fromhex(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1")
