# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Modules that `forked_commands` loads for every command. Nothing is computed here."""

import os

# TensorFlow reads these when it is loaded.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import tensorflow as tf  # noqa: E402

tf.keras.layers.Layer  # noqa: B018, TensorFlow loads Keras on first use
