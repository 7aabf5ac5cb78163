# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Versions in a directory that a server watches; commands_test.py has other flags."""

import json
import os
import shutil

import pytest
import tensorflow as tf

from tests.helpers import serving
from tests.helpers import support
from tests.helpers.full_disk import full_disk
from yt8m.artifacts import manifest
from yt8m.artifacts import saved_model
from yt8m.core import locks
from yt8m.core import temporaries
from yt8m.eval.blending import ensemble_file
from yt8m.export.saved_models import warmup
from yt8m.models.layers import variables


def export(root, *exports):
  """Runs the exports; returns what was seen, or the error, for each, and the log."""
  process = support.run_command("tests.helpers.several_exports", root, json.dumps([
      [str(argument) for argument in arguments] for arguments in exports]))
  with open(f"{root}.seen.json") as file:
    return json.load(file), process.stderr


@pytest.fixture
def train_dir(tmp_path):
  """A training directory with checkpoints of steps 5 and 40, and an evaluation."""
  (tmp_path / "train" / "eval").mkdir(parents=True)
  config, model = serving.make("classifier-logistic")
  config.save(str(tmp_path / "train"))
  weights = variables.checkpoint_parts(model)["weights"]
  manager = tf.train.CheckpointManager(
      tf.train.Checkpoint(weights=weights), str(tmp_path / "train"), 5,
      checkpoint_name="model.ckpt")
  for step in (5, 40):
    manager.save(step)
  (tmp_path / "train" / "eval" / "metrics-40.json").write_text(
      json.dumps({"step": 40, "num_examples": 9, "gap": 0.5}))
  return tmp_path / "train"


def test_overwrite_replaces_nothing_but_saved_models_of_ours(tmp_path):
  ours, linked = tmp_path / "ours", tmp_path / "linked"
  serving.save("classifier-logistic", ours)
  for directory in (linked, tmp_path / "versions" / "1"):
    shutil.copytree(ours, directory)
  (ours / "notes.txt").write_text("precious")
  (tmp_path / "file").write_text("precious")
  (tmp_path / "foreign").mkdir()
  (tmp_path / "foreign" / "thesis.tex").write_text("precious")
  tf.saved_model.save(tf.Module(), str(tmp_path / "theirs"))
  (tmp_path / "link").symlink_to(linked)
  (tmp_path / "versions" / "1" / "notes.txt").write_text("precious")
  (tmp_path / "versions" / "2").write_text("precious")
  (tmp_path / "versions" / "3").symlink_to(linked)
  before = files_of(tmp_path)
  untrained = ("--overwrite", "--untrained", "--model=LogisticModel", "--num_classes=4",
               "--top_k=3")
  cases = {
      "": "--output_dir is empty: name a directory",
      f"{tmp_path}/file": "file is a file: name a directory",
      f"{tmp_path}/foreign": "foreign is not replaced: it has no assets/",
      f"{tmp_path}/theirs": "theirs is not replaced: it has no assets/",
      f"{tmp_path}/ours": "ours is not replaced: it also holds notes.txt",
      f"{tmp_path}/link": "link is a symbolic link",
      f"{tmp_path}/link/": "link/ is a symbolic link",
      f"{tmp_path}/versions/1": "1 is not replaced: it also holds notes.txt",
      f"{tmp_path}/versions/2": "2 is a file: name a directory",
      f"{tmp_path}/versions/3": "3 is a symbolic link"}
  seen, _ = export(tmp_path / "root", *(
      (*untrained, f"--output_dir={path}") for path in cases))
  assert len(seen) == len(cases)
  for error, message in zip(seen, cases.values(), strict=True):
    assert message in error
  assert files_of(tmp_path) == before


