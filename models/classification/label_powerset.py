# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Label powerset: one class for each frequent label set, and marginals over the sets."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import registry
from yt8m.core import types
from yt8m.models import registries
from yt8m.models.classification import classifier

OBJECTIVES = ("labels", "sets")

# Entries of `sets` that are not classes: padding after the last class of a set, and
# padding of the rows without a set.
_END, _NO_SET = -1, -2
# Logit of a row without a set; its probability is 0.
_NEVER = -1e9


@registries.CLASSIFIERS.register("label_powerset")
class LabelPowerset(classifier.Classifier):
  """Scores whole label sets against one another, and each class by the sets it is in.

      P(s | x) = softmax_s(w_sᵀ x + b_s),   s one of the S most frequent label sets
      p_c = Σ_{s ∋ c} P(s | x)

  With the objective "labels", the label loss of p trains the classifier, as it trains any
  other. A video whose label set y is not among the S sets then contributes as well. With
  the objective "sets", the loss is the negative log-likelihood of y, as in the
  literature. If y is not among the S sets, the sets with the smallest Jaccard distance
  from it share its place:

      d(s, y) = 1 − |s ∩ y| / |s ∪ y|
      q_s = [d(s, y) = min_r d(r, y)] / (number of such sets)
      training_loss = −Σ_s q_s ln P(s | x),   0 if y shares no label with any set

  The classifier has two limits: a class in none of the S sets scores 0, and two labels
  that no set has together cannot both score above ½. Of 980,029 label sets of
  YouTube-8M, the 1,000 most frequent ones cover 54 %, 5,000 cover 70 % (2,229 classes),
  and 20,000 cover 82 % (3,708 classes).

  `start_from_label_sets` sets the label sets. They are a weight, so checkpoints and
  SavedModels hold them. Before, they are ∅, {0}, {1}, …: one label for each video, or
  none.

  Args:
    num_classes: Number of classes, C.
    num_sets: Number of label sets, S. If there are fewer, the rest of the softmax is
      unused.
    max_labels: Largest number of labels in a set; larger sets are left out.
    objective: Training objective, "labels" or "sets".
    l2_penalty: Factor of the L2 penalty, see `Classifier`, as for the shapes.

  Call arguments:
    labels: (batch_size, num_classes), bool, in training with the objective "sets"; None
      to return no loss.

  Returns:
    The scores; the intermediates `set_probabilities`, (batch_size, num_sets), and, if
    `labels` are given, `training_loss`, (batch_size,).

  Raises:
    ValueError: `objective` is unknown, or `num_sets` or `max_labels` is too small.

  Reference: Tsoumakas & Katakis 2007 (Multi-Label Classification: An Overview), PT3;
  Read et al. 2008 (Multi-label Classification Using Ensembles of Pruned Sets), which
  keeps the most frequent sets and replaces the others.
  """

  needs_label_sets = True

  def __init__(self, num_classes: int, num_sets: int = 5000, max_labels: int = 10,
               objective: str = "labels", l2_penalty: float = 1e-8, **kwargs: Any):
    super().__init__(num_classes, l2_penalty, **kwargs)
    if num_sets < 2 or max_labels < 1:
      raise ValueError(f"num_sets is {num_sets} and must be at least 2, max_labels is "
                       f"{max_labels} and must be at least 1 (--hparams).")
    if objective not in OBJECTIVES:
      raise registry.unknown(
          "objective", objective, OBJECTIVES, "Set it with --hparams.")
    self.num_sets, self.max_labels, self.objective = num_sets, max_labels, objective
    self.uses_labels = objective == "sets"

  def build(self, input_shape: Any) -> None:
    self.logits = self.dense(self.num_sets, input_shape[-1], "logits")
    # int64, because TensorFlow places int32 variables on the CPU, where XLA on a GPU
    # does not find them.
    self.sets = self.add_weight(
        name="sets", shape=(self.num_sets, self.max_labels), dtype="int64",
        initializer=lambda *_, **__: tf.constant(self._first_sets()), trainable=False)

  def _first_sets(self) -> np.ndarray:
    sets = np.full((self.num_sets, self.max_labels), _NO_SET, np.int64)
    known = min(self.num_sets, 1 + self.num_classes)
    sets[:known] = _END
    sets[1:known, 0] = np.arange(known - 1)
    return sets

  def call(self, x: tf.Tensor, labels: tf.Tensor | None = None) -> types.Outputs:
    sets = tf.convert_to_tensor(self.sets)
    logits = tf.cast(self.logits(x), tf.float32)
    logits = tf.where(sets[:, 0] != _NO_SET, logits, _NEVER)
    probabilities = tf.nn.softmax(logits)
    intermediates = {"set_probabilities": probabilities}
    if labels is not None:
      intermediates["training_loss"] = _training_loss(sets, logits, labels)
    return _marginals(sets, probabilities, self.num_classes), intermediates

  def start_from_prior(self, prior: np.ndarray) -> None:
    # These biases fit the sets ∅, {0}, {1}, …. `start_from_label_sets` replaces both.
    prior = np.asarray(prior, np.float64)
    shares = np.concatenate([[1 - prior.sum()], prior])[:self.num_sets]
    biases = np.zeros(self.num_sets)
    biases[:len(shares)] = np.log(np.maximum(shares, 1e-7))
    self.logits.bias.assign(biases.astype(np.float32))

  def lacks_label_sets(self) -> bool:
    return np.array_equal(tf.convert_to_tensor(self.sets), self._first_sets())

  def start_from_label_sets(self, label_sets: Any, pretrain: Callable) -> None:
    """Stores the most frequent sets, and their log frequencies as the biases.

    Raises:
      ValueError: No set has at most `max_labels` labels.
    """
    frequent, counts = label_sets.most_frequent(self.num_sets, self.max_labels)
    if not len(frequent):
      raise ValueError(
          f"None of {len(label_sets)} label sets has at most max_labels="
          f"{self.max_labels} labels (--hparams).")
    sets = np.full((self.num_sets, self.max_labels), _NO_SET, np.int64)
    sets[:len(frequent)] = frequent.padded(self.max_labels, _END)
    self.sets.assign(sets)
    biases = np.zeros(self.num_sets, np.float32)
    biases[:len(counts)] = np.log(counts / len(label_sets))
    self.logits.bias.assign(biases)


