# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A mixture of branches; tests/models/aggregation/nextvlad_test.py has the reference."""

import numpy as np
import pytest

from tests.helpers import descriptors
from yt8m import models
from yt8m.models import mixture
from yt8m.models import prediction


def make(classifier="logistic", **hparams):
  model = models.VideoModel(
      6, descriptors.SPECS["frame"], aggregation="mean", classifier=classifier,
      mixture={"branches": 3, **hparams}).build_variables()
  descriptors.randomize(model)
  return model


def softmax(z):
  e = np.exp(z - z.max(-1, keepdims=True))
  return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize("classifier", ["logistic", "moe"])
def test_numpy_twin(classifier):
  model = make(classifier, temperature=2.0, distillation=5.0)
  batch = prediction.model_inputs(descriptors.batch("frame"))
  outputs = {k: np.asarray(v, np.float64) for k, v in model(batch).items()}
  weights, p = outputs["mixture_weights"], outputs["branch_predictions"]
  np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
  z = np.einsum("bn,bnc->bc", weights, np.log(p) - np.log1p(-p))
  np.testing.assert_allclose(outputs["predictions"], 1 / (1 + np.exp(-z)), rtol=1e-3)

  model.scorer.norm.decay = 0.0
  outputs = {k: np.asarray(v, np.float64) for k, v in model(batch, training=True).items()}
  weights, p = outputs["mixture_weights"], outputs["branch_predictions"]
  branch_z = np.log(p) - np.log1p(-p)
  z = np.einsum("bn,bnc->bc", weights, branch_z)
  together, apart = softmax(z / 2.0)[:, None], softmax(branch_z / 2.0)
  divergence = (together * np.log(together / apart)).sum(axis=(1, 2))
  penalties = [float(loss) for loss in model.losses]
  assert min(abs(np.array(penalties) - 5.0 * divergence.mean())) < 1e-3


def test_penalty_is_of_training_only():
  model = make()
  batch = prediction.model_inputs(descriptors.batch("frame"))
  model(batch, training=True)
  in_training = len(model.losses)
  model(batch, training=False)
  assert len(model.losses) == in_training - 1


def test_branches_start_at_the_prior():
  model = models.VideoModel(6, descriptors.SPECS["video"], mixture={"branches": 2})
  model.build_variables()
  prior = np.linspace(1e-4, 0.5, 6)
  model.start_from_prior(prior)
  zeros = {"features": {"rgb": np.zeros((1, 8)), "audio": np.zeros((1, 4))}}
  np.testing.assert_allclose(model(zeros)["predictions"][0], prior, rtol=1e-3)


def test_layer_config_round_trip():
  layer = make().scorer
  clone = mixture.Mixture.from_config(layer.get_config())
  assert (clone.temperature, len(clone.branches)) == (3.0, 3)
  for one, other in zip(clone.branches, layer.branches, strict=True):
    assert {**one.get_config(), "name": ""} == {**other.get_config(), "name": ""}


@pytest.mark.parametrize("hparams", [{}, {"branches": 1}, {"temperature": 2.0}])
def test_number_of_branches_must_be_given(hparams):
  with pytest.raises(ValueError, match="branches=.*, but needs 2 to .*--hparams="):
    models.VideoModel(6, descriptors.SPECS["video"], mixture=hparams or {"branches": 0})
