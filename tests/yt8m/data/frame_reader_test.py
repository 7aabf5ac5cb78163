# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frame-level records: the starter code's values, lengths, padding and bad records."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.support import DATA
from tests.helpers.support import GOLDENS
from tests.helpers.support import load_golden
from tests.helpers.support import needs_data
from tests.helpers.support import needs_goldens
from tests.helpers.support import with_prefix
from yt8m.core.feature_spec import FeatureSpec
from yt8m.data import frame_reader
from yt8m.data import missing_features
from yt8m.data import records
from yt8m.data import tfrecords
from yt8m.data.readers import FrameLevelReader

SPEC = FeatureSpec(("rgb", "audio"), (4, 2), "frame")
MAX_FRAMES = 6


def make_example(video_id, rgb=3, audio=None, labels=(1,)):
  rng = np.random.default_rng(len(video_id) + rgb)
  return tfrecords.frame_example(video_id, labels, {
      "rgb": rng.integers(1, 256, (rgb, 4), np.uint8),
      "audio": rng.integers(1, 256, (rgb if audio is None else audio, 2), np.uint8)})


def write(path, examples):
  with tf.io.TFRecordWriter(str(path)) as writer:
    for example in examples:
      writer.write(example.SerializeToString())
  return str(path)


def read(path, reader=None, batch_size=4, **kwargs):
  reader = reader or FrameLevelReader(SPEC, 5, MAX_FRAMES)
  with records.clear_errors():
    return list(reader.dataset(str(path), batch_size, **kwargs))


def ids(batches):
  return [i.decode() for batch in batches for i in batch["id"].numpy()]


def dequantize(batch):
  """Dequantises and concatenates the features, as the model does."""
  frames = np.concatenate(
      [x.numpy().astype(np.float32) for x in batch["features"].values()], axis=2)
  exists = np.arange(frames.shape[1]) < batch["num_frames"].numpy()[:, np.newaxis]
  return np.where(exists[..., np.newaxis], frames * (4 / 255) + (4 / 512 - 2), 0)


def test_a_broken_record_that_tensorflow_does_not_name_is_named(tmp_path):
  good = make_example("DiRU").SerializeToString(deterministic=True)
  bad = good.replace(b"\n\x04DiRU", b"\n\x14DiRU")  # longer than what holds it
  for name, examples in {"a": [good, good], "b": [good, bad]}.items():
    with tf.io.TFRecordWriter(str(tmp_path / name)) as writer:
      for example in examples:
        writer.write(example)
  reader = FrameLevelReader(SPEC, 5, MAX_FRAMES)
  files = [str(tmp_path / name) for name in "ab"]
  with pytest.raises(records.RecordError, match="b, record 1 is no tf.train.Example or "
                     "SequenceExample: .*--skip_bad_records"):
    with records.clear_errors(reader.explain, files):
      list(reader.dataset(",".join(files), 4))
  with pytest.raises(records.RecordError, match="^A record cannot be parsed"):
    with records.clear_errors():
      list(reader.dataset(",".join(files), 4))


