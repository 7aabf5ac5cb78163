# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A classifier around another classifier."""

from yt8m.models import registries
from yt8m.models.classification import classifier


class Wrapper(classifier.Classifier):
  """Base of the classifiers that change what goes into or comes out of a head.

  Args:
    num_classes: C.
    head: the classifier within, a name or `{"name": …, **hparams}`.
    l2_penalty: the head's, unless its config has one.
  """

  changes_scores = False  # whether what comes out is not what the head said

  def __init__(self, num_classes, head, l2_penalty=1e-8, **kwargs):
    super().__init__(num_classes, l2_penalty, **kwargs)
    self.head_config = registries.resolve(
        registries.CLASSIFIERS,
        {"l2_penalty": l2_penalty, **registries.normalise_config(head)})
    self.head = registries.build_option(
        registries.CLASSIFIERS, self.head_config, num_classes=num_classes)

  @property
  def uses_labels(self):
    return self.head.uses_labels

  @property
  def needs_label_sets(self):
    return self.head.needs_label_sets

  def score(self, x, labels=None):
    """Scores of the head, and its intermediates."""
    arguments = {"labels": labels} if self.head.uses_labels else {}
    scores, intermediates = registries.split_intermediates(self.head(x, **arguments))
    if self.changes_scores and "training_loss" in intermediates:
      # The head's own loss sees nothing of the change: the label loss comes in addition.
      intermediates = dict(intermediates)
      intermediates["training_loss_head"] = intermediates.pop("training_loss")
    return scores, intermediates

  def start_from_prior(self, prior):
    self.head.start_from_prior(prior)

  def start_from_label_sets(self, label_sets):
    self.head.start_from_label_sets(label_sets)

  def get_config(self):
    return {**super().get_config(), "head": self.head_config}
