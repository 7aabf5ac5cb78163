# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Model files as extractors, and files that are refused."""

import io
import json
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from yt8m.core import registry
from yt8m.extractors import making
from yt8m.extractors import model_file

keras = tf.keras

PICTURES = np.random.default_rng(0).integers(0, 255, (3, 16, 24, 3), dtype=np.uint8)


def pool(pictures, low=0.0, high=1.0):
  """What the models below compute: four products of the mean colour."""
  x = pictures / 255 * (high - low) + low
  return x.mean((1, 2)) @ KERNEL


KERNEL = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)


def keras_model(pooled=True, dtype="float32", further=lambda x: x):
  x = inputs = keras.Input((16, 24, 3), dtype=dtype)
  if dtype == "uint8":
    x = keras.layers.Rescaling(1 / 255)(x)
  x = keras.layers.Conv2D(4, 1, use_bias=False)(further(x))
  if pooled:
    x = keras.layers.GlobalAveragePooling2D()(x)
  model = keras.Model(inputs, x)
  model.layers[-2 if pooled else -1].set_weights([KERNEL[None, None]])
  return model


def saved(folder, function, spec):
  module = tf.Module()
  module.kernel = tf.Variable(KERNEL)
  module.call = tf.function(lambda x: function(x, module.kernel), input_signature=[spec])
  tf.saved_model.save(module, str(folder), module.call)
  return str(folder)


@pytest.fixture(scope="module", params=["keras", "keras map", "keras uint8", "SavedModel",
                                        "tflite"])
def path(request, tmp_path_factory):
  folder = tmp_path_factory.mktemp("models")
  if request.param == "SavedModel":
    return saved(folder / "model", lambda x, kernel: tf.reduce_mean(x, [1, 2]) @ kernel,
                 tf.TensorSpec([None, None, None, 3]))
  model = keras_model(request.param != "keras map",
                      "uint8" if "uint8" in request.param else "float32")
  if request.param == "tflite":
    target = folder / "model.tflite"
    target.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
  else:
    target = folder / "model.keras"
    model.save(target)
  return str(target)


def test_features(path):
  extractor = making.make_extractor(path)
  assert extractor.name == path.rpartition("/")[2]
  assert extractor.sizes == {"rgb": 4} and extractor.dtypes == {"rgb": "float16"}
  assert extractor.frame_size == (None if extractor.name == "model" else (16, 24))
  features = extractor.extract_frames(PICTURES)
  assert features.dtype == np.float32
  np.testing.assert_allclose(features, pool(PICTURES), atol=1e-5)
  assert extractor.extract_frames(PICTURES[:0]).shape == (0, 4)
  gray = np.full((2, 40, 60, 3), 100, np.uint8)
  np.testing.assert_allclose(extractor.extract_frames(gray), pool(gray), atol=1e-5)
  assert extractor.digest == making.make_extractor(path).digest


@pytest.mark.parametrize(("name", "limits"), model_file.RANGES.items())
def test_input_ranges(tmp_path, name, limits):
  path = str(tmp_path / "model.keras")
  keras_model().save(path)
  extractor = making.make_extractor(path, input_range=name)
  np.testing.assert_allclose(extractor.extract_frames(PICTURES), pool(PICTURES, *limits),
                             rtol=1e-4, atol=1e-4)
  assert extractor.config["input_range"] == name
  with pytest.raises(ValueError, match="Unknown --input_range '0,2'"):
    making.make_extractor(path, input_range="0,2")


def test_digest_follows_the_weights_and_the_range(tmp_path):
  digests = set()
  for factor in (1, 2):
    model = keras_model()
    model.layers[-2].set_weights([factor * KERNEL[None, None]])
    model.save(tmp_path / "model.keras")
    for input_range in ("0,1", "-1,1"):
      digests.add(making.make_extractor(
          str(tmp_path / "model.keras"), input_range=input_range).digest)
  assert len(digests) == 4


def test_quantised_tflite(tmp_path):
  converter = tf.lite.TFLiteConverter.from_keras_model(keras_model())
  converter.optimizations = [tf.lite.Optimize.DEFAULT]
  converter.representative_dataset = lambda: (
      [PICTURES[i:i + 1].astype(np.float32) / 255] for i in range(3))
  converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
  converter.inference_input_type = converter.inference_output_type = tf.int8
  path = tmp_path / "model.tflite"
  path.write_bytes(converter.convert())
  features = making.make_extractor(str(path)).extract_frames(PICTURES)
  np.testing.assert_allclose(features, pool(PICTURES), atol=0.1)


@pytest.mark.parametrize(("function", "spec", "said"), [
    (lambda x, k: x, tf.TensorSpec([None, 3]), r"takes \(None, 3\)"),
    (lambda x, k: x, tf.TensorSpec([None, 8, 8, 1]), r"takes \(None, 8, 8, 1\)"),
    (lambda x, k: x, tf.TensorSpec([None, 8, 8, 3], tf.int64), "takes int64"),
    (lambda x, k: tf.reduce_sum(x), tf.TensorSpec([None, 8, 8, 3]), r"gives \(\)"),
    (lambda x, k: {"a": x, "b": x}, tf.TensorSpec([None, 8, 8, 3]), "gives a, b"),
    (lambda x, k: tf.reshape(x, [-1, 999]), tf.TensorSpec([None, 8, 8, 3]),
     "cannot compute features of 1 frames")])
def test_models_of_something_else(tmp_path, function, spec, said):
  path = saved(tmp_path / "model", function, spec)
  with pytest.raises(ValueError, match=said):
    making.make_extractor(path)


