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
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import connection
from typing import Any

import numpy as np

from yt8m.core import fields
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
_MOST_BYTES_OF_HEAD = 2**20
_LAST_SECS = 5.0  # that a process which has closed the connection gets to end


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
    self._process: Any = None
    self._connection: Any = None
    self._lock, self._closed = threading.Lock(), False

  def decode(self, request: Request) -> Iterator[tuple[str, Any]]:
    """Yields `FRAMES` or `SOUND` and an array, and at last `END` and a list of faults.

    Frames are (n, height, width, 3) uint8, and sound is (samples,) float32. The time that
    the caller takes between two of them does not count.

    Raises:
      DecodingFailed: The file has nothing to decode, or the process took too long, or
        ended.
    """
    if self._process is None or self._process.poll() is not None:
      self.stop()
      self._start()
    seconds_left, num_frames, finished = [self._timeout], 0, False
    try:
      self._connection.send_bytes(json.dumps(dataclasses.asdict(request)).encode())
      while True:
        head = json.loads(self._receive(seconds_left, _MOST_BYTES_OF_HEAD))
        kind = head["kind"]
        if kind == FAILED:
          reason = str(head["reason"])[:500]
          finished = True
          raise DecodingFailed(reason)
        if kind == END:
          faults = [str(fault)[:500] for fault in head["faults"]]
          finished = True
          yield END, faults
          return
        array = _array(kind, head["shape"], self._receive(seconds_left, _MOST_BYTES),
                       request)
        num_frames += len(array) if kind == FRAMES else 0
        if num_frames > request.max_frames:
          raise ValueError
        yield kind, array
    except (EOFError, OSError) as error:
      raise DecodingFailed(f"its decoder ended with {self._end()}") from error
    except fields.UNFIT as error:
      raise DecodingFailed("its decoder sent what is no frame") from error
    finally:
      if not finished:  # What it still sends belongs to this file.
        self.stop()

  def _receive(self, seconds_left: list[float], most_bytes: int) -> bytes:
    """Returns the next message; takes the time for it from `seconds_left`."""
    began, late = time.monotonic(), threading.Event()

    def give_up():
      late.set()
      self._interrupt()

    # A process that was taken over may send a half of a message, and then nothing.
    timer = threading.Timer(max(0.0, seconds_left[0]), give_up)
    timer.start()
    try:
      return self._connection.recv_bytes(most_bytes)
    except (EOFError, OSError) as error:
      if late.is_set():
        raise DecodingFailed(f"decoding takes more than {self._timeout:g} s") from error
      raise
    finally:
      timer.cancel()
      seconds_left[0] -= time.monotonic() - began

  def _start(self) -> None:
    with self._lock:
      if self._closed:
        raise DecodingFailed("decoding was stopped")
      self._connection, other = connection.Pipe()
      self._process = subprocess.Popen(
          [sys.executable, "-c", _START, str(other.fileno()), *filter(None, sys.path)],
          pass_fds=[other.fileno()],
          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
          start_new_session=True, env={**os.environ, _LIMIT: str(self._memory)})
      other.close()

  def _end(self) -> str:
    """Returns how the process has ended, which has closed the connection."""
    try:
      code = self._process.wait(_LAST_SECS)
    except subprocess.TimeoutExpired:
      return "no answer"
    return f"signal {-code}" if code < 0 else f"status {code}"

  def _interrupt(self) -> None:
    """Kills the process, and lets nobody wait for it, also in another thread."""
    self._process.kill()
    with contextlib.suppress(OSError), socket.socket(
        fileno=os.dup(self._connection.fileno())) as pipe:
      pipe.shutdown(socket.SHUT_RDWR)

  def close(self) -> None:
    """Ends the process for good, while another thread may use it."""
    with self._lock:
      self._closed = True
      if self._process is not None:
        self._interrupt()

  def stop(self) -> None:
    """Ends the process, whatever it does."""
    with self._lock:
      if self._process is not None:
        self._interrupt()
        self._process.wait()
        self._connection.close()
        self._process = None


def _array(kind: str, shape: list[int], data: bytes, request: Request) -> np.ndarray:
  """Returns the array of a message.

  Raises:
    LookupError: There is no such kind of array.
    TypeError: The shape is none.
    ValueError: The array is not what was requested.
  """
  array = np.frombuffer(data, _DTYPES[kind]).reshape(shape)
  fits = (request.sound and array.ndim == 1 if kind == SOUND else
          request.pictures and array.ndim == 4 and array.shape[3:] == (3,) and array.size
          and (not request.size or array.shape[1:3] == tuple(request.size)))
  if not fits:
    raise ValueError(f"{kind} has the shape {array.shape}")
  return array


def serve(descriptor: int) -> None:
  """Answers the requests of a `Decoder` until it closes the connection."""
  limit = int(os.environ[_LIMIT])
  resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
  signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent.
  threading.Thread(target=_end_with, args=[descriptor], daemon=True).start()
  with connection.Connection(descriptor) as pipe, contextlib.suppress(
      EOFError, BrokenPipeError, ConnectionResetError):
    while True:
      config = json.loads(pipe.recv_bytes())
      try:
        _answer(pipe, Request(**config))
      except opening.MediaError as error:
        _fail(pipe, str(error).replace(config["path"], "it", 1))
      except MemoryError:
        _fail(pipe, "it needs more memory than --file_memory_gib")
      except (ConnectionError, EOFError):
        raise
      except Exception as error:  # The next file may be better.
        _fail(pipe, f"{type(error).__name__}: {fields.reason(error)}")


def _end_with(descriptor: int) -> None:
  """Ends this process when the other one has, even in the middle of a file."""
  poll = select.poll()
  poll.register(descriptor, 0)  # Only for its end.
  poll.poll()
  os._exit(1)


def _fail(pipe: connection.Connection, reason: str) -> None:
  _send(pipe, {"kind": FAILED, "reason": reason.rstrip(".")})


def _answer(pipe: connection.Connection, request: Request) -> None:
  faults, pictures, audible = [], request.pictures, request.sound
  if request.optional:
    media = probe.probe(request.path)
    pictures, audible = pictures and media.has_video, audible and media.has_audio
  if pictures:
    reader = frames.read_frames(
        request.path, request.fps, request.max_frames, request.start, request.end,
        size=(request.size[0], request.size[1]) if request.size else None)
    for _, batch in reader:
      _send(pipe, {"kind": FRAMES}, batch)
    faults += [f"pictures: {fault}" for fault in reader.faults]
  if audible:
    found = []
    waveform = sound.read_waveform(
        request.path, request.sample_rate, request.start, request.end,
        request.max_frames / request.fps, found)
    if waveform.nbytes > _MOST_BYTES:
      raise opening.MediaError(
          f"{request.path} has {len(waveform) / request.sample_rate / 3600:.1f} h of "
          "sound, which is too much for a clip: extract parts of it, with start and end.")
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
