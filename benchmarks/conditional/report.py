# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A Markdown report on the changes from step to step of conditional inference."""

import numpy as np

from benchmarks.conditional import score_changes
from benchmarks.conditional import step_study
from yt8m.core import markdown
from yt8m.eval.ablations import results

# The change of a class with few positives is mostly chance.
_MIN_POSITIVES = 10
# A list of one label cannot show how labels affect each other.
_MIN_LABELS = 3
_GAINED, _LOST = 8, 4  # classes in the table of those that changed most
_EXAMPLES = (6, 3)  # videos that gained most, and that lost most
_STRONGEST = 4  # labels with the most evidence for and against them
_MIN_COUNT = 1_000  # label sets that contain such a label


def as_markdown(study: step_study.StepStudy, charts: dict[str, str]) -> str:
  """Returns the report.

  Args:
    study: The `StepStudy`.
    charts: `{"steps" | "classes" | "couplings": path}`, the paths that the document
      uses in its links.
  """
  return "\n\n".join([
      "## Figures by step", _steps(study),
      f"![GAP, mAP and Hit@1 by step]({charts['steps']})",
      "## Which labels gain",
      _classes_legend(study), *(_group_table(study, kind) for kind in study.groupings),
      f"![Changes by frequency, dependence and information]({charts['classes']})",
      _crossed(study), _most_changed(study),
      "## Videos", _videos(study),
      "## What the label network has learned", _evidence(study), _couplings(study),
      f"![Couplings by frequency]({charts['couplings']})"]) + "\n"


def _steps(study):
  rows = []
  for way, values in study.values_by_step().items():
    for step in range(values["gap"].shape[1]):
      rows.append([way, str(step + 1), *(
          markdown.with_deviation(list(v[:, step])) for v in values.values()), *(
              markdown.with_error(list(values[name][:, step] - values[name][:, 0]))
              if step else "–" for name in results.COMPARED)])
  titles = ["observed", "step", *results.METRICS.values(), "loss",
            *(f"Δ {results.METRICS[name]}" for name in results.COMPARED)]
  text = f"{len(study.videos):,} videos, models: {len(study.metrics)}."
  if len(study.metrics) > 1:
    text += (" Mean ± sample standard deviation over the models. Δ: difference from the "
             "first step of the same model, ± its standard error.")
  return f"{text}\n\n{markdown.make(titles, rows, ('observed',))}"


def _classes_legend(study):
  return (
      f"Step {study.step} compared with step 1, *{study.way}* observed. AP: average "
      f"precision of a class in the top {study.pairs[0][0].top_k} lists. Δ AP: change of "
      "AP, averaged over the models and then over the measured classes (those with a "
      "positive), ± standard error over the classes. GAP: GAP of the labels of the group "
      "alone, in the same lists. Dependence of a class c: max P(c | j) over the other "
      "labels j. Information: max I(c; j) / H(c), the share of the uncertainty about c "
      "that the best other label removes. Both are counted in the label sets.")


def _group_table(study, kind):
  names, groups = study.groupings[kind]
  gap, changes = study.gap_of(kind), study.changes_of(kind)
  rows = [
      [name, f"{np.sum(groups == number):,}",
       f"{len(changes[number]):,}", markdown.with_error(changes[number]),
       *(markdown.with_deviation(list(gap[:, side, number])) for side in (0, 1)),
       markdown.with_error(list(gap[:, 1, number] - gap[:, 0, number]))]
      for number, name in enumerate(names) if np.any(groups == number)]
  return markdown.make(
      [kind, "classes", "measured", "Δ AP", "GAP, step 1", f"GAP, step {study.step}",
       "Δ GAP"], rows, (kind,))


def _crossed(study):
  """Change by frequency and information together, because the two are correlated."""
  (rows, by_row), _, (columns, by_column) = study.groupings.values()
  cells = [[name] + [_mean_change(study, (by_row == row) & (by_column == column))
                     for column in range(len(columns))] for row, name in enumerate(rows)]
  titles = [step_study.FREQUENCY, *(f"information {name}" for name in columns)]
  return ("Δ AP by frequency and information, with the number of measured classes:\n\n"
          + markdown.make(titles, cells, titles[:1]))


def _mean_change(study, chosen):
  changes = study.finite_changes(chosen)
  if not changes:
    return "–"
  return f"{markdown.with_error(changes)} ({len(changes):,})"


