# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Fusion by temporal attention across two modalities."""

import tensorflow as tf

from yt8m.models import registries
from yt8m.models.layers import masking

keras = tf.keras


@registries.FUSIONS.register("attention")
@keras.utils.register_keras_serializable(package="yt8m")
class CrossModalAttention(keras.layers.Layer):
  """Adds to each frame what its modality shows at the times the other one points to.

      α_ts = softmax_s(v_tᵀ W₁ a_s),   ã_t = Σ_s α_ts a_s
      β_ts = softmax_s(a_tᵀ W₂ v_s),   ṽ_t = Σ_s β_ts v_s
      x_t  = [v_t + ṽ_t ; a_t + ã_t]

  A video frame attends over the audio frames and an audio frame over the video
  frames. W₁ is (dim_v, dim_a), W₂ is (dim_a, dim_v).

  Call arguments:
    features: `[v, a]`, (batch_size, num_frames, dim_v) and (batch_size, num_frames,
      dim_a).
    frame_mask: (batch_size, num_frames), bool. Padded frames are not attended.

  Returns:
    (batch_size, num_frames, dim_v + dim_a), and the intermediates `attention_over_1`
    (α) and `attention_over_0` (β), each (batch_size, num_frames, num_frames): row t
    says where frame t looks in modality 1 or 0.

  Raises:
    ValueError: not exactly two modalities, or no frames.

  Reference: Kim et al. 2018 (ECCV Workshops), temporal attention across modalities;
  Luong et al. 2015 (arXiv:1508.04025), section 3.1, for the "general" (bilinear) score.
  """

  def build(self, input_shape):
    if len(input_shape) != 2 or len(input_shape[0]) != 3:
      raise ValueError(
          f"Fusion 'attention' relates the frames of two modalities; the features have "
          f"shapes {[tuple(shape) for shape in input_shape]}. Name two frame-level "
          "features (--feature_names), or choose another --fusion.")
    video, audio = input_shape[0][-1], input_shape[1][-1]
    self.audio_under_video = self.add_weight(
        name="audio_under_video", shape=(video, audio), initializer="glorot_uniform")
    self.video_under_audio = self.add_weight(
        name="video_under_audio", shape=(audio, video), initializer="glorot_uniform")
    self.built = True

  def call(self, features, frame_mask=None):
    video, audio = features
    attended_audio, alpha = _attend(video, self.audio_under_video, audio, frame_mask)
    attended_video, beta = _attend(audio, self.video_under_audio, video, frame_mask)
    x = tf.concat([video + attended_video, audio + attended_audio], axis=-1)
    return (masking.zero_padding(x, frame_mask),
            {"attention_over_1": alpha, "attention_over_0": beta})


def _attend(queries, weights, keys, frame_mask):
  """`Σ_s softmax_s(q_tᵀ W k_s) k_s` over valid frames s, and the weights of the sum."""
  projected = tf.einsum("btd,de->bte", queries, tf.cast(weights, queries.dtype))
  scores = tf.cast(tf.matmul(projected, keys, transpose_b=True), tf.float32)
  if frame_mask is not None:
    scores = tf.where(frame_mask[:, tf.newaxis, :], scores, scores.dtype.min)
  attention = tf.cast(tf.nn.softmax(scores), keys.dtype)
  return tf.matmul(attention, keys), attention
