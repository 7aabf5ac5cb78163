# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-calibrate` as a user types it: other commands take its directory."""

import json
import shutil

import numpy as np
import pytest

from tests.helpers import support
from yt8m.eval.predictions import store
from yt8m.export.saved_models import ensemble
from yt8m.synthetic import writer

COMMAND = "yt8m.calibrate"


@pytest.fixture(scope="module")
def records(tmp_path_factory):
  folder = tmp_path_factory.mktemp("records")
  writer.write(writer.SampleDataConfig(
      num_videos=1600, num_classes=13, max_frames=8, feature_sizes=(16, 8),
      num_shards=2), str(folder))
  return folder / "video"


@pytest.fixture(scope="module")
def train_dir(records, tmp_path_factory):
  train_dir = tmp_path_factory.mktemp("model") / "model"
  support.run_command(
      "yt8m.train", f"--train_data_pattern={records}/train*", f"--train_dir={train_dir}",
      "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8", "--num_classes=13",
      "--model=LogisticModel", "--batch_size=32", "--num_epochs=2",
      f"--vocabulary={records.parent}/vocabulary.csv")
  return train_dir


def metrics(directory, records):
  support.run_command("yt8m.eval.evaluate", f"--train_dir={directory}", "--run_once",
                      f"--eval_data_pattern={records}/test*")
  path = support.evaluated(directory, "metrics-*.json")
  return json.loads(path.read_text())


def test_a_calibrated_model(records, train_dir, tmp_path):
  out = tmp_path / "calibrated"
  arguments = (f"--train_dir={train_dir}", f"--output_dir={out}",
               f"--held_out_data_pattern={records}/validate*")
  log = support.run_command(COMMAND, *arguments).stderr
  for words in ("Only 240 held-out videos", "with the mean field", f"Wrote {out}"):
    assert words in log
  again = support.run_command(COMMAND, *arguments)  # as after a kill at the end
  assert f"{out} is there already, with the same contents" in again.stderr
  before, after = metrics(train_dir, records), metrics(out, records)
  assert after["log_loss"] < before["log_loss"]
  assert (out / "vocabulary.csv").read_bytes() == (
      train_dir / "vocabulary.csv").read_bytes()

  # Its SavedModel gives the same scores.
  support.run_command("yt8m.export.export_model", f"--train_dir={out}",
                      f"--output_dir={tmp_path}/saved")
  scores = []
  for source in (f"--train_dir={out}", f"--saved_model={tmp_path}/saved"):
    support.run_command("yt8m.export.inference", source, "--top_k=13", "--overwrite",
                        f"--input_data_pattern={records}/test*",
                        f"--output_file={tmp_path}/out.csv")
    scores.append(support.read_submission(tmp_path / "out.csv"))
  for video, (classes, values) in scores[0].items():
    np.testing.assert_array_equal(classes, scores[1][video][0])
    np.testing.assert_allclose(values, scores[1][video][1], atol=1e-5)

  failed = support.run_command(COMMAND, *arguments, "--seed=1", check=False)
  assert failed.returncode == 1 and "--overwrite" in failed.stderr
  again = support.run_command(COMMAND, f"--train_dir={out}", *arguments[1:],
                              "--overwrite", check=False)
  assert again.returncode == 1 and "is calibrated already" in again.stderr


def test_folds_and_label_sets(records, train_dir, tmp_path):
  sets = tmp_path / "sets.npz"
  support.run_command("yt8m.collect_label_sets", f"--input_data_pattern={records}/*",
                      f"--output_file={sets}", "--num_classes=13")
  model = tmp_path / "model [lr=0.01]"
  shutil.copytree(train_dir, model)
  log = support.run_command(
      COMMAND, f"--train_dir={train_dir}", f"--output_dir={tmp_path}/out",
      f"--label_sets={sets}", f"--label_sets_exclude={records}/test*", "--max_videos=100",
      *(f"--fold={model}={records}/validate-0{i}*" for i in range(2))).stderr
  assert "GAP of" in log


