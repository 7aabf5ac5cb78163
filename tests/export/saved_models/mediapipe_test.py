# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The MediaPipe export of a frame-level model gives the model's own scores."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import serving
from tests.helpers import support
from yt8m import models
from yt8m.artifacts.saved_model import Contract
from yt8m.artifacts.saved_model import SavedModel
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.export.saved_models import ensemble
from yt8m.export.saved_models import mediapipe
from yt8m.export.saved_models import writer
from yt8m.models.layers import recurrent

FRAME_MODELS = descriptors.chosen(
    case for case, (level, _) in descriptors.all_models().items() if level == "frame")
CONTRACT = Contract(descriptors.SPECS["frame"], descriptors.MAX_FRAMES,
                    descriptors.NUM_CLASSES)


def dequantised(batch):
  """Returns what MediaPipe feeds for a batch, by the formula of its calculator."""
  rgb, audio = (batch["features"][name].numpy().astype(np.float32) * (4 / 255)
                + (4 / 512 - 2) for name in ("rgb", "audio"))
  return (np.concatenate([rgb, audio], axis=2).astype(np.float32),
          batch["num_frames"].numpy()[:, None])


def predict(model, frames, num_frames, contract=CONTRACT):
  signature = mediapipe.make(contract, model)["serving_default"]
  return signature(rgb_and_audio=tf.constant(frames),
                   num_frames=tf.constant(num_frames))["predictions"].numpy()


@pytest.mark.parametrize("case", FRAME_MODELS)
def test_every_frame_level_model_answers_as_at_home(case):
  _, model = serving.make(case)
  batch = descriptors.batch("frame")
  with recurrent.portable():
    signature = mediapipe.make(CONTRACT, model)["serving_default"]
  frames, num_frames = dequantised(batch)
  for rows in (slice(None), slice(0, 0)):
    answer = signature(rgb_and_audio=tf.constant(frames[rows]),
                       num_frames=tf.constant(num_frames[rows]))
    np.testing.assert_allclose(
        answer["predictions"], serving.at_home(model, batch)[rows], atol=1e-6)


def test_signature_is_that_of_the_starter_code():
  spec = feature_spec.FeatureSpec(("rgb", "audio"), (1024, 128), "frame")
  model = models.VideoModel(3, spec, aggregation="mean").build_variables()
  [(name, signature)] = mediapipe.make(Contract(spec, 300, 3), model).items()
  assert name == "serving_default"
  inputs = tf.nest.flatten(signature.structured_input_signature)
  tensors = {**{x.name: x for x in inputs}, **signature.structured_outputs}
  assert {name: (x.dtype.name, x.shape.as_list()) for name, x in tensors.items()} == {
      "rgb_and_audio": ("float32", [None, None, 1152]),
      "num_frames": ("int32", [None, 1]), "predictions": ("float32", [None, 3])}


def test_features_of_any_name_are_taken_in_the_order_of_the_spec():
  spec = feature_spec.FeatureSpec(("flow", "audio", "text"), (3, 1, 2), "frame")

  def first_values(inputs):
    return {"predictions": tf.stack(
        [x[:, 0, 0] for x in inputs["features"].values()], axis=1)}

  frames = np.arange(12, dtype=np.float32).reshape(2, 1, 6)
  answer = predict(first_values, frames, [[1], [1]], Contract(spec, 5, 3))
  assert answer.tolist() == [[0, 3, 4], [6, 9, 10]]


def test_frames_beyond_num_frames_and_max_frames_are_not_looked_at():
  _, model = serving.make("aggregation-mean")
  rng = np.random.default_rng(0)
  frames = rng.normal(size=(2, 9, 12)).astype(np.float32)
  changed = frames.copy()
  changed[:, 4:] = 1e30
  np.testing.assert_array_equal(predict(model, frames, [[4], [4]]),
                                predict(model, changed, [[4], [4]]))
  assert descriptors.MAX_FRAMES == 7
  np.testing.assert_array_equal(predict(model, frames, [[9], [9]]),
                                predict(model, frames[:, :7], [[7], [7]]))


def test_one_number_of_frames_may_stand_for_all():
  """The trial run of the starter code: three windows, `num_frames` [[7]]."""
  _, model = serving.make("aggregation-mean")
  frames = np.random.default_rng(0).normal(size=(3, 7, 12)).astype(np.float32)
  np.testing.assert_array_equal(predict(model, frames, [[6]]),
                                predict(model, frames, [[6]] * 3))
  with pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible shapes"):
    predict(model, frames, [[6]] * 2)
  for wrong in (0, 8):
    with pytest.raises(tf.errors.InvalidArgumentError,
                       match="num_frames must be between 1 and the"):
      predict(model, frames, [[wrong]])