def _most_changed(study):
  positives = study.pairs[0][0].num_positives
  before, after = study.class_precision
  changed = score_changes.changed_most(
      before, after, (_GAINED, _LOST), positives >= _MIN_POSITIVES)
  rows = [[study.names[c], f"{study.counts[c]:,}", f"{study.information[c]:.2f}",
           study.names[study.partner[c]] if study.partner[c] >= 0 else "–",
           str(positives[c]), f"{before[c]:.3f}", f"{after[c]:.3f}",
           markdown.with_error([after[c] - before[c]], 3)]
          for c in np.concatenate(changed)]
  return (f"The {_GAINED} labels that gain most and the {_LOST} that lose most, among "
          f"those with at least {_MIN_POSITIVES} positives:\n\n" + markdown.make(
              ["label", step_study.FREQUENCY, "information", "from", "positives",
               "AP, step 1", f"AP, step {study.step}", "Δ AP"], rows, ("label", "from")))


def _videos(study):
  pair, sizes = study.pairs[0], study.videos.sizes
  before, after = (score_changes.by_video(metrics, sizes) for metrics in pair)
  change = after - before
  gained, lost = score_changes.changed_most(
      before, after, _EXAMPLES, sizes >= _MIN_LABELS)
  text = (
      f"The average precision of a video is that of its top {pair[0].top_k} list. From "
      f"step 1 to step {study.step} it rose for {np.sum(change > 0):,} videos, fell for "
      f"{np.sum(change < 0):,} and did not change for {np.sum(change == 0):,}; the mean "
      f"change is {markdown.with_error(list(change))}. The examples are the "
      f"{_EXAMPLES[0]} videos with at least {_MIN_LABELS} labels that gained most and "
      f"the {_EXAMPLES[1]} that lost most. Each shows as many labels as the video has "
      "true ones; true labels are bold. First model.")
  ends = [score_changes.top_lists(metrics) for metrics in pair]
  return "\n\n".join([
      text, *(_example(study, v, before[v], after[v], ends)
              for v in np.concatenate([gained, lost]))])


def _example(study, video, before, after, ends):
  ends = [[array[video] for array in lists] for lists in ends]
  true = study.videos.classes[study.videos.rows == video]
  rows = [[str(rank + 1), *(_entry(study, *(array[rank] for array in lists))
                            for lists in ends)]
          for rank in range(min(len(true), len(ends[0][0])))]
  table = markdown.make(["rank", "step 1", f"step {study.step}"], rows,
                              ("step 1", f"step {study.step}"))
  labels = ", ".join(study.names[c] for c in true)
  return (f"`{study.videos.ids[video]}`, average precision {before:.2f} → {after:.2f}; "
          f"labels {labels}\n\n{table}")


def _entry(study, score, label, hit):
  name = study.names[label]
  return f"{f'**{name}**' if hit else name} {score:.2f}"


def _evidence(study):
  rows = []
  for label, evidence in study.evidence.items():
    order = np.argsort(-evidence, kind="stable")
    others = order[(order != label) & (study.counts[order] >= _MIN_COUNT)]
    itself = markdown.with_error([evidence[label]], 1)
    rows.append([study.names[label], itself, *(
        ", ".join(f"{study.names[c]} {markdown.with_error([evidence[c]], 1)}"
                  for c in chosen)
        for chosen in (others[:_STRONGEST], others[::-1][:_STRONGEST]))])
  return (
      "Evidence q, in log-odds, when a single label is observed: for the label itself, "
      f"and for the {_STRONGEST} other labels with the most evidence for and against "
      f"them, among those in at least {_MIN_COUNT:,} label sets. The observed labels are "
      f"the {len(study.evidence)} most frequent ones. First model.\n\n"
      + markdown.make(["observed", "itself", "for", "against"], rows,
                              ("observed", "for", "against")))


def _couplings(study):
  names, groups = study.groupings[step_study.FREQUENCY]
  mean = study.couplings.mean(0)
  rows = [[name, f"{np.sum(groups == number):,}", f"{mean[groups == number].mean():.3f}",
           *(f"{q:.3f}" for q in np.quantile(mean[groups == number], (0.1, 0.5, 0.9)))]
          for number, name in enumerate(names) if np.any(groups == number)]
  return ("Couplings λ, the share of the evidence that is new to the head: means over "
          f"the models; {study.coupling} before training.\n\n" + markdown.make(
              [step_study.FREQUENCY, "classes", "mean", "10 %", "median", "90 %"], rows,
              (step_study.FREQUENCY,)))
