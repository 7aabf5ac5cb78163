# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A whole model of the user's own: of Keras, a `VideoModel`, and a recipe."""

import json

import numpy as np
import pytest

from tests.helpers import own_code
from tests.helpers import support

FAULTY = """
import tensorflow as tf
class Short(tf.keras.Model):
  def __init__(self, **kwargs):
    super().__init__(**kwargs)
    self.dense = tf.keras.layers.Dense(3)
  def call(self, inputs):
    return self.dense(inputs["features"]["rgb"][:, 0])
class Nothing(Short):
  def call(self, inputs):
    return {"scores": super().call(inputs)}
def number():
  return 5
def wrong():
  return {"aggregtion": "mean"}
"""


@pytest.fixture
def example(tmp_path, monkeypatch):
  return own_code.Example("Model", tmp_path, monkeypatch)


def config_of(folder):
  return json.loads((folder / "model" / "config.json").read_text())["model"]


def test_the_example_of_the_page(example):
  train, evaluate, infer, export = example.commands()
  folder = example.folder
  example.run(train, "--max_steps=2", "--export_model_steps=2")
  example.run(train, "--max_steps=4", "--keep_checkpoints=3")  # goes on
  assert config_of(folder)["model"] == {"name": "my_models:Peaks", "units": 16}
  for command in (evaluate, infer, export):
    failed = example.run([word for word in command if "allow_code" not in word],
                         check=False)
    assert failed.returncode == 1 and "add --allow_code=my_models" in failed.stderr
  assert "step 2 | " in example.run(evaluate, "--checkpoint=2").stdout
  assert "step 4 | " in example.run(evaluate).stdout
  example.run(infer)
  example.run(export)
  # The SavedModel scores without the code.
  example.run(["yt8m-inference", "--output_file=served.csv"],
              f"--saved_model={folder}/serving")
  served = support.read_submission(folder / "served.csv")
  for video, (classes, scores) in support.read_submission(folder / "scores.csv").items():
    np.testing.assert_array_equal(classes, served[video][0])
    np.testing.assert_allclose(scores, served[video][1], rtol=1e-4)
  other = example.run([word.replace("=16", "=17") for word in train], check=False)
  assert "its model.units is 16, the flags say 17" in other.stderr


@pytest.mark.long
def test_a_video_model(example):
  train = ["yt8m-train", "--model=my_models:Sharpened", "--train_dir=model",
           "--aggregation=mean", "--set=model.power=3"]
  for steps in (2, 3):
    example.run(train, f"--max_steps={steps}")
  config = config_of(example.folder)
  assert config["model"] == {"name": "my_models:Sharpened", "power": 3}
  assert config["aggregation"]["name"] == "mean"
  evaluate = ["yt8m-eval", "--train_dir=model"]
  failed = example.run(evaluate, check=False)
  assert failed.returncode == 1 and "add --allow_code=my_models" in failed.stderr
  example.run(evaluate, "--allow_code=my_models")
  infer = ["yt8m-inference", "--train_dir=model", "--output_file=scores.csv"]
  example.run(infer, "--allow_code=my_models")
  example.run(["yt8m-export", "--train_dir=model", "--output_dir=serving"],
              "--allow_code=my_models")
  # The same weights without the power.
  path = example.folder / "model" / "config.json"
  content = json.loads(path.read_text())
  content["model"]["model"]["power"] = 1.0
  path.write_text(json.dumps(content))
  plain = [word.replace("scores", "plain") for word in infer]
  example.run(plain, "--allow_code=my_models")
  powers, scores = (support.read_submission(example.folder / f"{name}.csv")
                    for name in ("scores", "plain"))
  for video, (classes, values) in scores.items():
    np.testing.assert_array_equal(classes, powers[video][0])
    np.testing.assert_allclose(values ** 3, powers[video][1], rtol=1e-3, atol=1e-6)


@pytest.mark.long
def test_a_recipe_is_needed_in_training_only(example):
  train = ["yt8m-train", "--model=my_models:recipe", "--train_dir=model",
           "--set=aggregation.units=5"]
  for steps in (1, 2):
    example.run(train, f"--max_steps={steps}")
  config = config_of(example.folder)
  assert config["normalization"] == "rms" and "model" not in config
  assert config["aggregation"]["name"] == "lstm"
  assert config["aggregation"]["units"] == 5
  assert config["classifier"]["num_mixtures"] == 3
  (example.folder / "my_models.py").unlink()
  example.run(["yt8m-eval", "--train_dir=model"])
  example.run(["yt8m-export", "--train_dir=model", "--output_dir=serving"])


@pytest.mark.parametrize("name, flags, message", [
    ("my_models:Peaks", ["--set=model.unit=3"], "has no hyperparameter unit. Valid: uni"),
    ("my_models:Peaks", ["--set=model.units=x"], "units is 'x', but must be of type int"),
    ("my_models:Peaks", ["--fusion=sum"], "leave out their flags"),
    ("my_models:Peaks", ["--mixup_alpha=1"], "a model of your own has none"),
    ("my_models:Sharpened", ["--aggregation=mean", "--set=model.powr=3"],
     "--model=my_models:Sharpened has no hyperparameter powr. Valid: power"),
    ("MoeModel", ["--set=model.units=3"], "--model names a recipe"),
    ("faulty:Short", [], "Short returns scores of shape (1, 3), but must return"),
    ("faulty:Nothing", [], "Nothing returns ['scores'], but must return"),
    ("faulty:number", [], "--model=faulty:number returns 5, but a recipe returns"),
    ("faulty:wrong", [], "Unknown argument of a VideoModel 'aggregtion'. Valid: aggreg"),
    ("faulty:tf", [], "is not allowed: it must be a Recipe or Model"),
])
def test_errors(example, name, flags, message):
  (example.folder / "faulty.py").write_text(FAULTY)
  failed = example.run(["yt8m-train", f"--model={name}", "--train_dir=model"], *flags,
                       "--max_steps=1", check=False)
  assert failed.returncode == 1 and message in failed.stderr, failed.stderr
  assert "Traceback" not in failed.stderr


def test_a_function_of_a_file_is_not_called(example):
  (example.folder / "flags").write_text("--model=my_models:recipe\n")
  failed = example.run(["yt8m-train", "--train_dir=model", "--model=MoeModel"],
                       f"--flagfile={example.folder}/flags", "--allow_code=my_models",
                       check=False)
  assert failed.returncode == 1
  assert "must be named in full: add --allow_code=my_models:recipe" in failed.stderr
