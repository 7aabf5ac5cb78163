# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The card describes the export, and its examples run."""

import dataclasses
import json
import re
import shlex

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import serving
from yt8m.artifacts import manifest
from yt8m.artifacts.saved_model import Contract
from yt8m.core import files
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.saved_models import ensemble
from yt8m.export.saved_models import mediapipe
from yt8m.export.saved_models import usage
from yt8m.export.saved_models import writer
from yt8m.export.saved_models.origin import Origin

FLAGS = {"model": "MyRecipe", "train_data_pattern": "gs://b/train*.tfrecord",
         "batch_size": 64, "seed": 0, "segment_labels": False,
         "teacher_predictions": None, "weight_averaging": "none"}
EVALUATION = {"step": 1200, "data": "validate*", "num_examples": 3501, "hparams": None,
              "avg_hit_at_one": 0.81236, "avg_perr": 0.7, "map": 0.4, "gap": 0.66,
              "avg_loss": 9.5, "num_positives": {"0": 1, "2": 2000},
              "average_precision": {"0": 0.5, "2": 0.25}}


def card(directory):
  return (directory / "assets.extra" / "MODEL_CARD.md").read_text()


def export(case, directory, origin, **options):
  config, model = serving.make(case)
  config = dataclasses.replace(config, flags=FLAGS)
  writer.save(config, model, str(directory), top_k=serving.TOP_K, origin=origin,
              **options)
  return card(directory)


