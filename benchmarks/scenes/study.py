# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Tests whether `temporal_graph` finds the planted scenes of the sample data.

  python -m benchmarks.scenes.study --output_dir=/tmp/scenes

Generates the sample data (or uses `--sample_dir`), trains a model with `temporal_graph`
through the commands, and compares the scenes of the validate videos with the planted
ones. Training sees only labels, never a scene. The trained model is compared with the
same model before training, and with chance (the same number of boundaries at random
frames). The graph over one video is drawn to `adjacency.png`.

A random linear map almost preserves the dot products of frames, and planted scenes
differ in all directions, so the untrained model finds them best. The study therefore
shows that graph and cut work, and how much of this training preserves; it does not show
that training teaches scenes.
"""

import os
import shlex
import subprocess
from collections.abc import Iterable
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from benchmarks.scenes import adjacency_plot
from benchmarks.scenes import scene_boundaries
from yt8m.configs import experiment
from yt8m.core import commands
from yt8m.data import readers
from yt8m.models import prediction

_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Directory for all output.",
                                  required=True)
_SAMPLE_DIR = flags.DEFINE_string("sample_dir", None, "Sample data of default sizes.")
_HPARAMS = flags.DEFINE_string("hparams", "{}", "Hyperparameters, as for yt8m-train.")
_EPOCHS = flags.DEFINE_integer("num_epochs", 5, "Epochs of training.")
_DRAWN = flags.DEFINE_integer("drawn", 4, "Number of the video to draw.")

MODEL = ("--model=FrameLevelLogisticModel", "--aggregation=temporal_graph",
         "--frame_features", "--feature_names=rgb,audio", "--feature_sizes=1024,128",
         "--num_classes=100", "--max_frames=40", "--batch_size=64",
         "--base_learning_rate=0.001", "--start_new_model")


def run(command: str, *arguments: str) -> None:
  print("$", shlex.join([command, *arguments]), flush=True)
  subprocess.run(commands.as_process(command, *arguments), check=True)


def true_scenes(sample_dir: str) -> dict[str, np.ndarray]:
  """Returns `{id: first frames of the scenes, and last the number of frames}`."""
  with np.load(os.path.join(sample_dir, "ground_truth.npz"), allow_pickle=False) as truth:
    scenes = np.split(truth["cuts"], truth["cuts_offsets"][1:-1])
    return dict(zip(truth["ids"].tolist(), scenes, strict=True))


def run_model(model: tf.keras.Model, dataset: Iterable,
              ) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
  """Yields `(id, adjacency, segments)` of each video, without padding."""
  call = tf.function(model, reduce_retracing=True)
  for batch in dataset:
    outputs = call(prediction.model_inputs(batch))
    for video, n, adjacency, segments in zip(
        batch["id"].numpy(), batch["num_frames"].numpy(), outputs["adjacency"].numpy(),
        outputs["segments"].numpy(), strict=True):
      yield video.decode(), adjacency[:n, :n], segments[:n]


def print_rows(name: str, scenes: dict[str, np.ndarray],
               predicted: dict[str, np.ndarray]) -> None:
  """Prints precision and recall of a model and of chance, exact and within one frame."""
  true = [scenes[video][1:-1] for video in predicted]
  boundaries = list(predicted.values())
  num_frames = [int(scenes[video][-1]) for video in predicted]
  model = [scene_boundaries.precision_recall(true, boundaries, n) for n in (0, 1)]
  chance = [scene_boundaries.chance(true, boundaries, num_frames, n) for n in (0, 1)]
  for title, (exact, near) in ((name, model), (f"chance, as many as {name}", chance)):
    print(f"{title:28}" + "".join(f"{value:11.3f}" for value in (*exact, *near))
          + f"{np.mean([len(b) for b in boundaries]):8.2f}")


def main(_):
  output_dir = _OUTPUT_DIR.value
  sample_dir, train_dir = _SAMPLE_DIR.value, os.path.join(output_dir, "model")
  if not sample_dir:
    sample_dir = os.path.join(output_dir, "sample")
    run("yt8m-sample-data", f"--output_dir={sample_dir}", "--overwrite")
  run("yt8m-train", *MODEL, f"--hparams={_HPARAMS.value}", f"--train_dir={train_dir}",
          f"--num_epochs={_EPOCHS.value}",
          f"--train_data_pattern={sample_dir}/frame/train*.tfrecord")
  pattern = f"{sample_dir}/frame/validate*.tfrecord"
  run("yt8m-eval", f"--train_dir={train_dir}", "--run_once",
          f"--eval_data_pattern={pattern}")

  config, model, _ = experiment.load(train_dir)
  dataset = readers.make_reader(
      config.feature_spec, config.num_classes, config.max_frames).dataset(pattern, 64)
  scenes = true_scenes(sample_dir)
  tf.random.set_seed(0)
  tf.keras.utils.set_random_seed(0)
  models = {"trained": model, "untrained": config.build_model()}
  results = {name: list(run_model(model, dataset)) for name, model in models.items()}
  true = [len(scenes[video]) - 2 for video, _, _ in results["trained"]]
  print(f"\n{len(true)} videos with {np.mean(true):.2f} boundaries each\n{'':28}"
        "  precision     recall precision±1  recall±1   found")
  for name, videos in results.items():
    print_rows(name, scenes, {video: scene_boundaries.boundaries(segments)
                              for video, _, segments in videos})

  video, adjacency, segments = results["trained"][_DRAWN.value]
  path = os.path.join(output_dir, "adjacency.png")
  adjacency_plot.plot_adjacency(
      adjacency, path, scene_boundaries.boundaries(segments), scenes[video][:-1],
      f"Learned graph over video {video}")
  print(f"\nThe graph over {video}: {path}")


if __name__ == "__main__":
  app.run(main)
