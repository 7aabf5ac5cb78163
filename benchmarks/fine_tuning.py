# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Few clips for each of 20 new classes, with and without a trained model to start from.

  python -m benchmarks.fine_tuning --data_dir=$DATA --output_dir=fine_tuning
  Two busy cores, 15 minutes a seed. Started again, it goes on with the missing runs.

The classes and their clips are chosen by rule. Of the AudioSet classes with 60 to 120
clips in bal_train and at least 15 in eval, in the order of their numbers, every n-th is
new, and each class after one of these is a known one of the task "mixed". A model is
trained on the clips of bal_train without any new class, for the other 507 classes. Then
models are trained for few classes:

    new-50, new-10    the new classes, on 50 or 10 clips of each
    mixed-10          the new ones and the known ones, on 10 clips of each

What remains of the clips of these classes chooses the checkpoint of every run, and the
clips of eval with one of them measure it. Seeds draw other clips and weights.
"""

import concurrent.futures
import csv
import functools
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags
from absl import logging

from yt8m.core import files
from yt8m.core import markdown
from yt8m.core import paths
from yt8m.core import vocabulary

_DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder with audioset/.", required=True)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder for records, models and "
                                  "report.md.", required=True)
_SEEDS = flags.DEFINE_integer("seeds", 3, "Number of seeds.", 1)

_NEW = 20
_CLIPS, _LEAST_EVALUATED = (60, 120), 15
_FEATURES = ("--frame_features", "--feature_names=audio_embedding",
             "--feature_sizes=128", "--max_frames=10", "--log_steps=100")
_MODEL = ("--model=small-netvlad", "--classifier=logistic")
_PRETRAINING = ("--batch_size=128", "--num_epochs=6", "--learning_rate_decay=0.8",
                "--learning_rate_decay_examples=22160")
_TRAINING = ("--batch_size=32", "--num_epochs=1000", "--max_steps=800",
             "--eval_steps=40", "--best_metric=map", "--early_stopping_patience=4")
# Name of a task: whether known classes belong to it, and clips of each class.
_TASKS = {"new-50": (False, 50), "new-10": (False, 10), "mixed-10": (True, 10)}
_PROCESSES = 2
_FROM = "--initialize_from={source}"
ROWS = {
    "random weights": (),
    "initialize_from": (_FROM,),
    "initialize_from, multiplier 0.1": (
        _FROM, "--pretrained_learning_rate_multiplier=0.1"),
    "initialize_from, aggregation frozen": (_FROM, "--freeze=aggregation")}

# Clips: the bytes of a record, and its labels.
Clips = list[tuple[bytes, tuple[int, ...]]]


def read(pattern: str) -> Clips:
  """Returns the clips of record files."""
  clips = []
  for record in tf.data.TFRecordDataset(paths.match(pattern, "--data_dir")):
    example = tf.train.SequenceExample.FromString(record.numpy())
    clips.append((record.numpy(), tuple(
        example.context.feature["labels"].int64_list.value)))
  return clips


def write(path: pathlib.Path, clips: Iterable[tuple[bytes, tuple[int, ...]]],
          classes: Sequence[int]) -> None:
  """Writes clips with the numbers that their labels have among some classes."""
  numbers = {label: number for number, label in enumerate(classes)}
  path.parent.mkdir(parents=True, exist_ok=True)
  with tf.io.TFRecordWriter(str(path)) as writer:
    for record, labels in clips:
      example = tf.train.SequenceExample.FromString(record)
      del example.context.feature["labels"].int64_list.value[:]
      example.context.feature["labels"].int64_list.value.extend(
          numbers[label] for label in labels if label in numbers)
      writer.write(example.SerializeToString())


def with_any(clips: Clips, classes: Iterable[int]) -> Clips:
  """Returns the clips with one of some classes."""
  wanted = set(classes)
  return [clip for clip in clips if wanted & set(clip[1])]


def choose_classes(train: Clips, evaluated: Clips, num_classes: int
                   ) -> tuple[list[int], list[int]]:
  """Returns the new classes and the known ones of the task with both."""
  def counts(clips):
    return np.bincount([label for _, labels in clips for label in labels],
                       minlength=num_classes)

  least, most = _CLIPS
  of_train, of_eval = counts(train), counts(evaluated)
  fitting = [label for label in range(num_classes)
             if least <= of_train[label] <= most and of_eval[label] >= _LEAST_EVALUATED]
  places = [int(number * len(fitting) / _NEW) for number in range(_NEW)]
  return [fitting[p] for p in places], [fitting[p + 1] for p in places]


def draw(clips: Clips, classes: Sequence[int], each: int, seed: int
         ) -> tuple[Clips, Clips]:
  """Returns clips with at least `each` of every class, and those that remain."""
  counts, drawn, others = dict.fromkeys(classes, 0), [], []
  for index in np.random.default_rng(seed).permutation(len(clips)):
    labels = [label for label in clips[index][1] if label in counts]
    needed = any(counts[label] < each for label in labels)
    (drawn if needed else others).append(clips[index])
    for label in labels if needed else ():
      counts[label] += 1
  return drawn, others


def write_names(path: pathlib.Path, names: Sequence[str], classes: Sequence[int]) -> None:
  path.parent.mkdir(parents=True, exist_ok=True)
  vocabulary.Vocabulary.of(
      {number: names[label] for number, label in enumerate(classes)},
      len(classes)).write(str(path))


def prepare(folder: pathlib.Path, seed: int, train: Clips, evaluated: Clips,
            names: Sequence[str]) -> None:
  """Writes the records and the vocabularies of all trainings of a seed."""
  new, known = choose_classes(train, evaluated, len(names))
  others = [label for label in range(len(names)) if label not in new]
  write_names(folder / "pretraining.csv", names, others)
  write(folder / "pretraining.tfrecord",
        (clip for clip in train if not set(new) & set(clip[1])), others)
  for task, (has_known, each) in _TASKS.items():
    classes = [*new, *known] if has_known else new
    write_names(folder / f"{task}.csv", names, classes)
    of_classes = with_any(train, classes)
    # The same clips choose the checkpoint for 10 clips of a class as for 50.
    most, remaining = draw(of_classes, classes, 50, seed)
    few, _ = draw(most, classes, each, seed)
    for split, clips in (("train", few), ("validate", remaining),
                         ("test", with_any(evaluated, classes))):
      write(folder / f"{task}-{split}.tfrecord", clips, classes)
    logging.info("%s, seed %d: %d clips to train on, %d to choose with", task, seed,
                 len(few), len(remaining))


def run(module: str, *words: str) -> None:
  """Runs a command; its messages go to this process's."""
  subprocess.run([sys.executable, "-m", module, *words], check=True)


