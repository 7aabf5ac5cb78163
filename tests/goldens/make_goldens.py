# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes small trained models, which later versions must load with the same scores.

    python -m tests.goldens.make_goldens [name …]

Without names, as in `make goldens`, it writes the models that are missing. A model that
exists is replaced only if it is named, since its files represent those of users.

    tests/goldens/<name>/train              training directory of yt8m-train
    tests/goldens/<name>/saved_model.tgz    SavedModel of yt8m-export
    tests/goldens/<name>/scores.npz         inputs, and the scores of the trained model
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

import numpy as np
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import support
from yt8m import models
from yt8m.configs import experiment
from yt8m.data import tfrecords
from yt8m.models import prediction

FOLDER = pathlib.Path(__file__).parent
TOP_K = 3
SEED = 1


def golden_models():
  """Returns `{name: (level, kind, option)}`: each aggregation and two classifiers."""
  aggregations = {f"aggregation-{name}": ("frame", "aggregation", name)
                  for name in models.AGGREGATIONS}
  return {**aggregations, "classifier-moe": ("video", "classifier", "moe"),
          "classifier-conditional": ("video", "classifier", "conditional")}


def examples(batch):
  """Returns the serialized records of a batch of `descriptors.batch`."""
  records = []
  for row, length in enumerate(np.asarray(batch["num_frames"])):
    features = {name: np.asarray(x[row]) for name, x in batch["features"].items()}
    labels = np.flatnonzero(batch["labels"][row])
    if features["rgb"].ndim == 1:
      example = tfrecords.video_example(f"v{row}", labels, features)
    else:
      frames = {name: x[:length] for name, x in features.items()}
      example = tfrecords.frame_example(f"v{row}", labels, frames)
    records.append(example.SerializeToString())
  return records


def train_and_export(name, folder):
  """Runs the commands in a folder, with relative paths, since files record them."""
  level, kind, option = golden_models()[name]
  with tf.io.TFRecordWriter(str(folder / "records.tfrecord")) as writer:
    for example in examples(descriptors.batch(level, rows=24, seed=SEED)):
      writer.write(example)
  spec, hparams = descriptors.SPECS[level], descriptors.small(kind, option)
  hparams = {key: value for key, value in hparams.items() if key != "name"}
  run(folder, "yt8m.train", "--train_data_pattern=records.tfrecord", "--train_dir=train",
      "--model=LogisticModel", f"--{kind}={option}", f"--seed={SEED}",
      f"--frame_features={level == 'frame'}", f"--feature_names={','.join(spec.names)}",
      f"--feature_sizes={','.join(map(str, spec.sizes))}",
      f"--num_classes={descriptors.NUM_CLASSES}",
      f"--max_frames={descriptors.MAX_FRAMES}", "--batch_size=8", "--max_steps=4",
      "--base_learning_rate=0.05", f"--hparams={json.dumps({kind: hparams})}")
  run(folder, "yt8m.export.export_model", "--train_dir=train",
      "--output_dir=saved_model", f"--top_k={TOP_K}")


def run(folder, module, *arguments):
  subprocess.run([sys.executable, "-m", module, *arguments], cwd=folder, check=True,
                 env=support.ENVIRONMENT)


def archive(directory, path):
  """Packs a directory without times and owners."""
  def plain(info):
    info.mtime = info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info

  with tarfile.open(path, "w:gz") as tar:
    tar.add(directory, arcname=directory.name, filter=plain)


def make(name):
  target = FOLDER / name
  with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary)
    train_and_export(name, folder)
    _, model, _ = experiment.load(str(folder / "train"))
    batch = descriptors.batch(golden_models()[name][0])
    scores = model(prediction.model_inputs(batch))["predictions"]
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder / "train", target / "train",
                    ignore=shutil.ignore_patterns("train", "eval"))  # TensorBoard
    archive(folder / "saved_model", target / "saved_model.tgz")
  np.savez_compressed(
      target / "scores.npz", predictions=scores, num_frames=batch["num_frames"],
      labels=batch["labels"],
      **{f"features/{key}": value for key, value in batch["features"].items()})


def main(names):
  for name in names or golden_models():
    if names or not (FOLDER / name).exists():
      print(name)
      make(name)


if __name__ == "__main__":
  main(sys.argv[1:])
