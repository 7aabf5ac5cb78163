# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Float16 embeddings of three modalities: from records to a SavedModel and back."""

import json

import numpy as np
import pytest
import tensorflow as tf

import yt8m
from tests.helpers import support
from yt8m.artifacts import saved_model
from yt8m.data import tfrecords
from yt8m.export.serving import rest_api

SIZES = {"clip": 4, "speech": 3, "vggish": 2}
FEATURES = ("--frame_features", f"--feature_names={','.join(SIZES)}",
            "--feature_sizes=4,3,2", "--feature_dtypes=float16,float16,float16")
CLASSES, MAX_FRAMES = 4, 6


def write_records(path):
  """Writes videos whose frames are byte strings or lists of floats, in turn."""
  rng = np.random.default_rng(0)
  videos = [{name: rng.normal(size=(length, size)).astype(np.float16)
             for name, size in SIZES.items()} for length in (3, 8, 1, 5, 6, 2)]
  with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
    for row, frames in enumerate(videos):
      writer.write(tfrecords.frame_example(
          f"v{row}", [row % CLASSES], frames,
          float_lists=row % 2 == 1).SerializeToString())
  return videos


@pytest.mark.long
def test_from_records_to_an_exported_model_and_back(tmp_path):
  records, model, serving = (tmp_path / name for name in ("r.tfrecord", "model", "1"))
  videos = write_records(records)
  support.run_command(
      "yt8m.train", *FEATURES, f"--train_data_pattern={records}",
      f"--num_classes={CLASSES}", f"--max_frames={MAX_FRAMES}", "--fusion=late2",
      "--model=FrameLevelLogisticModel", "--max_steps=2", "--batch_size=4",
      f"--train_dir={model}")
  spec = json.loads((model / "config.json").read_text())["model"]["feature_spec"]
  assert spec["dtypes"] == ["float16"] * 3
  support.run_command("yt8m.eval.evaluate", f"--eval_data_pattern={records}",
                      f"--train_dir={model}", "--run_once")
  support.run_command("yt8m.export.export_model", f"--train_dir={model}",
                      f"--output_dir={serving}", "--warmup_requests=2")
  support.run_command("yt8m.export.inference", f"--train_dir={model}", "--top_k=4",
                      f"--input_data_pattern={records}",
                      f"--output_file={tmp_path / 'scores.csv'}")
  submission = support.read_submission(tmp_path / "scores.csv")

  exported = saved_model.SavedModel(str(serving))
  assert exported.spec.dtypes == ("float16",) * 3
  loaded = exported.load()
  serialized = list(tf.data.TFRecordDataset(str(records), "GZIP"))
  from_records = loaded.signatures["predict_full"](tf.stack(serialized))["predictions"]
  by_name = {name: [frames[name].astype(np.float64) for frames in videos]
             for name in SIZES}
  np.testing.assert_allclose(
      yt8m.load(serving).predict(by_name), from_records, atol=1e-6)
  predict = loaded.signatures["predict_features"]
  inputs = predict.structured_input_signature[1]
  assert {inputs[name].dtype for name in SIZES} == {tf.float16}
  for row, frames in enumerate(videos):
    batch = {name: x[np.newaxis] for name, x in frames.items()} | {
        "num_frames": np.array([len(frames["clip"])], np.int32)}
    scores = predict(**{name: tf.constant(x) for name, x in batch.items()})["predictions"]
    np.testing.assert_allclose(scores[0], from_records[row], atol=1e-6)
    classes, best = submission[f"v{row}"]
    np.testing.assert_allclose(best, scores.numpy()[0, classes], atol=2e-6)
    # The numbers of JSON become the same arrays.
    request = rest_api.parse_predict(json.dumps({
        "signature_name": "predict_features",
        "inputs": {name: x.tolist() for name, x in batch.items()}}).encode(),
        {"predict_features": inputs})
    for name, x in batch.items():
      assert request.inputs[name].dtype == x.dtype
      np.testing.assert_array_equal(request.inputs[name], x)


def test_json_that_is_too_large_for_float16_is_refused():
  specs = {"predict_features": {"clip": tf.TensorSpec([None, 2], tf.float16)}}
  with pytest.raises(rest_api.RestError, match="too large for float16"):
    rest_api.parse_predict(
        b'{"signature_name": "predict_features", "inputs": [[1.5, 70000]]}', specs)
