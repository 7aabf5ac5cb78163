# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Which frames of a video a model looks at: a stage of its own."""

import tensorflow as tf

from yt8m.models.layers import variables

keras = tf.keras

METHODS = ("random_frames", "random_sequence", "strided", "first")


def frame_indices(method, num_frames, num_samples, draws=None, repeat=True):
  """Indices of the sampled frames, each in [0, num_frames).

      random_frames:    ⌊u_s · n⌋, u_s uniform, with replacement
      random_sequence:  min(⌊u · (max(n − S, 0) + 1)⌋ + s, n − 1), one u a video
      strided:          ⌊(s + ½) · n / S⌋, evenly spaced, no randomness;
                        s while s < n ≤ S if no frame may repeat
      first:            min(s, n − 1)

  Args:
    method: one of `METHODS`.
    num_frames: n, (batch_size,) int32, at least 1.
    num_samples: S.
    draws: u in [0, 1): (batch_size, S) for `random_frames`, (batch_size, 1) for
      `random_sequence`, unused otherwise.
    repeat: False if only the first min(n, S) samples will be read, which must then
      cover the video.

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


@keras.utils.register_keras_serializable(package="yt8m")
class FrameSampling(keras.layers.Layer):
  """Keeps `num_frames` frames of each video.

  In training the frames are drawn by `method`. At evaluation and inference they
  are evenly spaced (`strided`), so that the same video always gets the same
  scores; the starter code draws there too.

  Draws are a function of the seed and of a counter, which is a weight: a resumed run
  draws what the uninterrupted run would have drawn. Under a strategy every replica
  draws for itself.

  Args:
    num_frames: S, frames kept of each video.
    method: `random_frames`, `random_sequence`, `strided` or `first`.
    seed: seed of the draws.
    repeat: whether a video of n < S frames is filled up to S by repeating frames.
      If False, n samples are kept and the rest is padding, as in the LSTM and GRU
      of the WILLOW code on random frames (`lstm_random_sequence`).

  Call arguments:
    features: `{name: (batch_size, max_frames, size)}`.
    num_frames: (batch_size,) int32, valid frames of each video.

  Returns:
    `({name: (batch_size, S, size)}, num_frames)`, the latter (batch_size,) int32: S,
    or min(n, S) if frames do not repeat.
  """

  def __init__(self, num_frames: int, method="random_frames", seed=0, repeat=True,
               **kwargs):
    super().__init__(autocast=False, **kwargs)
    if method not in METHODS:
      raise ValueError(
          f"Unknown frame sampling {method!r}. Valid: {', '.join(METHODS)}.")
    self.num_frames, self.method, self.seed = num_frames, method, seed
    self.repeat = repeat
    self.draws = variables.add_counter(self, "draws")
    self.built = True

  def call(self, features, num_frames, training=False):
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

  def _uniform(self, shape):
    return tf.random.stateless_uniform(
        shape, tf.stack([self.seed, variables.next_stream(self.draws)]))

  def get_config(self):
    return {**super().get_config(), "num_frames": self.num_frames,
            "method": self.method, "seed": self.seed, "repeat": self.repeat}
