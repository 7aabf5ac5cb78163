# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Sections of a model card about what was measured: metrics, calibration, decisions."""

from collections.abc import Mapping

import numpy as np

from yt8m.artifacts import thresholds
from yt8m.artifacts.thresholds import Thresholds
from yt8m.core import markdown
from yt8m.eval.metrics import calibration
from yt8m.eval.metrics import streaming
from yt8m.export.saved_models.origin import Origin

NOT_CALIBRATED = "How far the scores are probabilities was not measured."


def metrics(origin: Origin) -> str:
  """Returns the metrics of the evaluation, or says that there was none."""
  if not origin.evaluation:
    return "The model was not evaluated before the export."
  return f"{_evaluated(origin)}:\n\n{_values(origin, streaming.TITLES)}"


def calibrated(origin: Origin) -> str:
  """Returns how far the scores are probabilities, and on which data this was measured."""
  found = origin.evaluation or {}
  if not calibration.TITLES.keys() & found:
    return NOT_CALIBRATED
  kept = f"the best {found['top_k']}" if "top_k" in found else "the best"
  return (f"{_evaluated(origin)}, of {kept} classes of each video. Of the predictions "
          "of a calibrated model with score 0.7, 7 in 10 are labels; ECE, the expected "
          "calibration error, is the mean distance from this:\n\n"
          f"{_values(origin, calibration.TITLES)}")


def decided(limits: Thresholds) -> str:
  """Returns what the thresholds were chosen for, what they are and what they achieve."""
  chosen, finite = limits.chosen, limits.values[np.isfinite(limits.values)]
  facts = [
      ("target", f"`{limits.target}`"),
      ("thresholds", f"{finite.min():.4f} to {finite.max():.4f}, median "
       f"{np.median(finite):.4f}" if len(finite) else None),
      ("classes that are never decided", f"{len(limits.values) - len(finite):,}")]
  if "num_by_global" in chosen and "min_positives" in chosen:
    facts.append((f"classes with fewer than {chosen['min_positives']} labels, which "
                  "share one threshold", f"{chosen['num_by_global']:,}"))
  facts += [(name.replace("_", " "), f"{value:.4f}")
            for name, value in sorted(chosen.get("achieved", {}).items(), reverse=True)]
  on = ""
  if "num_examples" in chosen and "data" in chosen:
    on = (f" They were chosen on {chosen['num_examples']:,} examples of "
          f"`{chosen['data']}`; precision, recall and F1 are those on the same examples, "
          "and therefore slightly too high.")
  table = markdown.make(
      ["", ""], [[name, str(fact)] for name, fact in facts if fact], ("",))
  return (f"The output `decisions` is true for classes that are among the best "
          f"{limits.top_k} of a video and reach their thresholds, "
          f"`assets/{thresholds.FILE}`.{on}\n\n{table}")


def _evaluated(origin: Origin) -> str:
  """Returns the beginning of a sentence that says on what metrics were measured."""
  found = origin.evaluation or {}
  step = "" if found["step"] == origin.step else (
      f", **for step {found['step']:,}**, not for this one")
  hparams = f", with --hparams=`{found['hparams']}`" if found.get("hparams") else ""
  data = f" of `{found['data']}`" if found.get("data") else ""
  return (f"By `yt8m-eval` on {found.get('num_examples', 0):,} examples{data}{step}"
          f"{hparams}")


def _values(origin: Origin, titles: Mapping[str, str]) -> str:
  found = origin.evaluation or {}
  rows = [[label, f"{found[name]:.4f}"] for name, label in titles.items()
          if name in found]
  return markdown.make(["", "value"], rows, ("",))
