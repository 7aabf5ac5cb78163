# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-inference`: writes the predictions of a trained model as a submission CSV.

    yt8m-inference --train_dir=model --input_data_pattern='test*.tfrecord' \
        --output_file=predictions.csv

The predictions of every record file are kept in <output_file>.parts until the output is
written. If a run is killed, start it again: it continues where it stopped.

    yt8m-inference --check=predictions.csv --input_data_pattern='test*.tfrecord'
"""

import contextlib
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import flags
from absl import logging

from yt8m.artifacts import model_archive
from yt8m.artifacts.thresholds import Thresholds
from yt8m.configs import data_flag
from yt8m.configs import experiment
from yt8m.core import checksum
from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import feature_spec
from yt8m.core import finished
from yt8m.core import locks
from yt8m.core import paths
from yt8m.core import video_ids
from yt8m.core.vocabulary import Vocabulary
from yt8m.data import dataset
from yt8m.data import label_reader
from yt8m.data import video_reader
from yt8m.eval.metrics import streaming
from yt8m.export.prediction import checkpoint
from yt8m.export.prediction import decided
from yt8m.export.prediction import engine
from yt8m.export.prediction import formats
from yt8m.export.prediction import jobs
from yt8m.export.prediction import named_formats
from yt8m.export.prediction import parts as prediction_parts
from yt8m.export.prediction import repeated_videos
from yt8m.export.prediction import runners
from yt8m.export.prediction import source_flags
from yt8m.export.submissions import check
from yt8m.export.submissions import segments
from yt8m.export.submissions import videos

FLAGS = flags.FLAGS

paths.define("output_model_tgz", "", "Archive to pack the trained model into.")
data_flag.define({"input_data_pattern": dataset.TEST}, chosen="input_data_pattern")
paths.define_pattern("input_data_pattern", "",
                     "Record files to predict: globs, separated by commas.")
paths.define("output_file", "", "File to write.")
flags.DEFINE_enum("output_format", "csv", [*formats.WRITERS, *named_formats.WRITERS],
                  "Format of the output: a submission CSV, arrays, or Examples. With the "
                  "names of the classes: json, one object a line, csv_named, a CSV, or "
                  "decisions, the names that reach their thresholds.")
paths.define("vocabulary", None, "CSV with the names of the classes, as for yt8m-train, "
             "for --output_format=json and csv_named. Default: that of the model.")
paths.define("thresholds", None, "File of yt8m-eval --choose_thresholds: only classes "
             "that reach their thresholds are written, for some videos none.",
             must_exist="name a file of yt8m-eval --choose_thresholds")
flags.DEFINE_bool("decide", False, "Do so with the thresholds that the --saved_model "
                  "keeps.")
flags.DEFINE_bool("overwrite", False, "Replace an existing --output_file, and parts of "
                  "another run.")
flags.DEFINE_bool("segment_labels", False, "Predict five-frame segments, and list the "
                  "best segments of every class.")
flags.DEFINE_integer("segment_max_pred", 100000, "Number of segments kept of a class.",
                     lower_bound=1)
paths.define("segment_label_ids_file", "", "CSV of the classes of the segment "
             "task. Default: all classes.")
flags.DEFINE_integer("top_k", None, "Number of classes written for a video. Default: 20, "
                     "or all classes if they are fewer; with thresholds, the number "
                     "among which they decide.", lower_bound=1)
flags.DEFINE_integer("batch_size", None, "Number of examples predicted at a time. "
                     "Default: 512; at frame level 128, which takes less than 3 GiB.", 1)
flags.DEFINE_integer("num_readers", 1, "Number of record files read at the same time.",
                     lower_bound=1)
flags.DEFINE_bool("skip_corrupt_records", False,
                  "Count damaged records and continue, instead of stopping.")
flags.DEFINE_bool("strict", False, "Stop, and write no output, if the records have a "
                  "video more than once. Default: a warning.")
flags.DEFINE_bool("skip_bad_records", False, "Count records that can be read but not "
                  "used, such as those of wrong types or with NaN, and go on without "
                  "each of them. --skip_corrupt_records is for damaged files instead.")
runners.define_flags()
flags.DEFINE_integer("max_failed_shards", None, "Number of record files that may be left "
                     "out because they cannot be read. Default: 0, or any number with "
                     "--runner=ray.", 0)
paths.define("check", "", "Submission CSV to check. Nothing is predicted.",
             must_exist="name the CSV to check")
flags.DEFINE_integer("num_classes", None, "Number of classes that --check allows. "
                     "Default: that of the model, if one is given. For predictions it "
                     "must be that of the model.", 1)
source_flags.define(unless=("check",))
command_line.require("output_file", "name the file to write", unless=("check",))
command_line.require(
    "input_data_pattern", "name the records to predict", unless=("check", "data"))


def main() -> None:
  if FLAGS.check:
    return _check()
  data_flag.apply()
  _check_flags()
  with contextlib.ExitStack() as stack:
    source, class_ids = source_flags.chosen(stack), None
    if FLAGS.segment_labels and FLAGS.segment_label_ids_file:
      class_ids = segments.read_class_ids(
          FLAGS.segment_label_ids_file, source.num_classes)
    limits = decided.chosen(
        source, FLAGS.thresholds, FLAGS.decide, FLAGS.output_format, FLAGS.segment_labels)
    top_k = (limits.top_k if limits and FLAGS.top_k is None
             else streaming.chosen_top_k(FLAGS.top_k, source.num_classes))
    job = jobs.Job(
        source, top_k,
        FLAGS.batch_size or (512 if source.spec.is_video_level else 128),
        FLAGS.segment_labels, class_ids, FLAGS.skip_corrupt_records,
        FLAGS.skip_bad_records)
    job.reducer()  # Checks --top_k before a model is loaded.
    names = _names(source)
    record_files = paths.match(FLAGS.input_data_pattern, "--input_data_pattern")
    reader = source.reader()
    reader.check_features(record_files, "--input_data_pattern")
    logging.info("Model of %s.", source)
    _predict(job, record_files, names, limits)
  if FLAGS.output_model_tgz and isinstance(source, checkpoint.Checkpoint):
    model_archive.pack(FLAGS.train_dir, FLAGS.output_model_tgz,
                       source.inference_files())
    logging.info("Packed the model into %s", FLAGS.output_model_tgz)
  return None


def _predict(job: jobs.Job, record_files: Sequence[str], names: Vocabulary | None,
             limits: Thresholds | None) -> None:
  output, letters = FLAGS.output_file, f"{FLAGS.output_file}.failed.json"
  contents = {
      **job.settings(), "model": job.source.fingerprint, "format": FLAGS.output_format,
      "strict": FLAGS.strict,
      "segment_max_pred": FLAGS.segment_max_pred if FLAGS.segment_labels else None,
      "records": [(file, checksum.of_ends(file)) for file in record_files],
      **({"vocabulary": names.digest} if names else {}),
      **({"thresholds": limits.digest} if limits else {})}
  engine.check_dead_letters(letters)
  with locks.hold_output(output, "predicts"):
    if not finished.check(output, contents, FLAGS.overwrite):
      _write_predictions(job, record_files, contents, letters, names, limits)
    if tf.io.gfile.exists(letters):
      logging.warning(
          "Files that could not be read are left out: see %s. Repair them and start "
          "again with --overwrite: only they will be predicted.", letters)
    else:
      prediction_parts.remove(output)


def _write_predictions(job: jobs.Job, record_files: Sequence[str],
                       contents: Mapping[str, Any], letters: str,
                       names: Vocabulary | None, limits: Thresholds | None) -> None:
  """Writes the predictions, and the list of the files that were left out."""
  max_failed = FLAGS.max_failed_shards
  if max_failed is None:
    max_failed = len(record_files) if FLAGS.runner == "ray" else 0
  num_written, videos_written = 0, repeated_videos.RepeatedVideos(job.segments)
  with contextlib.ExitStack() as stack:
    writer = stack.enter_context(_writer(contents, names))
    if limits:
      writer = decided.DecidedOutput(writer, limits)
    parts = prediction_parts.Parts.open(FLAGS.output_file, job, FLAGS.overwrite)
    stack.callback(parts.remove_if_empty)

    def write(record_file: str) -> None:
      nonlocal num_written
      part = parts.read(record_file)
      writer.write(part["ids"], part["classes"], part["scores"])
      num_written += len(part["ids"])
      videos_written.add(record_file, part["ids"])

    failed = engine.run(
        parts, runners.chosen(FLAGS.num_readers), record_files, write, max_failed)
    if not num_written:
      parts.remove()
      raise ValueError(
          f"No example in --input_data_pattern={FLAGS.input_data_pattern}: name other "
          "records."
          + "".join(f" {error}" for error in list(failed.values())[:1]))
    repeated = videos_written.describe(lambda file: parts.read(file)["ids"])
    if repeated and FLAGS.strict:
      raise ValueError(f"{repeated} Leave out one of the files, or drop --strict to "
                       "write each of them as often.")
    if repeated:
      logging.warning("%s Each is in the output as often. Leave out one of the files; "
                      "with --strict this is an error.", repeated)
    # Before the output is there: a finished output must not lack its list.
    engine.write_dead_letters(letters, failed)
  logging.info("Wrote %d predictions to %s", num_written, FLAGS.output_file)
  if failed:
    logging.warning("%d of %d files could not be read and are left out.", len(failed),
                    len(record_files))


def _check_flags() -> None:
  source_flags.check()
  if FLAGS.output_model_tgz and not FLAGS.train_dir:
    raise ValueError("--output_model_tgz packs --train_dir: leave it out, or name the "
                     "model with --train_dir alone.")
  if FLAGS.output_model_tgz:
    model_archive.check_replaceable(FLAGS.output_model_tgz)
    experiment.TRAIN_DIR.refuse_links(FLAGS.train_dir)


def _names(source: jobs.Source) -> Vocabulary | None:
  """Returns the names of the classes if the output has them."""
  if FLAGS.output_format not in named_formats.WRITERS:
    if FLAGS.vocabulary:
      raise ValueError(
          f"--vocabulary={FLAGS.vocabulary} has no effect on --output_format="
          f"{FLAGS.output_format}: choose {' or '.join(named_formats.WRITERS)}.")
    return None
  names = (Vocabulary.load(FLAGS.vocabulary, source.num_classes) if FLAGS.vocabulary
           else source.vocabulary)
  if not names:
    raise ValueError(f"{source} has no names of the classes, which --output_format="
                     f"{FLAGS.output_format} writes: give them with --vocabulary.")
  return names


def _writer(contents: Mapping[str, Any], names: Vocabulary | None
            ) -> videos.AtomicOutput:
  if FLAGS.segment_labels and FLAGS.output_format == "csv":
    return segments.SegmentSubmissionWriter(
        FLAGS.output_file, FLAGS.segment_max_pred, FLAGS.overwrite, contents)
  if names:
    return named_formats.WRITERS[FLAGS.output_format](
        FLAGS.output_file, FLAGS.overwrite, contents, names=names)
  return formats.WRITERS[FLAGS.output_format](
      FLAGS.output_file, FLAGS.overwrite, contents)


def _check() -> None:
  """Checks a submission, and reports its errors all at once."""
  num_classes = FLAGS.num_classes
  with contextlib.ExitStack() as stack:
    if num_classes is None and source_flags.given():
      num_classes = source_flags.chosen(stack, compare=False).num_classes
  classes = None if num_classes is None else range(num_classes)
  if FLAGS.segment_label_ids_file:
    classes = set(segments.read_class_ids(
        FLAGS.segment_label_ids_file, num_classes or sys.maxsize))
  ids = None
  if FLAGS.input_data_pattern:
    record_files = paths.match(FLAGS.input_data_pattern, "--input_data_pattern")
    # The features are not read, and ids are the same at every level.
    reader = video_reader.VideoLevelReader(feature_spec.FeatureSpec(
        ("mean_rgb",), (1024,), feature_spec.VIDEO), 1)
    ids = set(map(video_ids.as_text, label_reader.video_ids(
        reader, record_files, FLAGS.skip_corrupt_records, FLAGS.skip_bad_records)))
  top_k = streaming.TOP_K if FLAGS.top_k is None else FLAGS.top_k
  report = check.check(FLAGS.check, top_k, FLAGS.segment_max_pred, classes, ids)
  if report.num_errors:
    more = report.num_errors - len(report.errors)
    raise ValueError("\n".join([
        f"{FLAGS.check} has {report.num_errors:,} errors:", *report.errors,
        *([f"and {more:,} more"] if more else [])]))
  print(f"{FLAGS.check}: {report.lines:,} lines, {report.pairs:,} pairs, no errors")


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
