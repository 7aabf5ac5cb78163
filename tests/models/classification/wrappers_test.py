# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Gated scores; tests/models/willow_parity_test.py has the reference code."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models


@pytest.mark.parametrize("head", ["logistic", "moe"])
@pytest.mark.parametrize("hparams", [{"context": "input"}, {"remove_diagonal": True}])
def test_starts_at_the_prior(head, hparams):
  prior = np.array([0.55, 0.1, 0.01, 1e-4])
  gated = models.Gated(4, head, **hparams)
  gated(tf.zeros((1, 3)))
  gated.start_from_prior(prior)
  np.testing.assert_allclose(gated(tf.zeros((1, 3)))[0], prior, rtol=1e-3)


def test_errors_name_the_values():
  with pytest.raises(ValueError, match="context 'labels'. Valid: scores, input"):
    models.Gated(4, context="labels")
  with pytest.raises(ValueError, match="remove_diagonal needs the context 'scores'"):
    models.Gated(4, context="input", remove_diagonal=True)
