# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Opens media files of other people with FFmpeg, and says in one line what is wrong.

FFmpeg reads far more than films: playlists that name other files, lists of pictures,
addresses, devices. Only local files of the formats in `FORMATS` are opened, FFmpeg's
only protocol is that of local files, and the numbers of streams and of pixels have
limits. Time and memory are limited by whoever calls: a damaged file may still keep a
decoder busy.
"""

import contextlib
import os
import re
from collections.abc import Callable
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

from yt8m.core import fields
from yt8m.media import skipping

if TYPE_CHECKING:
  from yt8m.core.types import PathLike

# Names of FFmpeg's demuxers. None of them opens a file that the first one names: mov
# follows no references to other files (`enable_drefs`) unless it is asked to.
FORMATS = (
    "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "asf", "flv",
    "mpeg", "mpegts", "ogg", "gif", "mxf", "rm", "dv", "ivf", "yuv4mpegpipe", "nut",
    "wav", "w64", "mp3", "aac", "flac", "aiff", "amr", "caf", "au", "ac3", "eac3", "wv")
# Those of the largest pictures of 8K, 8192 × 4608.
MAX_PIXELS = 8192 * 4608
MAX_STREAMS = 64
# Seconds of the sound or of the pictures that may be missing at the end of a file. The
# headers of whole files are that wrong.
_MISSING_SECS = 1.5
# Errors of PyAV, besides its own, for what it finds in damaged files.
_UNFIT = (*fields.UNFIT, MemoryError, NotImplementedError, RuntimeError, OSError)


class MediaError(ValueError):
  """A file that gives no frames or no sound. The message names it and the reason."""


def load_av() -> Any:
  """Returns the module `av`.

  Raises:
    ValueError: PyAV is not installed.
  """
  try:
    import av
  except ImportError as error:
    raise ValueError(
        "Media files need PyAV: run pip install 'yt8m[media]'.") from error
  return av


@contextlib.contextmanager
def open_media(path: "PathLike") -> Iterator[Any]:
  """Opens a media file, and turns all errors of the block into `MediaError`.

  Args:
    path: Path of a local file.

  Yields:
    The container of PyAV.

  Raises:
    MediaError: The file is missing, empty, of no format in `FORMATS`, or damaged.
    ValueError: PyAV is not installed.
  """
  av = load_av()
  path = os.fspath(path)
  _check_file(path)
  try:
    # An absolute path is never taken for an address.
    with av.open(os.path.abspath(path), metadata_errors="replace", options={
        "protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS),
        "max_streams": str(MAX_STREAMS)}) as container:
      yield container
  except MediaError:
    raise
  except av.error.ArgumentError as error:
    raise MediaError(f"{path} has a format that is not read ({_reason(error)}): convert "
                     "it to MP4, for example.") from error
  except (av.error.FFmpegError, *_UNFIT) as error:
    raise MediaError(f"{path} cannot be read as a video or sound ({_reason(error)}): it "
                     "is damaged, or is something else.") from error


def _check_file(path: str) -> None:
  if "://" in path or path.lower().startswith("file:/"):
    raise MediaError(f"{path} is an address: name media files of this machine by their "
                     "paths.")
  if not os.path.exists(path):
    raise MediaError(f"{path} does not exist.")
  if not os.path.isfile(path):
    raise MediaError(f"{path} is no file.")
  if not os.path.getsize(path):
    raise MediaError(f"{path} is empty.")


def _reason(error: Exception) -> str:
  # Errors of FFmpeg repeat the path, and may quote bytes of the file.
  text = getattr(error, "strerror", None) or fields.reason(error)
  return " ".join(str(text).split())[:200]


def video_stream(container: Any, path: "PathLike") -> Any:
  """Returns the first stream of moving pictures, ready to be decoded.

  Raises:
    MediaError: There is none, or its frames are too large.
  """
  # Music often has a picture of its cover.
  attached = load_av().stream.Disposition.attached_pic
  streams = [stream for stream in container.streams.video
             if not stream.disposition & attached and stream.codec_context is not None]
  if not streams:
    raise MediaError(f"{path} has no video.")
  check_pixels(streams[0].width, streams[0].height, path)
  return _prepared(streams[0], {"max_pixels": str(MAX_PIXELS)})


def audio_stream(container: Any, path: "PathLike") -> Any:
  """Returns the first stream of sound, ready to be decoded.

  Raises:
    MediaError: There is none.
  """
  streams = [stream for stream in container.streams.audio
             if stream.codec_context is not None]
  if not streams:
    raise MediaError(f"{path} has no sound.")
  return _prepared(streams[0], {})


def _prepared(stream: Any, options: dict[str, str]) -> Any:
  # Without it, FFmpeg guesses what damaged parts would have been, and says nothing.
  stream.codec_context.options = {**options, "err_detect": "crccheck+explode"}
  stream.thread_type = "AUTO"
  return stream


def check_pixels(width: int, height: int, path: "PathLike") -> None:
  """Raises MediaError if a frame has more pixels than `MAX_PIXELS`."""
  if width * height > MAX_PIXELS:
    raise MediaError(f"{path} has frames of {width} x {height} pixels; at most "
                     f"{MAX_PIXELS:,} pixels are read.")


def decoded(container: Any, stream: Any, faults: list[str],
            is_shown: Callable[[float, float], bool] | None = None) -> Iterator[Any]:
  """Yields the decoded frames of a stream of pictures or sound.

  A packet that cannot be decoded is left out; where the file cannot be read any further,
  the frames end. Both are faults.

  Args:
    container: Open container of the stream.
    stream: Stream to decode.
    faults: List to which one text is added for each kind of fault.
    is_shown: Function as `skipping.marked` takes it: frames that are not shown may be
      missing. Default: none is.
  """
  packets, damaged = _packets(container, stream, faults), 0
  may_skip = is_shown is not None and skipping.applies(stream)
  for packet, shown in (skipping.marked(packets, is_shown) if may_skip and is_shown
                        else ((packet, True) for packet in packets)):
    try:
      if may_skip:
        stream.codec_context.skip_frame = "DEFAULT" if shown else "NONREF"
      frames = stream.decode(packet)
    except (load_av().error.FFmpegError, *_UNFIT):
      damaged += packet is not None
      continue
    yield from frames
  if damaged:
    faults.append(f"{damaged:,} parts cannot be decoded")


def _packets(container: Any, stream: Any, faults: list[str]) -> Iterator[Any]:
  """Yields the packets of a stream.

  The last one is empty, or None: with it, a decoder returns its remaining frames.
  """
  packets = container.demux(stream)
  while True:
    try:
      packet = next(packets)
    except StopIteration:
      return
    except (load_av().error.FFmpegError, *_UNFIT) as error:
      faults.append(f"it cannot be read to its end ({_reason(error)})")
      yield None
      return
    yield packet


def add_fault_of_length(stream: Any, end: float, faults: list[str]) -> None:
  """Adds a fault if a stream ends long before the end that the file announces.

  Args:
    stream: Stream that was decoded to its end.
    end: Seconds from the start of the stream to the end of what was decoded.
    faults: List of faults.
  """
  announced = _announced(stream)
  if end < announced - _MISSING_SECS:
    faults.append(f"it ends after {end:.1f} of {announced:.1f} s")


def _announced(stream: Any) -> float:
  """Returns the length of a stream in seconds, or 0.0 if the file does not say."""
  if stream.duration and stream.time_base:
    return float(stream.duration * stream.time_base)
  # Matroska has the length of all streams together, and often a tag for each.
  if tag := re.fullmatch(r"(\d\d):(\d\d):(\d\d(?:\.\d*)?)",
                         stream.metadata.get("DURATION", "")):
    return 3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3])
  container = stream.container
  if len(container.streams) == 1 and container.duration:
    return container.duration / load_av().time_base
  return 0.0


def origin(container: Any) -> float:
  """Returns when a file begins, by its own clock: the time of its first frame.

  Its sound may begin a few milliseconds before, with samples of the encoder alone.
  """
  for stream in container.streams.video:
    if stream.start_time is not None and stream.time_base:
      return float(stream.start_time * stream.time_base)
  return (container.start_time or 0) / load_av().time_base


class SeekError(Exception):
  """A file cannot be read from its middle, only from its beginning."""


def seek(container: Any, secs: float) -> None:
  """Goes to the last frame before a time from which decoding can begin.

  Where that leads to shows only when frames are decoded: formats without an index may
  lead to a later frame, or to none.
  """
  av = load_av()
  with contextlib.suppress(av.error.FFmpegError, *_UNFIT):
    container.seek(round((secs + origin(container)) * av.time_base), backward=True)
