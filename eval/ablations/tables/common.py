# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Rows of small options, and what the tables measured on sample data have in common."""

AGGREGATIONS = ("mean", "attention_pooling", "dbof", "soft_dbof", "netvlad", "netfv",
                "nextvlad", "lstm", "gru", "blstm", "hierarchical_rnn", "cbhg",
                "temporal_graph")
# Of two modalities; "concat" is that of every other row.
FUSIONS = ("sum", "attention", "differential", "bilinear", "late1", "late2")

_FRAMES = {"num_classes": 30, "feature_sizes": "128,64", "max_frames": 24}
SAMPLE_DATA = {**_FRAMES, "segments": False}
SAMPLE_COMMON = {
    **_FRAMES, "frame_features": True, "feature_names": "rgb,audio",
    "train_data_pattern": "{sample}/frame/train*.tfrecord",
    "batch_size": 64, "num_epochs": 20, "base_learning_rate": 0.005,
    "learning_rate_decay": 0.8, "learning_rate_decay_examples": 8400,
    "log_steps": 50}


def small(names, **entries):
  """A row for the small recipe of each of these options."""
  return [{"name": name, "flags": {"model": f"small-{name}"}, **entries}
          for name in names]
