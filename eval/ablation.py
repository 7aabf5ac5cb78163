# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-ablation`: trains every row of a table with several seeds and compares them.

    yt8m-ablation --table=options-sample --output_dir=ablation --markdown=options.md

Every run is `yt8m-train` and then `yt8m-eval`, as a user would type them; rows that
differ in flags of `yt8m-eval` alone are trained once. The same command again goes on
where it stopped.
"""

import concurrent.futures
import os
import signal
import sys
import time

import numpy as np
from absl import flags

from yt8m.core import command
from yt8m.core import files
from yt8m.core import progress
from yt8m.data import records
from yt8m.eval.ablations import numbers
from yt8m.eval.ablations import processes as ablation_processes
from yt8m.eval.ablations import report as ablation_report
from yt8m.eval.ablations import runs as ablation_runs
from yt8m.eval.ablations import table as ablation_table
from yt8m.eval.ablations.tables import options

FLAGS = flags.FLAGS

flags.DEFINE_list("table", None, "Tables: " + ", ".join(options.TABLES)
                  + ", or JSON files; required.")
flags.DEFINE_string("output_dir", None, "Directory of the runs, results.csv and chart "
                    "of every table; required.")
flags.DEFINE_string("data_dir", None, "What {data} stands for in the table's patterns.")
flags.DEFINE_integer("seeds", 3, "Runs a row, with the seeds 0, 1, …", lower_bound=1)
flags.DEFINE_list("rows", [], "Rows to run, of the table; default: all. Finished runs "
                  "of other rows are reported too.")
flags.DEFINE_integer("num_processes", None, "Runs at a time; default: one a processor.",
                     lower_bound=1)
flags.DEFINE_string("markdown", None, "File for the tables as Markdown; charts go beside "
                    "it. Default: tables.md in --output_dir.")
flags.DEFINE_bool("keep_checkpoints", False,
                  "Keep the trained models, instead of deleting them when measured.")
flags.mark_flags_as_required(["table", "output_dir"])

STOP_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def main():
  # Everything that can be wrong is looked at before hours of work.
  ablation_report.matplotlib_figure()
  tables = [ablation_table.load(name, options.TABLES) for name in FLAGS.table]
  rows = {table.name: select_rows(table) for table in tables}
  for table in tables:
    check_data(table)
  if len(rows) < len(tables):
    raise ValueError("--table names a table twice, or two of the same name.")
  for signal_number in STOP_SIGNALS:
    if signal.getsignal(signal_number) != signal.SIG_IGN:  # as nohup wants it
      signal.signal(signal_number, signal.default_int_handler)
  sections, failures = [], 0
  try:
    for table in tables:
      directory = os.path.join(FLAGS.output_dir, table.name)
      with ablation_processes.only_one(directory) as lock:
        failed = run_table(table, rows[table.name], directory, lock)
        sections.append(report(table, directory, failed))
      failures += len(failed)
  except KeyboardInterrupt:
    sys.exit("Stopped. The same command goes on with the runs that are not finished.")
  path = FLAGS.markdown or os.path.join(FLAGS.output_dir, "tables.md")
  with files.atomic_write(path) as file:
    file.write(heading() + "\n" + "\n".join(sections))
  print(f"Wrote {path}", flush=True)
  if failures:
    sys.exit(f"{failures} runs failed, see above; the same command tries them again.")


def select_rows(table):
  if FLAGS.rows and len(FLAGS.table) > 1:
    raise ValueError("--rows wants one table: give --table one name.")
  return table.select(FLAGS.rows)


def run_table(table, rows, directory, lock):
  """Runs what is not finished; returns the runs that failed."""
  num_processors = (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
                    else os.cpu_count())
  num_processes = FLAGS.num_processes or num_processors
  processes = ablation_processes.Processes(
      max(1, num_processors // num_processes), [lock.fileno()])
  pool = concurrent.futures.ThreadPoolExecutor(num_processes)
  try:
    places = find_data(table, directory, processes)
    every = ablation_runs.make_runs(table, table.rows, FLAGS.seeds, FLAGS.output_dir)
    runs = [run for run in every if run.row in rows]
    todo = [run for run in runs if run.result() is None]
    print(f"{table.name}: {len(runs)} runs, {len(runs) - len(todo)} of them finished "
          f"before; {num_processes} at a time", flush=True)
    return follow([
        pool.submit(ablation_runs.execute, training, processes, FLAGS.keep_checkpoints,
                    **places)
        for training in ablation_runs.make_trainings(every, todo)], len(todo))
  finally:  # an interrupt, too, comes through here
    processes.stop()
    pool.shutdown(cancel_futures=True)


def check_data(table):
  """Refuses a table whose records are not there; sample data are written later."""
  if any("{data}" in pattern for pattern in patterns(table)) and not FLAGS.data_dir:
    raise ValueError(f"Table {table.name!r} is measured on records of yours: add "
                     f"--data_dir. It reads {', '.join(patterns(table))}.")
  for pattern in patterns(table, data=FLAGS.data_dir or ""):
    if "{sample}" not in pattern:
      records.match_files(pattern, "--data_dir")


def patterns(table, **places):
  """Data patterns of a table, with the placeholders filled in."""
  flag_sets = [table.common, table.evaluate]
  for row in table.rows:
    flag_sets += [row.flags, row.evaluate]
  arguments = [argument for flag_set in flag_sets for argument in
               ablation_table.arguments({name: value for name, value in flag_set.items()
                                         if name.endswith("_data_pattern")}, **places)]
  return [argument.partition("=")[2] for argument in arguments]


def find_data(table, directory, processes):
  """What the placeholders of a table stand for; writes its sample data if need be."""
  places = {"data": FLAGS.data_dir or ""}
  if table.sample_data is not None:
    try:
      places["sample"] = ablation_runs.prepare_sample_data(table, directory, processes)
    except ablation_processes.RunFailed as error:
      raise ValueError(str(error)) from error
  return places


def follow(futures, total):
  """Prints the runs of each training as it ends; returns those that failed."""
  failed, began, done = [], time.monotonic(), 0
  for future in concurrent.futures.as_completed(futures):
    for run, outcome in future.result():
      done += 1
      if isinstance(outcome, ablation_processes.RunFailed):
        failed.append(run)
        text = f"FAILED: {outcome}"
      else:
        text = ", ".join(f"{name} {outcome['evaluation'][key]:.4f}"
                         for key, name in numbers.METRICS.items())
        text += f" | {sum(outcome['seconds'].values()):.0f} s"
      left = (time.monotonic() - began) / done * (total - done)
      print(f"[{done}/{total}] {run.row.name}, seed {run.seed}: {text} | "
            f"{progress.format_seconds(left)} left", flush=True)
  return failed


def report(table, directory, failed):
  """Writes results.csv and the chart; returns the section of the Markdown document."""
  ground_truth = None
  if table.sample_data is not None:
    with np.load(os.path.join(directory, "sample", "ground_truth.npz")) as arrays:
      ground_truth = {name: arrays[name] for name in ("kinds", "twins")}
  found = []
  for row in table.rows:
    runs = ablation_runs.make_runs(table, [row], FLAGS.seeds, FLAGS.output_dir)
    results = {run.seed: run.result() for run in runs}
    entry = numbers.Found(
        row, {seed: numbers.columns(result, ground_truth)
              for seed, result in results.items() if result is not None},
        tuple(run.seed for run in failed if run.row == row))
    if entry.runs or entry.failed:
      found.append(entry)
  numbers.write_csv(os.path.join(directory, "results.csv"), found)
  chart = os.path.join(os.path.dirname(FLAGS.markdown) if FLAGS.markdown
                       else FLAGS.output_dir, f"{table.name}.png")
  ablation_report.write_chart(chart, table, found)
  return ablation_report.as_markdown(table, found, os.path.basename(chart))


def heading():
  """The top of the document, with the command that writes it again."""
  words = [f"--table={','.join(FLAGS.table)}", f"--seeds={FLAGS.seeds}"]
  words += ["--data_dir=$DATA"] if FLAGS.data_dir else []
  words += [f"--markdown={FLAGS.markdown}"] if FLAGS.markdown else []
  command_line = " ".join(["yt8m-ablation", *words, "--output_dir=ablation"])
  return f"# Tables of yt8m-ablation\n\nWritten by\n\n    {command_line}\n"


def run():
  command.run(main)


if __name__ == "__main__":
  run()
