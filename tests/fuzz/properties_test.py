# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What our writers write, our readers read back, whatever the content is."""

import json
import os
import tempfile
from urllib import parse

import hypothesis
import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

from tests.fuzz import training_targets
from yt8m.configs import experiment
from yt8m.configs import hparams
from yt8m.core import csv_files
from yt8m.core import files
from yt8m.core import video_ids
from yt8m.data import framing
from yt8m.data import records
from yt8m.data import tfrecords
from yt8m.eval.predictions import store as stores
from yt8m.eval.predictions import writer as store_writer
from yt8m.export.submissions import check
from yt8m.export.submissions import segments
from yt8m.export.submissions import videos

# Bytes of any kind, or the text of another program. An array of numpy drops zero bytes
# at the end of an id, so outputs refuse such ids.
IDS = (st.binary(min_size=1, max_size=12) | st.text(min_size=1, max_size=6).map(
    lambda text: text.encode("utf-8", "surrogatepass"))).filter(
        lambda one: not one.endswith(b"\0"))
SCORES = st.floats(0, 1, width=32)
NUM_CLASSES = 30


def few(number):
  return hypothesis.settings(max_examples=number, deadline=None)


@st.composite
def predictions(draw):
  """Ids, classes and scores of a few videos, best first."""
  ids = draw(st.lists(IDS, unique=True, max_size=6))
  k = draw(st.integers(1, 4))
  classes = [draw(st.lists(st.integers(0, NUM_CLASSES - 1), min_size=k, max_size=k,
                           unique=True)) for _ in ids]
  scores = [sorted(draw(st.lists(SCORES, min_size=k, max_size=k)), reverse=True)
            for _ in ids]
  return (ids, np.array(classes, np.int32).reshape(-1, k),
          np.array(scores, np.float32).reshape(-1, k))


@hypothesis.given(st.lists(IDS, unique=True, max_size=9))
@few(50)
def test_the_text_of_an_id_is_one_word_and_gives_the_id_back(ids):
  texts = [video_ids.as_text(one) for one in ids]
  assert video_ids.as_bytes(texts).tolist() == ids
  assert [parse.unquote_to_bytes(text) for text in texts] == ids
  assert len(set(texts)) == len(ids)
  assert all(len(text.split()) == 1 and not set(',"\ufeff') & set(text) for text in texts)
  assert [video_ids.as_text(text) for text in texts] == texts


@hypothesis.given(predictions())
@few(50)
def test_a_submission_has_no_errors_and_the_same_pairs(drawn):
  ids, classes, scores = drawn
  with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "out.csv")
    with videos.SubmissionWriter(path) as writer:
      writer.write(ids, classes, scores)
    report = check.check(path, classes=range(NUM_CLASSES),
                         ids={video_ids.as_text(one) for one in ids})
    assert (report.errors, report.lines, report.pairs) == ([], len(ids), classes.size)
    _, *lines = csv_files.read(path)
  for line, video_id, *row in zip(lines, ids, classes, scores, strict=True):
    assert parse.unquote_to_bytes(line.cells[0]) == video_id
    words = line.cells[1].split(" ")
    assert list(map(int, words[0::2])) == row[0].tolist()
    # In float64: a relative tolerance of the smallest float32 would be 0.
    np.testing.assert_allclose(
        list(map(float, words[1::2])), row[1].astype(np.float64), rtol=1e-5)


@hypothesis.given(predictions())
@few(50)
def test_a_segment_submission_has_each_segment_once_for_each_class(drawn):
  ids, classes, scores = drawn
  with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "out.csv")
    with segments.SegmentSubmissionWriter(path) as writer:
      writer.write([one + b":5" for one in ids], classes, scores)
    read = list(segments.read_segment_submission(path))
    assert check.check(path, classes=range(NUM_CLASSES)).errors == []
  found = [(class_id, parse.unquote_to_bytes(word).removesuffix(b":5"))
           for class_id, words in read for word in words]
  assert sorted(found) == sorted(
      (class_id, one) for one, row in zip(ids, classes.tolist(), strict=True)
      for class_id in row)


@hypothesis.given(st.lists(st.binary(max_size=99), max_size=5),
                  st.sampled_from(["", "GZIP", "ZLIB"]))
