# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Which frames nobody will see, so that a decoder may leave them out.

Of 25 frames a second one is shown. The others must be decoded only if further frames
refer to them, and of a usual H.264 video a half does not. A decoder knows which ones
(`skip_frame`), but not which one will be shown: that depends on the times of the frames
after it, which stand some packets further on.
"""

import bisect
import collections
import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

# Codecs whose decoder leaves out what others do not refer to, and nothing else.
CODECS = ("h264", "hevc")
# Packets that wait for the times of later ones; a video reorders at most 16 frames.
_LONGEST = 64
# Seconds by which times may differ that mean the same.
_TINY = 1e-3


def applies(stream: Any) -> bool:
  """Whether frames of a stream may be left out.

  Without a known delay, a decoder finds out how frames are ordered from those that it
  sees, and could drop one that comes late.
  """
  return stream.codec_context.name in CODECS and bool(stream.has_b_frames)


def marked(packets: Iterable[Any], is_shown: Callable[[float, float], bool]
           ) -> Iterator[tuple[Any, bool]]:
  """Yields packets, and whether their frames may be shown.

  Args:
    packets: Packets in the order of decoding; None or an empty one at the end.
    is_shown: Function that says whether a frame is shown that begins at one time and
      ends at another, in seconds by the clock of the file.
  """
  waiting, times = collections.deque(), []
  for packet in packets:
    if packet is None or packet.pts is None or packet.dts is None:
      # The end, or a format without times.
      yield from ((other, True) for other in waiting)
      yield packet, True
      waiting.clear()
      times.clear()
      continue
    waiting.append(packet)
    bisect.insort(times, packet.pts)
    while waiting:
      first = waiting[0]
      at = bisect.bisect_right(times, first.pts)
      # No later packet has a frame from before its own time of decoding.
      if at < len(times) and times[at] <= packet.dts:
        base = float(first.time_base)
        shown = is_shown(first.pts * base, times[at] * base)
      elif len(waiting) > _LONGEST:
        shown = True
      else:
        break
      yield waiting.popleft(), shown
    oldest = min((other.pts for other in waiting), default=packet.dts)
    del times[:bisect.bisect_left(times, oldest)]
  yield from ((other, True) for other in waiting)


def regular_times(start: float, fps: float) -> Callable[[float, float], bool]:
  """Returns the function for `marked` if the frames at `start + k / fps` are shown."""
  def is_shown(begin: float, end: float) -> bool:
    count = max(0, math.ceil((begin - _TINY - start) * fps))
    return start + count / fps <= end + _TINY
  return is_shown
