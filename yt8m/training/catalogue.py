# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Everything that yt8m-train can be told to use by name, by kind.

The names come from the registries and tables that the flags use as well, and what is
said about them from docstrings, so that nothing is listed twice.
"""

import dataclasses
import functools
import inspect
import re
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from yt8m.configs import hparams
from yt8m.configs import recipes
from yt8m.core import docstrings
from yt8m.models import losses
from yt8m.models import mixture
from yt8m.models import named_losses
from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.models.layers import frame_sampling
from yt8m.models.layers import input_features
from yt8m.training import optimizers
from yt8m.training import weight_averaging


@dataclasses.dataclass(frozen=True)
class Entry:
  """Something that has a name.

  Attributes:
    summary: What it is, in one sentence.
    source: Class or function whose docstring describes it; None if there is none.
    parameters: The parameters of its constructor that are hyperparameters. The keys are
      the names that its docstring has, the names in the values those for `--hparams`.
    equations: Equations, if the docstring of the source has none.
    recipe: The recipe, if it is one.
  """
  summary: str
  source: Any = None
  parameters: Mapping[str, inspect.Parameter] = dataclasses.field(default_factory=dict)
  equations: str = ""
  recipe: recipes.Recipe | None = None


@dataclasses.dataclass(frozen=True)
class Kind:
  """A set of names of which a flag or a hyperparameter takes one.

  Attributes:
    chosen_by: How one of them is chosen, such as `"--fusion"`.
    entries: The entries by name.
    hparams_prefix: Beginning of the paths of their hyperparameters, such as
      `"aggregation."`; "" if `yt8m-train` cannot change their arguments.
  """
  chosen_by: str
  entries: Mapping[str, Entry]
  hparams_prefix: str = ""


def kinds() -> dict[str, Kind]:
  """Returns all kinds by name, in the order in which a video meets them."""
  found = {
      "recipe": Kind("--model", {
          name: Entry(_recipe_summary(recipes.RECIPES[name]),
                      recipe=recipes.RECIPES[name]) for name in recipes.RECIPES}),
      "sampling": _choices(
          "--set sampling.method", frame_sampling.METHODS, frame_sampling.FrameSampling,
          frame_sampling.frame_indices, "sampling."),
      "normalization": _choices(
          "--normalization", input_features.NORMALIZATIONS,
          input_features.InputFeatures, input_features.InputFeatures),
  }
  for part, options in hparams.OPTIONS.items():
    found[part] = Kind(f"--{part}", {
        name: option_entry(options[name]) for name in options}, f"{part}.")
  branches = inspect.Parameter("branches", inspect.Parameter.KEYWORD_ONLY, annotation=int)
  found["mixture"] = Kind("--set mixture.branches", {"mixture": _described(
      mixture.Mixture, {"num_branches": branches, **_hyperparameters(mixture.Mixture)})},
                          "mixture.")
  found["loss"] = Kind("--label_loss", {
      name: _described(loss, named_losses.hyperparameters(loss))
      for name, loss in sorted(losses.LOSSES.items())}, "label_loss.")
  available, _ = optimizers.available()
  found["optimizer"] = Kind("--optimizer", {
      name: _optimizer(available[name]) for name in sorted(available)}, "optimizer.")
  found["schedule"] = Kind("--learning_rate_schedule", {
      name: _described(source, inspect.signature(source).parameters)
      for name, source in optimizers.SCHEDULES.items()})
  found["clipping"] = _choices(
      "--gradient_clipping", optimizers.CLIPPING, optimizers.clip_gradients,
      optimizers.clip_gradients)
  found["averaging"] = Kind("--weight_averaging", {
      name: _described(source, _parameters(source, "model", "strategy"))
      if source else Entry("Uses the weights themselves.")
      for name, source in weight_averaging.KINDS.items()})
  return found


def option_entry(option: Any) -> Entry:
  """Returns the entry of the class of an option."""
  return _described(option, _hyperparameters(option))


def _described(source: Any, parameters: Mapping[str, inspect.Parameter]) -> Entry:
  return Entry(docstrings.inherited(source).summary, source, parameters)


def _parameters(source: Any, *left_out: str) -> dict[str, inspect.Parameter]:
  return {name: parameter
          for name, parameter in inspect.signature(source).parameters.items()
          if name not in left_out}


def _hyperparameters(option: Any) -> dict[str, inspect.Parameter]:
  """Returns what `--hparams` can set, as `registries.check_hparams` allows it."""
  parameters = base.constructor_parameters(option)
  return {name: parameters[name] for name in registries.hparam_defaults(option)}


def _choices(chosen_by: str, names: Iterable[str], source: Any, described_in: Any,
             hparams_prefix: str = "") -> Kind:
  """Returns a kind whose names are values of one argument, with a line for each.

  Args:
    chosen_by: As in `Kind`.
    names: The names.
    source: Class or function that has the argument.
    described_in: Class or function whose equations have a line `name: …` for each.
    hparams_prefix: As in `Kind`.
  """
  equations = docstrings.inherited(described_in).equations
  parameters = base.constructor_parameters(source) if hparams_prefix else {}
  entries = {}
  for name in names:
    line = re.search(rf"^ +{name}: +(.*)", equations, re.MULTILINE)
    summary = line[1].rstrip(";") if line else ""
    entries[name] = Entry(summary, source, parameters, equations)
  return Kind(chosen_by, entries, hparams_prefix)


def _optimizer(entry: Any) -> Entry:
  changes = entry.keywords if isinstance(entry, functools.partial) else {}
  source = entry.func if isinstance(entry, functools.partial) else entry
  # Ours compute what those of Keras do, which describe their arguments.
  described = next((base for base in source.__mro__
                    if not base.__module__.startswith("yt8m.")), source)
  shown = ", ".join(f"{name}={value}" for name, value in changes.items())
  return Entry(f"{described.__name__} with {shown}." if shown
               else docstrings.inherited(described).summary, described,
               optimizers.hyperparameters(entry))


def _recipe_summary(recipe: recipes.Recipe) -> str:
  """Returns the options of a recipe in words, such as "frames: concat, mean, moe"."""
  steps = [recipe.options.get(part, default) for part, default in (
      ("fusion", "concat"), ("aggregation", None), ("classifier", "logistic"))]
  names = [registries.normalise_config(step)["name"] for step in steps if step]
  return f"{'Frames' if recipe.frame_level else 'Vectors'}: {', '.join(names)}."
