# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Contract of the Keras metrics: each equals `EvaluationMetrics` wherever it runs."""

import copy
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m import metrics
from yt8m.eval.metrics import host_metric
from yt8m.eval.metrics import streaming

keras = tf.keras

# Every metric, and the entry of `EvaluationMetrics.get` that it equals.
METRICS = [
    (metrics.GlobalAveragePrecision, {}, "gap"),
    (metrics.GlobalAveragePrecision, {"top_k": 3, "dtype": "float64"}, "gap"),
    (metrics.MeanAveragePrecision, {}, "map"),
    (metrics.MeanAveragePrecision, {"top_k": 5, "top_n": 2}, "map"),
    (metrics.HitAtK, {}, "avg_hit_at_one"),
    (metrics.PrecisionAtEqualRecall, {}, "avg_perr"),
]
every_metric = pytest.mark.parametrize(
    "cls, arguments, entry", METRICS, ids=lambda value: getattr(value, "__name__", None))


def random_batch(num_videos=24, num_classes=30, levels=9, label_rate=0.1, seed=0):
  """Labels and predictions with many ties, and videos without labels."""
  rng = np.random.default_rng(seed)
  predictions = rng.random((num_videos, num_classes), np.float32)
  if levels:
    predictions = np.float32(np.floor(predictions * levels) / levels)
  return rng.random(predictions.shape) < label_rate, predictions


LABELS, PREDICTIONS = random_batch()


def expected(entry, arguments, labels=LABELS, predictions=PREDICTIONS):
  evaluation = streaming.EvaluationMetrics(
      labels.shape[1], arguments.get("top_k", 20), arguments.get("top_n"))
  evaluation.accumulate(predictions, labels, 0.0)
  return pytest.approx(evaluation.get()[entry], abs=1e-6)


def updated(metric, *rows, labels=LABELS, predictions=PREDICTIONS):
  for part in rows:
    metric.update_state(labels[part], predictions[part])
  return metric


HALVES = slice(7), slice(7, None)


@every_metric
@pytest.mark.parametrize("case", [
    {}, {"levels": None}, {"num_classes": 4}, {"label_rate": 0.0}, {"label_rate": 0.9},
    {"num_videos": 1}, {"num_classes": 3000, "label_rate": 0.01}])
def test_equals_the_evaluation(cls, arguments, entry, case):
  labels, predictions = random_batch(**case)
  metric = cls(**arguments)
  assert float(metric.result()) == 0
  updated(metric, *HALVES, labels=labels, predictions=predictions) if len(
      labels) > 7 else metric.update_state(labels, predictions)
  assert float(metric.result()) == expected(entry, arguments, labels, predictions)
  metric.reset_state()
  assert float(metric.result()) == 0
  # Labels above 0 are positive, in any type. Half precision has more ties.
  soft = labels * np.float32(0.25)
  for dtype in (tf.bfloat16, tf.float64):
    scores = tf.cast(predictions, dtype)
    metric.reset_state()
    metric.update_state(tf.cast(soft, dtype), scores)
    assert float(metric.result()) == expected(
        entry, arguments, labels, tf.cast(scores, tf.float64).numpy())


@support.needs_goldens
def test_equals_the_starter_code():
  golden = support.with_prefix(
      support.load_golden("metrics_eval_util")[0], "A_plain20/")
  reference = support.with_prefix(golden, "em_topk20_topnNone/")
  for cls, arguments, entry in METRICS:
    if set(arguments) <= {"dtype"}:
      metric = cls(**arguments)
      for batch in range(sum(key.endswith("/loss") for key in golden)):
        metric.update_state(golden[f"b{batch}/labels"], golden[f"b{batch}/predictions"])
      assert float(metric.result()) == pytest.approx(reference[entry], abs=1e-6)


@pytest.mark.parametrize("k", [2, 100])
def test_hit_at_k(k):
  metric = updated(metrics.HitAtK(k), *HALVES)
  assert metric.name == f"hit_at_{k}"
  assert float(metric.result()) == pytest.approx(
      streaming.hit_at_k(PREDICTIONS, LABELS, k))


@every_metric
def test_in_a_graph_everything_happens_in_order(cls, arguments, entry):
  metric = cls(**arguments)
  values = expected(entry, arguments), expected(
      entry, arguments, LABELS[:7], PREDICTIONS[:7])

  @tf.function(reduce_retracing=True)
  def run(labels, predictions):
    metric.reset_state()
    metric.update_state(labels[:7], predictions[:7])
    first = metric.result()
    metric.update_state(labels[7:], predictions[7:])
    return metric.result(), first

  for _ in range(2):
    assert [float(value) for value in run(LABELS, PREDICTIONS)] == list(values)
  message = f"Metric '{metric.name}': the prediction in row 0 for class 0 is NaN"
  with pytest.raises(tf.errors.InvalidArgumentError, match=message):
    run(LABELS, np.full_like(PREDICTIONS, np.nan))
  run(LABELS, PREDICTIONS)
  assert float(metric.result()) == values[0]


@every_metric
def test_merged_and_copied_metrics_equal_one_of_all_videos(cls, arguments, entry):
  first, second = (updated(cls(**arguments), half) for half in HALVES)
  copied = copy.deepcopy(second)
  second.reset_state()
  whole = cls(**arguments)
  whole.merge_state([cls(**arguments), first])
  assert float(whole.result()) == float(first.result())
  whole.merge_state([copied, second])
  assert float(whole.result()) == expected(entry, arguments)
  # The merged ones are unchanged.
  assert float(copied.result()) == expected(
      entry, arguments, LABELS[7:], PREDICTIONS[7:])


