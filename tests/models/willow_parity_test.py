# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The 2017 winners' learnable pooling: layers, heads and whole models.

Their layers do not mask padding. Layers are therefore compared without a mask, and models
on frames sampled with recorded draws, all of which are valid.
"""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import parity
from tests.helpers import support
from tests.helpers import willow_variables
from yt8m import models
from yt8m.core import feature_spec
from yt8m.models.aggregation import netfv
from yt8m.models.aggregation import netvlad
from yt8m.models.aggregation import soft_dbof
from yt8m.models.layers import frame_sampling

NUM_CLASSES = 10
SIZES = (16, 8)  # rgb and audio, in the 24 values of a frame

LAYERS = {
    "NetVLAD": lambda: netvlad.VladPooling(5),
    "LightVLAD": lambda: netvlad.VladPooling(5, "none"),
    "NetVLAGD": lambda: netvlad.VladPooling(5, "gated"),
    "NetFV": lambda: netfv.FisherPooling(5),
    "SoftDBoF": lambda: soft_dbof.SoftBagPooling(6, max_pool=True),
    "GatedDBoF": lambda: soft_dbof.SoftBagPooling(6, gated=True),
}

MODELS = ("netvlad_default", "netvlad_gated_gatedmoe", "netvlad_sequence", "netvlagd",
          "lightvlad_gated", "netfv_coupled", "netfv_uncoupled_gated", "softdbof",
          "softdbof_maxpool", "gateddbof")

HEADS = ("moe2_gated_prob", "moe2_gated_input", "moe2_gated_removediag", "moe3_lowrank")


@support.needs_goldens
@pytest.mark.parametrize("case", LAYERS)
def test_layer_equals_the_willow_code(case):
  golden, _ = support.load_golden(f"model_willow_layer_{case}")
  x, layer = tf.constant(golden["in/model_input"]), LAYERS[case]()
  layer(x)
  named = willow_variables.pool_variables(layer)
  parity.assign(named, support.with_prefix(golden, "var/tower/"),
                willow_variables.to_ours)
  np.testing.assert_allclose(layer(x)[0], golden["out/eval/output"], atol=1e-5)
  np.testing.assert_allclose(
      layer(x, training=True)[0], golden["out/train/output"], atol=1e-5)
  parity.assert_updates(named, golden)


@support.needs_goldens
@pytest.mark.parametrize("case", LAYERS)
def test_layer_with_padding_equals_the_videos_alone(case):
  """The reference has no mask. Here, masked frames change nothing."""
  golden, _ = support.load_golden(f"model_willow_layer_{case}")
  x, lengths, layer = golden["in/model_input"], [12, 7, 1, 3, 12], LAYERS[case]()
  found, _ = layer(tf.constant(x), frame_mask=tf.sequence_mask(lengths, 12))
  for row, n in enumerate(lengths):
    np.testing.assert_allclose(
        found[row], layer(tf.constant(x[row:row + 1, :n]))[0][0], atol=1e-5)


def head(flags):
  moe = {"name": "moe", "num_mixtures": flags.get("moe_num_mixtures", 2),
         "l2_penalty": flags.get("moe_l2", 1e-8),
         "low_rank_gates": flags.get("moe_low_rank_gating", 0)}
  if not flags.get("moe_prob_gating"):
    return moe
  return {"name": "gated", "head": moe,
          "context": flags.get("moe_prob_gating_input", "scores"),
          "remove_diagonal": flags.get("gating_remove_diag", False)}


@support.needs_goldens
@pytest.mark.parametrize("case", HEADS)
def test_head_equals_the_willow_code(case):
  golden, meta = support.load_golden(f"model_willow_{case}")
  spec = feature_spec.FeatureSpec(("x",), (24,), "video")
  model = models.VideoModel(NUM_CLASSES, spec, classifier=head(meta["flags"]),
                            normalization="none").build_variables()
  inputs = {"features": {"x": tf.constant(golden["in/model_input"])}}
  [classifier] = model.branches[0].classifiers
  parity.assert_model(model, inputs, golden, willow_variables.head_variables(classifier))


def pooling(case, flags):
  """Returns the aggregation, and the hyperparameters that differ for audio."""
  common = {"projection": 0, "units": 0, "input_batch_norm": True}
  if "netvlad_cluster_size" in flags:
    clusters = flags["netvlad_cluster_size"]
    residuals = ("none" if flags.get("lightvlad") else
                 "gated" if flags.get("vlagd") else "centres")
    return ({"name": "netvlad", "clusters": clusters, "residuals": residuals, **common},
            {"clusters": clusters // 2})
  if "fv_cluster_size" in flags:
    clusters = flags["fv_cluster_size"]
    coupling = 0.01 if flags.get("fv_couple_weights", True) else 0.0
    return ({"name": "netfv", "clusters": clusters, "coupling": coupling, **common},
            {"clusters": clusters // 2})
  clusters = flags["dbof_cluster_size"]
  return ({"name": "soft_dbof", "clusters": clusters, "gated": case == "gateddbof",
           "max_pool": flags.get("softdbof_maxpool", False), **common},
          {"clusters": clusters // 8, "gated": False})


def model_options(case, flags):
  kind = next(flag.split("_")[0] for flag in flags if flag.endswith("_cluster_size"))
  relu = flags.get(f"{kind}_relu", True)
  aggregation, audio = pooling(case, flags)
  return dict(
      fusion={"name": "late1", "fusion": "concat", "aggregation": {"audio": audio}},
      aggregation=aggregation,
      classifier={
          "name": "hidden", "units": flags[f"{kind}_hidden_size"], "dropout": 0.0,
          "activation": "relu6" if relu else "linear", "use_batch_norm": relu,
          "gating": "context" if flags.get("gating") else "none",
          "remove_diagonal": flags.get("gating_remove_diag", False),
          "head": head(flags)})


def sampled(golden, flags):
  method = ("random_frames" if flags.get("sample_random_frames", True)
            else "random_sequence")
  indices = frame_sampling.frame_indices(
      method, tf.constant(golden["in/num_frames"]), flags["iterations"],
      golden["in/uniform_draws"])
  x = tf.gather(golden["in/model_input"], indices, axis=1, batch_dims=1)
  rgb, audio = tf.split(x, SIZES, axis=-1)
  return {"features": {"rgb": rgb, "audio": audio},
          "num_frames": tf.fill([x.shape[0]], flags["iterations"])}


@support.needs_goldens
@pytest.mark.parametrize("case", MODELS)
def test_model_equals_the_willow_code(case):
  golden, meta = support.load_golden(f"model_willow_{case}")
  spec = feature_spec.FeatureSpec(("rgb", "audio"), SIZES, "frame")
  model = models.VideoModel(NUM_CLASSES, spec, normalization="none",
                            **model_options(case, meta["flags"])).build_variables()
  scope = next(name.split("/")[1].removeprefix("video_")
               for name in meta["trainable"] if "video_" in name)
  named = willow_variables.model_variables(
      model, (f"video_{scope}", f"audio_{scope}"))
  parity.assert_model(model, sampled(golden, meta["flags"]), golden, named,
                      willow_variables.to_ours)


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


def context_gating(x, variables, matrix, norm, remove_diagonal):
  """Numpy twin: `x ⊙ σ(BN(x W − x ∘ diag(W)))` at inference."""
  weights = variables[matrix]
  gates = x @ weights
  if remove_diagonal:
    gates -= x * np.diag(weights)
  gamma, beta, mean, variance = [variables[f"{norm}/{part}"] for part in (
      "gamma", "beta", "moving_mean", "moving_variance")]
  return x * sigmoid(gamma * (gates - mean) / np.sqrt(variance + 1e-3) + beta)


def moe(x, variables, num_mixtures):
  shape = (len(x), NUM_CLASSES, -1)
  gates = np.exp((x @ variables["gates/weights"]).reshape(shape))
  gates /= gates.sum(axis=-1, keepdims=True)
  experts = sigmoid(x @ variables["experts/weights"] + variables["experts/biases"])
  return np.sum(gates[..., :num_mixtures] * experts.reshape(shape), axis=-1)


@support.needs_goldens
@pytest.mark.parametrize("remove_diagonal", [False, True])
def test_their_gates_with_and_without_the_diagonal(remove_diagonal):
  """A numpy twin after the pooling. With the diagonal it equals the recorded output."""
  golden, meta = support.load_golden("model_willow_netvlad_gated_gatedmoe")
  flags = {**meta["flags"], "gating_remove_diag": remove_diagonal}
  spec = feature_spec.FeatureSpec(("rgb", "audio"), SIZES, "frame")
  model = models.VideoModel(NUM_CLASSES, spec, normalization="none",
                            **model_options("netvlad", flags)).build_variables()
  reference = support.with_prefix(golden, "var/tower/")
  named = willow_variables.model_variables(model, ("video_VLAD", "audio_VLAD"))
  parity.assign(named, reference, willow_variables.to_ours)
  inputs = sampled(golden, flags)

  vlads = [aggregation(inputs["features"][name])[0] for aggregation, name in zip(
      model.branches[0].aggregations, ("rgb", "audio"), strict=True)]
  h = np.concatenate(vlads, axis=1) @ reference["hidden1_weights"]
  h = context_gating(h + reference["hidden1_biases"], reference,
                     "gating_weights_2", "gating_bn", remove_diagonal)
  expected = context_gating(moe(h, reference, flags.get("moe_num_mixtures", 2)),
                            reference, "gating_prob_weights", "gating_prob_bn",
                            remove_diagonal)
  if not remove_diagonal:
    np.testing.assert_allclose(expected, golden["out/eval/predictions"], atol=1e-5)
  np.testing.assert_allclose(model(inputs)["predictions"], expected, atol=1e-5)
