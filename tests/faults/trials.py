# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs a command under one fault, then once more, and compares what it leaves.

The one rule: after any fault, the same command again ends with status 0 and leaves the
same bytes as a run without a fault, and nothing besides.
"""

import contextlib
import dataclasses
import errno
import hashlib
import os
import pathlib
import re
import resource
import shutil
import signal
import struct
import sysconfig
import threading
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tests.faults import cases
from tests.helpers import forked_commands
from tests.helpers import support

TIMEOUT = 300
# Their names hold the time and the host; `checkpoint` holds times. TensorFlow writes the
# code that it generates to temporary files, which a killed process cannot remove.
IGNORED = re.compile(r"/events\.out\.tfevents\.|\.log$|/log\.txt$|"
                     r"^tmp/__autograph_generated_file\w+\.py$")
CHECKPOINT = re.compile(r"/model\.ckpt-\d+\.(index|data-.*|json)$|/checkpoint$")
# Not restored, or, as the end of an epoch is the start of the next one, of two forms.
NO_VALUES = re.compile(r"_CHECKPOINTABLE_OBJECT_GRAPH|save_counter/|epoch")


@dataclasses.dataclass(frozen=True)
class Fault:
  """Something that happens to a command.

  Attributes:
    kind: Kind, for the table.
    at: Number of the call of `points.c` at which it happens, or None.
    secs: Seconds after which it happens, or None.
    number: Number of the signal that is sent, or None.
    error: Error number of the calls from `at` on, or None.
    file_size: Number of bytes after which no file grows, or None.
    flipped: Number of the byte that is flipped in a record file, or None.
  """
  kind: str
  at: int | None = None
  secs: float | None = None
  number: int | None = None
  error: int | None = None
  file_size: int | None = None
  flipped: int | None = None

  def __str__(self):
    where = (f"at call {self.at}" if self.at else
             f"after {self.secs:.2f} s" if self.secs else
             f"at {self.file_size or self.flipped} bytes")
    return f"{self.kind} {where}"


@dataclasses.dataclass
class Outcome:
  """What a fault did.

  Attributes:
    happened: Whether it happened before the command ended.
    lost: Why something is lost, or the words of the failing command; empty if nothing.
    left: Files that are left over.
  """
  happened: bool
  lost: str = ""
  left: tuple[str, ...] = ()


def prepare() -> None:
  """Makes a forked command ready for its fault."""
  os.setsid()
  os.environ["FAULT_PID"] = str(os.getpid())
  if size := os.environ.get("FAULT_FILE_SIZE"):  # like `tests.helpers.full_disk`
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), resource.RLIM_INFINITY))
  if secs := os.environ.get("FAULT_SECS"):
    timer = threading.Timer(
        float(secs), os.kill, (os.getpid(), int(os.environ["FAULT_SIGNAL"])))
    timer.daemon = True
    timer.start()


class Bench:
  """A place where one case is tried again and again, at the same paths."""

  def __init__(self, case: cases.Case, inputs: pathlib.Path, folder: pathlib.Path):
    self.case, self._inputs, self._folder = case, folder / "inputs", folder
    shutil.copytree(inputs, self._inputs)
    self._record_file = self._inputs / case.reads if case.reads else None
    self.record_bytes = self._record_file.stat().st_size if self._record_file else 0
    self._out, self._tmp = folder / "out", folder / "tmp"
    self._counter = folder / "counter"

  def measure(self) -> None:
    """Runs the command without faults, twice; sets what to expect."""
    snapshots = []
    for _ in range(2):
      self._clear()
      began = time.monotonic()
      process = self._run({"FAULT_LOG": str(self._folder / "calls.txt")})
      self.secs = time.monotonic() - began
      if process.returncode:
        raise AssertionError(f"{self.case.name}: {process.stdout}{process.stderr}")
      self.points, = struct.unpack("q", self._counter.read_bytes())
      snapshots.append(self._snapshot())
    first, self.expected = snapshots
    self.varying = sorted(name for name in first if first[name] != self.expected[name])
    self.largest = max(path.stat().st_size for path in self._out.rglob("*"))

  def try_fault(self, fault: Fault) -> Outcome:
    """Runs the command with a fault, and again without."""
    self._clear()
    with self._flipped(fault.flipped):
      process = self._run_with(fault)
    outcome = Outcome(process.returncode != 0)
    if fault.kind == "kill":
      outcome.happened = process.returncode == -signal.SIGKILL
    elif outcome.happened or fault.flipped is not None:  # which must be noticed
      outcome.lost = _unclear(process, fault)
      if fault.error != errno.EACCES:  # with which nothing could be removed either
        outcome.left = tuple(name for name in self._snapshot() if ".tmp" in name)
    self._wait_for_orphans()
    again = self._run({})
    if again.returncode:
      outcome.lost += f"again: status {again.returncode}, {_last_words(again)}"
      return outcome
    found = self._snapshot()
    different = [name for name, content in self.expected.items()
                 if name not in self.varying and found.get(name) != content
                 or name not in found]
    outcome.lost += "".join(f"differs: {name}; " for name in different)
    outcome.left += tuple(sorted(set(found) - set(self.expected)))
    return outcome

  def _run_with(self, fault):
    environment = {"FAULT_AT": str(fault.at or 0)}
    if fault.number:
      environment["FAULT_SIGNAL"] = str(int(fault.number))
    if fault.error:
      environment["FAULT_ERRNO"] = str(fault.error)
    if fault.secs:
      environment["FAULT_SECS"] = str(fault.secs)
    if fault.file_size is not None:
      environment["FAULT_FILE_SIZE"] = str(fault.file_size)
    return self._run(environment)

  @contextlib.contextmanager
  def _flipped(self, position):
    if position is None:
      yield
      return
    content = self._record_file.read_bytes()
    damaged = bytearray(content)
    damaged[position] ^= 0x10
    self._record_file.write_bytes(damaged)
    try:
      yield
    finally:
      self._record_file.write_bytes(content)

  def _run(self, faults):
    self._counter.write_bytes(bytes(8))
    places = {"inputs": self._inputs, "out": self._out}
    return forked_commands.run(
        self.case.module, [word.format(**places) for word in self.case.arguments],
        {**support.ENVIRONMENT, "FAULT_COUNTER": str(self._counter),
         "FAULT_ROOT": str(self._out), "TMPDIR": str(self._tmp),
         "LD_PRELOAD": os.environ["LD_PRELOAD"], **faults}, TIMEOUT, prepare)

  def _clear(self):
    for folder in (self._out, self._tmp):
      shutil.rmtree(folder, ignore_errors=True)
      folder.mkdir(parents=True)

  def _snapshot(self) -> dict[str, object]:
    found = {}
    for folder in (self._out, self._tmp):
      for path in sorted(folder.rglob("*")):
        name = f"{folder.name}/{path.relative_to(folder)}"
        if path.is_file() and not IGNORED.search(name) and "/ray" not in name:
          content = path.read_bytes()
          found[name] = hashlib.sha256(content).hexdigest()
          if CHECKPOINT.search(name):
            found[name] = (_variables(str(path)[:-len(".index")])
                           if name.endswith(".index") else "")
    return found

  def _wait_for_orphans(self, secs: float = 120):
    """Waits for the processes that a killed command has left running."""
    mark = f"FAULT_COUNTER={self._counter}".encode()
    deadline = time.monotonic() + secs
    while time.monotonic() < deadline and any(map(_contains(mark), _environments())):
      time.sleep(0.1)


def compile_points(folder: pathlib.Path) -> pathlib.Path | None:
  """Compiles `points.c`; returns None where that is not possible."""
  library = folder / "points.so"
  source = pathlib.Path(__file__).with_name("points.c")
  compiler = shutil.which("cc") or shutil.which("gcc")
  if not compiler or not sysconfig.get_platform().startswith("linux"):
    return None
  return library if not os.spawnl(
      os.P_WAIT, compiler, compiler, "-O1", "-shared", "-fPIC", "-o", str(library),
      str(source), "-ldl") else None


def _unclear(process, fault) -> str:
  """Returns what is wrong with how a command that was not killed has ended."""
  words = process.stdout + process.stderr
  if "Traceback" in words:
    return f"{fault}: {words[words.index('Traceback'):]}; "
  if fault.number:
    line = f"Stopped by {signal.Signals(fault.number).name}"
    if process.returncode != 128 + fault.number or words.count(line) != 1:
      return f"{fault}: status {process.returncode}, {_last_words(process)}; "
  elif process.returncode != 1 or "ERROR: " not in words:
    return f"{fault}: status {process.returncode}, {_last_words(process)}; "
  return ""


def _last_words(process) -> str:
  return " | ".join((process.stdout + process.stderr).strip().splitlines()[-3:])[-300:]


def _variables(prefix: str) -> object:
  """Returns the digest of what a checkpoint restores."""
  try:
    reader = tf.train.load_checkpoint(prefix)
    digest = hashlib.sha256()
    for name in sorted(reader.get_variable_to_shape_map()):
      if not NO_VALUES.match(name):
        digest.update(name.encode() + np.asarray(reader.get_tensor(name)).tobytes())
    return digest.hexdigest()
  except (tf.errors.OpError, ValueError) as error:
    return f"damaged: {error}"


def _contains(mark: bytes) -> Callable[[bytes], bool]:
  return lambda environment: mark in environment.split(b"\0")


def _environments():
  for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
      with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
        yield file.read()
