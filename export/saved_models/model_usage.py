# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How a SavedModel is called, in Markdown, for its model card."""

import json

from yt8m.export.saved_models import mediapipe


def text(served, signatures):
  """Examples in Python, with our commands and over HTTP.

  Args:
    served: `Served`.
    signatures: by name: of `signatures.make`, or of `mediapipe.make`.
  """
  return _of_ours(served) if "predict_features" in signatures else mediapipe.USAGE


def _of_ours(served):
  return f"""In Python, with TensorFlow and nothing else:

```python
import tensorflow as tf

signatures = tf.saved_model.load("SAVED_MODEL").signatures
records = tf.data.TFRecordDataset("RECORDS.tfrecord").take(8)
# By keyword: by position TensorFlow prints all of the input first, which takes longer.
answer = signatures["serving_default"](example_bytes=tf.stack(list(records)))
```

Files of records, to a CSV of the best classes of every video:

```
yt8m-inference --saved_model=SAVED_MODEL --input_data_pattern='RECORDS*.tfrecord' \\
    --output_file=predictions.csv
```

Over HTTP, where MODEL_DIR holds this directory under a number, its version;
`tensorflow_model_server` takes the same requests:

```
yt8m-serve --model_dir=MODEL_DIR --model_name=NAME
curl http://localhost:8501/v1/models/NAME:predict \\
    -d '{{"instances": [{{"b64": "A_RECORD_IN_BASE64"}}]}}'
curl http://localhost:8501/v1/models/NAME:predict \\
    -d '{_features_request(served)}'
```

(… stands for the rest of a vector.)"""


def _features_request(served):
  """JSON for `predict_features`: one video, of one frame; a vector as `[0, …]`."""
  vector = [0, "…"]
  inputs = {name: [vector if served.spec.is_video_level else [vector]]
            for name in served.spec.names}
  if not served.spec.is_video_level:
    inputs["num_frames"] = [1]
  request = {"signature_name": "predict_features", "inputs": inputs}
  return json.dumps(request, ensure_ascii=False).replace('"…"', "…")
