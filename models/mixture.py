# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Several branches trained as one model, each also learning from their mixture."""

import tensorflow as tf

from yt8m.models.layers import batch_norm
from yt8m.models.layers import log_odds
from yt8m.models.layers import masking

keras = tf.keras


@keras.utils.register_keras_serializable(package="yt8m")
class Mixture(keras.layers.Layer):
  """Mixes the log-odds of several branches by weights that depend on the video.

      w = softmax(W BN(x̄) + b)                       x̄: mean frame of all modalities
      z_n = logit(p_n),   z = Σ_n w_n z_n,   p = σ(z)
      penalty = λ Σ_n KL(softmax(z / τ) ‖ softmax(z_n / τ)), mean over the batch

  The penalty, of training only, distils the mixture into every branch.

  Args:
    branches: list of `Branch` layers.
    temperature: τ.
    distillation: λ.
    batch_norm_decay: of the moving averages.

  Call arguments:
    modalities: list of (batch_size, num_frames, dim_m), or (batch_size, dim_m).
    frame_mask: (batch_size, num_frames), bool; None at video level.
    labels: (batch_size, num_classes), bool, in training; for classifiers that use them.

  Returns:
    Scores (batch_size, num_classes); the intermediates `mixture_weights`,
    (batch_size, branches), `branch_predictions`, (batch_size, branches,
    num_classes), and those of the branches, with the number of the branch at the end.

  Reference: Lin et al. 2018 (arXiv:1811.05014), section 3.4; `MixNeXtVladModel` of the
  authors' code, where x̄ also counted padded frames.
  """

  def __init__(self, branches, temperature=3.0, distillation=9.0,
               batch_norm_decay=0.999, **kwargs):
    super().__init__(autocast=False, **kwargs)
    self.branches = branches
    self.temperature, self.distillation = temperature, distillation
    self.batch_norm_decay = batch_norm_decay

  def build(self, modalities_shape, *other_shapes):
    dim = sum(shape[-1] for shape in modalities_shape)
    self.norm = batch_norm.BatchNorm(decay=self.batch_norm_decay, name="norm")
    self.norm.build((None, dim))
    # float32 like the scores that it weighs.
    self.weigh = keras.layers.Dense(
        len(self.branches), dtype="float32", name="weigh",
        kernel_initializer=keras.initializers.VarianceScaling(scale=2.0))
    self.weigh.build((None, dim))
    self.built = True

  def call(self, modalities, frame_mask=None, labels=None, training=False):
    x = tf.concat([tf.cast(m, tf.float32) for m in modalities], axis=-1)
    if len(x.shape) == 3:
      x = masking.masked_mean(x, frame_mask)
    weights = tf.nn.softmax(self.weigh(self.norm(x, training=training)))
    predictions, intermediates = [], {}
    for number, branch in enumerate(self.branches):
      p, more = branch(modalities, frame_mask=frame_mask, labels=labels)
      predictions.append(p)
      intermediates.update({f"{key}_{number}": v for key, v in more.items()})
    predictions = tf.stack(predictions, axis=1)
    branch_logits = log_odds.logit(predictions)
    logits = tf.reduce_sum(weights[..., tf.newaxis] * branch_logits, axis=1)
    if training:
      self.add_loss(self._penalty(logits[:, tf.newaxis], branch_logits))
    return tf.sigmoid(logits), {
        "mixture_weights": weights, "branch_predictions": predictions, **intermediates}

  def _penalty(self, logits, branch_logits):
    mixture = tf.nn.log_softmax(logits / self.temperature)
    branch = tf.nn.log_softmax(branch_logits / self.temperature)
    divergence = tf.reduce_sum(tf.exp(mixture) * (mixture - branch), axis=[1, 2])
    # Replicas' penalties are averaged later, and their shares of the batch differ.
    share = batch_norm.sum_over_replicas(
        [tf.cast(tf.size(divergence), tf.float32), tf.ones([])])
    return self.distillation * tf.reduce_sum(divergence) * share[1] / tf.maximum(
        share[0], 1.0)

  def start_from_prior(self, prior):
    """Sets biases so that an uninformative input scores the class prior."""
    for branch in self.branches:
      branch.start_from_prior(prior)

  def start_from_label_sets(self, label_sets):
    """Hands the classifiers `LabelSets`: what labels alone can teach."""
    for branch in self.branches:
      branch.start_from_label_sets(label_sets)

  def get_config(self):
    return {**super().get_config(),
            "branches": [keras.utils.serialize_keras_object(b) for b in self.branches],
            "temperature": self.temperature, "distillation": self.distillation,
            "batch_norm_decay": self.batch_norm_decay}

  @classmethod
  def from_config(cls, config):
    branches = [keras.utils.deserialize_keras_object(b) for b in config["branches"]]
    return cls(**{**config, "branches": branches})
