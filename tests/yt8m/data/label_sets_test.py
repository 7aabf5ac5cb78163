# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Label sets without features: stored in a file, and counted."""

import collections

import numpy as np
import pytest

from tests.helpers import support
from yt8m.core.feature_spec import FeatureSpec
from yt8m.data import label_reader
from yt8m.data import label_sets
from yt8m.data.readers import make_reader

CLASSES = 6
VIDEOS = [[0, 5], [], [2], [0, 5], [1, 2, 4], [2], [], [3]]


IDS = ["a1", "b2", "ü", "a1", "eeee", "", "b", "A1"]


def make(videos=VIDEOS, ids=None):
  labels = np.zeros((len(videos), CLASSES), bool)
  for row, classes in zip(labels, videos, strict=True):
    row[classes] = True
  return label_sets.LabelSets.from_matrix(labels, ids)


def as_lists(sets):
  return [part.tolist() for part in np.split(sets.classes, np.cumsum(sets.sizes)[:-1])]


@pytest.mark.parametrize("dtype", [bool, np.float32, np.uint8])
def test_from_matrix(dtype):
  sets = label_sets.LabelSets.from_matrix(np.array(
      [[1, 0, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0]], dtype))
  assert as_lists(sets) == [[0, 3], [], [1]]
  assert len(sets) == 3 and sets.num_classes == 4
  np.testing.assert_array_equal(sets.rows, [0, 0, 2])


def test_half_a_label_is_none():
  sets = label_sets.LabelSets.from_matrix(np.array([[0.5, 0.51]], np.float32))
  assert as_lists(sets) == [[1]]


def test_prior_is_never_zero_or_one():
  expected = (np.array([2, 1, 3, 1, 1, 2]) + 0.1) / 9
  np.testing.assert_allclose(make().prior(), expected)


def test_concatenate_keeps_the_order():
  parts = [make(VIDEOS[:3]), make([[]]), make(VIDEOS[3:])]
  joined = label_sets.concatenate(parts, CLASSES)
  assert as_lists(joined) == [*VIDEOS[:3], [], *VIDEOS[3:]]
  assert len(label_sets.concatenate([], CLASSES)) == 0


def test_concatenate_keeps_ids_if_all_have_them():
  parts = [make(VIDEOS[:3], ["a", "b", "c"]), make(VIDEOS[3:4], [b"long"])]
  assert label_sets.concatenate(parts, CLASSES).ids.tolist() == ["a", "b", "c", "long"]
  assert label_sets.concatenate([*parts, make()], CLASSES).ids is None
  assert label_sets.concatenate([], CLASSES).ids is None


# From a file, from a Python list, and from TensorFlow.
@pytest.mark.parametrize("kept", [str, bytes, object])
@pytest.mark.parametrize("left_out", [str, bytes, object])
def test_without(kept, left_out):
  def ids_as(kind, ids):
    return np.array(ids) if kind is str else np.array([i.encode() for i in ids], kind)

  sets = make(ids=ids_as(kept, IDS))
  rest = sets.without(ids_as(left_out, ["a1", "ü", "", "not here"]))
  assert as_lists(rest) == [[], [1, 2, 4], [], [3]]
  assert rest.ids.tolist() == ["b2", "eeee", "b", "A1"] and rest.num_classes == CLASSES
  assert as_lists(sets) == VIDEOS and sets.ids.tolist() == IDS
  assert as_lists(sets.without(ids_as(left_out, []))) == VIDEOS
  assert len(sets.without(ids_as(left_out, IDS))) == 0


def test_ids_that_are_no_text():
  ids = np.array([b"\xff\xfe", b"\xff", b"ok"], object)
  assert as_lists(make(VIDEOS[:3], ids).without(ids[:1])) == [[], [2]]


def test_without_needs_ids():
  with pytest.raises(ValueError, match="--label_sets has no ids.*Write the file again "
                                       "with yt8m-label-sets"):
    make().without(["a1"])


def test_most_frequent_are_of_nobody():
  assert make(ids=IDS).most_frequent(3)[0].ids is None
  assert make([[0, 1]], ["a"]).most_frequent(3, max_size=1)[0].ids is None


def test_padded():
  np.testing.assert_array_equal(
      make([[0, 5], [], [1, 2, 4]]).padded(4, -7),
      [[0, 5, -7, -7], [-7, -7, -7, -7], [1, 2, 4, -7]])


def test_most_frequent_counts_and_breaks_ties_by_class():
  sets, counts = make().most_frequent(10)
  assert as_lists(sets) == [[], [0, 5], [2], [1, 2, 4], [3]]
  np.testing.assert_array_equal(counts, [2, 2, 2, 1, 1])
  sets, counts = make().most_frequent(2)
  assert as_lists(sets) == [[], [0, 5]] and len(counts) == 2
  sets, _ = make().most_frequent(10, max_size=1)
  assert as_lists(sets) == [[], [2], [3]]


@pytest.mark.parametrize("videos, max_size", [([], None), ([[0, 1]], 1)])
def test_most_frequent_of_none(videos, max_size):
  sets, counts = make(videos).most_frequent(5, max_size)
  assert len(sets) == len(counts) == 0


def test_most_frequent_equals_counting_tuples():
  rng = np.random.default_rng(0)
  sets = label_sets.LabelSets.from_matrix(rng.random((3000, 5)) < 0.3)
  counter = collections.Counter(map(tuple, as_lists(sets)))
  expected = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
  found, counts = sets.most_frequent(100)
  assert list(zip(map(tuple, as_lists(found)), counts, strict=True)) == expected


