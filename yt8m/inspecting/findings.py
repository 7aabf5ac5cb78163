# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is wrong, or doubtful, in a set of records, and what helps."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from yt8m.core import feature_spec
from yt8m.inspecting import inspection as inspecting

_MANY_FRAMES = 300  # that the readers keep by default
_SHOWN = 5
# Shares and bounds beyond which something is worth a line.
_RARE = 0.05
_FEW_BYTES = 160  # of 256
_ENOUGH_BYTES = 2**13  # for statements about their use
_CLIPPED = 0.25
_FEW_RECORDS = 100  # for statements about distributions


@dataclasses.dataclass(frozen=True)
class Finding:
  """Something that should be looked at.

  Attributes:
    kind: Kind of the finding, a few words.
    text: What was found, and where.
    remedy: What to do.
  """
  kind: str
  text: str
  remedy: str

  def __str__(self) -> str:
    return f"{self.kind}: {self.text} {self.remedy}"


def of_set(found: inspecting.Inspection, num_classes: int | None = None
           ) -> list[Finding]:
  """Returns the findings of a set of records.

  Args:
    found: What the records hold.
    num_classes: Number of classes; None if it is not known.
  """
  return [*_of_files(found), *_of_records(found), *_of_features(found),
          *_of_labels(found, num_classes)]


def _of_files(found: inspecting.Inspection) -> list[Finding]:
  damaged, empty = (found.incidents.counts[kind] for kind in (
      "damaged files", "empty files"))
  findings = []
  if damaged:
    findings.append(Finding(
        "damaged files", f"{counted(damaged, 'file')} cannot be read to the end, see "
        "the log.", "Copy them again, or use --skip_corrupt_records."))
  if empty:
    findings.append(Finding("empty files", f"{counted(empty, 'file')} without records.",
                            "Copy them again, or leave them out."))
  return findings


def _of_records(found: inspecting.Inspection) -> list[Finding]:
  findings = []
  if len(found.levels) > 1:
    text = ", ".join(f"{count:,} {level}-level" for level, count in
                     found.levels.most_common())
    if set(found.levels) != {feature_spec.FRAME, feature_spec.SEGMENT}:
      findings.append(Finding("several levels", f"{text} records.",
                              "Name records of one level only."))
  for fault, places in found.faults.items():
    findings.append(Finding(
        "records without use", f"{counted(found.num_faults[fault])}: {places[0]} "
        f"{fault}.", "Write them again; --skip_bad_records leaves them out."))
  if pairs := found.same_ids():
    findings.append(Finding(
        "ids that occur twice", f"{len(pairs):,}, such as {found.id_of(pairs[0][0])} in "
        f"{pairs[0][0]} and {pairs[0][1]}.", "Remove the copies: a submission can hold "
        "one row for each id."))
  if pairs := found.same_features():
    findings.append(Finding(
        "copies under another id", f"{counted(len(pairs))} with the features of another "
        f"one, such as {pairs[0][1]} with those of {pairs[0][0]}.",
        "Remove the copies, or keep them in one split."))
  if found.num_uneven:
    findings.append(Finding(
        "features of several lengths", f"{counted(found.num_uneven)} whose features "
        "differ in their number of frames.", "The shortest feature counts: extract them "
        "at one rate."))
  long = sum(count for length, count in found.lengths.items() if length > _MANY_FRAMES)
  if long:
    findings.append(Finding(
        "long videos", f"{counted(long)} of more than {_MANY_FRAMES} frames, up to "
        f"{max(found.lengths)}.", "Training keeps the first --max_frames."))
  if found.lengths[0]:
    findings.append(Finding("no frames", f"{counted(found.lengths[0])} without frames.",
                            "They count as zeros: leave them out."))
  return findings


