# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The TensorFlow variables behind Keras weights, and their names in Keras 2 and 3."""

from typing import Any

import tensorflow as tf

keras = tf.keras

# How the values that the replicas assign to a variable become one value. Keras 3 names
# it by a string, Keras 2 (which has no `ops`) by a constant of TensorFlow.
if not hasattr(keras, "ops"):
  MEAN = tf.VariableAggregation.MEAN
  FIRST_REPLICA = tf.VariableAggregation.ONLY_FIRST_REPLICA
else:
  MEAN = "mean"
  FIRST_REPLICA = "only_first_replica"


def add_counter(layer: Any, name: str) -> Any:
  """Adds the weight to a layer that `next_stream` counts with, and returns it."""
  return layer.add_weight(
      name=name, shape=(), dtype="int64", initializer="zeros", trainable=False,
      aggregation=FIRST_REPLICA)


def next_stream(counter: Any) -> tf.Tensor:
  """Returns a number that no earlier step and no other replica has, for random draws.

  The counter is a weight, so a resumed run continues it. Draws that depend only on a
  seed and on this number are therefore those of an uninterrupted run. Call this function
  once in each step, on a replica.
  """
  context = tf.distribute.get_replica_context()
  replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
  drawn = tf.convert_to_tensor(counter)
  counter.assign(drawn + 1)
  return drawn * context.num_replicas_in_sync + replica


def tf_variable(variable: Any) -> tf.Variable:
  """Returns the `tf.Variable` of a Keras variable. In Keras 2 they are the same."""
  return variable if isinstance(variable, tf.Variable) else variable.value


def checkpoint_parts(model: Any) -> dict[str, list[tf.Variable]]:
  """Returns the content of a checkpoint of a model, for `tf.train.Checkpoint(**parts)`.

  The weights are in the order of `model.weights`. If the model itself were given to
  `tf.train.Checkpoint`, the checkpoint would lack every layer that a layer holds in a
  list: Keras 3 tracks such lists, but TensorFlow does not.

  The random states are the variables that Keras 3 includes in the variables of a model
  but not in its weights. Without them, a resumed run would draw other dropout masks.
  """
  weights = {id(v) for v in model.weights}
  states = [v for v in model.variables if id(v) not in weights]
  return {"weights": [tf_variable(v) for v in model.weights],
          "random_states": [tf_variable(v) for v in states]}
