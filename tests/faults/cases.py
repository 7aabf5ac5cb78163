# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The commands that run under faults, on tiny records and models."""

import dataclasses
import itertools
import json
import pathlib
from collections.abc import Sequence

from tests.helpers import extraction

FRAME = ("--frame_features", "--feature_names=rgb,audio", "--feature_sizes=16,8",
         "--num_classes=13", "--max_frames=12")
SAMPLE = ("--num_videos=60", "--num_classes=13", "--max_frames=12", "--num_shards=2",
          "--feature_sizes=16,8", "--nosegments")
TABLE = {
    "title": "One head",
    "common": {"frame_features": True, "feature_names": "rgb,audio",
               "feature_sizes": "16,8", "num_classes": 13, "max_frames": 12,
               "batch_size": 16, "num_epochs": 1, "model": "FrameLevelLogisticModel",
               "train_data_pattern": "{data}/frame/train*.tfrecord"},
    "evaluate": {"eval_data_pattern": "{data}/frame/validate*.tfrecord", "top_k": 13},
    "rows": [{"name": "logistic", "flags": {}}]}


@dataclasses.dataclass(frozen=True)
class Case:
  """A command whose outputs must survive.

  Attributes:
    name: Name for the table.
    module: Module of the command.
    arguments: Its arguments, in which {inputs} and {out} stand for directories.
    reads: One of its record files, below {inputs}, of which a byte is flipped.
  """
  name: str
  module: str
  arguments: tuple[str, ...]
  reads: str | None = None


def _train(train_dir, *more):
  return ("--train_data_pattern={inputs}/data/frame/train*.tfrecord", *FRAME,
          f"--train_dir={train_dir}", "--model=FrameLevelLogisticModel", "--batch_size=8",
          *more)


def _inference(name, *more):
  return Case(f"inference {name}", "yt8m.export.inference", (
      "--train_dir={inputs}/model", "--top_k=3", "--output_file={out}/predictions",
      "--input_data_pattern={inputs}/data/frame/*.tfrecord", *more),
      "data/frame/test-00-of-02.tfrecord")


CASES = (
    Case("train", "yt8m.train", _train(
        "{out}/model", "--max_steps=8", "--export_model_steps=1", "--num_epochs=9"),
        "data/frame/train-00-of-02.tfrecord"),
    Case("train --eval_data_pattern", "yt8m.train", _train(
        "{out}/model", "--max_steps=6", "--export_model_steps=2", "--num_epochs=9",
        "--keep_checkpoints=1",
        "--eval_data_pattern={inputs}/data/frame/validate*.tfrecord"),
        "data/frame/validate-00-of-02.tfrecord"),
    Case("ensemble search", "yt8m.eval.ensemble", (
        "search", "--members={inputs}/members/*", "--output_dir={out}/ensemble",
        "--eval_data_pattern={inputs}/data/frame/validate*.tfrecord", "--num_models=2",
        "--stored_classes=5"), "data/frame/validate-00-of-02.tfrecord"),
    Case("calibrate", "yt8m.calibrate", (
        "--train_dir={inputs}/model", "--num_folds=2", "--output_dir={out}/calibrated",
        "--predictions_output={out}/predictions")),
    Case("eval --choose_thresholds", "yt8m.eval.evaluate", (
        "--train_dir={inputs}/model", "--run_once", "--top_k=13",
        "--choose_thresholds=f1",
        "--eval_data_pattern={inputs}/data/frame/validate*.tfrecord",
        "--thresholds={out}/thresholds.json"), "data/frame/validate-00-of-02.tfrecord"),
    Case("compare", "yt8m.eval.compare", (
        "{inputs}/model", "--output_dir={out}/comparison")),
    Case("export", "yt8m.export.export_model", (
        "--train_dir={inputs}/model", "--top_k=3", "--output_dir={out}/export",
        "--warmup_requests=2")),
    Case("export --versioned", "yt8m.export.export_model", (
        "--train_dir={inputs}/model", "--top_k=3", "--output_dir={out}/export",
        "--versioned")),
    _inference("csv"),
    _inference("npz", "--output_format=npz"),
    _inference("tfrecord", "--output_format=tfrecord"),
    # By default, Ray leaves out a file that cannot be read.
    _inference("--runner=ray", "--runner=ray", "--max_failed_shards=0"),
    Case("ablation", "yt8m.eval.ablation", (
        "--table={inputs}/heads.json", "--data_dir={inputs}/data", "--seeds=1",
        "--output_dir={out}/ablation")),
    Case("tune", "yt8m.eval.tune", (
        "--output_dir={out}/tuned", "--num_trials=2", "--pruner=none",
        "--search=base_learning_rate=1e-3..1e-1:log", "--",
        "--train_data_pattern={inputs}/data/frame/train*.tfrecord",
        "--eval_data_pattern={inputs}/data/frame/validate*.tfrecord", *FRAME,
        "--model=FrameLevelLogisticModel", "--batch_size=16", "--num_epochs=1")),
    Case("sample data", "yt8m.sample_data", ("--output_dir={out}/sample", *SAMPLE)),
    Case("extract", "yt8m.extract", (
        "--videos={inputs}/clips/videos.csv", "--output_dir={out}/records",
        "--extractor=logmel", "--videos_per_shard=3", "--num_processes=2")),
    Case("label sets", "yt8m.collect_label_sets", (
        "--input_data_pattern={inputs}/data/frame/*.tfrecord", "--num_classes=13",
        "--output_file={out}/sets.npz"), "data/frame/train-00-of-02.tfrecord"),
)


def make_inputs(run, inputs: pathlib.Path, cases: Sequence[Case]) -> None:
  """Writes what the cases read.

  Args:
    run: Function `(module, *arguments)` that runs a command to its end.
    inputs: Directory to write to.
    cases: Cases that will be tried.
  """
  words = " ".join(itertools.chain.from_iterable(case.arguments for case in cases))
  members = "{inputs}/members" in words
  run("yt8m.sample_data", f"--output_dir={inputs}/data", *SAMPLE)
  (inputs / "heads.json").write_text(json.dumps(TABLE))
  if "{inputs}/clips" in words:
    extraction.write_clips(inputs / "clips", 12)
    (inputs / "clips" / "004.mp4").write_bytes(b"no video")
  if "{inputs}/model" not in words and not members:
    return
  for seed in range(2 if members else 1):
    train_dir = inputs / ("model" if seed == 0 else "other")
    run("yt8m.train", *(
        word.format(inputs=inputs) for word in _train(
            train_dir, "--num_epochs=1", f"--seed={seed}")))
    if members:
      run("yt8m.export.export_model", f"--train_dir={train_dir}", "--top_k=3",
          f"--output_dir={inputs}/members/{seed}")
  run("yt8m.eval.evaluate", f"--train_dir={inputs}/model", "--run_once",
      f"--eval_data_pattern={inputs}/data/frame/validate*.tfrecord", "--top_k=13")
