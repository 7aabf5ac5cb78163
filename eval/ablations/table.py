# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A table of models to train and compare, as `yt8m-ablation` reads it."""

import dataclasses
import inspect
import itertools
import json
import os
import pathlib
import re
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from absl import flags

from yt8m.configs import recipes
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import registry
from yt8m.core import types
from yt8m.models import losses

_FLAG = (fields.TEXT | fields.NUMBER | fields.BOOL | fields.OBJECT
         | fields.list_of(fields.ANY, "values"))
_FLAGS = fields.object_of(
    _FLAG, "flags: texts, finite numbers, booleans, lists or objects")
_FIGURES = fields.object_of(fields.TEXT, "texts")

# Kinds of the entries of a table and of its rows.
_KINDS = {"name": fields.TEXT, "title": fields.TEXT, "note": fields.TEXT,
          "flags": _FLAGS, "common": _FLAGS, "evaluate": _FLAGS, "calibrate": _FLAGS,
          "sample_data": _FLAGS | fields.NULL, "figures": _FIGURES,
          "paired_with": fields.TEXT | fields.NULL}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_FLAG_NAME = re.compile(r"[a-z][a-z0-9_]*")
# A table may be from somebody else. Where files are written or deleted, and what code is
# run, is decided on the command line.
_NOT_IN_TABLES = {"train_dir", "output_dir", "checkpoint", "resume", "start_new_model",
                  "overwrite", "allow_code", "flagfile", "undefok"}
_LIBRARIES = ("absl.", "tensorflow.", "tensorboard.", "keras.")

# `{name: path}` of the tables that come with the package.
BUILT_IN = {path.stem: str(path) for path in sorted(
    (pathlib.Path(__file__).parent / "tables").glob("*.json"))}


@dataclasses.dataclass(frozen=True)
class Row:
  """One model of a table.

  Attributes:
    name: Name of the row and of its directory.
    flags: Flags of `yt8m-train`, which override those of the table.
    evaluate: Flags of `yt8m-eval`, which override those of the table. Rows that differ
      in nothing else share their trained models.
    calibrate: Flags of `yt8m-calibrate`, such as `{"num_folds": 4}`, to evaluate the
      model calibrated. Without flags it is evaluated as it is.
    paired_with: Name of the row to compare this one with, seed by seed. Default: that of
      the table.
    figures: Further columns to print, `{column: text}`, such as published results. A
      column whose title begins with that of a metric ("GAP, published") follows it.
  """
  name: str
  flags: types.Config
  evaluate: types.Config = dataclasses.field(default_factory=dict)
  calibrate: types.Config = dataclasses.field(default_factory=dict)
  paired_with: str | None = None
  figures: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Table:
  """Rows that are trained and evaluated in the same way.

  In the values of flags, `{data}` stands for `--data_dir`, and `{sample}` for the
  directory of the table's sample data set.

  Attributes:
    name: Name of the table and of its directory.
    title: Heading of the table.
    rows: Rows of the table.
    common: Flags of `yt8m-train` for every row, without seed and directory.
    evaluate: Flags of `yt8m-eval` for every row.
    sample_data: Flags of `yt8m-sample-data`, if the table uses such data.
    paired_with: Name of the row to compare the others with, or None.
    note: Markdown text below the heading: above all, how the settings were chosen.
  """
  name: str
  title: str
  rows: list[Row]
  common: types.Config
  evaluate: types.Config
  sample_data: types.Config | None = None
  paired_with: str | None = None
  note: str = ""

  @classmethod
  def from_config(cls, config: types.Config) -> "Table":
    """Makes a table from the content of a JSON file.

    Raises:
      ValueError: An entry is wrong; the message names it.
    """
    where = f"table {fields.short(config.get('name'))}"
    fields.check(config, {"rows": fields.list_of(fields.OBJECT, "objects")},
                 _KINDS, f"{where}: ")
    rows = [_make(Row, row, f"row {fields.short(row.get('name'))} of {where}")
            for row in config["rows"]]
    table = _make(cls, {**config, "rows": rows}, where)
    names = [row.name for row in rows]
    for name in (table.name, *names):
      if not _NAME.fullmatch(name):
        raise ValueError(f"{where}: {name!r} names a directory; use letters, digits and "
                         "any of . _ + -")
    if len(set(names)) < len(names) or not names:
      raise ValueError(f"{where} needs rows, each with a name of its own: "
                       f"{', '.join(names) or 'none given'}.")
    check_flags(where, table.common, table.evaluate, table.sample_data or {})
    for row in rows:
      check_flags(f"row {row.name!r} of {where}", row.flags, row.evaluate,
                  row.calibrate)
      table.settings(row, 0)  # An unknown model is an error.
      if table.reference(row) not in (None, *names):
        raise registry.unknown("paired_with", table.reference(row), names,
                               f"It belongs to row {row.name!r} of {where}.")
    return table

  def reference(self, row: Row) -> str | None:
    """Returns the name of the row that `row` is compared with, or None."""
    return row.paired_with or self.paired_with

  def settings(self, row: Row, seed: int) -> types.Config:
    """Returns everything that the result of a run depends on."""
    train = {**self.common, **row.flags, "seed": seed}
    recipe: Any = recipes.find(str(train["model"])) if "model" in train else None
    settings = {"train": train, "evaluate": {**self.evaluate, **row.evaluate},
                "sample_data": self.sample_data,
                "recipe": recipe and dataclasses.asdict(recipe)}
    if row.calibrate:
      settings["calibrate"] = {**row.calibrate, "seed": seed}
    return json.loads(json.dumps(settings))  # equal to the content of a file

  def select(self, names: Iterable[str]) -> list[Row]:
    """Returns the rows with these names, or all rows if there are no names.

    Raises:
      ValueError: There is no such row.
    """
    valid = [row.name for row in self.rows]
    for name in names:
      if name not in valid:
        raise registry.unknown("--rows", name, valid,
                               f"These are the rows of table {self.name!r}.")
    return [row for row in self.rows if not names or row.name in names]

  def data_patterns(self) -> list[str]:
    """Returns the data patterns of all flags, with their placeholders."""
    flag_sets = [self.common, self.evaluate]
    for row in self.rows:
      flag_sets += [row.flags, row.evaluate, row.calibrate]
    return [str(value) for flags in flag_sets for name, value in flags.items()
            if name.endswith("_data_pattern")]


