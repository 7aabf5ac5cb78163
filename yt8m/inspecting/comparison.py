# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What is wrong between two sets of records: leaks, and what has drifted."""

import numpy as np

from yt8m.inspecting import inspection as inspecting
from yt8m.inspecting.findings import Finding
from yt8m.inspecting.findings import counted

_SHOWN = 5
_FEW_RECORDS = 100  # for statements about distributions
_SHIFT = 0.5  # of a standard deviation, root mean square over the values of a feature
_LABEL_SHIFT = 0.1  # of all labels, beyond what chance explains


def of_pair(found: inspecting.Inspection, other: inspecting.Inspection) -> list[Finding]:
  """Returns what is wrong between two sets, such as training and validation.

  Args:
    found: The first set, above all the one of training.
    other: The second one.
  """
  findings = []
  for kind, pairs in (("leak by id", found.same_ids(other)),
                      ("leak by features", found.same_features(other))):
    if pairs:
      share = len(pairs) / max(1, other.num_records)
      name = f" (id {found.id_of(pairs[0][0])})" if kind == "leak by id" else ""
      findings.append(Finding(
          kind, f"{counted(len(pairs))} ({share:.1%}) of the second set are in the "
          f"first one, too: {pairs[0][1]} is {pairs[0][0]}{name}.",
          "Remove them from one of the sets: what is measured there is too good."))
  for name in sorted({*found.features} ^ {*other.features}):
    findings.append(Finding("other features", f"Only one of the sets has {name}.",
                            "Extract the same features for both."))
  for name in sorted({*found.features} & {*other.features}):
    mine, theirs = found.features[name], other.features[name]
    if not mine.sizes or not theirs.sizes:
      continue
    if (mine.size, mine.dtype) != (theirs.size, theirs.dtype):
      findings.append(Finding(
          "other sizes or types", f"{name} has {mine.size} {mine.dtype} in the first set "
          f"and {theirs.size} {theirs.dtype} in the second.", "Extract both alike."))
      continue
    shift = feature_shift(found, other, name)
    if shift > _SHIFT and min(mine.num_frames, theirs.num_frames) >= _FEW_RECORDS:
      findings.append(Finding(
          "drift of a feature", f"The values of {name} are shifted by {shift:.2f} "
          "standard deviations (root mean square).",
          "Check that both were extracted by the same model, and quantised alike."))
  shift, by_chance = label_shift(found, other)
  if shift - by_chance > _LABEL_SHIFT:
    findings.append(Finding(
        "drift of labels", f"{shift:.0%} of the labels would have to be others for both "
        f"sets to have the same shares ({by_chance:.0%} by chance), above all "
        f"{_shifted(found, other)}.",
        "Split the videos at random, or expect other scores."))
  return findings


def feature_shift(found: inspecting.Inspection, other: inspecting.Inspection, name: str
                  ) -> float:
  """Returns how far the means of a feature differ between two sets.

      d = sqrt(mean_i ((μ_i − ν_i) / σ_i)²), σ of the first set

  Values that are constant in the first set are left out.
  """
  mine, theirs = (one.features[name].moments for one in (found, other))
  if mine is None or theirs is None:
    return 0.0
  varied = mine.deviation > 0
  if not varied.any():
    return 0.0
  shift = (mine.mean - theirs.mean)[varied] / mine.deviation[varied]
  return float(np.sqrt(np.mean(shift**2)))


def label_shift(found: inspecting.Inspection, other: inspecting.Inspection
                ) -> tuple[float, float]:
  """Returns how far the shares of labels differ, and how far they would by chance.

  The first is the total variation distance, the second what is expected of it if both
  sets are drawn from the same videos (normal approximation):

      d = ½ Σ_c |n_c / n − m_c / m|,   E d ≈ ½ Σ_c √(2/π p_c (1 − p_c) (1/n + 1/m))

  with n_c and m_c labels of class c, n and m labels in all, p_c = (n_c + m_c) / (n + m).
  """
  _, counts = _counts(found, other)
  totals = counts.sum(1, keepdims=True)
  if not totals.all():
    return 0.0, 0.0
  shares, both = counts / totals, counts.sum(0) / totals.sum()
  variances = both * (1 - both) * (1 / totals).sum()
  return (float(np.abs(shares[0] - shares[1]).sum() / 2),
          float(np.sqrt(2 / np.pi * variances).sum() / 2))


def _counts(found, other):
  classes = sorted({*found.labels, *other.labels})
  return classes, np.array(
      [[one.labels[c] for c in classes] for one in (found, other)], float)


def _shifted(found, other) -> str:
  classes, counts = _counts(found, other)
  first, second = counts / counts.sum(1, keepdims=True)
  order = np.argsort(-np.abs(first - second))[:_SHOWN]
  return ", ".join(f"class {classes[i]} ({first[i]:.1%} and {second[i]:.1%})"
                   for i in order)
