# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a model can learn before `fit`, in one call."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from yt8m import models
from yt8m.api import datasets
from yt8m.data import label_sets
from yt8m.data import records
from yt8m.training import feature_start
from yt8m.training import label_start

NUM_EXAMPLES = 100_000


def start_from_labels(model: models.VideoModel,
                      data: Iterable[Any] | label_sets.LabelSets,
                      num_examples: int = NUM_EXAMPLES) -> models.VideoModel:
  """Lets a model start from the labels of the training data, as `yt8m-train` does.

  The biases of the classifier become the log-odds of the class prior, so that training
  does not begin by learning that most classes are rare. Classifiers that learn from
  label sets (`conditional`, `label_embedding`, `label_powerset`) do so. If `data` is a
  dataset, `kernel` solves for its weights, in passes over all videos.

  Args:
    model: Model that was not trained yet.
    data: Dataset of `yt8m.datasets`, or of a reader; or `LabelSets`, for example of a
      file that `yt8m-label-sets` wrote.
    num_examples: Number of videos whose labels are read.

  Returns:
    The model.

  Raises:
    ValueError: There are no labels.
  """
  model.build_variables()
  sets = data if isinstance(data, label_sets.LabelSets) else _read(
      data, num_examples, model.num_classes)
  if not sets.sizes.any():
    raise ValueError("The data have no labels to start from.")
  model.start_from_prior(sets.prior())
  if model.needs_label_sets:
    label_start.start_from_label_sets(model, sets)
  if model.needs_features and not isinstance(data, label_sets.LabelSets):
    feature_start.start_from_features(
        model, lambda: datasets.labeled(data, model.num_classes))
  return model


def _read(dataset, num_examples, num_classes):
  parts, count = [np.zeros((0, num_classes), bool)], 0
  with records.clear_errors():
    for batch in datasets.labeled(dataset, num_classes):
      parts.append(np.asarray(batch["labels"])[:num_examples - count] > 0.5)
      count += len(parts[-1])
      if count >= num_examples:
        break
  return label_sets.LabelSets.from_matrix(np.concatenate(parts))
