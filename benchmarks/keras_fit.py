# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""GAP after `fit` of Keras and after `yt8m-train`, with the same settings.

  python -m benchmarks.keras_fit --data=../shared/data/yt8m/video

Both train on fit/*.tfrecord and are measured on heldout/*.tfrecord, with the same seed,
optimizer, clipping, batch size and number of epochs. They see the records in another
order.
"""

import subprocess
import tempfile
from collections.abc import Sequence

import tensorflow as tf
from absl import app
from absl import flags

import yt8m
from yt8m.core import commands
from yt8m.core import markdown

_DATA = flags.DEFINE_string("data", "../shared/data/yt8m/video", "Folder with records.")
_MODEL = flags.DEFINE_string("recipe_name", "LogisticModel", "Recipe.")
_EPOCHS = flags.DEFINE_integer("epochs", 5, "Number of epochs.")
_BATCH = flags.DEFINE_integer("batch", 256, "Batch size.")
_RATE = flags.DEFINE_float("rate", 0.005, "Learning rate, constant.")
_SEED = flags.DEFINE_integer("first_seed", 0, "Seed.")

_FEATURES = {"mean_rgb": 1024, "mean_audio": 128}
_CLASSES = 3862


def by_fit() -> yt8m.models.VideoModel:
  """Trains by `fit`."""
  tf.keras.utils.set_random_seed(_SEED.value)
  train = yt8m.datasets.video_level(
      f"{_DATA.value}/fit/*.tfrecord", _FEATURES, _CLASSES, _BATCH.value, shuffle=True,
      seed=_SEED.value)
  model = yt8m.models.from_recipe(_MODEL.value, _FEATURES, _CLASSES)
  yt8m.start_from_labels(model, train)
  model.compile(tf.keras.optimizers.Adam(_RATE.value, epsilon=1e-8, clipnorm=1.0))
  model.fit(train, epochs=_EPOCHS.value, verbose=2)
  return model


def by_command(train_dir: str) -> None:
  """Trains by `yt8m-train`."""
  subprocess.run(commands.as_process(
      "yt8m-train", f"--train_dir={train_dir}", f"--model={_MODEL.value}",
      f"--train_data_pattern={_DATA.value}/fit/*.tfrecord",
      "--feature_names=mean_rgb,mean_audio", "--feature_sizes=1024,128",
      f"--batch_size={_BATCH.value}", f"--num_epochs={_EPOCHS.value}",
      f"--base_learning_rate={_RATE.value}", "--learning_rate_decay=1",
      f"--seed={_SEED.value}"), check=True)


def main(argv: Sequence[str]) -> None:
  del argv
  heldout = yt8m.datasets.video_level(
      f"{_DATA.value}/heldout/*.tfrecord", _FEATURES, _CLASSES)
  fitted = yt8m.evaluate(by_fit(), heldout)
  with tempfile.TemporaryDirectory() as folder:
    by_command(folder)
    trained = yt8m.evaluate(yt8m.load(folder), heldout)
  print(markdown.make(["way", "GAP", "Hit@1", "mAP"], [
      [name, *(f"{values[key]:.4f}" for key in ("gap", "avg_hit_at_one", "map"))]
      for name, values in (("fit", fitted), ("yt8m-train", trained))], left=["way"]))
  print(f"\nGAP of fit − GAP of yt8m-train: {fitted['gap'] - trained['gap']:+.4f}")


if __name__ == "__main__":
  app.run(main)
