# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs our model with the variables of a reference and compares the results.

`named` maps the variable names of the reference to our variables: to one variable, or to
a list whose concatenation along the first axis is the variable of the reference.
"""

import numpy as np
import tensorflow as tf

from tests.helpers import support
from yt8m.models import losses
from yt8m.models.layers import variables


def as_is(name, value):
  """The default of `to_ours`, for variables that have the same layout in both."""
  return value


def norm_variables(norms, name):
  """Returns `named` for a batch normalisation, or for several that split one."""
  norms = norms if isinstance(norms, list) else [norms]
  return {f"{name}/{part}": [getattr(norm, part) for norm in norms]
          for part in ("gamma", "beta", "moving_mean", "moving_variance")}


def parts(named_entry):
  return named_entry if isinstance(named_entry, list) else [named_entry]


def assign(named, reference, to_ours=as_is):
  """Assigns `{name: value}` to our variables; every value must be used."""
  assert set(named) == set(reference)
  for name, entry in named.items():
    value, ours = to_ours(name, reference[name]), parts(entry)
    ends = np.cumsum([v.shape[0] for v in ours])
    assert ends[-1] == value.shape[0], name
    for variable, part in zip(ours, np.split(value, ends[:-1]), strict=True):
      variable.assign(part)


def train_outputs(model, inputs, golden, penalise=None, epsilon=1e-5):
  """Compares outputs and losses in both modes.

  Args:
    penalise: `model -> penalty`, a penalty that the reference has and ours does not.
    epsilon: Epsilon of the reference's cross entropy.

  Returns:
    `{id of a variable: gradient of the whole loss}`.
  """
  outputs = model(inputs, training=False)["predictions"]
  np.testing.assert_allclose(outputs, golden["out/eval/predictions"], atol=1e-5)
  weights = model.trainable_weights
  with tf.GradientTape() as tape:
    outputs = model(inputs, training=True)["predictions"]
    label_loss = losses.CrossEntropyLoss(epsilon)(
        golden["in/labels"].astype(np.float32), outputs)
    penalty = tf.add_n(model.losses)
    loss = label_loss + penalty
  np.testing.assert_allclose(outputs, golden["out/train/predictions"], atol=1e-5)
  np.testing.assert_allclose(label_loss, golden["out/train/label_loss"], rtol=1e-5)
  counted = penalty + penalise(model) if penalise else penalty
  np.testing.assert_allclose(counted, golden["out/train/reg_loss"], rtol=1e-5)
  gradients = tape.gradient(loss, [variables.tf_variable(v) for v in weights])
  return {id(v): g for v, g in zip(weights, gradients, strict=True)}


def assert_gradients(found, golden, to_ours=as_is):
  """Compares `{name: gradient}` with all gradients of a golden file."""
  expected = support.with_prefix(golden, "grad/tower/")
  assert set(found) == set(expected)
  for name, gradient in expected.items():
    np.testing.assert_allclose(found[name], to_ours(name, gradient), rtol=1e-4,
                               atol=2e-6, err_msg=name)


def named_gradients(named, gradients):
  """Returns `{name: gradient}` of trainable variables, from gradients by variable id."""
  return {name: np.concatenate([np.asarray(gradients[id(v)]) for v in parts(entry)])
          for name, entry in named.items() if id(parts(entry)[0]) in gradients}


def assert_updates(named, golden):
  """Compares the moving averages after one training step."""
  for name, value in support.with_prefix(golden, "upd/tower/").items():
    found = np.concatenate([np.asarray(tf.convert_to_tensor(v))
                            for v in parts(named[name])])
    np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-6, err_msg=name)


def assert_model(model, inputs, golden, named, to_ours=as_is, **arguments):
  """Runs all comparisons for a model whose variables are all in `named`."""
  assign(named, support.with_prefix(golden, "var/tower/"), to_ours)
  gradients = train_outputs(model, inputs, golden, **arguments)
  trained = {id(v) for entry in named.values() for v in parts(entry)}
  assert set(gradients) <= trained, "a variable of ours is not in the reference"
  assert_gradients(named_gradients(named, gradients), golden, to_ours)
  assert_updates(named, golden)
