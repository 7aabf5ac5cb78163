# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Sampling of frames, before a model reads them."""

from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.core import types
from yt8m.models.layers import base
from yt8m.models.layers import variables

METHODS = ("random_frames", "random_sequence", "strided", "first")


def frame_indices(method: str, num_frames: tf.Tensor, num_samples: int,
                  draws: Any = None, repeat: bool = True) -> tf.Tensor:
  """Returns the indices of the sampled frames, each in [0, num_frames).

      random_frames:    ⌊u_s · n⌋, u_s uniform, with replacement
      random_sequence:  min(⌊u · (max(n − S, 0) + 1)⌋ + s, n − 1), one u for each video
      strided:          ⌊(s + ½) · n / S⌋, evenly spaced, not random;
                        s while s < n ≤ S if no frame may repeat
      first:            min(s, n − 1)

  Args:
    method: Sampling method, one of `METHODS`.
    num_frames: Number of frames of each video, n, (batch_size,) int32, at least 1.
    num_samples: Number of samples, S.
    draws: u in [0, 1): (batch_size, S) for "random_frames", (batch_size, 1) for
      "random_sequence", unused otherwise.
    repeat: Whether all S samples are used. If False, only the first min(n, S) are, and
      they cover the video.

  Returns:
    (batch_size, S) int32.

  Reference: YouTube-8M starter code, `model_utils.SampleRandomFrames` and
  `SampleRandomSequence`.
  """
  n = tf.maximum(num_frames, 1)[:, tf.newaxis]
  steps = tf.range(num_samples)[tf.newaxis, :]
  if method == "random_frames":
    indices = tf.cast(draws * tf.cast(n, tf.float32), tf.int32)
  elif method == "random_sequence":
    starts = tf.cast(tf.maximum(n - num_samples, 0) + 1, tf.float32)
    indices = tf.cast(draws * starts, tf.int32) + steps
  elif method == "strided":
    spread = num_samples if repeat else tf.minimum(n, num_samples)
    indices = (2 * steps + 1) * n // (2 * spread)
  else:
    indices = steps + tf.zeros_like(n)
  return tf.minimum(indices, n - 1)


class FrameSampling(base.Layer):
  """Keeps `num_frames` frames of each video.

  In training, the method selects the frames. At evaluation and inference they are evenly
  spaced ("strided"), so that a video always gets the same scores; the starter code draws
  random frames there as well.

  The draws depend on the seed and on a counter only. The counter is a weight, so a
  resumed run draws the same frames as an uninterrupted one. Under a strategy, every
  replica draws its own frames.

  Args:
    num_frames: Number of frames kept of each video, S.
    method: Sampling method, one of `METHODS`.
    seed: Seed of the draws.
    repeat: Whether a video of n < S frames is filled up to S by repeating frames.
      If False, n samples are kept and the rest is padding, as in the LSTM and GRU
      of the WILLOW code on random frames (`lstm_random_sequence`).

  Call arguments:
    features: `{name: (batch_size, max_frames, size)}`.
    num_frames: (batch_size,) int32, number of valid frames of each video.

  Returns:
    `({name: (batch_size, S, size)}, num_frames)`, the latter (batch_size,) int32: S,
    or min(n, S) if frames do not repeat.

  Raises:
    ValueError: `method` is unknown.
  """

  def __init__(self, num_frames: int, method: str = "random_frames", seed: int = 0,
               repeat: bool = True, **kwargs: Any):
    super().__init__(autocast=False, **kwargs)
    if method not in METHODS:
      raise registry.unknown("frame sampling", method, METHODS)
    self.num_frames, self.method, self.seed = num_frames, method, seed
    self.repeat = repeat
    self.draws = variables.add_counter(self, "draws")
    self.built = True

  def call(self, features: types.Features, num_frames: tf.Tensor, training: bool = False
           ) -> tuple[types.Features, tf.Tensor]:
    method = self.method if training or self.method == "first" else "strided"
    draws = None
    if method.startswith("random"):
      width = self.num_frames if method == "random_frames" else 1
      draws = self._uniform([tf.shape(num_frames)[0], width])
    indices = frame_indices(method, num_frames, self.num_frames, draws, self.repeat)
    sampled = {name: tf.gather(x, indices, axis=1, batch_dims=1)
               for name, x in features.items()}
    kept = tf.fill(tf.shape(num_frames), self.num_frames)
    return sampled, kept if self.repeat else tf.minimum(num_frames, kept)

  def _uniform(self, shape: Any) -> tf.Tensor:
    return tf.random.stateless_uniform(
        shape, tf.stack([self.seed, variables.next_stream(self.draws)]))
