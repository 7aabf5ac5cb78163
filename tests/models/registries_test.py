# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Options by name: classes of the user, and the types of hyperparameters."""

import numpy as np
import pytest
import tensorflow as tf

from yt8m import models
from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.models import registries


def test_a_class_of_the_users_own_is_an_option(tmp_path, monkeypatch):
  (tmp_path / "my_options.py").write_text(
      "import tensorflow as tf\n"
      "class Last(tf.keras.layers.Layer):\n"
      "  def __init__(self, offset=1, **kwargs):\n"
      "    super().__init__(**kwargs)\n"
      "    self.offset = offset\n"
      "  def call(self, x, frame_mask=None):\n"
      "    n = tf.reduce_sum(tf.cast(frame_mask, tf.int32), axis=1)\n"
      "    return tf.gather(x, n - self.offset, batch_dims=1), {'last': n}\n")
  monkeypatch.syspath_prepend(str(tmp_path))
  spec = feature_spec.FeatureSpec(("x",), (3,), "frame")
  with registry.allow_code(["my_options"]):
    model = models.VideoModel(4, spec, aggregation={"name": "my_options:Last"})
  outputs = model({"features": {"x": tf.zeros((2, 5, 3), tf.uint8)},
                   "num_frames": tf.constant([2, 5])})
  assert outputs["predictions"].shape == (2, 4)
  np.testing.assert_array_equal(outputs["last"], [2, 5])


def test_a_class_of_the_users_own_may_set_what_it_inherits(tmp_path, monkeypatch):
  (tmp_path / "my_layers.py").write_text(
      "from yt8m import models\n"
      "class OneLayer(models.Lstm):\n"
      "  def __init__(self, units=3, **kwargs):\n"
      "    super().__init__(units=units, num_layers=1, **kwargs)\n")
  monkeypatch.syspath_prepend(str(tmp_path))
  spec = feature_spec.FeatureSpec(("x",), (3,), "frame")
  with registry.allow_code(["my_layers"]):
    model = models.VideoModel(4, spec, aggregation={"name": "my_layers:OneLayer"})
    assert (model.aggregation.units, model.aggregation.num_layers) == (3, 1)
    assert model.get_config()["aggregation"] == {"name": "my_layers:OneLayer", "units": 3}
    with pytest.raises(ValueError, match="has no hyperparameter num_layers"):
      models.VideoModel(4, spec, aggregation={
          "name": "my_layers:OneLayer", "num_layers": 2})


@pytest.mark.parametrize("options, message", [
    ({"classifier": {"name": "moe", "num_mixtures": "3"}},
     "classifier 'moe': num_mixtures is '3', but must be of type int (--hparams, --set)"),
    ({"classifier": {"num_mixtures": 2}},
     "The classifier config {'num_mixtures': 2} has no name: write {\"name\": …, …}."),
    ({"classifier": {"name": "moe", "num_mixtures": 2.5}}, "num_mixtures is 2.5"),
    ({"classifier": {"name": "moe", "num_mixtures": True}}, "num_mixtures is True"),
    ({"classifier": {"name": "moe", "l2_penalty": None}}, "l2_penalty is None"),
    ({"classifier": {"name": "hidden", "head": {"name": "moe", "num_mixtures": []}}},
     "classifier 'moe': num_mixtures is []"),
    ({"aggregation": {"name": "blstm", "skip": 1}}, "skip is 1"),
    ({"aggregation": {"name": "dbof", "pooling": 1}}, "pooling is 1"),
    ({"sampling": {"num_frames": "3"}}, "sampling: num_frames is '3'"),
    ({"sampling": {"frames": 3}}, "sampling has no hyperparameter frames. Valid: method"),
    ({"sampling": {"method": "first"}}, "sampling needs num_frames (--hparams, --set)"),
    ({"mixture": {"branches": 2, "temperature": "3"}}, "mixture: temperature is '3'"),
    ({"mixture": {"branches": 2, "temp": 3}}, "mixture has no hyperparameter temp"),
])
def test_types_of_hyperparameters_are_checked(options, message):
  spec = feature_spec.FeatureSpec(("x",), (3,), "frame")
  with pytest.raises(ValueError) as error:
    models.VideoModel(4, spec, **{"aggregation": "mean", **options})
  assert message in str(error.value)


def test_whole_numbers_may_stand_for_fractions():
  spec = feature_spec.FeatureSpec(("x",), (3,), "video")
  models.VideoModel(4, spec, classifier={"name": "moe", "l2_penalty": 0})


def test_errors_name_the_values():
  with pytest.raises(ValueError, match="Unknown pooling 'min'. Valid: max, average"):
    models.DeepBagOfFrames(pooling="min")


@pytest.mark.parametrize("value", [
    {"class_name": "Lambda", "config": {}},
    [{"deep": {"class_name": "Popen", "module": "subprocess", "config": {}}}]])
def test_a_config_describes_no_object_of_keras(value):
  class Own(tf.keras.layers.Layer):
    def __init__(self, initializer=None, **kwargs):
      super().__init__(**kwargs)

  registries.check_hparams("own", Own, {"initializer": "zeros"})
  with pytest.raises(ValueError, match="own: initializer has a 'class_name'"):
    registries.check_hparams("own", Own, {"initializer": value})