@pytest.mark.long
def test_models_of_the_folds_are_trained(records, train_dir, tmp_path):
  out = tmp_path / "out"
  arguments = (f"--train_dir={train_dir}", f"--output_dir={out}", "--num_folds=2")
  log = support.run_command(COMMAND, *arguments).stderr
  for words in ("Training without fold 1 of 2, 1 record files",
                "Training without fold 2 of 2", "GAP of", f"Wrote {out}"):
    assert words in log
  assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
  again = support.run_command(COMMAND, *arguments).stderr
  assert "the same command wrote it" in again and "Training" not in again
  failed = support.run_command(COMMAND, *arguments, "--seed=1", check=False)
  assert failed.returncode == 1 and "--overwrite" in failed.stderr
  assert "Training" not in failed.stderr
  before, after = metrics(train_dir, records), metrics(out, records)
  assert after["log_loss"] < before["log_loss"]


@pytest.mark.long
def test_the_blend_of_an_ensemble(records, train_dir, tmp_path):
  support.run_command("yt8m.export.export_model", f"--train_dir={train_dir}",
                      f"--output_dir={tmp_path}/member", "--top_k=5")
  member = f"{tmp_path}/member"
  ensemble.save(ensemble.from_directories([member, member], [0.25, 0.75]),
                f"{tmp_path}/blend")
  out = tmp_path / "better"
  arguments = (f"--saved_model={tmp_path}/blend", f"--output_dir={out}", "--top_k=4",
               f"--held_out_data_pattern={records}/validate*")
  support.run_command(COMMAND, *arguments)
  card = (out / "assets.extra/MODEL_CARD.md").read_text()
  assert "# Calibrated model" in card and "### Ensemble of 2 models" in card
  assert '"num_members": 2' in card

  # Thresholds of the blend are not for its calibrated scores.
  evaluated = [support.run_command(
      "yt8m.eval.evaluate", f"--saved_model={model}", "--choose_thresholds=f1",
      f"--thresholds={tmp_path}/{name}.json", f"--eval_data_pattern={records}/test*")
               for name, model in (("blend", tmp_path / "blend"), ("better", out))]
  gaps = [process.stdout.partition("GAP: ")[2] for process in evaluated]
  assert gaps[0] != gaps[1]
  for name, status in (("blend", 1), ("better", 0)):
    process = support.run_command(
        "yt8m.export.inference", f"--saved_model={out}",
        f"--thresholds={tmp_path}/{name}.json", f"--input_data_pattern={records}/test*",
        f"--output_file={tmp_path}/decided.csv", check=False)
    assert process.returncode == status
    assert status == 0 or "was chosen for another model" in process.stderr

  ensemble.save(ensemble.from_directories([member], [1.0]), f"{tmp_path}/alone")
  failed = support.run_command(
      COMMAND, arguments[0], f"--output_dir={tmp_path}/none",
      f"--fold={tmp_path}/alone={records}/validate*", check=False)
  assert failed.returncode == 1 and "has 1 members, and" in failed.stderr

  # A SavedModel of one model is calibrated as its training directory is.
  for source, result in ((f"--train_dir={train_dir}", "directory"),
                         (f"--saved_model={member}", "single")):
    support.run_command(COMMAND, source, arguments[-1],
                        f"--output_dir={tmp_path}/{result}")
  scores = []
  for source in (f"--train_dir={tmp_path}/directory", f"--saved_model={tmp_path}/single"):
    support.run_command("yt8m.export.inference", source, "--top_k=13", "--overwrite",
                        f"--input_data_pattern={records}/test*",
                        f"--output_file={tmp_path}/out.csv")
    scores.append(support.read_submission(tmp_path / "out.csv"))
  for video, (classes, values) in scores[0].items():
    np.testing.assert_array_equal(classes, scores[1][video][0])
    np.testing.assert_allclose(values, scores[1][video][1], atol=1e-4)
  shutil.rmtree(tmp_path / "blend")
  shutil.rmtree(member)
  support.run_command("yt8m.export.inference", f"--saved_model={out}", "--overwrite",
                      f"--input_data_pattern={records}/test*",
                      f"--output_file={tmp_path}/out.csv")
  again = support.run_command(COMMAND, f"--saved_model={out}", *arguments[1:],
                              "--overwrite", check=False)
  assert again.returncode == 1 and "is calibrated already" in again.stderr


