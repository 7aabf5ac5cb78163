# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of the starter code's README as a user types them.

`python train.py` becomes `yt8m-train`, and so on; the flags stay the same.
"""

import csv
import json
import re
import tarfile

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import full_disk
from tests.helpers import support
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.submissions import segments as segment_submission

TRAIN, EVAL = "yt8m.train", "yt8m.eval.evaluate"
INFERENCE, SEGMENT_EVAL = "yt8m.export.inference", "yt8m.eval.segments"
EXPORT = "yt8m.export.export_model"
CLASSES = 40

VIDEO = ("--feature_names=mean_rgb,mean_audio", "--feature_sizes=1024,128")
FRAME = ("--frame_features", "--feature_names=rgb,audio", "--feature_sizes=1024,128")
# The README trains on millions of videos; these tests train one step on a few.
SHORT = ("--max_steps=3", "--batch_size=16")


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
  directory = tmp_path_factory.mktemp("commands") / "yt8m"
  support.run_command("yt8m.sample_data", f"--output_dir={directory}", "--num_videos=80",
                      f"--num_classes={CLASSES}", "--max_frames=12", "--num_shards=2")
  return directory


@pytest.fixture(scope="module")
def video_model(sample, tmp_path_factory):
  train_dir = tmp_path_factory.mktemp("models") / "video"
  support.run_command(
      TRAIN, *VIDEO, f"--train_data_pattern={sample}/video/train*.tfrecord",
      f"--train_dir={train_dir}", "--start_new_model",
      f"--vocabulary={sample}/vocabulary.csv", "--num_classes=3862", *SHORT)
  return train_dir


@pytest.fixture(scope="module")
def frame_model(sample, tmp_path_factory):
  train_dir = tmp_path_factory.mktemp("models") / "frame"
  support.run_command(
      TRAIN, *FRAME, "--model=FrameLevelLogisticModel",
      f"--train_data_pattern={sample}/frame/train*.tfrecord",
      "--train_dir", train_dir, "--start_new_model", *SHORT)
  return train_dir


def one_metrics_line(output):
  [line] = [line for line in output.splitlines() if "GAP: " in line]
  return float(re.search(r"GAP: (0\.\d+)", line)[1])


def test_train_with_the_default_flags_only(sample, tmp_path):
  """`python train.py --train_data_pattern=… --train_dir=…`: logistic on mean_rgb."""
  support.run_command(TRAIN, f"--train_data_pattern={sample}/video/train*.tfrecord",
                      f"--train_dir={tmp_path}/model", "--max_steps=2")
  config = json.loads((tmp_path / "model" / "config.json").read_text())
  assert config["model"]["num_classes"] == 3862
  assert config["model"]["feature_spec"]["names"] == ["mean_rgb"]
  assert config["model"]["classifier"] == {"name": "logistic", "l2_penalty": 1e-8}
  # It includes the hyperparameters, which model_flags.json of the starter code lacks.
  assert config["flags"]["base_learning_rate"] == 0.01


def test_eval(sample, video_model):
  process = support.run_command(
      EVAL, f"--eval_data_pattern={sample}/video/validate*.tfrecord",
      f"--train_dir={video_model}", "--run_once=True")
  gap = one_metrics_line(process.stdout)
  path = support.evaluated(video_model, "metrics-*.json")
  results = json.loads(path.read_text())
  assert results["gap"] == pytest.approx(gap, abs=1e-4)
  assert results["num_examples"] == 12 and results["step"] == 3
  assert "Best average precision: " in process.stderr
  with support.evaluated(video_model, "classes-3.csv").open(newline="") as file:
    rows = list(csv.DictReader(file))
  assert [row["name"] for row in rows] == list(names_of(sample).names)
  assert {row["class"]: float(row["average_precision"]) for row in rows
          if row["average_precision"]} == results["average_precision"]


def names_of(sample):
  return Vocabulary.load(sample / "vocabulary.csv", 3862)


def test_names_of_classes(sample, video_model, frame_model, tmp_path):
  """They are kept in training; yt8m-inference writes them, or those it is given."""
  names, pattern = names_of(sample), f"{sample}/video/test*.tfrecord"
  assert Vocabulary.find(video_model, 3862) == names
  config = json.loads((video_model / "config.json").read_text())
  assert config["flags"]["vocabulary"] == names.digest
  command = (INFERENCE, f"--train_dir={video_model}", f"--input_data_pattern={pattern}",
             "--top_k=3", f"--output_file={tmp_path}/out.json", "--output_format=json")
  support.run_command(*command)
  rows = list(map(json.loads, (tmp_path / "out.json").read_text().splitlines()))
  assert len(rows) == 12 and all(
      one["name"] == names.names[one["class"]] and 0 <= one["score"] <= 1
      for row in rows for one in row["predictions"])
  # Other names are another job.
  (tmp_path / "names.csv").write_text("0,mine\n")
  process = support.run_command(
      *command, f"--vocabulary={tmp_path}/names.csv", check=False)
  assert process.returncode == 1 and "out.json exists" in process.stderr
  for model, flags, message in (
      (frame_model, ["--output_format=csv_named"],
       "has no names of the classes, which --output_format=csv_named writes: give them"),
      (video_model, [f"--vocabulary={tmp_path}/names.csv", "--output_format=npz"],
       "names.csv has no effect on --output_format=npz: choose json or csv_named")):
    process = support.run_command(
        INFERENCE, f"--train_dir={model}", f"--output_file={tmp_path}/no", *flags,
        f"--input_data_pattern={pattern.replace('video', model.name)}", check=False)
    assert process.returncode == 1 and message in process.stderr
  assert not (tmp_path / "no").exists()


def test_eval_watches_until_the_timeout(sample, frame_model):
  process = support.run_command(
      EVAL, f"--eval_data_pattern={sample}/frame/validate*.tfrecord",
      "--train_dir", frame_model, "--eval_timeout_secs=2", "--eval_interval_secs=1")
  one_metrics_line(process.stdout)


def test_inference_and_model_archive(sample, video_model, tmp_path):
  archive, csv = tmp_path / "model.tgz", tmp_path / "predictions.csv"
  pattern = f"--input_data_pattern={sample}/video/test*.tfrecord"
  support.run_command(INFERENCE, pattern, f"--train_dir={video_model}",
                      f"--output_file={csv}", f"--output_model_tgz={archive}")
  lines = csv.read_text().splitlines()
  assert lines[0] == "VideoId,LabelConfidencePairs" and len(lines) == 13
  assert all(len(classes) == 20
             for classes, _ in support.read_submission(csv).values())
  with tarfile.open(archive) as packed:
    assert {"status.json", "vocabulary.csv"} <= {*packed.getnames()}
  # In another place, the archive alone gives the same result.
  again = tmp_path / "again.csv"
  support.run_command(INFERENCE, pattern, f"--input_model_tgz={archive}",
                      f"--untar_model_dir={tmp_path}/unpacked", "--top_k=20",
                      f"--output_file={again}", "--batch_size=5")
  assert again.read_text() == csv.read_text()


def test_frame_level(sample, frame_model, tmp_path):
  process = support.run_command(
      EVAL, f"--eval_data_pattern={sample}/frame/validate*.tfrecord",
      "--train_dir", frame_model, "--run_once")
  one_metrics_line(process.stdout)
  support.run_command(
      INFERENCE, "--train_dir", frame_model, f"--output_file={tmp_path}/frame.csv",
      f"--input_data_pattern={sample}/frame/test*.tfrecord")
  assert len(support.read_submission(tmp_path / "frame.csv")) == 12


def test_export(sample, frame_model, tmp_path):
  """The SavedModel and yt8m-inference give the same predictions."""
  pattern, csv = f"{sample}/frame/test*.tfrecord", tmp_path / "predictions.csv"
  process = support.run_command(
      EXPORT, f"--train_dir={frame_model}", f"--output_dir={tmp_path}/serving/3",
      "--top_k=7", f"--vocabulary={sample}/vocabulary.csv")
  assert re.search(r"on disk +[\d,]+ bytes +\d+\.\d\d MiB", process.stdout)
  assert "serving_default   example_bytes string (?)" in process.stdout
  assert "predictions float32 (?, 1, 7)" in process.stdout
  assert (tmp_path / "serving" / "3" / "assets" / "vocabulary.csv").exists()

  support.run_command(INFERENCE, f"--train_dir={frame_model}", "--top_k=7",
                      f"--input_data_pattern={pattern}", f"--output_file={csv}")
  expected = support.read_submission(csv)
  serve = tf.saved_model.load(f"{tmp_path}/serving/3").signatures["serving_default"]
  serialized = list(tf.data.TFRecordDataset(tf.io.gfile.glob(pattern)))
  answer = {name: x.numpy()[:, 0] for name, x in serve(tf.stack(serialized)).items()}
  assert {video_id.decode() for video_id in answer["video_id"]} == set(expected)
  for video_id, classes, scores in zip(answer["video_id"], answer["class_indexes"],
                                       answer["predictions"], strict=True):
    np.testing.assert_array_equal(classes, expected[video_id.decode()][0])
    np.testing.assert_allclose(scores, expected[video_id.decode()][1], rtol=1e-5)


def test_export_untrained(tmp_path):
  process = support.run_command(
      EXPORT, "--model=LstmModel", "--untrained", "--num_classes=5", "--lstm_cells=4",
      "--classifier=logistic", "--top_k=2", f"--output_dir={tmp_path}/model")
  weights = 4 * (4 * 4 * (1152 + 4 + 1) + 4 * 4 * (4 + 4 + 1) + 5 * (4 + 1))
  assert f"{weights:,} bytes" in process.stdout
  assert "audio uint8 (?, ?, 128), num_frames int32 (?), rgb uint8 (?, ?, 1024)" in (
      process.stdout)


def test_segments(sample, frame_model, tmp_path):
  """Evaluation and inference on segments, and the evaluation of the submission."""
  pattern = f"{sample}/segment/validate*.tfrecord"
  process = support.run_command(
      EVAL, f"--eval_data_pattern={pattern}", "--train_dir", frame_model,
      "--segment_labels", "--run_once")
  one_metrics_line(process.stdout)
  csv = tmp_path / "kaggle_solution.csv"
  support.run_command(
      INFERENCE, "--train_dir", frame_model, f"--output_file={csv}",
      f"--input_data_pattern={pattern}", "--segment_labels",
      f"--segment_label_ids_file={sample}/segment_label_ids.csv",
      "--segment_max_pred=50")
  rows = segment_submission.read_segment_submission(csv)
  assert all(len(segments) <= 50 for _, segments in rows)
  process = support.run_command(
      SEGMENT_EVAL, f"--eval_data_pattern={pattern}", f"--submission_file={csv}",
      f"--label_cache={tmp_path}/labels.csv", "--top_n=1000")
  assert float(re.search(r"mAP@1000: (\S+)", process.stdout)[1]) > 0


@pytest.mark.parametrize("model, flags", [
    ("MoeModel", (*VIDEO, "--moe_num_mixtures=4")),
    ("DbofModel", (*FRAME, "--dbof_cluster_size=16", "--dbof_hidden_size=8",
                   "--iterations=5", "--sample_random_frames=False",
                   "--dbof_add_batch_norm=False", "--dbof_activation=relu6",
                   "--video_level_classifier_model=LogisticModel")),
    ("LstmModel", (*FRAME, "--lstm_cells=8", "--lstm_layers=1")),
])
def test_the_other_models_with_their_flags(sample, tmp_path, model, flags):
  level = "frame" if "--frame_features" in flags else "video"
  support.run_command(
      TRAIN, *flags, f"--model={model}", f"--train_dir={tmp_path}/model",
      f"--train_data_pattern={sample}/{level}/train*.tfrecord", *SHORT,
      "--label_loss=CrossEntropyLoss", "--regularization_penalty=2",
      "--base_learning_rate=0.001", "--learning_rate_decay=0.9",
      "--learning_rate_decay_examples=100", "--num_epochs=2",
      "--export_model_steps=2", "--num_readers=2", "--optimizer=AdamOptimizer",
      "--clip_gradient_norm=0.5", f"--num_classes={CLASSES}", "--max_frames=12")
  names = {path.name for path in (tmp_path / "model").iterdir()}
  assert {"model.ckpt-2.index", "model.ckpt-3.index"} <= names


def test_training_on_segments_uses_the_rated_labels(sample, tmp_path):
  support.run_command(
      TRAIN, *FRAME, "--segment_labels", "--model=FrameLevelLogisticModel",
      f"--train_data_pattern={sample}/segment/validate*.tfrecord",
      f"--train_dir={tmp_path}/model", *SHORT)


def test_mixed_precision_and_xla_by_flag(sample, tmp_path):
  for flag in ("--precision=mixed_bfloat16", "--precision=mixed_float16",
               "--jit_compile"):
    support.run_command(
        TRAIN, *VIDEO, "--model=concat-hidden2048-logistic", flag, *SHORT,
        f"--train_data_pattern={sample}/video/train*.tfrecord",
        f"--train_dir={tmp_path}/{flag.strip('-')}", f"--num_classes={CLASSES}")


def test_a_truncated_file_stops_training_or_is_skipped_by_flag(sample, tmp_path):
  whole, cut = sorted((sample / "video").glob("train-*"))
  (tmp_path / "a.tfrecord").write_bytes(whole.read_bytes())
  (tmp_path / "b.tfrecord").write_bytes(cut.read_bytes()[:-100])
  flags = (*VIDEO, f"--train_data_pattern={tmp_path}/*.tfrecord", *SHORT,
           f"--num_classes={CLASSES}")
  error = failing(TRAIN, *flags, f"--train_dir={tmp_path}/stopped")
  assert re.search(r"b\.tfrecord, record \d+ is cut off.*--skip_corrupt_records", error)
  process = support.run_command(
      TRAIN, *flags, f"--train_dir={tmp_path}/skipped", "--skip_corrupt_records")
  assert re.search(r"b\.tfrecord, record \d+ is cut off", process.stderr)


def test_disk_full_leaves_no_half_written_csv(sample, video_model, tmp_path):
  csv = tmp_path / "predictions.csv"
  with full_disk.full_disk(after=1000):
    error = failing(
        INFERENCE, f"--train_dir={video_model}", f"--output_file={csv}",
        f"--input_data_pattern={sample}/video/test*.tfrecord")
  assert "predictions.csv" in error and "half-written" in error
  assert not list(tmp_path.glob("predictions*"))


def failing(module, *flags):
  process = support.run_command(module, *flags, check=False)
  assert process.returncode != 0
  assert "Traceback" not in process.stderr, process.stderr
  return process.stderr


@pytest.mark.parametrize("module, flags, message", [
    (TRAIN, ["--bogus=1"], "Unknown command line flag 'bogus'"),
    (TRAIN, [], "--train_dir is missing: name"),
    (TRAIN, ["--train_dir={tmp}/m", "--train_data_pattern={tmp}/no*.tfrecord"],
     r"No file matches '.*no\*.tfrecord' \(--train_data_pattern\)"),
    (TRAIN, ["--train_dir={tmp}/m"], "--train_data_pattern is missing: name"),
    (TRAIN, ["--train_dir={tmp}/m", "--model=MoE", "--train_data_pattern={tmp}"],
     "Unknown model 'MoE'. Valid: MoeModel, "),
    (TRAIN, ["--train_dir={tmp}/m", "--feature_names=rgb,audio",
             "--train_data_pattern={tmp}"],
     "--feature_names has 2 entries .* --feature_sizes has 1"),
    (TRAIN, ["--train_dir={tmp}/m", "--train_data_pattern={sample}/frame/train*"],
     r"frame/train-.*, record \d+.*--frame_features"),
    (TRAIN, ["--train_dir={tmp}/m", "--train_data_pattern={sample}/video/train*",
             "--frame_features", "--model=FrameLevelLogisticModel",
             "--feature_names=rgb"],
     r"video/train-.*, record \d+.*--frame_features"),
    (TRAIN, ["--train_dir={tmp}/m", "--train_data_pattern={sample}/video/train*",
             "--num_classes=5"], r"record \d+.*label.*--num_classes"),
    (TRAIN, ["--train_dir={tmp}/m", "--train_data_pattern={sample}/video/train*",
             "--feature_sizes=1000"], "mean_rgb.*1024.*1000.*--feature_sizes"),
    (TRAIN, ["--train_dir={video_model}", "--train_data_pattern={sample}/video/train*",
             "--model=MoeModel"], "holds another model.*--start_new_model"),
    (EVAL, ["--train_dir={tmp}", "--run_once", "--eval_data_pattern={tmp}"],
     "holds no trained model"),
    (EVAL, ["--train_dir={video_model}", "--run_once", "--top_k=4000",
            "--eval_data_pattern={sample}/video/validate*"],
     "--top_k=4000 .* number of classes"),
    (EVAL, ["--train_dir={video_model}", "--run_once", "--segment_labels",
            "--eval_data_pattern={sample}/video/validate*"], "--segment_labels needs"),
    (INFERENCE, ["--train_dir={video_model}",
                 "--input_data_pattern={sample}/video/test*",
                 "--output_file={video_model}/config.json"],
     "config.json exists.*--overwrite"),
    (INFERENCE, ["--train_dir={video_model}",
                 "--input_data_pattern={sample}/video/test*",
                 "--output_file={tmp}/no/such/dir.csv"], "no/such/dir.csv"),
    (INFERENCE, ["--train_dir={video_model}", "--top_k=4000",
                 "--input_data_pattern={sample}/video/test*",
                 "--output_file={tmp}/out.csv"], "--top_k=4000"),
    (INFERENCE, ["--output_file={tmp}/out.csv"], "one of --train_dir, --input_model_tgz"),
    (INFERENCE, ["--saved_model={tmp}", "--output_file={tmp}/out.csv",
                 "--input_data_pattern={tmp}", "--hparams={{}}"],
     "--hparams of a --saved_model"),
    (INFERENCE, ["--train_dir={video_model}"], "--output_file is missing"),
    (EXPORT, ["--output_dir={tmp}/out"], "either --train_dir, or --model and"),
    (EXPORT, ["--train_dir={tmp}", "--untrained"], "either --train_dir, or --model and"),
    (EXPORT, ["--untrained"], "--output_dir is missing: name"),
    (EXPORT, ["--train_dir={video_model}", "--num_classes=5", "--output_dir={tmp}/out"],
     "--num_classes=5, but the model of .* trained with --num_classes=3862. Leave"),
    (EXPORT, ["--train_dir={video_model}", "--fusion=sum", "--output_dir={tmp}/out"],
     "--fusion describes an --untrained model"),
    (EXPORT, ["--train_dir={video_model}", "--output_dir={video_model}"],
     "is not an empty directory: choose another --output_dir"),
], ids=lambda value: value if isinstance(value, str) else None)
def test_bad_input_ends_in_one_clear_line(module, flags, message, sample, video_model,
                                          tmp_path):
  flags = [flag.format(tmp=tmp_path, sample=sample, video_model=video_model)
           for flag in flags]
  assert re.search(message, failing(module, *flags), re.DOTALL)
  assert not list(tmp_path.glob("out.csv*"))