def test_merging_others_is_an_error():
  metric = updated(metrics.GlobalAveragePrecision(), slice(None))
  for other in (metrics.GlobalAveragePrecision(top_k=3), metrics.MeanAveragePrecision()):
    with pytest.raises(ValueError, match="must be of one type and have the same"):
      metric.merge_state([other])
  fewer = metrics.GlobalAveragePrecision()
  fewer.update_state(LABELS[:, :4], PREDICTIONS[:, :4])
  with pytest.raises(ValueError, match="'gap' of 4 classes into one of 30"):
    metric.merge_state([fewer])


@every_metric
def test_padding_and_unrated_classes(cls, arguments, entry):
  padding = np.arange(len(LABELS)) % 3 == 1
  padded = np.where(padding[:, np.newaxis], np.nan, PREDICTIONS)
  of_videos = expected(entry, arguments, LABELS[~padding], PREDICTIONS[~padding])
  metric = cls(**arguments)

  @tf.function(reduce_retracing=True)
  def in_graph(labels, predictions, weights):
    metric.update_state(labels, predictions, weights)

  for weights in (~padding, np.float32(~padding)[:, np.newaxis],
                  np.tile(np.float32(~padding)[:, np.newaxis], 30)):
    for update in (metric.update_state, in_graph):
      metric.reset_state()
      update(LABELS, padded, weights)
      update(LABELS, padded, np.zeros_like(weights))
      assert float(metric.result()) == of_videos
  rated = np.random.default_rng(1).random(LABELS.shape) < 0.5
  metric.reset_state()
  metric.update_state(LABELS, PREDICTIONS, rated)
  assert float(metric.result()) == expected(entry, arguments, LABELS, PREDICTIONS * rated)


@pytest.mark.parametrize("weights, message", [
    ([1, 0.5, 0], "row 1 is 0.5, but a video counts once"),
    ([1, 0, -1], "row 2 is -1, but"), ([np.nan, 0, 1], "row 0 is nan, but"),
    (np.ones((3, 4)), "(3, 4) must be (batch_size,) or as y_pred, (3, 30)"),
])
def test_other_weights_are_an_error_and_add_nothing(weights, message):
  metric = metrics.PrecisionAtEqualRecall()
  with pytest.raises(ValueError, match=f"Metric 'perr'.*{re.escape(message)}"):
    metric.update_state(LABELS[:3], PREDICTIONS[:3], weights)
  assert float(metric.result()) == 0


@pytest.mark.parametrize("cls, arguments", [
    (metrics.GlobalAveragePrecision, {"top_k": 0}), (metrics.HitAtK, {"k": -1}),
    (metrics.MeanAveragePrecision, {"top_n": 0})])
def test_a_number_below_one_is_an_error(cls, arguments):
  [(name, value)] = arguments.items()
  with pytest.raises(ValueError, match=f"^{name}={value} must be at least 1"):
    cls(**arguments)


@every_metric
def test_config_round_trip(cls, arguments, entry):
  metric = cls(**arguments, name="mine")
  config = json.loads(json.dumps(keras.metrics.serialize(metric)))
  assert config["registered_name"] == f"yt8m>{cls.__name__}"
  restored = keras.metrics.deserialize(config)
  assert type(restored) is cls
  assert restored.get_config() == metric.get_config()
  assert arguments.items() <= metric.get_config().items()
  assert float(updated(restored, *HALVES).result()) == expected(entry, arguments)


def test_progress_bars_read_a_recent_value_and_the_end_the_exact_one(monkeypatch):
  metric = metrics.GlobalAveragePrecision(dtype="float64")
  monkeypatch.setattr(metric, "_exact_in_graph", 4)
  read = tf.function(metric.result)
  seen = []
  for row in range(len(LABELS)):
    updated(metric, [row])
    exact = [float(expected("gap", {}, LABELS[:n], PREDICTIONS[:n]).expected)
             for n in range(1, row + 2)]
    shown_value = pytest.approx(float(read()), abs=1e-9)
    seen.append(len(exact) - exact[::-1].index(shown_value))
  shown = np.array(seen)
  assert (shown >= np.arange(1, 25) * 7 / 8).all() and (shown[:4] == range(1, 5)).all()
  assert len(set(shown)) < 24  # some values were shown twice
  assert float(metric.result()) == expected("gap", {})


def test_what_cannot_work_is_an_error(monkeypatch):
  metric = metrics.HitAtK()
  compiled = tf.function(metric.update_state, jit_compile=True)
  with pytest.raises(ValueError, match="XLA cannot reach: call .*jit_compile=False"):
    compiled(LABELS, PREDICTIONS)
  monkeypatch.setattr(host_metric, "_SEVERAL_PROCESSES",
                      type(tf.distribute.get_strategy()))
  with pytest.raises(ValueError, match="uses several. Evaluate checkpoints with yt8m-ev"):
    metric.update_state(LABELS, PREDICTIONS)


@pytest.mark.long
def test_fit_under_two_replicas_from_names_and_saving(tmp_path):
  """A process of its own: logical devices are set before TensorFlow starts."""
  output = subprocess.run(
      [sys.executable, str(support.ROOT / "tests/helpers/two_replica_metrics.py"),
       str(tmp_path / "model.keras")], capture_output=True, text=True, timeout=300,
      cwd=support.ROOT, env=support.ENVIRONMENT)
  assert output.returncode == 0, output.stderr[-3000:]
  values = json.loads(output.stdout.splitlines()[-1])
  assert values.pop("replicas") == 2
  for kind in ("fit", "evaluate", "loaded"):
    assert values[kind] == pytest.approx(
        values["expected"], rel=1e-6, abs=1e-6), kind
