# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Temporal aggregation by a temporal dependency network."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import dependency_graph

keras = tf.keras


@registries.AGGREGATIONS.register("temporal_graph")
@keras.utils.register_keras_serializable(package="yt8m")
class TemporalGraph(keras.layers.Layer):
  """Finds the scenes of a video in a learned graph over its frames.

      z_1, …, z_S = G₁(x_1, …, x_T)            frames to scenes
      h           = G₂(z_1, …, z_S)            scenes to the video, without a cut

  G is a `DependencyGraph`: learned adjacency, normalised cut into contiguous segments,
  message passing inside each, attention pooling of each.

  Args:
    num_segments: S, the most scenes of a video. Shorter or calmer videos have fewer.
    max_ncut: cuts of a higher normalised cut value are not made: 0 is that of a cut
      through no edge, 1 that of a cut through a homogeneous scene.
    kernel_units: size of f(x), whose dot products are the adjacency.
    hidden: size of the tanh layer of the pooling.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool. Padded frames belong to no scene.

  Returns:
    (batch_size, dim), and the intermediates `adjacency`, (batch_size, num_frames,
    num_frames), `segments`, (batch_size, num_frames) int32, the scene of each frame, −1
    for padding, and `segment_adjacency`, (batch_size, S, S).

  Reference: `DependencyGraph`; temporal dependency networks, On et al. 2019
  (arXiv:1907.01709).
  """

  def __init__(self, num_segments=16, max_ncut=0.9, kernel_units=128, hidden=128,
               **kwargs):
    super().__init__(**kwargs)
    self.num_segments, self.max_ncut = num_segments, max_ncut
    self.kernel_units, self.hidden = kernel_units, hidden

  def build(self, input_shape):
    self.frames = dependency_graph.DependencyGraph(
        self.num_segments, self.kernel_units, self.max_ncut, self.hidden, name="frames")
    self.frames.build(input_shape)
    self.scenes = dependency_graph.DependencyGraph(
        1, self.kernel_units, hidden=self.hidden, name="scenes")
    self.scenes.build((None, None, input_shape[-1]))
    self.built = True

  def call(self, x, frame_mask=None):
    scenes, scene_mask, intermediates = self.frames(x, frame_mask=frame_mask)
    video, _, more = self.scenes(scenes, frame_mask=scene_mask)
    return video[:, 0], {**intermediates, "segment_adjacency": more["adjacency"]}

  def get_config(self):
    return {**super().get_config(), "num_segments": self.num_segments,
            "max_ncut": self.max_ncut, "kernel_units": self.kernel_units,
            "hidden": self.hidden}
