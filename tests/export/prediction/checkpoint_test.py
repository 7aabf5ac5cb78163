# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint and a SavedModel: sent to workers, distinguished by what they compute."""

import os
import pickle
import shutil

import numpy as np
import pytest

from tests.helpers import small_job
from yt8m.artifacts import saved_model
from yt8m.configs import experiment
from yt8m.export.prediction import checkpoint
from yt8m.export.saved_models import writer


@pytest.fixture(scope="module")
def train_dir(tmp_path_factory):
  return small_job.write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def exported(train_dir, tmp_path_factory):
  directory = str(tmp_path_factory.mktemp("serving") / "1")
  trained, model, _ = experiment.load(train_dir)
  writer.save(trained, model, directory, top_k=2)
  return directory


def test_both_give_the_same_scores_to_whoever_they_are_sent(
    train_dir, exported, tmp_path):
  [path] = small_job.write_record_files(tmp_path, [5])
  scores = []
  for source in (checkpoint.Checkpoint.of_directory(train_dir),
                 saved_model.SavedModel(exported)):
    sent = pickle.loads(pickle.dumps(source))
    assert sent == source and hash(sent) == hash(source)
    assert source.num_classes == small_job.NUM_CLASSES and source.spec.is_video_level
    [batch] = sent.reader().dataset(path, 8)
    scores.append(sent.predictor()(batch).numpy())
  np.testing.assert_allclose(*scores, atol=1e-6)


def test_the_fingerprint_is_of_what_is_computed_not_of_where_it_lies(
    train_dir, exported, tmp_path):
  for make, directory in ((checkpoint.Checkpoint.of_directory, train_dir),
                          (saved_model.SavedModel, exported)):
    copy = tmp_path / os.path.basename(os.path.dirname(directory))
    shutil.copytree(directory, copy)
    assert make(str(copy)).fingerprint == make(directory).fingerprint
  other = small_job.write_model(tmp_path / "other", seed=1)
  assert (checkpoint.Checkpoint.of_directory(other).fingerprint
          != checkpoint.Checkpoint.of_directory(train_dir).fingerprint)


def test_training_may_go_on_beside(train_dir, tmp_path):
  shutil.copytree(train_dir, tmp_path / "model")
  source = checkpoint.Checkpoint.of_directory(str(tmp_path / "model"))
  before = source.fingerprint
  for path in (tmp_path / "model").glob("model.ckpt-7.*"):
    shutil.copy(path, str(path).replace("ckpt-7", "ckpt-8"))
  (tmp_path / "model" / "checkpoint").write_text(
      'model_checkpoint_path: "model.ckpt-8"\n')
  assert str(source).endswith("at step 7") and source.fingerprint == before
  assert str(checkpoint.Checkpoint.of_directory(source.train_dir)).endswith("at step 8")
