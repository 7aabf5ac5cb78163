# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Videos of the sample data as scenes: lengths, cuts, noise, and rated segments."""

import dataclasses

import numpy as np

from yt8m.core import feature_spec
from yt8m.core import numerics

NAMES = RGB, AUDIO = ("rgb", "audio")

# Source: the 3.9 million training videos of YouTube-8M (2018) have 129, 175, 232, 300,
# 300 frames at 5, 25, 50, 75, 95 % and at most 301. The shortest here has 100.
_QUANTILES = (0., .05, .25, .5, .75, .95, 1.)
_LENGTHS = np.divide((100, 129, 175, 232, 300, 300, 301), 301)
_MIN_SCENE, _MEAN_SCENE = 4, 7  # frames
MIN_FRAMES = 2 * _MIN_SCENE  # every video has two scenes or more
_RATED_SEGMENTS = 5  # largest number of rated segments of a video


@dataclasses.dataclass(frozen=True)
class Amplitudes:
  """Standard deviations, per value of a frame, of the parts that add up to the frame.

  They are chosen so that frames have a standard deviation of 1, and mean features about
  that of YouTube-8M: 0.46 (rgb) and 0.69 (audio).

  Attributes:
    video: Standard deviation of the part that all frames of a video share.
    scene: Standard deviation of the part that all frames of a scene share.
    frame: Standard deviation of the noise of each frame.
    cue: Standard deviation of a cue with gain 1.
  """
  video: float
  scene: float
  frame: float
  cue: float


AMPLITUDES = {RGB: Amplitudes(video=.27, scene=.55, frame=.70, cue=.45),
              AUDIO: Amplitudes(video=.60, scene=.48, frame=.52, cue=.65)}


@dataclasses.dataclass(frozen=True)
class Event:
  """A label that is shown by one cue in consecutive frames.

  Attributes:
    label: Class index.
    modality: Modality of the cue; `""` for a label that real features show.
    cue: Row of the prototypes of the modality; -1 for a label that real features show.
    start: First frame.
    gains: Gain of the cue in each frame, (num_frames,).
  """
  label: int
  modality: str
  cue: int
  start: int
  gains: np.ndarray

  @property
  def stop(self) -> int:
    """Frame after the last one."""
    return self.start + len(self.gains)


@dataclasses.dataclass(frozen=True)
class Video:
  """A video and the truth about it.

  Attributes:
    labels: Class indices, ascending.
    cuts: First frame of each scene and, as the last entry, the number of frames.
    events: Events that show the labels.
    frames: `{modality: (num_frames, size)}`, as `stored` returns them.
  """
  labels: np.ndarray
  cuts: np.ndarray
  events: list[Event]
  frames: dict[str, np.ndarray]

  @property
  def num_frames(self) -> int:
    return int(self.cuts[-1])


def draw_cuts(max_frames: int, rng: np.random.Generator) -> np.ndarray:
  """Draws the length and the scenes of a video; returns `Video.cuts`.

  Args:
    max_frames: Number of frames of the longest videos. Lengths are those of real videos,
      scaled by `max_frames / 301`.
    rng: Random number generator.
  """
  num_frames = round(np.interp(rng.random(), _QUANTILES, _LENGTHS) * max_frames)
  num_frames = max(MIN_FRAMES, num_frames)
  num_scenes = 1 + rng.poisson(num_frames / _MEAN_SCENE - 1)
  num_scenes = np.clip(num_scenes, 2, num_frames // _MIN_SCENE)
  spare = num_frames - num_scenes * _MIN_SCENE
  inner = np.sort(rng.integers(spare + 1, size=num_scenes - 1))
  inner += _MIN_SCENE * np.arange(1, num_scenes)
  return np.concatenate([[0], inner, [num_frames]])


def normal(rng: np.random.Generator, std: float, shape: int | tuple[int, ...]
           ) -> np.ndarray:
  """Draws float32 numbers from a normal distribution with mean 0."""
  return np.float32(std) * rng.standard_normal(shape, np.float32)


def frames_of_scenes(scenes: np.ndarray, cuts: np.ndarray, modality: str,
                     rng: np.random.Generator) -> np.ndarray:
  """Returns each row of `scenes`, (num_scenes, size), for its frames, with noise."""
  frames = np.repeat(scenes, np.diff(cuts), axis=0)
  return frames + normal(rng, AMPLITUDES[modality].frame, frames.shape)


def stored(frames: np.ndarray, dtype: str) -> np.ndarray:
  """Returns frames in the type of their records: quantised to 8 bits, or as floats."""
  if dtype == feature_spec.UINT8:
    return numerics.quantize(frames)
  return frames.astype(dtype)


def restored(frames: np.ndarray) -> np.ndarray:
  """Returns the float32 values of frames that `stored` returned."""
  return (numerics.dequantize(frames) if frames.dtype == np.uint8
          else frames.astype(np.float32))


def rate_segments(video: Video, rng: np.random.Generator) -> list[tuple[int, int, float]]:
  """Rates segments of five frames, as YouTube-8M Segments does.

  Returns:
    `(start, label, score)` for up to five segments. Each is rated for one label of the
    video: 1 if most of its frames show the label, else 0.
  """
  labels = sorted({event.label for event in video.events})
  if not labels:
    return []
  size = feature_spec.SEGMENT_FRAMES
  starts = np.arange(0, video.num_frames - size + 1, size)
  starts = np.sort(rng.permutation(starts)[:_RATED_SEGMENTS])
  ratings = []
  for start, label in zip(starts, rng.choice(labels, size=len(starts)), strict=True):
    shown = np.zeros(video.num_frames, bool)
    for event in video.events:
      if event.label == label:
        shown[event.start:event.stop] = True
    ratings.append((int(start), int(label), float(shown[start:start + size].mean() > .5)))
  return ratings
