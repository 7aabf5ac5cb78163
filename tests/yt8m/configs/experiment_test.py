# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A training directory: its configuration, and what may be deleted in it."""

import dataclasses
import json
import os

import pytest
import tensorflow as tf

from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import class_names
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.core.vocabulary import Vocabulary

SPEC = feature_spec.FeatureSpec(("x",), (6,), "frame")


def described(num_classes=5, **options):
  model = models.VideoModel(num_classes, SPEC, aggregation="mean", **options)
  return experiment.Experiment(model.get_config(), 9, {"batch_size": 4})


def test_round_trip_and_errors(tmp_path):
  saved = described()
  saved.save(str(tmp_path))
  loaded = experiment.Experiment.load(str(tmp_path))
  assert json.dumps(loaded.model_config, sort_keys=True) == json.dumps(
      saved.model_config, sort_keys=True)
  assert (loaded.max_frames, loaded.flags) == (9, {"batch_size": 4})
  content = json.loads((tmp_path / "config.json").read_text())
  assert set(content) == {"format", "model", "max_frames", "flags"}
  with pytest.raises(FileNotFoundError, match="holds no trained model"):
    experiment.Experiment.load(str(tmp_path / "nothing"))
  with pytest.raises(ValueError, match="--train_dir is empty"):
    experiment.Experiment.load("")
  (tmp_path / "config.json").write_text("{}")
  with pytest.raises(ValueError, match="not a configuration"):
    experiment.Experiment.load(str(tmp_path))


def test_a_model_with_unknown_entries_is_not_built():
  """Keras would look up some of them, such as a dtype, by the module they name."""
  saved = described()
  strange = experiment.Experiment({**saved.model_config, "dtype": {"module": "this"}})
  with pytest.raises(ValueError, match="unknown entries: dtype"):
    strange.build_model()


def test_another_model_is_refused(tmp_path):
  before, after = described(5), described(8)
  experiment.check_same_model(before, before, "here")
  with pytest.raises(ValueError, match="num_classes is 5, the flags say 8.*--start_new"):
    experiment.check_same_model(before, after, "here")
  experiment.prepare(str(tmp_path), before)
  experiment.prepare(str(tmp_path), after)  # nothing was trained yet
  tf.train.CheckpointManager(
      tf.train.Checkpoint(), str(tmp_path), 1, checkpoint_name=checkpoints.PREFIX).save()
  with pytest.raises(ValueError, match="holds another model"):
    experiment.prepare(str(tmp_path), before)


def test_a_hyperparameter_that_an_older_version_did_not_have_makes_no_difference():
  now = described(classifier="hidden")
  older = json.loads(json.dumps(now.model_config))
  del older["classifier"]["gating"]
  older["classifier"]["head"] = {"name": "logistic"}
  before = experiment.Experiment(older)
  experiment.check_same_model(before, now, "here")
  older["classifier"]["head"]["l2_penalty"] = 0.5
  with pytest.raises(ValueError, match="classifier.head.l2_penalty is 0.5, the flags"):
    experiment.check_same_model(before, now, "here")


def trained(directory):
  """A directory with all that yt8m-train and yt8m-eval write."""
  experiment.prepare(str(directory), described())
  experiment.write_status(str(directory), True)
  for name in ("checkpoint", "model.ckpt-3.index", "train/events.out.tfevents.1.host",
               "eval/events.out.tfevents.2.host.v2", "eval/metrics-3.json", "best.json",
               "eval/test-01ab/metrics-3.json", "eval/test-01ab/metrics.jsonl"):
    (directory / name).parent.mkdir(exist_ok=True)
    (directory / name).write_text("")
  return directory


def files(directory):
  return {os.path.relpath(os.path.join(folder, name), directory)
          for folder, _, names in os.walk(directory) for name in names}


def test_a_new_model_replaces_what_is_ours_and_nothing_else(tmp_path):
  trained(tmp_path)
  (tmp_path / "thesis.tex").write_text("years of work")
  experiment.prepare(str(tmp_path), described(7), start_new=True)
  assert files(tmp_path) == {"thesis.tex", "config.json"}
  experiment.delete(str(tmp_path))
  assert os.listdir(tmp_path) == ["thesis.tex"]
  experiment.delete(str(tmp_path / "nothing"))


@pytest.mark.parametrize("name", [
    "train/mine.csv", "eval/videos/1.mp4", "train/plugins/events.out.tfevents.1"])
def test_folders_with_foreign_files_are_not_deleted(name, tmp_path):
  trained(tmp_path)
  (tmp_path / name).parent.mkdir(exist_ok=True)
  (tmp_path / name).write_text("mine")
  before = files(tmp_path)
  with pytest.raises(FileExistsError, match=name):
    experiment.prepare(str(tmp_path), described(), start_new=True)
  assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["train/data.csv", "eval/events.out.tfevents.1",
                                  "checkpoint", "model.ckpt-1.index"])
