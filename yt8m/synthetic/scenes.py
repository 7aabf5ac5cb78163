# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Videos of the sample data as scenes: lengths, cuts, noise, 8-bit frames, ratings."""

import dataclasses

import numpy as np

from yt8m.core.feature_spec import SEGMENT_FRAMES

NAMES = RGB, AUDIO = ("rgb", "audio")

# Source: the 3.9 million training videos of YouTube-8M (2018) have 129, 175, 232, 300,
# 300 frames at 5, 25, 50, 75, 95 % and at most 301. The shortest here has 100.
_QUANTILES = (0., .05, .25, .5, .75, .95, 1.)
_LENGTHS = np.divide((100, 129, 175, 232, 300, 300, 301), 301)
_MIN_SCENE, _MEAN_SCENE = 4, 7  # frames
MIN_FRAMES = 2 * _MIN_SCENE  # every video has two scenes
_RATED_SEGMENTS = 5  # of one video, at most


@dataclasses.dataclass(frozen=True)
class Amplitudes:
  """Standard deviation, per value of a frame, of the parts that add up to it.

  Chosen so that frames have standard deviation 1 and mean features about that of
  YouTube-8M: 0.46 (rgb) and 0.69 (audio).
  """
  video: float
  scene: float
  frame: float
  cue: float


AMPLITUDES = {RGB: Amplitudes(video=.27, scene=.55, frame=.70, cue=.45),
              AUDIO: Amplitudes(video=.60, scene=.48, frame=.52, cue=.65)}


@dataclasses.dataclass(frozen=True)
class Event:
  """A label shows in frames `start` … `stop - 1`, by one cue with one gain a frame.

  `cue` is a row of the prototypes of `modality`. A label shown by real features has no
  modality ("") and the cue -1.
  """
  label: int
  modality: str
  cue: int
  start: int
  gains: np.ndarray

  @property
  def stop(self):
    return self.start + len(self.gains)


@dataclasses.dataclass(frozen=True)
class Video:
  """One video and the truth about it.

  Attributes:
    labels: sorted class indices.
    cuts: first frame of each scene and, as the last entry, the number of frames.
    events: list of `Event`.
    frames: `{modality: (num_frames, size)}` uint8.
  """
  labels: np.ndarray
  cuts: np.ndarray
  events: list
  frames: dict

  @property
  def num_frames(self):
    return int(self.cuts[-1])


def draw_cuts(max_frames, rng):
  """Draws the length of a video, as long as real ones would be if cut to
  `max_frames / 301`, and its scenes; returns `Video.cuts`."""
  num_frames = round(np.interp(rng.random(), _QUANTILES, _LENGTHS) * max_frames)
  num_frames = max(MIN_FRAMES, num_frames)
  scenes = 1 + rng.poisson(num_frames / _MEAN_SCENE - 1)
  scenes = np.clip(scenes, 2, num_frames // _MIN_SCENE)
  spare = num_frames - scenes * _MIN_SCENE
  inner = np.sort(rng.integers(spare + 1, size=scenes - 1))
  inner += _MIN_SCENE * np.arange(1, scenes)
  return np.concatenate([[0], inner, [num_frames]])


def normal(rng, std, shape):
  return np.float32(std) * rng.standard_normal(shape, np.float32)


def frames_of_scenes(scenes, cuts, modality, rng):
  """Repeats each row of `scenes` `(num_scenes, size)` for its frames and adds noise."""
  frames = np.repeat(scenes, np.diff(cuts), axis=0)
  return frames + normal(rng, AMPLITUDES[modality].frame, frames.shape)


def quantize(values):
  """Returns the bytes q nearest to `values = q * 4 / 255 + 4 / 512 - 2`, clipped."""
  scaled = (values - (4 / 512 - 2)) * (255 / 4)
  return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def dequantize(quantized):
  """Inverse of `quantize`, in the starter code's arithmetic (float32)."""
  return quantized.astype(np.float32) * np.float32(4 / 255) + np.float32(4 / 512 - 2)


def rate_segments(video, rng):
  """Rates some five-frame segments as YouTube-8M Segments does.

  Returns:
    List of `(start, label, score)`: up to five segments, each rated for one label of
    the video, 1 if that shows in most of its frames, else 0.
  """
  labels = sorted({event.label for event in video.events})
  if not labels:
    return []
  starts = np.arange(0, video.num_frames - SEGMENT_FRAMES + 1, SEGMENT_FRAMES)
  starts = np.sort(rng.permutation(starts)[:_RATED_SEGMENTS])
  ratings = []
  for start, label in zip(starts, rng.choice(labels, size=len(starts)), strict=True):
    shown = np.zeros(video.num_frames, bool)
    for event in video.events:
      if event.label == label:
        shown[event.start:event.stop] = True
    score = np.mean(shown[start:start + SEGMENT_FRAMES]) > 0.5
    ratings.append((int(start), int(label), float(score)))
  return ratings
