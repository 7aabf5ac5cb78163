# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frozen weights stay as they are, to the bit, and slow ones move less."""


import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import support
from yt8m import models
from yt8m.models import losses
from yt8m.training import freezing
from yt8m.training import optimizers
from yt8m.training import step as train_step
from yt8m.training import variable_paths
from yt8m.training import weight_averaging

keras = tf.keras

SPEC = descriptors.SPECS["frame"]
# With batch normalisation, and with L2 penalties.
OPTIONS = {"aggregation": {"name": "dbof", "clusters": 9, "units": 5},
           "classifier": {"name": "gated", "head": "moe", "l2_penalty": 0.1}}


def make_model():
  keras.utils.set_random_seed(0)
  model = models.VideoModel(descriptors.NUM_CLASSES, SPEC, **OPTIONS).build_variables()
  descriptors.randomize(model)
  return model


def values(model):
  return {weight.path: tf.convert_to_tensor(weight.variable).numpy()
          for weight in variable_paths.of_model(model)}


def train(model, prefixes=(), *, steps=2, optimizer="AdamOptimizer", averaging="none",
          slow=(), rate=1.0, **arguments):
  """Returns the weights after some steps, and the averages."""
  strategy = tf.distribute.get_strategy()
  frozen = freezing.Frozen(model, prefixes)
  step = train_step.TrainStep(
      model, losses.CrossEntropyLoss(), optimizers.make_optimizer(optimizer, 0.01),
      strategy, frozen=frozen, slow=slow, slow_rate=rate, **arguments)
  averages = weight_averaging.make(averaging, model, strategy, 1, swa_steps=1,
                                   frozen=frozen)
  for number in range(steps):
    step(descriptors.batch("frame", seed=number))
    if averages:
      averages.update(number + 1)
  parts = averages.checkpoint_parts()["weights_averaged"] if averages else []
  return values(model), [np.asarray(average) for average in parts]


@pytest.mark.parametrize("arguments", [
    {}, {"gradient_clipping": "global"}, {"clip_gradient_norm": 0.0},
    {"jit_compile": True}])
@pytest.mark.parametrize("prefixes", [
    ["fusion", "aggregation"], ["classifier/head"], ["aggregation", "classifier/gate"]])
def test_frozen_weights_stay_and_others_move(prefixes, arguments):
  model = make_model()
  before = values(model)
  after, _ = train(model, prefixes, **arguments)
  for path, value in before.items():
    if any(f"{path}/".startswith(f"{prefix}/") for prefix in prefixes):
      np.testing.assert_array_equal(after[path], value, err_msg=path)
    elif "int" not in str(value.dtype):
      assert np.any(after[path] != value), path
  # The model itself is as before: its weights have one order.
  assert all(layer.trainable for layer in (model.aggregation, model.classifier))
  assert len(model.trainable_variables) == len(make_model().trainable_variables)


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_averages_of_frozen_weights_are_these(kind):
  model = make_model()
  frozen = freezing.Frozen(model, ["aggregation"])
  _, averages = train(model, ["aggregation"], steps=5, averaging=kind)
  for average, weight in zip(averages, model.weights, strict=True):
    if weight in frozen or weight.trainable:
      assert np.array_equal(average, weight) == (weight in frozen)


def test_a_frozen_batch_norm_uses_its_moving_averages():
  model = make_model()
  inputs = {key: value for key, value in descriptors.batch("frame").items()
            if key != "labels"}
  expected = model(inputs, training=False)["predictions"]
  with freezing.Frozen(model, ["aggregation", "classifier/gate"]).hold():
    found = model(inputs, training=True)["predictions"]
  np.testing.assert_allclose(found, expected, rtol=1e-5)
  assert np.any(np.abs(model(inputs, training=True)["predictions"] - expected) > 1e-3)


def test_a_layer_that_is_not_trainable_remains_so():
  model = models.VideoModel(
      6, descriptors.SPECS["video"], classifier={"name": "conditional", "units": 4})
  model.build_variables()
  before = [v.trainable for v in model.weights]
  with freezing.Frozen(model, ["classifier/evidence"]).hold():
    pass
  assert [v.trainable for v in model.weights] == before
  assert not model.classifier.evidence.trainable


@pytest.mark.parametrize("optimizer", [
    "AdamOptimizer", "AdamW", "GradientDescentOptimizer", "RMSprop"])
def test_the_update_of_a_slow_variable_is_a_share(optimizer):
  model = make_model()
  before = values(model)
  full, _ = train(model, steps=1, optimizer=optimizer)
  model = make_model()
  slow = [w.variable for w in variable_paths.of_model(model) if w.part == "aggregation"]
  tenth, _ = train(model, steps=1, optimizer=optimizer, slow=slow, rate=0.1)
  for path, value in before.items():
    share = 0.1 if path.startswith("aggregation") and "moving" not in path else 1.0
    np.testing.assert_allclose(tenth[path] - value, share * (full[path] - value),
                               atol=2e-7, err_msg=path)


def test_a_rate_of_zero_freezes_what_is_trained():
  model = make_model()
  slow = [w.variable for w in variable_paths.of_model(model) if w.part == "aggregation"]
  before = values(model)
  after, _ = train(model, steps=3, slow=slow, rate=0.0)
  for weight in variable_paths.of_model(model):
    is_same = np.array_equal(before[weight.path], after[weight.path])
    assert is_same == (weight.part == "aggregation" and weight.variable.trainable)


def test_unknown_parts_and_all_parts():
  with pytest.raises(ValueError, match="Unknown --freeze 'agregation'. Valid: aggregat"):
    freezing.Frozen(make_model(), ["agregation"])
  with pytest.raises(ValueError, match="classifier/head"):
    freezing.Frozen(make_model(), ["classifier/hed"])
  with pytest.raises(ValueError, match="leaves nothing to train"):
    freezing.Frozen(make_model(), ["aggregation", "classifier"])
  # A part without weights may be named.
  assert "0 of " in freezing.Frozen(make_model(), ["fusion"]).report[0]


@pytest.mark.long
def test_two_replicas_freeze_and_slow_down_as_one():
  found = support.run_script("two_replicas_freezing.py")
  assert len(found) == 2
  for precision, (difference, right_ones_stay) in found.items():
    assert difference < (2e-2 if "float16" in precision else 1e-4), precision
    assert right_ones_stay, precision


def test_the_order_of_names_does_not_matter():
  assert freezing.normalised(None) is None
  assert freezing.normalised("fusion, aggregation,fusion") == "aggregation,fusion"
  with pytest.raises(ValueError, match="--freeze names nothing"):
    freezing.normalised(" ,")
