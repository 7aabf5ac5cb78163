# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Base64 text and TFRecord files in place of a record are recognised, records never."""

import base64
import gzip

import numpy as np
import pytest
import tensorflow as tf

from yt8m.data import tfrecords
from yt8m.export.serving import record_bytes


def records():
  rng = np.random.default_rng(0)
  for size in (1, 8, 100, 2000):
    yield tfrecords.video_example("v" * size, range(size % 7), {
        "x": rng.normal(size=size)}).SerializeToString()
    yield tfrecords.frame_example("v", [], {
        "rgb": np.zeros((size, 4), np.uint8)}).SerializeToString()


def framed(path, count=2):
  with tf.io.TFRecordWriter(str(path)) as writer:
    for record in list(records())[-count:]:
      writer.write(record)
  return path.read_bytes()


def test_records_have_no_fault():
  for record in (*records(), b"", b"a", b"\xff\0", b"CgoKAn" + bytes(20)):
    assert record_bytes.fault(record) == ""


@pytest.mark.parametrize("encode", [
    base64.b64encode, base64.encodebytes, base64.urlsafe_b64encode,
    lambda record: base64.b64encode(record).rstrip(b"=")])
def test_base64_text_is_explained(encode, tmp_path):
  for record in (*records(), framed(tmp_path / "file")):
    assert 'send {"b64": "<base64 of the record>"}, encoded once' in (
        record_bytes.fault(encode(record)))


def test_files_are_explained(tmp_path):
  content = framed(tmp_path / "file")
  assert "is a TFRecord file: send its records one by one" in record_bytes.fault(content)
  one = framed(tmp_path / "one", count=1)
  assert "is a TFRecord file" in record_bytes.fault(one)
  assert "compressed with gzip" in record_bytes.fault(gzip.compress(content))
