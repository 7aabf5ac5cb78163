# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Aligned stores, compared with the dense matrices that they were made from."""

import numpy as np
import pytest

from yt8m.eval.predictions import aligned as aligned_predictions
from yt8m.eval.predictions import writer

MODELS, VIDEOS, CLASSES, TOP_K = 3, 23, 12, 4


def data(seed=0):
  """Ids, (M, n, C) scores and (n, C) labels."""
  rng = np.random.default_rng(seed)
  ids = [b"video%d" % i for i in range(VIDEOS)]
  scores = rng.random((MODELS, VIDEOS, CLASSES), np.float32)
  return ids, scores, rng.random((VIDEOS, CLASSES)) < 0.3


def align(folder, stores, **options):
  (folder / "aligned").mkdir()
  return aligned_predictions.AlignedPredictions.from_stores(
      stores, str(folder / "aligned"), **options)


def write(directory, ids, scores, labels, top_k=TOP_K):
  rows = writer.rows(ids, scores, labels, top_k=top_k)
  return writer.write(str(directory), ["records"], lambda name: rows,
                      num_classes=scores.shape[1], top_k=top_k)


@pytest.fixture
def stores(tmp_path):
  ids, scores, labels = data()
  return {f"model{m}": write(tmp_path / str(m), ids, scores[m], labels)
          for m in range(MODELS)}


def expected():
  """Numpy twin, video by video: classes, scores and hits of each."""
  _, scores, labels = data()
  for i in range(VIDEOS):
    best = [set(np.argsort(-scores[m, i])[:TOP_K]) for m in range(MODELS)]
    classes = sorted(set.union(*best))
    yield (classes, [[np.float16(scores[m, i, c]) if c in best[m] else 0 for c in classes]
                     for m in range(MODELS)], labels[i, classes])


def assert_as_expected(aligned):
  assert aligned.names == ("model0", "model1", "model2")
  assert aligned.scores.dtype == np.float16 and aligned.hits.dtype == bool
  assert aligned.num_classes == CLASSES
  labels = data()[2]
  np.testing.assert_array_equal(aligned.num_labels, labels.sum(axis=1))
  assert aligned.num_positives == labels.sum()
  widths = []
  for i, (classes, scores, hits) in enumerate(expected()):
    width = len(classes)
    widths.append(width)
    assert aligned.classes[i, :width].tolist() == classes
    assert set(aligned.classes[i, width:]) <= {CLASSES}
    np.testing.assert_array_equal(aligned.scores[:, i, :width], scores)
    np.testing.assert_array_equal(aligned.hits[i, :width], hits)
    assert not aligned.scores[:, i, width:].any() and not aligned.hits[i, width:].any()
  assert aligned.classes.shape == (VIDEOS, max(widths))


@pytest.mark.parametrize("rows_at_a_time", [1, 5, VIDEOS])
def test_equals_the_twin_in_chunks_of_any_size(
    stores, tmp_path, monkeypatch, rows_at_a_time):
  monkeypatch.setattr(aligned_predictions, "_TABLE_SIZE", rows_at_a_time * CLASSES + 1)
  assert_as_expected(align(tmp_path, stores))


def test_on_disk(stores, tmp_path):
  aligned = align(tmp_path, stores)
  assert_as_expected(aligned)
  assert isinstance(aligned.scores, np.memmap)
  assert {path.name for path in (tmp_path / "aligned").iterdir()} == {
      "scores.npy", "classes.npy", "hits.npy"}


def test_of_dense_and_of_longer_stores_the_best_are_taken(tmp_path):
  ids, scores, labels = data()
  top_ks = [None, 9, TOP_K]
  stores = {f"model{m}": write(tmp_path / str(m), ids, scores[m], labels, top_ks[m])
            for m in range(MODELS)}
  assert_as_expected(align(tmp_path, stores, top_k=TOP_K))


def test_all_classes_of_dense_stores_are_the_matrix(tmp_path):
  ids, scores, labels = data()
  store = write(tmp_path / "store", ids, scores[0], labels, None)
  aligned = align(tmp_path, {"a": store})
  np.testing.assert_array_equal(aligned.scores[0], scores[0].astype(np.float16))
  np.testing.assert_array_equal(aligned.hits, labels)
  np.testing.assert_array_equal(aligned.classes, np.tile(np.arange(CLASSES), (VIDEOS, 1)))


def test_padding_is_a_class_beyond_the_last_also_where_16_bits_end(tmp_path):
  scores = np.zeros((2, 2**16), np.float32)
  scores[:, -1] = 1
  scores[1, 0] = 0.5
  labels = scores > 0.9
  stores = {name: write(tmp_path / name, [b"a", b"b"], x, labels, top_k=1)
            for name, x in {"x": scores, "y": np.roll(scores, 1, axis=0) * [[1], [0]]
                            + [[0], [1]] * np.eye(1, 2**16)}.items()}
  aligned = align(tmp_path, stores)
  assert aligned.classes.tolist() == [[2**16 - 1, 2**16], [0, 2**16 - 1]]
  assert aligned.hits.tolist() == [[True, False], [False, True]]


def align_two(tmp_path, change):
  ids, scores, labels = data()
  first = write(tmp_path / "a", ids, scores[0], labels)
  second = write(tmp_path / "b", *change(list(ids), scores[1], labels.copy()))
  return align(tmp_path, {"first": first, "second": second})


def swapped(ids, scores, labels):
  ids[4], ids[9] = ids[9], ids[4]
  return ids, scores, labels


def replaced(ids, scores, labels):
  ids[4] = b"a stranger"
  return ids, scores, labels


def another_label(ids, scores, labels):
  row = labels[7]
  row[np.flatnonzero(row)[0]], row[np.flatnonzero(~row)[0]] = False, True
  return ids, scores, labels


def one_label_more(ids, scores, labels):
  labels[7, np.flatnonzero(~labels[7])[0]] = True
  return ids, scores, labels


@pytest.mark.parametrize("change, message", [
    (swapped, r"first and second are for the same videos in another order \(23 and 23\): "
     "video 4 is 'video4' and 'video9'"),
    (replaced, r"other videos \(23 and 23\): video 4 is 'video4' and 'a%20stranger'"),
    (lambda *arrays: [a[:20] for a in arrays],
     r"other videos \(23 and 20\): video 20 is 'video20' and missing"),
    (another_label, "different labels for video 7, 'video7'"),
    (one_label_more, "different labels for video 7, 'video7'"),
    (lambda ids, scores, _: (ids, scores, None), "second predicted has a label, so"),
    (lambda ids, scores, labels: (ids, scores[:, :9], labels[:, :9]),
     "of 12 and 9 classes")])
def test_stores_that_do_not_match(tmp_path, change, message):
  with pytest.raises(ValueError, match=message):
    align_two(tmp_path, change)


def test_ids_stored_wider_are_the_same(tmp_path):
  aligned = align_two(tmp_path, lambda ids, *rest: (np.array(ids, "S40"), *rest))
  assert aligned.names == ("first", "second")


def test_no_stores(tmp_path):
  with pytest.raises(ValueError, match="name at least one model"):
    align(tmp_path, {})
