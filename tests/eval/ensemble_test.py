# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-ensemble` as a user types it, on small models with known weights."""

import os
import re
import shutil
import socket

import numpy as np
import pytest

from tests.helpers import descriptors
from tests.helpers import small_job
from tests.helpers import support
from yt8m.artifacts import saved_model
from yt8m.configs import experiment
from yt8m.core import files
from yt8m.core import locks
from yt8m.eval.blending import builder
from yt8m.eval.blending import ensemble_file
from yt8m.eval.metrics import streaming
from yt8m.eval.predictions import store as prediction_store
from yt8m.export.saved_models import writer

COMMAND = "yt8m.eval.ensemble"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """Four models, records for the search, and records for the evaluation."""
  folder = tmp_path_factory.mktemp("ensemble")
  for seed in range(4):
    model = descriptors.build("classifier-moe")
    descriptors.randomize(model, seed)
    writer.save(experiment.Experiment(model.get_config()), model,
                     str(folder / "members" / f"model{seed}" / "1"), top_k=3)
  small_job.write_labelled_records(folder / "records")
  small_job.write_labelled_records(folder / "others")
  return folder


@pytest.fixture(scope="module")
def predictions(folder, tmp_path_factory):
  """Predictions of the members, which a search goes on from."""
  directory = tmp_path_factory.mktemp("predictions")
  support.run_command(
      COMMAND, "predict", f"--members={folder}/members/*/1",
      f"--eval_data_pattern={folder}/records/*.tfrecord", f"--output_dir={directory}")
  return directory / "predictions"


def search(folder, output_dir, *arguments, **options):
  return support.run_command(
      COMMAND, "search", f"--members={folder}/members/*/1",
      f"--eval_data_pattern={folder}/records/*.tfrecord", f"--output_dir={output_dir}",
      "--num_models=2", "--num_folds=2", *arguments, **options)


def dense(directory, names):
  """Returns the scores of the members and the labels, as matrices."""
  stores = [prediction_store.PredictionStore.open(directory / name) for name in names]
  labels = np.zeros((stores[0].num_videos, stores[0].num_classes), bool)
  rows = np.repeat(np.arange(len(labels)), stores[0].labels.sizes)
  labels[rows, stores[0].labels.classes] = True
  return np.array([store.dense_rows(slice(None)) for store in stores]), labels


@pytest.mark.parametrize("arguments", [
    (), ("--averaging=ranks", "--search=repetition"),
    ("--averaging=logits", "--search=greedy"),
    ("--class_weights", "--search=exhaustive")])
def test_search_and_evaluate(folder, predictions, tmp_path, arguments):
  if arguments:
    shutil.copytree(predictions, tmp_path / "predictions")
  output = search(folder, tmp_path, *arguments).stdout
  path = tmp_path / "ensemble.json"
  found = ensemble_file.EnsembleFile.load(path)
  assert len(found.members) == 2 and (tmp_path / "search.png").stat().st_size > 10_000
  assert sorted(p.name for p in tmp_path.iterdir()) == [
      "ensemble.json", "predictions", "search-scores.json", "search.png"]
  assert "| member | MiB | weight | GAP alone | adds |" in output
  for member in found.members:
    adds = found.search["adds"][member.model.name]
    assert re.search(rf"\| {member.model.name} \|.* \+{adds:.4f} \|", output)
    assert re.fullmatch(r"model\d", member.model.name)
    assert member.model.exists
  if not arguments:
    names = [member.model.name for member in found.members]
    scores, labels = dense(tmp_path / "predictions", names)
    for weights, key in ((np.full(2, 0.5), "equal_weights"),
                         (found.weights, "learned_weights")):
      blended = np.tensordot(weights, scores, 1).astype(np.float32)
      assert found.scores[key] == pytest.approx(streaming.gap(blended, labels))
    assert search(folder, tmp_path).stdout == output
  if "--averaging=ranks" in arguments:
    return  # Logits stand for both from here on.

  output = support.run_command(
      COMMAND, "evaluate", f"--ensemble={path}",
      f"--eval_data_pattern={folder}/others/validate[01].tfrecord").stdout
  assert "8 videos" in output and "| the ensemble | 2 |" in output
  assert (tmp_path / "evaluation" / found.members[0].model.name / "store.json").exists()


