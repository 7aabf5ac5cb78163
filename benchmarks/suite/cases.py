# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The models that the benchmarks train: their options, sizes and batches."""

import concurrent.futures
import dataclasses
import multiprocessing
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from yt8m import models
from yt8m.configs import recipes
from yt8m.core import feature_spec
from yt8m.core import types
from yt8m.models import losses
from yt8m.models import registries
from yt8m.training import optimizers
from yt8m.training import step as train_steps

NUM_CLASSES, NUM_FRAMES = 3862, 300
FEATURES = {"rgb": 1024, "audio": 128}
_QUICK_CLASSES = 20
_REGISTRIES = {"aggregation": registries.AGGREGATIONS,
               "classifier": registries.CLASSIFIERS}
_MOE2 = {"name": "moe", "num_mixtures": 2}
_WILLOW = {"aggregation": {"name": "netvlad", "clusters": 64, "projection": 0,
                           "units": 1024, "input_batch_norm": True},
           "classifier": _MOE2}


@dataclasses.dataclass(frozen=True)
class Case:
  """A model and its batches.

  Attributes:
    name: Name in the tables.
    options: Arguments of `VideoModel`.
    batch_size: Number of videos of a training step.
    frames: Number of frames of each video; 0 for video-level features.
    num_classes: Number of classes.
    sizes: Size of each feature.
    work: Operations of the products of a training step for one video, once counted.
  """
  name: str
  options: dict[str, Any]
  batch_size: int
  frames: int = NUM_FRAMES
  num_classes: int = NUM_CLASSES
  sizes: tuple[tuple[str, int], ...] = tuple(FEATURES.items())
  work: float = 0.0

  def build(self) -> models.VideoModel:
    """Returns the model, with its variables created and seeded."""
    tf.keras.utils.set_random_seed(0)
    level = feature_spec.FRAME if self.frames else feature_spec.VIDEO
    names, sizes = zip(*self.sizes, strict=True)
    spec = feature_spec.FeatureSpec(names, sizes, level)
    return models.VideoModel(self.num_classes, spec, **self.options).build_variables()

  def batch(self, batch_size: int | None = None, frames: int | None = None
            ) -> types.Batch:
    """Returns a random batch of a reader, all of whose videos have all frames."""
    rng, rows = np.random.default_rng(0), batch_size or self.batch_size
    frames = self.frames if frames is None else frames
    features = {
        name: tf.constant(rng.integers(0, 256, (rows, frames, size), np.uint8)
                          if frames else rng.standard_normal((rows, size), np.float32))
        for name, size in self.sizes}
    labels = rng.random((rows, self.num_classes)) < 3 / self.num_classes
    return {"features": features, "labels": tf.constant(labels),
            "num_frames": tf.fill([rows], max(frames, 1))}

  def trainer(self, jit_compile: bool | None = None,
              strategy: Any = None) -> train_steps.TrainStep:
    """Returns the training step of `yt8m-train`, with its default settings.

    The policy of Keras says in which precision it computes.

    Args:
      jit_compile: Whether XLA compiles forward and backward pass. Default: as
        `yt8m-train` does.
      strategy: Strategy to train under; None for one device.
    """
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
      model = self.build()
      optimizer = optimizers.make_optimizer("AdamOptimizer", 1e-3)
      if model.input_features.compute_dtype == "float16":
        optimizer = tf.keras.mixed_precision.LossScaleOptimizer(optimizer)
    if jit_compile is None:
      jit_compile = train_steps.gains_from_xla(model)
    return train_steps.TrainStep(
        model, losses.CrossEntropyLoss(), optimizer, strategy, jit_compile=jit_compile)

  def smaller(self) -> "Case":
    """Returns the case with few videos, frames and classes, and small options."""
    options = {
        part: registries.resolve(_REGISTRIES[part], option) if part in _REGISTRIES
        else option for part, option in self.options.items()}
    return dataclasses.replace(
        self, options=_small(options), batch_size=4, frames=min(self.frames, 6),
        num_classes=_QUICK_CLASSES, sizes=(("rgb", 16), ("audio", 8)))


def _small(options: Any) -> Any:
  """Returns options with their large whole numbers made small."""
  if isinstance(options, dict):
    return {key: _small(value) for key, value in options.items()}
  return 8 if type(options) is int and options > 8 else options


def _member(name: str, batch_size: int, frames: int = NUM_FRAMES) -> Case:
  return Case(name, recipes.MEMBERS[name].options, batch_size, frames)


# Batches are those of the recipes. Videos are shorter for recurrent layers, so that a
# turn takes seconds: their time is proportional to the frames, and their share of a large
# product grows with the batch.
_ALL = (
    Case("LogisticModel", {"classifier": "logistic"}, 1024, 0),
    Case("MoeModel (2)", {"classifier": _MOE2}, 1024, 0),
    Case("MoeModel (4)", {"classifier": {"name": "moe", "num_mixtures": 4}}, 1024, 0),
    Case("FrameLevelLogisticModel", {"aggregation": "mean"}, 128),
    Case("DbofModel 8192, 30 frames", {"aggregation": "dbof", "classifier": _MOE2}, 128,
         30),
    Case("NetVLAD-64 (WILLOW), 30 frames", _WILLOW, 128, 30),
    Case("NetVLAD-64 (WILLOW), 300 frames", _WILLOW, 32),
    _member("sum-NetVLAD-C64-MoE4", 128),
    _member("concat-NetVLAD-diff-C64-MoE4", 128),
    _member("concat-NetVLAD-C128-MoE4", 128),
    _member("concat-BLSTM-MoE2", 128, 40),
    _member("attention-BLSTM-MoE2", 128, 40),
    _member("concat-BLSTM-CG-MoE2", 128, 40),
    Case("LstmModel 2 x 1024", {"aggregation": "lstm", "classifier": _MOE2}, 128, 40),
)


def measured(measure: Callable[[Case, bool], dict[str, Any]], quick: bool,
             **environment: str) -> list[dict[str, Any]]:
  """Returns a row for each case, measured in a process of its own.

  TensorFlow does not return all memory of a model that is no longer used: after ten
  models a process holds 20 GiB.

  Args:
    measure: Function of a module that returns the row of a case.
    quick: Whether the cases are tiny. They are then measured in this process.
    **environment: Environment variables of the processes.
  """
  if quick:
    return [measure(case, True) for case in all_cases(quick)]
  context = multiprocessing.get_context("spawn")
  found = []
  for case in all_cases():
    with concurrent.futures.ProcessPoolExecutor(
        1, context, _set_environment, (environment,)) as process:
      found.append(process.submit(measure, case, False).result())
  return found


def _set_environment(variables: dict[str, str]) -> None:
  os.environ.update(variables)


def all_cases(quick: bool = False) -> list[Case]:
  """Returns all cases in the order of the tables; with `quick`, tiny ones."""
  return [case.smaller() for case in _ALL] if quick else list(_ALL)