def test_saved_models_that_could_touch_files(tmp_path):
  def harmful(x, kernel):
    tf.io.write_file(str(tmp_path / "owned"), "x")
    return tf.reduce_mean(x, [1, 2]) @ kernel

  path = saved(tmp_path / "model", harmful, tf.TensorSpec([None, None, None, 3]))
  with pytest.raises(ValueError, match="is refused: its graph holds WriteFile"):
    making.make_extractor(path)
  assert not (tmp_path / "owned").exists()


def changed_keras(path, change):
  """Saves a model, changes its configuration by `change`, and returns its path."""
  keras_model().save(path)
  with zipfile.ZipFile(path) as archive:
    contents = {name: archive.read(name) for name in archive.namelist()}
  config = json.loads(contents["config.json"])
  change(config)
  contents["config.json"] = json.dumps(config).encode()
  with zipfile.ZipFile(path, "w") as archive:
    for name, content in contents.items():
      archive.writestr(name, content)
  return str(path)


HOSTILE = {
    "os.mkdir": {"module": "os", "class_name": "function", "config": "mkdir",
                 "registered_name": "function"},
    "keras.utils.get_file": {"module": "keras.utils", "class_name": "function",
                             "config": "get_file", "registered_name": "function"},
    "builtins.__lambda__": {"module": "builtins", "class_name": "__lambda__",
                            "config": {"value": "YWJj"}},
    "keras.layers.Lambda": {"module": "keras.layers", "class_name": "Lambda",
                            "config": {"function": "x"}},
    "keras.layers.TFSMLayer": {"module": "keras.layers", "class_name": "TFSMLayer",
                               "config": {"filepath": "/tmp"}},
    "keras.layers.TextVectorization": {
        "module": "keras.layers", "class_name": "TextVectorization",
        "config": {"vocabulary": "/etc/passwd"}},
    "keras_evil.layers.Conv2D": {"module": "keras_evil.layers", "class_name": "Conv2D",
                                 "config": {}},
    "None.Custom": {"class_name": "Custom", "config": {}}}


@pytest.mark.parametrize("name", HOSTILE)
def test_keras_files_that_name_other_classes(tmp_path, name):
  def first(config):
    config["config"]["layers"][1] = HOSTILE[name]

  def inside(config):
    config["config"]["layers"][1]["config"]["activation"] = HOSTILE[name]

  for change in (first, inside):
    path = changed_keras(tmp_path / "model.keras", change)
    module, _, last = name.rpartition(".")
    said = HOSTILE[name]["class_name"] if last != "Custom" else "Custom"
    with pytest.raises(ValueError, match=rf"is refused: it names .*{said}"):
      making.make_extractor(path)


def test_keras_models_with_lambdas(tmp_path):
  model = keras_model(further=keras.layers.Lambda(lambda x: x + 0))
  model.save(tmp_path / "model.keras")
  with pytest.raises(ValueError, match="is refused: it names .*keras.layers.Lambda"):
    making.make_extractor(str(tmp_path / "model.keras"))


def test_an_image_network_of_keras(tmp_path):
  model = keras.applications.MobileNetV2(
      (32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg")
  model.save(tmp_path / "model.keras")
  extractor = making.make_extractor(str(tmp_path / "model.keras"), input_range="-1,1")
  x = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), dtype=np.uint8)
  np.testing.assert_allclose(extractor.extract_frames(x),
                             model.predict(x / 127.5 - 1, verbose=0), atol=1e-4)


@pytest.mark.parametrize("ending", ["keras", "tflite"])
@pytest.mark.parametrize("content", [
    b"", b"hello" * 20, b"\x1c\0\0\0TFL3" + b"\xff" * 90])
def test_damaged_files(tmp_path, ending, content):
  path = tmp_path / f"model.{ending}"
  path.write_bytes(content)
  with pytest.raises(ValueError, match=f"model.{ending} is not a model"):
    making.make_extractor(str(path))


def test_damaged_parts_of_keras_files(tmp_path):
  for change in (lambda config: config.pop("config"), lambda config: config.clear(),
                 lambda config: config["config"].update(layers=[[]]),
                 lambda config: config["config"]["layers"][1].update(name=5)):
    path = changed_keras(tmp_path / "model.keras", change)
    with pytest.raises(ValueError, match="model.keras") as error:
      making.make_extractor(path)
    assert "\n" not in str(error.value)
  file = io.BytesIO()
  with zipfile.ZipFile(file, "w") as archive:
    archive.writestr("config.json", "{")
  (tmp_path / "model.keras").write_bytes(file.getvalue())
  with pytest.raises(ValueError, match="is not a model that Keras saved"):
    making.make_extractor(str(tmp_path / "model.keras"))


def test_tflite_files_with_other_operations(tmp_path):
  """Those of TensorFlow, which could read files, and unknown ones."""
  @tf.function(input_signature=[tf.TensorSpec([1, 8, 8, 3])])
  def reads(x):
    return x + tf.strings.to_number(tf.io.read_file("/tmp/number"))

  converter = tf.lite.TFLiteConverter.from_concrete_functions(
      [reads.get_concrete_function()])
  converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS,
                                         tf.lite.OpsSet.SELECT_TF_OPS]
  path = tmp_path / "model.tflite"
  path.write_bytes(converter.convert())
  with pytest.raises(ValueError, match="is refused: it holds the custom operations .*"
                     "FlexReadFile"):
    making.make_extractor(str(path))
  with registry.allow_code(["FlexReadFile", "FlexStringToNumber"]), pytest.raises(
      ValueError) as error:
    making.make_extractor(str(path))
  assert "custom operations" not in str(error.value)
