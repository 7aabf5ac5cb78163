# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Video-level records to batches of float vectors."""

import tensorflow as tf

from yt8m.data import diagnosis
from yt8m.data import parsing
from yt8m.data import reader_base


class VideoLevelReader(reader_base.Reader):
  """Reads `Example`s with one float vector for each feature, e.g. `mean_rgb`.

  Args:
    spec: Names and sizes of the features.
    num_classes: Number of classes, C.
  """
  SHUFFLE_BUFFER = 16384
  EXPECTED = ("an id, labels below {num_classes}, and the float features "
              "{sizes}.")
  EXPLAIN = diagnosis.explain_video

  def _batches(self, dataset, map_named, batch_size, drop_remainder, skip_examples):
    return map_named(
        dataset.skip(skip_examples).batch(batch_size, drop_remainder),
        lambda serialized, names: self._parse_explaining(serialized, names)[0])

  def _parse(self, serialized, names, check):
    columns = {name: tf.io.RaggedFeature(tf.float32) for name in self.sizes}
    context, _, _ = tf.io.parse_sequence_example(
        serialized, parsing.ID_FEATURES | parsing.LABEL_FEATURES | columns,
        example_names=names)
    good = self._valid(context, "labels")
    for name, size in self.sizes.items():
      good &= tf.equal(context[name].row_lengths(), size)
    ids = parsing.video_ids(context)
    with tf.control_dependencies([check(good)]):
      return {
          "id": tf.identity(ids),
          "features": {
              name: tf.reshape(context[name].values, [tf.size(ids), size])
              for name, size in self.sizes.items()},
          "num_frames": tf.ones_like(ids, tf.int32),
          "labels": tf.ensure_shape(
              parsing.label_matrix(context["labels"], self.num_classes),
              [serialized.shape[0], self.num_classes])}, None