# The sums of the next functions run over the few columns of `sets`, each for all videos.
# Neither a matrix (sets, classes) nor the labels of every set for every video is built.


def _marginals(sets: tf.Tensor, probabilities: tf.Tensor, num_classes: int) -> tf.Tensor:
  """Returns `Σ_{s ∋ c} P(s)`: (batch_size, num_sets) -> (batch_size, num_classes)."""
  by_set = tf.transpose(probabilities)
  by_class = tf.add_n([
      # The sum leaves out the entries that are not classes: they are negative.
      tf.math.unsorted_segment_sum(by_set, classes, num_classes)
      for classes in tf.unstack(sets, axis=1)])
  return tf.minimum(tf.transpose(by_class), 1.0)  # Rounding may exceed 1.


def _training_loss(sets: tf.Tensor, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
  """Returns `−Σ_s q_s ln P(s)`, (batch_size,), see `LabelPowerset`."""
  distances = _jaccard_distances(sets, tf.cast(labels, tf.float32))
  smallest = tf.reduce_min(distances, axis=1, keepdims=True)
  nearest = tf.cast(distances < smallest + 1e-4, tf.float32)
  targets = nearest / tf.reduce_sum(nearest, axis=1, keepdims=True)
  loss = tf.nn.softmax_cross_entropy_with_logits(targets, logits)
  return tf.where(smallest[:, 0] < 1.0, loss, 0.0)


def _jaccard_distances(sets: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
  """Returns `1 − |s ∩ y| / |s ∪ y|`, (batch_size, num_sets).

  The distance is 0 between two empty sets, and 2 for rows without a set.
  """
  num_classes = labels.shape[1]
  # Padding entries refer to an additional class, which no video has.
  by_class = tf.pad(tf.transpose(labels), [[0, 1], [0, 0]])
  common = tf.transpose(tf.add_n([
      tf.gather(by_class, tf.where(classes >= 0, classes, num_classes))
      for classes in tf.unstack(sets, axis=1)]))
  sizes = tf.reduce_sum(tf.cast(sets >= 0, tf.float32), axis=1)
  union = sizes + tf.reduce_sum(labels, axis=1, keepdims=True) - common
  distances = (union - common) / tf.maximum(union, 1.0)
  return tf.where(sets[:, 0] != _NO_SET, distances, 2.0)
