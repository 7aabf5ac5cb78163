# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs many cases of all targets in several processes, and prints a table.

    python -m tests.fuzz.driver --cases=1000000

A case has a number, from which it can be made again:

    python -m tests.fuzz.driver --target=ensemble.json --case=1234
"""

import argparse
import collections
import concurrent.futures
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from typing import Any

from tests.fuzz import target as targets
from tests.fuzz import targets as registry
from yt8m.core import markdown
from yt8m.core import progress

_CHUNK = 500
# Seconds without a finished case after which a process is taken for dead.
_SILENCE = 60.0
# Bytes that a process may map beyond those it starts with.
_MEMORY = 4 * 2**30
_SHOWN = 5
_REPORT_SECS = 60.0

# Number, outcome and text of a case that is a fault.
Fault = tuple[int, str, str]
Counts = collections.Counter


def limit_memory(num_bytes: int = _MEMORY) -> None:
  """Lets this process map only so many bytes more than it has mapped already."""
  with open("/proc/self/statm") as file:
    mapped = int(file.read().split()[0]) * resource.getpagesize()
  _, hard = resource.getrlimit(resource.RLIMIT_AS)
  resource.setrlimit(resource.RLIMIT_AS, (mapped + num_bytes, hard))


def run_cases(name: str, seed: int, numbers: range, current: Any = None
              ) -> tuple[Counts, list[Fault]]:
  """Runs cases of a target.

  Args:
    name: Name of the target.
    seed: Seed of all cases.
    numbers: Numbers of the cases.
    current: Shared value that is set to the number of every case before it runs.

  Returns:
    Number of cases by outcome, and the faults.
  """
  target = registry.TARGETS[name]
  counts, faults = Counts(), []
  with tempfile.TemporaryDirectory() as folder:
    for number in numbers:
      if current is not None:
        current.value = number
      outcome, text = targets.judge(target, target.case(seed, number), folder)
      counts[outcome] += 1
      if outcome in targets.FAULTS:
        faults.append((number, outcome, text))
  return counts, faults


def divided(num_cases: int) -> dict[str, int]:
  """Returns the number of cases of each target, by their shares."""
  total = sum(target.share for target in registry.TARGETS.values())
  return {name: max(len(target.seeds), round(num_cases * target.share / total))
          for name, target in registry.TARGETS.items()}


class _Worker:
  """A process that runs cases; another one takes its place if it dies."""

  def __init__(self, seed: int):
    self._context = multiprocessing.get_context("spawn")
    self._seed, self._process = seed, None

  def run(self, name: str, numbers: range) -> tuple[Counts, list[Fault]]:
    """Returns what `run_cases` returns; a case that kills the process is a fault."""
    if not numbers:
      return Counts(), []
    if self._process is None:
      self._start()
    self._pipe.send((name, self._seed, numbers))
    try:
      self._wait()
      return self._pipe.recv()
    except EOFError:
      killer = self._current.value
      text = f"the process ended with {self._process.exitcode}, or was silent"
      self.stop()
      before = self.run(name, range(numbers.start, killer))
      after = self.run(name, range(killer + 1, numbers.stop))
      return (before[0] + after[0] + Counts({targets.HANG: 1}),
              [*before[1], (killer, targets.HANG, text), *after[1]])

  def _start(self):
    self._pipe, theirs = self._context.Pipe()
    self._current = self._context.Value("q", -1, lock=False)
    self._process = self._context.Process(
        target=_work, args=(theirs, self._current), daemon=True)
    self._process.start()
    theirs.close()

  def _wait(self):
    """Returns when there is an answer; raises EOFError if there will be none."""
    last = None
    while not self._pipe.poll(_SILENCE):
      if self._current.value == last:
        raise EOFError
      last = self._current.value

  def stop(self) -> None:
    if self._process is not None:
      self._process.kill()
      self._process.join()
      self._process = None


def _work(pipe, current):
  os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
  limit_memory()
  while True:
    pipe.send(run_cases(*pipe.recv(), current))


def run(num_cases: int, seed: int, num_processes: int, names: list[str]
        ) -> dict[str, tuple[Counts, list[Fault]]]:
  """Runs all targets, or those with some names; returns the results by name."""
  chunks = [(name, range(start, min(start + _CHUNK, count)))
            for name, count in divided(num_cases).items() if name in names
            for start in range(0, count, _CHUNK)]
  chunks.sort(key=lambda chunk: chunk[1].start)  # every target begins early
  workers = [_Worker(seed) for _ in range(num_processes)]
  results = {name: (Counts(), []) for name in names}
  pace = progress.Progress(sum(len(numbers) for _, numbers in chunks), "cases")
  last = time.monotonic()

  def work(worker):
    nonlocal last
    while chunks:
      name, numbers = chunks.pop(0)
      counts, faults = worker.run(name, numbers)
      results[name][0].update(counts)
      results[name][1].extend(faults)
      if time.monotonic() - last >= _REPORT_SECS:
        # Not in the log, which shows what the parsers write.
        done = sum(counts.total() for counts, _ in results.values())
        print(f"{done:,} cases | {pace.report(done)}", file=sys.stderr, flush=True)
        last = time.monotonic()
    worker.stop()

  with concurrent.futures.ThreadPoolExecutor(num_processes) as pool:
    list(pool.map(work, workers))
  return results


def table(results: dict[str, tuple[Counts, list[Fault]]]) -> str:
  """Returns the results as a Markdown table."""
  total = sum((counts for counts, _ in results.values()), Counts())
  rows = [[name, f"{counts.total():,}", *(f"{counts[o]:,}" for o in targets.OUTCOMES)]
          for name, counts in
          (*((name, counts) for name, (counts, _) in results.items()), ("all", total))]
  return markdown.make(["target", "cases", *targets.OUTCOMES], rows, left=["target"])


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--cases", type=int, default=1_000_000)
  parser.add_argument("--seed", type=int, default=int(time.time()))
  parser.add_argument("--processes", type=int, default=os.cpu_count())
  parser.add_argument("--target", action="append", choices=list(registry.TARGETS))
  parser.add_argument("--case", type=int, help="Show only this case of --target.")
  arguments = parser.parse_args()
  if arguments.case is not None:
    [name] = arguments.target
    data = registry.TARGETS[name].case(arguments.seed, arguments.case)
    print(data)
    with tempfile.TemporaryDirectory() as folder:
      sys.exit(": ".join(targets.judge(registry.TARGETS[name], data, folder)))
  began = time.monotonic()
  results = run(arguments.cases, arguments.seed, arguments.processes,
                arguments.target or list(registry.TARGETS))
  print(table(results))
  print(f"\n--seed={arguments.seed}, {(time.monotonic() - began) / 60:.1f} minutes")
  num_faults = 0
  for name, (_, faults) in results.items():
    num_faults += len(faults)
    for number, outcome, text in faults[:_SHOWN]:
      print(f"\n{name}, --case={number}: {outcome}: {text}")
  sys.exit(1 if num_faults else 0)


if __name__ == "__main__":
  main()
