# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The variables behind Keras weights, and what Keras 2 and Keras 3 spell differently."""

import tensorflow as tf

keras = tf.keras

# How a variable that every replica assigns becomes one value: a string in Keras 3, a
# constant of TensorFlow in Keras 2, which has no `ops`.
if not hasattr(keras, "ops"):
  MEAN = tf.VariableAggregation.MEAN
  FIRST_REPLICA = tf.VariableAggregation.ONLY_FIRST_REPLICA
else:
  MEAN = "mean"
  FIRST_REPLICA = "only_first_replica"


def add_counter(layer, name):
  """Gives a layer the weight that `next_stream` counts with."""
  return layer.add_weight(
      name=name, shape=(), dtype="int64", initializer="zeros", trainable=False,
      aggregation=FIRST_REPLICA)


def next_stream(counter):
  """A number that no earlier step and no other replica has, to draw with.

  Random numbers that are a function of a seed and of it are those that an
  uninterrupted run would have drawn, as the counter is a weight. Called once a step,
  on a replica.
  """
  context = tf.distribute.get_replica_context()
  replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
  drawn = tf.convert_to_tensor(counter)
  counter.assign(drawn + 1)
  return drawn * context.num_replicas_in_sync + replica


def tf_variable(variable):
  """The `tf.Variable` of a Keras variable; in Keras 2 the two are one."""
  return variable if isinstance(variable, tf.Variable) else variable.value


def checkpoint_parts(model):
  """What a checkpoint of a model must hold, as arguments of `tf.train.Checkpoint`.

  Weights are listed in the order of `model.weights`, as `get_weights` lists them.
  Handing the model itself to `tf.train.Checkpoint` would lose every layer that a
  layer keeps in a list: Keras 3 tracks such lists, TensorFlow does not see them.

  Generator states are the variables that Keras 3 counts among the variables of a
  model but not among its weights; without them a resumed run would draw other
  dropout masks.
  """
  weights = {id(v) for v in model.weights}
  states = [v for v in model.variables if id(v) not in weights]
  return {"weights": [tf_variable(v) for v in model.weights],
          "random_states": [tf_variable(v) for v in states]}
