# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-ensemble`: chooses the models that blend best under a budget of bytes.

    yt8m-ensemble search --members='members/*' --output_dir=ensemble \
        --eval_data_pattern='validate*.tfrecord' --num_models=6 --budget_bytes=1GiB
    yt8m-ensemble evaluate --ensemble=ensemble/ensemble.json \
        --eval_data_pattern='test*.tfrecord'
    yt8m-export --ensemble=ensemble/ensemble.json --output_dir=serving/1

Members are SavedModels of yt8m-export. `predict` writes the predictions of those that
have none yet, which the other two do on their own; `search` writes ensemble.json, what
it tried, and a picture of it; `evaluate` measures the blend on other videos. Each goes
on where it stopped.
"""

import dataclasses
import hashlib
import json
import os
import re
import tempfile

import numpy as np
from absl import flags

from yt8m.core import command
from yt8m.core import markdown
from yt8m.eval.ablations import report as ablation_report
from yt8m.eval.blending import averaging
from yt8m.eval.blending import candidates as ensemble_members
from yt8m.eval.blending import class_weights
from yt8m.eval.blending import comparison
from yt8m.eval.blending import ensemble_file
from yt8m.eval.blending import gap
from yt8m.eval.blending import search as ensemble_search
from yt8m.eval.blending import tree
from yt8m.eval.blending import weights as blend_weights
from yt8m.eval.predictions import aligned as aligned_predictions
from yt8m.eval.predictions import members as member_predictions

FLAGS = flags.FLAGS

flags.DEFINE_list("members", [], "SavedModels of yt8m-export: globs of directories.")
flags.DEFINE_string("ensemble", None, "ensemble.json, which search wrote; for evaluate.")
flags.DEFINE_string("eval_data_pattern", None, "Records with labels: globs, separated by "
                    "commas; required.")
flags.DEFINE_string("output_dir", None, "Where search writes ensemble.json and its "
                    "pictures.")
flags.DEFINE_string("predictions_dir", None, "Where the predictions of every member are "
                    "kept; one for every --eval_data_pattern. Default: predictions in "
                    "--output_dir, or evaluation beside --ensemble.")

# ---------------------------------------------------------------- predictions
flags.DEFINE_integer("stored_classes", 50, "Classes kept a video, the best; 0: all.",
                     lower_bound=0)
flags.DEFINE_integer("batch_size", 256, "Videos at a time.", lower_bound=1)

# ---------------------------------------------------------------- search
flags.DEFINE_integer("num_models", 6, "Members of the ensemble.", lower_bound=1)
flags.DEFINE_string("budget_bytes", "1GiB", "Bytes on disk that they may have together: "
                    "a number, or with KiB, MiB, GiB.")
flags.DEFINE_enum("search", "beam", ensemble_search.METHODS,
                  "How the members are chosen.")
flags.DEFINE_integer("beam_width", 10, "Ensembles kept at each level of the beam search.",
                     lower_bound=1)

# ---------------------------------------------------------------- blend
flags.DEFINE_enum("averaging", "probabilities", averaging.AVERAGINGS,
                  "What of the members is averaged.")
flags.DEFINE_bool("learn_weights", True, "Learn the weights of the members, in place of "
                  "the same for all.")
flags.DEFINE_bool("class_weights", False, "Learn them class by class.")
flags.DEFINE_float("weight_regularization", 0.01, "λ: how far they may be from equal.",
                   lower_bound=0.0)
flags.DEFINE_integer("num_folds", 5, "Folds of videos by which the GAP of the learned "
                     "weights is measured on videos that they were not learned on.",
                     lower_bound=2)
flags.DEFINE_integer("seed", 0, "Of the folds.")
flags.mark_flag_as_required("eval_data_pattern")

ACTIONS = ("predict", "search", "evaluate")
_UNITS = {"": 1, "KIB": 2 ** 10, "MIB": 2 ** 20, "GIB": 2 ** 30}


def main(action):
  if action == "evaluate":
    return evaluate()
  if not FLAGS.members or not FLAGS.output_dir:
    raise ValueError(f"yt8m-ensemble {action} wants --members and --output_dir.")
  # Everything that can be wrong is looked at before hours of work.
  ablation_report.matplotlib_figure()
  budget_bytes = parse_bytes(FLAGS.budget_bytes)
  candidates = ensemble_members.find(FLAGS.members)
  if action == "search":
    ensemble_search.check(
        [candidate.name for candidate in candidates],
        [candidate.bytes for candidate in candidates], FLAGS.num_models, budget_bytes,
        FLAGS.search, FLAGS.beam_width)
  stores = predict(candidates, FLAGS.predictions_dir
                   or os.path.join(FLAGS.output_dir, "predictions"))
  if action == "search":
    search(candidates, stores, budget_bytes)
  return None


def parse_bytes(text):
  """Bytes of `"1GiB"`, `"167.5 MiB"` or `"1048576"`.

  Raises:
    ValueError: it is no such number.
  """
  match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
  if not match or match[2].upper() not in _UNITS:
    raise ValueError(f"--budget_bytes={text}: give a number of bytes, or one with KiB, "
                     "MiB or GiB, such as 1GiB.")
  return int(float(match[1]) * _UNITS[match[2].upper()])


def predict(candidates, directory):
  """Returns `{name: PredictionStore}`, and writes those that are missing."""
  return {
      candidate.name: member_predictions.write(
          candidate.saved_model, FLAGS.eval_data_pattern,
          os.path.join(directory, candidate.name), FLAGS.stored_classes,
          dense=not FLAGS.stored_classes, batch_size=FLAGS.batch_size)
      for candidate in candidates}


def search(candidates, stores, budget_bytes):
  """Writes ensemble.json and search.png, and prints what the blend is worth."""
  output_dir = FLAGS.output_dir
  os.makedirs(output_dir, exist_ok=True)
  with tempfile.TemporaryDirectory(dir=output_dir) as scratch:
    aligned = aligned_predictions.AlignedPredictions.from_stores(
        stores, os.path.join(scratch, "aligned"))
    knots = {name: averaging.rank_knots(scores).tolist()
             for name, scores in zip(aligned.names, aligned.scores, strict=True)
             if FLAGS.averaging == "ranks"}
    transformed = averaging.transform(
        aligned.scores, FLAGS.averaging, list(knots.values()) or None)
    result = ensemble_search.search(
        aligned.names, [candidate.bytes for candidate in candidates],
        gap.BlendScorer(transformed, aligned.hits, aligned.num_positives),
        FLAGS.num_models, budget_bytes, FLAGS.search, FLAGS.beam_width,
        os.path.join(output_dir, "search-scores.json"), fingerprint(stores))
    chosen = [aligned.names.index(name) for name in result.best]
    members = transformed[chosen]
    equal = np.full(len(chosen), 1 / len(chosen))
    weights, fitted = equal, {}
    if FLAGS.learn_weights and len(chosen) > 1:
      weights, fitted = learn_weights(members, aligned)
    singles = {name: gap.gap(scores.astype(np.float32), aligned.hits,
                                   aligned.num_positives)
               for name, scores in zip(aligned.names, transformed, strict=True)}
    found = gap.gap(averaging.blend(members, equal), aligned.hits,
                          aligned.num_positives)

  by_name = {candidate.name: candidate for candidate in candidates}
  ensemble = ensemble_file.EnsembleFile(
      tuple(ensemble_file.EnsembleMember(
          name, by_name[name].saved_model, by_name[name].bytes, weight, knots.get(name))
            for name, weight in zip(result.best, weights.tolist(), strict=True)),
      FLAGS.averaging, budget_bytes,
      {"best_member": max(singles.values()), "equal_weights": found, **fitted},
      {"method": FLAGS.search, "beam_width": FLAGS.beam_width,
       "evaluations": result.evaluations,
       "candidates": [{
           "name": name, "saved_model": os.path.relpath(
               by_name[name].saved_model, os.path.abspath(output_dir)),
           "bytes": by_name[name].bytes, "gap": singles[name],
           "rank_knots": knots.get(name)} for name in aligned.names],
       "nodes": [dataclasses.asdict(node) for node in result.nodes]})
  path = os.path.join(output_dir, "ensemble.json")
  tree.draw(result, os.path.join(output_dir, "search.png"))
  ensemble.save(path)
  print(report(ensemble, singles))
  fewer = max(result.nodes, key=lambda node: (node.gap, -len(node.models)))
  if len(fewer.models) < len(result.best):
    print(f"{len(fewer.models)} models score higher, equal weights: GAP {fewer.gap:.4f} "
          f"(--num_models={len(fewer.models)}): {', '.join(fewer.models)}")
  print(f"Wrote {path} and search.png beside it. Measure it on other videos: "
        f"yt8m-ensemble evaluate --ensemble={path}")


def fingerprint(stores):
  """Of all that the scores of a search depend on."""
  content = [(name, store.model, store.records_sha256, store.top_k)
             for name, store in sorted(stores.items())]
  return hashlib.sha256(
      json.dumps([FLAGS.averaging, content]).encode()).hexdigest()


def learn_weights(members, aligned):
  """Weights, and GAP with them: on the videos they were learned on, and on others."""
  arguments = (members, aligned.hits, aligned.num_positives, FLAGS.averaging,
               FLAGS.weight_regularization, FLAGS.seed)
  weights = blend_weights.learn(*arguments)
  by_class = {}
  if FLAGS.class_weights:
    by_class = {"classes": aligned.classes, "num_classes": aligned.num_classes}
    weights = class_weights.learn_by_class(
        members, aligned.hits, aligned.classes, aligned.num_classes, FLAGS.averaging,
        weights)
  held_out, _ = blend_weights.cross_fit(
      *arguments, num_folds=FLAGS.num_folds, **by_class)
  learned = averaging.blend(members, weights, aligned.classes)
  return weights, {
      name: gap.gap(scores, aligned.hits, aligned.num_positives)
      for name, scores in (("learned_weights", learned),
                           ("learned_weights_held_out", held_out))}


def report(ensemble, singles):
  """Members and scores as text; GAP is of the videos that the search saw."""
  rows = [[member.name, f"{member.bytes / _UNITS['MIB']:.2f}",
           f"{np.mean(member.weight):.4f}", f"{singles[member.name]:.4f}"]
          for member in ensemble.members]
  rows.append(["together", f"{ensemble.bytes / _UNITS['MIB']:.2f}", "1.0000", "–"])
  table = markdown.make(["member", "MiB", "weight", "GAP alone"], rows, ("member",))
  names = {"best_member": "best candidate", "equal_weights": "equal weights",
           "learned_weights": "learned weights",
           "learned_weights_held_out": "learned weights, on videos held out of learning"}
  scores = [f"{names[name]}: GAP {value:.4f}" for name, value in ensemble.scores.items()]
  return "\n".join([table, "", *scores])


def evaluate():
  """Prints GAP of an ensemble, and of what it must beat, on other videos."""
  if not FLAGS.ensemble:
    raise ValueError("yt8m-ensemble evaluate wants --ensemble, which search wrote.")
  ensemble = ensemble_file.EnsembleFile.load(FLAGS.ensemble)
  folder = os.path.dirname(os.path.abspath(FLAGS.ensemble))
  if "candidates" not in ensemble.search:
    raise ValueError(f"{FLAGS.ensemble} does not say what was searched, so that there is "
                     "nothing to compare with: give one that search wrote.")
  candidate_of = {entry["name"]: entry for entry in ensemble.search["candidates"]}
  members = tuple(member.name for member in ensemble.members)
  best = sorted(candidate_of, key=lambda name: -candidate_of[name]["gap"])[:len(members)]
  candidates = [
      ensemble_members.describe(
          name, os.path.normpath(
              os.path.join(folder, candidate_of[name]["saved_model"])))
      for name in sorted({*members, *best})]
  stores = predict(candidates,
                   FLAGS.predictions_dir or os.path.join(folder, "evaluation"))
  with tempfile.TemporaryDirectory(dir=folder) as scratch:
    aligned = aligned_predictions.AlignedPredictions.from_stores(
        stores, os.path.join(scratch, "aligned"))
    transformed = averaging.transform(
        aligned.scores, ensemble.averaging,
        [np.array(candidate_of[name]["rank_knots"]) for name in aligned.names]
        if ensemble.averaging == "ranks" else None)
    blends = [
        comparison.Blend(f"the best candidate, {best[0]}", (best[0],)),
        comparison.Blend(f"the {len(best)} best, equal weights", tuple(best)),
        comparison.Blend("the ensemble, equal weights", members),
        comparison.Blend("the ensemble", members, ensemble.weights)]
    compared = comparison.compare(blends, aligned, transformed, FLAGS.seed)
  rows = []
  for blend, (value, difference, error) in zip(blends, compared, strict=True):
    total = sum(candidate_of[name]["bytes"] for name in blend.models)
    rows.append([blend.name, str(len(blend.models)), f"{total / _UNITS['MIB']:.2f}",
                 f"{value:.4f}",
                 "–" if blend is blends[0]
                 else markdown.plus_minus(difference, error, "+.4f")])
  print(f"{len(aligned.hits):,} videos; the best are those of the videos that the search "
        "saw.\n")
  print(markdown.make(
      ["blend", "models", "MiB", "GAP", "difference"], rows, ("blend",)))


def run():
  command.run(main, ACTIONS)


if __name__ == "__main__":
  run()
