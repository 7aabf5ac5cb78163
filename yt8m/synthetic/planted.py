# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Synthetic videos: how each kind of label shows in the frames.

A frame is the sum of what its video, its scene and itself add at random and of the cues
shown in it; docs/sample_data.md has the equation of each kind.
"""

import numpy as np

from yt8m.synthetic import labels as sample_data_labels
from yt8m.synthetic import scenes as sample_data_scenes
from yt8m.synthetic.labels import COINCIDENCE
from yt8m.synthetic.labels import HEARD
from yt8m.synthetic.labels import IMPLIED
from yt8m.synthetic.labels import MOTION
from yt8m.synthetic.labels import ORDER
from yt8m.synthetic.labels import SEEN
from yt8m.synthetic.scenes import AMPLITUDES
from yt8m.synthetic.scenes import AUDIO
from yt8m.synthetic.scenes import NAMES
from yt8m.synthetic.scenes import RGB
from yt8m.synthetic.scenes import Event

_SHOW_AGAIN = 0.35  # probability that a further scene shows a label, too
_PERIOD = 4  # frames of one turn of a motion cue; a quarter turn a frame shows best

# Prototypes of a class, or of a pair of twins.
_NUM_CUES = {RGB: {SEEN: 1, COINCIDENCE: 1, ORDER: 1, MOTION: 2},
             AUDIO: {HEARD: 1, COINCIDENCE: 1}}

# Of a class and, where it has one, of its twin.
_DESCRIPTIONS = {
    SEEN: ["shows in rgb"],
    HEARD: ["shows in audio"],
    COINCIDENCE: ["its cues in rgb and audio have the same sign in the same frames",
                  "its cues in rgb and audio have opposite signs in the same frames"],
    ORDER: ["its cue in rgb shows with sign +, later with -",
            "its cue in rgb shows with sign -, later with +"],
    MOTION: ["its cues in rgb turn from the first to the second",
             "its cues in rgb turn from the second to the first"],
    IMPLIED: ["shows in nothing but the labels that imply it"],
}


class PlantedVideos:
  """Videos whose labels can be recognised, each kind by what its name says.

  Attributes:
    vocabulary: `sample_data_labels.Vocabulary`.
    prototypes: `{modality: (num_cues, size)}` float32, `N(0, 1)`.
    first_cue: `{modality: (num_classes,)}`, the first prototype of a class, or -1.
      Twins share theirs.
    label_sets: the class indices of each video.
  """

  def __init__(self, num_videos, num_classes, sizes, max_frames, rng):
    self.vocabulary = sample_data_labels.make_vocabulary(num_classes, rng)
    self.first_cue, self.prototypes = {}, {}
    for modality, size in zip(NAMES, sizes, strict=True):
      self.first_cue[modality], count = _first_cues(self.vocabulary, _NUM_CUES[modality])
      self.prototypes[modality] = rng.standard_normal((count, size), np.float32)
    self.label_sets = sample_data_labels.draw_label_sets(self.vocabulary, num_videos, rng)
    self._max_frames = max_frames

  def make(self, index, split, rng):
    """Returns video `index` as a `sample_data_scenes.Video`, whichever its split."""
    del split
    labels = self.label_sets[index]
    cuts = sample_data_scenes.draw_cuts(self._max_frames, rng)
    events = [e for label in labels for e in self._show(label, cuts, rng)]
    frames = {name: self._render(name, cuts, events, rng) for name in NAMES}
    return sample_data_scenes.Video(labels, cuts, events, frames)

  def describe(self, index):
    """Returns the name, vertical and description of a class."""
    kind = self.vocabulary.kinds[index]
    description = _DESCRIPTIONS[kind][self._is_younger(index)]
    return (f"{kind}-{index:04d}", f"vertical-{self.vocabulary.verticals[index]:03d}",
            f"Synthetic class: {description}.")

  def ground_truth(self):
    """Returns what is planted in the classes, as arrays by name."""
    vocabulary = self.vocabulary
    truth = {"kinds": vocabulary.kinds, "twins": vocabulary.twins,
             "verticals": vocabulary.verticals, "parents": vocabulary.parents,
             "parent_probabilities": vocabulary.parent_probabilities}
    for modality in NAMES:
      truth[f"first_cue_{modality}"] = self.first_cue[modality]
      truth[f"prototypes_{modality}"] = self.prototypes[modality]
    return truth

  def _is_younger(self, label):
    """Whether the class is the second of a pair of twins."""
    return bool(self.vocabulary.twins[label] < label)

  def _show(self, label, cuts, rng):
    """Yields the `Event`s of one label: in which scenes it shows, by which cues."""
    kind = self.vocabulary.kinds[label]
    sign = -1. if self._is_younger(label) else 1.
    cue = {name: int(self.first_cue[name][label]) for name in NAMES}

    def event(modality, start, gains, offset=0):
      return Event(int(label), modality, cue[modality] + offset, int(start), gains)

    if kind in (SEEN, HEARD):
      for start, stop in _some_scenes(cuts, rng):
        yield event(RGB if kind == SEEN else AUDIO, start, np.ones(stop - start))
    elif kind == MOTION:
      for start, stop in _some_scenes(cuts, rng):
        turns = rng.random() + sign * np.arange(stop - start) / _PERIOD
        yield event(RGB, start, np.cos(2 * np.pi * turns))
        yield event(RGB, start, np.sin(2 * np.pi * turns), offset=1)
    elif kind == ORDER:
      first, second, ones = _two_spans(cuts, rng)
      yield event(RGB, first, sign * ones)
      yield event(RGB, second, -sign * ones)
    elif kind == COINCIDENCE:
      first, second, ones = _two_spans(cuts, rng)
      seen = rng.choice([-1., 1.])
      for start, gains in ((first, seen * ones), (second, -seen * ones)):
        yield event(RGB, start, gains)
        yield event(AUDIO, start, sign * gains)

  def _render(self, modality, cuts, events, rng):
    amplitudes = AMPLITUDES[modality]
    prototypes = self.prototypes[modality]
    size = prototypes.shape[1]
    scenes = (sample_data_scenes.normal(rng, amplitudes.video, size)
              + sample_data_scenes.normal(rng, amplitudes.scene, (len(cuts) - 1, size)))
    frames = sample_data_scenes.frames_of_scenes(scenes, cuts, modality, rng)
    for event in events:
      if event.modality == modality:
        gains = np.float32(amplitudes.cue) * event.gains.astype(np.float32)
        frames[event.start:event.stop] += gains[:, None] * prototypes[event.cue]
    return sample_data_scenes.quantize(frames)


def _first_cues(vocabulary, num_cues):
  """Returns each class's first prototype, twins sharing it, and how many there are."""
  index = np.arange(vocabulary.num_classes)
  elder = np.minimum(index, vocabulary.twins)
  needed = np.array([num_cues.get(kind, 0) for kind in vocabulary.kinds])
  own = np.where(elder == index, needed, 0)
  first = (own.cumsum() - own)[elder]
  return np.where(needed > 0, first, -1), own.sum()


def _some_scenes(cuts, rng):
  shown = rng.random(len(cuts) - 1) < _SHOW_AGAIN
  shown[rng.integers(len(shown))] = True
  return [(cuts[i], cuts[i + 1]) for i in np.flatnonzero(shown)]


def _two_spans(cuts, rng):
  """Draws two scenes; returns the first frame of a span in each, and ones of its length.

  Both are equally long, so that opposite signs cancel in the mean. They begin after
  their scenes begin and end before these end, so that neither follows directly upon the
  other or lacks its first or last difference between frames: the differences of a video
  and of one with the opposite order are the same but for their places.
  """
  first, second = np.sort(rng.choice(len(cuts) - 1, size=2, replace=False))
  length = min(cuts[first + 1] - cuts[first], cuts[second + 1] - cuts[second])
  return cuts[first] + 1, cuts[second] + 1, np.ones(length - 2)