def test_save_and_load(tmp_path):
  path = str(tmp_path / "sets.npz")
  make().save(path)
  loaded = label_sets.LabelSets.load(path, CLASSES)
  assert as_lists(loaded) == VIDEOS and loaded.num_classes == CLASSES
  assert loaded.ids is None
  label_sets.LabelSets.load(path, 100)
  with pytest.raises(ValueError, match="has labels from 0 to 5, but .* has 5 classes"):
    label_sets.LabelSets.load(path, 5)


@pytest.mark.parametrize("convert", [np.array, lambda ids: [i.encode() for i in ids]])
def test_ids_are_saved(tmp_path, convert):
  path = str(tmp_path / "sets.npz")
  make(ids=convert(IDS)).save(path)
  loaded = label_sets.LabelSets.load(path, CLASSES)
  assert loaded.ids.tolist() == IDS and as_lists(loaded) == VIDEOS
  with np.load(path) as arrays:  # readable without this package, and without pickle
    np.testing.assert_array_equal(arrays["ids"], IDS)


@pytest.mark.parametrize("ids", [["a"], ["a", "b", "c"], [["a", "b"]], "ab"])
def test_ids_of_other_videos(tmp_path, ids):
  path = str(tmp_path / "sets.npz")
  np.savez(path, flat=[0, 1], lens=[1, 1], ids=ids)
  with pytest.raises(ValueError, match=f"--label_sets={path} is damaged: it has 2 sets, "
                                       "but ids of shape"):
    label_sets.LabelSets.load(path, CLASSES)


@pytest.mark.parametrize("flat, lens, message", [
    ([0.5], [1], "is not a file of label sets .*flat has another type.*write one with"),
    ([0, 1], [1, 2], "do not add up to the 2 labels"),
    ([0, 1, 2], [4, -1], "do not add up"),
    ([[0, 1]], [1], "do not add up"),
    ([0, 2, 1], [1, 2], "labels of a set must ascend"),
    ([2, 2], [2], "labels of a set must ascend"),
    ([-1, 2], [2], "has labels from -1 to 2"),
])
def test_impossible_arrays(tmp_path, flat, lens, message):
  path = str(tmp_path / "sets.npz")
  np.savez(path, flat=flat, lens=lens)
  with pytest.raises(ValueError, match=f"--label_sets={path}.*{message}"):
    label_sets.LabelSets.load(path, CLASSES)


def test_files_of_another_kind(tmp_path):
  path = tmp_path / "sets.npz"
  make().save(str(path))
  np.save(tmp_path / "array.npy", np.arange(3))
  np.savez(tmp_path / "other.npz", labels=np.arange(3))
  other = [(tmp_path / name).read_bytes() for name in ("array.npy", "other.npz")]
  for content in (b"", b"0 5\n2\n", path.read_bytes()[:-30], *other):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a file of label sets .*yt8m-label-sets"):
      label_sets.LabelSets.load(str(path), CLASSES)
  with pytest.raises(FileNotFoundError, match="nowhere.npz"):
    label_sets.LabelSets.load(str(tmp_path / "nowhere.npz"), CLASSES)


def test_a_flipped_byte_is_noticed_or_does_no_harm(tmp_path):
  path = tmp_path / "sets.npz"
  make(ids=IDS).save(str(path))
  whole, noticed = path.read_bytes(), 0
  for position in range(len(whole)):
    flipped = bytearray(whole)
    flipped[position] ^= 0xFF
    path.write_bytes(flipped)
    try:
      loaded = label_sets.LabelSets.load(str(path), CLASSES)
      assert as_lists(loaded) == VIDEOS
      # Missing ids are an error only if they are needed.
      assert loaded.ids is None or loaded.ids.tolist() == IDS
    except ValueError as error:
      assert f"--label_sets={path}" in str(error)
      noticed += 1
  assert noticed > len(whole) / 2


@support.needs_data
def test_sets_of_the_videos_that_are_evaluated_on_are_left_out():
  sets = label_sets.LabelSets.load(
      str(support.DATA / "yt8m" / "label_sets_980k.npz"), 3862)
  reader = make_reader(FeatureSpec(("mean_rgb",), (1024,), "video"), 3862)
  heldout = label_reader.video_ids(reader, sorted(map(str, (
      support.DATA / "yt8m" / "video" / "heldout").glob("*.tfrecord"))))
  assert len(heldout) == 3501
  rest = sets.without(heldout)
  assert len(sets) - len(rest) == 2661 and len(rest.classes) == rest.sizes.sum()
  assert not {video.decode() for video in heldout} & set(rest.ids.tolist())


@support.needs_data
def test_the_sets_of_real_videos():
  sets = label_sets.LabelSets.load(
      str(support.DATA / "yt8m" / "label_sets_980k.npz"), 3862)
  assert len(sets) == 980029
  assert 3.0 < sets.sizes.mean() < 3.02
  frequent, counts = sets.most_frequent(5000, max_size=10)
  assert len(frequent) == 5000 and np.all(np.diff(counts) <= 0)
  assert 0.70 < counts.sum() / len(sets) < 0.71
  # Game is the most frequent class of YouTube-8M.
  assert np.argmax(sets.prior()) == 0
