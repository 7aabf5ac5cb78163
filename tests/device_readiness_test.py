# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a CPU can show of training on a GPU or a TPU, for every recipe.

A TPU compiles the whole step by XLA: shapes must be known, and no operation may run on
the host.
"""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import support
from yt8m.models import losses
from yt8m.training import optimizers
from yt8m.training import step as train_steps

RECIPES = sorted(descriptors.recipe_models())
# Compiling takes long: the others are for `make test-variants`.
COMPILED = RECIPES if descriptors.EVERY_VARIANT else [
    "recipe-DbofModel", "recipe-MoeModel", "recipe-concat-BLSTM-MoE2",
    "recipe-concat-NetVLAD-C128-MoE4"]
# Random frames and dropout, for which XLA draws other numbers.
RANDOM = ("recipe-DbofModel", "recipe-concat-hidden2048-logistic")
# Parts of the names of operations that run on the host, or whose shape depends on data.
HOST = ("PyFunc", "String", "Regex", "Decode", "Parse", "Print", "Lookup", "HashTable",
        "Unique", "Summary", "ReadFile", "Iterator", "Where")


def make(case):
  tf.keras.utils.set_random_seed(0)
  model = descriptors.build(case)
  step = train_steps.TrainStep(
      model, losses.CrossEntropyLoss(), optimizers.make_optimizer("AdamOptimizer", 0.01),
      tf.distribute.get_strategy())
  return step, descriptors.batch(descriptors.all_models()[case][0])


def operations(function):
  """All operations of a concrete function and of the functions that it calls."""
  graph = function.graph.as_graph_def(add_shapes=True)
  return [*graph.node, *(node for inner in graph.library.function
                         for node in inner.node_def)]


@pytest.mark.parametrize("case", RECIPES)
def test_step_has_static_inputs_and_no_operation_of_the_host(case):
  step, batch = make(case)
  function = step._run.get_concrete_function(batch)
  found = {node.op for node in operations(function)}
  assert "MatMul" in found  # The functions inside are seen.
  assert not sorted(op for op in found if any(part in op for part in HOST))
  specs = tf.nest.flatten(function.structured_input_signature[0])
  assert all(spec.shape.is_fully_defined() for spec in specs)
  if descriptors.all_models()[case][0] == "frame":  # Bytes travel, not floats.
    frames = [spec for spec in specs if spec.shape.rank == 3]
    assert len(frames) == 2 and all(spec.dtype == tf.uint8 for spec in frames)


@pytest.mark.parametrize("case", COMPILED)
def test_the_whole_step_compiles_by_xla(case):
  """With the optimizer, as on a TPU; `--jit_compile` leaves the optimizer out."""
  step, batch = make(case)
  compiled = tf.function(step._distributed, jit_compile=True)
  before = [v.numpy() for v in step.model.trainable_variables]
  loss = float(compiled(batch)[0])
  assert np.isfinite(loss)
  moved = [np.any(v.numpy() != b) for v, b in zip(
      step.model.trainable_variables, before, strict=True)]
  assert any(moved)
  if case not in RANDOM:
    plain, batch = make(case)
    np.testing.assert_allclose(loss, float(plain(batch).label_loss), rtol=1e-4)


def test_memory_of_a_gpu_grows_on_demand():
  """Commands leave memory to others, unless the user has decided otherwise."""
  code = ("import os; from yt8m.core import command;"
          "command.run(lambda: print('growth', os.environ['TF_FORCE_GPU_ALLOW_GROWTH']))")
  for given, expected in ((None, "true"), ("false", "false")):
    environment = {**support.ENVIRONMENT}
    environment.pop("TF_FORCE_GPU_ALLOW_GROWTH", None)
    if given:
      environment["TF_FORCE_GPU_ALLOW_GROWTH"] = given
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            cwd=support.ROOT, env=environment, check=True).stdout
    assert f"growth {expected}" in output