@few(10)
def test_records_come_back_with_their_numbers(contents, compression):
  with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "a.tfrecord")
    with tf.io.TFRecordWriter(path, compression) as writer:
      for content in contents:
        writer.write(content)
    found = framing.inspect(path)
    assert (found.num_records, found.damage) == (len(contents), "")
    with records.clear_errors():
      read = list(records.read([path], num_readers=1).as_numpy_iterator())
  assert read == [(content, 0, number) for number, content in enumerate(contents)]


@hypothesis.given(IDS, st.lists(st.integers(0, 2**40), max_size=4),
                  st.integers(0, 5), st.data())
@few(50)
def test_a_frame_level_record_holds_what_was_written(video_id, labels, num_frames, data):
  frames = data.draw(st.binary(min_size=3 * num_frames, max_size=3 * num_frames))
  frames = np.frombuffer(frames, np.uint8).reshape(num_frames, 3)
  example = tfrecords.frame_example("x", labels, {"rgb": frames})
  example.context.feature["id"].bytes_list.value[:] = [video_id]
  read = tf.train.SequenceExample.FromString(example.SerializeToString())
  assert list(read.context.feature["labels"].int64_list.value) == labels
  assert read.context.feature["id"].bytes_list.value[0] == video_id
  rows = [feature.bytes_list.value[0]
          for feature in read.feature_lists.feature_list["rgb"].feature]
  assert rows == [row.tobytes() for row in frames]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2**63, 2**63) | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=3), one,
                                                            max_size=3), max_leaves=6)


@hypothesis.given(st.dictionaries(st.text(max_size=9), JSON, max_size=5),
                  st.sampled_from(training_targets.MODELS), st.integers(1, 2**31 - 1))
@few(50)
def test_a_configuration_comes_back(flags, model, max_frames):
  with tempfile.TemporaryDirectory() as folder:
    content = {"format": 1, "model": model, "max_frames": max_frames, "flags": flags}
    with files.atomic_write(os.path.join(folder, "config.json")) as file:
      json.dump(content, file)
    first = experiment.Experiment.load(folder)
    os.mkdir(os.path.join(folder, "copy"))
    first.save(os.path.join(folder, "copy"))
    second = experiment.Experiment.load(os.path.join(folder, "copy"))
  assert first.flags == flags and first.max_frames == max_frames
  assert (first.model_config, first.flags, first.max_frames) == (
      second.model_config, second.flags, second.max_frames)


@hypothesis.given(st.dictionaries(
    st.text("abcdef_", min_size=1, max_size=6).filter(lambda name: name != "name"),
    st.integers(-5, 5) | st.floats(0, 1) | st.booleans(), max_size=4))
@few(50)
def test_hparams_change_only_what_they_name(options):
  before = {"classifier": {"name": "moe", "l2": 0.5}, "aggregation": "mean"}
  after = hparams.change(before, json.dumps({"classifier": options}))
  assert after == {"classifier": {**before["classifier"], **options},
                   "aggregation": "mean"}
  assert before == {"classifier": {"name": "moe", "l2": 0.5}, "aggregation": "mean"}
  assert hparams.change(after, json.dumps({"classifier": options})) == after


@hypothesis.given(st.lists(IDS, unique=True, min_size=1, max_size=5), st.data())
@few(15)
def test_a_prediction_store_gives_the_best_scores_back(ids, data):
  scores = np.array([[data.draw(st.integers(0, 2048)) / 2048 for _ in range(6)]
                     for _ in ids], np.float32)  # exact in half precision
  top_k = data.draw(st.integers(1, 6))
  rows = store_writer.rows(np.array(ids, object), scores, top_k=top_k)
  with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "store")
    store_writer.write(path, ["all"], lambda _: rows, num_classes=6, top_k=top_k)
    opened = stores.PredictionStore.open(path)
    assert opened.ids.tolist() == ids and opened.top_k == top_k
    best, classes = opened.best(slice(None), top_k)
    np.testing.assert_array_equal(best, -np.sort(-scores, axis=1)[:, :top_k])
    np.testing.assert_array_equal(np.take_along_axis(scores, classes, axis=1), best)