def test_versioned_follows_no_link(tmp_path):
  (tmp_path / "elsewhere").mkdir()
  (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
  (tmp_path / "file").write_text("precious")
  untrained = ("--versioned", "--overwrite", "--untrained", "--model=LogisticModel",
               "--num_classes=4", "--top_k=3")
  seen, _ = export(tmp_path / "root", *(
      (*untrained, f"--output_dir={path}") for path in (
          "", tmp_path / "link", tmp_path / "file")))
  for error, message in zip(seen, (
      "--output_dir is empty", "link is a symbolic link", "file is a file"), strict=True):
    assert message in error
  assert os.listdir(tmp_path / "elsewhere") == []


def test_versioned_replaces_nothing_but_saved_models_of_ours(train_dir, tmp_path):
  """The step of a checkpoint may name something else than a version."""
  root = tmp_path / "serving"
  (root / "40").mkdir(parents=True)
  (root / "40" / "thesis.tex").write_text("precious")
  (root / "5").symlink_to(train_dir)
  before = files_of(tmp_path)
  of_training = (f"--output_dir={root}", "--versioned", "--overwrite", "--top_k=3",
                 f"--train_dir={train_dir}")
  seen, _ = export(
      tmp_path / "root", of_training,
      (*of_training, f"--checkpoint={train_dir}/model.ckpt-5"))
  assert "serving/40 is not replaced" in seen[0]
  assert "serving/5 is a symbolic link" in seen[1]
  assert files_of(tmp_path) == before


def files_of(folder):
  """Returns the contents of all files by path, without the report of `export`."""
  return {str(path): path.read_bytes() for path in sorted(folder.rglob("*"))
          if path.is_file() and path.name != "root.seen.json"}


def test_versions(train_dir, tmp_path):
  root = tmp_path / "serving"
  root.mkdir()
  (root / "notes").mkdir()
  for case in ("classifier-moe", "classifier-logistic"):
    serving.save(case, tmp_path / "members" / case)
  chosen = ensemble_file.EnsembleFile(tuple(
      ensemble_file.Member(
          saved_model.SavedModel(str(tmp_path / "members" / case), case), 0.5)
      for case in ("classifier-moe", "classifier-logistic")))
  chosen.save(str(tmp_path / "ensemble.json"))
  versioned = (f"--output_dir={root}", "--versioned", "--top_k=3")
  of_training = (*versioned, f"--train_dir={train_dir}", "--warmup_requests=2")
  untrained = (*versioned, "--untrained", "--model=LogisticModel", "--num_classes=4")
  seen, log = export(
      root, untrained, of_training, untrained, (
          *versioned, f"--ensemble={tmp_path}/ensemble.json"),
      (*of_training, f"--checkpoint={train_dir}/model.ckpt-5"),
      (*of_training, "--top_k=2"), (*of_training, "--overwrite"),
      (f"--output_dir={root}/40", *untrained[1:]))

  done = ["1", "40", "41", "42", "5"]
  assert sorted(os.listdir(root)) == [*done, "notes"]
  for version in done:
    manifest.verify(str(root / version))
  assert [len(warmup.read(str(root / version))) for version in done] == [0, 2, 0, 0, 2]
  card = (root / "40" / "assets.extra" / "MODEL_CARD.md").read_text()
  assert "step 40" in card and "| GAP | 0.5000 |" in card

  # While a version was written it had no number, and the earlier ones were complete.
  for before, now in zip(
      [[], ["1"], ["1", "40"], ["1", "40", "41"], ["1", "40", "41", "42"], done, done],
      [*seen[:6], seen[7]], strict=True):
    assert sorted(name for name in now if name.isdigit()) == sorted(before)
    assert all("manifest.json" in now[name] for name in before)
    [hidden] = [name for name in now if ".tmp" in name]
    assert "saved_model.pb" in now[hidden]
  assert "serving/40 exists" in seen[6] and "--overwrite" in seen[6]
  assert "Version 5 is not the newest of" in log and "still uses 42" in log
  assert "serving/40 is itself a SavedModel: with --versioned name" in seen[8]


def test_the_same_export_again_is_no_error_and_no_other_version(train_dir, tmp_path):
  """As after a kill at its very end."""
  root = tmp_path / "serving"
  root.mkdir()
  cases = (("--versioned", "--top_k=3", f"--output_dir={root}",
            f"--train_dir={train_dir}"),
           ("--versioned", "--top_k=3", f"--output_dir={tmp_path}/untrained",
            "--untrained", "--model=LogisticModel", "--num_classes=4"))
  export(root, *cases)
  before = files_of(root), files_of(tmp_path / "untrained")
  assert all(before)
  # Killed between the renaming of the old version and that of the new one.
  (root / "40").rename(temporaries.name(str(root / "40")) + ".old")
  seen, _ = export(root, *cases)
  assert [type(entry) for entry in seen] == [dict, dict]
  assert (files_of(root), files_of(tmp_path / "untrained")) == before
  assert sorted(os.listdir(root)) == ["40"]
  assert os.listdir(tmp_path / "untrained") == ["1"]


def test_a_second_export_is_refused_and_a_full_disk_is_clear(train_dir, tmp_path):
  root = tmp_path / "serving"
  arguments = (f"--output_dir={root}", "--top_k=3", f"--train_dir={train_dir}")
  with locks.hold_output(root, "exports", is_directory=True):
    seen, _ = export(root, arguments)
  assert f"{root} is in use: process {os.getpid()} on" in seen[0]
  with full_disk(after=600):
    process = support.run_command("yt8m.export.export_model", *arguments, check=False)
  assert process.returncode == 1 and "Traceback" not in process.stderr
  assert "bytes; nothing half-written is left behind" in process.stderr
  assert f"{root}" in process.stderr
  assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]
