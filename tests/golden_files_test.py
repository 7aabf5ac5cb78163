# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Models that earlier versions wrote: they load, and their scores are the same.

`tests/goldens/make_goldens.py` wrote them with the main stack: Keras 2 lists weights in
another order, and its TensorFlow is older than the graphs. A model stays as it is while
users may have such files.
"""

import json
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import tensorflow as tf

from tests.goldens import make_goldens
from tests.helpers import support
from yt8m.artifacts import saved_model
from yt8m.configs import experiment
from yt8m.models import prediction

FOLDER = make_goldens.FOLDER
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/scores.npz"))
# Keras 2 lists the weights of some models in another order, so checkpoints do not load.
pytestmark = pytest.mark.skipif(tf.__version__.startswith("2.15."),
                                reason="the files are of the main stack")

# Servers have TensorFlow, but not this package.
WITHOUT_THIS_PACKAGE = """
import json, sys
import numpy as np
import tensorflow as tf
for directory, path in json.loads(sys.argv[1]):
  golden = np.load(path)
  serve = tf.saved_model.load(directory).signatures["predict_features"]
  names = serve.structured_input_signature[1]
  inputs = {name: tf.constant(golden["num_frames" if name == "num_frames"
                                     else f"features/{name}"]) for name in names}
  np.testing.assert_allclose(serve(**inputs)["predictions"], golden["predictions"],
                             atol=1e-6, err_msg=directory)
assert "yt8m" not in sys.modules
"""


def load_scores(name):
  """Returns a batch, and the scores that the earlier version computed for it."""
  with np.load(FOLDER / name / "scores.npz") as golden:
    features = {key.removeprefix("features/"): tf.constant(golden[key])
                for key in golden.files if key.startswith("features/")}
    batch = {"features": features, "num_frames": tf.constant(golden["num_frames"]),
             "labels": golden["labels"]}
    return batch, golden["predictions"]


@pytest.fixture(scope="module")
def saved_models(tmp_path_factory):
  """The unpacked SavedModels, by name."""
  folder = tmp_path_factory.mktemp("saved_models")
  for name in NAMES:
    with tarfile.open(FOLDER / name / "saved_model.tgz") as tar:
      tar.extractall(folder / name, filter="data")
  return {name: saved_model.SavedModel(str(folder / name / "saved_model"))
          for name in NAMES}


@pytest.mark.parametrize("name", sorted(make_goldens.golden_models()))
def test_every_aggregation_has_a_golden_model(name):
  """Those of this version are never removed; a new option may come without one."""
  assert len(NAMES) >= 15
  if name not in NAMES:
    pytest.skip(f"{name} has no golden files yet: run `make goldens` and add them")


def test_the_files_are_small():
  files = [path for path in FOLDER.rglob("*") if path.is_file()]
  assert sum(path.stat().st_size for path in files) < 2 << 20


@pytest.mark.parametrize("name", NAMES)
def test_a_training_directory_gives_the_same_scores(name):
  batch, expected = load_scores(name)
  config, model, step = experiment.load(str(FOLDER / name / "train"))
  assert step == 4 and config.max_frames == 7
  scores = model(prediction.model_inputs(batch))["predictions"]
  np.testing.assert_allclose(scores, expected, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_gives_the_same_scores(name, saved_models):
  batch, expected = load_scores(name)
  scores = saved_models[name].predictor()(batch)
  np.testing.assert_allclose(scores, expected, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_scores_serialized_records(name, saved_models):
  batch, expected = load_scores(name)
  loaded = saved_models[name].load("serving_default")
  served = loaded.signatures["serving_default"](
      tf.constant(make_goldens.examples(batch)))
  rows, k = len(expected), make_goldens.TOP_K
  classes = np.asarray(served["class_indexes"]).reshape(rows, k)
  found = np.asarray(served["predictions"]).reshape(rows, k)
  np.testing.assert_allclose(found, -np.sort(-expected)[:, :k], atol=1e-6)
  np.testing.assert_allclose(np.take_along_axis(expected, classes, 1), found, atol=1e-6)
  assert served["video_id"].numpy().ravel()[1] == b"v1"


def test_saved_models_need_tensorflow_alone(saved_models, tmp_path):
  paths = [(saved_models[name].directory, str(FOLDER / name / "scores.npz"))
           for name in NAMES]
  process = subprocess.run(
      [sys.executable, "-I", "-c", WITHOUT_THIS_PACKAGE, json.dumps(paths)],
      cwd=tmp_path, env=support.ENVIRONMENT, capture_output=True, text=True)
  assert process.returncode == 0, process.stderr
