# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-inference`: writes the predictions of a trained model as a submission CSV.

    yt8m-inference --train_dir=model --input_data_pattern='test*.tfrecord' \
        --output_file=predictions.csv

Every file of records is predicted by itself and kept in <output_file>.parts until all is
written: a run that is killed goes on where it was when it is started again.

    yt8m-inference --check=predictions.csv --input_data_pattern='test*.tfrecord'
"""

import contextlib
import functools
import os
import sys
import tempfile

from absl import flags
from absl import logging

from yt8m.artifacts import model_archive
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.configs import model_flags
from yt8m.core import command
from yt8m.core import feature_spec
from yt8m.data import label_reader
from yt8m.data import reader_base
from yt8m.data import records
from yt8m.export.prediction import formats
from yt8m.export.prediction import job as prediction_job
from yt8m.export.prediction import model_source
from yt8m.export.prediction import parts as prediction_parts
from yt8m.export.prediction import runners
from yt8m.export.prediction import shards
from yt8m.export.submissions import check
from yt8m.export.submissions import segments

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
flags.DEFINE_string("output_file", "", "The file to write.")
flags.DEFINE_enum("output_format", "csv", list(formats.WRITERS),
                  "A submission CSV; arrays; or Examples.")
flags.DEFINE_bool("overwrite", False, "Replace an existing --output_file, and parts of "
                  "another run.")
flags.DEFINE_bool("segment_labels", False,
                  "Predict five-frame segments, and list the best of every class.")
flags.DEFINE_integer("segment_max_pred", 100000, "Segments kept a class.")
flags.DEFINE_string("segment_label_ids_file", "",
                    "CSV of the classes of the segment task; default: all classes.")
flags.DEFINE_integer("top_k", 20, "Classes written a video.")
flags.DEFINE_integer("batch_size", None, "Examples at a time; default: 512, at frame "
                     "level 128, for which 3 GiB are enough.", 1)
flags.DEFINE_integer("num_readers", 1, "Files read at the same time.")
flags.DEFINE_bool("skip_corrupt_records", False,
                  "Count damaged records and go on, instead of stopping.")
flags.DEFINE_enum("runner", "local", ["local", "ray"],
                  "Predict on this machine, or on Ray (pip install 'yt8m[ray]').")
flags.DEFINE_integer("num_processes", 0, "Processes, each with a model of its own; "
                     "0: this one alone, of Ray one a GPU or a machine.", 0)
flags.DEFINE_string("ray_address", "local",
                    "Of a Ray cluster; 'local' starts Ray on this machine.")
flags.DEFINE_integer("max_failed_shards", None, "Files that may be left out because they "
                     "cannot be read; default: 0, with --runner=ray any number.", 0)
flags.DEFINE_string("check", "", "Check this submission CSV, and predict nothing.")
flags.DEFINE_integer("num_classes", None, "Of --check: classes are below that; default: "
                     "those of the model, if one is given.", 1)
model_flags.define_hparams()


def main():
  if FLAGS.check:
    return _check()
  _check_flags()
  with contextlib.ExitStack() as stack:
    source = _source(stack)
    job = shards.Job(
        source, FLAGS.top_k,
        FLAGS.batch_size or (512 if source.is_video_level else 128), FLAGS.segment_labels,
        _class_ids(source.num_classes), FLAGS.skip_corrupt_records)
    job.check()
    paths = records.match_files(FLAGS.input_data_pattern, "--input_data_pattern")
    logging.info("Model of %s.", source)
    _predict(job, paths)
  if FLAGS.output_model_tgz:
    model_archive.pack(FLAGS.train_dir, FLAGS.output_model_tgz,
                       checkpoints.inference_files(FLAGS.train_dir))
    logging.info("Packed the model into %s", FLAGS.output_model_tgz)


def _predict(job, paths):
  limit = FLAGS.max_failed_shards
  if limit is None:
    limit = len(paths) if FLAGS.runner == "ray" else 0
  prediction_parts.sweep(FLAGS.output_file)
  with contextlib.ExitStack() as stack:
    writer = stack.enter_context(_writer())
    parts = prediction_parts.Parts.open(FLAGS.output_file, job, FLAGS.overwrite)
    stack.callback(parts.remove_if_empty)
    written, failed = prediction_job.run(
        functools.partial(_runner(), job, parts), paths, parts, writer, limit)
    if not written:
      parts.remove()
      raise ValueError(
          f"No example in --input_data_pattern={FLAGS.input_data_pattern}."
          + "".join(f" {error}" for error in list(failed.values())[:1]))
  letters = f"{FLAGS.output_file}.failed.json"
  prediction_job.write_dead_letters(letters, failed)
  logging.info("Wrote %d predictions to %s", written, FLAGS.output_file)
  if failed:
    logging.warning(
        "%d of %d files could not be read and are left out: see %s. Repair them and "
        "start again with --overwrite: only they will be predicted.", len(failed),
        len(paths), letters)
  else:
    parts.remove()


def _runner():
  if FLAGS.runner == "ray":
    try:
      from yt8m.export.prediction import ray_inference
    except ImportError as error:
      raise ValueError(f"--runner=ray needs Ray ({error}): pip install 'yt8m[ray]'."
                       ) from error
    return functools.partial(ray_inference.in_ray, num_processes=FLAGS.num_processes,
                             address=FLAGS.ray_address)
  if FLAGS.num_processes:
    return functools.partial(runners.in_processes, num_processes=FLAGS.num_processes)
  return functools.partial(runners.in_threads, num_threads=FLAGS.num_readers)


def _source(stack):
  """The model that is asked for."""
  if FLAGS.saved_model:
    return model_source.SavedModel(FLAGS.saved_model)
  train_dir = FLAGS.train_dir
  if FLAGS.input_model_tgz:
    train_dir = FLAGS.untar_model_dir or os.path.join(
        stack.enter_context(tempfile.TemporaryDirectory()), "model")
    model_archive.unpack(FLAGS.input_model_tgz, train_dir)
  experiment.Experiment.load(train_dir)  # first: is it a directory of ours?
  source = model_source.Checkpoint.newest(train_dir, FLAGS.hparams)
  experiment.warn_if_unfinished(train_dir, source.path)
  return source


def _class_ids(num_classes):
  if not (FLAGS.segment_labels and FLAGS.segment_label_ids_file):
    return None
  return tuple(segments.read_class_ids(
      FLAGS.segment_label_ids_file, num_classes).tolist())


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


def _writer():
  if FLAGS.segment_labels and FLAGS.output_format == "csv":
    return segments.SegmentSubmissionWriter(
        FLAGS.output_file, FLAGS.segment_max_pred, FLAGS.overwrite)
  return formats.WRITERS[FLAGS.output_format](
      FLAGS.output_file, FLAGS.overwrite)


def _check():
  """Checks a submission; the errors are told all at once."""
  num_classes = FLAGS.num_classes
  with contextlib.ExitStack() as stack:
    if num_classes is None and (
        FLAGS.train_dir or FLAGS.input_model_tgz or FLAGS.saved_model):
      num_classes = _source(stack).num_classes
  classes, ids = None if num_classes is None else range(num_classes), None
  if FLAGS.segment_label_ids_file:
    classes = set(segments.read_class_ids(
        FLAGS.segment_label_ids_file, num_classes or sys.maxsize).tolist())
  if FLAGS.input_data_pattern:
    paths = records.match_files(FLAGS.input_data_pattern, "--input_data_pattern")
    # Ids are read alike at every level, and without the features.
    reader = reader_base.Reader(feature_spec.FeatureSpec(
        ("mean_rgb",), (1024,), feature_spec.VIDEO), 1)
    ids = {video_id.decode() for video_id in label_reader.video_ids(
        reader, paths, FLAGS.skip_corrupt_records)}
  report = check.check(
      FLAGS.check, FLAGS.top_k, FLAGS.segment_max_pred, classes, ids)
  if report.num_errors:
    more = report.num_errors - len(report.errors)
    raise ValueError("\n".join([
        f"{FLAGS.check} has {report.num_errors:,} errors:", *report.errors,
        *([f"and {more:,} more"] if more else [])]))
  print(f"{FLAGS.check}: {report.lines:,} lines, {report.pairs:,} pairs, no errors")


def run():
  command.run(main)


if __name__ == "__main__":
  run()
