# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a training needs whose targets are not 0 or 1."""

from yt8m import models
from yt8m.models import losses


def check(loss: losses.LabelLoss, model: models.VideoModel, flag: str) -> None:
  """Checks that a model can learn from soft labels.

  Args:
    loss: Loss of `yt8m.models.losses`.
    model: Model to train.
    flag: Flag that makes the labels soft, for the errors.

  Raises:
    ValueError: It cannot; the error names the remedy.
  """
  if not getattr(loss, "soft_labels", False):
    raise ValueError(f"--label_loss: {type(loss).__name__} takes no soft labels, as "
                     f"{flag} gives: choose CrossEntropyLoss.")
  if any(getattr(classifier, "uses_labels", False)
         for classifier in model.classifiers):
    raise ValueError(f"--classifier: {type(model.classifier).__name__} is shown the "
                     f"labels in training, and cannot read the soft ones of {flag}: "
                     "choose another.")
