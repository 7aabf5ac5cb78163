# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A reader of the user's own: what it reads is as good as other records."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import own_code
from tests.helpers import support
from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.data import label_reader
from yt8m.data import own_reader
from yt8m.data import readers
from yt8m.data import records
from yt8m.synthetic import writer

SPEC = feature_spec.FeatureSpec(("rgb", "audio"), (16, 8), "frame", 2 * ("float32",))
DTYPES = "--feature_dtypes=float32,float32"


def as_example(video_id, classes, arrays):
  """Returns the record of a video in the format of the page."""
  lists = {"clip": tf.train.Feature(bytes_list=tf.train.BytesList(value=[video_id])),
           "classes": tf.train.Feature(int64_list=tf.train.Int64List(value=classes))}
  lists |= {name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[x.tobytes()]))
            for name, x in arrays.items()}
  return tf.train.Example(features=tf.train.Features(feature=lists)).SerializeToString()


def write_both(folder):
  """Writes float32 records, and beside them the same videos in the own format."""
  writer.write(writer.SampleDataConfig(
      num_videos=90, num_classes=13, max_frames=12, feature_sizes=(16, 8), num_shards=2,
      feature_dtypes=SPEC.dtypes), f"{folder}/both")
  own = pathlib.Path(folder, "own")
  own.mkdir()
  for path in pathlib.Path(folder, "both", "frame").glob("*.tfrecord"):
    with tf.io.TFRecordWriter(str(own / path.name)) as file:
      for batch in readers.make_reader(SPEC, 13, 12).dataset(str(path), 1):
        length = int(batch["num_frames"][0])
        file.write(as_example(
            batch["id"][0].numpy(), np.flatnonzero(batch["labels"][0]),
            {name: x[0, :length].numpy() for name, x in batch["features"].items()}))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
  """Each command of the page, on records of the own format, and on the same others."""
  folder = tmp_path_factory.mktemp("reader")
  with pytest.MonkeyPatch.context() as patch:
    example = own_code.Example("Reader", folder, patch)
    write_both(folder)
    train, evaluate, infer, export = example.commands()

    def patterns(kind, part):
      return [f"--{flag}_data_pattern={folder}/{kind}/{part}*.tfrecord"
              for flag in ("train", "eval", "input")]

    own, others = f"{folder}/own", f"{folder}/both/frame"
    for steps in (3, 5):  # Resumed in the middle of an epoch.
      example.run(train, f"--train_data_pattern={own}/train*", f"--max_steps={steps}")
    for command in (evaluate, infer, export):
      failed = example.run([word for word in command if "allow_code" not in word],
                           check=False)
      assert failed.returncode == 1 and "add --allow_code=my_readers" in failed.stderr
    evaluated = example.run(evaluate, f"--eval_data_pattern={own}/validate*")
    example.run(infer, f"--input_data_pattern={own}/test*")
    example.run(export)
    example.run(["yt8m-train", "--train_dir=other", DTYPES],
                f"--train_data_pattern={others}/train*", "--max_steps=5")
    other = example.run(["yt8m-eval", "--train_dir=other"],
                        f"--eval_data_pattern={others}/validate*")
    example.run(["yt8m-inference", "--train_dir=other", "--output_file=other.csv"],
                f"--input_data_pattern={others}/test*")
    yield example, folder, evaluated.stdout, other.stdout


@pytest.mark.long
def test_the_same_videos_give_the_same_model_and_scores(trained):
  _, folder, evaluated, other = trained
  assert evaluated.split("|")[1:] == other.split("|")[1:] and "GAP" in evaluated
  own, others = (support.read_submission(folder / f"{name}.csv")
                 for name in ("scores", "other"))
  assert len(own) == len(others) > 0
  for video, (classes, scores) in own.items():
    np.testing.assert_array_equal(classes, others[video][0])
    np.testing.assert_allclose(scores, others[video][1], rtol=1e-5)
  config = json.loads((folder / "model" / "config.json").read_text())
  assert config["model"]["feature_spec"]["reader"] == "my_readers:Arrays"