@pytest.mark.long
def test_predictions_of_the_folds_teach_a_model(records, train_dir, tmp_path):
  out, teacher = tmp_path / "out", tmp_path / "teacher"
  arguments = (COMMAND, f"--train_dir={train_dir}", f"--output_dir={out}",
               f"--predictions_output={teacher}", "--overwrite",
               *(f"--fold={train_dir}={records}/train-0{i}*" for i in range(2)))
  failed = support.run_command(*arguments, "--max_videos=100", check=False)
  assert failed.returncode == 1
  assert "more held-out videos than --max_videos=100" in failed.stderr
  support.run_command(*arguments)
  predictions = store.PredictionStore.open(str(teacher))
  assert predictions.num_videos == len(set(predictions.ids)) == 1120
  assert predictions.record_files == ["fold 0", "fold 1"]
  assert len(predictions.labels) == 1120

  shutil.rmtree(out)  # as after a kill between the two outputs
  again = support.run_command(*arguments).stderr
  assert f"{teacher} is there already: the same command wrote it" in again
  assert f"Wrote {out}" in again
  failed = support.run_command(*arguments, "--seed=1", check=False)
  assert failed.returncode == 1
  assert f"{teacher} exists and is not an empty directory" in failed.stderr

  support.run_command(
      "yt8m.train", f"--train_data_pattern={records}/train*",
      f"--train_dir={tmp_path}/student", "--feature_names=mean_rgb,mean_audio",
      "--feature_sizes=16,8", "--num_classes=13", "--model=LogisticModel",
      f"--teacher_predictions={teacher}", "--max_steps=3")


@pytest.mark.parametrize("arguments, words", [
    (("--num_folds=2", "--saved_model=x"), "either --train_dir or --saved_model"),
    (("--held_out_data_pattern={model}/*", "--top_k=3"), "--top_k needs --saved_model"),
    ((), "Give one of --held_out_data_pattern, --num_folds, --fold"),
    (("--num_folds=3", ), "--num_folds=3 is more than the record files"),
    (("--held_out_data_pattern={model}/*", "--predictions_output=p"),
     "--predictions_output=p needs two folds or more"),
    (("--fold=a=x", "--fold=b=y", "--predictions_output={out}/p"), "one in the other"),
    (("--fold=a=x", "--fold=b=y", "--predictions_output={out}"), "one in the other"),
    (("--fold=x", ), "--fold=x is not DIR=PATTERN, such as"),
    (("--held_out_data_pattern=x", "--fold=x=y"), "Give one of"),
    (("--held_out_data_pattern=/nothing/*", ),
     "No file matches '/nothing/*' (--held_out_data_pattern)"),
])
def test_wrong_flags_are_named(arguments, words, train_dir, tmp_path):
  arguments = [word.format(out=tmp_path / "out", model=train_dir) for word in arguments]
  failed = support.run_command(COMMAND, f"--train_dir={train_dir}",
                               f"--output_dir={tmp_path}/out", *arguments, check=False)
  assert failed.returncode == 1 and words in failed.stderr
  assert not (tmp_path / "out").exists()


def test_folds_of_a_saved_model_are_named(train_dir, tmp_path):
  failed = support.run_command(COMMAND, f"--saved_model={train_dir}", "--num_folds=2",
                               f"--output_dir={tmp_path}/out", check=False)
  assert "with --saved_model, give --held_out_data_pattern or --fold" in failed.stderr
