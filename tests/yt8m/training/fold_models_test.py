# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Which records each fold model is trained on, and what continues or is refused."""

import dataclasses
import json
import shutil

import pytest

from tests.helpers import small_job
from yt8m.configs import experiment
from yt8m.core import child_processes
from yt8m.training import fold_models


class Commands:
  """Stands in for `child_processes.Runner`: copies a trained model, or fails.

  Args:
    model: Training directory to copy.
    fail_at: Number of the command that fails, from 1.
  """

  def __init__(self, model, fail_at=None):
    self.model, self.fail_at, self.ran = model, fail_at, []

  def run(self, command, log):
    assert log.name.endswith(".txt")
    flags = dict(word.lstrip("-").partition("=")[::2] for word in command[1:])
    self.ran.append(flags)
    if len(self.ran) == self.fail_at:
      raise child_processes.RunFailed("yt8m-train ended with code 1")
    shutil.copytree(self.model, flags["train_dir"])
    experiment.write_status(flags["train_dir"], True, 7)

  def stop(self):
    pass


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  folder = tmp_path_factory.mktemp("model")
  small_job.write_record_files(folder / "records", [2] * 5)
  small_job.write_model(folder / "model")
  return folder / "model"


def set_flags(model, train_dir, **flags):
  shutil.copytree(model, train_dir)
  config = experiment.Experiment.load(train_dir)
  pattern = f"{model.parent}/records/*"
  dataclasses.replace(config, flags={
      "train_data_pattern": pattern, "batch_size": 16, "deterministic": True,
      "label_sets": None, "train_dir": "elsewhere", "allow_code": "evil", **flags,
  }).save(train_dir)
  return str(train_dir)


def lines(path):
  with open(path) as file:
    return file.read().splitlines()


def train(monkeypatch, commands, *arguments):
  monkeypatch.setattr(child_processes, "Runner", lambda num_threads: commands)
  return fold_models.train(*arguments)


def test_every_file_is_in_one_fold(model, tmp_path, monkeypatch):
  train_dir, folds = set_flags(model, tmp_path / "model"), tmp_path / "folds"
  commands = Commands(model)
  pairs = train(monkeypatch, commands, train_dir, 2, str(folds))
  every = sorted(map(str, (model.parent / "records").iterdir()))
  assert [lines(pattern.removeprefix("@")) for _, pattern in pairs] == [
      every[::2], every[1::2]]
  for number, flags in enumerate(commands.ran):
    assert flags["train_dir"] == pairs[number][0]
    assert lines(flags["train_data_pattern"].removeprefix("@")) == every[1 - number::2]
    assert flags["batch_size"] == "16" and flags["deterministic"] == "true"
    assert not {"allow_code", "label_sets", "start_new_model"} & flags.keys()
  assert not fold_models.FOLDS.foreign_entries(folds)


def test_a_failed_training_continues(model, tmp_path, monkeypatch):
  train_dir, folds = set_flags(model, tmp_path / "model"), str(tmp_path / "folds")
  with pytest.raises(child_processes.RunFailed):
    train(monkeypatch, Commands(model, fail_at=2), train_dir, 3, folds)
  again = Commands(model)
  train(monkeypatch, again, train_dir, 3, folds)
  assert [flags["train_dir"][-1] for flags in again.ran] == ["2", "3"]
  with pytest.raises(ValueError, match="holds models of another training: delete it"):
    train(monkeypatch, again, train_dir, 2, folds)


@pytest.mark.parametrize(("flags", "num_folds", "words"), [
    ({}, 6, "--num_folds=6 is more than the record files of .*, 5"),
    ({"train_data_pattern": "gone/*"}, 2, "No file matches 'gone/.*or give --fold"),
    ({"train_data_pattern": None}, 2, "not found"),
    ({"profile_file": "/tmp/x"}, 2, "'profile_file' is not a flag that"),
    ({"v": 1}, 2, "'v' is not a flag that"),
])
def test_what_cannot_be_repeated_is_named(model, tmp_path, monkeypatch, flags, num_folds,
                                          words):
  train_dir = set_flags(model, tmp_path / "model", **flags)
  with pytest.raises(ValueError, match=words):
    train(monkeypatch, Commands(model), train_dir, num_folds, str(tmp_path / "folds"))


def test_names_that_are_two_lines_are_refused(model, tmp_path, monkeypatch):
  for name in ("a", "b\n@secret"):
    shutil.copy(next((model.parent / "records").iterdir()), tmp_path / name)
  train_dir = set_flags(model, tmp_path / "model", train_data_pattern=f"{tmp_path}/[ab]*")
  with pytest.raises(ValueError, match="cannot stand in a list of files: rename it"):
    train(monkeypatch, Commands(model), train_dir, 2, str(tmp_path / "folds"))


def test_folds_are_local(model, tmp_path, monkeypatch):
  with pytest.raises(ValueError, match="not in gs://bucket/out.folds: name a local"):
    train(monkeypatch, Commands(model), str(model), 2, "gs://bucket/out.folds")


def test_a_foreign_directory_is_not_used(model, tmp_path, monkeypatch):
  train_dir, folds = set_flags(model, tmp_path / "model"), tmp_path / "folds"
  folds.mkdir()
  (folds / "thesis.txt").write_text(json.dumps({}))
  with pytest.raises(FileExistsError, match="it has no folds.json"):
    train(monkeypatch, Commands(model), train_dir, 2, str(folds))