@pytest.mark.long
def test_a_saved_model_takes_the_records_without_the_code(trained):
  example, folder, *_ = trained
  [path] = (folder / "own").glob("test-00*")
  serialized = [*tf.data.TFRecordDataset(str(path)).as_numpy_iterator()]
  served = tf.saved_model.load(str(folder / "serving")).signatures["serving_default"](
      tf.constant(serialized))
  scores = support.read_submission(folder / "scores.csv")
  for video, classes, values in zip(
      *(np.asarray(served[name])[:, 0] for name in (
          "video_id", "class_indexes", "predictions")), strict=True):
    np.testing.assert_array_equal(classes, scores[video.decode()][0])
    np.testing.assert_allclose(values, scores[video.decode()][1], rtol=1e-4)
  command = ["yt8m-inference", "--output_file=served.csv"]
  flags = [f"--saved_model={folder}/serving", f"--input_data_pattern={folder}/own/test*"]
  failed = example.run(command, *flags, check=False)
  assert failed.returncode == 1 and "add --allow_code=my_readers" in failed.stderr
  example.run(command, *flags, "--allow_code=my_readers")
  assert len(support.read_submission(folder / "served.csv")) == len(scores)


FRAMES = {"rgb": np.ones((3, 16), np.float32), "audio": np.ones((3, 8), np.float32)}
GOOD = as_example(b"good", [1, 4], FRAMES)
BAD = {
    "no id": (as_example(b"", [1], FRAMES), "the id b''"),
    "label": (as_example(b"x", [13], FRAMES), "labels from 0 to 12"),
    "not finite": (as_example(b"x", [1], {**FRAMES, "rgb": FRAMES["rgb"] * np.inf}),
                   "finite features"),
    "other keys": (tf.train.Example().SerializeToString(), "cannot be parsed by Arrays")}


@pytest.fixture
def reader(tmp_path, monkeypatch):
  own_code.Example("Reader", tmp_path, monkeypatch)
  spec = feature_spec.FeatureSpec.from_config(
      {**SPEC.to_config(), "reader": "my_readers:Arrays"})
  with registry.allow_code(["my_readers"]):
    yield readers.make_reader(spec, 13, 5)


def write(path, *serialized):
  with tf.io.TFRecordWriter(str(path)) as file:
    for record in serialized:
      file.write(record)
  return str(path)


def test_frames_are_cut_padded_and_masked(reader, tmp_path):
  long = {"rgb": np.full((9, 16), 2, np.float32), "audio": np.ones((9, 8), np.float32)}
  path = write(tmp_path / "r", GOOD, as_example(b"long", [], long))
  [batch] = reader.dataset(path, 2)
  assert batch["num_frames"].numpy().tolist() == [3, 5]
  rgb = batch["features"]["rgb"].numpy()
  assert rgb.shape == (2, 5, 16) and rgb.dtype == np.float32
  assert (rgb[0, 3:] == 0).all() and (rgb[0, :3] == 1).all() and (rgb[1] == 2).all()
  assert np.flatnonzero(batch["labels"][0]).tolist() == [1, 4]
  assert not batch["labels"][1].numpy().any()
  sets = label_reader.collect_label_sets(reader, [path])
  assert sets.num_classes == 13 and len(sets) == 2
  assert label_reader.video_ids(reader, [path]).tolist() == [b"good", b"long"]


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_record_is_named_or_left_out(kind, reader, tmp_path):
  bad, message = BAD[kind]
  path = write(tmp_path / "r", GOOD, bad, GOOD)
  with pytest.raises(records.RecordError, match=f"{path}, record 1 .*{message}"):
    with records.clear_errors(reader.explain, [path]):
      list(reader.dataset(path, 2))
  for batch_size in (1, 2, 3):
    batches = list(reader.dataset(path, batch_size, skip_bad_records=True))
    ids = [one for batch in batches for one in batch["id"].numpy()]
    assert ids == [b"good", b"good"]
  assert sum(reader.incidents.counts.values()) >= 1
  # Its id and labels can be read if only its frames are bad.
  ids = [b"good", *([b"x"] if kind == "not finite" else []), b"good"]
  sets = label_reader.collect_label_sets(reader, [path], skip_bad_records=True)
  assert len(sets) == len(ids)
  assert label_reader.video_ids(reader, [path], skip_bad_records=True).tolist() == ids


class Wrong(own_reader.OwnReader):
  result = None

  def parse(self, serialized):
    return self.result(serialized) if callable(self.result) else self.result


