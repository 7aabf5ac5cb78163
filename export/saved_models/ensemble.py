# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Several SavedModels as one, which answers what they say together.

    p = f(Σ_m w_m T_m(p_m)),   w_m >= 0

    probabilities  T(p) = p          f(x) = x
    logits         T(p) = logit p    f(x) = σ(x),   p kept in [ε, 1 − ε]
    ranks          T_m(p) = F_m(p)   f(x) = x,      F_m linear between its knots

as `eval/blending/averaging.py` blends stored predictions. The result has the
signatures of a member (`signatures.py`). Its graph is made of the graphs of the
members, so that no checkpoint is needed; it parses a record once, for all of them, and
every member cuts the video to its own number of frames. What it adds to the files of
`writer.py`:

    assets.extra/ensemble.json     members, weights, averaging, bytes
"""

import json
import os

import numpy as np
import tensorflow as tf

from yt8m.artifacts import manifest
from yt8m.artifacts.saved_model import Served
from yt8m.artifacts.saved_model import load
from yt8m.core import directories
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.eval.blending import averaging as averages
from yt8m.eval.blending import candidates
from yt8m.export.saved_models import compression
from yt8m.export.saved_models import model_card
from yt8m.export.saved_models import warmup
from yt8m.export.saved_models import writer


def save(members, weights, output_dir, averaging="probabilities", rank_knots=None,
         top_k=20, vocabulary=None, budget_bytes=None, overwrite=False,
         warmup_requests=0, scores=None):
  """Writes the ensemble as a SavedModel, as a whole or not at all.

  Args:
    members: M directories of SavedModels that `yt8m-export` wrote, their weights stored
      in any format.
    weights: w, `(M,)`, or `(M, num_classes)`: one a class.
    output_dir, top_k, vocabulary, overwrite: as of `writer.save`.
    averaging: one of `averaging.AVERAGINGS`.
    rank_knots: of ranks: M arrays of `averaging.rank_knots`.
    budget_bytes: what the result may take on disk, or None.
    warmup_requests: as of `writer.save`.
    scores: `{what: GAP}`, for the model card.

  Returns:
    `{signature: tf.types.experimental.ConcreteFunction}`.

  Raises:
    ValueError: members that do not go together, weights or knots that do not fit them,
      `top_k` or `warmup_requests` out of range, a member that is not what its
      `manifest.json` says, or a result larger than `budget_bytes`.
    FileNotFoundError: a member, a file of it, or the file `vocabulary`, is missing.
    FileExistsError: `output_dir` has files in it.
  """
  warmup.check(warmup_requests)
  served = join(members)
  blend = _blend(_checked_weights(weights, members, served.num_classes), averaging,
                 rank_knots)
  with directories.atomic_directory(
      output_dir, overwrite=overwrite, owned=manifest.SAVED_MODEL,
      remedy=writer.EXISTS) as directory:
    # A module that held what is loaded would take all its signatures along.
    loaded = [load(path) for path in members]
    predicts = [member.signatures["predict_features"] for member in loaded]
    variables = [v for predict in predicts for v in predict.variables]

    def score(inputs):
      xs = {**inputs["features"], "num_frames": inputs["num_frames"]}
      return {"predictions": blend([
          predict(**{name: xs[name] for name in predict.structured_input_signature[1]})
          ["predictions"] for predict in predicts])}

    traced = writer.write(directory, served, score, variables, top_k, vocabulary)
    sizes = [files.bytes_on_disk(path) for path in members]
    described = _describe(directory, members, sizes, weights, averaging)
    warmup.write(directory, served, warmup_requests)
    model_card.write(directory, model_card.of_ensemble(
        directory, served, traced, described, averaging, budget_bytes, scores))
    manifest.write(directory)
    _check_budget(files.bytes_on_disk(directory), sizes, budget_bytes)
  return traced


def join(members):
  """`Served` that has what every member needs.

  The features are the union; `max_frames` is the largest.

  Raises:
    ValueError: no members, or two of different level, number of classes, or sizes of a
      feature (both are named).
    FileNotFoundError: a member is no SavedModel of ours.
  """
  if not members:
    raise ValueError("An ensemble needs at least one member.")
  first, sizes, sources, max_frames = None, {}, {}, 1
  for path in members:
    served = Served.load(path)
    first = first or served
    for what, ours, others in (
        ("levels", served.spec.level, first.spec.level),
        ("numbers of classes", served.num_classes, first.num_classes)):
      if ours != others:
        raise ValueError(f"{path} and {members[0]} have different {what}, {ours} and "
                         f"{others}: they cannot be one model. Leave one out.")
    for name, size in zip(served.spec.names, served.spec.sizes, strict=True):
      if sizes.setdefault(name, size) != size:
        raise ValueError(
            f"{path} and {sources[name]} read feature {name!r} with different sizes, "
            f"{size} and {sizes[name]}: they cannot be one model. Leave one out.")
      sources.setdefault(name, path)
    max_frames = max(max_frames, served.max_frames)
  spec = feature_spec.FeatureSpec(tuple(sizes), tuple(sizes.values()), first.spec.level)
  return Served(spec, max_frames, first.num_classes)


def _checked_weights(weights, members, num_classes):
  weights = np.asarray(weights, np.float32)
  shapes = (len(members),), (len(members), num_classes)
  if weights.shape not in shapes:
    raise ValueError(f"The weights have the shape {weights.shape}; {len(members)} "
                     f"members and {num_classes} classes want {shapes[0]} or "
                     f"{shapes[1]}.")
  if not (np.isfinite(weights) & (weights >= 0)).all():
    raise ValueError(f"A weight is negative or not a number: {weights.tolist()}.")
  return weights


def _blend(weights, averaging, rank_knots):
  """The function from M scores, each `(B, C)`, to p of the equation."""
  averages.check(averaging)
  if averaging == "ranks" and (
      len(rank_knots or ()) != len(weights)
      or any(np.size(x) < 2 or not (np.diff(x) >= 0).all() for x in rank_knots)):
    raise ValueError(f"Averaging ranks wants rank_knots of each of the {len(weights)} "
                     "members: two or more, ascending.")

  def blend(scores):
    if averaging == "logits":
      scores = map(_logit, scores)
    elif averaging == "ranks":
      scores = map(interpolate, scores, rank_knots)
    blended = tf.add_n([w * x for w, x in zip(weights, scores, strict=True)])
    return tf.sigmoid(blended) if averaging == "logits" else blended

  return blend


def _logit(p):
  p = tf.clip_by_value(p, averages.EPSILON, 1 - averages.EPSILON)
  return tf.math.log(p) - tf.math.log1p(-p)


def interpolate(x, knots):
  """F(x), as TensorFlow computes what `averaging.apply_knots` does in numpy.

      F(x) = (k + (x − x_k) / (x_{k+1} − x_k)) / (K − 1),   x_k <= x < x_{k+1}

  Args:
    x: float32, any shape.
    knots: `(K,)`, ascending, K >= 2; of equal knots the last one counts.
  """
  knots = tf.constant(knots, tf.float32)
  last = knots.shape[0] - 1
  flat = tf.reshape(x, [-1])
  # Beyond the ends F is 0 and 1.
  k = tf.clip_by_value(tf.searchsorted(knots, flat, side="right") - 1, 0, last - 1)
  low, high = tf.gather(knots, k), tf.gather(knots, k + 1)
  share = tf.maximum(tf.math.divide_no_nan(flat - low, high - low), 0.0)
  share = tf.where(flat < high, share, 1.0)
  return tf.reshape((tf.cast(k, tf.float32) + share) / last, tf.shape(x))


def _describe(directory, members, sizes, weights, averaging):
  """Writes `assets.extra/ensemble.json`; returns what it says of the members."""
  path = os.path.join(directory, writer.EXTRA, "ensemble.json")
  described = [
      {"name": name, "saved_model": os.fspath(member), "bytes": size, "weight": weight,
       "stored_as": compression.load_format(os.path.join(member, writer.EXTRA))}
      for name, member, size, weight in zip(
          candidates.names(members), members, sizes,
          np.asarray(weights).tolist(), strict=True)]
  with files.atomic_write(path) as file:
    json.dump({"format": 1, "averaging": averaging, "members": described}, file,
              indent=1)
  return described


def _check_budget(num_bytes, sizes, budget_bytes):
  if budget_bytes is not None and num_bytes > budget_bytes:
    raise ValueError(
        f"The ensemble takes {num_bytes:,} bytes, its {len(sizes)} members alone "
        f"{sum(sizes):,}, and the budget is {budget_bytes:,}. Choose fewer or smaller "
        "members, export them with --weights=float16 or int8, or raise the budget.")
