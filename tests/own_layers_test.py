# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Plain Keras layers of the user's own, from training to a submission."""

import json

import pytest

from tests.helpers import support
from yt8m.synthetic import writer

LAYERS = """
import tensorflow as tf
layers = tf.keras.layers
class Join(layers.Layer):
  def call(self, modalities):
    return tf.concat(modalities, axis=-1)
class Longest(layers.Layer):
  def __init__(self, units, **kwargs):
    super().__init__(**kwargs)
    self.dense = layers.Dense(units)
  def build(self, input_shape):
    self.dense.build(input_shape)
  def call(self, x, mask=None):
    return tf.reduce_max(self.dense(x), axis=1)
class Head(layers.Dense):
  def __init__(self, num_classes, name="head", **kwargs):
    super().__init__(num_classes, activation="sigmoid", name=name, **kwargs)
def squares(labels, predictions):
  return tf.square(labels - predictions)
class Hinge(tf.keras.losses.Loss):
  def call(self, labels, predictions):
    return tf.reduce_sum(tf.maximum(0., 1 - labels * predictions), axis=1)
class Short(layers.Dense):
  def __init__(self, **kwargs):
    super().__init__(3, **kwargs)
"""
TRAIN = ("yt8m.train", "--frame_features", "--feature_names=rgb,audio",
         "--feature_sizes=16,8", "--num_classes=13", "--max_frames=12",
         "--batch_size=16", "--model=FrameLevelLogisticModel")
OWN = ("--fusion=mine:Join", "--aggregation=mine:Longest", "--classifier=mine:Head",
       "--set=aggregation.units=5")


@pytest.fixture
def records(tmp_path, monkeypatch):
  """Records; the module `mine` can be imported, here and in commands."""
  (tmp_path / "mine.py").write_text(LAYERS)
  monkeypatch.syspath_prepend(str(tmp_path))
  writer.write(writer.SampleDataConfig(
      num_videos=60, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=1), str(tmp_path / "records"))
  return tmp_path / "records" / "frame"


def test_plain_layers_in_every_command(records, tmp_path):
  train = (*TRAIN, *OWN, f"--train_data_pattern={records}/train*.tfrecord",
           f"--train_dir={tmp_path}/model")
  support.run_command(*train, "--max_steps=2")
  support.run_command(*train, "--max_steps=4")  # goes on
  assert (tmp_path / "model" / "model.ckpt-4.index").exists()
  config = json.loads((tmp_path / "model" / "config.json").read_text())
  assert config["model"]["aggregation"] == {"name": "mine:Longest", "units": 5}
  own = (f"--train_dir={tmp_path}/model", "--allow_code=mine")
  process = support.run_command(
      "yt8m.eval.evaluate", *own, "--run_once", "--top_k=3",
      f"--eval_data_pattern={records}/validate*.tfrecord")
  assert "GAP: " in process.stdout
  test = f"--input_data_pattern={records}/test*.tfrecord"
  support.run_command("yt8m.export.inference", *own, test, "--top_k=3",
                      f"--output_file={tmp_path}/own.csv")
  support.run_command("yt8m.export.export_model", *own, "--top_k=3",
                      f"--output_dir={tmp_path}/serving")
  assert support.read_submission(tmp_path / "own.csv")


@pytest.mark.parametrize("name, allowed", [
    ("mine:squares", "mine:squares"), ("mine:Hinge", "mine")])
def test_a_plain_loss(records, tmp_path, name, allowed):
  support.run_command(
      *TRAIN, f"--label_loss={name}", "--allow_code=mine", "--max_steps=2",
      f"--train_data_pattern={records}/train*.tfrecord",
      f"--train_dir={tmp_path}/model",
      f"--eval_data_pattern={records}/validate*.tfrecord")
  evaluate = ("yt8m.eval.evaluate", f"--train_dir={tmp_path}/model", "--run_once",
              f"--eval_data_pattern={records}/validate*.tfrecord")
  assert "GAP: " in support.run_command(*evaluate, f"--allow_code={allowed}").stdout
  if name != "mine:Hinge":
    process = support.run_command(*evaluate, "--allow_code=mine", check=False)
    assert process.returncode == 1 and f"add --allow_code={name}" in process.stderr


def test_a_classifier_returns_a_score_for_each_class(records, tmp_path):
  process = support.run_command(
      *TRAIN, "--classifier=mine:Short", "--max_steps=1",
      f"--train_data_pattern={records}/train*.tfrecord",
      f"--train_dir={tmp_path}/model", check=False)
  assert process.returncode == 1
  assert "Short returns scores of shape (1, 3), but must return (batch_size, 13)" in (
      process.stderr)
