# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Small SavedModels, requests to them, and the expected answers."""

import socket
import subprocess
import sys

import numpy as np
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import support
from yt8m.configs import experiment
from yt8m.export.saved_models import writer
from yt8m.models import prediction

TOP_K = 3


def make(case):
  model = descriptors.build(case)
  descriptors.randomize(model)
  return experiment.Experiment(model.get_config(), descriptors.MAX_FRAMES), model


def save(case, directory, **options):
  config, model = make(case)
  writer.save(config, model, str(directory), **{"top_k": TOP_K, **options})
  return model


def records(batch, level):
  """Returns serialized records of a batch in YouTube-8M's form, without labels."""
  num_frames = batch["num_frames"].numpy()
  serialized = []
  for row in range(len(num_frames)):
    id_feature = _feature(bytes_list=tf.train.BytesList(value=[b"v%d" % row]))
    xs = {name: x[row].numpy() for name, x in batch["features"].items()}
    if level == "video":
      record = tf.train.Example(features=tf.train.Features(feature={"id": id_feature, **{
          name: _feature(float_list=tf.train.FloatList(value=x))
          for name, x in xs.items()}}))
    else:
      record = tf.train.SequenceExample(
          context=tf.train.Features(feature={"id": id_feature}),
          feature_lists=tf.train.FeatureLists(feature_list={
              name: tf.train.FeatureList(feature=[
                  _feature(bytes_list=tf.train.BytesList(value=[frame.tobytes()]))
                  for frame in x[:num_frames[row]]]) for name, x in xs.items()}))
    serialized.append(record.SerializeToString())
  return tf.constant(serialized, tf.string)


def _feature(**values):
  return tf.train.Feature(**values)


def arrays(batch, level):
  """Returns the arguments of `predict_features`."""
  lengths = {"num_frames": batch["num_frames"]} if level == "frame" else {}
  return {**batch["features"], **lengths}


def at_home(model, batch):
  return model(prediction.model_inputs(batch))["predictions"].numpy()


def assert_answers(signatures, batch, level, expected):
  """Returns the answers of all signatures for one batch."""
  serialized = records(batch, level)
  names = [b"v%d" % row for row in range(len(expected))]
  full = signatures["predict_full"](example_bytes=serialized)
  np.testing.assert_allclose(full["predictions"], expected, atol=1e-6)
  assert full["video_id"].numpy().tolist() == names
  scores = signatures["predict_features"](**arrays(batch, level))["predictions"]
  np.testing.assert_allclose(scores, expected, atol=1e-6)
  top = {name: output.numpy() for name, output in
         signatures["serving_default"](example_bytes=serialized).items()}
  if level == "frame":
    assert {output.shape[1] for output in top.values()} == {1}
    top = {name: output[:, 0] for name, output in top.items()}
  assert top["video_id"].tolist() == names
  assert top["class_indexes"].shape == (len(expected), TOP_K)
  np.testing.assert_allclose(
      top["predictions"], -np.sort(-expected)[:, :TOP_K], atol=1e-6)
  np.testing.assert_allclose(
      np.take_along_axis(expected, top["class_indexes"], axis=1), top["predictions"],
      atol=1e-6)


# The program of a client that has TensorFlow and does not have this package.
CLIENT = """
import sys
import numpy as np
import tensorflow as tf
for folder in sys.argv[1:]:
  signatures = tf.saved_model.load(f"{folder}/model").signatures
  serialized = tf.stack(list(tf.data.TFRecordDataset(f"{folder}/records")))
  with np.load(f"{folder}/arrays.npz") as arrays:
    features = {name: tf.constant(arrays[name]) for name in arrays.files}
  np.savez(f"{folder}/answers.npz",
           full=signatures["predict_full"](serialized)["predictions"],
           features=signatures["predict_features"](**features)["predictions"],
           top=signatures["serving_default"](serialized)["predictions"])
assert not [name for name in sys.modules if name.split(".")[0] == "yt8m"]
"""


def save_requests(folder, batch, level):
  """Writes a batch for the client, as records and as arrays."""
  with tf.io.TFRecordWriter(str(folder / "records")) as file:
    for record in records(batch, level).numpy():
      file.write(record)
  np.savez(folder / "arrays.npz", **arrays(batch, level))


def answer_elsewhere(directory, folders):
  """Runs the client in each folder: `model` answers the requests there."""
  environment = {name: value for name, value in support.ENVIRONMENT.items()
                 if name != "PYTHONPATH"}
  process = subprocess.run([sys.executable, "-c", CLIENT, *folders], cwd=directory,
                           env=environment, capture_output=True, text=True)
  assert process.returncode == 0, process.stderr[-3000:]


def assert_answered(folder, scores, atol):
  """Returns whether all signatures answered with these scores."""
  with np.load(folder / "answers.npz") as answers:
    np.testing.assert_allclose(answers["full"], scores, atol=atol)
    np.testing.assert_allclose(answers["features"], scores, atol=atol)
    np.testing.assert_allclose(answers["top"].reshape(len(scores), TOP_K),
                               -np.sort(-scores)[:, :TOP_K], atol=atol)


def free_port():
  """Returns a port of this machine that nothing listens at."""
  with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    return probe.getsockname()[1]
