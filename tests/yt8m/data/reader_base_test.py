# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The order of an epoch: shuffled by seed and epoch, resumed exactly, sharded evenly."""

import pytest
import tensorflow as tf

from yt8m.core import paths
from yt8m.core.feature_spec import FeatureSpec
from yt8m.data import records
from yt8m.data import tfrecords
from yt8m.data.readers import VideoLevelReader

NUM_FILES, PER_FILE = 3, 12
READER = VideoLevelReader(FeatureSpec(("mean_rgb",), (2,), "video"), 3)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
  folder = tmp_path_factory.mktemp("records")
  for file in range(NUM_FILES):
    with tf.io.TFRecordWriter(str(folder / f"train{file}.tfrecord")) as writer:
      for i in range(PER_FILE):
        example = tfrecords.video_example(f"{file}-{i}", [i % 3], {"mean_rgb": [file, i]})
        writer.write(example.SerializeToString())
  return f"{folder}/train*.tfrecord"


def ids(pattern, batch_size=7, **kwargs):
  return [i.decode() for batch in READER.dataset(pattern, batch_size, **kwargs)
          for i in batch["id"].numpy()]


def test_one_reader_reads_file_after_file(pattern):
  assert ids(pattern, num_readers=1) == [
      f"{file}-{i}" for file in range(NUM_FILES) for i in range(PER_FILE)]


def test_files_read_one_by_one_are_those_of_datasets(pattern):
  read = READER.file_reader(batch_size=7)
  for path in 2 * paths.match(pattern):
    for found, expected in zip(read(path), READER.dataset(path, 7), strict=True):
      tf.nest.map_structure(
          lambda x, y: tf.debugging.assert_equal(x, y), found, expected)


def test_training_order_is_a_function_of_seed_and_epoch(pattern):
  first = ids(pattern, training=True, seed=1, epoch=2)
  assert first == ids(pattern, training=True, seed=1, epoch=2)
  others = [ids(pattern, training=True, seed=s, epoch=e) for s, e in ((1, 3), (2, 2))]
  for other in [*others, ids(pattern)]:
    assert other != first and sorted(other) == sorted(first)
  assert first != sorted(first) and others[0] != others[1]


def test_files_are_shuffled_beyond_the_buffer(pattern):
  starts = {ids(pattern, training=True, shuffle_buffer=1, epoch=e, num_readers=1)[0]
            for e in range(6)}
  assert len(starts) > 1


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("skip", [1, 20, 36, 37])
def test_skipping_is_resuming(pattern, training, skip):
  whole = ids(pattern, training=training, shuffle_buffer=16, epoch=4)
  assert ids(pattern, training=training, shuffle_buffer=16, epoch=4,
             skip_examples=skip) == whole[skip:]


@pytest.mark.parametrize(("pipelines", "training"), [
    (2, False), (2, True), (NUM_FILES, True), (NUM_FILES + 1, True)])
def test_pipelines_partition_the_examples(pattern, pipelines, training):
  shares = [
      ids(pattern, training=training, epoch=1, input_pipeline=tf.distribute.InputContext(
          num_input_pipelines=pipelines, input_pipeline_id=i))
      for i in range(pipelines)]
  assert all(shares)
  assert sorted(sum(shares, [])) == sorted(ids(pattern))
  if pipelines == NUM_FILES:  # Two shares of three files would be uneven.
    files = [{video_id.split("-")[0] for video_id in share} for share in shares]
    assert sum(map(len, files)) == NUM_FILES


def test_order_without_determinism_holds_the_same_examples(pattern):
  assert sorted(ids(pattern, deterministic=False)) == sorted(ids(pattern))


def test_flag_is_named(tmp_path):
  with pytest.raises(ValueError, match=r"No file matches '.*' \(--eval_data_pattern\)"):
    READER.dataset(f"{tmp_path}/*", 2, flag="--eval_data_pattern")


def test_corrupt_records_are_skipped_and_counted(pattern, tmp_path):
  source = tf.io.gfile.glob(pattern)[0]
  (tmp_path / "good").write_bytes(open(source, "rb").read())
  (tmp_path / "bad").write_bytes(open(source, "rb").read()[:-3])
  with pytest.raises(records.RecordError, match="bad, record 11 is cut off"):
    with records.clear_errors():
      ids(f"{tmp_path}/*")
  before = READER.incidents.counts["damaged files"]
  assert len(ids(f"{tmp_path}/*", skip_corrupt_records=True)) == 2 * PER_FILE - 1
  assert READER.incidents.counts["damaged files"] == before + 1


def test_labels_alone_out_of_range(pattern):
  reader = VideoLevelReader(READER.spec, 2)
  serialized = next(iter(tf.data.TFRecordDataset(tf.io.gfile.glob(pattern)).batch(5)))
  names = tf.constant([f"record {i}" for i in range(5)])
  with pytest.raises(records.RecordError, match="record 2 has label 2, outside the 2"):
    with records.clear_errors():
      tf.function(reader.parse_labels)(serialized, names)
