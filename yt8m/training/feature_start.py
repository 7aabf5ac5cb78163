# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What classifiers solve for in closed form, before the model is trained."""

from collections.abc import Callable
from collections.abc import Iterable

from yt8m.core import progress
from yt8m.core import types
from yt8m.models import video_model


def start_from_features(model: video_model.VideoModel,
                        batches: Callable[[], Iterable[types.Batch]]) -> None:
  """Lets the classifiers of a built model solve for their weights, see `Classifier`.

  Every worker of a strategy reads all videos, and finds the same weights.

  Args:
    model: Model whose variables exist.
    batches: Function that starts a pass over the training videos.
  """
  def reported():
    done = 0
    with progress.Periodic(10.0, unit="examples") as report:
      for batch in batches():
        yield batch
        done += len(batch["labels"])
        report(done, f"Collecting features: {done:,} examples", examples=done)

  model.start_from_features(reported)