# What MediaPipe does, in Python: a session, a signature, and tensors by name.
CLIENT = """
import sys
import numpy as np
import tensorflow as tf
with np.load("windows.npz") as windows, tf.compat.v1.Session() as session:
  graph = tf.compat.v1.saved_model.load(session, ["serve"], "model")
  [signature] = [graph.signature_def[name] for name in graph.signature_def
                 if not name.startswith("__")]
  tags = {name.upper(): tensor.name for name, tensor in
          [*signature.inputs.items(), *signature.outputs.items()]}
  np.save("answers.npy", session.run(tags["PREDICTIONS"], {
      tags["RGB_AND_AUDIO"]: windows["frames"], tags["NUM_FRAMES"]: windows["lengths"]}))
assert not [name for name in sys.modules if name.split(".")[0] == "yt8m"]
"""


def test_a_session_answers_without_this_package(tmp_path):
  """A recurrent model trained on segments, whose windows are five frames long."""
  model = models.VideoModel(
      4, feature_spec.FeatureSpec(("rgb", "audio"), (512, 64), "segment"),
      aggregation={"name": "lstm", "units": 64}).build_variables()
  descriptors.randomize(model)
  writer.save(experiment.Experiment(model.get_config(), 5), model,
                   str(tmp_path / "model"), make_signatures=mediapipe.make)
  rng = np.random.default_rng(0)
  batch = {"features": {
      name: tf.constant(rng.integers(0, 256, (32, 5, size), np.uint8))
      for name, size in (("rgb", 512), ("audio", 64))}, "num_frames": tf.fill([32], 5)}
  frames, lengths = dequantised(batch)
  np.savez(tmp_path / "windows.npz", frames=frames, lengths=lengths)
  environment = {name: value for name, value in support.ENVIRONMENT.items()
                 if name != "PYTHONPATH"}
  process = subprocess.run([sys.executable, "-c", CLIENT], cwd=tmp_path, text=True,
                           env=environment, capture_output=True)
  assert process.returncode == 0, process.stderr[-3000:]
  np.testing.assert_allclose(np.load(tmp_path / "answers.npy"),
                             serving.at_home(model, batch), atol=1e-6)

  # Every weight is stored once.
  weights = writer.bytes_of_weights(model)
  assert weights > 300_000
  assert weights <= files.bytes_on_disk(str(tmp_path / "model" / "variables")) <= (
      1.01 * weights + 20_000)
  assert files.bytes_on_disk(str(tmp_path / "model")) <= 1.01 * weights + 2 ** 20


def test_weights_may_be_stored_in_fewer_bits(tmp_path):
  config, model = serving.make("aggregation-netvlad")
  writer.save(config, model, str(tmp_path / "half"), weight_format="float16",
                   make_signatures=mediapipe.make)
  signature = tf.saved_model.load(str(tmp_path / "half")).signatures["serving_default"]
  batch = descriptors.batch("frame")
  frames, num_frames = dequantised(batch)
  found = signature(rgb_and_audio=tf.constant(frames),
                    num_frames=tf.constant(num_frames))["predictions"]
  np.testing.assert_allclose(found, serving.at_home(model, batch), atol=0.01)


def test_video_level_models_are_refused(tmp_path):
  with pytest.raises(ValueError, match="--mediapipe exports frame-level models, but"):
    writer.save(*serving.make("classifier-logistic"), str(tmp_path / "model"),
                     make_signatures=mediapipe.make)
  assert os.listdir(tmp_path) == []


def test_the_command(tmp_path):
  command = ("yt8m.export.export_model", "--mediapipe", "--untrained", "--num_classes=5",
             "--model=FrameLevelLogisticModel", f"--output_dir={tmp_path}/model")
  process = support.run_command(*command)
  assert re.search(r"serving_default +rgb_and_audio float32 \(\?, \?, 1152\), num_frames "
                   r"int32 \(\?, 1\)\n +-> predictions float32 \(\?, 5\)", process.stdout)
  assert "predict_features" not in process.stdout
  card = (tmp_path / "model" / "assets.extra" / "MODEL_CARD.md").read_text()
  assert mediapipe.USAGE in card
  process = support.run_command(*command, "--top_k=3", check=False)
  assert "ERROR: --top_k belongs to our own signatures" in process.stderr
  # It cannot score records, and the error says so.
  with pytest.raises(ValueError, match="has no signature predict_features"):
    SavedModel(str(tmp_path / "model")).predictor()
  with pytest.raises(ValueError, match="has no signature predict_features"):
    ensemble.save(ensemble.from_directories([str(tmp_path / "model")], [1.0]),
                  str(tmp_path / "ensemble"))
