# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A table of models to train and compare, as `yt8m-ablation` reads it."""

import dataclasses
import json
import os
import re

from yt8m.configs import recipes
from yt8m.core import files

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclasses.dataclass(frozen=True)
class Row:
  """One model of a table.

  Attributes:
    name: of the row, and of its directory.
    flags: flags of `yt8m-train`, laid over those common to the table.
    evaluate: flags of `yt8m-eval`, laid over the table's. Rows that differ in nothing
      else are one training, evaluated once for each of them.
    paired_with: name of the row that this one is compared with, seed by seed; None
      takes the table's.
    figures: `{column: text}`, columns to print beside the measured ones, e.g. what a
      paper reports; one such as "GAP, published" stands beside our GAP.
  """
  name: str
  flags: dict
  evaluate: dict = dataclasses.field(default_factory=dict)
  paired_with: str | None = None
  figures: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Table:
  """Rows that are trained and evaluated alike.

  In the values of flags, `{data}` stands for `--data_dir` and `{sample}` for the
  sample data set of the table.

  Attributes:
    name: of the table, and of its directory.
    title: its heading.
    rows: list of `Row`.
    common: flags of `yt8m-train` of every row, without seed and directory.
    evaluate: flags of `yt8m-eval` of every row.
    sample_data: flags of `yt8m-sample-data`, if the table is measured on such data.
    paired_with: name of the row that the others are compared with, or None.
    note: Markdown, printed under the heading: above all how settings were chosen.
  """
  name: str
  title: str
  rows: list
  common: dict
  evaluate: dict
  sample_data: dict | None = None
  paired_with: str | None = None
  note: str = ""

  @classmethod
  def from_config(cls, config):
    """Checks and converts a dictionary, as it stands in a JSON file.

    Raises:
      ValueError: says which entry is wrong.
    """
    where = f"table {config.get('name')!r}"
    rows = [_make(Row, row, f"row {row.get('name')!r} of {where}")
            for row in config.get("rows", [])]
    table = _make(cls, {**config, "rows": rows}, where)
    names = [row.name for row in rows]
    for name in (table.name, *names):
      if not _NAME.fullmatch(name):
        raise ValueError(f"{where}: {name!r} names a directory; use letters, digits and "
                         "any of . _ + -")
    if len(set(names)) < len(names) or not names:
      raise ValueError(f"{where} needs rows, each with a name of its own: "
                       f"{', '.join(names) or 'none given'}.")
    for row in rows:
      if table.reference(row) not in (None, *names):
        raise ValueError(f"row {row.name!r} of {where} is paired with "
                         f"{table.reference(row)!r}. Rows: {', '.join(names)}.")
    return table

  def reference(self, row):
    """Name of the row that `row` is compared with, or None."""
    return row.paired_with or self.paired_with

  def settings(self, row, seed):
    """Everything that a run depends on: equal settings, equal run."""
    train = {**self.common, **row.flags, "seed": seed}
    settings = {"train": train, "evaluate": {**self.evaluate, **row.evaluate},
                "sample_data": self.sample_data,
                "recipe": dataclasses.asdict(recipes.RECIPES[train["model"]])
                          if "model" in train else None}
    return json.loads(json.dumps(settings))  # as it comes back from a file

  def select(self, names):
    """The rows with these names; all of them without names.

    Raises:
      ValueError: there is no such row.
    """
    valid = [row.name for row in self.rows]
    for name in names:
      if name not in valid:
        raise ValueError(f"--rows: table {self.name!r} has no row {name!r}. Rows: "
                         f"{', '.join(valid)}.")
    return [row for row in self.rows if not names or row.name in names]


def _make(cls, config, where):
  fields = dataclasses.fields(cls)
  unknown = sorted(set(config) - {field.name for field in fields})
  missing = [field.name for field in fields if field.name not in config
             and field.default is dataclasses.MISSING
             and field.default_factory is dataclasses.MISSING]
  if unknown or missing:
    raise ValueError(
        f"{where}: " + "; ".join(
            [f"unknown entry {name!r}" for name in unknown]
            + [f"entry {name!r} is missing" for name in missing])
        + f". Valid: {', '.join(field.name for field in fields)}.")
  return cls(**config)


def load(name, tables):
  """Returns the `Table` that `--table` names: one of `tables`, or a JSON file.

  Raises:
    ValueError: no such table, or the file holds none.
    FileNotFoundError: no such file.
  """
  if name in tables:
    return Table.from_config(tables[name])
  if not name.endswith(".json"):
    raise ValueError(f"Unknown --table={name}. Valid: {', '.join(sorted(tables))}, or "
                     "the path of a JSON file.")
  with files.open_to_read(name) as file:
    try:
      config = json.loads(file.read())
    except json.JSONDecodeError as error:
      raise ValueError(f"--table={name} is not JSON: {error}.") from error
  if not isinstance(config, dict):
    raise ValueError(f"--table={name} must hold one JSON object.")
  return Table.from_config(
      {"name": os.path.splitext(os.path.basename(name))[0], **config})


def arguments(flags, **places):
  """Command line of `{flag: value}`, with the placeholders `{place}` filled in."""
  return [_argument(name, value, places) for name, value in flags.items()]


def _argument(name, value, places):
  if isinstance(value, bool):
    return f"--{name}" if value else f"--no{name}"
  text = json.dumps(value) if isinstance(value, (dict, list)) else str(value)
  for place, path in places.items():
    text = text.replace("{" + place + "}", path)
  return f"--{name}={text}"
