# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What every classifier does: it starts at the class prior."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.models import registries
from yt8m.models.classification import classifier


@pytest.mark.parametrize("name", models.CLASSIFIERS)
def test_every_classifier_starts_at_the_prior(name):
  """An input of zeros has no information, so its scores are the class frequencies."""
  prior = np.array([0.5, 0.1, 0.01, 1e-4])
  head = registries.build_option(models.CLASSIFIERS, name, num_classes=4)
  head(tf.zeros((1, 3)))
  head.start_from_prior(prior)
  scores, _ = registries.split_intermediates(head(tf.zeros((1, 3))))
  np.testing.assert_allclose(scores[0], prior, rtol=1e-3)


def test_log_odds_of_0_and_1_are_finite():
  assert np.all(np.isfinite(classifier.prior_log_odds(np.array([0.0, 1.0]))))
