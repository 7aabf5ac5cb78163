# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A loss of the user's own with hyperparameters, from training to export."""

import json

import pytest

from tests.helpers import own_code
from tests.helpers import support
from yt8m.configs import checkpoints

STEPS = ("--max_steps=2", "--export_model_steps=2")


@pytest.fixture
def example(tmp_path, monkeypatch):
  return own_code.Example("Loss", tmp_path, monkeypatch)


def results(folder):
  return json.loads(support.evaluated(folder / "model", "metrics-2.json").read_text())


def test_the_example_of_the_page(example):
  train, evaluate, export = example.commands()
  example.run(train, *STEPS, example.validate_records)
  folder = example.folder
  before = results(folder)
  assert before["label_loss"] == "my_losses:focal(gamma=3)"
  config = json.loads((folder / "model" / "config.json").read_text())
  assert json.loads(config["flags"]["hparams"]) == {"label_loss": {"gamma": 3}}
  example.run(evaluate)
  after = results(folder)
  assert after["avg_loss"] == pytest.approx(before["avg_loss"], rel=1e-6)
  example.run(export)
  # The name of the function alone is permission for it, not that of its module.
  failed = example.run([word.replace(":focal", "") for word in evaluate], check=False)
  assert failed.returncode == 1 and "add --allow_code=my_losses:focal" in failed.stderr
  # Training goes on, and says what is different.
  resumed = example.run([word.replace("gamma=3", "gamma=1") for word in train],
                        "--max_steps=4")
  assert "--set=label_loss.gamma was 3 and is 1." in resumed.stderr
  assert checkpoints.step_of(checkpoints.find(str(folder / "model"), "latest")) == 4
  # Smaller exponents make a larger loss of the same scores.
  example.run(evaluate, "--checkpoint=2")
  assert results(folder)["label_loss"] == "my_losses:focal(gamma=1)"
  assert results(folder)["avg_loss"] > 1.5 * before["avg_loss"]


@pytest.mark.long
def test_the_models_of_folds_have_it(example):
  train = example.commands()[0]
  example.run(train, *STEPS)
  folder = example.folder
  calibrate = ("yt8m.calibrate", f"--train_dir={folder}/model", "--num_folds=2",
               f"--output_dir={folder}/calibrated", "--keep_folds")
  failed = support.run_command(*calibrate, "--allow_code=my_losses", check=False)
  assert failed.returncode == 1 and "add --allow_code=my_losses:focal" in failed.stderr
  support.run_command(*calibrate, "--allow_code=my_losses:focal",
                      environment=example.environment)
  for number in (1, 2):
    config = json.loads(
        (folder / f"calibrated.folds/model-{number}/config.json").read_text())
    assert config["flags"]["label_loss"] == "my_losses:focal"
    assert json.loads(config["flags"]["hparams"]) == {"label_loss": {"gamma": 3}}


@pytest.mark.parametrize("flags, message", [
    (["--label_loss=my_losses:focal", "--set=label_loss.gama=3"],
     "--label_loss=my_losses:focal has no hyperparameter gama. Valid: gamma ("),
    (["--label_loss=my_losses:focal", "--set=label_loss.gamma=high"],
     "gamma is 'high', but must be of type float"),
    (["--label_loss=my_losses:Smoothed", "--set=label_loss.reduction=sum"],
     "has no hyperparameter reduction. Valid: smoothing ("),
    (["--set=label_loss.gamma=3"],
     "--label_loss=CrossEntropyLoss has no hyperparameter gamma. Valid: alpha, epsilon"),
    (["--label_loss=AsymmetricLoss", "--set=label_loss.margin=1.5"],
     "margin of the AsymmetricLoss is 1.5"),
    (["--set=label_loss=HingeLoss"], "To choose the label_loss, write --label_loss=Hin"),
    (['--hparams={"label_loss": "HingeLoss"}'], "--hparams has label_loss: 'HingeLoss'"),
])
def test_hyperparameters_are_checked(example, flags, message):
  failed = example.run(["yt8m-train", "--train_dir=model"], *flags, check=False)
  assert failed.returncode == 1 and message in failed.stderr
  assert not (example.folder / "model" / "config.json").exists()


@pytest.mark.long
def test_a_class_and_a_loss_of_the_library(example):
  for name, setting in (("my_losses:Smoothed", "smoothing=0.2"),
                        ("AsymmetricLoss", "margin=0.1")):
    train_dir = f"--train_dir={name[:4]}"
    example.run(["yt8m-train", train_dir], f"--label_loss={name}", *STEPS,
                f"--set=label_loss.{setting}")
    example.run(["yt8m-eval", train_dir], "--allow_code=my_losses")
    path = support.evaluated(example.folder / name[:4], "metrics-2.json")
    assert json.loads(path.read_text())["label_loss"] == f"{name}({setting})"


def test_other_commands_say_that_training_takes_them(example):
  example.run(["yt8m-train", "--train_dir=model"], *STEPS)
  failed = example.run(["yt8m-eval", "--train_dir=model"], "--set=label_loss.alpha=0.7",
                       check=False)
  assert "only yt8m-train takes hyperparameters of the label_loss" in failed.stderr
