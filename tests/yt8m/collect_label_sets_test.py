# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-label-sets` as a user types it, and training with its file."""

import os
import re

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import full_disk
from tests.helpers import support
from yt8m.data import label_sets
from yt8m.data import tfrecords
from yt8m.synthetic import writer as sample_data_writer

LABEL_SETS, TRAIN = "yt8m.collect_label_sets", "yt8m.train"
EVAL, EXPORT = "yt8m.eval.evaluate", "yt8m.export.export_model"
CLASSES = 13


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
  directory = tmp_path_factory.mktemp("label_sets") / "sample"
  sample_data_writer.write(sample_data_writer.SampleDataConfig(
      num_videos=80, num_classes=CLASSES, max_frames=12, feature_sizes=(8, 4),
      num_shards=2), str(directory))
  return directory


def collect(pattern, output, *flags, **options):
  return support.run_command(
      LABEL_SETS, f"--input_data_pattern={pattern}", f"--output_file={output}",
      f"--num_classes={CLASSES}", *flags, **options)


def labels_of(pattern):
  """Returns the label sets in the order of the files, read without our readers."""
  files = sorted(tf.io.gfile.glob(str(pattern)))
  return [sorted(set(tf.train.Example.FromString(record.numpy())
                     .features.feature["labels"].int64_list.value))
          for record in tf.data.TFRecordDataset(files)]


def load(path):
  sets = label_sets.LabelSets.load(str(path), CLASSES)
  return [part.tolist() for part in np.split(sets.classes, np.cumsum(sets.sizes)[:-1])]


def test_labels_of_videos_then_train_evaluate_export(sample, tmp_path):
  pattern, output = f"{sample}/video/train*.tfrecord", tmp_path / "sets.npz"
  process = collect(pattern, output)
  expected = labels_of(pattern)
  assert sorted(load(output)) == sorted(expected)
  different = len({tuple(labels) for labels in expected})
  mean = sum(map(len, expected)) / len(expected)
  assert (f"56 label sets of {mean:.2f} labels on average, {different} of them different."
          in process.stdout)
  assert "100: 100.0%, 1,000: 100.0%, 5,000: 100.0%." in process.stdout

  model = tmp_path / "model"
  support.run_command(
      TRAIN, f"--train_dir={model}", f"--label_sets={output}", "--max_steps=3",
      "--feature_names=mean_rgb,mean_audio", "--feature_sizes=8,4", "--batch_size=16",
      f"--num_classes={CLASSES}", f"--train_data_pattern={sample}/video/*.tfrecord",
      "--classifier=label_powerset",
      '--hparams={"classifier": {"num_sets": 40, "objective": "sets"}}')
  process = support.run_command(
      EVAL, f"--train_dir={model}", "--run_once", "--top_k=5",
      f"--eval_data_pattern={sample}/video/validate*.tfrecord")
  assert "step 3 |" in process.stdout and "GAP: 0." in process.stdout
  support.run_command(
      EXPORT, f"--train_dir={model}", f"--output_dir={tmp_path}/serving", "--top_k=3")

  # The sets came from the file and were stored with the model.
  frequent, _ = label_sets.LabelSets.load(str(output), CLASSES).most_frequent(40, 10)
  checkpoint = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(model)))
  [sets] = [value for value in map(
      checkpoint.get_tensor, checkpoint.get_variable_to_shape_map())
            if np.shape(value) == (40, 10)]
  np.testing.assert_array_equal(sets[:len(frequent)], frequent.padded(10))
  serve = tf.saved_model.load(f"{tmp_path}/serving").signatures["predict_features"]
  scores = serve(mean_rgb=tf.ones((2, 8)), mean_audio=tf.ones((2, 4)))["predictions"]
  seen = np.isin(np.arange(CLASSES), frequent.classes)
  assert np.all(scores.numpy()[:, seen] > 0) and np.all(scores.numpy()[:, ~seen] == 0)


def test_without_a_file_training_counts_its_own_records(sample, tmp_path):
  support.run_command(
      TRAIN, f"--train_dir={tmp_path}/model", "--max_steps=2", "--batch_size=16",
      "--feature_names=mean_rgb,mean_audio", "--feature_sizes=8,4",
      f"--num_classes={CLASSES}", f"--train_data_pattern={sample}/video/train*.tfrecord",
      "--classifier=label_powerset", '--hparams={"classifier": {"num_sets": 3}}')
  own = label_sets.LabelSets.from_matrix(np.array([
      np.isin(np.arange(CLASSES), labels)
      for labels in labels_of(f"{sample}/video/train*.tfrecord")]))
  checkpoint = tf.train.load_checkpoint(
      tf.train.latest_checkpoint(str(tmp_path / "model")))
  [sets] = [value for value in map(
      checkpoint.get_tensor, checkpoint.get_variable_to_shape_map())
            if np.shape(value) == (3, 10)]
  np.testing.assert_array_equal(sets, own.most_frequent(3, 10)[0].padded(10))


def train(model, *flags, **options):
  return support.run_command(
      TRAIN, f"--train_dir={model}", "--max_steps=1", "--batch_size=16",
      "--feature_names=mean_rgb,mean_audio", "--feature_sizes=8,4",
      f"--num_classes={CLASSES}", *flags, **options)


def prior_of(model):
  """Returns the class frequencies, from the biases after one step with rate 0."""
  checkpoint = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(model)))
  [biases] = [checkpoint.get_tensor(name)
              for name, shape in checkpoint.get_variable_to_shape_map().items()
              if shape == [CLASSES] and "optimizer" not in name]
  return 1 / (1 + np.exp(-biases))


