# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Maps the variable names of the WILLOW code to our variables."""

from tests.helpers import parity
from tests.helpers import starter_variables
from yt8m import models
from yt8m.models.aggregation import netfv
from yt8m.models.aggregation import netvlad
from yt8m.models.aggregation import soft_dbof


def to_ours(name, value):
  """Reference layouts: centres (1, dim, K), gates (1, K, dim); ours are (dim, K)."""
  if name.endswith("cluster_weights2"):
    return value[0]
  if name.endswith("gate_weights"):
    return value[0].T
  return value


def pool_variables(pool):
  named = {"cluster_weights": pool.assign.score.kernel,
           **parity.norm_variables(pool.assign.norm, "cluster_bn")}
  if isinstance(pool, netvlad.VladPooling) and pool.residuals != "none":
    centres = pool.residuals == "centres"
    named["cluster_weights2" if centres else "gate_weights"] = pool.references
  elif isinstance(pool, netfv.FisherPooling):
    named["covar_weights"] = pool.spread
    if not pool.coupling:
      named["cluster_weights2"] = pool.free_centres
  elif isinstance(pool, soft_dbof.SoftBagPooling) and pool.gated:
    named.update({"dim_red": pool.gate.squeeze.kernel,
                  "cluster_weights_2": pool.gate.gate.kernel,
                  **parity.norm_variables(pool.gate.norm, "cluster_bn_2")})
  return named


def head_variables(head):
  if isinstance(head, models.Gated):
    return {**head_variables(head.head), "gating_prob_weights": head.gate.gate.kernel,
            **parity.norm_variables(head.gate.norm, "gating_prob_bn")}
  named = starter_variables.head_variables(head)
  if isinstance(head, models.MixtureOfExperts) and head.low_rank_gates:
    named["gates1/weights"] = head.shared_gates.kernel
    named["gates2/weights"] = named.pop("gates/weights")
  return named


def hidden_variables(hidden):
  """Variables of a `GatedDense`, and of its context gating if it has one."""
  named = {"hidden1_weights": hidden.dense.kernel}
  if hidden.use_batch_norm:
    named.update(parity.norm_variables(hidden.norm, "hidden1_bn"))
  else:
    named["hidden1_biases"] = hidden.dense.bias
  if hidden.gate is not None:
    named.update({"gating_weights_2": hidden.gate.gate.kernel,
                  **parity.norm_variables(hidden.gate.norm, "gating_bn")})
  return named


def model_variables(model, scopes):
  """Variables of a model; `scopes` are the names of its pooling layers, by modality."""
  [branch] = model.branches
  aggregations = branch.aggregations
  named = parity.norm_variables([a.input_norm for a in aggregations], "input_bn")
  for scope, aggregation in zip(scopes, aggregations, strict=True):
    named.update({f"{scope}/{name}": v
                  for name, v in pool_variables(aggregation.pool).items()})
  [classifier] = branch.classifiers
  return {**named, **hidden_variables(classifier.hidden),
          **head_variables(classifier.head)}
