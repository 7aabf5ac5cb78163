# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The SavedModel of every option and recipe gives the scores of the model."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import full_disk
from tests.helpers import serving
from tests.helpers import starter_variables
from tests.helpers import support
from tests.helpers.serving import TOP_K
from tests.helpers.serving import assert_answers
from tests.helpers.serving import at_home
from tests.helpers.serving import make
from tests.helpers.serving import records
from tests.helpers.serving import save
from yt8m import models
from yt8m.artifacts import manifest
from yt8m.artifacts.saved_model import SavedModel
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.saved_models import writer
from yt8m.models import prediction

CASES = descriptors.chosen(descriptors.all_models())


@pytest.mark.parametrize("case", CASES)
def test_every_model_answers_as_at_home(case, tmp_path):
  level = descriptors.all_models()[case][0]
  model = save(case, tmp_path / "model")
  signatures = tf.saved_model.load(str(tmp_path / "model")).signatures

  batch = descriptors.batch(level)
  expected = at_home(model, batch)
  assert_answers(signatures, batch, level, expected)
  one = tf.nest.map_structure(lambda x: x[1:2], batch)
  assert_answers(signatures, one, level, at_home(model, one))
  if level == "frame":
    short = {**batch, "features": {n: x[:, :2] for n, x in batch["features"].items()},
             "num_frames": tf.minimum(batch["num_frames"], 2)}
    assert_answers(signatures, short, level, at_home(model, short))
  none = tf.nest.map_structure(lambda x: x[:0], batch)
  assert_answers(signatures, none, level, expected[:0])

  manifest.verify(str(tmp_path / "model"))
  # Every weight is stored once; with a large graph the size would not show this.
  weights = writer.bytes_of_weights(model)
  values = files.bytes_on_disk(str(tmp_path / "model" / "variables"))
  assert weights <= values <= 1.01 * weights + 20_000
  assert files.bytes_on_disk(str(tmp_path / "model")) <= 1.01 * weights + 2 ** 20


def test_weights_of_some_size_are_on_disk_once(tmp_path):
  spec = feature_spec.FeatureSpec(("rgb",), (1024,), "frame")
  model = models.VideoModel(
      100, spec, aggregation={"name": "lstm", "units": 256}).build_variables()
  writer.save(experiment.Experiment(model.get_config()), model, str(tmp_path / "m"))
  weights = 4 * (1024 + 256 + 1 + 256 + 256 + 1) * 4 * 256 + 4 * (256 + 1) * 100
  assert writer.bytes_of_weights(model) == weights
  assert weights < files.bytes_on_disk(str(tmp_path / "m")) <= (
      1.01 * weights + 2 ** 20)


def golden_model(level):
  golden, meta = support.load_golden("export_signature")
  sizes = (16, 8)
  if level == "video":
    names, options = ("mean_rgb", "mean_audio"), dict(classifier="moe")
  else:
    names, options = ("rgb", "audio"), dict(aggregation="mean")
  spec = feature_spec.FeatureSpec(names, sizes, level)
  model = models.VideoModel(meta["num_classes"], spec, **options).build_variables()
  reference = support.with_prefix(golden, f"{level}/var/tower/")
  for name, variable in starter_variables.head_variables(model.classifier).items():
    variable.assign(reference[name])
  return model, golden, meta


@support.needs_goldens
@pytest.mark.parametrize("level", ["video", "frame"])
def test_serving_default_is_the_starter_codes(level, tmp_path):
  model, golden, meta = golden_model(level)
  config = experiment.Experiment(model.get_config())
  writer.save(config, model, str(tmp_path / "model"))
  serve = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
  reference = meta["signatures"][level]["serving_default"]

  def described(specs):
    return {name: [spec.dtype.name, [n or -1 for n in spec.shape]]
            for name, spec in specs.items()}

  assert described(serve.structured_input_signature[1]) == {
      name: entry[1:] for name, entry in reference["inputs"].items()}
  assert described(serve.structured_outputs) == {
      name: entry[1:] for name, entry in reference["outputs"].items()}

  path = str(support.GOLDENS / meta["records"][level])
  serialized = list(tf.data.TFRecordDataset(path).as_numpy_iterator())
  found = serve(example_bytes=tf.constant(serialized))
  expected = support.with_prefix(golden, f"{level}/out/")
  assert found["video_id"].numpy().tolist() == expected["video_id"].tolist()
  # Their rgb and audio differ in length, and the reference adds frames after the end.
  rows = [row for row, video_id in enumerate(expected["video_id"].ravel())
          if video_id not in (b"vid4", b"vid5")]
  np.testing.assert_allclose(found["predictions"].numpy()[rows],
                             expected["predictions"][rows], atol=1e-6)
  np.testing.assert_array_equal(found["class_indexes"].numpy()[rows],
                                expected["class_indexes"][rows])


