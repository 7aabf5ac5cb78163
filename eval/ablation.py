# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-ablation`: trains every row of a table with several seeds and compares them.

    yt8m-ablation --table=options-sample --output_dir=ablation --markdown=options.md

Every run is `yt8m-train` and then `yt8m-eval`, as a user would type them. Rows that
differ only in flags of `yt8m-eval` are trained once. If the command is stopped, the same
command continues with the runs that are missing.
"""

import concurrent.futures
import itertools
import os
import sys
import time
from collections.abc import Sequence

from absl import flags
from absl import logging

from yt8m.core import child_processes
from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import directories
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import live_line
from yt8m.core import log_lines
from yt8m.core import paths
from yt8m.core import plots
from yt8m.core import progress
from yt8m.eval.ablations import records
from yt8m.eval.ablations import report
from yt8m.eval.ablations import results as ablation_results
from yt8m.eval.ablations import runs as ablation_runs
from yt8m.eval.ablations import table as ablation_table

FLAGS = flags.FLAGS

flags.DEFINE_list("table", None, "Tables: " + ", ".join(ablation_table.BUILT_IN)
                  + ", or JSON files; required.")
paths.define("output_dir", None, "Directory for the runs, results.csv and chart "
             "of every table; required.")
paths.define("data_dir", None, "Directory of the records: replaces {data} in the "
             "patterns of the tables.")
flags.DEFINE_integer("seeds", 3, "Number of runs per row, with the seeds 0, 1, …",
                     lower_bound=1)
flags.DEFINE_list("rows", [], "Rows of the table to run; default: all. Finished runs of "
                  "other rows are reported too.")
flags.DEFINE_integer("num_processes", None, "Number of runs at a time; default: one per "
                     "processor.", lower_bound=1)
paths.define("markdown", None, "File for the tables as Markdown; the charts are "
             "written beside it. Default: tables.md in --output_dir.")
flags.DEFINE_bool("keep_checkpoints", False,
                  "Keep the trained models, instead of deleting them after evaluation.")
command_line.require("table", "name the tables to make")
command_line.require("output_dir", "name the directory of the runs")

STOP_SECS = 30.0  # for trainings to finish a step and save


_TITLE = "# Tables of yt8m-ablation"


def main() -> None:
  # Check everything before hours of work.
  drawn = plots.can_draw("The charts are")
  tables = {table.name: table for table in map(ablation_table.load, FLAGS.table)}
  if FLAGS.rows and len(FLAGS.table) > 1:
    raise ValueError("--rows needs exactly one --table.")
  if len(tables) < len(FLAGS.table):
    raise ValueError("--table names a table twice, or two tables of the same name.")
  for table in tables.values():
    table.select(FLAGS.rows)
    check_data(table)
  path = FLAGS.markdown or os.path.join(FLAGS.output_dir, "tables.md")
  plots.check_replaceable(path, [_chart(path, name) for name in tables], _TITLE,
                          "yt8m-ablation", "markdown")
  for name in tables:
    directory = os.path.join(FLAGS.output_dir, name)
    directories.checked_path(directory, "--output_dir")
    ablation_runs.OUTPUT.refuse_links(directory)
  sections, num_failed = [], 0
  for name, table in tables.items():
    directory = os.path.join(FLAGS.output_dir, name)
    runs = ablation_runs.make_runs(table, FLAGS.seeds, directory)
    with child_processes.lock(directory) as lock:
      failed = run_table(table, runs, directory, lock.fileno())
      sections.append(write_report(
          table, runs, failed, directory, _chart(path, name) if drawn else None))
    num_failed += len(failed)
  with files.atomic_write(path) as file:
    file.write(heading() + "\n" + "\n".join(sections))
  print(f"Wrote {path}", flush=True)
  if num_failed:
    sys.exit(f"{num_failed} runs failed, see above. The same command tries them again.")


def _chart(markdown: str, table: str) -> str:
  return os.path.join(os.path.dirname(markdown), f"{table}.png")


def check_data(table: ablation_table.Table) -> None:
  """Raises ValueError if records are missing, other than sample data written later."""
  patterns = table.data_patterns()
  if any("{data}" in pattern for pattern in patterns) and not FLAGS.data_dir:
    raise ValueError(f"Table {table.name!r} needs your own records: add --data_dir. "
                     f"It reads {', '.join(patterns)}.")
  for pattern in patterns:
    if "{sample}" not in pattern:
      paths.match(pattern.replace("{data}", FLAGS.data_dir or ""), "--data_dir")


def run_table(table: ablation_table.Table, runs: Sequence[ablation_runs.Run],
              directory: str, lock: int) -> list[ablation_runs.Run]:
  """Runs what is not finished; returns the runs that failed.

  Args:
    table: Table to run.
    runs: Runs of all its rows.
    directory: Directory of the table.
    lock: Descriptor of the lock file, for child processes to inherit.
  """
  num_processors = child_processes.num_processors()
  num_processes = FLAGS.num_processes or num_processors
  runner = child_processes.Runner(max(1, num_processors // num_processes), [lock])
  pool = concurrent.futures.ThreadPoolExecutor(num_processes)
  try:
    places = {"data": FLAGS.data_dir or ""}
    records.check_data_dir(table, directory, places["data"])
    if table.sample_data is not None:
      places["sample"] = records.prepare_sample_data(table, directory, runner)
    rows = table.select(FLAGS.rows)
    selected = [run for run in runs if run.row in rows]
    todo = [run for run in selected if not run.result()]
    if not FLAGS.keep_checkpoints:
      ablation_runs.delete_measured_models(runs)
    logging.info("%s: %d runs, %d of them finished before; %d at a time", table.name,
                 len(selected), len(selected) - len(todo), num_processes)
    return follow([
        pool.submit(ablation_runs.execute, training, runner, FLAGS.keep_checkpoints,
                    **places)
        for training in ablation_runs.make_trainings(runs, todo)], len(todo))
  finally:  # also after an interrupt
    runner.stop()
    pool.shutdown(cancel_futures=True)


def follow(futures: Sequence[concurrent.futures.Future], total: int,
           ) -> list[ablation_runs.Run]:
  """Logs the runs of each training as it ends; returns those that failed."""
  failed, done, began, waiting = [], 0, time.monotonic(), set(futures)
  while waiting:
    ended, waiting = concurrent.futures.wait(
        waiting, 1.0 if live_line.is_allowed() else None,
        concurrent.futures.FIRST_COMPLETED)
    for run, outcome in itertools.chain.from_iterable(
        future.result() for future in ended):
      done += 1
      values = {}
      if isinstance(outcome, child_processes.RunFailed):
        failed.append(run)
        text = f"FAILED: {outcome}"
      else:
        values = {key: outcome["evaluation"][key] for key in ablation_results.MEASURED}
        text = ", ".join(f"{name} {values[key]:.4f}"
                         for key, name in ablation_results.MEASURED.items())
        text += f" | {sum(outcome['seconds'].values()):.0f} s"
      left = (time.monotonic() - began) / done * (total - done)
      logging.log(
          logging.INFO if values else logging.ERROR,
          "[%d/%d] %s, seed %d: %s | %s left", done, total, run.row.name, run.seed, text,
          progress.format_seconds(left), extra=log_lines.numbers(
              done=done, total=total, row=run.row.name, seed=run.seed, **values,
              seconds_left=left))
    seconds = time.monotonic() - began
    text = f"{done}/{total} runs | {progress.format_seconds(seconds)}"
    if done:
      left = max(0.0, seconds / done * total - seconds)
      text += f" | {progress.format_seconds(left)} left"
    live_line.show(text, done, total)
  live_line.clear()
  return failed


def write_report(table: ablation_table.Table, runs: Sequence[ablation_runs.Run],
                 failed: Sequence[ablation_runs.Run], directory: str,
                 chart: str | None) -> str:
  """Writes results.csv and the chart; returns the section of the Markdown document.

  Args:
    table: Table of the runs.
    runs: Runs of all its rows.
    failed: Those of them that failed.
    directory: Directory of the table, for results.csv.
    chart: Path of the chart; None for none.
  """
  ground_truth = None
  if table.sample_data is not None:
    ground_truth = ablation_results.read_ground_truth(
        os.path.join(directory, "sample", "ground_truth.npz"))
  results = []
  for row in table.rows:
    numbers = {run.seed: _columns(run, result, ground_truth)
               for run in runs if run.row == row and (result := run.result())}
    num_failed = sum(run.row == row for run in failed)
    if numbers or num_failed:
      results.append(ablation_results.RowResults(row, numbers, num_failed))
  ablation_results.write_csv(os.path.join(directory, "results.csv"), results)
  if chart is None:
    return report.as_markdown(table, results)
  report.write_chart(chart, table, results)
  return report.as_markdown(table, results, os.path.basename(chart))


def _columns(run, result, ground_truth):
  try:
    return ablation_results.columns(result, ground_truth)
  except fields.UNFIT as error:
    raise ValueError(
        f"{run.path('result.json')} is not what yt8m-ablation wrote "
        f"({fields.reason(error)}): delete it and run the same command again.") from error


def heading() -> str:
  """Returns the top of the document, with the command that reproduces it."""
  words = [f"--table={','.join(FLAGS.table)}", f"--seeds={FLAGS.seeds}"]
  words += ["--data_dir=$DATA"] if FLAGS.data_dir else []
  words += [f"--markdown={FLAGS.markdown}"] if FLAGS.markdown else []
  command_line = " ".join(["yt8m-ablation", *words, "--output_dir=ablation"])
  return f"{_TITLE}\n\nWritten by\n\n    {command_line}\n"


def run() -> None:
  command.run(main, stop_secs=STOP_SECS)


if __name__ == "__main__":
  run()
