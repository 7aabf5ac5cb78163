# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-predict`: media files and records, with the same scores."""

import csv
import dataclasses
import io
import json

import numpy as np
import pytest
import tensorflow as tf

import yt8m
from tests.helpers import clips
from tests.helpers import mean_extractor
from tests.helpers import small_job
from tests.helpers import support
from yt8m.api import timeline
from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.data import tfrecords
from yt8m.extracting import model_features
from yt8m.extracting import streams
from yt8m.predicting import inputs
from yt8m.predicting import outputs
from yt8m.predicting import videos

EXTRACTOR = mean_extractor.MeanExtractor.name


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """A SavedModel, two clips, and what is no clip."""
  folder = tmp_path_factory.mktemp("predict")
  small_job.export(folder / "saved", "frame")
  (folder / "clips").mkdir()
  for name, colour, hertz in (("a", clips.RED, 300.0), ("b", clips.BLUE, 2000.0)):
    clips.write(folder / "clips" / f"{name}.mp4", [clips.solid(colour)] * 15, fps=5,
                sound=clips.tone(3, hertz), rate=44100)
  (folder / "clips" / "broken.mp4").write_bytes(b"no film" * 99)
  (folder / "clips" / "notes.txt").write_text("no film either")
  return folder


@pytest.fixture(scope="module")
def predictor(folder):
  return yt8m.load(folder / "saved")


def media_reader(spec, **arguments):
  with registry.allow_code([EXTRACTOR]):
    return model_features.ModelFeatures(spec, 30, **arguments)


@pytest.fixture(scope="module")
def scored(folder, predictor):
  """The videos of the folder of clips."""
  reader = media_reader(predictor.source.spec, extractor=EXTRACTOR)
  found = inputs.find([str(folder / "clips")])
  with streams.Decoders(2, 60.0, 2**33) as decoders:
    return list(videos.of_media(predictor, reader, found, decoders))


def test_media_files_of_a_folder_are_told_by_their_names(folder):
  assert inputs.find([str(folder / "clips")]) == [
      str(folder / "clips" / name) for name in ("a.mp4", "b.mp4", "broken.mp4")]
  assert inputs.find([str(folder / "clips" / "*.txt")]) == [
      str(folder / "clips" / "notes.txt")]
  with pytest.raises(ValueError, match=r"No file matches '.*no\.mp4'"):
    inputs.find([str(folder / "no.mp4")])
  (folder / "empty").mkdir(exist_ok=True)
  with pytest.raises(ValueError, match="empty holds no media files and no records"):
    inputs.find([str(folder / "empty")])


def test_a_file_that_is_no_film_is_an_error_of_its_own(scored):
  first, second, broken = scored
  assert not first.error and not second.error and broken.scores is None
  assert "cannot be read as a video" in broken.error
  assert len(first.features["rgb"]) == len(first.features["audio"]) == 3


def test_media_files_have_the_scores_of_records_of_the_same_features(
    folder, scored, predictor):
  path = str(folder / "records.tfrecord")
  with tf.io.TFRecordWriter(path) as writer:
    for video in scored[:2]:
      example = tfrecords.frame_example(video.path, [0], video.features)
      writer.write(example.SerializeToString())
  for video, record in zip(scored, videos.of_records(predictor, path), strict=False):
    assert record.id == video.path
    np.testing.assert_allclose(record.scores, video.scores, atol=1e-6)
    for name, values in video.features.items():
      np.testing.assert_array_equal(record.features[name], values)


