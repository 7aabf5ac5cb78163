# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks of docs/performance.md, in one run of less than 15 minutes.

  python -m benchmarks.run_all --output_dir=/tmp/benchmarks
  python -m benchmarks.run_all --output_dir=/tmp/benchmarks --parts=steps_avx2,precisions
  python -m benchmarks.run_all --output_dir=/tmp/benchmarks --parts=steps,readers
  python -m benchmarks.run_all --output_dir=/tmp/benchmarks --update_docs

Writes results.json, results.md and results.png. `--update_docs` also rewrites the section
of docs/performance.md and its picture. Each figure is a median of several turns, in which
alternatives run one after another. Run it on a quiet machine: the load is part of the
results. Parts of an earlier run in the same directory are kept if they are not run again.
"""

import datetime
import importlib
import json
import os
import pathlib
import platform
import sys
import time
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import app
from absl import flags
from absl import logging

from benchmarks import timing
from benchmarks.suite import report

# In the order of the run: name, and module with TITLE, NOTE and rows().
PARTS = {"readers": "readers", "waits": "suite.waits", "metrics": "metrics",
         "ensemble": "ensemble_search", "inference": "inference",
         "steps": "suite.steps", "steps_avx2": "suite.steps_avx2",
         "predictions": "suite.predictions", "precisions": "suite.precisions",
         "memory": "suite.memory", "scaling": "suite.scaling", "peers": "suite.peers"}
# Not in a run unless --parts names them: they repeat the steps, and take as long again.
_ON_REQUEST = ("steps_avx2", "precisions")
_DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"
_PAGE, _PICTURE = _DOCS / "performance.md", _DOCS / "performance.png"

_OUTPUT = flags.DEFINE_string("output_dir", None, "Directory of the results.",
                              required=True)
_PARTS = flags.DEFINE_list(
    "parts", [name for name in PARTS if name not in _ON_REQUEST], "Parts to run.")
_QUICK = flags.DEFINE_bool("quick", False, "Tiny sizes and one turn, for a test.")
_UPDATE = flags.DEFINE_bool("update_docs", False, "Rewrite docs/performance.md.")


def about() -> dict[str, Any]:
  """Returns what was measured where."""
  return {"date": datetime.date.today().isoformat(), "cores": os.cpu_count(),
          "device": ", ".join(device.name.split(":", 1)[1] for device in
                              tf.config.list_physical_devices()),
          "python": platform.python_version(), "tensorflow": tf.__version__,
          "quick": _QUICK.value, "load before": timing.load()}


def run(name: str) -> dict[str, Any]:
  """Runs a part."""
  module: Any = importlib.import_module(f"benchmarks.{PARTS[name]}")
  start = time.perf_counter()
  rows = module.rows(_QUICK.value)
  part = {"title": module.TITLE, "note": module.NOTE, "rows": rows,
          "seconds": time.perf_counter() - start, "load": timing.load()}
  print(f"\n{part['title']} ({part['seconds']:.0f} s, load {part['load']})\n"
        f"{report.table(rows)}", flush=True)
  return part


def main(argv: Sequence[str]) -> None:
  del argv
  unknown = sorted(set(_PARTS.value) - set(PARTS))
  if unknown or not _PARTS.value:
    sys.exit(f"--parts: there is no part {', '.join(unknown)!r}; choose from "
             f"{', '.join(PARTS)}.")
  if _QUICK.value and _UPDATE.value:
    sys.exit("--quick measures nothing that --update_docs could write: drop one of them.")
  logging.set_verbosity(logging.ERROR)
  results = {"about": about(), "parts": {}}
  print(f"{results['about']['cores']} cores, load {results['about']['load before']}")
  earlier = pathlib.Path(_OUTPUT.value) / "results.json"
  if earlier.exists():
    kept = json.loads(earlier.read_text(encoding="utf-8"))
    if kept["about"]["quick"] == _QUICK.value:
      results["parts"] = kept["parts"]
  for name in PARTS:
    if name in _PARTS.value:
      results["parts"][name] = run(name)
      results["about"]["load after"] = timing.load()
      results["parts"] = {
          part: results["parts"][part] for part in PARTS if part in results["parts"]}
      report.write(results, _OUTPUT.value)
  print(f"\nWrote {_OUTPUT.value}: "
        f"{sum(part['seconds'] for part in results['parts'].values()):.0f} s in all.")
  if _UPDATE.value:
    _PAGE.write_text(report.replace_section(
        _PAGE.read_text(encoding="utf-8"), "benchmarks", report.text(results)),
                     encoding="utf-8")
    report.draw(results, str(_PICTURE))


if __name__ == "__main__":
  app.run(main)