@needs_goldens
class TestStarterCode:

  @pytest.mark.parametrize("names", ["rgb_audio", "rgb"])
  def test_short_videos(self, names):
    golden = with_prefix(load_golden("reader_frame")[0], f"{names}_max12/")
    names = names.split("_")
    spec = FeatureSpec(names, (16, 8)[:len(names)], "frame")
    batch, = FrameLevelReader(spec, 20, 12).dataset(f"{GOLDENS}/frame_small.tfrecord", 7)
    # vid4 and vid5 have features of different length; the starter code uses the first.
    same = [0, 1, 2, 3, 6] if len(names) == 2 else list(range(7))
    np.testing.assert_array_equal(batch["id"], golden["video_ids"])
    np.testing.assert_array_equal(batch["labels"], golden["labels"])
    np.testing.assert_array_equal(
        batch["num_frames"].numpy()[same], golden["num_frames"][same])
    np.testing.assert_allclose(
        dequantize(batch)[same], golden["video_matrix"][same], atol=1e-6)
    assert batch["features"]["rgb"].dtype == tf.uint8

  def test_long_videos(self):
    golden, _ = load_golden("reader_frame")
    spec = FeatureSpec(("audio", "rgb"), (8, 16), "frame")
    batch, = FrameLevelReader(spec, 20).dataset(f"{GOLDENS}/frame_small.tfrecord", 7)
    matrix = dequantize(batch)
    assert matrix.shape == (7, 300, 24)
    for row in (0, 1, 2, 3, 6):
      expected = golden[f"audio_rgb_max300/{row}/video_matrix_first_rows"][0]
      np.testing.assert_allclose(matrix[row, :len(expected)], expected, atol=1e-6)
      assert not matrix[row, len(expected):].any()

  def test_shorter_feature_wins_and_is_reported(self, caplog):
    golden, _ = load_golden("reader_frame")
    reader = FrameLevelReader(FeatureSpec(("rgb", "audio"), (16, 8), "frame"), 20, 12)
    batch, = reader.dataset(f"{GOLDENS}/frame_small.tfrecord", 7)
    for row in (4, 5):
      assert batch["num_frames"][row] == 9
      for name in ("rgb", "audio"):
        frames = batch["features"][name][row].numpy()
        np.testing.assert_array_equal(frames[:9], golden[f"in/{row}/{name}"][:9])
        assert not frames[9:].any()
    assert reader.incidents.counts == {"features of different length": 2}
    assert ("frame_small.tfrecord, record 4 (id vid4) has these numbers of frames: "
            "{'rgb': 9, 'audio': 11}. The first 9 count.") in caplog.text


@needs_data
class TestRealRecords:

  def test_youtube_8m(self):
    spec = FeatureSpec(("rgb", "audio"), (1024, 128), "frame")
    path = str(DATA / "yt8m/frame/frame_SjJ3.tfrecord")
    batch, = FrameLevelReader(spec, 3862).dataset(path, 1)
    record = tf.train.SequenceExample.FromString(
        next(iter(tf.data.TFRecordDataset(path))).numpy())
    assert batch["num_frames"] == [170]
    assert np.flatnonzero(batch["labels"]) == [11]
    for name in spec.names:
      written = record.feature_lists.feature_list[name].feature
      frames = batch["features"][name][0].numpy()
      assert len(written) == 170 and frames.shape[0] == 300
      assert b"".join(f.bytes_list.value[0] for f in written) == frames[:170].tobytes()
      assert not frames[170:].any()

  def test_audioset(self):
    reader = FrameLevelReader(
        FeatureSpec(("audio_embedding",), (128,), "frame"), 527, max_frames=10)
    batches = read(DATA / "audioset/eval/*", reader, 512)
    assert len(set(ids(batches))) == 6111
    num_frames = np.concatenate([b["num_frames"] for b in batches])
    assert num_frames.min() >= 1 and np.mean(num_frames == 10) > 0.9
    assert all(np.any(b["labels"], axis=1).all() for b in batches)


class TestBatches:

  @pytest.mark.parametrize("batch_size", [1, 3, frame_reader.CHUNK_SIZE, 20, 33, 64])
  def test_every_video_once_in_order_whatever_the_batch_size(self, tmp_path, batch_size):
    expected = [f"v{i}" for i in range(41)]
    path = write(tmp_path / "x", [make_example(v, rgb=1 + len(v)) for v in expected])
    batches = read(path, batch_size=batch_size)
    assert ids(batches) == expected
    assert [len(b["id"]) for b in batches[:-1]] == [batch_size] * (len(batches) - 1)
    full = read(path, batch_size=batch_size, drop_remainder=True)
    assert ids(full) == expected[:41 - 41 % batch_size]

  def test_static_shapes(self, tmp_path):
    path = write(tmp_path / "x", [make_example("v")])
    spec = FrameLevelReader(SPEC, 5, MAX_FRAMES).dataset(
        path, 3, drop_remainder=True).element_spec
    assert tf.nest.map_structure(lambda tensor: tensor.shape.as_list(), spec) == {
        "id": [3], "features": {"rgb": [3, 6, 4], "audio": [3, 6, 2]},
        "num_frames": [3], "labels": [3, 5]}

  def test_longest_of_the_batch(self, tmp_path):
    path = write(tmp_path / "x", [make_example("v", rgb=n) for n in (2, 4, 1, 9)])
    reader = FrameLevelReader(SPEC, 5, MAX_FRAMES, pad_to_max_frames=False)
    short, long = read(path, reader, 2)
    assert short["features"]["rgb"].shape == (2, 4, 4)
    assert long["features"]["audio"].shape == (2, MAX_FRAMES, 2)
    padded, = read(path)
    np.testing.assert_array_equal(
        padded["features"]["rgb"][:2, :4], short["features"]["rgb"])
    with pytest.raises(ValueError, match="pad_to_max_frames"):
      reader.dataset(path, 2, drop_remainder=True)


