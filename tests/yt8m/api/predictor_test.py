# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m.load`: one predictor for training directories and SavedModels."""

import numpy as np
import pytest
import tensorflow as tf

import yt8m
from tests.helpers import descriptors
from tests.helpers import small_job
from yt8m.core.vocabulary import Vocabulary
from yt8m.models import prediction


@pytest.fixture(scope="module", params=["video", "frame"])
def exported(request, tmp_path_factory):
  """A SavedModel, its records, and the scores of the model, video by video."""
  folder = tmp_path_factory.mktemp(request.param)
  model = small_job.export(folder / "export" / "3", request.param)
  pattern, videos = small_job.write_labelled_records(folder / "records", request.param)
  scores = np.concatenate(
      [model(prediction.model_inputs(video))["predictions"] for video in videos])
  return request.param, folder, pattern, videos, scores


def test_all_forms_of_videos_give_the_same_scores(exported):
  level, folder, pattern, videos, expected = exported
  predictor = yt8m.load(folder / "export" / "3")
  assert predictor.signature.level == level
  assert predictor.signature.features == {"rgb": 8, "audio": 4}
  assert predictor.signature.num_classes == descriptors.NUM_CLASSES
  serialized = [bytes(r) for path in sorted(tf.io.gfile.glob(pattern))
                for r in tf.data.TFRecordDataset(path).as_numpy_iterator()]
  features = {name: [v["features"][name][0, :v["num_frames"][0]] if level == "frame"
                     else v["features"][name][0] for v in videos]
              for name in predictor.signature.features}
  dataset = getattr(yt8m.datasets, f"{level}_level")(
      pattern, predictor.signature.features, descriptors.NUM_CLASSES, batch_size=4)
  for form in (pattern, serialized, features, dataset):
    np.testing.assert_allclose(predictor.predict(form, batch_size=4), expected, atol=1e-6)
  [first] = dataset.take(1)
  np.testing.assert_allclose(predictor.predict(first[0]), expected[:4], atol=1e-6)


def test_videos_of_similar_length_are_scored_together(tmp_path):
  predictor = yt8m.load(small_job.write_model(tmp_path / "model", level="frame"))
  rng = np.random.default_rng(0)
  videos = [rng.integers(256, size=(length, small_job.SIZE), dtype=np.uint8)
            for length in rng.permutation(np.arange(1, 97, 4))]
  expected = np.concatenate([predictor.predict({"x": [video]}) for video in videos])
  score, frames = predictor._score, []

  def counted(batch):
    frames.append(np.prod(batch["features"]["x"].shape[:2]))
    return score(batch)

  predictor._score = counted
  np.testing.assert_allclose(
      predictor.predict({"x": videos}, batch_size=3), expected, atol=1e-6)
  in_order = sum(3 * max(map(len, videos[i:i + 3])) for i in range(0, len(videos), 3))
  assert sum(frames) < 0.9 * in_order


def test_the_newest_version_is_loaded(exported):
  _, folder, pattern, _, expected = exported
  np.testing.assert_allclose(
      yt8m.load(str(folder / "export")).predict(pattern), expected, atol=1e-6)


def test_top_classes(exported):
  _, folder, pattern, _, expected = exported
  predictor = yt8m.load(folder / "export" / "3")
  for videos in (pattern, expected):
    best = predictor.top_k(videos, 2)
    assert best.names.tolist() == [[f"class {i}" for i in row] for row in best.ids]
    np.testing.assert_array_equal(best.ids, np.argsort(-expected, axis=1)[:, :2])
    np.testing.assert_allclose(best.scores, -np.sort(-expected, axis=1)[:, :2], atol=1e-6)
  with pytest.raises(ValueError, match="k=7 .* 6"):
    predictor.top_k(expected, 7)
  for scores in (expected[:, :5], expected[0]):
    with pytest.raises(ValueError, match="scores have the shape.*num_videos, 6"):
      predictor.top_k(scores, 2)


