# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Training on a GPU: videos a second, share of the peak and input wait of each member.

  python -m benchmarks.gpu --output_dir=/tmp/gpu
  python -m benchmarks.gpu --output_dir=/tmp/gpu --precision=mixed_float16 --nojit_compile
  python -m benchmarks.gpu --output_dir=/tmp/gpu --strategy=mirrored --num_gpu=8

Without flags every member runs in float32 (with TF32) and in mixed_bfloat16, with XLA and
without. The peak is a large matrix product of the same run in the same precision; the
products of a model are counted as `suite/flops.py` says. The table is written after each
row. What does not begin within `--minutes` is left out and named. Writes gpu.json and
gpu.md; `--update_docs` rewrites the section of docs/performance.md. It runs on a CPU as
well, where `--quick` makes everything tiny.
"""

import dataclasses
import datetime
import itertools
import pathlib
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import app
from absl import flags
from absl import logging

from benchmarks import readers
from benchmarks.suite import cases
from benchmarks.suite import flops
from benchmarks.suite import report
from yt8m.configs import recipes
from yt8m.core import devices
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.data import readers as record_readers
from yt8m.training import strategies

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
_PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "performance.md"
_OUTPUT = flags.DEFINE_string("output_dir", None, "Directory of the results.",
                              required=True)
_MODELS = flags.DEFINE_list("models", [*recipes.MEMBERS, "FrameLevelLogisticModel"],
                            "Members and other models.")
_PRECISION = flags.DEFINE_multi_enum(
    "precision", ["float32", "mixed_bfloat16"], PRECISIONS, "Precisions.")
_JIT = flags.DEFINE_bool("jit_compile", None, "XLA alone, or --nojit_compile without it "
                         "alone. Default: both.")
_TF32 = flags.DEFINE_bool("tf32", True, "Whether products in float32 may use TF32.")
_STRATEGY = flags.DEFINE_enum("strategy", "one_device", ["one_device", "mirrored"],
                              "One device, or --num_gpu devices.")
_GPUS = flags.DEFINE_integer("num_gpu", 1, "Devices of --strategy=mirrored.", 1)
_BATCH = flags.DEFINE_integer("batch_size", 128, "Videos of a batch.", 1)
_STEPS = flags.DEFINE_integer("steps", 20, "Steps of each measurement.", 2)
_MINUTES = flags.DEFINE_float("minutes", 9.0, "Minutes after which no row begins.", 0.0)
_QUICK = flags.DEFINE_bool("quick", False, "Tiny sizes, for a test.")
_UPDATE = flags.DEFINE_bool("update_docs", False, "Rewrite docs/performance.md.")


def peak(precision: str, size: int) -> float:
  """Returns the operations a second of a large matrix product, the best of five."""
  dtype = precision.removeprefix("mixed_")
  a = tf.cast(tf.random.normal([size, size]), dtype)
  product = tf.function(lambda: tf.reduce_sum(tf.matmul(a, a)))
  seconds = []
  for _ in range(6):
    start = time.perf_counter()
    product().numpy()
    seconds.append(time.perf_counter() - start)
  return 2 * size ** 3 / min(seconds)


def steps_a_second(step: Callable[[Any], Any], batches: Iterator[Any], count: int
                   ) -> tuple[float, float]:
  """Returns the steps a second, and the share of the time that waits for batches."""
  step(next(batches)).label_loss.numpy()  # traced
  step(next(batches)).label_loss.numpy()
  waited, start = 0.0, time.perf_counter()
  for _ in range(count):
    before = time.perf_counter()
    batch = next(batches)
    waited += time.perf_counter() - before
    result = step(batch)
  result.label_loss.numpy()
  seconds = time.perf_counter() - start
  return count / seconds, waited / seconds


def distributed(strategy: tf.distribute.Strategy, dataset: tf.data.Dataset
                ) -> Iterator[Any]:
  """Returns the batches of a dataset as the training loop sees them."""
  batches: Iterable[Any] = strategy.distribute_datasets_from_function(
      lambda context: devices.prefetched(dataset.repeat(), strategy))
  return iter(batches)


def from_records(case: cases.Case, pattern: str, rows: int) -> tf.data.Dataset:
  """Returns the batches of the reader of `yt8m-train`, shuffled."""
  names, sizes = zip(*case.sizes, strict=True)
  spec = feature_spec.FeatureSpec(names, sizes, feature_spec.FRAME)
  return record_readers.make_reader(spec, case.num_classes, case.frames).dataset(
      pattern, rows, training=True, drop_remainder=True)


def measure(case: cases.Case, precision: str, jit_compile: bool, limit: float,
            pattern: str | None) -> dict[str, Any]:
  """Measures one model in one setting; an error of the device becomes a row."""
  row: dict[str, Any] = {"model": case.name, "precision": precision,
                         "XLA": "yes" if jit_compile else "no"}
  tf.keras.mixed_precision.set_global_policy(precision)
  strategy = strategies.make_strategy(_STRATEGY.value, _GPUS.value)
  replicas = strategy.num_replicas_in_sync
  rows = case.batch_size // replicas
  try:
    step = case.trainer(jit_compile, strategy)
    repeated = tf.data.Dataset.from_tensors(case.batch(rows))
    rate, _ = steps_a_second(step, distributed(strategy, repeated), _STEPS.value)
    row["videos/s"] = rate * rows * replicas
    row["% of peak"] = row["videos/s"] * case.work / (limit * replicas)
    row["videos/s, from records"] = row["input wait, %"] = None
    if pattern:
      rate, wait = steps_a_second(
          step, distributed(strategy, from_records(case, pattern, rows)), _STEPS.value)
      row["videos/s, from records"] = rate * rows * replicas
      row["input wait, %"] = wait
    row["remark"] = ""
  except tf.errors.OpError as error:  # memory, or what XLA does not support
    row |= dict.fromkeys(("videos/s", "% of peak", "videos/s, from records",
                          "input wait, %"))
    row["remark"] = str(error.message).splitlines()[0][:80]
  finally:
    tf.keras.mixed_precision.set_global_policy("float32")
  return row


def counted(case: cases.Case) -> cases.Case:
  """Returns the case with the operations that a video takes in training as `work`."""
  step = case.trainer()
  work = flops.of(lambda: step(case.batch(2))) / 2
  return dataclasses.replace(case, work=work)


def chosen() -> list[cases.Case]:
  """Returns the models of `--models`, with the products that they compute.

  Raises:
    ValueError: There is no such model.
  """
  known = {case.name: case for case in cases.all_cases()}
  unknown = sorted(set(_MODELS.value) - known.keys())
  if unknown:
    raise ValueError(f"--models: there is no {unknown[0]!r}; choose from "
                     f"{', '.join(known)}.")
  picked = [dataclasses.replace(known[name], batch_size=_BATCH.value)
            for name in _MODELS.value]
  return [counted(case.smaller() if _QUICK.value else case) for case in picked]


def main(argv: Sequence[str]) -> None:
  del argv
  logging.set_verbosity(logging.ERROR)
  began, size = time.monotonic(), 256 if _QUICK.value else 8192
  for gpu in tf.config.list_physical_devices("GPU"):
    tf.config.experimental.set_memory_growth(gpu, True)
  tf.config.experimental.enable_tensor_float_32_execution(_TF32.value)
  limits = {precision: peak(precision, size) for precision in _PRECISION.value}
  about = {
      "date": datetime.date.today().isoformat(), "tensorflow": tf.__version__,
      "devices": [tf.config.experimental.get_device_details(gpu).get(
          "device_name", gpu.name) for gpu in tf.config.list_physical_devices("GPU")]
      or ["CPU"], "strategy": _STRATEGY.value, "TF32": _TF32.value,
      "batch": _BATCH.value, "quick": _QUICK.value,
      "peak TFLOP/s": {name: limit / 1e12 for name, limit in limits.items()}}
  models, found, left_out = chosen(), [], []
  settings = itertools.product(
      _PRECISION.value, [False, True] if _JIT.value is None else [_JIT.value], models)
  with tempfile.TemporaryDirectory() as folder:
    # Batches of `--quick` have other sizes than the records.
    pattern = None if _QUICK.value else readers.write_records(
        folder, feature_spec.FRAME, 1024, 1)
    for precision, jit_compile, case in settings:
      if time.monotonic() - began > 60 * _MINUTES.value:
        left_out.append(f"{case.name} ({precision}, XLA {jit_compile})")
        continue
      found.append(measure(case, precision, jit_compile, limits[precision], pattern))
      write({"about": about, "rows": found, "left out": left_out})
      print(found[-1], flush=True)
  results = {"about": about, "rows": found, "left out": left_out}
  write(results)
  if _UPDATE.value and found:
    _PAGE.write_text(report.replace_section(
        _PAGE.read_text(encoding="utf-8"), "gpu", text(results)), encoding="utf-8")


def text(results: dict[str, Any]) -> str:
  """Returns the results as Markdown."""
  about = results["about"]
  peaks = ", ".join(f"{name} {value:.3g} TFLOP/s"
                    for name, value in about["peak TFLOP/s"].items())
  lines = [f"Measured on {about['date']} on {', '.join(about['devices'])}, TensorFlow "
           f"{about['tensorflow']}, --strategy={about['strategy']}, batches of "
           f"{about['batch']}, TF32 {'on' if about['TF32'] else 'off'}; peak: {peaks}."
           + (" QUICK, with tiny sizes: no result." if about["quick"] else "")]
  if results["rows"]:
    lines += ["", report.table(results["rows"])]
  if results["left out"]:
    lines += ["", f"Left out for lack of time: {', '.join(results['left out'])}."]
  return "\n".join(lines) + "\n"


def write(results: dict[str, Any]) -> None:
  """Writes gpu.json and gpu.md."""
  folder = pathlib.Path(_OUTPUT.value)
  folder.mkdir(parents=True, exist_ok=True)
  files.write_json(str(folder / "gpu.json"), results)
  with files.atomic_write(str(folder / "gpu.md")) as file:
    file.write(text(results))


if __name__ == "__main__":
  app.run(main)
