# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What records hold, as a Markdown document and as a picture."""

import shlex
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from yt8m.core import feature_spec
from yt8m.core import markdown
from yt8m.core import plots
from yt8m.inspecting import findings as rules
from yt8m.inspecting import inspection as inspecting

_MIB = 2**20


def section(name: str, found: inspecting.Inspection, num_bytes: int,
            num_classes: int | None) -> str:
  """Returns the section of a set of records in the document.

  Args:
    name: Title, such as the pattern of the records.
    found: What the records hold.
    num_bytes: Number of bytes of their files.
    num_classes: Number of classes; None if it is not known.
  """
  levels = " and ".join(f"{count:,} {level}-level" for level, count in
                        found.levels.most_common())
  lines = [f"{len(found.files):,} files, {num_bytes / _MIB:,.1f} MiB, {levels or 'no'} "
           "records."]
  if found.lengths:
    lengths = np.repeat(*np.array(sorted(found.lengths.items())).T)
    lines.append(f"Frames: {lengths.min()} to {lengths.max()}, median "
                 f"{np.median(lengths):g}, mean {lengths.mean():.1f}.")
  if sum(found.num_labels.values()):
    counts = np.repeat(*np.array(sorted(found.num_labels.items())).T)
    lines.append(
        f"Labels: {counts.mean():.2f} a video, {counts.min()} to {counts.max()}; "
        f"{len(found.labels):,} classes occur, from {min(found.labels, default=0)} to "
        f"{max(found.labels, default=0)}.")
  if found.ratings:
    lines.append(f"Ratings of segments: {sum(found.ratings.values()):,}, of "
                 f"{len(found.ratings):,} classes.")
  parts = [f"## {name}", "\n".join(f"- {line}" for line in lines)]
  if found.features:
    parts += [_table(found), "The flags of yt8m-train for these records:",
              f"    {shlex.join(flags(found, num_classes))}"]
  return "\n\n".join(parts)


def _table(found: inspecting.Inspection) -> str:
  rows = []
  for name, feature in sorted(found.features.items()):
    moments = feature.moments if feature.sizes else None
    size, dtype = (str(feature.size), feature.dtype) if feature.sizes else ("–", "–")
    values = (["–"] * 3 if moments is None or not moments.count else [
        f"{moments.least:.4g} to {moments.largest:.4g}", f"{moments.mean.mean():.4g}",
        f"{moments.deviation.mean():.4g}"])
    in_use = (str(feature.num_byte_values)
              if dtype == feature_spec.UINT8 and feature.sizes else "–")
    rows.append([name.replace("|", r"\|"), size, dtype, f"{feature.num_records:,}",
                 f"{feature.num_frames:,}", *values, in_use])
  return markdown.make(
      ["feature", "size", "type", "records", "frames", "range", "mean", "deviation",
       "byte values in use"], rows, ("feature", "type"))


def flags(found: inspecting.Inspection, num_classes: int | None) -> list[str]:
  """Returns the flags of `yt8m-train` that describe records."""
  # The most frequent first, and of these the largest.
  known = dict(sorted(
      ((name, feature) for name, feature in found.features.items() if feature.sizes),
      key=lambda item: (-item[1].num_records, -item[1].size)))
  words = [] if found.level == feature_spec.VIDEO else ["--frame_features"]
  if found.level == feature_spec.SEGMENT:
    words.append("--segment_labels")
  words += [f"--feature_names={','.join(known)}",
            f"--feature_sizes={','.join(str(f.size) for f in known.values())}"]
  default = (feature_spec.FLOAT32 if found.level == feature_spec.VIDEO
             else feature_spec.UINT8)
  if any(feature.dtype != default for feature in known.values()):
    words.append(f"--feature_dtypes={','.join(f.dtype for f in known.values())}")
  return [*words, f"--num_classes={num_classes or found.largest_label + 1}"]


def as_list(found: Sequence[rules.Finding]) -> str:
  """Returns findings as a Markdown list."""
  if not found:
    return "Nothing was found that should be looked at."
  return "\n".join(f"- **{finding.kind}**: {finding.text} {finding.remedy}"
                   for finding in found)


def write_chart(path: str, sets: Mapping[str, inspecting.Inspection]) -> None:
  """Draws how often labels occur, and how long videos are.

  Args:
    path: Path of the PNG file.
    sets: What is known of each set of records, by its name.
  """
  figure = plots.figure(9, 3.5)
  frequency, length = figure.subplots(1, 2)
  for name, found in sets.items():
    counts = sorted((found.labels or found.ratings).values(), reverse=True)
    if counts:
      frequency.plot(range(1, len(counts) + 1), counts, marker=".",
                     label=plots.literal(name))
    if found.lengths:
      lengths, numbers = np.array(sorted(found.lengths.items())).T
      length.hist(lengths, bins=min(60, lengths.max() - lengths.min() + 1),
                  weights=numbers, histtype="step", label=plots.literal(name))
  frequency.set(xlabel="rank of the class", ylabel="videos", title="Labels")
  length.set(xlabel="frames", ylabel="videos", title="Lengths")
  if frequency.lines:
    frequency.set(xscale="log", yscale="log")
    frequency.legend(fontsize="small")
  plots.save(figure, path)
