# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A label network is trained once for the same label sets and settings."""

import os

import numpy as np
import pytest

from tests.helpers import toy_labels
from yt8m.training import label_network_cache
from yt8m.training import label_start


@pytest.fixture
def trainings(monkeypatch):
  """Records the settings of every training of a label network."""
  calls = []
  train = label_start._train_network

  def record(sets, **settings):
    calls.append(settings)
    return train(sets, **settings)

  monkeypatch.setattr(label_start, "_train_network", record)
  return calls


def pretrain(directory, seed=0, units=3, num_sets=100):
  sets = toy_labels.toy_sets(n=num_sets)[1]
  return label_start.pretrain(sets, 4, units, 1, seed, cache_dir=str(directory))


def test_the_same_network_is_not_trained_again(trainings, tmp_path):
  weights = pretrain(tmp_path)
  again = pretrain(tmp_path)
  assert len(trainings) == 1 and len(os.listdir(tmp_path)) == 1
  for one, other in zip(weights, again, strict=True):
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("change", [{"seed": 1}, {"units": 5}, {"num_sets": 99}])
def test_another_network_is_trained(change, trainings, tmp_path):
  pretrain(tmp_path)
  pretrain(tmp_path, **change)
  assert len(trainings) == 2 and len(os.listdir(tmp_path)) == 2


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", None])
def test_a_damaged_file_is_named(content, tmp_path):
  pretrain(tmp_path)
  path, = tmp_path.iterdir()
  if content is None:
    np.savez(path, np.zeros((4, 3), np.float32), np.zeros(3), np.zeros((3, 4)))
  else:
    path.write_bytes(content)
  with pytest.raises(ValueError, match=f"{path.name}.*[Dd]elete it"):
    pretrain(tmp_path)


def test_weights_have_their_shapes(tmp_path):
  shapes = [array.shape for array in pretrain(tmp_path)]
  assert shapes == [(4, 3), (3,), (3, 4)]


@pytest.mark.parametrize("name", ["file", "file/below", "foo://bar/x"])
def test_a_directory_that_cannot_be_made_is_an_error_before_training(
    name, trainings, tmp_path):
  (tmp_path / "file").write_text("")
  directory = name if ":" in name else tmp_path / name
  with pytest.raises(ValueError, match="--label_network_cache=.* cannot be made .*leave"):
    pretrain(directory)
  assert not trainings


def test_a_network_that_cannot_be_kept_is_not_lost(monkeypatch, caplog, tmp_path):
  def fail(*_, **__):
    raise OSError("No space left on device")

  monkeypatch.setattr(label_network_cache.files, "atomic_write", fail)
  assert pretrain(tmp_path)
  assert "No space left" in caplog.text
