# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How a SavedModel is called: examples for its model card."""

import json
from collections.abc import Iterable
from typing import Any

from yt8m.artifacts.saved_model import Contract
from yt8m.export.saved_models import mediapipe


def examples(contract: Contract, signatures: Iterable[str]) -> str:
  """Returns examples of calls in Python, with our commands and over HTTP.

  Args:
    contract: Features, number of frames and number of classes of the model.
    signatures: Names of the signatures, of `signatures.make` or of `mediapipe.make`.
  """
  if "predict_features" not in signatures:
    return mediapipe.USAGE
  vector = [0, "…"]
  inputs: dict[str, Any] = {
      name: [vector if contract.spec.is_video_level else [vector]]
      for name in contract.spec.names}
  if not contract.spec.is_video_level:
    inputs["num_frames"] = [1]
  request = {"signature_name": "predict_features", "inputs": inputs}
  features = json.dumps(request, ensure_ascii=False).replace('"…"', "…")
  return f"""In Python, with TensorFlow alone:

```python
import tensorflow as tf

signatures = tf.saved_model.load("SAVED_MODEL").signatures
records = tf.data.TFRecordDataset("RECORDS.tfrecord").take(8)
# By keyword: for positional arguments TensorFlow first prints the input, which is slow.
answer = signatures["serving_default"](example_bytes=tf.stack(list(records)))
```

From files of records to a CSV of the best classes of every video:

```
yt8m-inference --saved_model=SAVED_MODEL --input_data_pattern='RECORDS*.tfrecord' \\
    --output_file=predictions.csv
```

Over HTTP, where MODEL_DIR holds this directory under a version number;
`tensorflow_model_server` accepts the same requests:

```
yt8m-serve --model_dir=MODEL_DIR --model_name=NAME
curl http://localhost:8501/v1/models/NAME:predict \\
    -d '{{"instances": [{{"b64": "A_RECORD_IN_BASE64"}}]}}'
curl http://localhost:8501/v1/models/NAME:predict \\
    -d '{features}'
```

(… stands for the other values of a vector.)"""