def test_names_of_classes(tmp_path):
  train_dir = small_job.write_model(tmp_path / "model")
  Vocabulary.of({0: "Game"}, small_job.NUM_CLASSES).write(f"{train_dir}/vocabulary.csv")
  best = yt8m.load(train_dir).top_k(np.eye(2, small_job.NUM_CLASSES, dtype=np.float32), 1)
  assert best.names.tolist() == [["Game"], ["class 1"]]


def test_evaluation_of_a_predictor_and_of_a_model(exported):
  level, folder, pattern, _, _ = exported
  dataset = getattr(yt8m.datasets, f"{level}_level")(
      pattern, {"rgb": 8, "audio": 4}, descriptors.NUM_CLASSES)
  found = yt8m.evaluate(yt8m.load(folder / "export"), dataset)
  assert found["num_examples"] == sum(small_job.LABELLED_FILES.values())
  assert 0 < found["gap"] <= 1
  unlabelled, _ = small_job.write_labelled_records(folder / "other", level, labels=False)
  with pytest.raises(ValueError, match="None of the 9 examples of the dataset"):
    yt8m.evaluate(yt8m.load(folder / "export"), getattr(
        yt8m.datasets, f"{level}_level")(
            unlabelled, {"rgb": 8, "audio": 4}, descriptors.NUM_CLASSES))
  model = yt8m.load(folder / "export")
  with pytest.raises(ValueError, match="data have no labels"):
    yt8m.evaluate(model, dataset.map(lambda inputs, labels: inputs))
  with pytest.raises(ValueError, match=r"labels of shape \(9, 5\)"):
    yt8m.evaluate(model, dataset.map(lambda inputs, labels: (inputs, labels[:, :5])))


def test_a_training_directory(tmp_path):
  train_dir = small_job.write_model(tmp_path / "model")
  x = np.random.default_rng(0).normal(size=(5, small_job.SIZE)).astype(np.float32)
  scores = yt8m.load(train_dir).predict({"x": x})
  assert scores.shape == (5, small_job.NUM_CLASSES) and np.ptp(scores) > 0


def test_errors_say_what_is_expected(tmp_path):
  predictor = yt8m.load(small_job.write_model(tmp_path / "model"))
  for videos, message in (
      ({"y": np.zeros((2, 4))}, "'x' is missing: this model reads"),
      ({"x": np.zeros((2, 5))}, r"'x' of video 0 has the shape \(5,\).*\(4\)"),
      (3, "cannot be a int"), (["text"], "cannot be a list")):
    with pytest.raises(ValueError, match=message):
      predictor.predict(videos)
  assert predictor.predict({"x": np.zeros((0, 4))}).shape == (0, small_job.NUM_CLASSES)
  with pytest.raises(FileNotFoundError, match="holds no model"):
    yt8m.load(tmp_path / "nothing")


def test_what_has_no_score(tmp_path):
  predictor = yt8m.load(small_job.write_model(tmp_path / "model"))
  x = np.zeros((3, small_job.SIZE))
  x[1] = np.nan
  with pytest.raises(ValueError, match="scores of video 1 are no numbers"):
    predictor.predict({"x": x})
  with pytest.raises(ValueError, match="batch_size=0"):
    predictor.predict({"x": x}, batch_size=0)
  with pytest.raises(ValueError, match="k=2.5 must be a whole number"):
    predictor.top_k(np.zeros((1, small_job.NUM_CLASSES)), 2.5)
  frames = yt8m.load(small_job.write_model(tmp_path / "frames", level="frame"))
  with pytest.raises(ValueError, match=r"'x' of video 1 has the shape \(0, 4\)"):
    frames.predict({"x": [np.zeros((n, 4), np.uint8) for n in (2, 0)]})
  batch = {"features": {"x": np.zeros((2, 5, 4))}, "num_frames": [5, 3]}
  with pytest.raises(ValueError, match="convert the values of the records to uint8"):
    frames.predict(batch)
