# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""NeXtVLAD and its mixture, compared with the authors' code.

The reference masks padding in its attention, but includes padded frames (all 0) in the
batch statistics and in the mean frame of the mixture. Ours does not. The tests switch
this difference off to compare the values. They also use the biased variance where the
reference does (`fused=False`).
"""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import parity
from tests.helpers import support
from yt8m import models
from yt8m.core import feature_spec
from yt8m.models.aggregation import nextvlad
from yt8m.models.layers import batch_norm

NUM_CLASSES = 10
SIZES = (16, 8)  # rgb and audio, in the 24 values of a frame


@pytest.fixture
def padding_counts(monkeypatch):
  """Computes statistics over all frames, including padding, as the reference does."""
  statistics = batch_norm.BatchNorm._update_statistics
  monkeypatch.setattr(batch_norm.BatchNorm, "_update_statistics",
                      lambda self, x, frame_mask: statistics(self, x, None))
  monkeypatch.setattr("yt8m.models.mixture.masking.masked_mean",
                      lambda x, mask: tf.reduce_mean(x, axis=1))


def build(flags):
  clusters, groups = flags["nextvlad_cluster_size"], flags["groups"]
  mixture = {"branches": flags["mix_number"], "temperature": flags["cl_temperature"],
             "distillation": flags["cl_lambda"]} if "mix_number" in flags else None
  spec = feature_spec.FeatureSpec(("rgb", "audio"), SIZES, "frame")
  return models.VideoModel(
      NUM_CLASSES, spec, normalization="none", mixture=mixture,
      fusion={"name": "late1", "fusion": "concat", "aggregation": {
          "audio": {"clusters": clusters // 2, "groups": groups // 2}}},
      aggregation={"name": "nextvlad", "clusters": clusters, "groups": groups,
                   "expansion": flags["expansion"], "units": 0},
      classifier={
          "name": "hidden", "units": flags["nextvlad_hidden_size"], "dropout": 0.0,
          "activation": "linear", "use_batch_norm": True, "gating": "squeeze",
          "gating_reduction": flags["gating_reduction"], "head": "logistic"},
  ).build_variables()


def pool_variables(pool):
  # Without `fused`, the reference keeps the biased variance.
  pool.assign.norm.unbiased = pool.norm.unbiased = False
  return {"fully_connected/weights": pool.expand.kernel,
          "fully_connected/biases": pool.expand.bias,
          "fully_connected_1/weights": pool.attend.kernel,
          "fully_connected_1/biases": pool.attend.bias,
          "cluster_weights": pool.assign.score.kernel, "cluster_weights2": pool.centres,
          **parity.norm_variables(pool.assign.norm, "cluster_bn"),
          **parity.norm_variables(pool.norm, "vlad_bn")}


def branch_variables(branch, scopes):
  named = {}
  for scope, aggregation in zip(scopes, branch.aggregations, strict=True):
    named.update({f"{scope}/{name}": v
                  for name, v in pool_variables(aggregation.pool).items()})
  [classifier] = branch.classifiers
  hidden, logits = classifier.hidden, classifier.head.logits
  hidden.norm.unbiased = False
  return {**named, "hidden1_weights": hidden.dense.kernel,
          **parity.norm_variables(hidden.norm, "hidden1_bn"),
          "gating_weights_1": hidden.gate.squeeze.kernel,
          "gating_weights_2": hidden.gate.excite.kernel,
          **parity.norm_variables(hidden.gate.norm, "gating_bn"),
          "fully_connected/weights": logits.kernel,
          "fully_connected/biases": logits.bias}


def model_variables(model):
  if len(model.branches) == 1:
    return branch_variables(model.branches[0], ("video_VLAD", "audio_VLAD"))
  named = {"mix_weights/weights": model.scorer.weigh.kernel,
           "mix_weights/biases": model.scorer.weigh.bias,
           **parity.norm_variables(model.scorer.norm, "mix_weights_bn")}
  for number, branch in enumerate(model.branches):
    variables = branch_variables(branch, ("video_vlad", "audio_vlad"))
    named.update({f"branch_{number}/{name}": v for name, v in variables.items()})
  return named


def to_ours(name, value):
  return value[0] if name.endswith("cluster_weights2") else value


def bias_penalty(model):
  """The logistic model of the reference also penalises its biases."""
  heads = [branch.classifiers[0].head for branch in model.branches]
  return sum(h.l2_penalty * np.sum(np.square(h.logits.bias)) / 2 for h in heads)


def load(case):
  golden, meta = support.load_golden(f"model_linrongc_{case}")
  rgb, audio = np.split(golden["in/model_input"], SIZES[:1], axis=-1)
  inputs = {"features": {"rgb": tf.constant(rgb), "audio": tf.constant(audio)},
            "num_frames": tf.constant(golden["in/num_frames"])}
  return golden, meta["flags"], inputs


def assert_model(model, inputs, golden):
  parity.assert_model(model, inputs, golden, model_variables(model), to_ours,
                      penalise=bias_penalty, epsilon=1e-8)


@support.needs_goldens
@pytest.mark.parametrize("case", ["nextvlad_g2e1", "nextvlad_logistic"])
def test_model_equals_the_authors_code(case, padding_counts):
  golden, flags, inputs = load(case)
  assert_model(build(flags), inputs, golden)


@support.needs_goldens
def test_mixture_equals_the_authors_code(padding_counts):
  golden, flags, inputs = load("mixnextvlad")
  model = build(flags)
  # The gradients of the reference are those of the label loss without distillation.
  model.scorer.distillation = 0.0
  assert_model(model, inputs, golden)

  model.scorer.distillation = flags["cl_lambda"]
  model(inputs, training=True)
  distillation = tf.add_n(model.losses) + bias_penalty(model) - golden[
      "out/train/reg_loss"]
  np.testing.assert_allclose(
      distillation, golden["out/train/regularization_loss"], rtol=1e-5)


def test_numpy_twin():
  """Attended residuals of the parts of frames, at inference."""
  rng = np.random.default_rng(1)
  x = rng.normal(size=(2, 5, 4)).astype(np.float32)
  layer = nextvlad.NextVladPooling(clusters=3, groups=2, expansion=3)
  found, _ = layer(tf.constant(x))
  y = x @ layer.expand.kernel.numpy() + layer.expand.bias.numpy()
  attention = 1 / (1 + np.exp(-(y @ layer.attend.kernel.numpy())))
  scores = (y @ layer.assign.score.kernel.numpy() / np.sqrt(1.001)).reshape(2, 5, 2, 3)
  a = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True) * attention[..., None]
  residuals = y.reshape(2, 5, 2, 6, 1) - layer.centres.numpy()
  v = np.einsum("btgk,btgdk->bdk", a, residuals)
  v /= np.linalg.norm(v, axis=1, keepdims=True)
  np.testing.assert_allclose(found, v.reshape(2, 18) / np.sqrt(1.001), rtol=1e-3,
                             atol=1e-5)


def test_groups_must_divide_the_frame():
  with pytest.raises(ValueError, match="3 groups do not divide 8, .* 2 times the frame"):
    nextvlad.NextVladPooling(groups=3)(tf.zeros((1, 2, 4)))
