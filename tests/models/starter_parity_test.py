# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The starter code's five models: outputs, losses, gradients and moving averages.

The reference inputs are normalised already, so the models here take them as they
are. Reference DBoF samples frames with recorded draws: the same frames are gathered
here, and every gathered frame is valid.
"""

import numpy as np
import pytest
import tensorflow as tf

from tests import starter_variables
from tests import support
from yt8m import feature_spec
from yt8m import losses
from yt8m import models
from yt8m.models.layers import frame_sampling

NUM_CLASSES = 10


def build(level, size, **options):
  spec = feature_spec.FeatureSpec(("x",), (size,), level)
  return models.VideoModel(NUM_CLASSES, spec, normalization="none",
                           **options).build_variables()


def dbof(meta, classifier="moe"):
  flags = meta["flags"]
  return dict(
      aggregation={"name": "dbof", "clusters": flags["dbof_cluster_size"],
                   "units": flags["dbof_hidden_size"],
                   "use_batch_norm": flags.get("dbof_add_batch_norm", True)},
      classifier=classifier)


CASES = {
    "logistic": lambda meta: ("video", dict(classifier="logistic")),
    "moe2": lambda meta: ("video", dict(classifier="moe")),
    "moe2_l2big": lambda meta: (
        "video", dict(classifier={"name": "moe", "l2_penalty": 0.01})),
    "moe3": lambda meta: ("video", dict(classifier={"name": "moe", "num_mixtures": 3})),
    "framelogistic": lambda meta: (
        "frame", dict(aggregation="mean", classifier="logistic")),
    "lstm2": lambda meta: (
        "frame", dict(aggregation={"name": "lstm", "units": 7, "num_layers": 2},
                      classifier="moe")),
    "dbof_frames_max_sigmoid": lambda meta: ("frame", dbof(meta)),
    "dbof_sequence": lambda meta: ("frame", dbof(meta)),
    "dbof_nobn": lambda meta: ("frame", dbof(meta)),
    "dbof_logistic": lambda meta: ("frame", dbof(meta, "logistic")),
}


def model_inputs(golden, meta):
  x = golden["in/model_input"]
  if "in/num_frames" not in golden:
    return {"features": {"x": tf.constant(x)}}
  num_frames = golden["in/num_frames"].astype(np.int32)
  if "in/uniform_draws" in golden:
    method = ("random_frames" if meta["flags"].get("sample_random_frames", True)
              else "random_sequence")
    samples = meta["flags"]["iterations"]
    indices = frame_sampling.frame_indices(
        method, tf.constant(num_frames), samples, golden["in/uniform_draws"])
    x = tf.gather(x, indices, axis=1, batch_dims=1)
    num_frames = np.full_like(num_frames, samples)
  return {"features": {"x": tf.constant(x)}, "num_frames": tf.constant(num_frames)}


@support.needs_goldens
@pytest.mark.parametrize("case", CASES)
def test_model_equals_the_starter_code(case):
  golden, meta = support.load_golden(f"model_starter_{case}")
  level, options = CASES[case](meta)
  model = build(level, golden["in/model_input"].shape[-1], **options)
  reference = support.with_prefix(golden, "var/tower/")
  named = starter_variables.tower_variables(model)
  for name, variable in named.items():
    variable.assign(reference[name])
  if isinstance(model.aggregation, models.Lstm):
    starter_variables.load_lstm(model.aggregation, reference)
  inputs = model_inputs(golden, meta)

  outputs = model(inputs, training=False)["predictions"]
  np.testing.assert_allclose(outputs, golden["out/eval/predictions"], atol=1e-5)

  with tf.GradientTape() as tape:
    outputs = model(inputs, training=True)["predictions"]
    label_loss = losses.CrossEntropyLoss()(
        golden["in/labels"].astype(np.float32), outputs)
    penalty = tf.add_n(model.losses)
    loss = label_loss + penalty
  np.testing.assert_allclose(outputs, golden["out/train/predictions"], atol=1e-5)
  np.testing.assert_allclose(label_loss, golden["out/train/label_loss"], rtol=1e-5)
  np.testing.assert_allclose(penalty, golden["out/train/reg_loss"], rtol=1e-5)

  weights = model.trainable_weights
  gradients = list(zip(weights, tape.gradient(loss, [v.value for v in weights]
                                              if hasattr(weights[0], "path")
                                              else weights), strict=True))
  by_id = {id(v): g for v, g in gradients}
  found = {name: by_id[id(v)] for name, v in named.items() if id(v) in by_id}
  if isinstance(model.aggregation, models.Lstm):
    found.update(starter_variables.lstm_gradients(model.aggregation, gradients))
  expected = support.with_prefix(golden, "grad/tower/")
  assert set(found) == set(expected)
  for name, gradient in expected.items():
    if name.startswith("rnn/"):
      gradient = starter_variables.keras_gates(gradient)
    np.testing.assert_allclose(found[name], gradient, rtol=1e-4, atol=2e-6,
                               err_msg=name)

  updates = support.with_prefix(golden, "upd/tower/")
  for name, value in updates.items():
    np.testing.assert_allclose(named[name], value, rtol=1e-5, atol=1e-6, err_msg=name)
