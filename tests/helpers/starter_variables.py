# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Maps the variable names of the starter code to our variables."""

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


def tower_variables(model):
  named = head_variables(model.classifier)
  if isinstance(model.aggregation, models.DeepBagOfFrames):
    named.update(dbof_variables(model.aggregation))
  return named
