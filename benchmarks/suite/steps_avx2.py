# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Training steps as on a processor without AVX-512.

AVX-512 doubles the speed of a large product, but hardly that of passes over memory. So
the same code reaches a smaller share of the product there.
"""

from typing import Any

from benchmarks.suite import cases
from benchmarks.suite import steps

TITLE = "Training steps without AVX-512"
NOTE = ("The same, with oneDNN and XLA limited to AVX2 (`ONEDNN_MAX_CPU_ISA`, "
        "`--xla_cpu_max_isa`), like the products that they are compared with.")


def rows(quick: bool = False) -> list[dict[str, Any]]:
  """Returns a row for each model."""
  return cases.measured(steps.row, quick, ONEDNN_MAX_CPU_ISA="AVX2",
                        XLA_FLAGS="--xla_cpu_max_isa=AVX2")