def test_a_process_with_tensorflow_alone_serves_it(tmp_path):
  expected = {}
  for case in ("aggregation-lstm", "classifier-moe"):
    level, folder = descriptors.all_models()[case][0], tmp_path / case
    model = save(case, folder / "model")
    batch = descriptors.batch(level)
    serving.save_requests(folder, batch, level)
    expected[case] = at_home(model, batch)
  serving.answer_elsewhere(tmp_path, expected)
  for case, scores in expected.items():
    serving.assert_answered(tmp_path / case, scores, atol=1e-6)


def test_long_videos_are_cut_as_the_reader_cuts_them(tmp_path):
  model = save("aggregation-mean", tmp_path / "model")
  signatures = tf.saved_model.load(str(tmp_path / "model")).signatures
  rng = np.random.default_rng(0)
  spec = descriptors.SPECS["frame"]
  long = {"features": {name: tf.constant(rng.integers(0, 256, (1, 9, size), np.uint8))
                       for name, size in zip(spec.names, spec.sizes, strict=True)},
          "num_frames": tf.constant([9])}
  cut = {"features": {name: x[:, :descriptors.MAX_FRAMES]
                      for name, x in long["features"].items()},
         "num_frames": tf.constant([descriptors.MAX_FRAMES])}
  assert_answers(signatures, long, "frame", at_home(model, cut))


def test_a_bad_request_is_explained_and_does_no_harm(tmp_path):
  model = save("aggregation-mean", tmp_path / "model")
  signatures = tf.saved_model.load(str(tmp_path / "model")).signatures
  batch = descriptors.batch("frame")
  good = records(batch, "frame").numpy().tolist()
  no_audio = tf.train.SequenceExample.FromString(good[0])
  del no_audio.feature_lists.feature_list["audio"]
  for bad, message in ((b"no record", "Invalid protocol.*: record 1 of the batch"),
                       (b"", "record 1 of the batch is bad. Expected: an id")):
    for name in ("serving_default", "predict_full"):
      with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        signatures[name](example_bytes=tf.constant([good[0], bad]))
  silent = signatures["serving_default"](
      example_bytes=tf.constant([good[0], no_audio.SerializeToString()]))
  assert all(len(values) == 2 for values in silent.values())  # Its frames count.
  for num_frames in ([8] * 5, [0] * 5):
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_frames must be"):
      signatures["predict_features"](
          **batch["features"], num_frames=tf.constant(num_frames))
  assert_answers(signatures, batch, "frame", at_home(model, batch))


def test_assets_tell_a_client_what_it_needs(tmp_path):
  names = Vocabulary.of({0: "Game", 1: 'Toys "R" Us, 2'}, descriptors.NUM_CLASSES)
  save("aggregation-mean", tmp_path / "model", names=names)
  assets = tmp_path / "model" / "assets"
  assert Vocabulary.load(assets / "vocabulary.csv", descriptors.NUM_CLASSES) == names
  assert json.loads((assets / "feature_spec.json").read_text()) == {
      "names": ["rgb", "audio"], "sizes": [8, 4], "level": "frame",
      "max_frames": descriptors.MAX_FRAMES, "num_classes": descriptors.NUM_CLASSES}
  # Our own tools also find what they need.
  again = experiment.Experiment.load(str(tmp_path / "model" / "assets.extra"))
  assert again.build_model().aggregation.name.startswith("mean")


def test_the_manifest_lists_every_file(tmp_path):
  save("aggregation-mean", tmp_path / "model", warmup_requests=2)
  found = {str(path.relative_to(tmp_path / "model"))
           for path in (tmp_path / "model").rglob("*") if path.is_file()}
  listed = json.loads((tmp_path / "model" / "manifest.json").read_text())["files"]
  assert {*listed, "manifest.json"} == found > {
      "assets.extra/MODEL_CARD.md", "assets.extra/tf_serving_warmup_requests"}


def test_the_same_model_gives_the_same_files(tmp_path):
  """Except for TensorFlow's random number, and its numbers of functions in a process."""
  config, model = make("aggregation-lstm")
  listed, cards = [], []
  for directory in (tmp_path / "a", tmp_path / "b"):
    writer.save(config, model, str(directory), top_k=TOP_K, warmup_requests=2)
    listed.append(json.loads((directory / "manifest.json").read_text())["files"])
    card = (directory / "assets.extra" / "MODEL_CARD.md").read_text().splitlines()
    cards.append([line for line in card if not line.startswith("| bytes |")])
  first, second = listed
  assert first.keys() == second.keys()
  assert {name for name in first if first[name] != second[name]} <= {
      "fingerprint.pb", "saved_model.pb", "assets.extra/MODEL_CARD.md"}
  assert cards[0] == cards[1]


