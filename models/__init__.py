# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The models: fusion of modalities, temporal aggregation, classification.

Importing this package registers every option. A new option needs one import below.
"""
# The imports are the public names of this package, so none of them is unused.
# ruff: noqa: F401

import importlib
from typing import Any

from yt8m.models.aggregation.attention_pooling import AttentionPooling
from yt8m.models.aggregation.blstm import Blstm
from yt8m.models.aggregation.cbhg import Cbhg
from yt8m.models.aggregation.dbof import DeepBagOfFrames
from yt8m.models.aggregation.hierarchical_rnn import HierarchicalRnn
from yt8m.models.aggregation.mean import Mean
from yt8m.models.aggregation.netfv import NetFv
from yt8m.models.aggregation.netvlad import NetVlad
from yt8m.models.aggregation.nextvlad import NextVlad
from yt8m.models.aggregation.recurrent_stack import Gru
from yt8m.models.aggregation.recurrent_stack import Lstm
from yt8m.models.aggregation.soft_dbof import SoftBagOfFrames
from yt8m.models.aggregation.temporal_graph import TemporalGraph
from yt8m.models.aggregation.transformer import Transformer
from yt8m.models.classification.binary_relevance import Logistic
from yt8m.models.classification.binary_relevance import MixtureOfExperts
from yt8m.models.classification.class_chain import ClassChain
from yt8m.models.classification.classifier import Classifier
from yt8m.models.classification.conditional import Conditional
from yt8m.models.classification.joint_conditional import JointConditional
from yt8m.models.classification.kernel import Kernel
from yt8m.models.classification.label_embedding import LabelEmbedding
from yt8m.models.classification.label_powerset import LabelPowerset
from yt8m.models.classification.wrappers import Gated
from yt8m.models.classification.wrappers import Hidden
from yt8m.models.fusion.attention import CrossModalAttention
from yt8m.models.fusion.bilinear import CompactBilinear
from yt8m.models.fusion.framewise import Concat
from yt8m.models.fusion.framewise import Differential
from yt8m.models.fusion.framewise import Sum
from yt8m.models.fusion.late import LateFusion1
from yt8m.models.fusion.late import LateFusion2
from yt8m.models.registries import AGGREGATIONS
from yt8m.models.registries import CLASSIFIERS
from yt8m.models.registries import FUSIONS
from yt8m.models.video_model import VideoModel


def __getattr__(name: str) -> Any:
  """Finds `from_recipe`: recipes stand above the models, and are imported when used."""
  if name != "from_recipe":
    raise AttributeError(f"module 'yt8m.models' has no attribute {name!r}")
  return importlib.import_module("yt8m.configs.recipes").build
