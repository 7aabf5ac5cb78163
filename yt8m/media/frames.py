# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frames of a video at regular times, as a viewer sees them."""

from collections.abc import Generator
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from yt8m.media import opening
from yt8m.media import skipping

if TYPE_CHECKING:
  from yt8m.core.types import PathLike

# Bytes of a batch of frames after which it ends early, so that large frames do not need
# more memory than small ones.
_BATCH_BYTES = 2**28
# Seconds by which times may differ that mean the same.
_TINY = 1e-4
# Seconds from the start that are decoded, not skipped, as this is as fast.
_DECODED = 2.0
_WIDEST_PIXEL = 4.0
# Flags of libswscale (SWS_*) for scaling with the same bits on every processor.
_BICUBIC, _ACCURATE_ROUNDING, _BIT_EXACT = 1 << 2, 1 << 18, 1 << 19


def read_frames(path: "PathLike", fps: float = 1.0, max_frames: int = 300,
                start: float = 0.0, end: float | None = None, batch: int = 32,
                size: tuple[int, int] | None = None, threads: int = 0
                ) -> "FrameReader":
  """Reads the frames of a video that are shown at regular times.

  The frame at time `start + k / fps` is the last one whose time is not after it, so a
  frame that is shown for long comes again. Times count from the first frame.

  Args:
    path: Path of a local file.
    fps: Number of frames a second.
    max_frames: Largest number of frames.
    start: Seconds of the video to leave out.
    end: Seconds from its start to the end; None for the whole video.
    batch: Number of frames that are returned at a time. Batches of large frames are
      smaller.
    size: Height and width that all frames are scaled to, whatever their proportions.
      None for those of the video, with square pixels.
    threads: Number of threads of the decoder; 0 for one a core. The frames are the same.

  Returns:
    An iterator over batches: times in seconds, (n,) float64, and frames, (n, height,
    width, 3) uint8, red, green and blue. While it runs, it raises `MediaError` for a
    file without video, or without a frame in the range. Of a damaged or truncated file
    it returns the frames that can be decoded; afterwards, its `faults` say so.

  Raises:
    ValueError: An argument is out of range, or PyAV is not installed.
  """
  if not fps > 0 or min(max_frames, batch) < 1 or min(start, threads) < 0 or (
      end is not None and end <= start):
    raise ValueError(
        f"Cannot read frames with fps={fps}, max_frames={max_frames}, batch={batch}, "
        f"start={start}, end={end}: all must be positive, and end later than start.")
  opening.load_av()
  return FrameReader(path, fps, max_frames, start, end, batch, size, threads)


