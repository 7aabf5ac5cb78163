# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Cost of the steps of conditional inference in a server.

  python -m benchmarks.conditional.steps

Exports an untrained member with `conditional` around its classifier, once for each
number of steps, and calls the SavedModels in turn with the same frames. The ratios
compare the time of K steps with that of one step, and with that of the member without
`conditional`.
"""

import itertools
import os
import statistics
import tempfile
import time
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags
from absl import logging

from yt8m import models
from yt8m.configs import experiment
from yt8m.configs import recipes
from yt8m.core import feature_spec
from yt8m.export.saved_models import writer

_MEMBER = flags.DEFINE_enum("member", "concat-BLSTM-MoE2", list(recipes.MEMBERS),
                            "Recipe of the member.")
_STEPS = flags.DEFINE_multi_integer("num_steps", [1, 2, 4, 8],
                                    "Numbers of steps; 1 first.")
_BATCH = flags.DEFINE_integer("batch_size", 16, "Videos of a request.", 1)
_FRAMES = flags.DEFINE_integer("num_frames", 300, "Frames of a video.", 1)
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Requests to each model.", 1)
_CLASSES = flags.DEFINE_integer("num_classes", 3862, "Number of classes.", 2)


def export(options: dict[str, Any], directory: str) -> tuple[Any, Any]:
  """Exports an untrained model; returns the loaded SavedModel and its signature."""
  spec = feature_spec.FeatureSpec(("rgb", "audio"), (1024, 128), "frame")
  model = models.VideoModel(_CLASSES.value, spec, **options).build_variables()
  writer.save(experiment.Experiment(model.get_config(), _FRAMES.value), model, directory)
  loaded = tf.saved_model.load(directory)
  return loaded, loaded.signatures["predict_features"]


def main(_):
  logging.set_verbosity(logging.ERROR)  # TensorFlow logs every export
  options = recipes.RECIPES[_MEMBER.value].options
  rng = np.random.default_rng(0)
  rows = [_BATCH.value, _FRAMES.value]
  request = {
      "rgb": tf.constant(rng.integers(0, 256, [*rows, 1024], np.uint8)),
      "audio": tf.constant(rng.integers(0, 256, [*rows, 128], np.uint8)),
      "num_frames": tf.fill([_BATCH.value], _FRAMES.value)}
  with tempfile.TemporaryDirectory() as directory:
    signatures = {"member alone": export(options, os.path.join(directory, "alone"))}
    for steps in _STEPS.value:
      head = {"name": "conditional", "head": options["classifier"], "num_steps": steps}
      signatures[f"K = {steps}"] = export(
          {**options, "classifier": head}, os.path.join(directory, str(steps)))
    seconds = {name: [] for name in signatures}
    for number, (name, (_, signature)) in itertools.product(
        range(_ROUNDS.value + 1), signatures.items()):
      began = time.perf_counter()
      signature(**request)["predictions"].numpy()
      if number:  # the first request traces and allocates
        seconds[name].append(time.perf_counter() - began)
  medians = {name: statistics.median(times) for name, times in seconds.items()}
  one = medians[f"K = {_STEPS.value[0]}"]
  print(f"{_MEMBER.value}, {_BATCH.value} videos of {_FRAMES.value} frames, "
        f"{_CLASSES.value} classes; median of {_ROUNDS.value} requests")
  print(f"{'':<14} {'ms a request':>12} {'over K = 1':>12} {'over the member':>16}")
  for name, median in medians.items():
    print(f"{name:<14} {1e3 * median:>12.1f} {median / one:>12.3f} "
          f"{median / medians['member alone']:>16.3f}")


if __name__ == "__main__":
  app.run(main)