class TestMissingFeatures:
  """A video lacks a feature, as a silent one, or all of them; its row is kept."""
  LENGTHS = {"a": (2, 2), "none": (0, 0), "b": (6, 6), "half": (3, 0), "c": (1, 1)}
  EXAMPLES = [make_example(v, *frames) for v, frames in LENGTHS.items()]

  @pytest.mark.parametrize("pad", [True, False])
  @pytest.mark.parametrize("absent", [True, False])
  def test_count_as_zeros(self, tmp_path, caplog, pad, absent):
    examples = [tf.train.SequenceExample.FromString(example.SerializeToString())
                for example in self.EXAMPLES]
    if absent:
      del examples[1].feature_lists.feature_list["rgb"]
      del examples[1].feature_lists.feature_list["audio"]
      del examples[3].feature_lists.feature_list["audio"]
    path = write(tmp_path / "x", examples)
    reader = FrameLevelReader(SPEC, 5, MAX_FRAMES, pad_to_max_frames=pad)
    batches = read(path, reader, 2)
    assert ids(batches) == list(self.LENGTHS)
    assert [int(n) for b in batches for n in b["num_frames"]] == [2, 1, 6, 3, 1]
    assert not np.any(batches[0]["features"]["rgb"][1])
    assert not np.any(batches[1]["features"]["audio"][1])
    assert np.all(batches[1]["features"]["rgb"][1, :3])
    assert reader.incidents.counts == {
        "videos without any feature": 1, "videos with a missing feature": 1}
    assert f"{path}, record 3 (id half) has no audio, which counts" in caplog.text

  def test_a_batch_of_nothing_else(self, tmp_path):
    path = write(tmp_path / "x", [make_example("none", 0)] * 20)
    for pad in (True, False):
      batches = read(path, FrameLevelReader(SPEC, 5, MAX_FRAMES, pad), batch_size=8)
      assert len(ids(batches)) == 20
      assert not any(np.any(x) for b in batches for x in b["features"].values())

  def test_in_a_saved_model(self):
    """Which cannot warn, so that a record without any feature is refused."""
    a, none, b, half, c = (
        example.SerializeToString() for example in self.EXAMPLES)
    parse = tf.function(
        FrameLevelReader(SPEC, 5, MAX_FRAMES, False).parse_batch,
        input_signature=[tf.TensorSpec([None], tf.string)])
    batch = parse([a, b, half, c])
    assert list(batch["num_frames"]) == [2, 6, 3, 1]
    assert batch["features"]["audio"].shape == (4, 6, 2)
    video = tfrecords.video_example("v", [], {"rgb": 4 * [1.0], "audio": 2 * [1.0]})
    for bad in (none, video.SerializeToString()):
      with pytest.raises(tf.errors.InvalidArgumentError, match="record 1 of the batch is "
                         "bad. Expected: .* frames with at least one of these features"):
        parse([a, bad, b])

  def test_a_feature_that_no_record_has_is_a_wrong_name(self, tmp_path):
    path = write(tmp_path / "x", self.EXAMPLES)
    reader = FrameLevelReader(FeatureSpec(("rgb", "sound"), (4, 2), "frame"), 5)
    with pytest.raises(ValueError, match=f"^{path}, record 0 has no feature sound, and "
                       r"nor has any .* --data, only audio, rgb \(--feature_names\)"):
      missing_features.check([path], reader.expected, reader.explain, "--data")
    reader = FrameLevelReader(SPEC, 5)
    missing_features.check([path], reader.expected, reader.explain, "--data")
    silent = write(tmp_path / "silent", [make_example("v", 3, 0)] * 2)
    missing_features.check([silent], reader.expected, reader.explain, "--data")


