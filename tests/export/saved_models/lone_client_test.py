# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A process with TensorFlow and without this package uses a model like a server."""

import subprocess
import sys

import numpy as np
import pytest

from tests.helpers import descriptors
from tests.helpers import serving
from tests.helpers import support

# Batches of 0 to 512 rows, malformed ones, and 32 at the same time; in between, the
# answers to the batch of `records` must not change.
CLIENT = """
import concurrent.futures
import sys
import numpy as np
import tensorflow as tf

signatures = tf.saved_model.load("model").signatures
records = np.array(list(tf.data.TFRecordDataset("records").as_numpy_iterator()), object)
arrays = dict(np.load("arrays.npz"))
scores = np.load("scores.npy")

def check(rows):
  rows = np.asarray(rows, int)
  full = signatures["predict_full"](tf.constant(records[rows], tf.string))
  ids = [b"v%d" % row for row in rows]
  assert full["video_id"].numpy().tolist() == ids
  top = signatures["serving_default"](tf.constant(records[rows], tf.string))
  assert top["video_id"].numpy().ravel().tolist() == ids
  best = top["predictions"].numpy().reshape(len(rows), 3)
  wanted = -np.sort(-scores[rows])[:, :3]
  found = signatures["predict_features"](
      **{name: tf.constant(x[rows]) for name, x in arrays.items()})
  for one, other in ((full["predictions"], scores[rows]), (best, wanted),
                     (found["predictions"], scores[rows])):
    np.testing.assert_allclose(one, other, atol=1e-6)

for size in (1, 2, 3, 8, 64, 512, 0):
  check(np.arange(size) % len(records))
  for bad in (b"", b"no record", records[0][:-3]):
    for name in ("serving_default", "predict_full"):
      try:
        signatures[name](tf.constant([records[0], bad], tf.string))
      except tf.errors.InvalidArgumentError as error:
        assert "record 1 of the batch" in error.message, error.message
      else:
        raise AssertionError(f"{name} took {bad}")
rng = np.random.default_rng(0)
with concurrent.futures.ThreadPoolExecutor(16) as pool:
  list(pool.map(check, [rng.integers(len(records), size=rng.integers(9))
                        for _ in range(32)]))
assert not [name for name in sys.modules if name.split(".")[0] == "yt8m"]
"""


@pytest.mark.parametrize("case", ["aggregation-lstm", "classifier-moe"])
def test_any_batch_is_answered_and_bad_ones_do_no_harm(case, tmp_path):
  level = descriptors.all_models()[case][0]
  batch = descriptors.batch(level, rows=16)
  model = serving.save(case, tmp_path / "model")
  serving.save_requests(tmp_path, batch, level)
  np.save(tmp_path / "scores.npy", serving.at_home(model, batch))
  environment = {name: value for name, value in support.ENVIRONMENT.items()
                 if name != "PYTHONPATH"}
  process = subprocess.run([sys.executable, "-c", CLIENT], cwd=tmp_path, env=environment,
                           capture_output=True, text=True)
  assert process.returncode == 0, process.stderr[-3000:]