def measure(folder: pathlib.Path, seed: int, task: str, row: str) -> dict:
  """Trains and evaluates a row; returns its metrics, and mAP of new and known classes."""
  train_dir = folder / f"{task}-{list(ROWS).index(row)}"
  result = train_dir / "result.json"
  if result.exists():
    return json.loads(result.read_text())
  run("yt8m.train", f"--train_dir={train_dir}", *_FEATURES, *_MODEL, *_TRAINING,
      f"--seed={seed}", f"--vocabulary={folder}/{task}.csv",
      f"--train_data_pattern={folder}/{task}-train.tfrecord",
      f"--eval_data_pattern={folder}/{task}-validate.tfrecord",
      *(word.format(source=folder / "pretrained") for word in ROWS[row]))
  run("yt8m.eval.evaluate", f"--train_dir={train_dir}", "--run_once",
      f"--top_k={2 * _NEW if _TASKS[task][0] else _NEW}",
      f"--eval_data_pattern={folder}/{task}-test.tfrecord")
  [written] = train_dir.glob(f"eval/{task}-test*")
  [metrics] = written.glob("metrics-*.json")
  [classes] = written.glob("classes-*.csv")
  with open(classes, newline="") as file:
    precisions = {int(line["class"]): float(line["average_precision"])
                  for line in csv.DictReader(file)}
  values = json.loads(metrics.read_text())
  found = {"gap": values["gap"], "map": values["map"],
           "new": float(np.mean([precisions[label] for label in range(_NEW)]))}
  if _TASKS[task][0]:
    found["known"] = float(np.mean(
        [precisions[label] for label in range(_NEW, 2 * _NEW)]))
  files.write_json(str(result), found)
  return found


def report(results: dict[str, dict[str, list[dict]]]) -> str:
  """Returns the table of all tasks."""
  rows = []
  for task, of_rows in results.items():
    base = of_rows[next(iter(ROWS))]
    for row, found in of_rows.items():
      def column(name, found=found):
        return markdown.with_deviation([one[name] for one in found if name in one], 3)
      change = "–" if found is base else markdown.with_error(
          [one["map"] - other["map"] for one, other in zip(found, base, strict=True)], 3)
      rows.append([task, row, column("gap"), column("map"), change, column("new"),
                   column("known")])
  return markdown.make(["task", "row", "GAP", "mAP", "Δ mAP", "mAP of the new",
                        "mAP of the known"], rows, ("task", "row"))


def main(_):
  logging.set_verbosity(logging.INFO)
  folder, output = f"{_DATA_DIR.value}/audioset", pathlib.Path(_OUTPUT_DIR.value)
  train, evaluated = (read(f"{folder}/{part}/*.tfrecord")
                      for part in ("bal_train", "eval"))
  with open(f"{folder}/class_labels_indices.csv", newline="") as file:
    names = [line["display_name"] for line in csv.DictReader(file)]
  results: dict = {task: {row: [] for row in ROWS} for task in _TASKS}
  for seed in range(_SEEDS.value):
    of_seed = output / f"seed-{seed}"
    prepare(of_seed, seed, train, evaluated, names)
    run("yt8m.train", f"--train_dir={of_seed}/pretrained", *_FEATURES, *_MODEL,
        *_PRETRAINING, f"--seed={seed}", f"--vocabulary={of_seed}/pretraining.csv",
        f"--train_data_pattern={of_seed}/pretraining.tfrecord")
    runs = [(task, row) for task in _TASKS for row in ROWS]
    with concurrent.futures.ThreadPoolExecutor(_PROCESSES) as pool:
      found = pool.map(
          functools.partial(measure, of_seed, seed), *zip(*runs, strict=True))
      for (task, row), values in zip(runs, found, strict=True):
        results[task][row].append(values)
  table = report(results)
  with files.atomic_write(os.path.join(output, "report.md")) as file:
    file.write(table + "\n")
  print(table)


if __name__ == "__main__":
  app.run(main)
