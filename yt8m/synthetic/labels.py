# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Label sets of the sample data, whose statistics are those of YouTube-8M.

Class frequencies, set sizes and dependence between labels are those of the real data.
Classes are numbered from the most to the least frequent, as in the real vocabulary.
docs/sample_data.md describes what is planted.
"""

import dataclasses

import numpy as np

IMPLIED, SEEN, HEARD, COINCIDENCE, ORDER, MOTION = KINDS = (
    "implied", "seen", "heard", "coincidence", "order", "motion")

# Kinds whose classes come in pairs that differ only in what the name of the kind says.
TWIN_KINDS = (COINCIDENCE, ORDER, MOTION)

# Kinds from the most frequent class on, repeated. So each kind has frequent and rare
# classes, and an implied class precedes the rarer classes that imply it.
_PATTERN = (IMPLIED, SEEN, COINCIDENCE, HEARD, ORDER, SEEN, MOTION, HEARD, SEEN, SEEN)
MIN_CLASSES = len(_PATTERN) + sum(kind in TWIN_KINDS for kind in _PATTERN)

# Source of the figures below: counts over the label sets of 980,029 videos of
# YouTube-8M (2018), CC BY 4.0.
_SET_SIZE_SHARES = (  # share of videos with 1, 2, … labels; 3.01 on average
    .24595, .22602, .18722, .15419, .08881, .04658, .02487, .01290, .00668, .00339,
    .00181, .00086, .00040, .00021, .00006, .00003)
_RANKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 3862)
_SHARES_UP_TO_RANK = (  # share of all labels that the most frequent classes have
    .0673, .1132, .2054, .2892, .3854, .5144, .6135, .7088, .8282, .9026, .9614, 1.)
MAX_CLASSES = _RANKS[-1]
# 1,413 of 3,862 classes have a partner with P(partner | class) of 0.9 or more.
_MIN_PARENT_PROBABILITY = 0.9

# How many times more likely a further label is if it is in the vertical of the first.
_AFFINITY = 5.
_BLOCK = 2 ** 20  # entries of the (videos, classes) arrays that are drawn at once
_FITTING_ROUNDS = 6


@dataclasses.dataclass(frozen=True)
class Vocabulary:
  """The classes and what is planted in their label sets, as (num_classes,) arrays.

  Attributes:
    kinds: Kind of the class, one of `KINDS`.
    frequencies: Expected share of videos that have the class, descending.
    verticals: Group of the class. Each implied class is the head of one.
    twins: Class that differs only in coincidence, order or motion, or the class itself.
      Twins are never in the same video, and are equal in everything else.
    parents: Implied class that comes with this one, or -1.
    parent_probabilities: `P(parent added | class)`, 0 without a parent.
  """
  kinds: np.ndarray
  frequencies: np.ndarray
  verticals: np.ndarray
  twins: np.ndarray
  parents: np.ndarray
  parent_probabilities: np.ndarray

  @property
  def num_classes(self) -> int:
    return len(self.kinds)


def make_vocabulary(num_classes: int, rng: np.random.Generator) -> Vocabulary:
  """Returns a vocabulary with the frequencies of the top classes of YouTube-8M.

  Raises:
    ValueError: `num_classes` is too small for every kind, or above the real 3862.
  """
  if not MIN_CLASSES <= num_classes <= MAX_CLASSES:
    raise ValueError(
        f"--num_classes={num_classes} must be from {MIN_CLASSES} (every kind of label "
        f"once) to {MAX_CLASSES} (the classes of YouTube-8M).")
  kinds, twins = _kinds_and_twins(num_classes)
  frequencies = _frequencies(num_classes)
  frequencies = (frequencies + frequencies[twins]) / 2
  verticals = _verticals(kinds, twins, frequencies, rng)
  parents, probabilities = _parents(kinds, twins, frequencies, verticals, rng)
  # An implied class without children would be in no video.
  childless = (kinds == IMPLIED) & ~np.isin(np.arange(num_classes), parents)
  kinds = np.where(childless, SEEN, kinds)
  return Vocabulary(kinds, frequencies, verticals, twins, parents, probabilities)


def draw_label_sets(vocabulary: Vocabulary, num_videos: int, rng: np.random.Generator
                    ) -> list[np.ndarray]:
  """Draws the label set of each video, a sorted array of class indices.

  A set has a size n from the real distribution and is filled class by class. A class c
  that is not yet in it is drawn with a probability proportional to

      weight[c] · (affinity if c is in the vertical of the first class else 1)

  and its parent is added with probability `parent_probabilities[c]`. A class whose
  parent would not fit is not drawn. Implied classes have weight 0; the other weights are
  fitted so that the expected frequencies are those of the vocabulary.
  """
  weights = _fit_weights(vocabulary, rng)
  block = _BLOCK // vocabulary.num_classes
  label_sets = []
  for start in range(0, num_videos, block):
    labels, _ = _draw(vocabulary, weights, min(block, num_videos - start), rng)
    label_sets.extend(np.flatnonzero(row) for row in labels)
  return label_sets


def _kinds_and_twins(num_classes):
  kinds, twins = [], []
  while len(kinds) < num_classes:
    for kind in _PATTERN:
      index = len(kinds)
      if kind in TWIN_KINDS and index + 1 < num_classes:
        kinds += [kind, kind]
        twins += [index + 1, index]
      else:
        # Only rarer classes can imply a class, so the rarer half has no implied class.
        replaced = kind in TWIN_KINDS or (kind == IMPLIED and index > num_classes // 2)
        kinds.append(SEEN if replaced else kind)
        twins.append(index)
  return np.array(kinds[:num_classes]), np.array(twins[:num_classes])


def _frequencies(num_classes):
  ranks = np.arange(num_classes + 1)
  up_to_rank = np.interp(np.log(ranks[1:]), np.log(_RANKS), _SHARES_UP_TO_RANK)
  shares = np.sort(np.diff(up_to_rank, prepend=0.))[::-1]
  mean_size = np.arange(1, len(_SET_SIZE_SHARES) + 1) @ _SET_SIZE_SHARES
  return shares / shares.sum() * mean_size


def _verticals(kinds, twins, frequencies, rng):
  heads = np.flatnonzero(kinds == IMPLIED)
  sizes = np.sqrt(frequencies[heads])
  verticals = rng.choice(len(heads), size=len(kinds), p=sizes / sizes.sum())
  verticals = verticals[np.minimum(np.arange(len(kinds)), twins)]
  verticals[heads] = np.arange(len(heads))
  return verticals


def _parents(kinds, twins, frequencies, verticals, rng):
  """Makes classes children of the head of their vertical, up to its frequency."""
  parents = np.full(len(kinds), -1)
  probabilities = rng.uniform(_MIN_PARENT_PROBABILITY, 1., size=len(kinds))
  for head in np.flatnonzero(kinds == IMPLIED):
    # The log of the share of videos without a class adds up over independent classes.
    missing = -np.log1p(-frequencies[head])
    # Rarest first: a more specific class is more likely to imply a general one.
    for index in range(len(kinds) - 1, head, -1):
      twin = twins[index]
      if verticals[index] != verticals[head] or kinds[index] == IMPLIED or twin > index:
        continue
      members = [index] if twin == index else [index, twin]
      probabilities[twin] = probabilities[index]
      share = -np.log1p(-probabilities[members] * frequencies[members]).sum()
      if share <= missing:
        parents[members] = head
        missing -= share
  probabilities[parents < 0] = 0.
  return parents, probabilities


def _fit_weights(vocabulary, rng):
  """Multiplies each weight by target / expected frequency until they agree."""
  weights = np.where(vocabulary.kinds == IMPLIED, 0., vocabulary.frequencies)
  for _ in range(_FITTING_ROUNDS):
    _, expected = _draw(vocabulary, weights, _BLOCK // vocabulary.num_classes, rng)
    expected = (expected + expected[vocabulary.twins]) / 2
    weights *= vocabulary.frequencies / np.maximum(expected, 1e-12)
    weights /= weights.sum()
  return weights


def _draw(vocabulary, weights, num_videos, rng):
  """Returns labels, (num_videos, num_classes) bool, and the expected shares."""
  sizes = 1 + rng.choice(len(_SET_SIZE_SHARES), size=num_videos,
                         p=np.divide(_SET_SIZE_SHARES, sum(_SET_SIZE_SHARES)))
  parents = vocabulary.parents
  labels = np.zeros((num_videos, len(weights)), bool)
  first = np.full(num_videos, -1)  # vertical of the first class
  expected = np.zeros(len(weights))
  rows = np.arange(num_videos)
  while rows.size:
    held, room = labels[rows], sizes[rows] - labels[rows].sum(axis=1)
    fits = (room[:, None] > 1) | (parents < 0) | held[:, parents]
    allowed = fits & ~held & ~held[:, vocabulary.twins]
    related = vocabulary.verticals == first[rows, None]
    density = np.where(allowed, np.where(related, _AFFINITY, 1.) * weights, 0.)
    cumulative = density.cumsum(axis=1)
    total = cumulative[:, -1]
    # If there are few classes and the set is large, no class may be left.
    possible = total > 0
    rows, density, cumulative, total = (
        array[possible] for array in (rows, density, cumulative, total))
    expected += (density / total[:, None]).sum(axis=0)
    drawn = (cumulative <= (rng.random(rows.size) * total)[:, None]).sum(axis=1)
    labels[rows, drawn] = True
    implies = rng.random(rows.size) < vocabulary.parent_probabilities[drawn]
    labels[rows[implies], parents[drawn[implies]]] = True
    first[rows] = np.where(first[rows] < 0, vocabulary.verticals[drawn], first[rows])
    rows = rows[labels[rows].sum(axis=1) < sizes[rows]]
  return labels, expected / num_videos
