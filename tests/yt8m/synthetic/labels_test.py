# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Label sets have the sizes, frequencies and dependence of the real ones."""

import numpy as np
import pytest

from tests.helpers.support import DATA
from tests.helpers.support import needs_data
from yt8m.synthetic import labels as labels_lib
from yt8m.synthetic.labels import IMPLIED
from yt8m.synthetic.labels import KINDS
from yt8m.synthetic.labels import MAX_CLASSES
from yt8m.synthetic.labels import MIN_CLASSES
from yt8m.synthetic.labels import TWIN_KINDS

NUM_VIDEOS = 20000


@pytest.fixture(scope="module")
def vocabulary():
  return labels_lib.make_vocabulary(100, np.random.default_rng(0))


@pytest.fixture(scope="module")
def labels(vocabulary):
  sets = labels_lib.draw_label_sets(
      vocabulary, NUM_VIDEOS, np.random.default_rng(1))
  return dense(sets, vocabulary.num_classes)


def dense(label_sets, num_classes):
  matrix = np.zeros((len(label_sets), num_classes), bool)
  for row, label_set in zip(matrix, label_sets, strict=True):
    row[label_set] = True
  return matrix


def share_of_top(counts, top):
  counts = np.sort(counts)[::-1]
  return counts[:top].sum() / counts.sum()


def test_labels_per_video_are_as_in_the_real_data(labels):
  sizes = labels.sum(axis=1)
  assert sizes.mean() == pytest.approx(3.01, abs=0.05)
  shares = [np.mean(sizes == n) for n in range(1, 7)]
  np.testing.assert_allclose(
      shares, [.246, .226, .187, .154, .089, .047], atol=0.012)


def test_frequencies_of_the_full_vocabulary_are_as_in_the_real_data():
  rng = np.random.default_rng(0)
  vocabulary = labels_lib.make_vocabulary(MAX_CLASSES, rng)
  sets = labels_lib.draw_label_sets(vocabulary, 3000, rng)
  counts = np.bincount(np.concatenate(sets), minlength=MAX_CLASSES)
  for top, share in ((10, .289), (50, .514), (100, .613)):
    assert share_of_top(vocabulary.frequencies, top) == pytest.approx(share, abs=0.01)
    assert share_of_top(counts, top) == pytest.approx(share, abs=0.04)
  assert share_of_top(vocabulary.frequencies, 500) == pytest.approx(.828, abs=0.01)
  assert share_of_top(vocabulary.frequencies, 1000) == pytest.approx(.902, abs=0.01)


@needs_data
def test_the_constants_are_those_of_the_real_label_sets():
  with np.load(DATA / "yt8m" / "label_sets_980k.npz") as real:
    counts = np.bincount(real["flat"], minlength=MAX_CLASSES)
    sizes = np.bincount(real["lens"]) / len(real["lens"])
  shares = labels_lib._SET_SIZE_SHARES
  np.testing.assert_allclose(sizes[1:len(shares) + 1], shares, atol=1e-4)
  for rank, share in zip(labels_lib._RANKS,
                         labels_lib._SHARES_UP_TO_RANK, strict=True):
    assert share_of_top(counts, rank) == pytest.approx(share, abs=1e-3)


def test_drawn_classes_are_as_frequent_as_planned(vocabulary, labels):
  drawn = vocabulary.kinds != IMPLIED
  observed = labels.mean(axis=0)
  np.testing.assert_allclose(
      observed[drawn], vocabulary.frequencies[drawn], rtol=0.25, atol=0.002)
  # Classes that imply the same class overlap, so that class is slightly rarer.
  assert (observed[~drawn] > 0.7 * vocabulary.frequencies[~drawn]).all()


def test_a_class_brings_its_parent_as_planned(vocabulary, labels):
  children = np.flatnonzero(vocabulary.parents >= 0)
  assert 0.3 < len(children) / vocabulary.num_classes < 0.5  # 0.37 in the real data
  for child in children:
    observed = labels[labels[:, child], vocabulary.parents[child]].mean()
    planted = vocabulary.parent_probabilities[child]
    assert 0.9 <= planted <= 1
    # A sibling may also imply the parent, so more is possible and less is not.
    assert observed > planted - 4 * np.sqrt(.1 * .9 / labels[:, child].sum())