def _of_features(found: inspecting.Inspection) -> list[Finding]:
  findings = []
  for name, feature in found.features.items():
    lacking = found.num_records - feature.num_records
    if lacking:
      findings.append(Finding(
          "missing feature", f"{counted(lacking)} ({lacking / found.num_records:.1%}) "
          f"without {name}.", "It counts as zeros there: extract it, or leave it out of "
          "--feature_names."))
    if feature.num_mixed or len(feature.sizes) > 1:
      sizes = ", ".join(f"{size} ({count:,})" for size, count in
                        feature.sizes.most_common(_SHOWN))
      findings.append(Finding(
          "several sizes", f"{name} has frames of the sizes {sizes}, and "
          f"{counted(feature.num_mixed)} with several at once.",
          "Write the others again: --feature_sizes gives one."))
    if not feature.sizes:
      continue
    if feature.num_not_finite:
      findings.append(Finding(
          "not finite", f"{name} has {feature.num_not_finite:,} values that are NaN or "
          "infinite.", "Write these records again; --skip_bad_records leaves them out."))
    moments = feature.moments
    if moments is None or not moments.count:
      continue
    if feature.num_zero > _RARE * feature.num_frames:
      findings.append(Finding(
          "zero frames", f"{feature.num_zero / feature.num_frames:.1%} of the frames of "
          f"{name} are all zeros.", "Check the extraction: padding must not be stored."))
    constant = int((moments.deviation < 1e-6 * max(1.0, abs(moments.largest))).sum())
    if constant and moments.count >= _FEW_RECORDS:
      findings.append(Finding(
          "constant values", f"{constant} of the {feature.size} values of {name} are the "
          "same in every frame.", "They teach nothing: check the extraction."))
    findings += _of_bytes(name, feature)
  return findings


def _of_bytes(name, feature) -> list[Finding]:
  total = int(feature.histogram.sum())
  if feature.dtype != feature_spec.UINT8 or total < _ENOUGH_BYTES:
    return []
  findings = []
  counts = feature.histogram
  if feature.num_byte_values < _FEW_BYTES:
    findings.append(Finding(
        "quantisation unused", f"{name} uses {feature.num_byte_values} of the 256 values "
        f"of a byte, from {np.flatnonzero(counts)[0]} to {np.flatnonzero(counts)[-1]}.",
        "Quantise over the range of the data, or store float16."))
  clipped = (counts[0] + counts[-1]) / total
  if clipped > _CLIPPED:
    findings.append(Finding(
        "quantisation clipped", f"{clipped:.1%} of the values of {name} are 0 or 255.",
        "Quantise over a wider range, or store float16."))
  return findings


def _of_labels(found: inspecting.Inspection, num_classes: int | None) -> list[Finding]:
  labelled = sum(found.num_labels.values())
  findings = []
  if not labelled and not found.ratings:
    return [Finding("no labels", "No record has labels.",
                    "They can be predicted, but nothing can be learnt from them.")]
  without = found.num_labels[0] + found.num_records - labelled
  if without and not found.ratings:
    findings.append(Finding(
        "videos without labels", f"{counted(without)} "
        f"({without / found.num_records:.1%}).", "Training takes them for examples of no "
        "class: leave them out if they are not labelled yet."))
  if found.num_repeated:
    findings.append(Finding("labels that occur twice", f"{counted(found.num_repeated)}.",
                            "Each counts once."))
  bad = [label for label in (*found.labels, *found.ratings)
         if label < 0 or (num_classes is not None and label >= num_classes)]
  if bad:
    findings.append(Finding(
        "labels out of range", f"{min(bad)} to {max(bad)}, in "
        f"{sum(found.labels[label] + found.ratings[label] for label in set(bad)):,} "
        f"places{'' if num_classes is None else f'; there are {num_classes} classes'}.",
        "Correct the labels, or --num_classes."))
  if num_classes is not None and not found.ratings:
    unused = [c for c in range(num_classes) if not found.labels[c]]
    if unused:
      findings.append(Finding(
          "classes without examples", f"{len(unused):,} of {num_classes:,}: "
          f"{_some(unused)}.", "A model cannot learn them from these records."))
  return findings


def counted(count: int, noun: str = "record") -> str:
  """Returns a number of things as text, e.g. `"2 records"`."""
  return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _some(numbers: Sequence[int]) -> str:
  text = ", ".join(map(str, numbers[:_SHOWN]))
  return text if len(numbers) <= _SHOWN else f"{text}, …"
