# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The six published members as one SavedModel: its size, and its answers.

  python benchmarks/ensemble_size.py
  python benchmarks/ensemble_size.py --weights=int8

Exports every member untrained, with 3,862 classes, and combines them with the published
weights. The printed difference is the largest one, over all videos and classes, between
an answer of the ensemble and the weighted sum of the members' answers.
"""

import os
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags
from absl import logging

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# As a script, only this folder is on the path.
sys.path.insert(0, _ROOT)

from yt8m.configs import recipes  # noqa: E402
from yt8m.core import files  # noqa: E402
from yt8m.data import tfrecords  # noqa: E402
from yt8m.export.saved_models import compression  # noqa: E402
from yt8m.export.saved_models import ensemble  # noqa: E402

_CLASSES = flags.DEFINE_integer("num_classes", 3862, "Number of classes.", 20)
_WEIGHTS = flags.DEFINE_enum("weights", "float32", compression.WEIGHT_FORMATS,
                             "How the members' weights are stored.")
_VIDEOS = flags.DEFINE_integer("num_videos", 4, "Videos of the comparison.", 1)
_FRAMES = flags.DEFINE_integer("num_frames", 60, "Frames of the longest video.", 1)

MIB = 2 ** 20
BUDGET = 2 ** 30
BLEND = {"concat-BLSTM-MoE2": 0.2186, "attention-BLSTM-MoE2": 0.2220,
         "concat-BLSTM-CG-MoE2": 0.1393, "concat-NetVLAD-diff-C64-MoE4": 0.1684,
         "sum-NetVLAD-C64-MoE4": 0.1412, "concat-NetVLAD-C128-MoE4": 0.1102}


def export(member: str, directory: str) -> None:
  """Writes one member, in a separate process so that its memory is freed."""
  subprocess.run(
      [sys.executable, "-m", "yt8m.export.export_model", f"--model={member}",
       "--untrained", f"--num_classes={_CLASSES.value}", f"--weights={_WEIGHTS.value}",
       f"--output_dir={directory}"], check=True, cwd=_ROOT, stdout=subprocess.DEVNULL)


def requests() -> tuple[dict[str, tf.Tensor], tf.Tensor]:
  """Returns the same generated videos as arrays and as records."""
  rng = np.random.default_rng(0)
  num_frames = rng.integers(1, _FRAMES.value, _VIDEOS.value, endpoint=True)
  num_frames[0] = _FRAMES.value
  frames = {name: rng.integers(0, 256, (_VIDEOS.value, _FRAMES.value, size), np.uint8)
            for name, size in (("rgb", 1024), ("audio", 128))}
  for x in frames.values():
    x[np.arange(_FRAMES.value) >= num_frames[:, np.newaxis]] = 0
  records = [
      tfrecords.frame_example(f"v{row}", [], {
          name: x[row, :length] for name, x in frames.items()}).SerializeToString()
      for row, length in enumerate(num_frames)]
  arrays = {name: tf.constant(x) for name, x in frames.items()}
  return {**arrays, "num_frames": tf.constant(num_frames, tf.int32)}, tf.constant(records)


# The answers come from a process with TensorFlow and without this package.
CLIENT = """
import sys
import numpy as np
import tensorflow as tf
model, requests, answers = sys.argv[1:]
signatures = tf.saved_model.load(model).signatures
with np.load(requests, allow_pickle=False) as stored:
  arrays = {name: tf.constant(stored[name]) for name in stored.files}
records = tf.io.parse_tensor(arrays.pop("records").numpy(), tf.string)
top = signatures["serving_default"](example_bytes=records)
np.savez(answers,
         predict_features=signatures["predict_features"](**arrays)["predictions"],
         predict_full=signatures["predict_full"](example_bytes=records)["predictions"],
         serving_default=top["predictions"][:, 0], classes=top["class_indexes"][:, 0])
assert not [name for name in sys.modules if name.split(".")[0] == "yt8m"]
"""


def answers(model: str, arrays: dict[str, Any],
            records: tf.Tensor) -> dict[str, np.ndarray]:
  """Returns the answers, `{signature: predictions}`, and the `classes`."""
  with tempfile.TemporaryDirectory() as folder:
    requested = os.path.join(folder, "requests.npz")
    answered = os.path.join(folder, "answers.npz")
    np.savez(requested, records=tf.io.serialize_tensor(records).numpy(), **arrays)
    subprocess.run([sys.executable, "-c", CLIENT, model, requested, answered],
                   check=True, cwd=folder)
    with np.load(answered, allow_pickle=False) as stored:
      return dict(stored)


def print_size(name: str, num_bytes: int) -> None:
  print(f"{name:<30} {num_bytes:>13,} bytes {num_bytes / MIB:>8.2f} MiB", flush=True)


def main(_) -> None:
  logging.set_verbosity(logging.ERROR)  # TensorFlow logs every import
  arrays, records = requests()
  expected, sizes = 0.0, []
  with tempfile.TemporaryDirectory() as folder:
    directories = [os.path.join(folder, member) for member in recipes.MEMBERS]
    for member, directory in zip(recipes.MEMBERS, directories, strict=True):
      export(member, directory)
      scores = answers(directory, arrays, records)["predict_features"]
      expected += BLEND[member] * scores.astype(np.float64)
      sizes.append(files.bytes_on_disk(directory))
      print_size(member, sizes[-1])
    print_size("together", sum(sizes))
    together = os.path.join(folder, "ensemble")
    ensemble.save(
        ensemble.from_directories(
            directories, [BLEND[member] for member in recipes.MEMBERS],
            budget_bytes=BUDGET), together)
    whole = files.bytes_on_disk(together)
    print_size("one SavedModel", whole)
    print_size("budget", BUDGET)
    combined = answers(together, arrays, records)
  print(f"members of the mean size that fit: {BUDGET // (whole // len(sizes))}")
  best = -np.sort(-expected)[:, :combined["serving_default"].shape[1]]
  for name, scores in (("predict_features", expected), ("predict_full", expected),
                       ("serving_default", best)):
    difference = np.abs(combined[name] - scores).max()
    print(f"largest difference, {name:<16} {difference:.1e}")


if __name__ == "__main__":
  app.run(main)
