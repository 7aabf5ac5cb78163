# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Tries every command under many faults and prints a table in Markdown.

    python -m tests.faults.driver --points=50

It needs Linux and a C compiler; without them it says so and ends with status 0.
"""

import argparse
import concurrent.futures
import errno
import itertools
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

# Modules that need TensorFlow are imported late: every forked command imports this one.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def parse_flags():
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--points", type=int, default=50, help="Kills of a command.")
  parser.add_argument("--others", type=int, default=9,
                      help="Signals of a command, and errors of its disk.")
  parser.add_argument("--cases", default="", help="Commands, with commas; default: all.")
  parser.add_argument("--num_processes", type=int, default=2,
                      help="Commands at a time.")
  parser.add_argument("--part", default="1/1",
                      help="i/n: the i-th of n equal parts of the faults, for n drivers "
                      "at the same time.")
  parser.add_argument("--seed", type=int, default=0, help="Seed of the moments.")
  parser.add_argument("--verbose", action="store_true", help="Print every trial.")
  return parser.parse_args()


def spread(count, total):
  """Returns at most `count` numbers from 1 to `total`, evenly."""
  count = min(count, total)
  return sorted({1 + round(i * (total - 1) / max(1, count - 1)) for i in range(count)})


def faults(bench, flags):
  """Yields the faults to try: at calls first, and where those end, at moments."""
  from tests.faults import trials

  rng = random.Random(flags.seed)
  calls = spread(flags.points, bench.points)
  for at in calls:
    yield trials.Fault("kill", at=at, number=signal.SIGKILL)
  for _ in range(flags.points - len(calls)):
    yield trials.Fault("kill", secs=rng.uniform(0.01, bench.secs),
                       number=signal.SIGKILL)
  for i, at in enumerate(spread(flags.others // 2, bench.points)):
    yield trials.Fault("signal", at=at, number=SIGNALS[i % 3])
  for i in range(flags.others - flags.others // 2):
    yield trials.Fault("signal", secs=rng.uniform(0.01, bench.secs),
                       number=SIGNALS[i % 3])
  for i, at in enumerate(spread(flags.others // 2, bench.points)):
    error = (errno.ENOSPC, errno.EACCES)[i % 2]
    yield trials.Fault("no space or permission", at=at, error=error)
  for size in spread(flags.others - flags.others // 2, max(1, bench.largest - 1)):
    yield trials.Fault("no space or permission", file_size=size)
  if bench.record_bytes:
    for position in spread(flags.others // 2, bench.record_bytes - 1):
      yield trials.Fault("flipped byte of a record", flipped=position)


def try_case(case, inputs, folder, flags):
  """Returns the rows of the table for a case, and whether all is well."""
  from tests.faults import trials

  folder.mkdir()
  bench = trials.Bench(case, inputs, folder)
  bench.measure()
  print(f"{case.name}: {bench.points} points, {bench.secs:.1f} s; compared by name only: "
        f"{', '.join(bench.varying) or 'none'}", file=sys.stderr, flush=True)
  rows = []
  part, parts = map(int, flags.part.split("/"))
  own = itertools.islice(faults(bench, flags), part - 1, None, parts)
  for kind, group in itertools.groupby(own, lambda fault: fault.kind):
    tried = lost = left = 0
    for fault in group:
      outcome = bench.try_fault(fault)
      # A command that ended before, or went on in spite of it, survived as well.
      tried += 1
      lost += bool(outcome.lost)
      left += bool(outcome.left)
      if flags.verbose or outcome.lost or outcome.left:
        print(f"{case.name}, {fault}{'' if outcome.happened else ' (missed)'}: "
              f"{outcome.lost or 'ok'}"
              f"{' LEFT ' + ', '.join(outcome.left) if outcome.left else ''}",
              file=sys.stderr, flush=True)
    rows.append((case.name, kind, bench.points, tried, tried - lost, lost, left))
  return rows


def main():
  flags = parse_flags()
  began = time.monotonic()
  with tempfile.TemporaryDirectory(prefix="faults") as name:
    folder = pathlib.Path(os.path.realpath(name))
    from tests.faults import trials

    library = trials.compile_points(folder)
    if library is None:
      print("Faults need Linux and a C compiler: skipped.")
      return
    os.environ["LD_PRELOAD"] = str(library)  # of the fork server, which starts later

    from tests.faults import cases
    from tests.helpers import forked_commands
    from tests.helpers import support

    forked_commands.preload("tests.faults.preloaded")
    chosen = [case for case in cases.CASES if not flags.cases
              or case.name in flags.cases.split(",")]
    inputs = folder / "inputs"
    cases.make_inputs(support.run_command, inputs, chosen)
    with concurrent.futures.ThreadPoolExecutor(flags.num_processes) as pool:
      futures = [pool.submit(try_case, case, inputs, folder / f"case{i}", flags)
                 for i, case in enumerate(chosen)]
      rows = list(itertools.chain.from_iterable(future.result() for future in futures))
  print("| command | fault | points | tried | survived | lost | left over |")
  print("|---|---|--:|--:|--:|--:|--:|")
  for row in rows:
    print("| " + " | ".join(map(str, row)) + " |")
  print(f"\n{sum(row[3] for row in rows)} trials in {time.monotonic() - began:.0f} s",
        flush=True)
  if any(row[5] or row[6] for row in rows):
    sys.exit("Something was lost or left over, see above.")


if __name__ == "__main__":
  main()
