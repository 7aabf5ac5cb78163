# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How many records files hold, without reading them: for forecasts of time left."""

import tensorflow as tf

_SAMPLED = 64
_FRAMING_BYTES = 16  # length, and the checksums of length and data


def estimate_record_count(files):
  """Estimates the records of `files` from their bytes and the size of the first ones.

  Exact where all records have the same size; None where no record can be read, which
  is for the reader to report.
  """
  total = sum(tf.io.gfile.stat(path).length for path in files)
  for path in files:
    records = tf.data.TFRecordDataset(path).take(_SAMPLED).ignore_errors()
    sizes = [len(record) + _FRAMING_BYTES for record in records.as_numpy_iterator()]
    if sizes:
      return round(total * len(sizes) / sum(sizes))
  return None
