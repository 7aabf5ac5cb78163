# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a media file says about itself, without decoding it."""

import dataclasses
from typing import TYPE_CHECKING

from yt8m.media import opening

if TYPE_CHECKING:
  from yt8m.core.types import PathLike


@dataclasses.dataclass(frozen=True)
class Media:
  """The headers of a media file. They may be wrong: only decoding tells.

  Attributes:
    format: FFmpeg's name of the format.
    duration: Seconds; None if the file does not say.
    has_video: Whether there are moving pictures.
    has_audio: Whether there is sound.
    width: Pixels of a row, as they are stored; 0 without video.
    height: Number of rows, as they are stored; 0 without video.
    fps: Mean number of frames a second; 0.0 if unknown.
    sample_rate: Number of samples of the sound a second; 0 without sound.
    channels: Number of channels of the sound; 0 without sound.
  """
  format: str
  duration: float | None
  has_video: bool
  has_audio: bool
  width: int = 0
  height: int = 0
  fps: float = 0.0
  sample_rate: int = 0
  channels: int = 0


def probe(path: "PathLike") -> Media:
  """Reads the headers of a media file.

  Args:
    path: Path of a local file.

  Raises:
    MediaError: The file is missing, empty, damaged, of no known format, or has neither
      video nor sound.
  """
  with opening.open_media(path) as container:
    video = audio = None
    if container.streams.video:
      try:
        video = opening.video_stream(container, path)
      except opening.MediaError:
        if not container.streams.audio:
          raise
    if container.streams.audio:
      audio = opening.audio_stream(container, path)
    if video is None and audio is None:
      raise opening.MediaError(f"{path} has neither video nor sound.")
    duration = container.duration
    return Media(
        format=container.format.name,
        duration=None if duration is None or duration < 0
        else duration / opening.load_av().time_base,
        has_video=video is not None, has_audio=audio is not None,
        **({"width": video.width, "height": video.height,
            "fps": float(video.average_rate or 0)} if video is not None else {}),
        **({"sample_rate": audio.sample_rate or 0, "channels": audio.channels or 0}
           if audio is not None else {}))