def test_a_directory_without_our_config_is_not_deleted(name, tmp_path):
  (tmp_path / name).parent.mkdir(exist_ok=True)
  (tmp_path / name).write_text("mine")
  with pytest.raises(FileExistsError, match=f"does not delete {name.split('/')[0]} in"):
    experiment.prepare(str(tmp_path), described(), start_new=True)
  (tmp_path / "config.json").write_text('{"name": "a project of mine"}')
  for start_new in (True, False):
    with pytest.raises(ValueError, match="config.json is not a configuration of yt8m"):
      experiment.prepare(str(tmp_path), described(), start_new)
  assert files(tmp_path) == {name, "config.json"}


def test_files_that_only_resemble_ours_are_kept(tmp_path):
  trained(tmp_path)
  (tmp_path / "model.ckpt-notes.txt").write_text("mine")
  experiment.delete(str(tmp_path))
  assert files(tmp_path) == {"model.ckpt-notes.txt"}


def test_links_are_not_followed(tmp_path):
  outside = tmp_path / "outside"
  (outside / "train").mkdir(parents=True)
  (outside / "train" / "events.out.tfevents.1").write_text("mine")
  directory = tmp_path / "model"
  directory.mkdir()
  experiment.prepare(str(directory), described())
  (directory / "train").symlink_to(outside / "train")
  with pytest.raises(FileExistsError, match="does not delete train in"):
    experiment.delete(str(directory))
  (tmp_path / "link").symlink_to(directory)
  with pytest.raises(FileExistsError, match="symbolic link"):
    experiment.delete(str(tmp_path / "link"))
  assert len(os.listdir(outside / "train")) == 1
  with pytest.raises(ValueError, match="--train_dir is empty"):
    experiment.delete("")


@pytest.mark.parametrize("name", [
    "status.json", "checkpoint", "eval", "train", "eval/metrics-5.json", "config.json",
    "best.json", "eval/test-01ab/metrics.jsonl", "model.ckpt-5.index"])
def test_a_directory_that_leads_elsewhere_is_not_written_to(name, tmp_path):
  train_dir, mine = tmp_path / "theirs", tmp_path / "mine"
  mine.mkdir()
  (train_dir / name).parent.mkdir(parents=True)
  experiment.TRAIN_DIR.refuse_links(str(train_dir))
  (train_dir / name).symlink_to(mine)
  with pytest.raises(FileExistsError, match=f"{name} is a symbolic link to {mine}"):
    experiment.TRAIN_DIR.refuse_links(str(train_dir))
  (train_dir / name).unlink()
  (train_dir / "notes.txt").symlink_to(mine)  # a file of the user, which is left alone
  experiment.TRAIN_DIR.refuse_links(str(train_dir))


def test_names_of_classes_are_kept_and_belong_to_the_model(tmp_path):
  given, directory = tmp_path / "given.csv", tmp_path / "model"
  given.write_text('Index,TrainVideoCount,Name\n1,7,"a, b"\n')
  names = class_names.of_training(str(directory), 5, str(given))
  experiment.prepare(str(directory), described(), names=names)
  kept = directory / "vocabulary.csv"
  assert kept.read_text().splitlines()[:3] == ["index,name", "0,class 0", '1,"a, b"']
  # When training goes on without the flag, they stay; not with another model.
  assert class_names.of_training(str(directory), 5) == names
  assert class_names.of_training(None, 5) is None
  experiment.prepare(str(directory), described(), names=names)
  assert class_names.of_training(str(directory), 8) is None
  experiment.prepare(str(directory), described(8))
  assert files(directory) == {"config.json"}
  experiment.prepare(str(directory), described(), names=names)
  experiment.delete(str(directory))
  assert files(directory) == set()


def test_names_that_were_changed_are_not_used(tmp_path):
  names = Vocabulary.of({0: "a", 1: "b"}, 5)
  before = dataclasses.replace(described(), flags={"vocabulary": names.digest})
  directory = str(tmp_path / "model")
  experiment.prepare(directory, before, names=names)
  assert before.kept_names(directory) == names
  Vocabulary.of({0: "b", 1: "a"}, 5).write(tmp_path / "model" / "vocabulary.csv")
  for read in (lambda: before.kept_names(directory),
               lambda: class_names.of_training(directory, 5)):
    with pytest.raises(ValueError, match="vocabulary.csv has other names .*--vocabulary"):
      read()


def test_a_vocabulary_of_somebody_else_is_not_replaced(tmp_path):
  mine = tmp_path / "vocabulary.csv"
  mine.write_text("index,name,notes\n0,a,precious\n")
  names = class_names.of_training(str(tmp_path), 5, str(mine))
  with pytest.raises(FileExistsError, match="vocabulary.csv is not replaced: .*Move it"):
    experiment.prepare(str(tmp_path), described(), names=names)
  with pytest.raises(FileExistsError, match="does not delete vocabulary.csv in"):
    experiment.prepare(str(tmp_path), described(), start_new=True, names=names)
  assert files(tmp_path) == {"vocabulary.csv"} and "precious" in mine.read_text()


@pytest.mark.parametrize("loss", [None, 5, ["x"], {"class_name": "x"}])
def test_the_loss_of_a_configuration_is_a_name(loss, tmp_path):
  (tmp_path / experiment.CONFIG).write_text(json.dumps({
      "model": {"num_classes": 2}, "max_frames": 3, "flags": {"label_loss": loss}}))
  with pytest.raises(ValueError, match="label_loss is .*must be a text"):
    experiment.Experiment.load(str(tmp_path))