class FrameReader(Iterator[tuple[np.ndarray, np.ndarray]]):
  """What `read_frames` returns.

  Attributes:
    path: Path of the file.
    faults: Texts that say what is wrong with the video, complete at the end.
  """

  def __init__(self, path: "PathLike", fps: float, max_frames: int, start: float,
               end: float | None, batch: int, size: tuple[int, int] | None,
               threads: int):
    self.path, self.faults, self._threads = path, [], threads
    self._fps, self._max_frames, self._batch, self._size = fps, max_frames, batch, size
    self._start, self._end = start, float("inf") if end is None else end
    self._batches = self._read()

  @property
  def truncated(self) -> bool:
    """Whether frames are missing that the file should have."""
    return bool(self.faults)

  def __next__(self) -> tuple[np.ndarray, np.ndarray]:
    return next(self._batches)

  def close(self) -> None:
    """Closes the file, if not all of it was read."""
    self._batches.close()

  def _read(self) -> Generator[tuple[np.ndarray, np.ndarray], None, None]:
    if self._start > _DECODED:
      try:
        yield from self._batched(seek=True)
        return
      except opening.SeekError:  # before the first batch
        self.faults.clear()
    yield from self._batched(seek=False)

  def _batched(self, seek: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    times, pictures, found = [], [], False
    with opening.open_media(self.path) as container:
      stream = opening.video_stream(container, self.path)
      stream.thread_count = self._threads
      scaler = _Scaler(stream, self._size, self.path)
      previous, picture = None, np.empty(0, np.uint8)
      for time, frame in self._shown(container, stream, seek):
        if frame is not previous:
          picture = scaler.rgb(frame)
        previous, found = frame, True
        if pictures and (
            len(pictures) == self._batch or picture.shape != pictures[0].shape
            or (len(pictures) + 1) * picture.nbytes > _BATCH_BYTES):
          yield np.array(times), np.stack(pictures)
          times, pictures = [], []
        times.append(time)
        pictures.append(picture)
    if not found:
      reason = "; ".join(self.faults) or f"there is none from {self._start:g} s on"
      raise opening.MediaError(f"{self.path} gives no frame: {reason}.")
    yield np.array(times), np.stack(pictures)

  def _shown(self, container: Any, stream: Any, seek: bool
             ) -> Iterator[tuple[float, Any]]:
    """Yields the times and the frames that are shown then."""
    count, shown, shown_until = 0, None, 0.0
    for begin, until, frame in self._timed(container, stream, seek):
      if shown is not None:
        shown_until = begin
      while (shown is not None and count < self._max_frames
             and (time := self._time(count)) < shown_until - _TINY):
        yield time, shown
        count += 1
      if count == self._max_frames or self._time(count) >= self._end - _TINY:
        return
      # What comes first is also shown before its time.
      shown, shown_until = frame, until
    while (shown is not None and count < self._max_frames
           and (time := self._time(count)) < min(shown_until, self._end) - _TINY):
      yield time, shown
      count += 1

  def _time(self, count: int) -> float:
    return self._start + count / self._fps

  def _timed(self, container: Any, stream: Any, seek: bool
             ) -> Iterator[tuple[float, float, Any]]:
    """Yields when frames begin and end, in seconds from the start, and the frames."""
    origin = opening.origin(container)
    period = 1 / float(stream.average_rate) if stream.average_rate else 0.0
    if seek:
      opening.seek(container, self._start)
    until = 0.0
    is_shown = skipping.regular_times(origin + self._start, self._fps)
    for frame in opening.decoded(container, stream, self.faults, is_shown):
      begin = until if frame.time is None else frame.time - origin
      if seek and begin > self._start + _TINY:
        break
      seek = False
      length = float((frame.duration or 0) * (frame.time_base or 0))
      until = begin + (length or period)
      yield begin, until, frame
    if seek:
      raise opening.SeekError
    opening.add_fault_of_length(
        stream, until + origin - float((stream.start_time or 0) * stream.time_base),
        self.faults)


class _Scaler:
  """Turns decoded frames into arrays, upright and scaled.

  Args:
    stream: Stream of the frames.
    size: Height and width of the arrays; None for those of the frames.
    path: Path of the file, for errors.
  """

  def __init__(self, stream: Any, size: tuple[int, int] | None, path: "PathLike"):
    from av.video import reformatter
    self._reformatter, self._path = reformatter.VideoReformatter(), path
    self._size, self._pixel = size, float(stream.sample_aspect_ratio or 1)
    # Not all versions of PyAV have names for the last two of FFmpeg's flags.
    self._method = _BICUBIC | _ACCURATE_ROUNDING | _BIT_EXACT

  def rgb(self, frame: Any) -> np.ndarray:
    """Returns (height, width, 3) uint8."""
    opening.check_pixels(frame.width, frame.height, self._path)
    # Phones store pictures as the sensor sees them, with an angle to turn them by.
    quarters = round(getattr(frame, "rotation", 0) / 90) % 4
    height, width = self._size or (frame.height, frame.width)
    if self._size is None and 1 / _WIDEST_PIXEL <= self._pixel <= _WIDEST_PIXEL:
      width = max(1, round(width * self._pixel))
      opening.check_pixels(width, height, self._path)
    elif self._size is not None and quarters % 2:
      height, width = width, height
    scaled = self._reformatter.reformat(
        frame, width, height, "rgb24", interpolation=self._method)
    return np.ascontiguousarray(np.rot90(scaled.to_ndarray(), quarters))
