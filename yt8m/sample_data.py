# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-sample-data`: writes a small data set that resembles YouTube-8M, in seconds.

    yt8m-sample-data --output_dir=/tmp/sample

It writes `video/`, `frame/` and `segment/` records of a train, a validate and a test
split, `vocabulary.csv`, `segment_label_ids.csv` and `ground_truth.npz`.
docs/sample_data.md describes what is planted in them.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from absl import flags

from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import feature_spec
from yt8m.core import paths
from yt8m.core import progress
from yt8m.synthetic import labels
from yt8m.synthetic import writer

FLAGS = flags.FLAGS
_DEFAULTS = writer.SampleDataConfig()
_PROGRESS_SECS = 2.0

paths.define("output_dir", None, "Directory to write; required. It must not exist "
             "or be empty.")
flags.DEFINE_bool("overwrite", False, "Replace the sample data set in --output_dir.")
flags.DEFINE_integer("num_videos", _DEFAULTS.num_videos,
                     "Number of videos of all splits together.", lower_bound=1)
flags.DEFINE_integer(
    "num_classes", None, "Number of classes, which have the frequencies of the most "
    f"frequent ones of YouTube-8M. Default: {_DEFAULTS.num_classes}, with --from_records "
    f"{labels.MAX_CLASSES}.", lower_bound=1)
flags.DEFINE_integer("seed", _DEFAULTS.seed,
                     "Seed. The same seed and flags give the same bytes.", lower_bound=0)
flags.DEFINE_integer("max_frames", _DEFAULTS.max_frames, "Number of frames of the "
                     "longest videos (real ones: 301). The mean is 0.76 times that.",
                     lower_bound=1)
flags.DEFINE_list("feature_sizes", [str(size) for size in _DEFAULTS.feature_sizes],
                  "Sizes of rgb and audio.")
flags.DEFINE_list(
    "feature_dtypes", list(_DEFAULTS.feature_dtypes), "Types of rgb and audio in "
    f"frame-level and segment-level records: {', '.join(feature_spec.DTYPES)}. Floats "
    "are not quantised.")
flags.DEFINE_integer("num_shards", _DEFAULTS.num_shards,
                     "Number of files of each split and level.", lower_bound=1)
flags.DEFINE_list("splits", [str(share) for share in _DEFAULTS.splits],
                  "Shares of train, validate and test.")
flags.DEFINE_bool("segments", _DEFAULTS.segments,
                  "Also write the validate split with rated five-frame segments.")
paths.define_pattern("from_records", _DEFAULTS.from_records, "Compose the videos from "
                     "these real video-level records (globs, separated by commas) "
                     "instead of planting structure.")
command_line.require("output_dir", "name the directory to write")


def main() -> None:
  config = _config_from_flags()
  total = f"{config.num_videos:,} videos"
  with progress.Periodic(_PROGRESS_SECS, config.num_videos, "videos") as report:
    writer.write(config, FLAGS.output_dir, FLAGS.overwrite,
                 lambda done: report(done, f"{done:,} of {total}", videos=done))
  print(f"Wrote {config.num_videos:,} SYNTHETIC videos to {FLAGS.output_dir} "
        "(docs/sample_data.md describes what is planted in them).")


def _config_from_flags() -> writer.SampleDataConfig:
  num_classes = FLAGS.num_classes
  if num_classes is None:
    num_classes = labels.MAX_CLASSES if FLAGS.from_records else _DEFAULTS.num_classes
  return writer.SampleDataConfig(
      num_videos=FLAGS.num_videos, num_classes=num_classes, seed=FLAGS.seed,
      max_frames=FLAGS.max_frames, num_shards=FLAGS.num_shards,
      feature_sizes=_numbers("feature_sizes", FLAGS.feature_sizes, int),
      feature_dtypes=tuple(FLAGS.feature_dtypes),
      splits=_numbers("splits", FLAGS.splits, float),
      segments=FLAGS.segments, from_records=FLAGS.from_records)


def _numbers(flag: str, values: Sequence[str], convert: Callable[[str], Any]
             ) -> tuple[Any, ...]:
  try:
    return tuple(convert(value) for value in values)
  except ValueError as error:
    raise ValueError(f"--{flag}={','.join(values)} must be numbers that are separated by "
                     "commas.") from error


def run() -> None:
  command.run(main)


if __name__ == "__main__":
  run()
