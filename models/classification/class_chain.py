# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Class chaining: a GRU that names the labels of a video one after another."""

import functools

import numpy as np
import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import chain_decoding
from yt8m.models.classification import classifier
from yt8m.models.layers import variables

keras = tf.keras

ORDERS = ("frequency", "random")
DECODINGS = ("greedy", "beam")
# Of the search for biases that score the prior: far more than it needs.
_ROUNDS = 20


@registries.CLASSIFIERS.register("class_chain")
@keras.utils.register_keras_serializable(package="yt8m")
class ClassChain(classifier.Classifier):
  """Emits the labels of a video one after another, each given those before it.

      v = tanh(W_v x + b_v),   h_0 = v
      h_m = GRU([E y_{m−1} ; v], h_{m−1}),   m = 1, …, M
      p_m = softmax(W h_m + b)   over the classes but y_1, …, y_{m−1}, and "stop"

  In training y are the labels of the video in a fixed or in a new random order, and
  then "stop", unless there are M labels or more, of which the first M are taken:

      training_loss = −Σ_m ln p_m,y_m
      p_c = 1 − Π_m (1 − p_m,c),   over the steps up to "stop"

  At inference, and without labels, y is the most probable next label, or one of
  several paths of a beam search; all M steps then count, each by the probability that
  the chain gets there: `chain_decoding.search`. Every step gives every class some mass,
  so that more than M labels can score above 0.

  Args:
    max_labels: M. Of the label sets of 980,029 videos of YouTube-8M 99.3 % have 9 or
      fewer.
    units: size of v and h.
    embedding: size of a label's vector, a column of E.
    order: `"frequency"`, the most frequent class first, or `"random"`. How frequent
      they are says `start_from_prior`; before it the order is that of the numbers.
    decoding: `"greedy"` or `"beam"`.
    beam_width: paths of the beam.
    seed: of the random orders.
    Others, and shapes: see `Classifier`.

  Call arguments:
    labels: (batch_size, num_classes), bool, in training.

  Returns:
    The scores; with `labels` also the intermediate `training_loss`, (batch_size,).

  Raises:
    ValueError: unknown `order` or `decoding`; `max_labels` or `beam_width` below 1.

  Reference: Read et al. 2011 (Classifier chains for multi-label classification); Nam et
  al. 2017 (Maximizing Subset Accuracy with Recurrent Neural Networks in Multi-label
  Classification), the orders; Cho et al. 2014 (arXiv:1406.1078), the decoder; Kim et
  al. 2018 (ECCV Workshops), the chain of labels on YouTube-8M.
  """

  uses_labels = True
  inference_hparams = ("decoding", "beam_width")

  def __init__(self, num_classes, max_labels=9, units=512, embedding=128,
               order="frequency", decoding="greedy", beam_width=4, seed=0,
               l2_penalty=1e-8, **kwargs):
    super().__init__(num_classes, l2_penalty, **kwargs)
    for name, value, valid in (("order", order, ORDERS),
                               ("decoding", decoding, DECODINGS)):
      if value not in valid:
        raise ValueError(f"Unknown {name} {value!r}. Valid: {', '.join(valid)} "
                         "(--hparams).")
    if max_labels < 1 or beam_width < 1:
      raise ValueError(f"max_labels is {max_labels}, beam_width is {beam_width}; both "
                       "must be at least 1 (--hparams).")
    self.max_labels, self.units, self.embedding = max_labels, units, embedding
    self.order, self.decoding, self.beam_width = order, decoding, beam_width
    self.seed = seed

  @property
  def num_steps(self):
    return min(self.max_labels, self.num_classes)

  def build(self, input_shape):
    self.input_size = input_shape[-1]
    penalty = keras.regularizers.L2(self.l2_penalty / 2)
    self.video = self.dense(self.units, self.input_size, "video")
    # The vector behind those of the classes stands for "no label yet".
    self.vectors = self.add_weight(
        name="vectors", shape=(self.num_classes + 1, self.embedding),
        initializer=keras.initializers.RandomUniform(-0.05, 0.05), regularizer=penalty)
    self.cell = keras.layers.GRUCell(
        self.units, kernel_regularizer=penalty, recurrent_regularizer=penalty,
        name="cell")
    self.cell.build((None, self.embedding + self.units))
    self.logits = self.dense(self.num_classes + 1, self.units, "logits")
    # 0: the most frequent. Integers, which no policy rounds.
    self.ranks = self.add_weight(
        name="ranks", shape=(self.num_classes,), dtype="int64", initializer="zeros",
        trainable=False)
    if self.order == "random":
      self.draws = variables.add_counter(self, "draws")
    self.built = True

  def call(self, x, labels=None):
    video = tf.tanh(self.video(x))
    if labels is not None:
      return self._teach(video, self._in_order(tf.cast(labels, tf.bool)))
    return chain_decoding.search(
        lambda before, state: self._step(before, video, state), video,
        self.num_classes, self.num_steps,
        self.beam_width if self.decoding == "beam" else 1)

  def _in_order(self, labels):
    """The labels of each video, then "stop": (batch_size, num_steps), int32."""
    if self.order == "random":
      keys = tf.random.stateless_uniform(
          tf.shape(labels), [self.seed, variables.next_stream(self.draws)])
    else:
      keys = -tf.cast(tf.convert_to_tensor(self.ranks), tf.float32)
    keys, classes = tf.math.top_k(tf.where(labels, keys, -np.inf), self.num_steps)
    return tf.where(keys > -np.inf, classes, self.num_classes)

  def _vectors_of(self, labels):
    # The factor makes the gradient dense: that of a lookup repeats rows, and clipping
    # would take their norm before they are summed.
    return tf.gather(1.0 * tf.convert_to_tensor(self.vectors), labels)

  def _advance(self, vectors, video, state):
    """h_m of n chains: each (n, …) to (n, units)."""
    return self.cell(tf.concat([vectors, video], axis=-1), [state])[0]

  def _step(self, before, video, state):
    """The same for (batch_size, n) paths, and the logits of the next label."""
    vectors = self._vectors_of(before)
    video = tf.repeat(video[:, tf.newaxis], before.shape[1], axis=1)
    h = self._advance(*(tf.reshape(x, [-1, x.shape[-1]])
                        for x in (vectors, video, state)))
    h = tf.reshape(h, [-1, *state.shape[1:]])
    return tf.cast(self.logits(h), tf.float32), h

  def _teach(self, video, targets):
    """Scores and the loss if the chain is fed with what it should have said."""
    start = tf.fill(tf.shape(targets[:, :1]), self.num_classes)
    before = tf.concat([start, targets[:, :-1]], axis=1)
    state, states = video, []
    for vectors in tf.unstack(self._vectors_of(before), axis=1):
      state = self._advance(vectors, video, state)
      states.append(state)
    # One product for all steps: most of the cost is here.
    logits = tf.cast(self.logits(tf.stack(states, axis=1)), tf.float32)
    emitted = tf.cumsum(
        tf.one_hot(targets, self.num_classes + 1), axis=1, exclusive=True)
    logits = chain_decoding.rule_out(logits, emitted)
    # "Stop" fills a row up: its second and further ones are no steps of the chain.
    reached = tf.cast(emitted[:, :, -1] == 0.0, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    loss = tf.reduce_sum(reached * losses, axis=1)
    p = reached[:, :, tf.newaxis] * tf.nn.softmax(logits)[:, :, :-1]
    scores = functools.reduce(chain_decoding.noisy_or, tf.unstack(p, axis=1))
    return scores, {"training_loss": loss}

  def start_from_prior(self, prior):
    prior = np.clip(np.asarray(prior, np.float64), 1e-7, 1.0 - 1e-3)
    self.ranks.assign(np.argsort(np.argsort(-prior, kind="stable")))
    # Steps that all said prior_c / (1 + Σ prior) would score the prior but for the
    # labels that are emitted, and then ruled out: search from there.
    biases = np.append(np.log(prior), 0.0)
    nothing = tf.zeros((1, self.input_size))
    for _ in range(_ROUNDS):
      self.logits.bias.assign(biases.astype(np.float32))
      biases[:-1] += np.log(prior / np.asarray(self(nothing)[0], np.float64))

  def get_config(self):
    return {**super().get_config(), "max_labels": self.max_labels, "units": self.units,
            "embedding": self.embedding, "order": self.order, "decoding": self.decoding,
            "beam_width": self.beam_width, "seed": self.seed}
