# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`report.md` and `report.png`: what an extraction has made, and what it could not."""

import collections
from collections.abc import Sequence

from yt8m.core import fields
from yt8m.core import markdown
from yt8m.extracting import job
from yt8m.inspecting import inspection
from yt8m.inspecting import report as inspection_report

TITLE = "# Records, by yt8m-extract"
_MOST_ROWS = 100
_MOST_FAILURES = 20

# Shards, and what became of them.
_Results = Sequence[tuple[job.Shard, job.Result]]


def parts(results: _Results, extractor: str) -> list[str]:
  """Returns the paragraphs of the report.

  Args:
    results: What became of all shards.
    extractor: Name and digest of the extractor.
  """
  return [TITLE, f"Features: `{extractor}`.", _splits(results), "## Labels",
          _labels(results), "## Clips without a record", _failures(results)]


def _splits(results: _Results) -> str:
  rows = []
  for split in dict.fromkeys(shard.split for shard, _ in results):
    of_split = [result for shard, result in results if shard.split == split]
    videos = [video for result in of_split for video in result.videos]
    lengths = [num_frames for _, num_frames, _ in videos] or [0]
    rows.append([split, f"{len(videos):,}", f"{sum(lengths):,}",
                 f"{min(lengths)} to {max(lengths)}",
                 f"{sum(len(result.failed) for result in of_split):,}"])
  return markdown.make(["split", "videos", "frames", "frames of a video", "failed"], rows,
                       ("split",))


def _labels(results: _Results) -> str:
  splits = list(dict.fromkeys(shard.split for shard, _ in results))
  counts = collections.defaultdict(collections.Counter)
  for shard, result in results:
    for _, _, labels in result.videos:
      for label in labels:
        counts[label][shard.split] += 1
  ordered = sorted(counts, key=lambda label: (-counts[label].total(), label))
  if not ordered:
    return "No video has labels."
  rows = [[fields.printable(label).replace("|", r"\|"),
           *(f"{counts[label][split]:,}" for split in splits)]
          for label in ordered[:_MOST_ROWS]]
  table = markdown.make(["label", *splits], rows, ("label",))
  others = len(ordered) - len(rows)
  return f"{table}\n\n{others:,} further labels." if others else table


def _failures(results: _Results) -> str:
  failed = [failure for _, result in results for failure in result.failed]
  if not failed:
    return "None: every clip has a record."
  lines = [f"- `{fields.printable(path, 200)}`: {fields.printable(reason, 200)}"
           for path, _, reason in failed[:_MOST_FAILURES]]
  if len(failed) > len(lines):
    lines.append(f"- … {len(failed):,} in all")
  return "\n".join([*lines, "", f"All are in {job.FAILURES}. When the files are mended, "
                    "repeat the command with --retry_failed."])


def write_chart(path: str, results: _Results) -> None:
  """Draws how often labels occur, and how long videos are, by split.

  Args:
    path: Path of the PNG file.
    results: What became of all shards.
  """
  sets, numbers = collections.defaultdict(lambda: inspection.Inspection([])), {}
  for shard, result in results:
    for _, num_frames, labels in result.videos:
      sets[shard.split].lengths[num_frames] += 1
      sets[shard.split].labels.update(
          numbers.setdefault(label, len(numbers)) for label in labels)
  inspection_report.write_chart(path, sets)
