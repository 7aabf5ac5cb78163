# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Synthetic videos: how the frames show each kind of label.

A frame is the sum of random vectors of its video, of its scene and of its own, and of
the cues that are shown in it. docs/sample_data.md has the equation of each kind.
"""

from collections.abc import Sequence

import numpy as np

from yt8m.core import feature_spec
from yt8m.synthetic import labels as labels_lib
from yt8m.synthetic import scenes as scenes_lib

_SHOW_AGAIN = 0.35  # probability that a further scene shows a label
_PERIOD = 4  # frames of one turn of a motion cue; quarter turns are the most visible

# Number of prototypes of a class, or of a pair of twins.
_NUM_CUES = {
    scenes_lib.RGB: {labels_lib.SEEN: 1, labels_lib.COINCIDENCE: 1, labels_lib.ORDER: 1,
                     labels_lib.MOTION: 2},
    scenes_lib.AUDIO: {labels_lib.HEARD: 1, labels_lib.COINCIDENCE: 1}}

# Description of a class and, if it has one, of its twin.
_DESCRIPTIONS = {
    labels_lib.SEEN: ["shows in rgb"],
    labels_lib.HEARD: ["shows in audio"],
    labels_lib.COINCIDENCE: [
        "its cues in rgb and audio have the same sign in the same frames",
        "its cues in rgb and audio have opposite signs in the same frames"],
    labels_lib.ORDER: ["its cue in rgb shows with sign +, later with -",
                       "its cue in rgb shows with sign -, later with +"],
    labels_lib.MOTION: ["its cues in rgb turn from the first to the second",
                        "its cues in rgb turn from the second to the first"],
    labels_lib.IMPLIED: ["shows in nothing but the labels that imply it"],
}


class PlantedVideos:
  """Videos whose labels can be recognised, each kind by what its name says.

  Args:
    num_videos: Number of videos.
    num_classes: Number of classes, C.
    sizes: Sizes of rgb and audio.
    max_frames: Number of frames of the longest videos.
    rng: Random number generator.
    dtypes: Types of rgb and audio in the records.

  Attributes:
    vocabulary: Classes and what is planted in their label sets.
    prototypes: `{modality: (num_cues, size) float32}`, from N(0, 1).
    first_cue: `{modality: (num_classes,)}`, the first prototype of a class, or -1. Twins
      have the same.
    label_sets: Class indices of each video.
  """

  def __init__(self, num_videos: int, num_classes: int, sizes: Sequence[int],
               max_frames: int, rng: np.random.Generator,
               dtypes: Sequence[str] = (feature_spec.UINT8,) * 2):
    self._dtypes = dict(zip(scenes_lib.NAMES, dtypes, strict=True))
    self.vocabulary = labels_lib.make_vocabulary(num_classes, rng)
    self.first_cue, self.prototypes = {}, {}
    for modality, size in zip(scenes_lib.NAMES, sizes, strict=True):
      self.first_cue[modality], count = _first_cues(self.vocabulary, _NUM_CUES[modality])
      self.prototypes[modality] = rng.standard_normal((count, size), np.float32)
    self.label_sets = labels_lib.draw_label_sets(self.vocabulary, num_videos, rng)
    self._max_frames = max_frames

  def make(self, index: int, split: str, rng: np.random.Generator) -> scenes_lib.Video:
    """Returns the video with this index, whatever its split."""
    labels = self.label_sets[index]
    cuts = scenes_lib.draw_cuts(self._max_frames, rng)
    events = [event for label in labels for event in self._show(label, cuts, rng)]
    frames = {name: self._render(name, cuts, events, rng) for name in scenes_lib.NAMES}
    return scenes_lib.Video(labels, cuts, events, frames)

  def describe(self, index: int) -> tuple[str, str, str]:
    """Returns the name, the vertical and the description of a class."""
    kind = self.vocabulary.kinds[index]
    description = _DESCRIPTIONS[kind][self._is_second_twin(index)]
    return (f"{kind}-{index:04d}", f"vertical-{self.vocabulary.verticals[index]:03d}",
            f"Synthetic class: {description}.")

  def ground_truth(self) -> dict[str, np.ndarray]:
    """Returns what is planted in the classes, as arrays by name."""
    truth = {name: getattr(self.vocabulary, name) for name in (
        "kinds", "twins", "verticals", "parents", "parent_probabilities")}
    for modality in scenes_lib.NAMES:
      truth[f"first_cue_{modality}"] = self.first_cue[modality]
      truth[f"prototypes_{modality}"] = self.prototypes[modality]
    return truth

  def _is_second_twin(self, label: int) -> bool:
    return bool(self.vocabulary.twins[label] < label)

  def _show(self, label, cuts, rng):
    """Yields the events of a label: in which scenes it shows, by which cues."""
    kind = self.vocabulary.kinds[label]
    sign = -1. if self._is_second_twin(label) else 1.
    cue = {name: int(self.first_cue[name][label]) for name in scenes_lib.NAMES}

    def event(modality, start, gains, offset=0):
      return scenes_lib.Event(
          int(label), modality, cue[modality] + offset, int(start), gains)

    if kind in (labels_lib.SEEN, labels_lib.HEARD):
      modality = scenes_lib.RGB if kind == labels_lib.SEEN else scenes_lib.AUDIO
      for start, stop in _some_scenes(cuts, rng):
        yield event(modality, start, np.ones(stop - start))
    elif kind == labels_lib.MOTION:
      for start, stop in _some_scenes(cuts, rng):
        turns = rng.random() + sign * np.arange(stop - start) / _PERIOD
        yield event(scenes_lib.RGB, start, np.cos(2 * np.pi * turns))
        yield event(scenes_lib.RGB, start, np.sin(2 * np.pi * turns), offset=1)
    elif kind == labels_lib.ORDER:
      first, second, ones = _two_spans(cuts, rng)
      yield event(scenes_lib.RGB, first, sign * ones)
      yield event(scenes_lib.RGB, second, -sign * ones)
    elif kind == labels_lib.COINCIDENCE:
      first, second, ones = _two_spans(cuts, rng)
      rgb_sign = rng.choice([-1., 1.])
      for start, gains in ((first, rgb_sign * ones), (second, -rgb_sign * ones)):
        yield event(scenes_lib.RGB, start, gains)
        yield event(scenes_lib.AUDIO, start, sign * gains)

  def _render(self, modality, cuts, events, rng):
    """Returns the frames of a modality, (num_frames, size)."""
    amplitudes = scenes_lib.AMPLITUDES[modality]
    prototypes = self.prototypes[modality]
    size = prototypes.shape[1]
    scenes = (scenes_lib.normal(rng, amplitudes.video, size)
              + scenes_lib.normal(rng, amplitudes.scene, (len(cuts) - 1, size)))
    frames = scenes_lib.frames_of_scenes(scenes, cuts, modality, rng)
    for event in events:
      if event.modality == modality:
        gains = np.float32(amplitudes.cue) * event.gains.astype(np.float32)
        frames[event.start:event.stop] += gains[:, None] * prototypes[event.cue]
    return scenes_lib.stored(frames, self._dtypes[modality])


def _first_cues(vocabulary, num_cues):
  """Returns the first prototype of each class, and the number of prototypes."""
  index = np.arange(vocabulary.num_classes)
  first_twin = np.minimum(index, vocabulary.twins)
  needed = np.array([num_cues.get(kind, 0) for kind in vocabulary.kinds])
  own = np.where(first_twin == index, needed, 0)
  first = (own.cumsum() - own)[first_twin]
  return np.where(needed > 0, first, -1), own.sum()


def _some_scenes(cuts, rng):
  shown = rng.random(len(cuts) - 1) < _SHOW_AGAIN
  shown[rng.integers(len(shown))] = True
  return [(cuts[i], cuts[i + 1]) for i in np.flatnonzero(shown)]


def _two_spans(cuts, rng):
  """Draws a span in each of two scenes; returns their first frames, and their ones.

  Both spans are equally long, so that opposite signs cancel in the mean. They begin
  after their scenes begin and end before their scenes end. So neither follows directly
  on the other, or lacks the frame difference at its start or end: a video and one with
  the opposite order have the same differences, in other places.
  """
  first, second = np.sort(rng.choice(len(cuts) - 1, size=2, replace=False))
  length = min(cuts[first + 1] - cuts[first], cuts[second + 1] - cuts[second])
  return cuts[first] + 1, cuts[second] + 1, np.ones(length - 2)
