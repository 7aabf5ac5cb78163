# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-inference`: writes the predictions of a trained model as a submission CSV.

    yt8m-inference --train_dir=model --input_data_pattern='test*.tfrecord' \
        --output_file=predictions.csv
"""

import contextlib
import os
import tempfile

from absl import flags
from absl import logging

from yt8m import command
from yt8m import experiment
from yt8m import model_flags
from yt8m import progress
from yt8m import readers
from yt8m import record_count
from yt8m import records
from yt8m import served
from yt8m.export import model_archive
from yt8m.export import predictions
from yt8m.export import segment_submission
from yt8m.export import submission
from yt8m.models import prediction

FLAGS = flags.FLAGS

flags.DEFINE_string("train_dir", "", "Directory that yt8m-train wrote.")
flags.DEFINE_string(
    "input_model_tgz", "", "Model archive to use in place of --train_dir.")
flags.DEFINE_string("saved_model", "", "SavedModel of yt8m-export, of one model or of an "
                    "ensemble, to use in place of --train_dir.")
flags.DEFINE_string("untar_model_dir", "",
                    "Where to unpack it; default: a temporary directory.")
flags.DEFINE_string("output_model_tgz", "",
                    "Also pack the model, as trained, into this archive.")
flags.DEFINE_string(
    "input_data_pattern", "", "Records to predict: globs, separated by commas.")
flags.DEFINE_string("output_file", "", "The CSV to write.")
flags.DEFINE_bool("overwrite", False, "Replace an existing --output_file.")
flags.DEFINE_bool("segment_labels", False,
                  "Predict five-frame segments, and list the best of every class.")
flags.DEFINE_integer("segment_max_pred", 100000, "Segments kept a class.")
flags.DEFINE_string("segment_label_ids_file", "",
                    "CSV of the classes of the segment task; default: all classes.")
flags.DEFINE_integer("top_k", 20, "Classes written a video.")
flags.DEFINE_integer("batch_size", 512, "Examples at a time.")
flags.DEFINE_integer("num_readers", 1, "Files read at the same time.")
flags.DEFINE_bool("skip_corrupt_records", False,
                  "Count damaged records and go on, instead of stopping.")
model_flags.define_hparams()


def main():
  _check_flags()
  with contextlib.ExitStack() as stack:
    predict, reader = _saved_model() if FLAGS.saved_model else _model(stack)
    files = records.match_files(FLAGS.input_data_pattern, "--input_data_pattern")
    dataset = reader.dataset(
        FLAGS.input_data_pattern, FLAGS.batch_size, num_readers=FLAGS.num_readers,
        skip_corrupt_records=FLAGS.skip_corrupt_records)
    report = progress.Periodic(
        10.0, progress.Progress(record_count.estimate_record_count(files), "videos"))

    if FLAGS.segment_labels:
      batches = predictions.of_segments(predict, dataset, FLAGS.batch_size)
    else:
      batches = predictions.of_videos(predict, dataset)
    writer = stack.enter_context(_writer(reader.num_classes))
    stack.enter_context(records.clear_errors())
    written = videos = 0
    for ids, scores, num_videos in batches:
      writer.write(ids, scores)
      written += len(ids)
      videos += num_videos
      for line in report(videos):
        logging.info("%d videos | %s", videos, line)
    if not written:
      raise ValueError(f"No example in --input_data_pattern={FLAGS.input_data_pattern}.")
  logging.info("Wrote %d predictions to %s", written, FLAGS.output_file)
  if FLAGS.output_model_tgz:
    model_archive.pack(FLAGS.train_dir, FLAGS.output_model_tgz,
                       experiment.inference_files(FLAGS.train_dir))
    logging.info("Packed the model into %s", FLAGS.output_model_tgz)


def _model(stack):
  """Scores of a checkpoint, and the reader of its records."""
  train_dir = FLAGS.train_dir
  if FLAGS.input_model_tgz:
    train_dir = FLAGS.untar_model_dir or os.path.join(
        stack.enter_context(tempfile.TemporaryDirectory()), "model")
    model_archive.unpack(FLAGS.input_model_tgz, train_dir)
  trained, model, step = experiment.load(train_dir, hparams=FLAGS.hparams)
  logging.info("Model of %s at step %d.", train_dir, step)
  return prediction.prediction_function(model), readers.make_reader(
      trained.feature_spec.with_segment_labels(False), trained.num_classes,
      trained.max_frames)


def _saved_model():
  """The same of a SavedModel."""
  return (served.load_predictor(FLAGS.saved_model),
          served.Served.load(FLAGS.saved_model).reader())


def _check_flags():
  given = FLAGS.train_dir, FLAGS.input_model_tgz, FLAGS.saved_model
  if len(list(filter(None, given))) != 1:
    raise ValueError("Give one of --train_dir, --input_model_tgz and --saved_model.")
  if FLAGS.saved_model and FLAGS.hparams:
    raise ValueError("--hparams of a --saved_model are chosen when it is exported "
                     "(yt8m-export --hparams).")
  if FLAGS.output_model_tgz and not FLAGS.train_dir:
    raise ValueError("--output_model_tgz packs --train_dir: give one.")
  if not FLAGS.output_file:
    raise ValueError("--output_file is missing: name the CSV to write.")


def _writer(num_classes):
  if not FLAGS.segment_labels:
    return submission.SubmissionWriter(FLAGS.output_file, FLAGS.top_k, FLAGS.overwrite)
  class_ids = None
  if FLAGS.segment_label_ids_file:
    class_ids = segment_submission.read_class_ids(
        FLAGS.segment_label_ids_file, num_classes)
  return segment_submission.SegmentSubmissionWriter(
      FLAGS.output_file, class_ids, FLAGS.top_k, FLAGS.segment_max_pred,
      FLAGS.overwrite)


def run():
  command.run(main)


if __name__ == "__main__":
  run()
