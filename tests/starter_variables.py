# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The starter code's variable names, and the variables of ours that they stand for."""

import numpy as np

from yt8m import models


def head_variables(head):
  if isinstance(head, models.Logistic):
    return {"fully_connected/weights": head.logits.kernel,
            "fully_connected/biases": head.logits.bias}
  return {"gates/weights": head.gates.kernel,
          "experts/weights": head.experts.kernel,
          "experts/biases": head.experts.bias}


def dbof_variables(dbof):
  variables = {"cluster_weights": dbof.to_clusters.kernel,
               "hidden1_weights": dbof.to_units.kernel}
  if not dbof.use_batch_norm:
    return {**variables, "cluster_biases": dbof.to_clusters.bias,
            "hidden1_biases": dbof.to_units.bias}
  for name, norm in (("input_bn", dbof.input_norm), ("cluster_bn", dbof.cluster_norm),
                     ("hidden1_bn", dbof.output_norm)):
    variables.update({
        f"{name}/gamma": norm.gamma, f"{name}/beta": norm.beta,
        f"{name}/moving_mean": norm.moving_mean,
        f"{name}/moving_variance": norm.moving_variance})
  return variables


def keras_gates(values):
  """Reorders BasicLSTMCell's gates i, c̃, f, o to Keras' i, f, c̃, o."""
  i, c, f, o = np.split(values, 4, axis=-1)
  return np.concatenate([i, f, c, o], axis=-1)


def load_lstm(lstm, reference):
  for layer, keras_layer in enumerate(lstm.stack):
    prefix = f"rnn/multi_rnn_cell/cell_{layer}/basic_lstm_cell/"
    kernel = keras_gates(reference[prefix + "kernel"])
    bias = keras_gates(reference[prefix + "bias"])
    units = lstm.units
    bias[units:2 * units] += 1.0  # the cell adds its forget bias of 1 at run time
    split = kernel.shape[0] - units
    keras_layer.set_weights([kernel[:split], kernel[split:], bias])


def lstm_gradients(lstm, gradients):
  by_id = {id(v): g for v, g in gradients}
  named = {}
  for layer, keras_layer in enumerate(lstm.stack):
    kernel, recurrent, bias = [by_id[id(v)] for v in keras_layer.trainable_weights]
    prefix = f"rnn/multi_rnn_cell/cell_{layer}/basic_lstm_cell/"
    named[prefix + "kernel"] = np.concatenate([kernel, recurrent])
    named[prefix + "bias"] = bias
  return named


def tower_variables(model):
  named = head_variables(model.classifier)
  if isinstance(model.aggregation, models.DeepBagOfFrames):
    named.update(dbof_variables(model.aggregation))
  return named
