# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The stock models are the same models: as many weights, and they learn."""

import math

import numpy as np
import pytest

from benchmarks.suite import cases
from benchmarks.suite import steps
from benchmarks.suite import stock

CASES = {case.name: case for case in cases.all_cases(quick=True)}


def sizes(variables):
  """Sizes of the matrices, which are what is multiplied."""
  return sorted(math.prod(v.shape) for v in variables if len(v.shape) > 1)


@pytest.mark.parametrize("name", [
    "LogisticModel", "MoeModel (4)", "FrameLevelLogisticModel",
    "DbofModel 8192, 30 frames", "NetVLAD-64 (WILLOW), 30 frames",
    "sum-NetVLAD-C64-MoE4", "concat-NetVLAD-diff-C64-MoE4", "concat-BLSTM-MoE2",
    "LstmModel 2 x 1024"])
def test_same_weights_and_a_falling_loss(name):
  case = CASES[name]
  call = stock.model(case)
  step = stock.training_step(call, case.batch())
  losses = [float(step()) for _ in range(20)]
  assert np.all(np.isfinite(losses)) and losses[-1] < losses[0]
  own = [v for layer in call.layers for v in layer.trainable_variables]
  assert sizes(own) == sizes(case.build().trainable_variables)


def test_fusions_without_a_stock_layer():
  assert stock.model(CASES["attention-BLSTM-MoE2"]) is None


def test_row_of_a_step():
  row = steps.row(CASES["MoeModel (2)"], quick=True)
  case = CASES["MoeModel (2)"]
  dim, classes = sum(size for _, size in case.sizes), case.num_classes
  # Gates of three, two experts: forward, and backward for the weights alone, because
  # nothing before them has weights.
  products = 2 * 2 * case.batch_size * dim * classes * 5
  lengths = 2 * case.batch_size * dim  # of the inputs, forward only
  assert row["GFLOP"] * 1e9 == pytest.approx(products + lengths)
  assert row["% of matmul"] > 0 and row["speed over stock ×"] > 0 and row["XLA ×"] > 0
