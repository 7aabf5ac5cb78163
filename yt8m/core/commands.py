# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The table of commands: setup.py installs them, and some commands run others.

setup.py executes this file on its own, so it imports the standard library only.
"""

import sys

# Console scripts; each also runs as `python -m <module>`.
COMMANDS = {
    "yt8m-ablation": "yt8m.eval.ablation",
    "yt8m-calibrate": "yt8m.calibrate",
    "yt8m-compare": "yt8m.eval.compare",
    "yt8m-demo": "yt8m.demo",
    "yt8m-ensemble": "yt8m.eval.ensemble",
    "yt8m-eval": "yt8m.eval.evaluate",
    "yt8m-export": "yt8m.export.export_model",
    "yt8m-extract": "yt8m.extract",
    "yt8m-inference": "yt8m.export.inference",
    "yt8m-inspect": "yt8m.inspect_records",
    "yt8m-json-to-csv": "yt8m.export.json_to_csv",
    "yt8m-label-sets": "yt8m.collect_label_sets",
    "yt8m-predict": "yt8m.predict",
    "yt8m-sample-data": "yt8m.sample_data",
    "yt8m-segment-eval": "yt8m.eval.segments",
    "yt8m-serve": "yt8m.export.serve",
    "yt8m-train": "yt8m.train",
    "yt8m-tune": "yt8m.eval.tune",
}


def as_process(command: str, *arguments: str) -> list[str]:
  """Returns the words that run a command in this Python, installed or not.

  >>> from yt8m.core import commands
  >>> commands.as_process("yt8m-eval", "--run_once")[1:]
  ['-m', 'yt8m.eval.evaluate', '--run_once']
  """
  return [sys.executable, "-m", COMMANDS[command], *arguments]