@pytest.mark.long
def test_without_matplotlib_all_but_the_picture_is_written(folder, tmp_path):
  for action in ("predict", "search"):
    output = support.run_without_matplotlib(
        COMMAND, action, f"--members={folder}/members/*/1",
        f"--eval_data_pattern={folder}/records/*.tfrecord", "--num_models=2",
        "--num_folds=2", f"--output_dir={tmp_path}")
  assert "not search.png, which needs matplotlib (pip install" in output.stdout
  assert sorted(path.name for path in tmp_path.iterdir()) == [
      "ensemble.json", "predictions", "search-scores.json"]


def test_from_search_to_submission(folder, tmp_path):
  search(folder, tmp_path)
  support.run_command("yt8m.export.export_model", "--top_k=3",
                      f"--ensemble={tmp_path}/ensemble.json",
                      f"--output_dir={tmp_path}/serving/1")
  support.run_command("yt8m.export.inference", f"--saved_model={tmp_path}/serving/1",
                      f"--input_data_pattern={folder}/records/*.tfrecord", "--top_k=3",
                      f"--output_file={tmp_path}/predictions.csv")
  found = ensemble_file.EnsembleFile.load(tmp_path / "ensemble.json")
  assert files.bytes_on_disk(str(tmp_path / "serving")) <= found.budget_bytes
  names = [member.model.name for member in found.members]
  scores, _ = dense(tmp_path / "predictions", names)
  blended = np.tensordot(found.weights, scores, 1)
  ids = prediction_store.PredictionStore.open(
      tmp_path / "predictions" / names[0]).ids.astype(str).tolist()
  written = support.read_submission(str(tmp_path / "predictions.csv"))
  assert list(written) == ids
  for row, (classes, values) in zip(blended, written.values(), strict=True):
    np.testing.assert_allclose(values, np.sort(row)[:-4:-1], atol=1e-3)  # float16
    np.testing.assert_allclose(values, row[classes], atol=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("flags", [
    ("--num_processes=2",), ("--runner=ray", "--num_processes=2")])
def test_processes_and_ray_write_the_bytes_of_the_plain_path(folder, tmp_path, flags):
  if "--runner=ray" in flags:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'yt8m[ray]'")
  contents = []
  for name, more in (("plain", ()), ("other", flags)):
    support.run_command(
        COMMAND, "predict", f"--members={folder}/members/model[01]/1",
        f"--eval_data_pattern={folder}/records/*.tfrecord", "--batch_size=2",
        f"--output_dir={tmp_path}/{name}", *more)
    root = tmp_path / name / "predictions"
    contents.append({path.relative_to(root): path.read_bytes()
                     for path in root.rglob("*") if path.is_file()})
  assert contents[0] == contents[1]
  assert {path.parent.name for path in contents[0]} == {"model0", "model1"}


def test_predictions_are_kept_apart_by_records(folder, tmp_path):
  (tmp_path / "members.txt").write_text(
      f"{folder}/members/model0/1\n{folder}/members/model1/1\n")
  support.run_command(
      COMMAND, "predict", f"--members=@{tmp_path}/members.txt",
      f"--eval_data_pattern={folder}/others/validate0.tfrecord",
      f"--output_dir={tmp_path}", "--stored_classes=0")
  store = prediction_store.PredictionStore.open(tmp_path / "predictions" / "model1")
  assert store.top_k is None and store.num_videos == 5
  failed = search(folder, tmp_path, check=False)
  assert failed.returncode and "holds predictions of other records" in failed.stderr


def test_a_damaged_store_is_named(folder, tmp_path):
  search(folder, tmp_path)
  path = tmp_path / "predictions" / "model2" / "scores.npy"
  content = bytearray(path.read_bytes())
  content[-1] ^= 1
  path.write_bytes(content)
  failed = search(folder, tmp_path, check=False)
  assert failed.returncode
  assert str(path) in failed.stderr and "its checksum differs: delete" in failed.stderr


def test_scores_of_another_search_are_refused(folder, tmp_path):
  search(folder, tmp_path)
  failed = search(folder, tmp_path, "--averaging=ranks", check=False)
  assert failed.returncode and "scores of another search" in failed.stderr


def test_a_model_that_says_nan_is_named(folder, tmp_path):
  model = descriptors.build("classifier-moe")
  for weight in model.weights:
    weight.assign(np.full(weight.shape, np.nan))
  writer.save(experiment.Experiment(model.get_config()), model,
                   str(tmp_path / "nan" / "1"), top_k=3)
  failed = support.run_command(
      COMMAND, "predict", f"--members={tmp_path}/nan/1",
      f"--eval_data_pattern={folder}/records/*.tfrecord",
      f"--output_dir={tmp_path}/output", check=False)
  assert failed.returncode and "for class 0 is nan, not a probability" in failed.stderr
  assert not list((tmp_path / "output").glob("predictions/*/store.json"))


@pytest.mark.parametrize("flag", ["--output_dir", "--predictions_dir"])
def test_an_empty_path_is_an_error_that_names_the_flag(folder, tmp_path, flag):
  failed = support.run_command(
      COMMAND, "predict", f"--members={folder}/members/*/1",
      f"--eval_data_pattern={folder}/records/*.tfrecord", f"--output_dir={tmp_path}",
      f"{flag}=", check=False)
  assert failed.returncode == 1 and f"ERROR: {flag} is empty" in failed.stderr
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments, message", [
    (("--budget_bytes=1KiB",), "None of the 4 candidates fits"),
    (("--eval_data_pattern=nothing*",), "No file matches"),
])
def test_errors_say_what_to_do(folder, tmp_path, arguments, message):
  failed = search(folder, tmp_path, *arguments, check=False)
  assert failed.returncode and message in failed.stderr
  assert not list(tmp_path.iterdir())  # before any prediction


