# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Decodes media files in a process of its own, which may hang, crash or be taken over.

The process of `serve` imports no TensorFlow. It sends bytes only: a line of JSON, and the
bytes of an array if it announces one. `Decoder` starts it, waits for it as long as is
allowed, and starts another one if it has ended.
"""

import contextlib
import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import connection
from typing import Any

import numpy as np

from yt8m.core.types import Config
from yt8m.media import frames
from yt8m.media import opening
from yt8m.media import probe
from yt8m.media import sound

# Modules are found where the parent finds them, and not in the current directory.
_START = ("import sys; sys.path[:] = sys.argv[2:]; "
          "from yt8m.extracting import decoder; decoder.serve(int(sys.argv[1]))")
_LIMIT = "YT8M_DECODER_BYTES"  # environment variable with `memory_bytes`
FRAMES, SOUND, END, FAILED = "frames", "sound", "end", "failed"
_DTYPES = {FRAMES: np.dtype(np.uint8), SOUND: np.dtype("<f4")}
# Largest message: a batch of frames ends before it has as many bytes, see `frames.py`.
_MOST_BYTES = 2**30
_POLL_SECS = 0.2


@dataclasses.dataclass(frozen=True)
class Request:
  """What to decode of a file.

  Attributes:
    path: Path of the file.
    fps: Number of frames a second.
    max_frames: Largest number of frames.
    start: Seconds of the file to leave out.
    end: Seconds to the end of the clip; None for the whole file.
    size: Height and width of the frames; None for those of the video.
    pictures: Whether frames are wanted.
    sound: Whether the sound is wanted.
    optional: Whether one of the two may be missing.
    sample_rate: Number of samples of the sound a second.
  """
  path: str
  fps: float
  max_frames: int
  start: float = 0.0
  end: float | None = None
  size: tuple[int, int] | None = None
  pictures: bool = True
  sound: bool = True
  optional: bool = False
  sample_rate: int = 16000


class DecodingFailed(Exception):
  """A file gives nothing that can be used; the message says why, without its name."""


class Decoder:
  """A process that decodes one file after the other.

  Args:
    timeout_secs: Seconds that a file may take to decode.
    memory_bytes: Bytes of address space that the process may have.
  """

  def __init__(self, timeout_secs: float, memory_bytes: int):
    self._timeout, self._memory = timeout_secs, memory_bytes
    self._process, self._connection = None, None

  def decode(self, request: Request) -> Iterator[tuple[str, Any]]:
    """Yields `FRAMES` or `SOUND` and an array, and at last `END` and a list of faults.

    Frames are (n, height, width, 3) uint8, and sound is (samples,) float32. The time that
    the caller takes between two of them does not count.

    Raises:
      DecodingFailed: The file has nothing to decode, or the process took too long, or
        ended.
    """
    if self._process is None or self._process.poll() is not None:
      self._start()
    seconds_left = [self._timeout]
    finished = False
    try:
      self._connection.send_bytes(json.dumps(dataclasses.asdict(request)).encode())
      while not finished:
        head = json.loads(self._receive(seconds_left))
        kind = head["kind"]
        if kind == FAILED:
          finished = True
          raise DecodingFailed(str(head["reason"])[:500])
        if kind == END:
          finished = True
          yield END, [str(fault)[:500] for fault in head["faults"]]
          return
        array = np.frombuffer(self._receive(seconds_left), _DTYPES[kind])
        yield kind, array.reshape(head["shape"])
    except (EOFError, OSError) as error:
      code = self._process.wait()
      name = f"signal {-code}" if code < 0 else f"status {code}"
      raise DecodingFailed(f"its decoder ended with {name}") from error
    except (ValueError, LookupError, TypeError) as error:
      raise DecodingFailed("its decoder sent what is no frame") from error
    finally:
      if not finished:  # What it still sends belongs to this file.
        self.stop()

  def _receive(self, seconds_left: list[float]) -> bytes:
    """Returns the next message; takes the time for it from `seconds_left`."""
    began = time.monotonic()
    while not self._connection.poll(_POLL_SECS):
      if time.monotonic() - began > seconds_left[0]:
        raise DecodingFailed(f"decoding takes more than {self._timeout:g} s")
    seconds_left[0] -= time.monotonic() - began
    return self._connection.recv_bytes(_MOST_BYTES)

  def _start(self) -> None:
    self._connection, other = connection.Pipe()
    self._process = subprocess.Popen(
        [sys.executable, "-c", _START, str(other.fileno()), *sys.path],
        pass_fds=[other.fileno()],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, env={**os.environ, _LIMIT: str(self._memory)})
    other.close()

  def stop(self) -> None:
    """Ends the process, whatever it does."""
    if self._process is not None:
      self._process.kill()
      self._process.wait()
      self._connection.close()
      self._process = None




def serve(descriptor: int) -> None:
  """Answers the requests of a `Decoder` until it closes the connection."""
  limit = int(os.environ[_LIMIT])
  resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
  signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent.
  with connection.Connection(descriptor) as pipe, contextlib.suppress(
      EOFError, BrokenPipeError, ConnectionResetError):
    while True:
      config = json.loads(pipe.recv_bytes())
      try:
        _answer(pipe, Request(**config))
      except (opening.MediaError, MemoryError) as error:
        reason = str(error).replace(config["path"], "it", 1) or "it needs too much memory"
        _send(pipe, {"kind": FAILED, "reason": reason.rstrip(".")})


def _answer(pipe: connection.Connection, request: Request) -> None:
  faults, pictures, audible = [], request.pictures, request.sound
  if request.optional:
    media = probe.probe(request.path)
    pictures, audible = pictures and media.has_video, audible and media.has_audio
  if pictures:
    reader = frames.read_frames(
        request.path, request.fps, request.max_frames, request.start, request.end,
        size=tuple(request.size) if request.size else None)
    for _, batch in reader:
      _send(pipe, {"kind": FRAMES}, batch)
    faults += [f"pictures: {fault}" for fault in reader.faults]
  if audible:
    found = []
    waveform = sound.read_waveform(
        request.path, request.sample_rate, request.start, request.end,
        request.max_frames / request.fps, found)
    _send(pipe, {"kind": SOUND}, waveform.astype("<f4", copy=False))
    faults += [f"sound: {fault}" for fault in found]
  _send(pipe, {"kind": END, "faults": faults})


def _send(pipe: connection.Connection, head: Config, array: np.ndarray | None = None
          ) -> None:
  if array is not None:
    head = {**head, "shape": array.shape}
  pipe.send_bytes(json.dumps(head).encode())
  if array is not None:
    pipe.send_bytes(np.ascontiguousarray(array).data.cast("B"))
