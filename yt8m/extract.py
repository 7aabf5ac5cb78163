# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-extract`: turns a list of media files into records to train on.

    yt8m-extract --videos=videos.csv --output_dir=data
    yt8m-train --data=data --train_dir=model

The CSV has a header and a line for each clip. The column path is needed; labels are names
that are separated by semicolons; id, start, end (seconds) and split (train, validate or
test) are optional:

    path,labels
    clips/one.mp4,cat;indoors
    clips/two.mp4,dog

Files that give no features are left out, listed in failures.csv with the reason, and
counted. The same command goes on where it was stopped. It needs pip install
'yt8m[media]'.
"""

import os
import sys
from collections.abc import Mapping
from collections.abc import Sequence

from absl import flags
from absl import logging

from yt8m.configs import model_flags
from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import directories
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.core import locks
from yt8m.core import numerics
from yt8m.core import paths
from yt8m.core import plots
from yt8m.core import progress
from yt8m.core import vocabulary
from yt8m.data import dataset
from yt8m.extracting import clips as clip_lists
from yt8m.extracting import decoding_flags
from yt8m.extracting import features
from yt8m.extracting import job as jobs
from yt8m.extracting import ranges
from yt8m.extracting import report
from yt8m.extracting import splits
from yt8m.extractors import base
from yt8m.extractors import making
from yt8m.extractors import model_file
from yt8m.media import opening

FLAGS = flags.FLAGS

paths.define("videos", None, "CSV of the media files; required.",
             must_exist="name a CSV with the column path")
paths.define("output_dir", None, "Directory of the records; required.")
flags.DEFINE_string(
    "extractor", making.DEFAULT, "Name of the extractor, or several, separated by "
    f"commas: {', '.join(cls.name for cls in making.BUILT_IN)}. Also the path of a "
    "SavedModel or of a .keras or .tflite file, or your own class as "
    "my_module:MyExtractor.")
flags.DEFINE_enum("input_range", "0,1", list(model_file.RANGES),
                  "What the pixels become for a model file.")
flags.DEFINE_bool("quantize", False, "Store features in 8 bits, half of float16, scaled "
                  "from the range that they have in some of the clips for training.")
paths.define("ranges_from", None, "Directory of yt8m-extract --quantize whose ranges are "
             "taken instead of new ones, so that models of its records read these too.",
             must_exist="name a directory that yt8m-extract wrote")
flags.DEFINE_float("fps", features.Sampling.fps, "Frames a second.", 0.001, 1000.0)
flags.DEFINE_integer("max_frames", features.Sampling.max_frames,
                     "Largest number of frames of a video.", lower_bound=1)
flags.DEFINE_list("split", ["80", "10", "10"], "Shares of train, validate and test, in "
                  "percent. Every label has these shares, and the clips of a file stay "
                  "together.")
flags.DEFINE_integer("seed", 0, "Seed of the splits and of the order of the records.",
                     lower_bound=0)
paths.define("vocabulary", None, "CSV with the names of the classes. Default: the names "
             "of all labels, sorted.", must_exist="name a CSV of class names")
flags.DEFINE_integer("videos_per_shard", 100, "Clips of a record file.", lower_bound=1)
flags.DEFINE_bool("keep_damaged", False, "Use what can be decoded of damaged files, "
                  "instead of leaving them out.")
flags.DEFINE_bool("retry_failed", False, "Extract record files with failures again.")
flags.DEFINE_bool("overwrite", False, "Replace an extraction with other settings.")
decoding_flags.define("is left out")
command_line.require("videos", "name the CSV of the media files")
command_line.require("output_dir", "name the directory of the records")

_PROGRESS_SECS = 10.0


@model_flags.typed_code_allowed("extractor")
def main() -> None:
  opening.load_av()
  shares = _shares()
  clips = clip_lists.read(FLAGS.videos)
  names = _names(clips)
  output_dir = directories.checked_path(FLAGS.output_dir, "--output_dir")
  if files.is_remote(output_dir):
    raise ValueError(f"--output_dir={output_dir} is remote: name a directory of this "
                     "machine, and copy it afterwards.")
  extractor = making.make_extractor(FLAGS.extractor, FLAGS.weights_dir, FLAGS.input_range)
  sampling = features.Sampling(
      FLAGS.fps, FLAGS.max_frames, FLAGS.missing, FLAGS.keep_damaged)
  divided = splits.divide(clips, shares, FLAGS.seed)
  is_quantized = FLAGS.quantize or bool(FLAGS.ranges_from)
  settings = {"split": shares, "seed": FLAGS.seed}

  def make_job(begun: dict[str, numerics.Range] | None) -> jobs.Job:
    extractor.quantize({})  # Ranges are learned from floats.
    if is_quantized:
      extractor.quantize(_ranges(extractor, divided, sampling, begun))
    return jobs.Job(divided, extractor, sampling, names, output_dir,
                    FLAGS.videos_per_shard,
                    {**settings, "quantize": True} if is_quantized else settings)

  with locks.hold_output(output_dir, "extracts", is_directory=True):
    jobs.refuse_foreign(output_dir)
    job = make_job(jobs.ranges_begun(output_dir))
    # The same command goes on where it was stopped, also one with --overwrite.
    if FLAGS.overwrite and job.differing():
      job = make_job(None)
      directories.discard(output_dir, jobs.OUTPUT, "--output_dir")
    job.prepare()
    spec = extractor.spec(FLAGS.fps)
    logging.info("Extractor: %s, %s. %d clips in %d files of records.", extractor,
                 ", ".join(f"{name} {size} {dtype}" for name, size, dtype in zip(
                     spec.names, spec.sizes, spec.dtypes, strict=True)),
                 job.num_clips, len(job.shards))
    _run(job)
    _report(job, extractor.identity(FLAGS.fps), shares)


def _ranges(extractor: base.Extractor, divided: Mapping[str, Sequence[clip_lists.Clip]],
            sampling: features.Sampling, begun: dict[str, numerics.Range] | None
            ) -> Mapping[str, numerics.Range]:
  """Returns the ranges of --ranges_from, of an extraction that was begun, or new ones."""
  if all(dtype == feature_spec.UINT8 for dtype in extractor.spec().dtypes):
    raise ValueError(f"--quantize has nothing to do: the features of {extractor.name} "
                     "have 8 bits already. Leave it out.")
  if FLAGS.ranges_from:
    earlier = dataset.Dataset.load(FLAGS.ranges_from).spec
    if earlier.extractor != extractor.identity(FLAGS.fps) or not earlier.ranges:
      raise ValueError(
          f"--ranges_from={FLAGS.ranges_from} has features of {earlier.extractor}, "
          f"stored as {', '.join(earlier.dtypes)}: name an extraction by "
          f"{extractor.identity(FLAGS.fps)} with --quantize.")
    return earlier.ranges
  if begun is not None:
    return begun
  count = min(len(divided[dataset.TRAIN]), ranges.NUM_CLIPS)
  with (decoding_flags.start(count) as decoders,
        progress.Periodic(_PROGRESS_SECS, count, "videos") as periodic):
    found = ranges.learned(
        extractor, [clip for split in dataset.SPLITS for clip in divided[split]],
        sampling, decoders, lambda done: periodic(
            done, f"Ranges of the features: {done:,} of {count:,} videos", videos=done))
  logging.info("The bytes stand for %s.", ", ".join(
      f"{name} {low:g} to {high:g}" for name, (low, high) in found.items()) or "nothing")
  return found


def _run(job: jobs.Job) -> None:
  with (decoding_flags.start(job.num_clips) as decoders,
        progress.Periodic(_PROGRESS_SECS, job.num_clips, "videos") as periodic):
    def show(done: int, failed: int) -> None:
      periodic(done, f"{done:,} of {job.num_clips:,} videos"
               + (f", {failed:,} failed" if failed else ""), videos=done, failed=failed)

    job.run(decoders, FLAGS.retry_failed, show)


def _report(job: jobs.Job, extractor: str, shares: Mapping[str, float]) -> None:
  results = job.results()
  path, chart = (os.path.join(FLAGS.output_dir, name)
                 for name in (jobs.REPORT, jobs.CHART))
  plots.write_document(path, report.parts(results, extractor), chart,
                       "Labels and lengths", lambda to: report.write_chart(to, results))
  written = dataset.Dataset.load(FLAGS.output_dir)
  counts = ", ".join(f"{count:,} {split}" for split, count in written.num_videos.items())
  failed = sum(len(result.failed) for _, result in results)
  print(f"Wrote {sum(written.num_videos.values()):,} videos ({counts}) of "
        f"{written.num_classes:,} classes to {FLAGS.output_dir}"
        + (f"; {failed:,} failed, see {jobs.FAILURES}" if failed else ""), flush=True)
  for split, share in shares.items():
    if share and not written.num_videos.get(split):
      logging.warning("%s has no videos: list more, or give it more with --split or in "
                      "the column split.", split)
  if not sum(written.num_videos.values()):
    sys.exit("ERROR: No clip gives features: the reasons are in "
             f"{os.path.join(FLAGS.output_dir, jobs.FAILURES)}.")


def _shares() -> dict[str, float]:
  """Returns the share of each split in the clips."""
  try:
    percent = [float(share) for share in FLAGS.split]
  except ValueError:
    percent = []
  if len(percent) != len(dataset.SPLITS) or min(percent) < 0 or (
      not abs(sum(percent) - 100) <= 1e-6):
    raise ValueError(f"--split={','.join(FLAGS.split)} must be the percentages of train, "
                     "validate and test, such as 80,10,10.")
  return {split: share / 100
          for split, share in zip(dataset.SPLITS, percent, strict=True)}


def _names(clips: list[clip_lists.Clip]) -> vocabulary.Vocabulary:
  """Returns the names of the classes."""
  labels = clip_lists.class_names(clips)
  if not FLAGS.vocabulary:
    if not labels:
      raise ValueError(f"{FLAGS.videos} has no labels: fill the column labels, or name "
                       "the classes with --vocabulary.")
    return vocabulary.Vocabulary.of(dict(enumerate(labels)), len(labels))
  names = vocabulary.Vocabulary.load(
      FLAGS.vocabulary, vocabulary.Vocabulary.count(FLAGS.vocabulary))
  known = set(names.names)
  if unknown := [label for label in labels if label not in known]:
    raise ValueError(
        f"{FLAGS.videos} has the label {unknown[0]!r}, which --vocabulary="
        f"{FLAGS.vocabulary} has not ({len(unknown)} in all): add it there, or correct "
        "it.")
  return names


def run() -> None:
  command.run(main, stop_secs=10.0)


if __name__ == "__main__":
  run()
