# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Ratios to the YouTube-8M starter code of 2017, recorded in November 2026.

Its code is not part of this project, so these rows are not measured again. They stem
from its own files on TensorFlow 2.15 in TensorFlow 1 mode, with the same records and
configuration, on 2 cores of a busy machine.
"""

from typing import Any

TITLE = "The starter code of 2017, recorded in 2026-11"
NOTE = ("Recorded, not measured by this run: the version of this library of that month "
        "beside the starter code on TensorFlow 2.15. CPU seconds are the safer column: "
        "the machine was busy.")
DATE = "2026-11"

# Job, elapsed seconds of the starter ÷ ours where given, CPU seconds likewise.
_RECORDED = (
    ("frame-level reader, in order", "0.4 to 0.64", "1.3 to 1.75"),
    ("frame-level reader, shuffled", "0.36", "1.29"),
    ("video-level reader, in order", "0.35", "0.51"),
    ("video-level reader, shuffled", "0.52", "0.43"),
    ("train FrameLevelLogistic", "0.42", "0.81"),
    ("train Logistic", "0.83", "0.90"),
    ("train MoE-2", "0.96", "0.93"),
    ("train DBoF 8192", "0.96", "0.92"),
    ("train NetVLAD-64 (WILLOW), 30 frames", "0.66", "0.87"),
    ("train NetVLAD-64 (WILLOW), 300 frames", "0.94", "0.93"),
    ("train LSTM 2 x 1024, 300 frames", "3.74", "2.81"),
    ("metrics, all four, 3862 classes", "69", "55"),
    ("inference to CSV, whole process", "0.75", "0.99"),
)


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns the recorded rows."""
  del quick
  return [{"job": job, "speed, elapsed ×": wall, "speed, CPU ×": cpu, "recorded": DATE}
          for job, wall, cpu in _RECORDED]
