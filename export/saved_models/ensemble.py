# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Several SavedModels as one, which returns the weighted mean of their scores.

    p = f(Σ_m w_m T_m(p_m)),   w_m >= 0

    probabilities  T(p) = p          f(x) = x
    logits         T(p) = logit p    f(x) = σ(x),   p clipped to [ε, 1 − ε]
    ranks          T_m(p) = F_m(p)   f(x) = x,      F_m linear between its knots

This is the blend that `eval/blending/averaging.py` computes from stored predictions. The
result has the signatures of a member (`signatures.py`). Its graph consists of the graphs
of the members, so that no checkpoint is needed. It parses each record once, and every
member cuts the video to its own number of frames. To the files of `writer.py` it adds

    assets.extra/ensemble.json     members, weights, averaging, bytes (`ensemble_file`)
"""

import dataclasses
import os
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.artifacts import identity
from yt8m.artifacts.saved_model import PREDICT_FEATURES
from yt8m.artifacts.saved_model import Contract
from yt8m.artifacts.saved_model import SavedModel
from yt8m.artifacts.thresholds import Thresholds
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.blending import averaging
from yt8m.eval.blending import candidates
from yt8m.eval.blending import ensemble_file
from yt8m.export.saved_models import compression
from yt8m.export.saved_models import model_card
from yt8m.export.saved_models import signatures
from yt8m.export.saved_models import warmup
from yt8m.export.saved_models import writer
from yt8m.models.layers import log_odds


def from_directories(paths: Sequence[str], weights: Sequence[Any],
                     **attributes: Any) -> ensemble_file.EnsembleFile:
  """Returns an ensemble of SavedModels that no search chose.

  The members have the names that `yt8m-ensemble search` would give them.

  Args:
    paths: Paths of M SavedModels.
    weights: M weights, or M arrays of num_classes weights.
    **attributes: Other attributes of `ensemble_file.EnsembleFile`.
  """
  return ensemble_file.EnsembleFile(tuple(
      ensemble_file.Member(SavedModel(path, name), np.asarray(weight).tolist())
      for path, name, weight in zip(
          paths, candidates.names(paths), weights, strict=True)), **attributes)


def save(ensemble: ensemble_file.EnsembleFile, output_dir: str, *,
         top_k: int | None = None, names: Vocabulary | None = None,
         limits: Thresholds | None = None, overwrite: bool = False,
         warmup_requests: int = 0, earlier: str | None = None) -> signatures.Signatures:
  """Writes an ensemble as a SavedModel, completely or not at all.

  Args:
    ensemble: Members, whose weights may be stored in any format; their blend; and the
      number of bytes that the result must not exceed.
    output_dir: Path of the SavedModel, which must not exist or be empty.
    top_k: Number of classes that `serving_default` returns; None means 20, or all.
    names: Names of the classes. Default: those of the members, which must agree.
    limits: Thresholds of the classes, chosen for the scores of the ensemble.
    overwrite: Whether a SavedModel of ours at `output_dir` is replaced.
    warmup_requests: Number of stored warm-up requests; see `warmup.write`.
    earlier: Path of a SavedModel; if it is the same one, no other is written.

  Returns:
    The signatures of the SavedModel.

  Raises:
    ValueError: The members cannot be combined, or one of them is damaged; weights or
      knots do not fit them; `top_k` or `warmup_requests` is out of range; or the result
      exceeds the budget.
    FileNotFoundError: A member, or a file of it, is missing.
    FileExistsError: There is something at `output_dir` that must stay.
  """
  warmup.check(warmup_requests)
  contract = join([member.model for member in ensemble.members])
  names = names or common_names([member.model for member in ensemble.members])
  blend = _blend(ensemble, contract.num_classes)
  with writer.new_directory(output_dir, overwrite, earlier) as directory:
    # If the module held the loaded objects, all their signatures would be saved, too.
    loaded = [member.model.load(PREDICT_FEATURES) for member in ensemble.members]
    predicts = [member.signatures[PREDICT_FEATURES] for member in loaded]
    variables = [v for predict in predicts for v in predict.variables]

    def score(inputs: dict[str, Any]) -> dict[str, tf.Tensor]:
      xs = {**inputs["features"], "num_frames": inputs["num_frames"]}
      scores = [
          predict(**{name: xs[name] for name in predict.structured_input_signature[1]})
          ["predictions"] for predict in predicts]
      return {"predictions": blend(scores), "members": tf.stack(scores, axis=1)}

    traced = writer.write(directory, contract, score, variables, top_k, names, limits)
    stored = dataclasses.replace(ensemble, search={}, members=tuple(
        dataclasses.replace(member, stored_as=compression.load_format(
            os.path.join(member.model.directory, writer.EXTRA)))
        for member in ensemble.members))
    stored.save(os.path.join(directory, writer.EXTRA, ensemble_file.NAME))
    writer.finish(directory, contract, warmup_requests, model_card.of_ensemble(
        directory, contract, traced, stored, names, limits), identity_of(ensemble))
    num_bytes, budget = files.bytes_on_disk(directory), ensemble.budget_bytes
    if budget is not None and num_bytes > budget:
      raise ValueError(
          f"The ensemble takes {num_bytes:,} bytes, its {len(predicts)} members alone "
          f"{ensemble.bytes:,}, and the budget is {budget:,}. Choose fewer or smaller "
          "members, export them with --weights=float16 or int8, or raise the budget.")
  return traced


def identity_of(ensemble: ensemble_file.EnsembleFile) -> identity.Identity:
  """Returns what thresholds name an ensemble by: its members, weights and averaging."""
  return identity.of_parts(ensemble.averaging, [
      [dict(member.model.identity), member.weight, member.rank_knots or []]
      for member in ensemble.members])


def join(models: Sequence[SavedModel]) -> Contract:
  """Returns the contract of several models together.

  Its features are those of all models, and its `max_frames` is the largest.

  Raises:
    ValueError: There are no models, or two of them differ in level, in number of
      classes, in extractor, or in the size, type or range of a feature. The message
      names both.
    FileNotFoundError: A directory is not a SavedModel of ours.
  """
  if not models:
    raise ValueError("An ensemble needs at least one member.")
  first, features, sources, ranges = models[0], {}, {}, {}
  extractor = next((model.spec.extractor for model in models if model.spec.extractor),
                   None)
  for model in models:
    for what, ours, others in (
        ("levels", model.spec.level, first.spec.level),
        ("numbers of classes", model.num_classes, first.num_classes),
        ("extractors", model.spec.extractor or extractor, extractor)):
      if ours != others:
        raise ValueError(f"{model} and {first} have different {what}, {ours} and "
                         f"{others}: they cannot be one model. Leave one out.")
    ranges |= model.spec.ranges
    for name, size, dtype in zip(
        model.spec.names, model.spec.sizes, model.spec.dtypes, strict=True):
      feature = size, dtype, model.spec.ranges.get(name)
      for what, ours, others in zip(
          ("sizes", "types", "ranges"), feature, features.setdefault(name, feature),
          strict=True):
        if ours != others:
          raise ValueError(
              f"{model} and {sources[name]} read feature {name!r} with different {what}, "
              f"{ours} and {others}: they cannot be one model. Leave one out.")
      sources.setdefault(name, model)
  sizes, dtypes, _ = zip(*features.values(), strict=True)
  spec = feature_spec.FeatureSpec(features, sizes, first.spec.level, dtypes,
                                  extractor=extractor, ranges=ranges)
  return Contract(spec, max(model.max_frames for model in models), first.num_classes)


def common_names(models: Sequence[SavedModel]) -> Vocabulary | None:
  """Returns the names of the classes of several models; None if no model has any.

  Raises:
    ValueError: Two models have different names; the message names both.
  """
  named = [(model, names) for model in models if (names := model.vocabulary)]
  for model, names in named[1:]:
    first, expected = named[0]
    if names != expected:
      ours, theirs = next(pair for pair in zip(names.names, expected.names, strict=True)
                          if pair[0] != pair[1])
      raise ValueError(
          f"{model} and {first} have different names of the same class, {ours!r} and "
          f"{theirs!r}: they cannot be one model. Leave one out, or, if the classes are "
          "the same, give their names with --vocabulary.")
  return named[0][1] if named else None


def _blend(ensemble: ensemble_file.EnsembleFile,
           num_classes: int) -> Callable[[list[tf.Tensor]], tf.Tensor]:
  """Returns the function that blends M scores, each (batch_size, num_classes)."""
  weights = np.asarray(ensemble.weights, np.float32)
  shapes = (len(weights),), (len(weights), num_classes)
  if weights.shape not in shapes:
    raise ValueError(f"The weights have the shape {weights.shape}; {shapes[0][0]} "
                     f"members and {num_classes} classes require {shapes[0]} or "
                     f"{shapes[1]}.")
  if not (np.isfinite(weights) & (weights >= 0)).all():
    raise ValueError(f"A weight is negative or not a number: {weights.tolist()}.")
  how = ensemble.averaging
  averaging.check(how)
  knots = [member.rank_knots or [] for member in ensemble.members]
  if how == "ranks" and any(
      np.size(x) < 2 or not (np.diff(x) >= 0).all() for x in knots):
    raise ValueError(f"Averaging ranks requires rank_knots of each of the {len(knots)} "
                     "members: two or more, ascending.")

  def blend(scores: list[tf.Tensor]) -> tf.Tensor:
    if how == "logits":
      scores = [log_odds.logit(p, averaging.EPSILON, averaging.EPSILON) for p in scores]
    elif how == "ranks":
      scores = list(map(interpolate, scores, knots))
    blended = tf.add_n([w * x for w, x in zip(weights, scores, strict=True)])
    return tf.sigmoid(blended) if how == "logits" else blended

  return blend


def interpolate(x: tf.Tensor, knots: Any) -> tf.Tensor:
  """Returns F(x), as `averaging.apply_knots` does in numpy.

      F(x) = (k + (x − x_k) / (x_{k+1} − x_k)) / (K − 1),   x_k <= x < x_{k+1}

  Args:
    x: Float32 tensor of any shape.
    knots: K >= 2 ascending numbers x_k. Of equal knots the last one counts.
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
