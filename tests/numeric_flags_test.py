# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Numbers that no flag can mean are refused by name, before a command does anything."""

import json

import pytest

from tests.helpers import support
from yt8m.core import commands

# Flags that mean something by 0, besides the ones that are no numbers of things.
ZERO = {"base_learning_rate", "batch_wait_ms", "clip_gradient_norm", "ema_momentum",
        "eval_interval_secs", "eval_timeout_secs", "learning_rate_decay",
        "max_failed_shards", "max_model_gib", "mixup_alpha", "num_gpu", "num_gpus",
        "poll_seconds", "pretrained_learning_rate_multiplier", "regularization_penalty",
        "save_checkpoint_secs", "seed",
        "stored_classes", "teacher_weight", "top_n", "warmup_examples", "warmup_requests",
        "weight_regularization"}


@pytest.mark.parametrize("module", commands.COMMANDS.values())
def test_odd_numbers(module):
  output = support.run_command("tests.helpers.numeric_flags", module).stdout
  for name, errors in json.loads(output.splitlines()[-1]).items():
    zero = errors.pop("0")
    if name != "num_processes":  # 0 of yt8m-inference: in this process
      assert (zero is None) == (name in ZERO), (name, zero)
    for number, error in errors.items():
      assert error is not None and f"--{name}={number[:20]}" in error, (name, number)
      assert len(error.splitlines()) == 1