X = {"id": ["a"], "labels": [[1] * 13], "num_frames": [1],
     "features": {"rgb": tf.zeros([1, 1, 16]), "audio": tf.zeros([1, 1, 8])}}


def failing(serialized):
  return {}["x"]


def python(serialized):
  return {**X, "id": tf.numpy_function(lambda x: x, [serialized], tf.string)}


@pytest.mark.parametrize("result, message", [
    (None, "Wrong.parse must return a dictionary with id, features, labels"),
    ({**X, "features": tf.zeros([1, 1, 16])}, "of which features is a dictionary"),
    ({**X, "features": {"rgb": X["features"]["rgb"]}}, "a feature audio .*returns none"),
    ({key: X[key] for key in ("id", "features", "labels")}, "must return num_frames"),
    ({**X, "num_frames": [1.5]}, "num_frames as whole numbers of the shape"),
    ({**X, "id": [5]}, "id as text of the shape .batch_size.; it is of type int32"),
    ({**X, "labels": [["a"]]}, "labels as zeros and ones of the shape .batch_size, 13."),
    ({**X, "labels": tf.ragged.constant([[1.5]])}, "numbers of the classes as whole num"),
    ({**X, "features": {"rgb": tf.zeros([1, 1, 16], tf.uint8)}},
     "rgb as float32 .--feature_dtypes. of the shape .batch_size, any, 16.; it is of type"
     " uint8"),
    ({**X, "features": {"rgb": tf.zeros([1, 1, 15])}}, "shape .batch_size, any, 16."),
    ({**X, "features": {"rgb": tf.ragged.constant([[[1.0]]])}}, "Ragged.*must be dense"),
    (failing, "Wrong.parse fails: KeyError: 'x'"),
    (python, "calls Python .PyFunc.*: parse with operations of TensorFlow")])
def test_what_a_reader_returns_is_checked(result, message):
  reader = Wrong(SPEC, 13)
  reader.result = result
  with pytest.raises(ValueError, match=message):
    reader.check_features([], "--data")


@pytest.mark.parametrize("body, message", [
    ("pass", "abstract class"), ("def __init__(self, x): pass", "positional arguments")])
def test_a_reader_that_cannot_be_built(body, message, tmp_path, monkeypatch):
  name = f"reader_{len(body)}"
  (tmp_path / f"{name}.py").write_text(
      "from yt8m.data import own_reader\n"
      f"class Mine(own_reader.OwnReader):\n  {body}\n")
  monkeypatch.syspath_prepend(str(tmp_path))
  spec = feature_spec.FeatureSpec(("x",), (2,), "video", reader=f"{name}:Mine")
  with registry.allow_code([name]), pytest.raises(
      ValueError, match=f"--reader={name}:Mine cannot be built: .*"):
    readers.make_reader(spec, 3)


@pytest.mark.parametrize("num_frames, good", [
    (1, True), (0, True), (2, False), (-1, False), (2**32 + 1, False)])
def test_features_have_as_many_frames_as_is_said(num_frames, good):
  reader = Wrong(SPEC, 13)
  reader.result = {**X, "num_frames": tf.constant([num_frames], tf.int64)}
  if good:
    assert reader.parse_batch(tf.constant([b""]))["num_frames"].numpy() == [1]
  else:
    with pytest.raises(tf.errors.InvalidArgumentError, match="record 0 of the batch"):
      reader.parse_batch(tf.constant([b""]))


def test_dense_labels():
  reader = Wrong(feature_spec.FeatureSpec(("x",), (2,), "video"), 3)
  reader.result = {"id": tf.constant(["a", "b"]), "features": {"x": tf.zeros([2, 2])},
                   "labels": tf.constant([[0.0, 1, 0], [1, 0, 1]])}
  assert reader.parse_batch(tf.constant([b"", b""]))["labels"].numpy().tolist() == [
      [False, True, False], [True, False, True]]
  reader.result["labels"] = tf.constant([[0.5, 1, 0], [1, 0, 1]])
  with pytest.raises(tf.errors.InvalidArgumentError, match="record 0 of the batch"):
    reader.parse_batch(tf.constant([b"", b""]))


def test_segments_cannot_be_read(reader):
  with pytest.raises(ValueError, match="by --reader=my_readers:Arrays: leave it"):
    reader.spec.with_segment_labels(True)
