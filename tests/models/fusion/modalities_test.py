# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Every fusion of one, two and three modalities of float16 works, or says why not."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from yt8m import models
from yt8m.core import feature_spec

SIZES = {"clip": 4, "speech": 3, "rgb": 2}
TWO_ONLY = "Fusion 'attention' relates the frames of two modalities, but "
NO_FRAMES = ("Fusion 'differential' compares frames, but the features are video-level: "
             "train with --frame_features, or choose another --fusion")
REFUSED = {("attention", 1, "frame"): f"{TWO_ONLY}there is one: ",
           ("attention", 3, "frame"): f"{TWO_ONLY}there are 3: ",
           **{("attention", n, "video"): f"{TWO_ONLY}the features have no frames here: "
              for n in (1, 2, 3)},
           **{("differential", n, "video"): NO_FRAMES for n in (1, 2, 3)}}


@pytest.mark.parametrize("level", ["frame", "video"])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("fusion", sorted(models.FUSIONS))
def test_fusion(fusion, count, level):
  names = list(SIZES)[:count]
  spec = feature_spec.FeatureSpec(
      names, [SIZES[name] for name in names], level, ["float16"] * count)
  arguments = {"fusion": {"name": fusion, **descriptors.small("fusion", fusion)},
               "aggregation": "mean" if level == "frame" else None}
  if message := REFUSED.get((fusion, count, level)):
    with pytest.raises(ValueError, match=f"^{message}") as error:
      models.VideoModel(5, spec, **arguments)
    assert "\n" not in str(error.value)
    return
  model = models.VideoModel(5, spec, **arguments).build_variables()
  rng = np.random.default_rng(0)
  shape = (4, 6) if level == "frame" else (4,)
  features = {name: rng.normal(size=(*shape, SIZES[name])).astype(np.float16)
              for name in names}
  inputs = {"features": features, "num_frames": np.array([6, 1, 3, 2])}
  with tf.GradientTape() as tape:
    scores = model(inputs, training=True)["predictions"]
    loss = tf.reduce_sum(scores[:, 0])
  assert scores.shape == (4, 5) and scores.dtype == tf.float32
  assert all(g is not None and np.all(np.isfinite(tf.convert_to_tensor(g)))
             for g in tape.gradient(loss, model.trainable_variables))
  expected = model(inputs, training=False)["predictions"]
  # The values are floats already: nothing dequantises them.
  floats = {name: x.astype(np.float32) for name, x in features.items()}
  np.testing.assert_array_equal(
      model(inputs | {"features": floats}, training=False)["predictions"], expected)
