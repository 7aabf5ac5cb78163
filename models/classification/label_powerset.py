# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Label powerset: one class for each frequent set of labels, marginals out."""

import numpy as np
import tensorflow as tf

from yt8m.models import registries
from yt8m.models.classification import classifier

keras = tf.keras

OBJECTIVES = ("labels", "sets")

# In a row of `sets`: what follows the last class, and what fills a row without a set.
_END, _NO_SET = -1, -2
# The logit of a row without a set: e to this power is 0.
_NEVER = -1e9


@registries.CLASSIFIERS.register("label_powerset")
@keras.utils.register_keras_serializable(package="yt8m")
class LabelPowerset(classifier.Classifier):
  """Scores whole label sets against one another, and each class by the sets it is in.

      P(s | x) = softmax_s(w_sᵀ x + b_s),   s one of the S most frequent label sets
      p_c = Σ_{s ∋ c} P(s | x)

  With the objective `"labels"` the label loss of p trains it, as any other head: a video
  whose label set y is none of the S teaches what it can. With `"sets"` it is the
  likelihood of y, as in the literature. If y is none of the S sets, those at the
  smallest Jaccard distance from it share its place:

      d(s, y) = 1 − |s ∩ y| / |s ∪ y|
      q_s = [d(s, y) = min_r d(r, y)] / (how many there are)
      training_loss = −Σ_s q_s ln P(s | x),   0 if y shares no label with any set

  What it cannot do: a class in none of the S sets scores 0, and two labels that are
  together in none of them cannot both score above ½. Of the label sets of 980,029 videos
  of YouTube-8M the most frequent 1,000 cover 54 %, 5,000 cover 70 % (2,229 classes),
  20,000 cover 82 % (3,708 classes).

  The sets come from `start_from_label_sets` and are a weight, which checkpoints and
  SavedModels hold. Before, they are ∅, {0}, {1}, …: one label a video, or none.

  Args:
    num_sets: S. If there are fewer sets, the rest of the softmax is left out.
    max_labels: of a set; larger ones are no candidates.
    objective: `"labels"` or `"sets"`.
    Others, and shapes: see `Classifier`.

  Call arguments:
    labels: (batch_size, num_classes), bool, in training with the objective `"sets"`;
      None to return no loss.

  Returns:
    The scores; the intermediates `set_probabilities`, (batch_size, num_sets), and with
    `labels` also `training_loss`, (batch_size,).

  Raises:
    ValueError: unknown `objective`, or no room for sets or labels.

  Reference: Tsoumakas & Katakis 2007 (Multi-Label Classification: An Overview), PT3;
  Read et al. 2008 (Multi-label Classification Using Ensembles of Pruned Sets): the most
  frequent sets, and what becomes of the others.
  """

  needs_label_sets = True

  def __init__(self, num_classes, num_sets=5000, max_labels=10, objective="labels",
               l2_penalty=1e-8, **kwargs):
    super().__init__(num_classes, l2_penalty, **kwargs)
    if num_sets < 2 or max_labels < 1:
      raise ValueError(f"num_sets is {num_sets} and must be at least 2, max_labels is "
                       f"{max_labels} and must be at least 1 (--hparams).")
    if objective not in OBJECTIVES:
      raise ValueError(f"Unknown objective {objective!r}. Valid: "
                       f"{', '.join(OBJECTIVES)} (--hparams).")
    self.num_sets, self.max_labels, self.objective = num_sets, max_labels, objective

  @property
  def uses_labels(self):
    return self.objective == "sets"

  def build(self, input_shape):
    self.logits = self.dense(self.num_sets, input_shape[-1], "logits")
    # int64: TensorFlow keeps int32 variables off GPUs, where XLA does not find them.
    self.sets = self.add_weight(
        name="sets", shape=(self.num_sets, self.max_labels), dtype="int64",
        initializer=lambda *_, **__: tf.constant(self._first_sets()), trainable=False)
    self.built = True

  def _first_sets(self):
    sets = np.full((self.num_sets, self.max_labels), _NO_SET, np.int64)
    known = min(self.num_sets, 1 + self.num_classes)
    sets[:known] = _END
    sets[1:known, 0] = np.arange(known - 1)
    return sets

  def call(self, x, labels=None):
    sets = tf.convert_to_tensor(self.sets)
    logits = tf.cast(self.logits(x), tf.float32)
    logits = tf.where(sets[:, 0] != _NO_SET, logits, _NEVER)
    probabilities = tf.nn.softmax(logits)
    intermediates = {"set_probabilities": probabilities}
    if labels is not None:
      intermediates["training_loss"] = _training_loss(sets, logits, labels)
    return _marginals(sets, probabilities, self.num_classes), intermediates

  def start_from_prior(self, prior):
    # For the sets ∅, {0}, {1}, …; `start_from_label_sets` knows better.
    prior = np.asarray(prior, np.float64)
    shares = np.concatenate([[1 - prior.sum()], prior])[:self.num_sets]
    biases = np.zeros(self.num_sets)
    biases[:len(shares)] = np.log(np.maximum(shares, 1e-7))
    self.logits.bias.assign(biases.astype(np.float32))

  def start_from_label_sets(self, label_sets):
    """Takes the most frequent sets, and their log frequencies as the biases.

    Raises:
      ValueError: there is no set of at most `max_labels`.
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

  def get_config(self):
    return {**super().get_config(), "num_sets": self.num_sets,
            "max_labels": self.max_labels, "objective": self.objective}


# Both sums run over the few places of a set, each time for all videos: neither the
# (sets, classes) matrix nor the labels of every set for every video are ever made.


def _marginals(sets, probabilities, num_classes):
  """`Σ_{s ∋ c} P(s)`: (batch_size, num_sets) to (batch_size, num_classes)."""
  by_set = tf.transpose(probabilities)
  by_class = tf.add_n([
      # Negative numbers are no class: the sum leaves them out.
      tf.math.unsorted_segment_sum(by_set, classes, num_classes)
      for classes in tf.unstack(sets, axis=1)])
  return tf.minimum(tf.transpose(by_class), 1.0)  # but for rounding it never exceeds 1


def _training_loss(sets, logits, labels):
  """`−Σ_s q_s ln P(s)`, (batch_size,), see `LabelPowerset`."""
  distances = _jaccard_distances(sets, tf.cast(labels, tf.float32))
  smallest = tf.reduce_min(distances, axis=1, keepdims=True)
  nearest = tf.cast(distances < smallest + 1e-4, tf.float32)
  targets = nearest / tf.reduce_sum(nearest, axis=1, keepdims=True)
  loss = tf.nn.softmax_cross_entropy_with_logits(targets, logits)
  return tf.where(smallest[:, 0] < 1.0, loss, 0.0)


def _jaccard_distances(sets, labels):
  """`1 − |s ∩ y| / |s ∪ y|`, (batch_size, num_sets); 0 of ∅ from ∅, 2 of no set."""
  num_classes = labels.shape[1]
  # One more class, which no video has, at the places behind a set.
  by_class = tf.pad(tf.transpose(labels), [[0, 1], [0, 0]])
  common = tf.transpose(tf.add_n([
      tf.gather(by_class, tf.where(classes >= 0, classes, num_classes))
      for classes in tf.unstack(sets, axis=1)]))
  sizes = tf.reduce_sum(tf.cast(sets >= 0, tf.float32), axis=1)
  union = sizes + tf.reduce_sum(labels, axis=1, keepdims=True) - common
  distances = (union - common) / tf.maximum(union, 1.0)
  return tf.where(sets[:, 0] != _NO_SET, distances, 2.0)
