# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a temporal dependency network."""

from typing import Any

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import dependency_graph


@registries.AGGREGATIONS.register("temporal_graph")
class TemporalGraph(base.Layer):
  """Finds the scenes of a video in a learned graph over its frames.

      z_1, …, z_S = G₁(x_1, …, x_T)            frames to scenes
      h           = G₂(z_1, …, z_S)            scenes to the video, without a cut

  G is a `DependencyGraph`: learned adjacency, normalised cut into contiguous segments,
  message passing within each, attention pooling of each.

  Args:
    num_segments: Maximum number of scenes, S. Short or uniform videos have fewer.
    max_ncut: Maximum normalised cut value of a cut. A cut through no edge has the value
      0, a cut through a homogeneous scene about 1.
    kernel_units: Size of f(x), whose dot products are the adjacency.
    hidden: Size of the tanh layer of the pooling.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no scene.

  Returns:
    (batch_size, dim), and the intermediates `adjacency`, (batch_size, num_frames,
    num_frames), `segments`, (batch_size, num_frames) int32, the scene of each frame or −1
    for padding, and `segment_adjacency`, (batch_size, S, S).

  Reference: `DependencyGraph`; On et al. 2019 (arXiv:1907.01709).
  """

  def __init__(self, num_segments: int = 16, max_ncut: float = 0.9,
               kernel_units: int = 128, hidden: int = 128, **kwargs: Any):
    super().__init__(**kwargs)
    self.num_segments, self.max_ncut = num_segments, max_ncut
    self.kernel_units, self.hidden = kernel_units, hidden

  def build(self, input_shape: Any) -> None:
    dim = input_shape[-1]
    self.frames = base.built(
        dependency_graph.DependencyGraph(self.num_segments, self.kernel_units,
                                         self.max_ncut, self.hidden, name="frames"),
        None, None, dim)
    self.scenes = base.built(
        dependency_graph.DependencyGraph(1, self.kernel_units, hidden=self.hidden,
                                         name="scenes"), None, None, dim)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None
           ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    scenes, scene_mask, intermediates = self.frames(x, frame_mask=frame_mask)
    video, _, more = self.scenes(scenes, frame_mask=scene_mask)
    return video[:, 0], {**intermediates, "segment_adjacency": more["adjacency"]}
