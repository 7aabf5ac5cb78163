# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The newest intact version is served; damaged ones are reported and not served."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import serving
from yt8m.artifacts.saved_model import SavedModel
from yt8m.export.saved_models import warmup
from yt8m.export.serving import model_versions

BATCH = descriptors.batch("video")
REQUEST = {name: x.numpy() for name, x in serving.arrays(BATCH, "video").items()}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
  """Two SavedModels, and their answers to `BATCH`."""
  folder, scores = tmp_path_factory.mktemp("models"), {}
  for case in ("classifier-logistic", "classifier-moe"):
    model = serving.save(case, folder / case)
    scores[folder / case] = serving.at_home(model, BATCH)
  return list(scores.items())


def answers(versions, number=None):
  return versions.get(number).call("predict_features", REQUEST)["predictions"]


def damage(directory):
  with open(directory / "fingerprint.pb", "ab") as file:
    file.write(b"x")


def test_a_directory_has_versions(tmp_path, exported):
  shutil.copytree(exported[0][0], tmp_path / "1")
  model_versions.check(str(tmp_path))
  with pytest.raises(FileNotFoundError, match="/no has no versions: expected SavedMod"):
    model_versions.check(str(tmp_path / "no"))


def test_a_new_version_takes_over_and_requests_keep_theirs(tmp_path, exported):
  (first, scores), (second, other_scores) = exported
  shutil.copytree(first, tmp_path / "1")
  versions = model_versions.Versions(str(tmp_path))
  held = versions.get()
  versions.refresh()
  assert versions.get() is held
  shutil.copytree(second, tmp_path / "2")
  versions.refresh()
  np.testing.assert_allclose(answers(versions), other_scores, atol=1e-6)
  with pytest.raises(KeyError):
    versions.get(1)
  # A request that began earlier continues.
  np.testing.assert_allclose(
      held.call("predict_features", REQUEST)["predictions"], scores, atol=1e-6)
  # Back to the older version, as if the newer one had been removed.
  shutil.rmtree(tmp_path / "2")
  versions.refresh()
  np.testing.assert_allclose(answers(versions), scores, atol=1e-6)
  # If all versions are gone, the one in memory stays.
  shutil.rmtree(tmp_path / "1")
  versions.refresh()
  assert versions.status() == {1: None}


def test_all_versions_are_served_by_number(tmp_path, exported):
  for number, (directory, _) in zip((5, 12), exported, strict=True):
    shutil.copytree(directory, tmp_path / str(number))
  versions = model_versions.Versions(str(tmp_path), model_versions.ALL)
  assert list(versions.status().items()) == [(12, None), (5, None)]
  for number, (_, scores) in zip((5, 12), exported, strict=True):
    np.testing.assert_allclose(answers(versions, number), scores, atol=1e-6)
  assert versions.get() is versions.get(12)


def test_a_damaged_version_is_not_served_until_it_is_whole(tmp_path, exported):
  shutil.copytree(exported[0][0], tmp_path / "1")
  versions = model_versions.Versions(str(tmp_path))
  shutil.copytree(exported[1][0], tmp_path / "2")
  damage(tmp_path / "2")
  versions.refresh()
  status = versions.status()
  assert "fingerprint.pb" in str(status[2]) and status[1] is None
  np.testing.assert_allclose(answers(versions), exported[0][1], atol=1e-6)
  shutil.copy(exported[1][0] / "fingerprint.pb", tmp_path / "2")
  versions.refresh()
  assert versions.status() == {2: None}

  # A server that starts now serves the newest intact version.
  damage(tmp_path / "2")
  versions = model_versions.Versions(str(tmp_path))
  assert list(versions.status()) == [2, 1] and versions.get().number == 1
  damage(tmp_path / "1")
  versions = model_versions.Versions(str(tmp_path))
  assert all(versions.status().values())
  with pytest.raises(KeyError):
    versions.get()


def test_stored_requests_warm_up(tmp_path, exported, monkeypatch):
  shutil.copytree(exported[0][0], tmp_path / "1")
  asked = []
  call = model_versions.Version.call

  def spy(self, signature, inputs):
    asked.append((signature, {len(x) for x in inputs.values()}))
    return call(self, signature, inputs)

  monkeypatch.setattr(model_versions.Version, "call", spy)
  monkeypatch.setattr(warmup, "read", lambda directory: [("predict_features", REQUEST)])
  version = model_versions.Version(1, SavedModel(str(tmp_path / "1")))
  assert asked == [*((name, {0}) for name in version.signatures),
                   ("predict_features", {len(BATCH["num_frames"])})]
  monkeypatch.setattr(warmup, "read", lambda directory: [("no_such", REQUEST)])
  with pytest.raises(ValueError, match="warm-up requests for the signature 'no_such'"):
    model_versions.Version(1, SavedModel(str(tmp_path / "1")))


def test_a_model_of_anyone_is_served(tmp_path):
  module = tf.Module()
  module.f = tf.function(lambda x: {"y": 1 / tf.shape(x)[0]},
                         [tf.TensorSpec([None], tf.string, "x")])
  tf.saved_model.save(module, str(tmp_path / "1"), {"serving_default": module.f})
  versions = model_versions.Versions(str(tmp_path))
  answer = versions.get().call("serving_default", {"x": np.array([b"a", b"b"], object)})
  assert answer["y"] == 0.5


def test_a_version_that_is_being_copied_is_waited_for_in_one_line(
    tmp_path, exported, caplog):
  source, scores = exported[0]
  versions, lines = model_versions.Versions(str(tmp_path)), []
  caplog.set_level("ERROR", "absl")
  # In the worst order: the graph first, and the manifest last.
  names = sorted((path.relative_to(source) for path in source.rglob("*")
                  if path.is_file()), key=lambda name: (
                      name.name == "manifest.json", name.name != "saved_model.pb"))
  for name in names:
    target = tmp_path / "1" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    content = (source / name).read_bytes()
    for part in (content[:len(content) // 2], content):
      target.write_bytes(part)
      caplog.clear()
      versions.refresh()
      versions.refresh()  # what is known is not said again
      lines += [record.getMessage() for record in caplog.records
                if record.levelname == "ERROR"]
      assert len(caplog.records) <= 1 or versions.loaded
    if versions.loaded:
      break
  np.testing.assert_allclose(answers(versions), scores, atol=1e-6)
  assert lines and not any("\n" in line for line in lines)
  assert all(line.startswith("Version 1 cannot be served, and is tried again: ")
             for line in lines)


def test_operations_may_be_allowed(tmp_path):
  module = tf.Module()
  module.read = tf.function(
      tf.io.read_file, input_signature=[tf.TensorSpec([], tf.string)])
  tf.saved_model.save(module, str(tmp_path / "1"), module.read)
  versions = model_versions.Versions(str(tmp_path))
  assert not versions.loaded and "--allow_code=ReadFile" in str(versions.status()[1])
  assert model_versions.Versions(str(tmp_path), allow_code=("ReadFile",)).loaded
