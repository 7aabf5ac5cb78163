# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Thresholds are kept in a SavedModel, whose signatures decide, and in predictions."""

import csv
import json
import operator

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import serving
from tests.helpers import small_job
from tests.helpers import support
from yt8m.artifacts.saved_model import SavedModel
from yt8m.artifacts.thresholds import Thresholds
from yt8m.configs import checkpoints
from yt8m.export.saved_models import ensemble
from yt8m.export.saved_models import writer
from yt8m.export.submissions import check

C = small_job.NUM_CLASSES
TOP_K = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """A model, its SavedModel with thresholds, records, and predictions of all classes."""
  folder = tmp_path_factory.mktemp("thresholds")
  train_dir = small_job.write_model(folder / "model")
  small_job.write_record_files(folder / "records", [6, 9])
  predict(folder, "all.csv", f"--train_dir={train_dir}", f"--top_k={C}")
  scores = [pairs[1] for pairs in support.read_submission(folder / "all.csv").values()]
  values = np.full(C, np.median(scores), np.float32)
  values[2] = np.inf
  step = checkpoints.step_of(checkpoints.find(str(train_dir)))
  Thresholds(values, TOP_K, "precision=0.9", {
      "step": step, "hparams": None, "data": "validate*", "num_examples": 70,
      "min_positives": 10, "num_by_global": 3, "achieved": {"micro_f1": 0.25}}
             ).write(folder / "thresholds.json")
  support.run_command(
      "yt8m.export.export_model", f"--train_dir={train_dir}", "--top_k=3",
      f"--thresholds={folder}/thresholds.json", f"--output_dir={folder}/exported")
  return folder


def predict(folder, output, *flags, **arguments):
  return support.run_command(
      "yt8m.export.inference", f"--input_data_pattern={folder}/records/*", *flags,
      f"--output_file={folder / output}", **arguments)


def decided_by_hand(folder, top_k):
  """`{id: (classes, scores)}` of the CSV of all classes that are decided."""
  limits = Thresholds.load(folder / "thresholds.json", C)
  kept = {}
  for name, (classes, scores) in support.read_submission(folder / "all.csv").items():
    chosen = scores[:top_k] >= limits.values[classes[:top_k]]
    kept[name] = classes[:top_k][chosen].tolist(), scores[:top_k][chosen].tolist()
  return kept


def as_lists(submission):
  return {name: (classes.tolist(), scores.tolist())
          for name, (classes, scores) in submission.items()}


