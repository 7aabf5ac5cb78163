# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the tables measured on AudioSet have in common."""

COMMON = {
    "frame_features": True, "feature_names": "audio_embedding",
    "feature_sizes": 128, "num_classes": 527, "max_frames": 10,
    "train_data_pattern": "{data}/audioset/bal_train/*.tfrecord",
    "batch_size": 128, "num_epochs": 6, "base_learning_rate": 0.005,
    "learning_rate_decay": 0.8, "learning_rate_decay_examples": 22160,
    "log_steps": 50}
EVALUATE = {"eval_data_pattern": "{data}/audioset/eval/*.tfrecord"}
