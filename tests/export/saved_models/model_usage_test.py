# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The examples of a model card run."""

import json
import re
import shlex

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import descriptors
from tests.helpers import serving
from yt8m.artifacts.saved_model import Served
from yt8m.export.saved_models import mediapipe
from yt8m.export.saved_models import model_usage


@pytest.mark.parametrize("case", ["classifier-moe", "aggregation-mean"])
def test_its_examples_run(case, tmp_path, monkeypatch):
  """Runs the Python example unchanged, and sends the requests to the model."""
  serving.save(case, tmp_path / "SAVED_MODEL")
  level = descriptors.all_models()[case][0]
  served = Served(descriptors.SPECS[level], descriptors.MAX_FRAMES,
                  descriptors.NUM_CLASSES)
  text = model_usage.text(served, ["serving_default", "predict_features"])
  with tf.io.TFRecordWriter(str(tmp_path / "RECORDS.tfrecord")) as writer:
    for record in serving.records(descriptors.batch(level), level).numpy():
      writer.write(record)
  monkeypatch.chdir(tmp_path)
  names = {}
  exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], names)
  assert len(names["answer"]["predictions"]) == len(list(names["records"])) > 1

  curls = re.findall(r"^curl .*?'$", text.replace("\\\n", ""), re.MULTILINE)
  by_record, by_features = (
      json.loads(shlex.split(curl)[-1].replace("[0, …]", "0")) for curl in curls)
  assert by_record == {"instances": [{"b64": "A_RECORD_IN_BASE64"}]}
  signature = names["signatures"][by_features["signature_name"]]
  specs = signature.structured_input_signature[1]
  inputs = {name: np.array(x, specs[name].dtype.as_numpy_dtype)
            for name, x in by_features["inputs"].items()}
  for name in ("rgb", "audio"):  # 0 stands for a vector with the size of the feature
    inputs[name] = np.repeat(inputs[name][..., None], specs[name].shape[-1], axis=-1)
  answer = signature(**{name: tf.constant(x) for name, x in inputs.items()})
  assert answer["predictions"].shape == (1, descriptors.NUM_CLASSES)


def test_another_signature_has_other_examples():
  served = Served(descriptors.SPECS["frame"], descriptors.MAX_FRAMES,
                  descriptors.NUM_CLASSES)
  assert model_usage.text(served, ["serving_default"]) == mediapipe.USAGE
