# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The signature of MediaPipe's YouTube-8M graphs, which score windows of a few frames.

    writer.save(…, make_signatures=mediapipe.make)

For a batch of B windows of T frames, C classes, and D values per frame:

    serving_default    rgb_and_audio (B, T, D) float32, num_frames (B, 1) int32
                       -> predictions (B, C)

The D values are the concatenated features, in the order of the `FeatureSpec`, as floats:
MediaPipe dequantises records (`x = q·4/255 + 4/512 − 2`), and the features that it
extracts from a video were never quantised. `num_frames` may have a single row, which then
applies to all B windows. Frames beyond `num_frames`, and beyond the `max_frames` of the
model, are ignored.

References: YouTube-8M starter code, `export_model_mediapipe.py`; MediaPipe,
`graphs/youtube8m/local_video_model_inference.pbtxt` and
`graphs/youtube8m/yt8m_dataset_model_inference.pbtxt`.
"""

import tensorflow as tf

from yt8m.artifacts.saved_model import Contract
from yt8m.artifacts.thresholds import Thresholds
from yt8m.core.vocabulary import Vocabulary
from yt8m.export.saved_models import signatures

# Section of the model card.
USAGE = """MediaPipe's YouTube-8M graphs take it from `/tmp/mediapipe/saved_model`:

```
bazel-bin/mediapipe/examples/desktop/youtube8m/model_inference \\
    --calculator_graph_config_file=\\
mediapipe/graphs/youtube8m/yt8m_dataset_model_inference.pbtxt \\
    --input_side_packets=tfrecord_path=RECORDS.tfrecord,record_index=0,\\
desired_segment_size=5 \\
    --output_stream=annotation_summary --output_stream_file=/tmp/summary \\
    --output_side_packets=yt8m_id --output_side_packets_file=/tmp/yt8m_id
```

In Python:

```python
import tensorflow as tf

predict = tf.saved_model.load("SAVED_MODEL").signatures["serving_default"]
scores = predict(rgb_and_audio=frames, num_frames=num_frames)["predictions"]
```"""


def make(contract: Contract, model: signatures.Model,
         top_k: int | None = None, names: Vocabulary | None = None,
         limits: Thresholds | None = None) -> signatures.Signatures:
  """Traces the signature.

  Args:
    contract: Features, number of frames and number of classes of the model.
    model: Model to trace; see `signatures.make`.
    top_k: Ignored, because the signature returns the scores of all classes.
    names: Ignored, for the same reason.
    limits: Ignored, for the same reason.

  Raises:
    ValueError: The model reads video-level features.
  """
  del top_k, names, limits
  spec = contract.spec
  if spec.is_video_level:
    raise ValueError("--mediapipe exports frame-level models, but this model reads "
                     "video-level features: train a frame-level model "
                     "(--frame_features), or leave out --mediapipe.")

  @tf.function(input_signature=[
      tf.TensorSpec([None, None, spec.total_size], tf.float32, "rgb_and_audio"),
      tf.TensorSpec([None, 1], tf.int32, "num_frames")])
  def serving_default(rgb_and_audio, num_frames):
    windows, given_frames, _ = tf.unstack(tf.shape(rgb_and_audio))
    lengths = signatures.checked_lengths(
        tf.broadcast_to(num_frames[:, 0], [windows]), given_frames, contract.max_frames)
    features = tf.split(rgb_and_audio[:, :contract.max_frames], spec.sizes, axis=2)
    outputs = signatures.score(model, {
        "features": dict(zip(spec.names, features, strict=True)),
        "num_frames": lengths})
    return {"predictions": outputs["predictions"]}

  return {"serving_default": serving_default.get_concrete_function()}
