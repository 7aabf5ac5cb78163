# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Video-level records to batches of float vectors."""

import tensorflow as tf

from yt8m.data import diagnosis
from yt8m.data import parsing
from yt8m.data import reader_base


class VideoLevelReader(reader_base.Reader):
  """Reads `Example`s with one float vector for each feature, e.g. `mean_rgb`."""
  SHUFFLE_BUFFER = 16384

  def parse_batch(self, serialized):
    names = parsing.row_names(serialized)
    return self._parse(serialized, parsing.stop(
        names, f"an id, labels below {self.num_classes}, and the float features "
        f"{self.sizes}."), names)

  def _record_bytes(self):
    return 4 * self.spec.total_size

  def _batches(self, dataset, map_named, batch_size, drop_remainder, skip_examples):
    def parse(serialized, names):
      return self._parse(serialized, parsing.stop_explaining(
          serialized, names, lambda record: diagnosis.explain_video(
              record, self.sizes, self.num_classes)), names)

    return map_named(dataset.skip(skip_examples).batch(batch_size, drop_remainder), parse)

  def _parse(self, serialized, check, names=None):
    columns = {name: tf.io.RaggedFeature(tf.float32) for name in self.sizes}
    context, _, _ = tf.io.parse_sequence_example(
        serialized, parsing.ID_FEATURES | parsing.LABEL_FEATURES | columns,
        example_names=names)
    ids = parsing.video_ids(context)
    good = tf.not_equal(ids, "") & parsing.valid_labels(
        context["labels"], self.num_classes)
    for name, size in self.sizes.items():
      good &= tf.equal(context[name].row_lengths(), size)
    with tf.control_dependencies([check(good)]):
      return {
          "id": tf.identity(ids),
          "features": {
              name: tf.reshape(context[name].values, [tf.size(ids), size])
              for name, size in self.sizes.items()},
          "num_frames": tf.ones_like(ids, tf.int32),
          "labels": tf.ensure_shape(
              parsing.label_matrix(context["labels"], self.num_classes),
              [serialized.shape[0], self.num_classes])}
