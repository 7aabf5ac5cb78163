# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Out-of-fold calibrated scores: a fold has no influence on its own calibration."""

import dataclasses

import numpy as np
import pytest

from tests.yt8m.training import calibrating_test
from yt8m.data import label_sets
from yt8m.eval.metrics import streaming
from yt8m.training import calibrating
from yt8m.training import cross_fitting

COUNT = 240
IDS = np.array([f"v{number}".encode() for number in range(COUNT)])
FOLDS = np.arange(COUNT) % 2


@pytest.fixture(scope="module")
def videos():
  return calibrating_test.videos(COUNT, 1)


@pytest.fixture(scope="module")
def found(videos):
  return cross_fitting.scores(*videos, IDS, FOLDS, **calibrating_test.SMALL)


@pytest.mark.long
def test_each_fold_is_scored_by_a_calibration_of_the_other(videos, found):
  raw, labels = videos
  for fold in (0, 1):
    other = fold != FOLDS
    layer = calibrating.make(
        label_sets.LabelSets.from_matrix(labels[other]), seed=0, **calibrating_test.SMALL)
    calibrating.fit(layer, raw[other], labels[other])
    np.testing.assert_array_equal(
        found[~other], calibrating.calibrated(layer, raw[~other]))
  assert streaming.gap(found, labels) > streaming.gap(raw, labels) + 0.02


@pytest.mark.long
def test_the_parts_are_those_of_the_calibration(videos):
  raw, labels = videos
  parts = ["mean_field"]
  found = cross_fitting.scores(raw, labels, IDS, FOLDS, parts=parts,
                               **calibrating_test.SMALL)
  layer = calibrating.make(label_sets.LabelSets.from_matrix(labels[FOLDS == 1]), seed=0,
                           parts=parts, **calibrating_test.SMALL)
  calibrating.fit(layer, raw[FOLDS == 1], labels[FOLDS == 1], parts=parts)
  np.testing.assert_array_equal(
      found[FOLDS == 0], calibrating.calibrated(layer, raw[FOLDS == 0]))


@pytest.mark.long
def test_labels_of_a_fold_do_not_matter_to_its_scores(videos, found):
  raw, labels = videos
  changed = np.where(FOLDS[:, np.newaxis] == 0, labels[::-1], labels)
  again = cross_fitting.scores(raw, changed, IDS, FOLDS, **calibrating_test.SMALL)
  np.testing.assert_array_equal(again[FOLDS == 0], found[FOLDS == 0])
  assert np.any(again[FOLDS == 1] != found[FOLDS == 1])


@pytest.mark.long
def test_label_sets_of_the_fold_are_left_out(videos, found):
  """What remains of the sets of all these videos are those of the other fold."""
  sets = dataclasses.replace(
      label_sets.LabelSets.from_matrix(videos[1]), ids=IDS.astype(str))
  np.testing.assert_array_equal(found, cross_fitting.scores(
      *videos, IDS, FOLDS, sets, **calibrating_test.SMALL))


def test_one_fold_or_a_remote_directory_is_refused(tmp_path):
  cross_fitting.check(f"{tmp_path}/new", 2)
  with pytest.raises(ValueError, match="needs two folds or more"):
    cross_fitting.check(f"{tmp_path}/new", 1)
  with pytest.raises(ValueError, match="must be local"):
    cross_fitting.check("gs://bucket/store", 2)