@pytest.mark.parametrize("name", ["ensemble.json", "search.png"])
def test_a_file_of_another_program_stays(folder, tmp_path, name):
  (tmp_path / name).write_text("precious")
  failed = search(folder, tmp_path, check=False)
  assert failed.returncode and f"{name} is not replaced: " in failed.stderr
  assert (tmp_path / name).read_text() == "precious"
  assert [path.name for path in tmp_path.iterdir()] == [name]  # before any prediction


@pytest.mark.parametrize("action, held, doing", [
    ("search", "", "searches"), ("predict", "predictions/model0", "predicts")])
def test_one_process_at_a_time(folder, tmp_path, action, held, doing):
  with (locks.hold_output(tmp_path / held, doing, is_directory=True) if held
        else locks.hold(tmp_path, doing)):
    process = support.run_command(
        COMMAND, action, f"--members={folder}/members/*/1", f"--output_dir={tmp_path}",
        f"--eval_data_pattern={folder}/records/*.tfrecord", "--num_models=2", check=False)
  assert process.returncode == 1 and "Traceback" not in process.stderr
  [line] = [line for line in process.stderr.splitlines() if "ERROR" in line]
  assert (f"{tmp_path / held} is in use: process {os.getpid()} on {socket.gethostname()} "
          f"{doing} there since ") in line
  assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_predictions_are_not_written_behind_a_link(folder, tmp_path):
  (tmp_path / "theirs").mkdir()
  (tmp_path / "output").mkdir()
  (tmp_path / "output" / "predictions").symlink_to(tmp_path / "theirs")
  failed = search(folder, tmp_path / "output", check=False)
  assert failed.returncode and "predictions/ is a symbolic link" in failed.stderr
  assert not list((tmp_path / "theirs").iterdir())
  for name in ("ensemble.json", "search.png", "search-scores.json"):
    (tmp_path / name).symlink_to(tmp_path / "new")
    with pytest.raises(FileExistsError, match=f"{name} is a symbolic link"):
      builder.check_outputs(str(tmp_path))
    (tmp_path / name).unlink()


@pytest.mark.parametrize("action", ["search", "predict"])
def test_members_that_cannot_be_one_model_are_refused_at_once(folder, tmp_path, action):
  small_job.export(tmp_path / "frames", level="frame")
  failed = support.run_command(
      COMMAND, action, f"--members={folder}/members/model0/1,{tmp_path}/frames",
      f"--eval_data_pattern={folder}/records/*.tfrecord", f"--output_dir={tmp_path}/out",
      "--num_models=2", check=False)
  assert failed.returncode and "have different levels, " in failed.stderr
  assert not (tmp_path / "out").exists()


def test_an_ensemble_without_its_search_has_nothing_to_be_compared_with(tmp_path):
  path = tmp_path / "ensemble.json"
  ensemble_file.EnsembleFile((ensemble_file.Member(
      saved_model.SavedModel(str(tmp_path / "a"), "a"), 1.0),)).save(path)
  failed = support.run_command(COMMAND, "evaluate", f"--ensemble={path}",
                               f"--eval_data_pattern={path}", check=False)
  assert failed.returncode and "does not contain its search" in failed.stderr


def test_one_action_is_wanted():
  # Without an action, no flag is asked for first.
  for arguments in ((), ("--eval_data_pattern=x",)):
    failed = support.run_command(COMMAND, *arguments, check=False)
    assert failed.returncode == 1 and failed.stderr == (
        "ERROR: Say what to do, one of predict, search, evaluate. --help shows "
        "examples.\n")
