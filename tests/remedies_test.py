# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the errors advise helps: each command is run, and again with its advice."""

import dataclasses
import shutil

import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m.data import tfrecords

pytestmark = pytest.mark.long

_NAMES, _SIZES = "--feature_names=mean_rgb,mean_audio", "--feature_sizes=16,8"
_FRAMES = ("--frame_features", "--feature_names=rgb,audio")


@dataclasses.dataclass(frozen=True)
class Case:
  """A command that fails, the advice in its error, and the command that follows it.

  Attributes:
    command: Module and arguments, in which {data}, {model} and {out} are directories.
    advice: Part of the error.
    added: Arguments to add; a flag that is given twice has the last value, but one for
      patterns all of them.
    removed: Arguments to leave out.
    words: Part of what the second command writes to stderr.
  """
  command: tuple[str, ...]
  advice: str
  added: tuple[str, ...] = ()
  removed: tuple[str, ...] = ()
  words: str = ""


def train(*more, records="video", train_dir="{out}/new", model="LogisticModel"):
  return ("yt8m.train", f"--train_data_pattern={{data}}/{records}/train*", _NAMES, _SIZES,
          "--num_classes=13", f"--model={model}", "--batch_size=8", "--max_steps=2",
          f"--train_dir={train_dir}", *more)


def evaluate(*more, records="video"):
  return ("yt8m.eval.evaluate", "--train_dir={model}", "--run_once", *more,
          f"--eval_data_pattern={{data}}/{records}/validate*")


def inference(*more, pattern="{data}/video/test*"):
  return ("yt8m.export.inference", "--train_dir={model}", *more,
          f"--input_data_pattern={pattern}", "--output_file={out}/predictions")


def label_sets(path):
  return ("yt8m.collect_label_sets", "--input_data_pattern={data}/video/train*", _NAMES,
          _SIZES, "--num_classes=13", f"--output_file={path}")