def section(text, title):
  return re.search(rf"^## {title}\n\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)[1]


def rows(text):
  """Returns `{first cell: other cells}` of the tables in a text."""
  cells = [[cell.strip() for cell in line[1:-2].split(" | ")]
           for line in text.splitlines() if line.startswith("| ")]
  return {first: others for first, *others in cells}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
  directory = tmp_path_factory.mktemp("card") / "model"
  names = Vocabulary.of({2: "a | b"}, descriptors.NUM_CLASSES)
  export("classifier-moe", directory, Origin(1200, "2026-05-03 12:00 UTC", EVALUATION),
         names=names)
  return directory


def test_it_says_what_the_model_is(exported):
  text = card(exported)
  assert text.startswith("# MyRecipe, step 1,200\n")
  facts = {name: value for name, [value] in
           rows(text.split("## Training")[0]).items()}
  model = descriptors.build("classifier-moe")
  assert facts["reads"] == "one vector per video: rgb (8), audio (4)"
  assert f"of {descriptors.NUM_CLASSES} classes" in facts["answers"]
  assert facts["names of classes"] == "assets/vocabulary.csv"
  assert re.fullmatch(r'moe `{.*"num_mixtures": 2.*}`', facts["classifier"])
  assert facts["parameters"] == str(model.count_params())
  assert facts["weights"] == "float32"
  assert facts["checkpoint"] == "step 1,200, 2026-05-03 12:00 UTC"
  weights = files.bytes_on_disk(str(exported / "variables"))
  graph = (exported / "saved_model.pb").stat().st_size
  assert facts["bytes"] == f"{weights:,} of weights, {graph:,} of the graph"
  assert "sampling" not in facts and "mixture" not in facts


def test_it_says_what_was_learned_and_how_well(exported):
  text = card(exported)
  flags = rows(section(text, "Training"))
  assert flags.keys() - {"", "---"} == {"--train_data_pattern", "--batch_size", "--seed"}
  assert flags["--seed"] == ["`0`"]
  metrics = section(text, "Metrics")
  assert metrics.startswith("By `yt8m-eval` on 3,501 examples of `validate*`:\n")
  assert rows(metrics)["Avg_Hit@1"] == ["0.8124"] and rows(metrics)["GAP"] == ["0.6600"]


def test_it_says_how_far_scores_are_probabilities(exported, tmp_path):
  assert section(card(exported), "Calibration").strip() == (
      "How far the scores are probabilities was not measured.")
  measured = {**EVALUATION, "step": 900, "top_k": 20, "ece": 0.01234, "brier": 0.05,
              "log_loss": 0.2}
  text = export("classifier-logistic", tmp_path / "model", Origin(1200, None, measured))
  found = section(text, "Calibration")
  assert found.startswith(
      "By `yt8m-eval` on 3,501 examples of `validate*`, **for step 900**, not for this "
      "one, of the best 20 classes of each video.")
  assert {name: value for name, [value] in rows(found).items()} == {
      "": "value", "---": "---:", "ECE": "0.0123", "Brier": "0.0500",
      "Log_Loss": "0.2000"}
  assert "ECE" not in section(text, "Metrics")


def test_it_names_classes_the_most_frequent_first(exported):
  found = section(card(exported), "Classes")
  assert found.startswith("The most frequent of 6 in the evaluation above:\n")
  assert found.endswith("| 2 | a \\| b | 2,000 | 0.2500 |\n"
                        "| 0 | class 0 | 1 | 0.5000 |\n\n")


def test_signatures_are_those_of_the_file(exported):
  found = rows(section(card(exported), "Signatures"))
  loaded = tf.saved_model.load(str(exported)).signatures
  assert set(found) - {"signature", "---"} == set(loaded)
  assert found["predict_features"] == [
      "audio float32 (?, 4), rgb float32 (?, 8)", "predictions float32 (?, 6)"]


def test_an_evaluation_of_another_step_is_said_to_be_one(tmp_path):
  other = {**EVALUATION, "step": 900, "data": None, "hparams": '{"a": 1}'}
  text = export("classifier-logistic", tmp_path / "model", Origin(1200, None, other))
  assert ("on 3,501 examples, **for step 900**, not for this one, with "
          '--hparams=`{"a": 1}`:') in section(text, "Metrics")
  assert "| checkpoint | step 1,200 |" in text


def test_without_evaluation_or_training_it_says_so(tmp_path):
  text = export("classifier-logistic", tmp_path / "a", Origin(5))
  assert section(text, "Metrics").strip() == (
      "The model was not evaluated before the export.")
  text = export("classifier-logistic", tmp_path / "b", None)
  assert text.startswith("# MyRecipe, untrained\n")
  assert "the weights are random" in section(text, "Training")
  assert "## Metrics" not in text and "| checkpoint |" not in text


def test_an_ensemble_lists_its_members(tmp_path):
  paths = [str(tmp_path / "members" / case) for case in (
      "classifier-moe", "classifier-logistic")]
  for path in paths:
    serving.save(path.rsplit("/", 1)[1], path)
  ensemble.save(
      ensemble.from_directories(paths, [0.75, 0.25], budget_bytes=10_000_000,
                                scores={"equal_weights": 0.41}),
      str(tmp_path / "out"), top_k=2)
  manifest.verify(str(tmp_path / "out"))
  text = card(tmp_path / "out")
  assert text.startswith("# Ensemble of 2 models\n")
  members = rows(section(text, "Members"))
  assert members["classifier-moe"] == [
      "0.7500", f"{files.bytes_on_disk(paths[0]):,}", "float32"]
  assert rows(section(text, "Metrics"))["equal weights"] == ["0.4100"]
  assert "| mean of | probabilities |" in text and "10,000,000 bytes" in text

  by_class = [[0.7] * descriptors.NUM_CLASSES, [0.3] * descriptors.NUM_CLASSES]
  ensemble.save(ensemble.from_directories(paths, by_class), str(tmp_path / "out"),
                top_k=2, overwrite=True)
  found = rows(section(card(tmp_path / "out"), "Members"))
  assert found["member"][0] == "weight, mean of the classes"
  assert found["classifier-logistic"][0] == "0.3000"


@pytest.mark.parametrize("case", ["classifier-moe", "aggregation-mean"])
def test_its_examples_run(case, tmp_path, monkeypatch):
  """Runs the Python example unchanged, and sends the requests to the model."""
  serving.save(case, tmp_path / "SAVED_MODEL")
  level = descriptors.all_models()[case][0]
  contract = Contract(descriptors.SPECS[level], descriptors.MAX_FRAMES,
                      descriptors.NUM_CLASSES)
  text = usage.examples(contract, ["serving_default", "predict_features"])
  with tf.io.TFRecordWriter(str(tmp_path / "RECORDS.tfrecord")) as writer:
    for record in serving.records(descriptors.batch(level), level).numpy():
      writer.write(record)
  monkeypatch.chdir(tmp_path)
  names = {}
  exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], names)
  assert len(names["answer"]["predictions"]) == len(list(names["records"])) > 1

  curls = re.findall(r"^curl .*?'$", text.replace("\\\n", ""), re.MULTILINE)
  by_record, by_features = (
      json.loads(shlex.split(curl)[-1].replace("[0, …]", "0")) for curl in curls)
  assert by_record == {"instances": [{"b64": "A_RECORD_IN_BASE64"}]}
  signature = names["signatures"][by_features["signature_name"]]
  specs = signature.structured_input_signature[1]
  inputs = {name: np.array(x, specs[name].dtype.as_numpy_dtype)
            for name, x in by_features["inputs"].items()}
  for name in ("rgb", "audio"):  # 0 stands for a vector with the size of the feature
    inputs[name] = np.repeat(inputs[name][..., None], specs[name].shape[-1], axis=-1)
  answer = signature(**{name: tf.constant(x) for name, x in inputs.items()})
  assert answer["predictions"].shape == (1, descriptors.NUM_CLASSES)


def test_another_signature_has_other_examples():
  contract = Contract(descriptors.SPECS["frame"], descriptors.MAX_FRAMES,
                      descriptors.NUM_CLASSES)
  assert usage.examples(contract, ["serving_default"]) == mediapipe.USAGE