def test_videos_that_are_evaluated_on_are_left_out(sample, tmp_path):
  collect(f"{sample}/video/*.tfrecord", tmp_path / "sets.npz")
  flags = ["--model=LogisticModel", "--base_learning_rate=0",
           f"--train_data_pattern={sample}/video/train*.tfrecord",
           f"--label_sets={tmp_path}/sets.npz"]
  # Frame-level records of the same videos give the same result.
  process = train(tmp_path / "model", *flags, "--label_sets_exclude="
                  f"{sample}/frame/validate*.tfrecord, {sample}/video/test*.tfrecord")
  assert ("Left out 24 of 80 label sets: their videos are in --label_sets_exclude."
          in process.stderr)
  expected = np.array([np.isin(np.arange(CLASSES), labels)
                       for labels in labels_of(f"{sample}/video/train*.tfrecord")])
  np.testing.assert_allclose(
      prior_of(tmp_path / "model"), (expected.sum(axis=0) + 0.1) / 57, rtol=1e-4)
  train(tmp_path / "all", *flags)
  assert np.ptp(prior_of(tmp_path / "all") - prior_of(tmp_path / "model")) > 1e-3


def test_videos_that_cannot_be_left_out(sample, tmp_path):
  pattern = f"{sample}/video/train*.tfrecord"
  flags = [f"--train_data_pattern={pattern}", f"--label_sets_exclude={pattern}"]
  process = train(tmp_path / "model", *flags, check=False)
  assert f"--label_sets_exclude={pattern} needs --label_sets" in process.stderr
  assert not (tmp_path / "model").exists()

  label_sets.LabelSets.from_matrix(np.eye(CLASSES)).save(str(tmp_path / "nobody.npz"))
  process = train(
      tmp_path / "model", *flags, f"--label_sets={tmp_path}/nobody.npz", check=False)
  assert "--label_sets has no ids" in process.stderr
  assert "Write the file again with yt8m-label-sets" in process.stderr

  collect(pattern, tmp_path / "sets.npz")
  process = train(
      tmp_path / "model", *flags, f"--label_sets={tmp_path}/sets.npz", check=False)
  assert "leaves none of the 56 label sets" in process.stderr


def test_labels_of_frames_and_of_segments(sample, tmp_path):
  collect(f"{sample}/frame/train*.tfrecord", tmp_path / "frame.npz", "--frame_features")
  assert sorted(load(tmp_path / "frame.npz")) == sorted(
      labels_of(f"{sample}/video/train*.tfrecord"))

  path = tmp_path / "segments.tfrecord"
  with tf.io.TFRecordWriter(str(path)) as writer:
    writer.write(tfrecords.segment_example(
        "v", [3], {"rgb": np.ones((9, 2), np.uint8)},
        [(0, 3, 1.0), (0, 5, 1.0), (4, 3, 0.0)]).SerializeToString())
  collect(path, tmp_path / "segments.npz", "--segment_labels", "--feature_sizes=2")
  assert load(tmp_path / "segments.npz") == [[3, 5], []]
  sets = label_sets.LabelSets.load(str(tmp_path / "segments.npz"), CLASSES)
  assert sets.ids.tolist() == ["v", "v"]


def test_max_examples(sample, tmp_path):
  pattern = f"{sample}/video/train*.tfrecord"
  process = collect(pattern, tmp_path / "sets.npz", "--max_examples=5")
  assert "5 label sets of" in process.stdout and len(load(tmp_path / "sets.npz")) == 5
  process = collect(pattern, tmp_path / "none.npz", "--max_examples=0", check=False)
  assert "--max_examples=0: 0 is not a positive integer" in process.stderr


def test_what_is_there_stays(sample, tmp_path):
  pattern, output = f"{sample}/video/train*.tfrecord", tmp_path / "sets.npz"
  output.write_text("precious")
  process = collect(pattern, output, check=False)
  assert process.returncode == 1
  assert f"--output_file={output} exists: name another output, or add --overwrite" in (
      process.stderr)
  assert output.read_text() == "precious"
  collect(pattern, output, "--overwrite")
  assert len(load(output)) == 56


def test_damaged_records_stop_or_are_skipped(sample, tmp_path):
  [first, second] = sorted((sample / "video").glob("train*.tfrecord"))
  for path in (first, second):
    (tmp_path / path.name).write_bytes(path.read_bytes())
  damaged = bytearray(first.read_bytes())
  damaged[20] ^= 0xFF
  (tmp_path / first.name).write_bytes(damaged)
  pattern, output = tmp_path / "*.tfrecord", tmp_path / "sets.npz"
  process = collect(pattern, output, check=False)
  assert f"{first.name}, record 0 is corrupt" in process.stderr
  assert not output.exists() and len(list(tmp_path.iterdir())) == 2
  collect(pattern, output, "--skip_corrupt_records")
  assert sorted(load(output)) == sorted(labels_of(second))


def test_an_empty_output_is_named(tmp_path):
  process = collect(tmp_path / "*", "", check=False)
  assert process.returncode == 1
  assert "ERROR: --output_file is empty: give a path, or leave" in process.stderr


def test_no_record_is_an_error(tmp_path):
  path = tmp_path / "empty.tfrecord"
  path.write_bytes(b"")
  process = collect(path, tmp_path / "sets.npz", check=False)
  assert f"There are no label sets in --input_data_pattern={path}" in process.stderr
  assert not (tmp_path / "sets.npz").exists()


def test_a_full_disk_leaves_nothing_behind(sample, tmp_path):
  with full_disk.full_disk(after=100):
    process = collect(f"{sample}/video/train*.tfrecord", tmp_path / "sets.npz",
                      check=False)
  assert process.returncode == 1 and "Traceback" not in process.stderr
  assert re.search("ERROR: .*after 100 bytes; nothing half-written .*sets.npz",
                   process.stderr)
  assert not os.listdir(tmp_path)
