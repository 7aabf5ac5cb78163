# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Type aliases that several packages share."""

import os
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

if TYPE_CHECKING:  # A path needs no TensorFlow.
  import tensorflow as tf

# Path of a local file, or URL of a remote one (`gs://…`).
PathLike = str | os.PathLike[str]

# Content of a JSON object, such as the config of a layer.
Config = dict[str, Any]

# An option by name (`"netvlad"`), or its config: `{"name": "netvlad", "clusters": 64}`.
OptionConfig = str | dict[str, Any]

# Features by name: (batch_size, num_frames, size), or (batch_size, size) at video level,
# of the types in the `FeatureSpec`.
Features = dict[str, "tf.Tensor"]

# A batch of a reader: `"features"`, `"num_frames"`, and `"id"`, `"labels"`, ….
Batch = dict[str, Any]

# Result of a model option: a tensor, and its intermediates by name.
Outputs = tuple["tf.Tensor", dict[str, "tf.Tensor"]]

# Input of a classifier, (batch_size, dim), and labels, (batch_size, num_classes).
LabeledInputs = tuple["tf.Tensor", "tf.Tensor"]

# Predicted probabilities, (batch_size, num_classes).
Scores: TypeAlias = "tf.Tensor"
