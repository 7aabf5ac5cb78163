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

  def __init__(self, num_classes, head, l2_penalty=1e-8, **kwargs):
    super().__init__(num_classes, l2_penalty, **kwargs)
    self.head_config = registries.resolve(
        registries.CLASSIFIERS,
        {"l2_penalty": l2_penalty, **registries.normalise_config(head)})
    self.head = registries.build_option(
        registries.CLASSIFIERS, self.head_config, num_classes=num_classes)

  def start_from_prior(self, prior):
    self.head.start_from_prior(prior)

  def get_config(self):
    return {**super().get_config(), "head": self.head_config}
