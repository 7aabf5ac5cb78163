# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-inspect`: says what records hold and what is wrong with them.

    yt8m-inspect 'train*.tfrecord' --against='validate*.tfrecord' --output_dir=report

No flag describes the records: level, features, sizes and types are found. It names what
should be looked at, such as ids that occur twice, classes without examples, values that
are not finite or bytes that are not used; and with --against, videos of one set that are
in the other and what differs between the two. The output also has the flags of
yt8m-train for these records.
"""

import os
import sys

from absl import flags

from yt8m.core import command
from yt8m.core import files
from yt8m.core import paths
from yt8m.core import plots
from yt8m.core import progress
from yt8m.core.vocabulary import Vocabulary
from yt8m.data import records
from yt8m.inspecting import comparison
from yt8m.inspecting import findings as rules
from yt8m.inspecting import inspection
from yt8m.inspecting import report

FLAGS = flags.FLAGS

flags.DEFINE_string("against", None, "Pattern of a second set of records, such as those "
                    "of validation, to compare the first one with.")
flags.DEFINE_integer("num_classes", None, "Number of classes. Default: of --vocabulary, "
                     "or else the largest label decides.", lower_bound=1)
paths.define("vocabulary", None, "vocabulary.csv with the names of the classes, whose "
             "number it gives.",
             must_exist="name a CSV of class names")
flags.DEFINE_integer("max_records", None, "Number of records to read at most of each "
                     "set, spread over the files. Default: all.", lower_bound=1)
paths.define("output_dir", None, "Directory for inspection.md and inspection.png. "
             "Default: the text is only printed.")
flags.DEFINE_bool("strict", False, "End with status 1 if there is anything to look at.")

_TITLE = "# Records, by yt8m-inspect"
_PROGRESS_SECS = 10.0


def main(*words: str) -> None:
  document, chart = (os.path.join(FLAGS.output_dir or "", f"inspection.{end}")
                     for end in ("md", "png"))
  if FLAGS.output_dir:
    plots.check_replaceable(document, [chart], _TITLE, "yt8m-inspect", "output_dir")
  num_classes = FLAGS.num_classes or (
      Vocabulary.count(FLAGS.vocabulary) if FLAGS.vocabulary else None)
  patterns = {"the records": ",".join(words)}
  if FLAGS.against:
    patterns["--against"] = FLAGS.against
  matched = {pattern: paths.match(pattern, flag) for flag, pattern in patterns.items()}
  sets = {pattern: read(found) for pattern, found in matched.items()}
  parts, found = [_TITLE], []
  for pattern, one in sets.items():
    num_bytes = sum(os.path.getsize(path) if not files.is_remote(path) else 0
                    for path in one.files)
    findings = rules.of_set(one, num_classes)
    parts += [report.section(pattern, one, num_bytes, num_classes),
              report.as_list(findings)]
    found += findings
  if FLAGS.against:
    findings = comparison.of_pair(*sets.values())
    parts += ["## Both sets", report.as_list(findings)]
    found += findings
  print("\n\n".join(parts[1:]), flush=True)
  if FLAGS.output_dir:
    print()
    plots.write_document(document, parts, chart, "Labels and lengths",
                         lambda path: report.write_chart(path, sets))
  if FLAGS.strict and found:
    kinds = ", ".join(dict.fromkeys(finding.kind for finding in found))
    sys.exit(f"ERROR: --strict: {rules.counted(len(found), 'finding')}, see above: "
             f"{kinds}.")


def read(record_files: list[str]) -> inspection.Inspection:
  """Reads a set of records, with progress."""
  found = inspection.Inspection(record_files)
  total = records.estimate_count(record_files)
  if total and FLAGS.max_records:
    total = min(total, FLAGS.max_records)
  with progress.Periodic(_PROGRESS_SECS, total, "records") as periodic:
    found.read(FLAGS.max_records, lambda done: periodic(
        done, f"{done} records", records=done))
  return found


def run() -> None:
  command.run(main, arguments="record files", named_by_path=True)


if __name__ == "__main__":
  run()
