# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of docs/tour.md and writes the page with their output.

    python -m docs.make_tour

It takes a few minutes. Times and rates differ from run to run.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

PAGE = pathlib.Path(__file__).resolve().parent / "tour.md"
# Lines of an output at its beginning and at its end that the page has, and their length.
_FIRST, _LAST, _WIDTH = 14, 6, 130

_DATA = ("--frame_features --feature_names=rgb,audio --feature_sizes=128,64 \\\n"
         "    --max_frames=24 --vocabulary=sample/vocabulary.csv \\\n"
         "    --train_data_pattern='sample/frame/train*' \\\n"
         "    --eval_data_pattern='sample/frame/validate*'")
_TRAIN = ("--batch_size=64 --num_epochs=12 --base_learning_rate=0.005 \\\n"
          "    --export_model_steps=60")

# Paragraphs, and the commands after each.
STEPS = (
    ("Records that resemble YouTube-8M are generated; the videos are synthetic "
     "([sample_data.md](sample_data.md)).",
     ["yt8m-sample-data --output_dir=sample --num_videos=2000 --num_classes=30 \\\n"
      "    --max_frames=24 --feature_sizes=128,64 --nosegments --seed=7"]),
    ("Every command has `--help`, and `yt8m-train` describes each of its options.",
     ["yt8m-train --list",
      "yt8m-train --describe=netvlad --frame_features --feature_names=rgb,audio \\\n"
      "    --feature_sizes=128,64 --num_classes=30"]),
    ("Two models are trained. Their checkpoints are evaluated on other videos, and "
     "the best one is kept.",
     [f"yt8m-train --train_dir=runs/dbof --model=small-dbof {_DATA} \\\n    {_TRAIN}",
      "yt8m-train --train_dir=runs/transformer --model=small-transformer \\\n"
      f"    {_DATA} \\\n    {_TRAIN} --set aggregation.num_layers=1"]),
    ("`yt8m-compare` lays them side by side.", ["yt8m-compare runs/*"]),
    ("An evaluation on the test videos names the classes that go best and worst. With "
     "`--require` it is a gate: the status is 1 if the model is not good enough.",
     ["yt8m-eval --train_dir=runs/dbof --eval_data_pattern='sample/frame/test*' \\\n"
      "    --run_once --require='gap>=0.5'"]),
    ("Predictions are a CSV as for Kaggle, or have the names of the classes.",
     ["yt8m-inference --train_dir=runs/dbof --output_file=predictions.csv \\\n"
      "    --input_data_pattern='sample/frame/test*' --top_k=5",
      "head -3 predictions.csv",
      "yt8m-inference --train_dir=runs/dbof --output_file=named.csv --top_k=3 \\\n"
      "    --input_data_pattern='sample/frame/test*' --output_format=csv_named",
      "head -4 named.csv"]),
    ("Both models become one SavedModel. The search chooses members and weights on the "
     "validation videos, and the result is evaluated like a single model.",
     ["for name in dbof transformer; do\n"
      "    yt8m-export --train_dir=runs/$name --output_dir=members/$name\ndone",
      "yt8m-ensemble search --members='members/*' --output_dir=ensemble \\\n"
      "    --eval_data_pattern='sample/frame/validate*' --num_models=2",
      "yt8m-export --ensemble=ensemble/ensemble.json --output_dir=serving --versioned",
      "yt8m-eval --saved_model=serving --eval_data_pattern='sample/frame/test*'"]),
    ("It is served with the REST API of TensorFlow Serving.",
     ["yt8m-serve --model_dir=serving --model_name=blend --port=18501 \\\n"
      "    > serve.log 2>&1 &\n"
      "until grep Ready serve.log; do sleep 1; done",
      "curl -s http://localhost:18501/v1/models/blend",
      "curl -s http://localhost:18501/metrics | grep yt8m_model_version",
      "kill $! && wait; tail -2 serve.log"]),
    ("A mistake is one line that says what to do.",
     ["yt8m-train --train_dir=runs/dbof --model=small-netvlad --frame_features \\\n"
      "    --feature_names=rgb,audio --feature_sizes=128,63 --num_classes=30 \\\n"
      "    --train_data_pattern='sample/frame/train*' --start_new_model",
      "yt8m-inference --train_dir=runs/dbof --input_data_pattern=sample/no/such* \\\n"
      "    --output_file=predictions.csv --overwrite"]),
)


def page(outputs: list[str]) -> str:
  """Returns the page.

  Args:
    outputs: Output of each command.
  """
  rest = iter(outputs)
  parts = ["# A tour", "Written by `python -m docs.make_tour`, which runs these "
           "commands. Long outputs are shortened (…)."]
  for text, commands in STEPS:
    parts.append(textwrap.fill(text, 100))
    for command in commands:
      output = next(rest)
      parts.append(f"```console\n$ {command}\n{output}".rstrip() + "\n```")
  return "\n\n".join(parts) + "\n"


def run() -> list[str]:
  """Runs the commands in one shell, as a user would; returns the output of each."""
  marker = "=== end of command"
  commands = [command for _, commands in STEPS for command in commands]
  script = "\n".join(f"{command}\necho; echo '{marker}'" for command in commands)
  places = [os.path.dirname(sys.executable), os.environ["PATH"]]
  with tempfile.TemporaryDirectory() as folder:
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PATH": os.pathsep.join(places)})
    outputs = done.stdout.replace(f"{os.path.realpath(folder)}/", "").split(f"{marker}\n")
  return [_shortened(output) for output in outputs[:len(commands)]]


def _shortened(output: str) -> str:
  lines = [line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…"
           for line in re.sub(r"\x1b\[[\d;]*m", "", output).strip().split("\n")]
  if len(lines) > _FIRST + _LAST + 1:
    lines = [*lines[:_FIRST], "…", *lines[-_LAST:]]
  return "\n".join(lines)


if __name__ == "__main__":
  PAGE.write_text(page(run()), encoding="utf-8")