@pytest.mark.long
def test_predictions_are_left_out_in_every_format(folder, tmp_path):
  expected = decided_by_hand(folder, TOP_K)
  counts = {len(classes) for classes, _ in expected.values()}
  assert len(counts) > 1 and max(counts) <= TOP_K
  predict(folder, tmp_path / "out.csv", f"--train_dir={folder}/model",
          f"--thresholds={folder}/thresholds.json")
  assert as_lists(support.read_submission(tmp_path / "out.csv")) == expected
  assert not check.check(tmp_path / "out.csv").errors
  # The same from the SavedModel that keeps them, and nothing without --decide.
  saved = f"--saved_model={folder}/exported"
  predict(folder, tmp_path / "saved.csv", saved, "--decide")
  assert (tmp_path / "saved.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()
  predict(folder, tmp_path / "plain.csv", saved, f"--top_k={C}")
  assert (tmp_path / "plain.csv").read_bytes() == (folder / "all.csv").read_bytes()
  predict(folder, tmp_path / "less.csv", saved, "--decide", "--top_k=2")
  assert as_lists(support.read_submission(tmp_path / "less.csv")) == (
      decided_by_hand(folder, 2))
  # More classes are no more decisions.
  predict(folder, tmp_path / "more.csv", saved, "--decide", f"--top_k={C}")
  assert (tmp_path / "more.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()

  (tmp_path / "names.csv").write_text("index,name\n0,zero\n")
  predict(folder, tmp_path / "out.json", saved, "--decide", "--output_format=json",
          f"--vocabulary={tmp_path}/names.csv")
  lines = map(json.loads, (tmp_path / "out.json").read_text().splitlines())
  assert {line["id"]: [entry["class"] for entry in line["predictions"]]
          for line in lines} == {name: row[0] for name, row in expected.items()}
  predict(folder, tmp_path / "decisions.csv", saved, "--output_format=decisions",
          f"--vocabulary={tmp_path}/names.csv")
  names = ["zero", *(f"class {index}" for index in range(1, C))]
  with open(tmp_path / "decisions.csv", newline="") as file:
    header, *rows = csv.reader(file)
  assert header == ["id", "labels"]
  assert dict(rows) == {name: ";".join(names[index] for index in row[0])
                        for name, row in expected.items()}
  predict(folder, tmp_path / "out.tfrecord", saved, "--decide",
          "--output_format=tfrecord")
  found = {}
  for record in tf.data.TFRecordDataset(str(tmp_path / "out.tfrecord")):
    features = tf.train.Example.FromString(record.numpy()).features.feature
    found[features["id"].bytes_list.value[0].decode()] = [
        *features["class_indexes"].int64_list.value]
  assert found == {name: row[0] for name, row in expected.items()}


def test_other_thresholds_are_another_output(folder, tmp_path):
  flags = f"--train_dir={folder}/model", f"--thresholds={tmp_path}/t.json"
  for value, status in ((0.0, 0), (0.0, 0), (1.0, 1)):
    Thresholds(np.full(C, value, np.float32), TOP_K, "f1").write(tmp_path / "t.json")
    process = predict(folder, tmp_path / "out.csv", *flags, check=False)
    assert process.returncode == status
  assert "out.csv exists" in process.stderr
  predict(folder, tmp_path / "out.csv", *flags, "--overwrite")
  found = support.read_submission(tmp_path / "out.csv")
  assert len(found) == 15 and not any(map(len, (c for c, _ in found.values())))


@pytest.mark.parametrize("flags, error", [
    (["--train_dir={0}/model", "--decide"], "at step .* keeps no thresholds"),
    (["--saved_model={0}/exported", "--decide", "--output_format=npz"],
     "--output_format=npz holds the same number .*with --decide choose csv, json, "
     "tfrecord or decisions"),
    (["--train_dir={0}/model", "--output_format=decisions"],
     "keeps no thresholds, which --output_format=decisions uses"),
    (["--saved_model={0}/exported", "--thresholds={0}/thresholds.json",
      "--output_format=csv_named"], "with --thresholds choose csv"),
    (["--train_dir={0}/model", "--decide", "--segment_labels"], "decides about videos"),
    (["--train_dir={0}/model", "--thresholds={0}/stale.json"],
     "stale.json was chosen for step 99999999, but this model has"),
    (["--train_dir={0}/model", "--thresholds={0}/other.json"], "it is for 2 classes")])
def test_what_cannot_be_decided_is_refused(folder, tmp_path, flags, error):
  stale = json.loads((folder / "thresholds.json").read_text()) | {"step": 99999999}
  (folder / "stale.json").write_text(json.dumps(stale))
  Thresholds(np.zeros(2, np.float32), 1, "f1").write(folder / "other.json")
  process = predict(folder, tmp_path / "out", *(flag.format(folder) for flag in flags),
                    check=False)
  assert process.returncode == 1
  with pytest.raises(ValueError, match=error):
    raise ValueError(process.stderr)
  assert list(tmp_path.iterdir()) == []


def test_an_export_states_and_keeps_its_thresholds(folder):
  model, before = SavedModel(f"{folder}/exported"), folder / "thresholds.json"
  model.verify()
  assert (folder / "exported/assets/thresholds.json").read_text() == before.read_text()
  card = (folder / "exported/assets.extra/MODEL_CARD.md").read_text()
  for text in ("| target | `precision=0.9` |", "| classes that are never decided | 1 |",
               "which share one threshold | 3 |", "| micro f1 | 0.2500 |",
               f"among the best {TOP_K} of a video",
               "chosen on 70 examples of `validate*`", "## Calibration\n\nHow far"):
    assert text in card


@pytest.mark.parametrize("flags, error", [
    (["--train_dir={0}/model", "--thresholds={0}/stale.json"], "was chosen for step"),
    (["--train_dir={0}/model", "--thresholds={0}/none.json"], "none.json does not exist"),
    (["--train_dir={0}/model", "--thresholds={0}/thresholds.json", "--mediapipe"],
     "--thresholds belongs to our own signatures"),
    (["--ensemble={0}/e.json", "--thresholds={0}/thresholds.json"],
     "was chosen for another model"),
    (["--untrained", "--model=LogisticModel", "--thresholds={0}/thresholds.json"],
     "belongs to a trained model")])
def test_thresholds_of_other_scores_are_not_exported(folder, tmp_path, flags, error):
  stale = json.loads((folder / "thresholds.json").read_text()) | {"step": 99999999}
  (folder / "stale.json").write_text(json.dumps(stale))
  ensemble.from_directories([f"{folder}/exported"], [1.0]).save(folder / "e.json")
  process = support.run_command(
      "yt8m.export.export_model", *(flag.format(folder) for flag in flags),
      f"--output_dir={tmp_path}/out", check=False)
  assert process.returncode == 1 and error in process.stderr, process.stderr
  assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", ["classifier-logistic", "aggregation-mean"])
def test_signatures_decide_as_numpy_does(case, tmp_path):
  level = descriptors.all_models()[case][0]
  values = np.linspace(0.3, 0.6, descriptors.NUM_CLASSES).astype(np.float32)
  values[1] = np.inf
  limits = Thresholds(values, 2, "f1")
  model = serving.save(case, tmp_path / "model", limits=limits, warmup_requests=2)
  loaded = SavedModel(str(tmp_path / "model"))
  assert loaded.thresholds.digest == limits.digest
  signatures = loaded.load("serving_default").signatures
  for rows in (5, 1, 0):
    batch = tf.nest.map_structure(
        operator.itemgetter(slice(rows)), descriptors.batch(level))
    expected = serving.at_home(model, batch) if rows else np.zeros((0, len(values)))
    serving.assert_answers(signatures, batch, level, expected)
    records = serving.records(batch, level)
    answer = signatures["serving_default"](example_bytes=records)
    top = {name: answer[name].numpy().reshape(rows, serving.TOP_K)
           for name in ("class_indexes", "predictions", "decisions")}
    assert top["decisions"].dtype == bool
    np.testing.assert_array_equal(
        top["decisions"], limits.decide(top["class_indexes"], top["predictions"]))
    full = signatures["predict_full"](example_bytes=records)
    scores = full["predictions"].numpy()
    ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
    np.testing.assert_array_equal(
        full["decisions"], (ranks < 2) & (scores >= values))
    assert rows < 5 or 0 < top["decisions"].sum() < top["decisions"].size
  # Arrays are answered as before.
  assert signatures["predict_features"].structured_outputs.keys() == {"predictions"}


def test_ties_at_the_last_rank_are_decided_once(tmp_path):
  """Of equal scores the lower class counts, as in the list of the best classes."""
  config, model = serving.make("classifier-logistic")
  for variable in model.weights:
    variable.assign(tf.zeros_like(variable))
  limits = Thresholds(np.full(descriptors.NUM_CLASSES, 0.5, np.float32), 2, "f1")
  writer.save(config, model, str(tmp_path / "m"), top_k=3, limits=limits)
  signatures = SavedModel(str(tmp_path / "m")).load("predict_full").signatures
  records = serving.records(descriptors.batch("video"), "video")
  decisions = signatures["predict_full"](example_bytes=records)["decisions"].numpy()
  assert (decisions == [True, True] + [False] * (descriptors.NUM_CLASSES - 2)).all()
