# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fusion by temporal attention across two modalities."""

from typing import Any

import tensorflow as tf

from yt8m.core import types
from yt8m.models import registries
from yt8m.models.layers import attention_scores
from yt8m.models.layers import base
from yt8m.models.layers import masking


@registries.FUSIONS.register("attention")
class CrossModalAttention(base.Layer):
  """Adds to each frame an average of its modality, weighted by the other modality.

      α_ts = softmax_s(v_tᵀ W₁ a_s),   ã_t = Σ_s α_ts a_s
      β_ts = softmax_s(a_tᵀ W₂ v_s),   ṽ_t = Σ_s β_ts v_s
      x_t  = [v_t + ṽ_t ; a_t + ã_t]

  Each video frame attends to the audio frames, and each audio frame to the video
  frames. W₁ has the shape (dim_v, dim_a), and W₂ has the shape (dim_a, dim_v).

  Call arguments:
    features: `[v, a]`, (batch_size, num_frames, dim_v) and (batch_size, num_frames,
      dim_a).
    frame_mask: (batch_size, num_frames), bool. Padded frames receive no attention, nor
      do those of a video that lacks a modality.

  Returns:
    (batch_size, num_frames, dim_v + dim_a), and the intermediates `attention_over_1`
    (α) and `attention_over_0` (β), each (batch_size, num_frames, num_frames): row t
    holds the attention of frame t over the frames of modality 1 or 0.

  Raises:
    ValueError: There are not exactly two modalities, or there are no frames.

  Reference: Kim et al. 2018 (ECCV Workshops), temporal attention across modalities;
  Luong et al. 2015 (arXiv:1508.04025), section 3.1, for the "general" (bilinear) score.
  """

  def check_input(self, num_modalities: int, frames: bool) -> None:
    """Raises a ValueError unless there are frames of two modalities."""
    if num_modalities != 2 or not frames:
      found = ("the features have no frames here" if not frames else
               f"there {'is one' if num_modalities == 1 else f'are {num_modalities}'}")
      raise ValueError(
          f"Fusion 'attention' relates the frames of two modalities, but {found}: name "
          "two frame-level features (--feature_names), or choose another --fusion.")

  def build(self, input_shape: Any) -> None:
    self.check_input(len(input_shape), len(input_shape[0]) == 3)
    video, audio = input_shape[0][-1], input_shape[1][-1]
    self.audio_under_video = self.add_weight(
        name="audio_under_video", shape=(video, audio), initializer="glorot_uniform")
    self.video_under_audio = self.add_weight(
        name="video_under_audio", shape=(audio, video), initializer="glorot_uniform")

  def call(self, features: list[tf.Tensor],
           frame_mask: tf.Tensor | None = None) -> types.Outputs:
    video, audio = features
    attended_audio, alpha = _attend(video, self.audio_under_video, audio, frame_mask)
    attended_video, beta = _attend(audio, self.video_under_audio, video, frame_mask)
    x = tf.concat([video + attended_video, audio + attended_audio], axis=-1)
    return (masking.zero_padding(x, frame_mask),
            {"attention_over_1": alpha, "attention_over_0": beta})


def _attend(queries: tf.Tensor, weights: tf.Variable, keys: tf.Tensor,
            frame_mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
  """Returns `Σ_s softmax_s(q_tᵀ W k_s) k_s` over valid frames s, and the weights."""
  projected = tf.einsum("btd,de->bte", queries, tf.cast(weights, queries.dtype))
  mask = masking.is_there(queries) & masking.is_there(keys)
  if frame_mask is not None:
    mask &= frame_mask[:, tf.newaxis]
  attention = tf.cast(attention_scores.masked_softmax(
      tf.matmul(projected, keys, transpose_b=True), mask), keys.dtype)
  return tf.matmul(attention, keys), attention
