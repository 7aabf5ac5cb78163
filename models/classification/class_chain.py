# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Class chaining: a GRU that emits the labels of a video one after another."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import registry
from yt8m.core import types
from yt8m.models import registries
from yt8m.models.classification import chain_decoding
from yt8m.models.classification import classifier
from yt8m.models.layers import variables

keras = tf.keras

ORDERS = ("frequency", "random")
DECODINGS = ("greedy", "beam")
# Rounds of the search for biases that score the prior. It needs far fewer.
_ROUNDS = 20


@registries.CLASSIFIERS.register("class_chain")
class ClassChain(classifier.Classifier):
  """Emits the labels of a video one after another, each given those before it.

      v = tanh(W_v x + b_v),   h_0 = v
      h_m = GRU([E y_{m−1} ; v], h_{m−1}),   m = 1, …, M
      p_m = softmax(W h_m + b)   over the classes except y_1, …, y_{m−1}, and "stop"

  In training, y are the labels of the video in a fixed order, or in a new random order
  at every step, followed by "stop". A video with M labels or more contributes the first
  M of them, without "stop":

      training_loss = −Σ_m ln p_m,y_m
      p_c = 1 − Π_m (1 − p_m,c),   over the steps up to "stop"

  At inference, and without labels, y is the most probable next label, or one of several
  paths of a beam search. All M steps then count, each weighted by the probability that
  the chain reaches it (`chain_decoding.search`). Every step gives every class some
  probability, so more than M labels can score above 0.

  Args:
    num_classes: Number of classes, C.
    max_labels: Largest number of steps, M. Of 980,029 label sets of YouTube-8M, 99.3 %
      have 9 labels or fewer.
    units: Size of v and h.
    embedding: Size of the vector of a label, a column of E.
    order: Order of the labels in training: "frequency", the most frequent class first,
      or "random". `start_from_prior` sets the frequencies; before it, classes are in
      the order of their numbers.
    decoding: Search at inference, "greedy" or "beam".
    beam_width: Number of paths of the beam.
    seed: Seed of the random orders.
    l2_penalty: Factor of the L2 penalty, see `Classifier`, as for the shapes.

  Call arguments:
    labels: (batch_size, num_classes), bool, in training.

  Returns:
    The scores; if `labels` are given, also the intermediate `training_loss`,
    (batch_size,).

  Raises:
    ValueError: `order` or `decoding` is unknown, or `max_labels` or `beam_width` is less
      than 1.

  Reference: Read et al. 2011 (Classifier chains for multi-label classification); Nam et
  al. 2017 (Maximizing Subset Accuracy with Recurrent Neural Networks in Multi-label
  Classification), the orders; Cho et al. 2014 (arXiv:1406.1078), the decoder; Kim et
  al. 2018 (ECCV Workshops), the chain of labels on YouTube-8M.
  """

  uses_labels = True
  inference_hparams = ("decoding", "beam_width")

  def __init__(self, num_classes: int, max_labels: int = 9, units: int = 512,
               embedding: int = 128, *, order: str = "frequency",
               decoding: str = "greedy", beam_width: int = 4, seed: int = 0,
               l2_penalty: float = 1e-8, **kwargs: Any):
    super().__init__(num_classes, l2_penalty, **kwargs)
    for name, value, valid in (("order", order, ORDERS),
                               ("decoding", decoding, DECODINGS)):
      if value not in valid:
        raise registry.unknown(name, value, valid, "Set it with --hparams.")
    if max_labels < 1 or beam_width < 1:
      raise ValueError(f"max_labels is {max_labels}, beam_width is {beam_width}; both "
                       "must be at least 1 (--hparams).")
    self.max_labels, self.units, self.embedding = max_labels, units, embedding
    self.order, self.decoding, self.beam_width = order, decoding, beam_width
    self.seed = seed

  @property
  def num_steps(self) -> int:
    """Number of steps, M, at most one for each class."""
    return min(self.max_labels, self.num_classes)

  def build(self, input_shape: Any) -> None:
    self.input_size = input_shape[-1]
    penalty = classifier.L2Penalty(self.l2_penalty)
    self.video = self.dense(self.units, self.input_size, "video")
    # The last vector, after those of the classes, stands for "no label yet".
    self.vectors = self.add_weight(
        name="vectors", shape=(self.num_classes + 1, self.embedding),
        initializer=keras.initializers.RandomUniform(-0.05, 0.05), regularizer=penalty)
    self.cell = keras.layers.GRUCell(
        self.units, kernel_regularizer=penalty, recurrent_regularizer=penalty,
        name="cell")
    self.cell.build((None, self.embedding + self.units))
    self.logits = self.dense(self.num_classes + 1, self.units, "logits")
    # Rank 0 is the most frequent class. Ranks are integers, which no policy rounds.
    self.ranks = self.add_weight(
        name="ranks", shape=(self.num_classes,), dtype="int64", initializer="zeros",
        trainable=False)
    if self.order == "random":
      self.draws = variables.add_counter(self, "draws")

  def call(self, x: tf.Tensor, labels: tf.Tensor | None = None) -> Any:
    video = tf.tanh(self.video(x))
    if labels is not None:
      return self._teach(video, self._in_order(tf.cast(labels, tf.bool)))
    return chain_decoding.search(
        lambda previous, state: self._step(previous, video, state), video,
        self.num_classes, self.num_steps,
        self.beam_width if self.decoding == "beam" else 1)

  def _in_order(self, labels: tf.Tensor) -> tf.Tensor:
    """Returns the labels of each video, then "stop": (batch_size, num_steps), int32."""
    if self.order == "random":
      keys = tf.random.stateless_uniform(
          tf.shape(labels), tf.stack([self.seed, variables.next_stream(self.draws)]))
    else:
      keys = -tf.cast(tf.convert_to_tensor(self.ranks), tf.float32)
    keys, classes = tf.math.top_k(tf.where(labels, keys, -np.inf), self.num_steps)
    return tf.where(keys > -np.inf, classes, self.num_classes)

  def _vectors_of(self, labels: tf.Tensor) -> tf.Tensor:
    # The factor makes the gradient dense. The gradient of a lookup repeats rows, and
    # clipping would compute its norm before those are summed.
    return tf.gather(1.0 * tf.convert_to_tensor(self.vectors), labels)

  def _advance(self, vectors: tf.Tensor, video: tf.Tensor, state: tf.Tensor) -> Any:
    """Returns h_m of n chains, from (n, …) each to (n, units)."""
    return self.cell(tf.concat([vectors, video], axis=-1), [state])[0]

  def _step(self, previous: tf.Tensor, video: tf.Tensor, state: tf.Tensor
            ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the logits of the next label and h_m, for (batch_size, n) paths."""
    vectors = self._vectors_of(previous)
    video = tf.repeat(video[:, tf.newaxis], previous.shape[1], axis=1)
    h = self._advance(*(tf.reshape(x, [-1, x.shape[-1]])
                        for x in (vectors, video, state)))
    h = tf.reshape(h, [-1, *state.shape[1:]])
    return tf.cast(self.logits(h), tf.float32), h

  def _teach(self, video: tf.Tensor, targets: tf.Tensor) -> types.Outputs:
    """Returns the scores and the loss of a chain that is given the true labels."""
    start = tf.fill(tf.shape(targets[:, :1]), self.num_classes)
    previous = tf.concat([start, targets[:, :-1]], axis=1)
    state, states = video, []
    for vectors in tf.unstack(self._vectors_of(previous), axis=1):
      state = self._advance(vectors, video, state)
      states.append(state)
    # One product for all steps, because most of the cost is here.
    logits = tf.cast(self.logits(tf.stack(states, axis=1)), tf.float32)
    emitted = tf.cumsum(
        tf.one_hot(targets, self.num_classes + 1), axis=1, exclusive=True)
    logits = chain_decoding.rule_out(logits, emitted)
    # "Stop" fills the rest of a row. The chain ends with the first one.
    reached = tf.cast(emitted[:, :, -1] == 0.0, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    loss = tf.reduce_sum(reached * losses, axis=1)
    p = reached[:, :, tf.newaxis] * tf.nn.softmax(logits)[:, :, :-1]
    scores = functools.reduce(chain_decoding.noisy_or, tf.unstack(p, axis=1))
    return scores, {"training_loss": loss}

  def start_from_prior(self, prior: np.ndarray) -> None:
    prior = np.clip(np.asarray(prior, np.float64), 1e-7, 1.0 - 1e-3)
    self.ranks.assign(np.argsort(np.argsort(-prior, kind="stable")))
    # If every step gave class c the probability prior_c / (1 + Σ prior), the scores
    # would be the prior, except that emitted labels are ruled out in later steps. The
    # search starts there.
    biases = np.append(np.log(prior), 0.0)
    nothing = tf.zeros((1, self.input_size))
    for _ in range(_ROUNDS):
      self.logits.bias.assign(biases.astype(np.float32))
      biases[:-1] += np.log(prior / np.asarray(self(nothing)[0], np.float64))
