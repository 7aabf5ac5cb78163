# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Late fusion, and the order of steps in a branch."""

import numpy as np
import pytest

from tests.helpers import descriptors
from yt8m import models
from yt8m.models import prediction

SPEC = descriptors.SPECS["frame"]


def run(**options):
  model = models.VideoModel(6, SPEC, **options).build_variables()
  descriptors.randomize(model)
  return model, model(prediction.model_inputs(descriptors.batch("frame")))


def modality(model, number, **options):
  """A model that reads one modality only, with the layers of `model`'s branch."""
  branch = model.branches[0]
  features = model.input_features(descriptors.batch("frame")["features"])
  mask = np.arange(7) < np.asarray(descriptors.batch("frame")["num_frames"])[:, None]
  h = branch.aggregations[number](features[number] * mask[..., None], frame_mask=mask)
  return h


def test_late_fusion_1_fuses_aggregated_vectors():
  """With the mean it equals early fusion: the mean can be taken before concatenation."""
  _, early = run(aggregation="mean")
  late, found = run(fusion="late1", aggregation="mean")
  assert len(late.branches[0].aggregations) == 2
  np.testing.assert_allclose(found["predictions"], early["predictions"], atol=1e-6)


def test_late_fusion_1_wraps_another_fusion():
  model, outputs = run(fusion={"name": "late1", "fusion": {"name": "sum", "units": 3}},
                       aggregation="mean")
  h = sum(np.asarray(modality(model, m)) @ p.kernel.numpy() + p.bias.numpy()
          for m, p in enumerate(model.fusion.fusion.projections))
  np.testing.assert_allclose(
      model.classifier(h), outputs["predictions"], rtol=1e-4, atol=1e-6)


def test_late_fusion_2_averages_the_predictions_of_the_modalities():
  model, outputs = run(fusion="late2", aggregation="mean")
  branch = model.branches[0]
  theta = np.exp(model.fusion.theta.numpy())
  weights = theta / theta.sum(axis=0)
  scores = [np.asarray(branch.classifiers[m](modality(model, m))) for m in (0, 1)]
  np.testing.assert_allclose(
      outputs["predictions"], weights[0] * scores[0] + weights[1] * scores[1],
      rtol=1e-4, atol=1e-6)
  np.testing.assert_allclose(outputs["modality_weights"], weights, rtol=1e-5)


def test_late_fusion_2_starts_as_the_plain_mean():
  fusion = models.LateFusion2(per_class=False)
  found, _ = fusion([np.float32([[0.2, 0.4]]), np.float32([[0.6, 0.0]])])
  np.testing.assert_allclose(found, [[0.4, 0.2]], rtol=1e-6)
  assert fusion.theta.shape == (2, 1)


@pytest.mark.parametrize("fusion", ["late1", "late2"])
def test_modalities_may_differ_in_hyperparameters(fusion):
  small = {"name": "netvlad", "clusters": 4, "projection": 0, "units": 3}
  config = {"name": fusion, "aggregation": {"audio": {"clusters": 2}}}
  model, outputs = run(fusion=config, aggregation=small)
  assert [a.clusters for a in model.branches[0].aggregations] == [4, 2]
  assert outputs["assignments_rgb"].shape == (5, 7, 4)
  assert outputs["assignments_audio"].shape == (5, 7, 2)


def test_late_fusion_2_classifies_video_level_features():
  model = models.VideoModel(6, descriptors.SPECS["video"], fusion="late2",
                            classifier={"name": "moe", "num_mixtures": 3})
  model.build_variables()
  prior = np.linspace(0.01, 0.5, 6)
  model.start_from_prior(prior)
  assert len(model.branches[0].classifiers) == 2
  zeros = {"features": {"rgb": np.zeros((1, 8)), "audio": np.zeros((1, 4))}}
  np.testing.assert_allclose(model(zeros)["predictions"][0], prior, rtol=1e-3)


@pytest.mark.parametrize("fusion, message", [
    ({"name": "late2", "aggregation": {"sound": {}}}, "'sound', but the features"),
    ({"name": "late1", "fusion": "late2"}, "cannot wrap 'late2'"),
    ({"name": "late1", "fusion": "attention"}, "relates the frames of two"),
])
def test_errors_name_the_value(fusion, message):
  with pytest.raises(ValueError, match=message):
    run(fusion=fusion, aggregation="mean")