def test_implied_classes_never_come_without_a_child(vocabulary, labels):
  implied = np.flatnonzero(vocabulary.kinds == IMPLIED)
  assert len(implied) >= 4
  for label in implied:
    children = np.flatnonzero(vocabulary.parents == label)
    assert labels[:, label].any()
    assert labels[labels[:, label]][:, children].any(axis=1).all()


def test_classes_of_a_vertical_occur_together(vocabulary, labels):
  drawn = np.flatnonzero(vocabulary.kinds != IMPLIED)
  together = labels[:, drawn].T.astype(float) @ labels[:, drawn] / NUM_VIDEOS
  frequency = np.diag(together)
  lift = together / np.outer(frequency, frequency)
  verticals, twins = vocabulary.verticals[drawn], vocabulary.twins[drawn]
  others = ~np.eye(len(drawn), dtype=bool) & (drawn[:, None] != twins)
  same = verticals[:, None] == verticals
  assert lift[others & same].mean() > 2 * lift[others & ~same].mean()


def test_twins_are_equal_in_all_but_name_and_never_together(vocabulary, labels):
  twins = vocabulary.twins
  for kind in KINDS:
    members = np.flatnonzero(vocabulary.kinds == kind)
    assert (twins[members] != members).all() == (kind in TWIN_KINDS)
  np.testing.assert_array_equal(twins[twins], np.arange(len(twins)))
  for values in (vocabulary.kinds, vocabulary.frequencies, vocabulary.verticals,
                 vocabulary.parents, vocabulary.parent_probabilities):
    np.testing.assert_array_equal(values, values[twins])
  for label in np.flatnonzero(twins != np.arange(len(twins))):
    assert not (labels[:, label] & labels[:, twins[label]]).any()


def test_the_other_labels_do_not_tell_twins_apart(vocabulary, labels):
  for label in np.flatnonzero(vocabulary.twins > np.arange(vocabulary.num_classes)):
    pair = [label, vocabulary.twins[label]]
    first, second = (np.delete(labels[labels[:, c]], pair, axis=1) for c in pair)
    n, m = len(first), len(second)
    share = (first.sum(axis=0) + second.sum(axis=0)) / (n + m)
    noise = np.sqrt(np.maximum(share, 5 / (n + m)) * (1 / n + 1 / m))
    assert (np.abs(first.mean(axis=0) - second.mean(axis=0)) < 5 * noise).all()


def test_sets_are_sorted_and_without_duplicates():
  rng = np.random.default_rng(0)
  # With so few classes some sets cannot have the intended size.
  vocabulary = labels_lib.make_vocabulary(MIN_CLASSES, rng)
  for label_set in labels_lib.draw_label_sets(vocabulary, 2000, rng):
    assert len(label_set) and (np.diff(label_set) > 0).all()


@pytest.mark.parametrize("num_classes", [*range(MIN_CLASSES, 40), 527, 1000])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_any_number_of_classes_makes_a_vocabulary(num_classes, seed):
  rng = np.random.default_rng(seed)
  vocabulary = labels_lib.make_vocabulary(num_classes, rng)
  assert vocabulary.num_classes == num_classes
  assert set(vocabulary.kinds) == set(KINDS)
  assert (vocabulary.parents < np.arange(num_classes)).all()
  assert set(np.flatnonzero(vocabulary.kinds == IMPLIED)) == set(
      vocabulary.parents[vocabulary.parents >= 0])


@pytest.mark.parametrize("num_classes", [MIN_CLASSES - 1, MAX_CLASSES + 1])
def test_an_impossible_number_of_classes_is_an_error(num_classes):
  with pytest.raises(ValueError, match=f"--num_classes={num_classes} must be from 13"):
    labels_lib.make_vocabulary(num_classes, np.random.default_rng(0))
