# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The records of a table: the user's own, or a sample data set."""

import os
import pathlib

from yt8m.core import child_processes
from yt8m.core import files
from yt8m.eval.ablations import table as ablation_table


def check_data_dir(table: ablation_table.Table, directory: str, data_dir: str) -> None:
  """Checks that the results in a directory are of the same records; notes which.

  Args:
    table: Table, which may read no records in `data_dir`.
    directory: Directory of the table.
    data_dir: Value of `--data_dir`.

  Raises:
    ValueError: There are results of other records.
  """
  if not any("{data}" in pattern for pattern in table.data_patterns()):
    return
  path = os.path.join(directory, "data.json")
  data_dir = os.path.realpath(data_dir) if not files.is_remote(data_dir) else data_dir
  if os.path.exists(path):
    before = files.read_json(path, kind="a record of yt8m-ablation", remedy="Delete it",
                             parse=lambda content: content["data_dir"])
    if before != data_dir:
      raise ValueError(
          f"{directory} holds results of --data_dir={before}, not of {data_dir}: choose "
          f"another --output_dir. If the records are the same ones, delete {path}.")
  files.write_json(path, {"data_dir": data_dir})


def sample_command(table: ablation_table.Table, path: str) -> list[str]:
  """Returns the command that writes the sample data set of a table."""
  return ["yt8m-sample-data", f"--output_dir={path}",
          *ablation_table.arguments(table.sample_data or {})]


def prepare_sample_data(table: ablation_table.Table, directory: str,
                        runner: child_processes.Runner) -> str:
  """Writes the sample data set of a table unless it exists; returns its path."""
  path = os.path.join(directory, "sample")
  marker = os.path.join(directory, "sample.json")
  if os.path.exists(marker):
    if table.sample_data == files.read_json(
        marker, kind="the flags of a sample data set", remedy="Delete it"):
      return path
    os.remove(marker)
  command = sample_command(table, path)
  if os.path.exists(path):
    command.append("--overwrite")
  log_path = pathlib.Path(directory, "sample-log.txt")
  log_path.unlink(missing_ok=True)
  with open(log_path, "w") as log:
    runner.run(command, log)
  files.write_json(marker, table.sample_data)
  return path
