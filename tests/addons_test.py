# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Our layers and commands together with TensorFlow Addons, if it is installed.

`make test-addons` runs this file with Addons 0.23 on TensorFlow 2.15.1, and on today's
with Keras 2.
"""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m import models
from yt8m.core import addons
from yt8m.core import compat
from yt8m.models.aggregation import netvlad
from yt8m.synthetic import writer
from yt8m.training import optimizer_state
from yt8m.training import optimizers

try:
  tfa = addons.load()
except ImportError as error:
  pytest.skip(str(error), allow_module_level=True)


def test_netvlad_equals_that_of_addons():
  # tfa.layers does not export NetVLAD.
  from tensorflow_addons.layers import netvlad as addons_netvlad

  x = np.random.default_rng(0).normal(size=(4, 9, 6)).astype(np.float32)
  theirs = addons_netvlad.NetVLAD(num_clusters=5)
  expected = theirs(x)
  ours = netvlad.VladPooling(clusters=5, use_batch_norm=False)
  ours(x)
  ours.assign.score.set_weights(theirs.fc.get_weights())
  ours.references.assign(theirs.cluster_centers.numpy()[0])
  found, _ = ours(x)
  np.testing.assert_allclose(found, expected, atol=1e-6)


def test_layer_normalised_lstm_equals_that_of_addons():
  keras = tf.keras
  x = np.random.default_rng(1).normal(size=(3, 7, 4)).astype(np.float32)
  lengths = np.array([7, 4, 1])
  mask = np.arange(7) < lengths[:, None]
  theirs = keras.layers.RNN(tfa.rnn.LayerNormLSTMCell(5))
  expected = theirs(x, mask=tf.constant(mask))
  ours = models.Lstm(units=5, num_layers=1, layer_norm=True)
  ours(x)
  ours.set_weights(theirs.get_weights())
  np.testing.assert_allclose(ours(x, frame_mask=mask), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["LAMB", "LazyAdam", "NovoGrad", "RectifiedAdam"])
def test_optimizers_of_addons_by_name(name):
  variable = tf.Variable([3.0, -2.0])
  optimizer = optimizers.make_optimizer(name, optimizers.StaircaseDecay(0.1, 0.5, 40, 4))
  assert type(optimizer).__module__.startswith("tensorflow_addons")
  compat.build_optimizer(optimizer, [variable])
  slots = len(optimizer_state.slots_and_counters(optimizer))
  assert slots >= 2 and optimizers.current_learning_rate(optimizer) == pytest.approx(0.1)
  for _ in range(10):
    optimizer.apply_gradients([(2 * variable, variable)])
  assert len(optimizer_state.slots_and_counters(optimizer)) == slots
  assert np.sum(np.abs(variable)) < 5
  assert optimizers.current_learning_rate(optimizer) == pytest.approx(0.05)


@pytest.mark.parametrize("name", ["SGDW", "Lookahead"])
def test_classes_that_need_more_than_a_rate_are_no_options(name):
  with pytest.raises(ValueError, match="Unknown optimizer.*Valid: .*LAMB"):
    optimizers.make_optimizer(name, 0.1)


def test_training_with_an_optimizer_of_addons_resumes(tmp_path):
  """A run in two parts ends with the weights and slots of one run, bit for bit."""
  writer.write(writer.SampleDataConfig(
      num_videos=60, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=2), str(tmp_path / "sample"))
  for name, max_steps in (("whole", 8), ("parts", 5), ("parts", 8)):
    support.run_command(
        "yt8m.train", "--optimizer=LazyAdam", "--model=FrameLevelLogisticModel",
        "--frame_features", "--feature_names=rgb,audio", "--feature_sizes=16,8",
        "--num_classes=13", "--batch_size=8", f"--max_steps={max_steps}",
        f"--train_data_pattern={tmp_path}/sample/frame/train*.tfrecord",
        f"--train_dir={tmp_path / name}")
  paths = [tf.train.latest_checkpoint(str(tmp_path / name))
           for name in ("whole", "parts")]
  names = [name for name, _ in tf.train.list_variables(paths[0])
           if name.startswith(("weights/", "optimizer/"))]
  assert len(names) >= 2 + 5  # kernel and bias, m and v of each, iterations
  for name in names:
    np.testing.assert_array_equal(
        *(tf.train.load_variable(path, name) for path in paths), err_msg=name)
