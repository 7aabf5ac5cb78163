# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is planted is present, and hidden from the models it should be hidden from.

A mean-pooled linear model must not see coincidence, order and motion. For each of these
kinds, a detector that knows the cues and uses only what the name of the kind says must
see it.
"""

import collections

import numpy as np
import pytest

from yt8m.core.numerics import dequantize
from yt8m.synthetic import planted
from yt8m.synthetic.labels import COINCIDENCE
from yt8m.synthetic.labels import HEARD
from yt8m.synthetic.labels import IMPLIED
from yt8m.synthetic.labels import MOTION
from yt8m.synthetic.labels import ORDER
from yt8m.synthetic.labels import SEEN
from yt8m.synthetic.labels import TWIN_KINDS
from yt8m.synthetic.scenes import AMPLITUDES
from yt8m.synthetic.scenes import AUDIO
from yt8m.synthetic.scenes import NAMES
from yt8m.synthetic.scenes import RGB

NUM_VIDEOS, NUM_TRAIN = 3000, 2000
NUM_CLASSES = 40  # few, so that the rarest class also has some videos


class Sample:
  """A data set in memory: ground truth, labels (videos, classes), frames as floats."""

  def __init__(self):
    rng = np.random.default_rng(1)
    self.planted = planted.PlantedVideos(
        NUM_VIDEOS, NUM_CLASSES, (128, 64), 40, rng)
    self.videos = [self.planted.make(i, "train", np.random.default_rng((2, i)))
                   for i in range(NUM_VIDEOS)]
    self.frames = [{name: dequantize(video.frames[name]) for name in NAMES}
                   for video in self.videos]
    self.labels = np.zeros((NUM_VIDEOS, NUM_CLASSES), bool)
    for row, video in zip(self.labels, self.videos, strict=True):
      row[video.labels] = True
    self.vocabulary = self.planted.vocabulary

  def classes(self, *kinds):
    return np.flatnonzero(np.isin(self.vocabulary.kinds, kinds))

  def mean_pooled_scores(self, l2_normalize):
    """Scores the test videos by ridge regression on mean features of the others."""
    rows = []
    for frames in self.frames:
      frame = np.concatenate([frames[name] for name in NAMES], axis=1)
      if l2_normalize:
        frame = frame / np.linalg.norm(frame, axis=1, keepdims=True)
      rows.append(frame.mean(axis=0))
    x = np.array(rows) - np.mean(rows[:NUM_TRAIN], axis=0)
    y = self.labels[:NUM_TRAIN] - self.labels[:NUM_TRAIN].mean(axis=0)
    gram = x[:NUM_TRAIN].T @ x[:NUM_TRAIN]
    gram += 0.02 * np.trace(gram) / len(gram) * np.eye(len(gram))
    return x[NUM_TRAIN:] @ np.linalg.solve(gram, x[:NUM_TRAIN].T @ y)

  def detector_ap(self, label, change=lambda frames: frames):
    """Returns the average precision of the kind's detector on changed frames."""
    scores = [self._detect(label, change(frames)) for frames in self.frames]
    return average_precision(np.array(scores), self.labels[:, label])

  def _detect(self, label, frames):
    kind = self.vocabulary.kinds[label]
    sign = -1 if self.vocabulary.twins[label] < label else 1
    if kind == SEEN:
      return smooth(self._gains(RGB, label, frames)).max()
    if kind == HEARD:
      return smooth(self._gains(AUDIO, label, frames)).max()
    if kind == COINCIDENCE:
      seen, heard = (self._gains(name, label, frames) for name in NAMES)
      return sign * seen @ heard
    if kind == ORDER:
      gains = sign * smooth(self._gains(RGB, label, frames))
      return (np.maximum.accumulate(gains) - gains).max()
    first, second = self._gains(RGB, label, frames), self._gains(RGB, label, frames, 1)
    return sign * (first[:-1] @ second[1:] - second[:-1] @ first[1:])

  def _gains(self, name, label, frames, offset=0):
    cue = self.planted.prototypes[name][self.planted.first_cue[name][label] + offset]
    return frames[name] @ cue / (cue @ cue) / AMPLITUDES[name].cue

  def planted_gains(self, video, label, name):
    gains = np.zeros(video.num_frames)
    for event in video.events:
      if event.label == label and event.modality == name:
        gains[event.start:event.stop] += event.gains
    return gains


@pytest.fixture(scope="module")
def sample():
  return Sample()