def test_a_model_of_segments_is_served_for_whole_videos(tmp_path):
  model = models.VideoModel(
      6, feature_spec.FeatureSpec(("rgb", "audio"), (8, 4), "segment"),
      aggregation="mean").build_variables()
  writer.save(experiment.Experiment(model.get_config(), 7), model,
              str(tmp_path / "model"), top_k=TOP_K)
  signatures = tf.saved_model.load(str(tmp_path / "model")).signatures
  batch = descriptors.batch("frame")
  assert_answers(signatures, batch, "frame", at_home(model, batch))


def test_what_is_there_stays_or_is_replaced_by_flag(tmp_path):
  target = tmp_path / "model"
  save("classifier-logistic", target)
  before = files.bytes_on_disk(str(target))
  with pytest.raises(FileExistsError, match="choose another --output_dir.*--overwrite"):
    save("classifier-moe", target)
  assert files.bytes_on_disk(str(target)) == before
  save("classifier-moe", target, overwrite=True)
  assert files.bytes_on_disk(str(target)) > before
  assert os.listdir(tmp_path) == ["model"]


def test_a_saved_model_of_an_earlier_version_is_replaced(tmp_path):
  """Earlier versions wrote no manifest."""
  target = tmp_path / "model"
  save("classifier-logistic", target)
  (target / "manifest.json").unlink()
  save("classifier-logistic", target, overwrite=True)
  manifest.verify(str(target))
  # Neither do other programs write one, and they may keep other files beside it.
  (target / "manifest.json").unlink()
  (target / "notes.txt").write_text("precious")
  with pytest.raises(FileExistsError, match="model is not replaced: .* notes.txt"):
    save("classifier-logistic", target, overwrite=True)
  assert (target / "notes.txt").read_text() == "precious"


def test_a_manifest_of_somebody_else_does_not_make_files_ours(tmp_path):
  target = tmp_path / "model"
  save("classifier-logistic", target)
  (target / "data").mkdir()
  for name in ("notes.txt", "data/my.csv"):
    (target / name).write_text("precious")
  manifest.write(str(target))  # It lists them.
  with pytest.raises(FileExistsError, match="model is not replaced: .*my.csv, notes.txt"):
    save("classifier-logistic", target, overwrite=True)
  assert (target / "data" / "my.csv").read_text() == "precious"


@pytest.mark.parametrize("options, error, message", [
    (dict(top_k=7), ValueError, "--top_k=7 must be between 1 and .* 6"),
    (dict(top_k=3, warmup_requests=1001), ValueError, "--warmup_requests=1001 must be"),
])
def test_impossible_requests_leave_nothing_behind(options, error, message, tmp_path):
  with pytest.raises(error, match=message):
    writer.save(*make("classifier-logistic"), str(tmp_path / "model"), **options)
  assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_nothing_behind(tmp_path):
  with full_disk.full_disk(after=1000), pytest.raises((OSError, tf.errors.OpError)):
    save("classifier-logistic", tmp_path / "model")
  assert os.listdir(tmp_path) == []


def test_number_of_steps_is_chosen_by_the_client(tmp_path):
  model = save("classifier-conditional", tmp_path / "model")
  signatures = tf.saved_model.load(str(tmp_path / "model")).signatures
  batch = descriptors.batch("video")
  steps = model(prediction.model_inputs(batch))["step_predictions"].numpy()
  assert steps.shape[1] == model.classifier.num_steps > 1
  for number in range(1, steps.shape[1] + 1):
    answer = signatures["predict_steps"](
        num_steps=tf.constant(number), **batch["features"])["predictions"]
    np.testing.assert_allclose(answer, steps[:, number - 1], atol=1e-6)
  for number in (0, steps.shape[1] + 1):
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_steps must be from 1"):
      signatures["predict_steps"](num_steps=tf.constant(number), **batch["features"])
  save("classifier-logistic", tmp_path / "logistic")
  assert "predict_steps" not in tf.saved_model.load(
      str(tmp_path / "logistic")).signatures


@pytest.mark.parametrize("level, case", [
    ("video", "classifier-logistic"), ("frame", "aggregation-mean")])
def test_names_of_classes_are_answered_by_a_graph_that_is_accepted(level, case, tmp_path):
  names = Vocabulary.of({0: "café, 1", 2: "Game"}, descriptors.NUM_CLASSES)
  save(case, tmp_path / "model", names=names)
  found = SavedModel(str(tmp_path / "model"))
  assert found.vocabulary == names
  serve = found.load("serving_default").signatures["serving_default"]
  answer = serve(example_bytes=serving.records(descriptors.batch(level), level))
  assert answer["class_names"].shape == answer["class_indexes"].shape
  assert answer["class_names"].numpy().ravel().tolist() == [
      names.names[index].encode() for index in answer["class_indexes"].numpy().ravel()]