def test_the_extractor_of_the_model_is_used_and_compared(predictor):
  identity = mean_extractor.MeanExtractor().identity(2.0)
  spec = feature_spec.FeatureSpec(
      ("rgb", "audio"), (8, 4), "frame", extractor=identity)
  assert media_reader(spec).fps == 2
  name, _, digest = identity.partition("@")
  other = feature_spec.FeatureSpec(
      ("rgb", "audio"), (8, 4), "frame", extractor=f"{name}@0{digest[1:]}")
  with pytest.raises(ValueError, match=f"{digest[1:]}, and the model .* {name}@0"):
    media_reader(other)
  with pytest.raises(ValueError, match=f"--extractor={EXTRACTOR} is .* trained on "
                     f"features of theirs@01: leave --extractor out, or name that one"):
    media_reader(dataclasses.replace(spec, extractor="theirs@01"), extractor=EXTRACTOR)
  with pytest.raises(ValueError, match="colours is no extractor of this library: name "
                     "its class or file .* --extractor=my_module:MyExtractor"):
    media_reader(dataclasses.replace(spec, extractor="logmel,colours@01"))
  with pytest.raises(ValueError, match="does not say which extractor .* --extractor"):
    media_reader(predictor.source.spec)
  wide = feature_spec.FeatureSpec(("rgb",), (9,), "frame")
  with pytest.raises(ValueError, match="reads the feature rgb of 9 uint8 numbers"):
    media_reader(wide, extractor=EXTRACTOR)
  video_level = feature_spec.FeatureSpec(("mean_rgb",), (8,), "video")
  with pytest.raises(ValueError, match="reads video-level features"):
    media_reader(video_level, extractor=EXTRACTOR)


def test_a_timeline_joins_the_windows_that_speak_for_a_class(scored, predictor):
  line = timeline.of_video(predictor, scored[0].features, window_secs=2.0)
  assert line.starts.tolist() == [0, 2] and line.ends.tolist() == [2, 3]
  windows = predictor.predict({name: [values[:2], values[2:]]
                               for name, values in scored[0].features.items()})
  np.testing.assert_allclose(line.scores, windows, atol=1e-6)
  line = timeline.Timeline(np.arange(4.0), np.arange(1.0, 5.0),
                           np.array([[0.9], [0.5], [0.1], [0.6]]))
  assert line.spans(0) == [(0.0, 2.0), (3.0, 4.0)]
  assert line.spans(0, share=1.0) == [(0.0, 1.0)]


LABELS = [outputs.Label(3, "Toys, cars", np.float32(0.1), True, [(0.0, 2.0)]),
          outputs.Label(1, "cat", np.float32(0.05), False, [])]


def test_json_and_csv_hold_every_digit():
  file = io.StringIO()
  output = outputs.JsonOutput(file)
  output.write("a.mp4", LABELS)
  output.write("b.mp4", [], "it is damaged")
  first, second = map(json.loads, file.getvalue().splitlines())
  assert first == {"video": "a.mp4", "predictions": [
      {"class": 3, "name": "Toys, cars", "score": 0.1, "decided": True,
       "seconds": [[0.0, 2.0]]},
      {"class": 1, "name": "cat", "score": 0.05, "decided": False, "seconds": []}]}
  assert second == {"video": "b.mp4", "error": "it is damaged"}
  file = io.StringIO()
  outputs.CsvOutput(file).write("a.mp4", LABELS)
  assert list(csv.reader(file.getvalue().splitlines())) == [
      ["video", "class", "name", "score", "decided"],
      ["a.mp4", "3", "Toys, cars", "0.1", "1"], ["a.mp4", "1", "cat", "0.05", "0"]]


def test_text_shows_scores_decisions_and_seconds():
  file = io.StringIO()
  outputs.TextOutput(file).write("a\x1b.mp4", LABELS)
  assert file.getvalue().splitlines() == [
      r"a\x1b.mp4", "  Toys, cars  0.100  yes  0-2 s", "  cat         0.050  no  "]


def test_the_command(folder, scored):
  done = support.run_command(
      "yt8m.predict", f"--model={folder}/saved", f"--extractor={EXTRACTOR}",
      "--output_format=json", "--timeline", "--top_k=2", f"{folder}/clips", check=False)
  assert done.returncode == 1
  assert done.stderr.rstrip().endswith(
      "ERROR: 1 of 3 videos cannot be predicted, see above.")
  lines = list(map(json.loads, done.stdout.splitlines()))
  assert [line["video"] for line in lines] == [video.path for video in scored]
  for line, video in zip(lines[:2], scored, strict=False):
    best = np.argsort(-video.scores)[:2]
    assert [one["class"] for one in line["predictions"]] == best.tolist()
    np.testing.assert_allclose(
        [one["score"] for one in line["predictions"]], video.scores[best], atol=1e-6)
    assert all(one["seconds"] for one in line["predictions"])
  assert "error" in lines[2]
