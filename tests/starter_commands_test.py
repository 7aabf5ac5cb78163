# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Commands written for the starter code repeat the flags of the model after training."""

import re

import pytest

from tests.helpers import support

TRAIN, EVAL = "yt8m.train", "yt8m.eval.evaluate"
INFERENCE, SEGMENT_EVAL = "yt8m.export.inference", "yt8m.eval.segments"
EXPORT = "yt8m.export.export_model"

RGB = ("--feature_names=rgb", "--feature_sizes=1024")
BOTH = ("--feature_names=rgb, audio", "--feature_sizes=1024, 128")
FRAME = "--frame_features=True"
SMALL = ("--max_steps=2", "--batch_size=16")
NOT_NEEDED = "these flags are not needed: "

# The commands of the README: level of the records, flags of the model and the data.
MODELS = {
    "logistic": ("video", ()),
    "audio": ("video", ("--feature_names=mean_rgb, mean_audio",
                        "--feature_sizes=1024, 128")),
    "moe": ("video", ("--model=MoeModel", "--moe_num_mixtures=2", "--iterations=30")),
    "frames": ("frame", (FRAME, "--model=FrameLevelLogisticModel", *RGB)),
    "dbof": ("frame", (FRAME, "--model=DbofModel", *BOTH, "--iterations=5",
                       "--dbof_cluster_size=8", "--dbof_hidden_size=4",
                       "--nosample_random_frames", "--dbof_add_batch_norm=True",
                       "--video_level_classifier_model=MoeModel")),
    "lstm": ("frame", (FRAME, "--model=LstmModel", *BOTH, "--lstm_cells=4",
                       "--lstm_layers=1", "--label_loss=CrossEntropyLoss")),
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
  directory = tmp_path_factory.mktemp("starter") / "yt8m"
  support.run_command("yt8m.sample_data", f"--output_dir={directory}", "--num_videos=40",
                      "--num_classes=25", "--max_frames=8", "--num_shards=1")
  return directory


def trained(sample, train_dir, name):
  """Trains a model of `MODELS`; returns the level of its records, and its flags."""
  level, flags = MODELS[name]
  flags = (*flags, "--num_classes=25")
  support.run_command(
      TRAIN, *flags, f"--train_data_pattern={sample}/{level}/train*.tfrecord",
      f"--train_dir={train_dir}", "--start_new_model", *SMALL)
  return level, flags


@pytest.mark.parametrize("name", [
    "logistic", *(pytest.param(name, marks=pytest.mark.long)
                  for name in MODELS if name != "logistic")])
def test_flags_of_training_are_repeated(sample, tmp_path, name):
  level, flags = trained(sample, tmp_path / "model", name)
  for module, *others in (
      (EVAL, f"--eval_data_pattern={sample}/{level}/validate*.tfrecord",
       "--run_once=True"),
      (INFERENCE, f"--input_data_pattern={sample}/{level}/test*.tfrecord",
       f"--output_file={tmp_path}/predictions.csv"),
      (EXPORT, f"--output_dir={tmp_path}/saved_model")):
    process = support.run_command(
        module, f"--train_dir={tmp_path}/model", *flags, *others)
    [line] = [line for line in process.stderr.splitlines() if NOT_NEEDED in line]
    assert set(re.findall(r"--\w+", line)) == {
        re.match("--(no)?(.*?)(=|$)", flag).expand(r"--\2") for flag in flags}


def test_segments(sample, tmp_path):
  """A frame-level model is evaluated on segments, with the flags of the starter code."""
  _, flags = trained(sample, tmp_path / "model", "frames")
  pattern = f"{sample}/segment/validate*.tfrecord"
  model = (f"--train_dir={tmp_path}/model", *flags, "--segment_labels")
  support.run_command(EVAL, *model, f"--eval_data_pattern={pattern}", "--run_once")
  support.run_command(
      INFERENCE, *model, f"--input_data_pattern={pattern}",
      f"--segment_label_ids_file={sample}/segment_label_ids.csv",
      f"--output_file={tmp_path}/segments.csv")
  support.run_command(
      SEGMENT_EVAL, f"--eval_data_pattern={pattern}", "--top_n=1000",
      f"--submission_file={tmp_path}/segments.csv",
      f"--label_cache={tmp_path}/labels.csv")


def test_another_value_is_an_error_and_its_remedy_works(sample, tmp_path):
  train_dir = tmp_path / "model"
  trained(sample, train_dir, "frames")
  command = (INFERENCE, f"--train_dir={train_dir}", f"--output_file={tmp_path}/out.csv",
             f"--input_data_pattern={sample}/frame/test*.tfrecord")
  for flag, value in (
      ("--model=LstmModel", "FrameLevelLogisticModel"), ("--noframe_features", "True"),
      ("--feature_names=rgb,audio", "rgb"), ("--feature_sizes=128", "1024"),
      ("--num_classes=3862", "25"), ("--max_frames=10", "300"),
      ("--label_loss=HingeLoss", "CrossEntropyLoss"),
      ("--video_level_classifier_model=MoeModel", "logistic")):
    process = support.run_command(*command, flag, check=False)
    name = flag.partition("=")[0].replace("--no", "--")
    assert process.returncode == 1 and re.search(
        rf"{name}=.*, but the model of .* was trained with {name}={value}\. Leave the "
        "flag out", process.stderr), process.stderr
  support.run_command(*command)


@pytest.mark.long
def test_advice_for_records_of_another_level(sample, tmp_path):
  """What the error advises leads on: in training flags, later other records."""
  frames = f"{sample}/frame/train*.tfrecord"
  command = (TRAIN, f"--train_dir={tmp_path}/frames", "--num_classes=25", *SMALL)
  process = support.run_command(*command, f"--train_data_pattern={frames}", check=False)
  assert "add --frame_features, with a --model and --feature_names" in process.stderr
  support.run_command(*command, f"--train_data_pattern={frames}", *MODELS["frames"][1])

  trained(sample, tmp_path / "video", "logistic")
  command = (INFERENCE, f"--train_dir={tmp_path}/video", f"--output_file={tmp_path}/out")
  process = support.run_command(
      *command, f"--input_data_pattern={sample}/frame/test*", check=False)
  assert "the model reads video-level ones: name such records" in process.stderr
  assert "--frame_features" not in process.stderr
  support.run_command(*command, f"--input_data_pattern={sample}/video/test*")
