# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What `yt8m-train --list` and `--describe` print: all options, and one in full."""

import inspect
import itertools
import json
import re
import textwrap
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from yt8m.configs import hparams
from yt8m.configs import recipes
from yt8m.core import docstrings
from yt8m.core import option_pages
from yt8m.core import registry
from yt8m.models import registries
from yt8m.models.layers import base
from yt8m.training import catalogue
from yt8m.training import option_size

_WIDTH = 90


def listing() -> str:
  """Returns all options by kind, with one line for each."""
  sections = []
  for kind, of_kind in catalogue.kinds().items():
    longest = max(map(len, of_kind.entries))
    lines = [f"  {name:<{longest}}  " + textwrap.shorten(
        entry.summary, _WIDTH - longest - 4, placeholder=" …")
             for name, entry in of_kind.entries.items()]
    sections.append("\n".join([f"{kind} ({of_kind.chosen_by})", *lines]))
  return "\n\n".join([*sections, "--describe=<name> says more about one of them."])


def description(name: str) -> str:
  """Returns the pages of every option that a text may mean; the flags say the sizes.

  Raises:
    ValueError: There is no such option.
  """
  return "\n\n".join(itertools.starmap(_page_with_size, find(name)))


def kept() -> str:
  """Returns the content of `option_pages.FILE`. The flags must have been read."""
  pages = {kind: {name: _page_with_size(kind, name) for name in of_kind.entries}
           for kind, of_kind in catalogue.kinds().items()}
  return option_pages.write(pages, listing(), tf.__version__)


def _page_with_size(kind: str, name: str) -> str:
  return page(kind, name, option_size.of_flags(kind, name))


def find(name: str) -> list[tuple[str, str]]:
  """Returns the kind and the name of every option that a text may mean.

  Args:
    name: Name, or `kind:name`. A class of the user's own is
      `kind:my_package.my_module:MyClass`.

  Raises:
    ValueError: There is no such option; the error lists close and valid names.
  """
  kinds = catalogue.kinds()
  kind, colon, rest = name.partition(":")
  if colon and kind not in kinds:
    raise registry.unknown("kind", kind, kinds, "Write --describe=kind:name, also for a "
                           f"class of your own: --describe=aggregation:{name}.")
  if colon:
    kinds, name = {kind: kinds[kind]}, rest
    if ":" in name and kind in hparams.OPTIONS:
      hparams.OPTIONS[kind][name]  # A class that cannot be imported is an error here.
      return [(kind, name)]
  if found := [(kind, name) for kind in kinds if name in kinds[kind].entries]:
    return found
  raise option_pages.unknown(
      name, {kind: of_kind.entries for kind, of_kind in kinds.items()})


def page(kind: str, name: str, sizes: Iterable[str] = ()) -> str:
  """Returns everything about an option.

  Args:
    kind: Kind of the option.
    name: Name of the option.
    sizes: Lines about the number of its parameters.
  """
  of_kind = catalogue.kinds()[kind]
  entry = of_kind.entries.get(name) or catalogue.option_entry(hparams.OPTIONS[kind][name])
  about = docstrings.inherited(entry.source) if entry.source else docstrings.Docstring()
  parts = [f"{kind} {name} ({of_kind.chosen_by})", option_pages.filled(entry.summary)]
  if about.summary not in ("", entry.summary):  # The name is a value of an argument.
    parts.append(option_pages.filled(about.summary))
  if equations := about.equations or entry.equations:
    parts.append(equations)
  if entry.recipe:
    parts.append(_recipe(entry.recipe))
  if entry.parameters:
    parts.append("\n".join([
        "Hyperparameters (--set):" if of_kind.hparams_prefix else "Arguments:",
        *(_parameter(of_kind.hparams_prefix, parameter, about.arguments.get(name, ""))
          for name, parameter in entry.parameters.items())]))
  parts += map(option_pages.filled, _references(entry.source, about.reference))
  if lines := list(sizes):
    parts.append(option_pages.filled(*lines))
  return "\n\n".join(parts)


def _parameter(prefix: str, parameter: inspect.Parameter, description: str) -> str:
  """Returns a hyperparameter as `--set` takes it, its type, and what it means."""
  default, kind = parameter.default, parameter.annotation
  shown = "" if default is parameter.empty else f"={_value(default)}"
  if kind is not parameter.empty:
    kind = inspect.formatannotation(kind).replace("typing.", "")
  else:
    kind = "" if default in (None, parameter.empty) else type(default).__name__
  if default is parameter.empty:
    kind = f"{kind}, required".removeprefix(", ")
  head = f"  {prefix}{parameter.name}{shown}" + (f"  ({kind})" if kind else "")
  if not description:
    return head
  return f"{head}\n{option_pages.filled(description, indent=' ' * 6)}"


def _value(value: Any) -> str:
  """Returns a value as it is typed: text as it is, anything else as JSON."""
  try:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
  except TypeError:
    return str(value)


def _recipe(recipe: recipes.Recipe) -> str:
  """Returns the choices of a recipe as the flags that would make them."""
  lines = ["The same as:", *(["  --frame_features"] if recipe.frame_level else [])]
  for part, value in recipe.options.items():
    options = hparams.OPTIONS.get(part)
    if options is None and not isinstance(value, dict):
      lines.append(f"  --{part}={value}")
      continue
    config = registries.normalise_config(value)
    if name := config.pop("name", None):
      lines.append(f"  --{part}={name}")
    lines += [f"  --set {part}.{key}={_value(entry)}" if isinstance(
        entry, (str, int, float, bool)) else f"  --set {part}.{key}='{_value(entry)}'"
              for key, entry in config.items()]
  lines += [f"  --{name}={value}" for name, value in recipe.flags.items()]
  return "\n".join(lines)


def _references(source: Any, reference: str) -> Iterator[str]:
  """Yields a reference, and those of the layers that it names."""
  if not reference:
    return
  yield f"Reference: {reference}"
  layers = {layer.__name__: layer for layer in _subclasses(base.Configured)}
  for name in re.findall(r"`(\w+)`", reference):
    layer = layers.get(name)
    if layer is None or layer is source:
      continue
    if inner := docstrings.inherited(layer).reference:
      yield f"`{name}`: {inner}"


def _subclasses(cls: type) -> Iterator[type]:
  for subclass in cls.__subclasses__():
    yield subclass
    yield from _subclasses(subclass)
