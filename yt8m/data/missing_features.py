# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Features that a video lacks, such as the audio of a silent one: they are zeros."""

from collections.abc import Sequence

import tensorflow as tf

from yt8m.core import video_ids
from yt8m.data import diagnosis
from yt8m.data import records

_FILES, _RECORDS = 8, 64  # that `check` looks at


def check(files: Sequence[str], expected: diagnosis.Expected,
          explain: diagnosis.Explain, flag: str) -> None:
  """Checks that records have the features, not only others: a name may be wrong.

  A video may lack a feature, but not all videos.

  Args:
    files: Paths of the records, of which the first few are looked at.
    expected: Features of the records.
    explain: Function that explains why a record cannot be used. If the first one cannot,
      reading will say so.
    flag: Name of the pattern in errors.

  Raises:
    ValueError: None of the records has one of the features, but they have others.
  """
  found, first, fault = set(), "", None
  try:
    for serialized, index, number in records.read(
        files[:_FILES]).take(_RECORDS).as_numpy_iterator():
      found |= diagnosis.feature_names(serialized)
      if not first:
        first = f"{files[index]}, record {number}"
        fault = diagnosis.examine(serialized, explain)
      if found >= expected.sizes.keys():
        return
  except (tf.errors.OpError, OSError):
    return  # Reading will say more.
  missing = [name for name in expected.sizes if name not in found]
  if found - expected.sizes.keys() and not fault:
    remedy = ("Name records that have it, or another model." if expected.of_model else
              "Name these with --feature_names, or other records.")
    raise ValueError(
        f"{first} has no feature {missing[0]}, and nor has any of the first records of "
        f"{flag}, only {', '.join(sorted(found))} {expected.by('--feature_names')}. "
        f"{remedy}")


def report(incidents: records.Incidents, features: Sequence[str], names: tf.Tensor,
           ids: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
  """Reports which features are missing in which rows of a batch.

  Args:
    incidents: `Incidents` in which they are counted.
    features: Names of the features.
    names: Names of the records, (batch_size,) string; a row without one is no record.
    ids: Ids of the videos, (batch_size,) string.
    present: Whether a video has a feature, (batch_size, num_features) bool.

  Returns:
    A tensor on which the batch must depend.
  """
  def add(names, ids, present):
    for name, video_id, row in zip(names, ids, present, strict=True):
      missing = [feature for feature, there in zip(features, row, strict=True)
                 if not there]
      if not (name and missing):
        continue
      what = f"{name.decode(errors='replace')} (id {video_ids.as_text(video_id)}) has"
      if len(missing) == len(features):
        incidents.add("videos without any feature", f"{what} none of the features "
                      f"{', '.join(missing)}: it counts as zeros.")
      else:
        incidents.add("videos with a missing feature", f"{what} no "
                      f"{' and no '.join(missing)}, which counts as zeros.")
    return True

  return tf.cond(
      tf.reduce_all(present | tf.equal(names, "")[:, tf.newaxis]), lambda: True,
      lambda: tf.numpy_function(add, [names, ids, present], tf.bool, stateful=False))
