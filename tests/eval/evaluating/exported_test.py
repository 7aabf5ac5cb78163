# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""yt8m-eval evaluates SavedModels, and an ensemble keeps thresholds of its own scores."""

import csv
import json
import re

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m.artifacts.saved_model import SavedModel
from yt8m.artifacts.thresholds import Thresholds
from yt8m.core import checksum
from yt8m.eval.blending import ensemble_file
from yt8m.eval.metrics import gate
from yt8m.synthetic import writer

C = 13
LEVELS = {"video": ("mean_rgb,mean_audio", "LogisticModel"),
          "frame": ("rgb,audio", "FrameLevelLogisticModel")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """Records, two models, their SavedModels, and `serving/3`, the ensemble of them."""
  folder = tmp_path_factory.mktemp("exported")
  writer.write(writer.SampleDataConfig(
      num_videos=150, num_classes=C, max_frames=60, feature_sizes=(16, 8),
      num_shards=1), str(folder / "sample"))
  (folder / "names.csv").write_text(
      "index,name\n" + "".join(f"{index},Class {index}\n" for index in range(C)))
  train(folder, "frame", "--frame_features", "--label_loss=HingeLoss", level="frame")
  train(folder, "one", "--seed=1", "--learning_rate_decay=1")
  train(folder, "two", "--seed=2", "--model=MoeModel")
  search(folder, "search")
  export(folder, "serving/3", f"--ensemble={folder}/search/ensemble.json")
  return folder


def train(folder, name, *flags, level="video"):
  features, model = LEVELS[level]
  support.run_command(
      "yt8m.train", f"--train_data_pattern={records(folder, 'train', level)}",
      f"--train_dir={folder}/{name}", f"--num_classes={C}", "--batch_size=8",
      f"--feature_names={features}", "--feature_sizes=16,8", "--max_steps=20",
      f"--model={model}", f"--vocabulary={folder}/names.csv", *flags)
  export(folder, f"members/{name}", f"--train_dir={folder}/{name}")


def export(folder, name, *flags, **options):
  return support.run_command("yt8m.export.export_model", *flags,
                             f"--output_dir={folder}/{name}", **options)


def search(folder, name, *flags):
  support.run_command(
      "yt8m.eval.ensemble", "search", f"--members={folder}/members/one,"
      f"{folder}/members/two", f"--eval_data_pattern={records(folder, 'train')}",
      f"--output_dir={folder}/{name}", "--num_models=2", *flags)


def records(folder, split, level="video"):
  return f"{folder}/sample/{level}/{split}*.tfrecord"


def evaluate(folder, *flags, split="validate", level="video", **options):
  return support.run_command(
      "yt8m.eval.evaluate", f"--eval_data_pattern={records(folder, split, level)}",
      *flags, **options)


def failing(process):
  assert process.returncode == 1 and "Traceback" not in process.stderr, process.stderr
  return process.stderr


def test_a_model_has_the_numbers_of_its_training_directory(folder, tmp_path):
  saved = folder / "members/frame"
  before = checksum.of_tree(str(saved), [""])
  trained = evaluate(folder, f"--train_dir={folder}/frame", "--run_once", level="frame",
                     split="test")
  exported = evaluate(folder, f"--saved_model={saved}", f"--output_dir={tmp_path}/out",
                      level="frame", split="test")
  expected = content(support.evaluated(folder / "frame", "metrics-20.json"))
  found = content(tmp_path / "out/metrics.json")
  assert exported.stdout.startswith(f"{saved} | Avg_Hit@1: ")
  assert exported.stdout.count("\n") == 1
  assert exported.stdout.partition(" | ")[2] == trained.stdout.partition(" | ")[2]
  for name in gate.NAMES:
    assert found[name] == pytest.approx(expected[name], abs=1e-5)
  for name in ("step", "label_loss", "top_k", "num_examples", "data_digest", "segments",
               "num_positives", "hparams"):
    assert found[name] == expected[name]
  assert found["label_loss"] == "HingeLoss" and found["step"] == 20
  assert [row["predictions"] for row in found["by_frequency"]] == [
      row["predictions"] for row in expected["by_frequency"]]
  tables = []
  for path in (tmp_path / "out/classes.csv",
               support.evaluated(folder / "frame", "classes-20.csv")):
    with open(path, newline="") as file:
      tables.append(list(csv.DictReader(file)))
  assert [row["name"] for row in tables[0]] == [f"Class {index}" for index in range(C)]
  for ours, theirs in zip(*tables, strict=True):
    assert ours["positives"] == theirs["positives"]
    assert float(ours["average_precision"] or -1) == pytest.approx(
        float(theirs["average_precision"] or -1), abs=1e-5)
  log = re.sub(r"(?m)^[\d:]+ ", "", exported.stderr)
  assert "Best average precision: Class " in log and "ECE: " in log
  assert checksum.of_tree(str(saved), [""]) == before

  # Their identity is the same, so thresholds of one hold for the other.
  evaluate(folder, f"--train_dir={folder}/frame", "--run_once",
           *choose(tmp_path / "t.json"), level="frame")
  log = evaluate(folder, f"--saved_model={saved}", f"--thresholds={tmp_path}/t.json",
                 level="frame").stderr
  assert "was chosen for" not in log and "micro precision" in log
  evaluate(folder, f"--saved_model={saved}", *choose(tmp_path / "s.json"), level="frame")
  chosen = [content(tmp_path / name) for name in ("t.json", "s.json")]
  for name in ("step", "hparams", "checkpoint_digest", "target", "data_digest"):
    assert chosen[0][name] == chosen[1][name]


def content(path):
  return json.loads(path.read_text())


def choose(path):
  return "--choose_thresholds=f1", f"--thresholds={path}", "--threshold_min_positives=3"


def test_an_ensemble_has_the_numbers_of_its_search(folder, tmp_path):
  members = ensemble_file.EnsembleFile.load(folder / "search/ensemble.json").members
  assert len(members) == 2
  table = support.run_command(
      "yt8m.eval.ensemble", "evaluate", f"--ensemble={folder}/search/ensemble.json",
      f"--eval_data_pattern={records(folder, 'test')}",
      f"--predictions_dir={tmp_path}/predictions").stdout
  [gap] = re.findall(r"\| the ensemble \|.*?\| (0\.\d{4}) \|", table)
  # The folder of versions stands for the newest one.
  process = evaluate(folder, f"--saved_model={folder}/serving", split="test")
  assert process.stdout.startswith(f"{folder}/serving/3 | ")
  [found] = re.findall(r"GAP: (\S+) ", process.stdout)
  assert float(found) == pytest.approx(float(gap), abs=1e-3)  # Stores have float16.
  assert "Wrote" not in process.stderr
  assert sorted(path.name for path in (folder / "serving").iterdir()) == ["3"]


@pytest.mark.long
def test_thresholds_of_an_ensemble(folder, tmp_path):
  first, path = folder / "serving/3", tmp_path / "thresholds.json"
  before = checksum.of_tree(str(first), [""])
  evaluate(folder, f"--saved_model={first}", *choose(path))
  limits = Thresholds.load(path, C)
  assert limits.chosen["model_digest"] == SavedModel(str(first)).identity["model_digest"]
  assert "step" not in limits.chosen
  ensemble = f"--ensemble={folder}/search/ensemble.json"
  export(tmp_path, "second", ensemble, f"--thresholds={path}")
  second = SavedModel(f"{tmp_path}/second")
  second.verify()
  assert second.identity == SavedModel(str(first)).identity
  assert second.fingerprint != SavedModel(str(first)).fingerprint
  card = (tmp_path / "second/assets.extra/MODEL_CARD.md").read_text()
  assert "## Decisions\n" in card and "| target | `f1` |" in card

  predict(folder, tmp_path / "all.csv", f"--saved_model={first}", f"--top_k={C}")
  expected = {}
  for name, (classes, scores) in support.read_submission(tmp_path / "all.csv").items():
    decided = limits.decide(classes[np.newaxis], scores[np.newaxis])[0]
    expected[name] = classes[decided].tolist()
  assert 0 < sum(map(len, expected.values())) < C * len(expected)
  for name, *flags in (("decide", f"--saved_model={tmp_path}/second", "--decide"),
                       ("same", f"--saved_model={tmp_path}/second", thresholds(path)),
                       ("first", f"--saved_model={first}", thresholds(path))):
    predict(folder, tmp_path / f"{name}.csv", *flags)
    found = support.read_submission(tmp_path / f"{name}.csv")
    assert {video: row[0].tolist() for video, row in found.items()} == expected

  # What a server answers.
  default = second.load("serving_default").signatures["serving_default"]
  [shard] = (folder / "sample/video").glob("test*.tfrecord")
  answer = default(example_bytes=tf.constant(
      list(tf.data.TFRecordDataset(str(shard)).as_numpy_iterator())))
  assert {video.decode(): classes[decided].tolist() for video, classes, decided in zip(
      *(answer[name].numpy() for name in ("video_id", "class_indexes", "decisions")),
      strict=True)} == expected

  log = evaluate(folder, f"--saved_model={tmp_path}/second", thresholds(path),
                 f"--output_dir={tmp_path}/out", split="test").stderr
  assert "was chosen for" not in log
  found = content(tmp_path / "out/metrics.json")
  assert found["at_thresholds"]["target"] == "f1" and found["step"] is None
  assert checksum.of_tree(str(first), [""]) == before


def thresholds(path):
  return f"--thresholds={path}"


def predict(folder, output, *flags, **options):
  return support.run_command(
      "yt8m.export.inference", f"--input_data_pattern={records(folder, 'test')}", *flags,
      f"--output_file={output}", **options)


@pytest.mark.long
def test_thresholds_of_another_model_are_refused(folder, tmp_path):
  blend, single = tmp_path / "blend.json", tmp_path / "single.json"
  evaluate(folder, f"--saved_model={folder}/serving/3", *choose(blend))
  evaluate(folder, f"--train_dir={folder}/one", "--run_once", *choose(single))
  remedy = "with yt8m-eval --choose_thresholds --saved_model"
  for flags in ((f"--saved_model={folder}/members/one", thresholds(blend)),
                (f"--train_dir={folder}/one", thresholds(blend)),
                (f"--saved_model={folder}/serving", thresholds(single))):
    error = failing(predict(folder, tmp_path / "out.csv", *flags, check=False))
    assert "was chosen for another model" in error and remedy in error
  # Those of a checkpoint hold for its export, and not for another checkpoint.
  predict(folder, tmp_path / "out.csv", f"--saved_model={folder}/members/one",
          thresholds(single))
  error = failing(predict(folder, tmp_path / "two.csv", thresholds(single),
                          f"--saved_model={folder}/members/two", check=False))
  assert "was chosen for checkpoint_digest" in error

  search(folder, "equal", "--nolearn_weights", f"--predictions_dir={folder}/search/"
         "predictions")
  for ensemble, path in (("equal", blend), ("search", single)):
    error = failing(export(
        tmp_path, "none", f"--ensemble={folder}/{ensemble}/ensemble.json",
        thresholds(path), check=False))
    assert "was chosen for another model" in error and remedy in error
  error = failing(export(tmp_path, "none", f"--train_dir={folder}/one",
                         thresholds(blend), check=False))
  assert "was chosen for another model" in error
  log = evaluate(folder, f"--saved_model={folder}/members/one", thresholds(blend)).stderr
  assert "was chosen for another model" in log and "micro precision" in log
  assert not (tmp_path / "none").exists()


def test_gates_judge_a_saved_model(folder, tmp_path):
  flags = (f"--saved_model={folder}/serving/3", f"--output_dir={tmp_path}/out")
  evaluate(folder, *flags, "--require=gap>=0")
  assert "gap is" in failing(evaluate(folder, *flags, "--require=gap>=0.99", check=False))
  baseline = f"--baseline={tmp_path}/out/metrics.json"
  evaluate(folder, *flags, baseline, "--max_regression=gap:0.001")
  error = failing(evaluate(folder, f"--saved_model={folder}/members/one", baseline,
                           "--max_regression=gap:-1", check=False))
  assert "must be >=" in error


def test_results_of_others_stay(folder, tmp_path):
  flags = f"--output_dir={tmp_path}/out", f"--saved_model={folder}/members/one"
  evaluate(folder, *flags)
  before = (tmp_path / "out/metrics.json").read_bytes()
  evaluate(folder, *flags)  # of the same model on the same records
  for model, split in (("two", "validate"), ("one", "test")):
    error = failing(evaluate(
        folder, flags[0], f"--saved_model={folder}/members/{model}", split=split,
        check=False))
    assert "out/metrics.json is not replaced" in error and "Name another" in error
  assert (tmp_path / "out/metrics.json").read_bytes() == before
  for name, text in (("classes.csv", "mine"), ("metrics.json", "[1]")):
    (tmp_path / name).write_text(text)
    error = failing(evaluate(folder, f"--output_dir={tmp_path}", flags[1], check=False))
    assert f"{name} is not replaced" in error
    assert (tmp_path / name).read_text() == text


@pytest.mark.parametrize("flags, error", [
    (["--train_dir={0}/one", "--saved_model={0}/serving"], "either --train_dir or"),
    ([], "Give either --train_dir or --saved_model"),
    (["--train_dir={0}/one", "--output_dir={1}/out"], "its folder eval, so leave it out"),
    (["--saved_model={1}"], "--saved_model={1} holds no SavedModel"),
    (["--saved_model={0}/serving", "--checkpoint=20"], "--checkpoint is chosen when"),
    (["--saved_model={0}/serving", "--hparams={{}}"], "--hparams of a --saved_model"),
    (["--saved_model={0}/serving", "--norun_once"], "--run_once is about"),
    (["--saved_model={0}/serving", "--eval_timeout_secs=3"], "--eval_timeout_secs is"),
    (["--saved_model={0}/serving", "--num_classes=13"], "--num_classes is compared"),
    (["--saved_model={0}/serving", "--segment_labels"], "--segment_labels needs"),
    (["--saved_model={0}/serving", "--output_dir={0}/serving/3/eval"],
     "lies in the SavedModel {0}/serving/3, whose"),
    (["--saved_model={0}/serving", "--output_dir={0}/serving/3"], "another --output_dir"),
    (["--saved_model={0}/serving", "--choose_thresholds=f1",
      "--thresholds={0}/members/one/assets/thresholds.json"], "another --thresholds"),
    (["--saved_model={0}/serving", "--vocabulary={1}/none.csv"], "none.csv")])
def test_what_makes_no_sense_is_refused_first(folder, tmp_path, flags, error):
  process = evaluate(folder, *(flag.format(folder, tmp_path) for flag in flags),
                     check=False)
  assert error.format(folder, tmp_path) in failing(process)
  assert process.stdout == "" and list(tmp_path.iterdir()) == []
