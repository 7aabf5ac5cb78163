# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The starter code's models: outputs, losses, gradients and moving averages.

Its LSTM is in aggregation/recurrent_stack_test.py.

The reference inputs are already normalised, so the models here do not normalise them.
DBoF of the reference samples frames with recorded draws. The same frames are gathered
here, and all of them are valid.
"""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import parity
from tests.helpers import starter_variables
from tests.helpers import support
from yt8m import models
from yt8m.core import feature_spec
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
  parity.assert_model(model, model_inputs(golden, meta), golden,
                      starter_variables.tower_variables(model))
