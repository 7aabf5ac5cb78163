# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Video-level records to batches of float vectors."""

import tensorflow as tf

from yt8m.data import bad_records
from yt8m.data import diagnosis
from yt8m.data import local_records
from yt8m.data import missing_features
from yt8m.data import parsing
from yt8m.data import reader_base
from yt8m.data import vector_decoder


class VideoLevelReader(reader_base.Reader):
  """Reads `Example`s with one float vector for each feature, e.g. `mean_rgb`.

  A feature that a video lacks is zeros. A warning names the record, and `incidents`
  counts them.

  Args:
    spec: Names, sizes and types of the features.
    num_classes: Number of classes, C.
    of_model: Whether both are those of a trained model, for the advice in errors.
  """
  SHUFFLE_BUFFER = 16384
  EXPECTED = ("an id, labels below {num_classes}, and at least one of the float "
              "features of the video {sizes}, all finite.")
  EXPLAIN = diagnosis.explain_video

  def _batches(self, dataset, map_named, batch_size, drop_remainder, skip_examples,
               skip_bad_records):
    if isinstance(dataset, local_records.LocalRecords) and not skip_bad_records:
      return self._decoded_batches(dataset, batch_size, drop_remainder)
    if not skip_bad_records:
      return map_named(dataset.batch(batch_size, drop_remainder),
                       lambda *batch: self._parse_and_report(*batch)[0])
    batches = map_named(dataset.batch(batch_size), self._parse_and_report)
    return bad_records.drop_first(
        batches.map(bad_records.keep_rows), skip_examples).rebatch(
            batch_size, drop_remainder)

  def _decoded_batches(self, dataset, batch_size, drop_remainder):
    # Records that stand beside each other are read together, before they are in batches.
    # A multiple of the batch size, so that most batches are parts of one array.
    num_records = min(dataset.window_records, self.SHUFFLE_BUFFER)
    num_records = batch_size * max(1, num_records // batch_size)
    decoder = vector_decoder.VectorDecoder(self.spec, num_records)
    read_strings = dataset.strings_reader()

    def read(records):
      rest, present, *vectors = dataset.read(decoder.read, decoder.types, records)
      size = records.shape[0]
      return records, tf.ensure_shape(rest, [size]), tf.ensure_shape(
          present, [size, len(self.sizes)]), {
              name: tf.ensure_shape(x, [size, self.sizes[name]])
              for name, x in zip(self.sizes, vectors, strict=True)}

    def use(batch, rest, present, vectors):
      names = dataset.names(batch)

      def decoded(ids, labels):
        return self._report({"id": ids, "features": vectors,
                             "num_frames": tf.ones_like(ids, tf.int32),
                             "labels": labels}, present, names)
      return self._examples(
          batch, rest, names, decoded,
          lambda: self._parse_and_report(read_strings(batch), names)[0])

    found = dataset.map(dataset.batch(num_records), read, num_parallel_calls=1)
    return dataset.map(found.rebatch(batch_size, drop_remainder), use)

  def _parse_and_report(self, serialized, names):
    """Returns the examples, and which of them have a name."""
    examples, present = self._parse_explaining(serialized, names)
    return self._report(examples, present, names), tf.not_equal(names, "")

  def _report(self, examples, present, names):
    """Returns the examples, and reports which features they lack."""
    with tf.control_dependencies([
        missing_features.report(
            self.incidents, self.spec.names, names, examples["id"], present)]):
      return tf.nest.map_structure(tf.identity, examples)

  def _parse(self, serialized, names, check):
    """Returns the examples, and which features they have."""
    columns = {name: tf.io.RaggedFeature(tf.float32) for name in self.sizes}
    context, _, _ = tf.io.parse_sequence_example(
        serialized, parsing.ID_FEATURES | parsing.LABEL_FEATURES | columns,
        example_names=names)
    good = self._valid(context, "labels")
    features, present = {}, []
    for name, size in self.sizes.items():
      lengths = context[name].row_lengths()
      present.append(lengths > 0)
      features[name] = tf.cast(_dense(context[name], lengths, size), self.dtypes[name])
      good &= (tf.equal(lengths, size) | tf.equal(lengths, 0)) & tf.reduce_all(
          tf.math.is_finite(features[name]), axis=1)
    present = tf.stack(present, axis=1)
    ids = parsing.video_ids(context)
    with tf.control_dependencies([check(good, ~tf.reduce_any(present, axis=1))]):
      return {
          "id": tf.identity(ids),
          "features": tf.nest.map_structure(tf.identity, features),
          "num_frames": tf.ones_like(ids, tf.int32),
          "labels": tf.ensure_shape(
              parsing.label_matrix(context["labels"], self.num_classes),
              [serialized.shape[0], self.num_classes])}, present


def _dense(column: tf.RaggedTensor, lengths: tf.Tensor, size: int) -> tf.Tensor:
  """Returns a feature as (batch_size, size): in one piece, unless one is missing."""
  return tf.ensure_shape(tf.cond(
      tf.reduce_all(tf.equal(lengths, size)),
      lambda: tf.reshape(column.values, [tf.size(lengths), size]),
      lambda: column.to_tensor(shape=[None, size])), [lengths.shape[0], size])