CASES = {
    "a label beyond the classes": Case(
        train("--num_classes=5"), "Increase --num_classes", ("--num_classes=13",)),
    "another size": Case(
        train("--feature_sizes=16,9"), "Correct --feature_sizes", (_SIZES,)),
    "names of other features": Case(
        train("--feature_names=rgb,audio"),
        "only mean_audio, mean_rgb (--feature_names). Name these", (_NAMES,)),
    "frame-level records": Case(
        train(records="frame"), "add --frame_features, with a --model and "
        "--feature_names of frames", (*_FRAMES, "--model=FrameLevelLogisticModel")),
    "video-level records": Case(
        train(*_FRAMES, model="FrameLevelLogisticModel"), "drop --frame_features",
        (_NAMES, "--model=LogisticModel"), _FRAMES),
    "a model of frames": Case(
        train(*_FRAMES, records="frame"), "or --aggregation", ("--aggregation=mean",)),
    "a misspelt model": Case(
        train("--model=LogisticModle"), "Valid: LogisticModel",
        ("--model=LogisticModel",)),
    "another model in the directory": Case(
        train("--model=MoeModel", train_dir="{model}"),
        "its classifier.name is 'logistic'",
        ("--train_dir={out}/new", "--model=MoeModel")),
    "the same, to be deleted": Case(
        train("--model=MoeModel", train_dir="{model}"), "add --start_new_model",
        ("--start_new_model",)),
    "patience without an evaluation": Case(
        train("--early_stopping_patience=2"), "needs --eval_data_pattern",
        ("--eval_data_pattern={data}/video/validate*",)),
    "a directory that is not empty": Case(
        ("yt8m.sample_data", "--output_dir={data}", "--num_videos=20",
         "--num_classes=13"), "add --overwrite", ("--overwrite",)),
    "videos of another level in an evaluation": Case(
        evaluate(records="frame"), "name such records",
        ("--eval_data_pattern={data}/video/validate*",),
        ("--eval_data_pattern={data}/frame/validate*",)),
    "a condition without a checkpoint": Case(
        tuple(word for word in evaluate("--require=gap>=0.01") if word != "--run_once"),
        "add --run_once", ("--run_once",)),
    "a file that is cut off": Case(
        inference(pattern="{data}/cut*"), "--skip_corrupt_records",
        ("--skip_corrupt_records",), words="damaged files: 1"),
    "a record of another size": Case(
        inference(pattern="{data}/bad*"), "--skip_bad_records",
        ("--skip_bad_records",), words="wrong sizes"),
    "a record twice": Case(
        inference("--strict", pattern="{data}/video/test*,{data}/copy*"),
        "drop --strict", removed=("--strict",)),
    "names that the model lacks": Case(
        inference("--output_format=json"), "give them with --vocabulary",
        ("--vocabulary={data}/vocabulary.csv",)),
    "an output that exists": Case(
        inference("--top_k=3"), "add --overwrite", ("--overwrite",)),
    "label sets that exist": Case(
        (*label_sets("{out}/sets.npz"), "--max_examples=5"), "add --overwrite",
        ("--overwrite",)),
    "an export that exists": Case(
        ("yt8m.export.export_model", "--train_dir={model}", "--top_k=3",
         "--output_dir={out}/export"), "add --overwrite", ("--overwrite",)),
    "an aggregation of videos": Case(
        ("yt8m.export.export_model", "--untrained", "--model=LogisticModel",
         "--aggregation=mean", "--num_classes=13", _NAMES, _SIZES,
         "--output_dir={out}/untrained"), "or choose a video-level model without it",
        removed=("--aggregation=mean",)),
    "MediaPipe at video level": Case(
        ("yt8m.export.export_model", "--train_dir={model}", "--mediapipe",
         "--output_dir={out}/mediapipe"), "leave out --mediapipe",
        removed=("--mediapipe",)),
    "a SavedModel that would be packed": Case(
        ("yt8m.export.inference", "--saved_model={out}/saved",
         "--output_model_tgz={out}/model.tgz", "--input_data_pattern={data}/video/test*",
         "--output_file={out}/predictions"), "packs --train_dir: leave it out",
        removed=("--output_model_tgz={out}/model.tgz",)),
    "no best checkpoint": Case(
        evaluate("--checkpoint=best"), "give --checkpoint=latest",
        ("--checkpoint=latest",)),
    "another batch size in the middle of an epoch": Case(
        train("--batch_size=4", "--max_steps=4", "--skip_bad_records",
              train_dir="{model}"),
        "add --resume=approximate", ("--resume=approximate",)),
    "a long warm-up": Case(
        train("--warmup_examples=80", "--learning_rate_schedule=cosine"),
        "raise --num_epochs or --max_steps", ("--max_steps=12",)),
    "a search without records to judge by": Case(
        ("yt8m.eval.tune", "--output_dir={out}/tuned", "--num_trials=1",
         "--search=base_learning_rate=0.01..0.1", "--", *train()[1:-1]),
        "--eval_data_pattern is missing among the flags of yt8m-train after --",
        ("--eval_data_pattern={data}/video/validate*",)),
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
  """Returns a folder with `data` and `model`."""
  folder = tmp_path_factory.mktemp("inputs")
  data = folder / "data"
  support.run_command(
      "yt8m.sample_data", f"--output_dir={data}", "--num_videos=60", "--num_classes=13",
      "--max_frames=8", "--num_shards=2", _SIZES, "--nosegments")
  support.run_command(*placed(train(train_dir="{model}"), folder, folder))
  return folder


def placed(words, inputs, out):
  places = {"data": inputs / "data", "model": inputs / "model", "out": out}
  return [word.format(**places) for word in words]


def prepare(name, inputs, out):
  """Copies the inputs, and makes the files of a case."""
  shutil.copytree(inputs, out, dirs_exist_ok=True)
  data = out / "data"
  test = (data / "video" / "test-00-of-02.tfrecord").read_bytes()
  if name == "a file that is cut off":
    (data / "cut.tfrecord").write_bytes(test[:-9])
  elif name == "a record twice":
    (data / "copy.tfrecord").write_bytes(test)
  elif name == "an output that exists":
    support.run_command(*placed(inference(), out, out))
  elif name == "label sets that exist":
    support.run_command(*placed(label_sets("{out}/sets.npz"), out, out))
  elif name == "an export that exists":
    support.run_command(*placed(CASES[name].command[:-2], out, out),
                        f"--output_dir={out}/export")
  elif name == "a SavedModel that would be packed":
    support.run_command("yt8m.export.export_model", f"--train_dir={out}/model",
                        f"--output_dir={out}/saved")
  elif name == "a record of another size":
    bad = tfrecords.video_example("bad", [0], {"mean_rgb": [1.0], "mean_audio": [1.0]})
    with tf.io.TFRecordWriter(str(data / "bad.tfrecord")) as writer:
      writer.write(bad.SerializeToString())
    (data / "bad2.tfrecord").write_bytes(test)


@pytest.mark.parametrize("name", CASES)
def test_the_advice_of_an_error_helps(name, inputs, tmp_path):
  case = CASES[name]
  prepare(name, inputs, tmp_path)
  failed = support.run_command(*placed(case.command, tmp_path, tmp_path), check=False)
  assert failed.returncode == 1, failed.stderr
  assert case.advice in failed.stderr, failed.stderr
  words = [word for word in case.command if word not in case.removed]
  helped = support.run_command(*placed((*words, *case.added), tmp_path, tmp_path))
  assert case.words in helped.stderr, helped.stderr