def _make(cls, config: Mapping[str, Any], where: str):
  valid = inspect.signature(cls).parameters
  faults = [f"unknown entry {name!r}" for name in sorted(config.keys() - valid.keys())]
  faults += [f"entry {name!r} is missing" for name, parameter in valid.items()
             if parameter.default is parameter.empty and name not in config]
  if faults:
    raise ValueError(f"{where}: {'; '.join(faults)}. Valid: {', '.join(valid)}.")
  fields.check(config, {}, _KINDS, f"{where}: ")
  return cls(**config)


def check_flags(where: str, *flag_sets: types.Config) -> None:
  """Refuses flags that a table must not decide on, such as where to write.

  Raises:
    ValueError: One of them is given, or code that `--allow_code` does not allow.
  """
  # Such as --profile_file and --xml_output_file, which write anywhere.
  of_libraries = {name for module, defined in flags.FLAGS.flags_by_module_dict().items()
                  if module.startswith(_LIBRARIES) for flag in defined
                  for name in (flag.name, flag.short_name)}
  for name, value in itertools.chain(*(one.items() for one in flag_sets)):
    if (not _FLAG_NAME.fullmatch(name)
        or {name, name.removeprefix("no")} & (_NOT_IN_TABLES | of_libraries)
        or name == "strategy" and ":" in str(value)):  # An address.
      raise ValueError(f"{where}: {name!r} is not a flag that a table may set. Leave it "
                       "out, or give it to yt8m-ablation on the command line.")
    if ":" in str(value):
      # The command that is started takes the name for typed, also that of a function.
      named = {"label_loss": losses.LOSSES, "model": recipes.RECIPES,
               "recipe": recipes.RECIPES}.get(name, {str(value): None})
      named[str(value)]


def load(name: str) -> Table:
  """Returns the built-in table with this name, or the table in a JSON file.

  Args:
    name: Value of `--table`: a key of `BUILT_IN`, or the path of a JSON file.

  Raises:
    ValueError: There is no such table, or the file does not hold one.
    FileNotFoundError: There is no such file.
  """
  path = BUILT_IN.get(name, name)
  if not path.endswith(".json"):
    raise registry.unknown("--table", name, BUILT_IN, "Or give the path of a JSON file.")
  stem = os.path.splitext(os.path.basename(path))[0]
  return files.read_json(
      path, kind="a table of models",
      remedy="Name another file with --table, or correct this one",
      parse=lambda config: Table.from_config({"name": stem, **config}))


def arguments(flags: types.Config, **places: str) -> list[str]:
  """Returns flags as command-line arguments, with the placeholders filled in.

  >>> from yt8m.eval.ablations import table
  >>> table.arguments({"run_once": True, "data": "{sample}/*"}, sample="/tmp")
  ['--run_once=true', '--data=/tmp/*']
  """
  return [_argument(name, value, places) for name, value in flags.items()]


def _argument(name, value, places):
  # Always with "=": a flag without a value would take the next argument for it.
  if isinstance(value, bool):
    return f"--{name}={str(value).lower()}"
  text = json.dumps(value) if isinstance(value, (dict, list)) else str(value)
  for place, path in places.items():
    text = text.replace("{" + place + "}", path)
  return f"--{name}={text}"