def average_precision(scores, labels):
  hits = labels[np.argsort(-scores, kind="stable")]
  return (np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()


def smooth(values):
  return np.convolve(values, np.ones(3) / 3, "same")


def shuffled(frames):
  """Shuffles the frames, both modalities with the same permutation."""
  order = np.random.default_rng(3).permutation(len(frames[RGB]))
  return {name: values[order] for name, values in frames.items()}


def apart(frames):
  """Shifts one modality in time against the other."""
  return {RGB: frames[RGB], AUDIO: np.roll(frames[AUDIO], len(frames[AUDIO]) // 2, 0)}


@pytest.mark.parametrize("l2_normalize", [False, True])
def test_a_mean_pooled_linear_model_sees_what_is_seen_or_heard_and_no_more(
    sample, l2_normalize):
  scores = sample.mean_pooled_scores(l2_normalize)
  labels = sample.labels[NUM_TRAIN:]
  ap = np.array([average_precision(scores[:, c], labels[:, c])
                 for c in range(NUM_CLASSES)])
  assert (ap[sample.classes(SEEN)] > 0.8).all()
  assert (ap[sample.classes(HEARD)] > 0.6).all()
  hidden = sample.classes(*TWIN_KINDS)
  np.testing.assert_allclose(ap[hidden], labels[:, hidden].mean(axis=0), atol=0.06)


def test_a_mean_pooled_linear_model_cannot_tell_twins_apart(sample):
  scores, labels = sample.mean_pooled_scores(True), sample.labels[NUM_TRAIN:]
  right = []
  for label in sample.classes(*TWIN_KINDS):
    twin = sample.vocabulary.twins[label]
    either = labels[:, label] | labels[:, twin]
    more = (scores[:, label] - scores[:, twin])[either]
    right.append(more[labels[either, label]] > np.median(more))
  assert np.concatenate(right).mean() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("kind", [SEEN, HEARD, COINCIDENCE, ORDER, MOTION])
def test_each_kind_is_recognised_by_what_its_name_says(sample, kind):
  for label in sample.classes(kind):
    assert sample.detector_ap(label) > 0.9


def test_the_bag_of_frames_hides_order_and_motion_but_not_coincidence(sample):
  prior = sample.labels.mean(axis=0)
  for label in sample.classes(ORDER, MOTION):
    # The detector still sees that the label or its twin is present, but not which.
    assert sample.detector_ap(label, shuffled) < 0.5 + prior[label]
  for label in sample.classes(COINCIDENCE):
    assert sample.detector_ap(label, shuffled) > 0.9


def test_coincidence_is_gone_when_the_modalities_are_shifted(sample):
  for label in sample.classes(COINCIDENCE):
    assert sample.detector_ap(label, apart) < 0.6
  for label in sample.classes(SEEN, HEARD, ORDER, MOTION):
    assert sample.detector_ap(label, apart) > 0.85


@pytest.mark.parametrize("kind, name", [
    (ORDER, RGB), (COINCIDENCE, RGB), (COINCIDENCE, AUDIO)])
def test_gains_and_their_differences_are_alike_for_twins(sample, kind, name):
  # The twin has negated gains (in audio; in rgb the sign is random), so neither the bag
  # of gains nor that of their first differences may distinguish the signs.
  for label in sample.classes(kind):
    for video in sample.videos[:500]:
      if label in video.labels:
        gains = sample.planted_gains(video, label, name)
        differences = np.diff(gains, prepend=gains[0])
        bag = collections.Counter(zip(gains, differences, strict=True))
        assert bag == collections.Counter(zip(-gains, -differences, strict=True))
        assert gains.any() and gains.sum() == 0


def test_turning_cues_keep_their_energy(sample):
  for label in sample.classes(MOTION):
    for video in sample.videos[:200]:
      events = [e for e in video.events if e.label == label]
      for cos, sin in zip(events[::2], events[1::2], strict=True):
        np.testing.assert_allclose(cos.gains ** 2 + sin.gains ** 2, 1.)
        assert (cos.start, cos.stop) == (sin.start, sin.stop)


def test_every_label_shows_inside_the_video_except_implied_ones(sample):
  implied = sample.classes(IMPLIED)
  for video in sample.videos:
    shown = {event.label for event in video.events}
    assert shown == set(video.labels) - set(implied)
    assert all(0 <= e.start < e.stop <= video.num_frames for e in video.events)


def test_implied_labels_are_known_from_the_others(sample):
  vocabulary = sample.vocabulary
  for label in sample.classes(IMPLIED):
    children = np.flatnonzero(vocabulary.parents == label)
    any_child = sample.labels[:, children].any(axis=1)
    assert not sample.labels[~any_child, label].any()
    assert sample.labels[any_child, label].mean() > 0.9


def best_cuts(frames, num_scenes):
  """Finds the cuts with the least squared error within scenes (dynamic programming)."""
  num_frames = len(frames)
  sums = np.concatenate([np.zeros((1, frames.shape[1])), frames.cumsum(axis=0)])
  gain = np.full((num_frames + 1, num_frames + 1), -np.inf)  # cost of a scene [i, j)
  for i in range(num_frames):
    lengths = np.arange(1, num_frames - i + 1)
    gain[i, i + 1:] = ((sums[i + 1:] - sums[i]) ** 2).sum(axis=1) / lengths
  best, choices = gain[0], []
  for _ in range(num_scenes - 1):
    total = best[:, None] + gain
    choices.append(total.argmax(axis=0))
    best = total.max(axis=0)
  cuts = [num_frames]
  for choice in reversed(choices):
    cuts.append(choice[cuts[-1]])
  return cuts[:0:-1]


def test_scenes_can_be_recovered(sample):
  hits = [cut in best_cuts(np.concatenate(list(frames.values()), axis=1),
                           len(video.cuts) - 1)
          for video, frames in zip(sample.videos[:200], sample.frames, strict=False)
          for cut in video.cuts[1:-1]]
  assert np.mean(hits) > 0.9


def test_frames_have_the_spread_of_the_real_ones(sample):
  for name, mean_std in ((RGB, 0.46), (AUDIO, 0.69)):
    frames = np.concatenate([frames[name] for frames in sample.frames])
    means = np.array([frames[name].mean(axis=0) for frames in sample.frames])
    assert frames.std() == pytest.approx(1., abs=0.1)
    assert means.std() == pytest.approx(mean_std, abs=0.05)
