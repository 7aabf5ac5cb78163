# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by the mean."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import masking


@registries.AGGREGATIONS.register("mean")
class Mean(base.Layer):
  """Averages the valid frames: `h = Σ_t m_t x_t / Σ_t m_t`.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames do not contribute.

  Returns:
    (batch_size, dim).

  Reference: YouTube-8M starter code, `FrameLevelLogisticModel`.
  """

  is_by_value = True  # Each value of h depends on one value of a frame.

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None) -> tf.Tensor:
    return masking.masked_mean(x, frame_mask)