@pytest.mark.parametrize(("bad", "message"), [
    (make_example("v", labels=[5]), "has label 5, outside the 5 classes"),
    (make_example("v", labels=[-1]), "has label -1, outside the 5 classes"),
    (make_example(""), "has neither id nor video_id"),
    # The starter code silently reshaped another multiple of the size.
    (tfrecords.frame_example("v", [1], {"rgb": np.zeros((2, 8), np.uint8),
                                        "audio": np.zeros((2, 2), np.uint8)}),
     r"has 8 bytes in frame 0 of feature rgb, expected 4 \(--feature_sizes\)"),
    (tfrecords.video_example("v", [1], {"mean_rgb": [1.0]}),
     "has no frames of feature rgb, only id, labels, mean_rgb. If these are "
     "video-level records, drop --frame_features."),
])
def test_bad_record_is_named(tmp_path, bad, message):
  examples = [make_example(f"v{i}") for i in range(20)]
  path = write(tmp_path / "some.tfrecord", [*examples, make_example("none", 0), bad])
  with pytest.raises(records.RecordError, match=f"^{path}, record 21 {message}"):
    read(path)


def test_single_wrong_frame(tmp_path):
  bad = make_example("v", 5)
  bad.feature_lists.feature_list["audio"].feature[3].bytes_list.value[0] = b"xyz"
  with pytest.raises(records.RecordError,
                     match="record 1 has 3 bytes in frame 3 of feature audio"):
    read(write(tmp_path / "x", [make_example("v"), bad]))


def test_parse_batch_in_a_saved_model(tmp_path):
  reader = FrameLevelReader(SPEC, 5, MAX_FRAMES)
  module = tf.Module()
  module.parse = tf.function(
      reader.parse_batch, input_signature=[tf.TensorSpec([None], tf.string)])
  assert module.parse.get_concrete_function().structured_outputs[
      "features"]["rgb"].shape.as_list() == [None, MAX_FRAMES, 4]
  tf.saved_model.save(module, str(tmp_path / "model"))
  parse = tf.saved_model.load(str(tmp_path / "model")).parse
  examples = [make_example("a", 2), make_example("b", 9, 4), make_example("c", 6)]
  batch = parse([example.SerializeToString() for example in examples])
  read_back, = read(write(tmp_path / "x", examples))
  tf.nest.map_structure(np.testing.assert_array_equal, batch, read_back)
  for bad in (make_example(""), make_example("v", labels=[7])):
    with pytest.raises(tf.errors.InvalidArgumentError,
                       match="record 1 of the batch is bad. Expected: an id, labels"):
      parse([examples[0].SerializeToString(), bad.SerializeToString()])


@pytest.mark.parametrize("pad", [True, False])
def test_bad_records_are_left_out_one_by_one(tmp_path, pad):
  examples = [make_example(f"v{i}") for i in range(20)]
  no_id, short = make_example(""), make_example("v", 5)
  short.feature_lists.feature_list["rgb"].feature[2].bytes_list.value[0] = b"xyz"
  for place, bad in ((0, no_id), (7, short), (19, make_example("v", labels=[9]))):
    examples.insert(place, bad)
  reader = FrameLevelReader(SPEC, 5, MAX_FRAMES, pad_to_max_frames=pad)
  batches = read(write(tmp_path / "x", examples), reader, 8, skip_bad_records=True)
  assert ids(batches) == [f"v{i}" for i in range(20)]
  assert reader.incidents.counts == {
      f"bad records left out, with {kind}": 1
      for kind in ("no id", "wrong sizes", "labels out of range")}
